// SPDX-License-Identifier: GPL-3.0-or-later
// Squeeze-and-excitation: bit for bit against loops of its own, and against real arithmetic within a bound that is
// computed from the weights, step by step.
#include "ergon/quantization.h"
#include "ergon/squeeze_excite.h"
#include "support.hpp"
#include <cmath>

namespace {

double dot(const std::vector<double> &w, size_t row, size_t n, const double *x) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += w[row * n + i] * x[i];
  return sum;
}

// One block with real parameters, its exact outputs, and the same block in codes.
struct Block {
  size_t n, h, w, c, m;
  bool silu; // EfficientNet's: SiLU and sigmoid; else MobileNetV3's: ReLU and hard sigmoid
  erg_quantization in, mean, hidden, after, logit, gate, out;
  std::vector<int16_t> x, w1, w2, hidden_table, gate_table;
  std::vector<double> s1, s2, real1, real2, bias1, bias2, want, bound; // bound: LSB of the output
  std::vector<int64_t> b1, b2;
  std::vector<erg_requant> r1, r2;
  erg_epilogue e1{}, e2{};
  erg_squeeze_excite se{};

  double activation(double v) const { return silu ? v / (1 + std::exp(-v)) : std::max(v, 0.0); }
  double squash(double v) const { return silu ? 1 / (1 + std::exp(-v)) : std::min(std::max(v + 3, 0.0), 6.0) / 6; }

  static erg_quantization cover(double low, double high) {
    double scale = 1.05 * (high - low) / 255 + 1e-6;
    return {scale, std::max(-128, std::min(127, -128 + (int)std::lrint((0.025 * (high - low) - low) / scale))), 8};
  }

  explicit Block(test::Random &r) {
    n = (size_t)r.range(1, 2), h = (size_t)r.range(1, 9), w = (size_t)r.range(1, 9), c = (size_t)r.range(1, 40);
    m = std::max<size_t>(1, c / 4), silu = r.coin();
    in = {0.02 + 0.03 * r.unit(), r.range(-128, 40), 8};
    for (size_t i = 0; i < n * h * w * c; i++) x.push_back((int16_t)r.range(-128, 127));
    make_layer(r, m, c, &w1, &s1, &real1);
    make_layer(r, c, m, &w2, &s2, &real2);
    run_real(r);
    requantize();
    bind();
  }

  static void make_layer(test::Random &r, size_t rows, size_t columns, std::vector<int16_t> *codes,
                         std::vector<double> *scales, std::vector<double> *real) {
    for (size_t row = 0; row < rows; row++) {
      scales->push_back(1.5 / 127 / std::sqrt((double)columns) * (0.5 + r.unit()));
      for (size_t i = 0; i < columns; i++) {
        codes->push_back((int16_t)r.range(-127, 127));
        real->push_back(codes->back() * scales->back());
      }
    }
  }

  static std::pair<double, double> range(const std::vector<double> &v) {
    auto [low, high] = std::minmax_element(v.begin(), v.end());
    return {std::min(0.0, *low), std::max(0.0, *high)};
  }

  // Exact values over the dequantized inputs and weights; scales cover what appears; biases on the accumulators' grid.
  void run_real(test::Random &r) {
    std::vector<double> means(n * c), pre(n * m), post(n * m), logits(n * c);
    for (size_t i = 0; i < x.size(); i++)
      means[i / (h * w * c) * c + i % c] += (x[i] - in.zero_point) * in.scale / (double)(h * w);
    mean = cover(range(means).first, range(means).second);
    for (size_t i = 0; i < m; i++) {
      b1.push_back(std::lrint((r.unit() - 0.5) / (mean.scale * s1[i])));
      bias1.push_back((double)b1[i] * mean.scale * s1[i]);
    }
    for (size_t i = 0; i < n * m; i++) {
      pre[i] = dot(real1, i % m, c, &means[i / m * c]) + bias1[i % m];
      post[i] = activation(pre[i]);
    }
    hidden = silu ? cover(range(pre).first, range(pre).second) : cover(0, range(pre).second);
    if (!silu) hidden.zero_point = -128;
    after = silu ? cover(std::min(-0.279, range(post).first), range(post).second) : hidden;
    for (size_t i = 0; i < c; i++) {
      b2.push_back(std::lrint((2 * r.unit() - 1) / (after.scale * s2[i])));
      bias2.push_back((double)b2[i] * after.scale * s2[i]);
    }
    for (size_t i = 0; i < n * c; i++) logits[i] = dot(real2, i % c, m, &post[i / c * m]) + bias2[i % c];
    logit = cover(range(logits).first, range(logits).second);
    gate = {1 / 256.0, -128, 8};
    for (size_t i = 0; i < x.size(); i++)
      want.push_back((x[i] - in.zero_point) * in.scale * squash(logits[i / (h * w * c) * c + i % c]));
    out = cover(range(want).first, range(want).second);
    make_bound();
  }

  // Half a step per rounding, carried through absolute weights and the functions' largest slopes (SiLU 1.1, sigmoid
  // 1/4, hard sigmoid 1/6); the gate's table a whole step, because 1 is 255/256; 1 % for 31-bit multipliers.
  void make_bound() {
    std::vector<double> e_hidden(m), e_gate(c);
    for (size_t i = 0; i < m; i++) {
      for (size_t j = 0; j < c; j++) e_hidden[i] += std::fabs(real1[i * c + j]) * 0.5 * mean.scale;
      e_hidden[i] += 0.5 * hidden.scale;
      if (silu) e_hidden[i] = 1.1 * e_hidden[i] + 0.5 * after.scale;
    }
    for (size_t i = 0; i < c; i++) {
      for (size_t j = 0; j < m; j++) e_gate[i] += std::fabs(real2[i * m + j]) * e_hidden[j];
      e_gate[i] = (e_gate[i] + 0.5 * logit.scale) * (silu ? 0.25 : 1 / 6.0) + gate.scale;
    }
    for (size_t i = 0; i < x.size(); i++)
      bound.push_back(0.5 + 1.01 * std::fabs((x[i] - in.zero_point) * in.scale) * e_gate[i % c] / out.scale);
  }

  void requantize() {
    for (size_t i = 0; i < m; i++) r1.push_back(erg_requant_from_real(mean.scale * s1[i] / hidden.scale));
    for (size_t i = 0; i < c; i++) r2.push_back(erg_requant_from_real(after.scale * s2[i] / logit.scale));
    hidden_table.resize(256), gate_table.resize(256);
    EXPECT_EQ(erg_gate_table_build(erg_gate_find("silu"), hidden, after, hidden_table.data(), nullptr), ERG_OK);
    EXPECT_EQ(
        erg_gate_table_build(erg_gate_find(silu ? "sigmoid" : "hard_sigmoid"), logit, gate, gate_table.data(), nullptr),
        ERG_OK);
  }

  void bind() {
    e1.bias = b1.data(), e1.scale = r1.data(), e1.zero_point = hidden.zero_point;
    e1.low = silu ? -128 : hidden.zero_point, e1.high = 127;
    e2.bias = b2.data(), e2.scale = r2.data(), e2.zero_point = logit.zero_point, e2.low = -128, e2.high = 127;
    se.shape = {(int)n, (int)h, (int)w, (int)c}, se.squeezed = (int)m, se.accumulator_bits = 32;
    se.mean_scale = {ERG_RULE_S, erg_requant_from_real(in.scale / mean.scale / (double)(h * w))};
    se.mean = {mean.zero_point, -128, 127};
    se.reduce_weight = w1.data(), se.reduce = &e1, se.expand_weight = w2.data(), se.expand = &e2;
    se.hidden_table = silu ? hidden_table.data() : nullptr, se.hidden_bits = 8, se.hidden_zero_point = after.zero_point;
    se.gate_table = gate_table.data(), se.gate_bits = 8;
    se.multiply = {in.zero_point,
                   gate.zero_point,
                   32,
                   {ERG_RULE_S, erg_requant_from_real(in.scale * gate.scale / out.scale)},
                   {out.zero_point, -128, 127}};
  }

  std::vector<int16_t> run() const {
    std::vector<int16_t> scratch(n * (2 * c + m)), y(x.size());
    test::Error error;
    EXPECT_EQ(erg_squeeze_excite_s16(&se, x.data(), scratch.data(), y.data(), &error), ERG_OK) << error.message();
    return y;
  }
};

int clamp8(int64_t v, int64_t low = -128) {
  return (int)std::max(low, std::min<int64_t>(127, v));
}

} // namespace

TEST(SqueezeExcite, EqualsItsStepsBitForBit) {
  test::Random r(111);
  for (int round = 0; round < 60; round++) {
    SCOPED_TRACE("seed 111, round " + std::to_string(round));
    Block b(r);
    const erg_rule rules[] = {ERG_RULE_S, ERG_RULE_D, ERG_RULE_F, ERG_RULE_A}, rule = rules[round % 4];
    b.e1.rule = b.e2.rule = b.se.mean_scale.rule = b.se.multiply.scale.rule = rule;
    std::vector<int16_t> y = b.run();
    for (size_t image = 0; image < b.n; image++) {
      std::vector<int> mean(b.c), hidden(b.m), gate(b.c);
      const int16_t *x = &b.x[image * b.h * b.w * b.c];
      for (size_t c = 0; c < b.c; c++) {
        int64_t sum = 0;
        for (size_t i = 0; i < b.h * b.w; i++) sum += x[i * b.c + c] - b.in.zero_point;
        mean[c] = clamp8(b.mean.zero_point + erg_requantize_rule(sum, b.se.mean_scale.scale, 32, rule));
      }
      for (size_t m = 0; m < b.m; m++) {
        int64_t sum = b.b1[m];
        for (size_t c = 0; c < b.c; c++) sum += (mean[c] - b.mean.zero_point) * b.w1[m * b.c + c];
        hidden[m] = clamp8(b.hidden.zero_point + erg_requantize_rule(sum, b.r1[m], 32, rule), b.e1.low);
        if (b.silu) hidden[m] = b.hidden_table[(size_t)(hidden[m] + 128)];
      }
      for (size_t c = 0; c < b.c; c++) {
        int64_t sum = b.b2[c];
        for (size_t m = 0; m < b.m; m++) sum += (hidden[m] - b.after.zero_point) * b.w2[c * b.m + m];
        gate[c] =
            b.gate_table[(size_t)(clamp8(b.logit.zero_point + erg_requantize_rule(sum, b.r2[c], 32, rule)) + 128)];
      }
      for (size_t i = 0; i < b.h * b.w * b.c; i++) {
        int64_t product = (x[i] - b.in.zero_point) * (gate[i % b.c] + 128);
        ASSERT_EQ(y[image * b.h * b.w * b.c + i],
                  clamp8(b.out.zero_point + erg_requantize_rule(product, b.se.multiply.scale.scale, 32, rule)));
      }
    }
  }
}

TEST(SqueezeExcite, StaysWithinItsBoundOfRealArithmetic) {
  test::Random r(112);
  double most = 0, squares = 0, widest = 0;
  int64_t all = 0, distinct[256] = {};
  for (int round = 0; round < 300; round++) {
    SCOPED_TRACE("seed 112, round " + std::to_string(round));
    Block b(r);
    std::vector<int16_t> y = b.run();
    for (size_t i = 0; i < y.size(); i++) {
      double error = std::fabs(y[i] - b.out.zero_point - b.want[i] / b.out.scale);
      ASSERT_LE(error, b.bound[i]) << "element " << i;
      most = std::max(most, error), squares += error * error, widest = std::max(widest, b.bound[i]);
      all++, distinct[y[i] + 128]++;
    }
  }
  std::printf("squeeze and excite, int8: at most %.2f LSB, rms %.3f, of %lld outputs (bound: at most %.1f)\n", most,
              std::sqrt(squares / (double)all), (long long)all, widest);
  EXPECT_LT(most, 3);
  EXPECT_LT(std::sqrt(squares / (double)all), 0.6);
  EXPECT_GT(256 - std::count(distinct, distinct + 256, 0), 200);
}

TEST(SqueezeExcite, FloatReferenceIsRealArithmetic) {
  test::Random r(113);
  for (int round = 0; round < 60; round++) {
    SCOPED_TRACE("seed 113, round " + std::to_string(round));
    Block b(r);
    auto floats = [](const std::vector<double> &v) { return std::vector<float>(v.begin(), v.end()); };
    std::vector<float> x, y(b.x.size()), scratch(b.n * (2 * b.c + b.m));
    for (int16_t q : b.x) x.push_back((float)((q - b.in.zero_point) * b.in.scale));
    test::Error error;
    ASSERT_EQ(erg_squeeze_excite_f32(b.se.shape, (int)b.m, x.data(), floats(b.real1).data(), floats(b.bias1).data(),
                                     b.silu ? erg_gate_find("silu") : nullptr, floats(b.real2).data(),
                                     floats(b.bias2).data(), erg_gate_find(b.silu ? "sigmoid" : "hard_sigmoid"),
                                     scratch.data(), y.data(), &error),
              ERG_OK)
        << error.message();
    for (size_t i = 0; i < y.size(); i++) ASSERT_NEAR(y[i], b.want[i], 2e-5 * (1 + std::fabs(b.want[i])));
  }
}

TEST(SqueezeExcite, RefusesIllegalArgumentsAndLeavesTheOutput) {
  test::Random r(114);
  Block b(r);
  std::vector<int16_t> scratch(b.n * (2 * b.c + b.m)), y(b.x.size(), 99);
  test::Error error;
  auto refuses = [&](auto change) {
    erg_squeeze_excite se = b.se;
    change(&se);
    EXPECT_EQ(erg_squeeze_excite_s16(&se, b.x.data(), scratch.data(), y.data(), &error), ERG_ERR_DATA);
    EXPECT_EQ(y[0], 99);
  };
  refuses([](erg_squeeze_excite *se) { se->squeezed = 0; });
  refuses([](erg_squeeze_excite *se) { se->shape.h = 0; });
  refuses([](erg_squeeze_excite *se) { se->accumulator_bits = 49; });
  refuses([](erg_squeeze_excite *se) { se->reduce_weight = nullptr; });
  refuses([](erg_squeeze_excite *se) { se->reduce = nullptr; });
  refuses([](erg_squeeze_excite *se) { se->expand = nullptr; });
  refuses([](erg_squeeze_excite *se) { se->gate_table = nullptr; });
  refuses([](erg_squeeze_excite *se) { se->gate_bits = 1; });
  refuses([](erg_squeeze_excite *se) { se->multiply.scale.scale.multiplier = 5; });
  refuses([](erg_squeeze_excite *se) { se->mean.low = 200; });
  refuses([](erg_squeeze_excite *se) { se->mean_scale.rule = ERG_RULE_COUNT; });
  EXPECT_EQ(erg_squeeze_excite_s16(nullptr, b.x.data(), scratch.data(), y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_squeeze_excite_s16(&b.se, nullptr, scratch.data(), y.data(), &error), ERG_ERR_DATA);
}
