// SPDX-License-Identifier: GPL-3.0-or-later
// Attention on codes: every element by its definition, its reals against the float reference, the order of keys.
#include "ergon/attention.h"
#include "support.hpp"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace {

struct Case {
  erg_attention_shape s;
  erg_quantization q, k, v, score, p, y;
  std::vector<int16_t> query, key, value, probabilities, output;
  std::vector<int32_t> table;
  erg_softmax_unit unit{};
  erg_attention a{};

  std::vector<int16_t> codes(test::Random &r, int64_t count, int bits) {
    std::vector<int16_t> x(static_cast<size_t>(count));
    for (int16_t &c : x) c = static_cast<int16_t>(r.range(-(1 << (bits - 1)), (1 << (bits - 1)) - 1));
    return x;
  }
  static erg_codes clamp(erg_quantization g) { return {g.zero_point, -(1 << (g.bits - 1)), (1 << (g.bits - 1)) - 1}; }

  Case(test::Random &r, int bits) {
    s = {r.range(1, 3), r.range(1, 9), r.range(1, 17), r.range(1, 12)};
    auto grid = [&](double span) { // over about +-span, its zero off the middle
      return erg_quantization{span * std::ldexp(2, -bits), r.range(-(1 << (bits - 3)), 1 << (bits - 3)), bits};
    };
    q = grid(1.5), k = grid(1.5), v = grid(2);
    score = grid(3.0 * s.width), p = {std::ldexp(1, -bits), -(1 << (bits - 1)), bits}, y = grid(4);
    query = codes(r, (int64_t)s.batch * s.queries * s.width, bits);
    key = codes(r, (int64_t)s.batch * s.keys * s.width, bits);
    value = codes(r, (int64_t)s.batch * s.keys * s.width, bits);
    probabilities.resize(static_cast<size_t>(s.batch * s.queries * s.keys));
    output.resize(query.size());
    table.resize((size_t)1 << bits);
    test::Error error;
    EXPECT_EQ(erg_softmax_unit_init(score, p, 23, table.data(), &unit, &error), ERG_OK) << error.message();
    a = {s,
         bits > 12 ? 48 : 32,
         q.zero_point,
         k.zero_point,
         v.zero_point,
         {ERG_RULE_S, erg_requant_from_real(q.scale * k.scale / score.scale)},
         clamp(score),
         &unit,
         {ERG_RULE_S, erg_requant_from_real(p.scale * v.scale / y.scale)},
         clamp(y)};
  }
  void run() {
    test::Error error;
    ASSERT_EQ(
        erg_attention_s16(&a, query.data(), key.data(), value.data(), probabilities.data(), output.data(), &error),
        ERG_OK)
        << error.message();
  }
  int16_t code(int64_t sum, const erg_requant_tensor &scale, const erg_codes &c) const {
    int64_t x = erg_requantize(sum, scale.scale, a.accumulator_bits) + c.zero_point;
    return static_cast<int16_t>(std::max<int64_t>(c.low, std::min<int64_t>(c.high, x)));
  }
};

} // namespace

TEST(Attention, EveryElementIsItsDefinition) {
  test::Random r(131);
  for (int round = 0; round < 200; round++) {
    Case c(r, r.range(4, 16));
    SCOPED_TRACE("seed 131, round " + std::to_string(round));
    c.run();
    const erg_attention_shape &s = c.s;
    for (int b = 0; b < s.batch; b++)
      for (int i = 0; i < s.queries; i++) {
        std::vector<int16_t> row(static_cast<size_t>(s.keys)), p(row.size());
        auto at = [&](const std::vector<int16_t> &x, int length, int t, int w) {
          return (int64_t)x[static_cast<size_t>((b * length + t) * s.width + w)];
        };
        for (int j = 0; j < s.keys; j++) {
          int64_t sum = 0;
          for (int w = 0; w < s.width; w++)
            sum += (at(c.query, s.queries, i, w) - c.q.zero_point) * (at(c.key, s.keys, j, w) - c.k.zero_point);
          row[static_cast<size_t>(j)] = c.code(sum, c.a.score_scale, c.a.scores);
        }
        ASSERT_EQ(erg_softmax_unit_s16(&c.unit, 1, s.keys, row.data(), p.data(), nullptr), ERG_OK);
        for (int j = 0; j < s.keys; j++)
          ASSERT_EQ(c.probabilities[static_cast<size_t>((b * s.queries + i) * s.keys + j)], p[static_cast<size_t>(j)]);
        for (int w = 0; w < s.width; w++) {
          int64_t sum = 0;
          for (int j = 0; j < s.keys; j++)
            sum += (p[static_cast<size_t>(j)] - c.p.zero_point) * (at(c.value, s.keys, j, w) - c.v.zero_point);
          ASSERT_EQ(at(c.output, s.queries, i, w), c.code(sum, c.a.mix_scale, c.a.output));
        }
      }
  }
}

TEST(Attention, WideCodesAreTheFloatReference) {
  test::Random r(132);
  for (int round = 0; round < 50; round++) {
    Case c(r, 16);
    SCOPED_TRACE("seed 132, round " + std::to_string(round));
    c.run();
    auto real = [](const std::vector<int16_t> &x, erg_quantization g) {
      std::vector<float> out;
      for (int16_t code : x) out.push_back(static_cast<float>((code - g.zero_point) * g.scale));
      return out;
    };
    std::vector<float> q = real(c.query, c.q), k = real(c.key, c.k), v = real(c.value, c.v), p(c.probabilities.size()),
                       y(c.output.size());
    ASSERT_EQ(erg_attention_f32(&c.s, 1, q.data(), k.data(), v.data(), p.data(), y.data(), nullptr), ERG_OK);
    // a score is off by its step and by 2^-16 of itself (multipliers of wide accumulators have 16 bits)
    double off = c.score.scale + 3.0 * c.s.width * std::ldexp(1, -15), most = 2 * (2 * off + 1e-3);
    for (size_t i = 0; i < p.size(); i++)
      ASSERT_NEAR((c.probabilities[i] - c.p.zero_point) * c.p.scale, p[i], 2 * off + 1e-4);
    for (size_t i = 0; i < y.size(); i++) ASSERT_NEAR((c.output[i] - c.y.zero_point) * c.y.scale, y[i], most);
  }
}

// Integer sums have no order: attention without positions does not see that of its keys.
TEST(Attention, TheOrderOfKeysIsNotSeen) {
  test::Random r(133);
  for (int round = 0; round < 50; round++) {
    Case c(r, r.range(4, 12));
    c.run();
    Case turned = c;
    turned.a.softmax = &turned.unit;
    std::vector<int> order(static_cast<size_t>(c.s.keys));
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size() - 1; i > 0; i--) std::swap(order[i], order[static_cast<size_t>(r.range(0, (int)i))]);
    for (int b = 0; b < c.s.batch; b++)
      for (int j = 0; j < c.s.keys; j++)
        for (int w = 0; w < c.s.width; w++) {
          auto to = static_cast<size_t>((b * c.s.keys + j) * c.s.width + w),
               from = static_cast<size_t>((b * c.s.keys + order[static_cast<size_t>(j)]) * c.s.width + w);
          turned.key[to] = c.key[from], turned.value[to] = c.value[from];
        }
    turned.run();
    EXPECT_EQ(turned.output, c.output) << "seed 133, round " << round;
  }
}

TEST(Attention, SaysWhatIsWrong) {
  test::Random r(134);
  Case c(r, 8);
  std::vector<int16_t> before(c.output.size(), 77);
  auto refused = [&](const char *text) {
    test::Error error;
    c.output = before;
    EXPECT_EQ(erg_attention_s16(&c.a, c.query.data(), c.key.data(), c.value.data(), c.probabilities.data(),
                                c.output.data(), &error),
              ERG_ERR_DATA);
    EXPECT_NE(error.message().find(text), std::string::npos) << error.message();
    EXPECT_EQ(c.output, before);
  };
  const erg_attention good = c.a;
  c.a.softmax = nullptr, refused("no softmax"), c.a = good;
  c.a.shape.keys = 0, refused("0 keys"), c.a = good;
  c.a.accumulator_bits = 60, refused("60 accumulator bits"), c.a = good;
  c.a.scores.high = 40000, refused("40000"), c.a = good;
  c.a.scores.low = -200, c.a.scores.high = -200, refused("found -200"), c.a = good; // beyond what the table knows
  test::Error error;
  EXPECT_EQ(
      erg_attention_s16(&c.a, nullptr, c.key.data(), c.value.data(), c.probabilities.data(), c.output.data(), &error),
      ERG_ERR_DATA);
}
