// SPDX-License-Identifier: GPL-3.0-or-later
// Requantization passes against real arithmetic: the output is the nearest code of the real value, to one unit in ties.
#include "support.hpp"
#include <cmath>

// From each width to each other: the real value survives to half an output step, inside the rails.
TEST(RequantizePass, KeepsTheRealValueBetweenAllWidths) {
  test::Random random(151);
  for (int from = 2; from <= 16; from++)
    for (int to = 2; to <= 16; to++)
      for (int rule = 0; rule < ERG_RULE_COUNT; rule++) {
        SCOPED_TRACE("seed 151, " + std::to_string(from) + " to " + std::to_string(to) + " bits, rule " +
                     erg_rule_names[rule]);
        int64_t in_edge = (int64_t)1 << (from - 1), edge = (int64_t)1 << (to - 1);
        double ratio = std::ldexp(0.5 + random.unit(), to - from); // s_in / s_out
        int zp_in = random.range(-in_edge, in_edge - 1), zp = random.range(-edge, edge - 1);
        erg_requant_tensor q{static_cast<erg_rule>(rule), erg_requant_from_real(ratio)};
        erg_codes codes{zp, static_cast<int32_t>(-edge), static_cast<int32_t>(edge - 1)};
        std::vector<int16_t> x(200), y(x.size());
        for (int16_t &v : x) v = static_cast<int16_t>(random.range(-in_edge, in_edge - 1));
        test::Error error;
        ASSERT_EQ(erg_requantize_tensor_s16(200, x.data(), zp_in, &q, &codes, y.data(), &error), ERG_OK)
            << error.message();
        // D rounds twice: at most half a step more where it shifts right; F adds float32's 2^-23 relative.
        double slack = rule == ERG_RULE_D && q.scale.shift < 0 ? std::ldexp(0.5, q.scale.shift) : 1e-6;
        for (size_t i = 0; i < x.size(); i++) {
          double real = ratio * (x[i] - zp_in) + zp, inside = std::fmax(codes.low, std::fmin(codes.high, real));
          ASSERT_LE(std::fabs(y[i] - inside), 0.5 + slack + std::fabs(real) * 0x1p-22) << x[i] << " -> " << y[i];
        }
      }
}

TEST(RequantizePass, ChannelsTakeTheirOwnScale) {
  test::Random random(152);
  for (int round = 0; round < 200; round++) {
    SCOPED_TRACE("seed 152, round " + std::to_string(round));
    int rows = random.range(1, 6), channels = random.range(1, 7), bits = random.coin() ? 32 : 48;
    std::vector<erg_requant> scale(static_cast<size_t>(channels));
    for (erg_requant &q : scale) q = erg_requant_from_real(std::ldexp(0.5 + random.unit(), random.range(-12, 0)));
    erg_rule rule = static_cast<erg_rule>(round % ERG_RULE_COUNT);
    erg_requant_channels q{rule, channels, scale.data()};
    erg_codes codes{random.range(-9, 9), -100, 90};
    std::vector<int64_t> sums(static_cast<size_t>(rows * channels));
    std::vector<int16_t> x(sums.size()), y(sums.size()), z(sums.size());
    for (size_t i = 0; i < x.size(); i++) {
      sums[i] = random.range(-60000, 60000);
      x[i] = static_cast<int16_t>(random.range(-32768, 32767));
    }
    test::Error error;
    ASSERT_EQ(erg_requantize_channels_s64(rows, sums.data(), bits, &q, &codes, y.data(), &error), ERG_OK)
        << error.message();
    ASSERT_EQ(erg_requantize_channels_s16(rows, x.data(), 5, &q, &codes, z.data(), &error), ERG_OK) << error.message();
    for (size_t i = 0; i < y.size(); i++) {
      const erg_requant &own = scale[i % scale.size()];
      auto clamp = [&](int64_t v) { return std::max<int64_t>(-100, std::min<int64_t>(90, v + codes.zero_point)); };
      ASSERT_EQ(y[i], clamp(erg_requantize_rule(sums[i], own, bits, rule)));
      ASSERT_EQ(z[i], clamp(erg_requantize_rule(x[i] - 5, own, 32, rule)));
    }
  }
}

// conv2d = accumulate, then requantize per channel: two roads to one output.
TEST(RequantizePass, OfAccumulatorsIsTheConvolutionsEpilogue) {
  test::Random random(153);
  erg_conv2d_shape s{{1, 5, 5, 6}, 4, 3, 3, 1, 1, 1, 1, 1, 5, 5};
  std::vector<int16_t> x(150), w(4 * 54), direct(100), stepwise(100);
  for (int rule = 0; rule < ERG_RULE_COUNT; rule++)
    for (int bits : {32, 40}) {
      for (int16_t &v : x) v = static_cast<int16_t>(random.range(-128, 127));
      for (int16_t &v : w) v = static_cast<int16_t>(random.range(-127, 127));
      std::vector<erg_requant> scale;
      for (int k = 0; k < 4; k++) scale.push_back(erg_requant_from_real(0.0005 * (1 + k)));
      erg_epilogue e{nullptr, scale.data(), 7, -128, 127, nullptr, 0, {}, static_cast<erg_rule>(rule)};
      erg_requant_channels q{e.rule, 4, scale.data()};
      erg_codes codes{7, -128, 127};
      std::vector<int64_t> sums(100);
      ASSERT_EQ(erg_conv2d_s16(&s, x.data(), -3, w.data(), bits, &e, direct.data(), nullptr), ERG_OK);
      ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), -3, w.data(), bits, sums.data(), nullptr), ERG_OK);
      ASSERT_EQ(erg_requantize_channels_s64(25, sums.data(), bits, &q, &codes, stepwise.data(), nullptr), ERG_OK);
      EXPECT_EQ(direct, stepwise) << "seed 153, rule " << erg_rule_names[rule];
    }
}
