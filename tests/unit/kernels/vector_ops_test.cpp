// SPDX-License-Identifier: GPL-3.0-or-later
// mul, concat, pad, quantize, batch norm, global average: integers against their float32 references and by hand.
#include "support.hpp"
#include <cmath>
#include <limits>

namespace {

std::vector<int16_t> draw(test::Random &r, size_t count, int bits) {
  int64_t edge = (int64_t)1 << (bits - 1);
  std::vector<int16_t> v(count);
  for (int16_t &x : v) x = static_cast<int16_t>(r.range(-edge, edge - 1));
  return v;
}

std::vector<float> real(const std::vector<int16_t> &codes, float scale, int zero) {
  std::vector<float> v(codes.size());
  EXPECT_EQ(erg_dequantize_s16(static_cast<int64_t>(v.size()), codes.data(), scale, zero, v.data(), nullptr), ERG_OK);
  return v;
}

// The integer output is the code nearest to the reference, or the rail it lies beyond; `slack` in output steps.
void expect_near(const std::vector<int16_t> &got, const std::vector<float> &reference, float scale,
                 const erg_codes &codes, double slack) {
  for (size_t i = 0; i < got.size(); i++) {
    double steps =
        std::fmax(codes.low, std::fmin(codes.high, static_cast<double>(reference[i]) / scale + codes.zero_point));
    ASSERT_LE(std::fabs(got[i] - steps), 0.5 + slack) << "element " << i << ": " << got[i] << " against " << steps;
  }
}

} // namespace

TEST(VectorOps, MulIsTheNearestCodeOfTheRealProduct) {
  test::Random r(181);
  for (int round = 0; round < 400; round++) {
    SCOPED_TRACE("seed 181, round " + std::to_string(round));
    int bits = round % 2 ? 8 : 16, za = r.range(-50, 50), zb = r.range(-50, 50);
    erg_shape s{r.range(1, 2), r.range(1, 4), r.range(1, 4), r.range(1, 6)};
    size_t count = static_cast<size_t>(erg_shape_elements(s));
    float sa = 0.02f, sb = 0.01f, sy = (bits == 8 ? 0.03f : 30.0f) * (1 + static_cast<float>(r.unit()));
    erg_mul_params p{za,
                     zb,
                     bits == 8 ? 32 : 48,
                     {static_cast<erg_rule>(round % ERG_RULE_COUNT), erg_requant_from_real((double)sa * sb / sy)},
                     {r.range(-9, 9), bits == 8 ? -128 : -32768, bits == 8 ? 127 : 32767}};
    std::vector<int16_t> a = draw(r, count, bits), b = draw(r, count, bits),
                         gate = draw(r, static_cast<size_t>(s.n * s.c), bits), y(count);
    std::vector<float> fa = real(a, sa, za), fb = real(b, sb, zb), fg = real(gate, sb, zb), fy(count);
    // D's first rounding is worth up to 1/2 * 2^shift; wide multipliers hold 15 bits; float32 references 24.
    double slack = (p.scale.rule == ERG_RULE_D && bits == 8 ? std::ldexp(0.5, p.scale.scale.shift) : 0) +
                   (bits == 8 ? 1e-4 : 32768 * 0x1p-14);
    test::Error error;
    ASSERT_EQ(erg_mul_s16(static_cast<int64_t>(count), a.data(), b.data(), &p, y.data(), &error), ERG_OK)
        << error.message();
    ASSERT_EQ(erg_mul_f32(static_cast<int64_t>(count), fa.data(), fb.data(), fy.data(), &error), ERG_OK);
    expect_near(y, fy, sy, p.codes, slack);
    ASSERT_EQ(erg_channel_mul_s16(s, a.data(), gate.data(), &p, y.data(), &error), ERG_OK);
    ASSERT_EQ(erg_channel_mul_f32(s, fa.data(), fg.data(), fy.data(), &error), ERG_OK);
    expect_near(y, fy, sy, p.codes, slack);
    for (size_t i = 0; i < count; i++) { // which gate belongs to which element, by hand
      size_t n = i / static_cast<size_t>(s.h * s.w * s.c), c = i % static_cast<size_t>(s.c);
      ASSERT_EQ(fy[i], fa[i] * fg[n * static_cast<size_t>(s.c) + c]);
    }
  }
}

TEST(VectorOps, MulWrapsItsProductToTheAccumulator) {
  const int16_t a = -32768;
  int16_t y = 0;
  erg_mul_params p{0, 0, 48, {ERG_RULE_S, erg_requant_from_real(0x1p-20)}, {0, -32768, 32767}};
  ASSERT_EQ(erg_mul_s16(1, &a, &a, &p, &y, nullptr), ERG_OK);
  EXPECT_EQ(y, 1024);                      // 2^30 / 2^20
  p.a_zero_point = p.b_zero_point = 32767; // 65535^2 = 2^32 - 131071: 32 bits hold only its remainder
  ASSERT_EQ(erg_mul_s16(1, &a, &a, &p, &y, nullptr), ERG_OK);
  EXPECT_EQ(y, 4096);
  p.accumulator_bits = 32;
  ASSERT_EQ(erg_mul_s16(1, &a, &a, &p, &y, nullptr), ERG_OK);
  EXPECT_EQ(y, 0);
}

TEST(VectorOps, ConcatRequantizesEachInputToTheOutput) {
  test::Random r(182);
  for (int round = 0; round < 300; round++) {
    SCOPED_TRACE("seed 182, round " + std::to_string(round));
    int rows = r.range(1, 5), count = r.range(1, 4), total = 0;
    float sy = 0.02f * (1 + static_cast<float>(r.unit()));
    erg_codes codes{r.range(-9, 9), -128, 127};
    std::vector<std::vector<int16_t>> x(static_cast<size_t>(count));
    std::vector<std::vector<float>> fx(x.size());
    std::vector<erg_concat_input> in;
    std::vector<const float *> fin;
    std::vector<int> channels;
    for (size_t i = 0; i < x.size(); i++) {
      int c = r.range(1, 5), zero = r.range(-9, 9);
      float sx = 0.01f * (1 + 3 * static_cast<float>(r.unit()));
      x[i] = draw(r, static_cast<size_t>(rows * c), 8);
      fx[i] = real(x[i], sx, zero);
      in.push_back({x[i].data(), c, zero, erg_requant_from_real((double)sx / sy)});
      fin.push_back(fx[i].data());
      channels.push_back(c);
      total += c;
    }
    std::vector<int16_t> y(static_cast<size_t>(rows * total));
    std::vector<float> fy(y.size());
    test::Error error;
    ASSERT_EQ(erg_concat_s16(rows, count, in.data(), ERG_RULE_S, &codes, y.data(), &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_concat_f32(rows, count, fin.data(), channels.data(), fy.data(), &error), ERG_OK);
    expect_near(y, fy, sy, codes, 1e-4);
    size_t at = 0; // the order by hand
    for (int row = 0; row < rows; row++)
      for (size_t i = 0; i < fx.size(); i++)
        for (int c = 0; c < channels[i]; c++) ASSERT_EQ(fy[at++], fx[i][static_cast<size_t>(row * channels[i] + c)]);
  }
}

// An unpadded convolution on the padded map is the padded convolution: the frame is real zero.
TEST(VectorOps, PadThenConvolveIsAPaddedConvolution) {
  test::Random r(183);
  for (int round = 0; round < 200; round++) {
    SCOPED_TRACE("seed 183, round " + std::to_string(round));
    erg_conv2d_shape s{{r.range(1, 2), r.range(3, 6), r.range(3, 6), r.range(1, 3)},
                       2,
                       3,
                       3,
                       1,
                       1,
                       r.range(0, 2),
                       r.range(0, 2),
                       1,
                       0,
                       0};
    erg_padding p{s.pad_top, s.pad_left, r.range(0, 2), r.range(0, 2)};
    int h = s.in.h + p.top + p.bottom, w = s.in.w + p.left + p.right;
    s.out_h = h - 2;
    s.out_w = w - 2;
    erg_conv2d_shape bare = s;
    bare.in.h = h;
    bare.in.w = w;
    bare.pad_top = bare.pad_left = 0;
    int16_t zero = static_cast<int16_t>(r.range(-128, 127));
    std::vector<int16_t> x = draw(r, static_cast<size_t>(erg_shape_elements(s.in)), 8),
                         weight = draw(r, static_cast<size_t>(2 * 9 * s.in.c), 8),
                         padded(static_cast<size_t>(erg_shape_elements(bare.in)));
    std::vector<int64_t> direct(static_cast<size_t>(s.in.n * s.out_h * s.out_w * 2)), stepwise(direct.size());
    test::Error error;
    ASSERT_EQ(erg_pad_s16(s.in, &p, x.data(), zero, padded.data(), &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), zero, weight.data(), 32, direct.data(), &error), ERG_OK)
        << error.message();
    ASSERT_EQ(erg_conv2d_accumulate_s16(&bare, padded.data(), zero, weight.data(), 32, stepwise.data(), &error),
              ERG_OK);
    ASSERT_EQ(direct, stepwise);
    std::vector<float> fx(x.begin(), x.end()), fy(padded.size());
    ASSERT_EQ(erg_pad_f32(s.in, &p, fx.data(), fy.data(), &error), ERG_OK);
    ASSERT_EQ(erg_pad_s16(s.in, &p, x.data(), 0, padded.data(), &error), ERG_OK);
    for (size_t i = 0; i < fy.size(); i++) ASSERT_EQ(fy[i], static_cast<float>(padded[i]));
  }
}

TEST(VectorOps, QuantizeTakesTiesToEvenBeforeTheZeroPointAndSaturates) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1e9f, -1e30f, inf, -inf, -0.0f};
  std::vector<int16_t> y(x.size());
  erg_codes codes{1, -128, 127};
  ASSERT_EQ(erg_quantize_f32(static_cast<int64_t>(x.size()), x.data(), 1, &codes, y.data(), nullptr), ERG_OK);
  EXPECT_EQ(y, (std::vector<int16_t>{1, 3, 3, 1, -1, 127, -128, 127, -128, 1})); // rint(0.5) + 1 = 1, not rint(1.5) = 2
  const float nan = std::nanf("");
  test::Error error;
  EXPECT_EQ(erg_quantize_f32(1, &nan, 1, &codes, y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(y[0], 1) << "untouched";
  for (float scale : {0.0f, -1.0f, nan, inf}) {
    EXPECT_EQ(erg_quantize_f32(1, x.data(), scale, &codes, y.data(), &error), ERG_ERR_DATA);
    EXPECT_EQ(erg_dequantize_s16(1, y.data(), scale, 0, const_cast<float *>(x.data()), &error), ERG_ERR_DATA);
  }
}

TEST(VectorOps, QuantizeUndoesDequantizeForEveryCode) {
  std::vector<int16_t> codes, back(65536);
  for (int c = -32768; c < 32768; c++) codes.push_back(static_cast<int16_t>(c));
  const erg_codes rails{-77, -32768, 32767};
  for (float scale : {0.1f, 1.0f / 3, 7e-5f, 1024.0f}) {
    std::vector<float> x = real(codes, scale, -77);
    ASSERT_EQ(erg_quantize_f32(65536, x.data(), scale, &rails, back.data(), nullptr), ERG_OK);
    ASSERT_EQ(back, codes) << scale;
  }
}

TEST(VectorOps, BatchNormFollowsItsFloatReference) {
  test::Random r(184);
  int constant = 0, negative = 0;
  for (int round = 0; round < 400; round++) {
    SCOPED_TRACE("seed 184, round " + std::to_string(round));
    int rows = r.range(1, 20), channels = r.range(1, 6), zero = r.range(-20, 20);
    std::vector<double> gamma, beta, mean, variance;
    for (int c = 0; c < channels; c++) {
      int kind = r.range(0, 9);
      gamma.push_back(kind == 0   ? 0
                      : kind == 1 ? 1e-12
                      : kind == 2 ? 1e-4
                                  : 2 * erg_random_normal(&r)); // flat channels too
      beta.push_back(2 * erg_random_normal(&r));
      mean.push_back(erg_random_normal(&r));
      variance.push_back(0.01 + r.unit());
    }
    erg_batch_norm_stats stats{gamma.data(), beta.data(), mean.data(), variance.data(), 1e-5};
    const float sx = 0.03f, sy = 0.05f;
    size_t n = static_cast<size_t>(channels);
    std::vector<int32_t> weight(n);
    std::vector<int64_t> bias(n);
    std::vector<erg_requant> scale(n);
    test::Error error;
    ASSERT_EQ(erg_batch_norm_quantize(channels, &stats, sx, sy, weight.data(), bias.data(), scale.data(), &error),
              ERG_OK)
        << error.message();
    erg_rule rule = static_cast<erg_rule>(round % ERG_RULE_COUNT);
    erg_batch_norm_params p{
        zero, weight.data(), bias.data(), {rule, channels, scale.data()}, {r.range(-9, 9), -128, 127}};
    std::vector<int16_t> x = draw(r, static_cast<size_t>(rows) * n, 8), y(x.size());
    std::vector<float> fx = real(x, sx, zero), fy(x.size());
    ASSERT_EQ(erg_batch_norm_s16(rows, x.data(), &p, y.data(), &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_batch_norm_f32(rows, channels, fx.data(), &stats, fy.data(), &error), ERG_OK);
    for (size_t c = 0; c < n; c++) {
      constant += weight[c] == 0;
      negative += weight[c] < 0;
      std::vector<int16_t> own;
      std::vector<float> reference;
      for (size_t i = c; i < x.size(); i += n) {
        own.push_back(y[i]);
        reference.push_back(fy[i]);
      }
      double step = std::ldexp(scale[c].multiplier, scale[c].shift - 31); // of the bias, in output steps
      double slack = step / 2 + 1e-3 + (rule == ERG_RULE_D ? std::ldexp(0.5, std::min(0, scale[c].shift)) : 0);
      expect_near(own, reference, sy, p.codes, slack);
    }
  }
  EXPECT_GT(constant, 20);
  EXPECT_GT(negative, 20);
}

TEST(VectorOps, GlobalAverageRoundsOnce) {
  test::Random r(185);
  for (int round = 0; round < 300; round++) {
    SCOPED_TRACE("seed 185, round " + std::to_string(round));
    erg_shape s{r.range(1, 2), r.range(1, 9), r.range(1, 9), r.range(1, 5)};
    int zero = r.range(-20, 20), map = s.h * s.w;
    float sx = 0.03f, sy = 0.02f + 0.02f * static_cast<float>(r.unit());
    std::vector<int16_t> x = draw(r, static_cast<size_t>(erg_shape_elements(s)), 8), y(static_cast<size_t>(s.n * s.c));
    std::vector<float> fx = real(x, sx, zero), fy(y.size());
    erg_requant_tensor q{static_cast<erg_rule>(round % ERG_RULE_COUNT), erg_requant_from_real((double)sx / sy / map)};
    erg_codes codes{r.range(-9, 9), -128, 127};
    erg_pool_shape window{s, s.h, s.w, 1, 1, 0, 0, 1, 1};
    test::Error error;
    ASSERT_EQ(erg_global_avg_pool_s16(s, x.data(), zero, 32, &q, &codes, y.data(), &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_avg_pool_f32(&window, fx.data(), fy.data(), &error), ERG_OK);
    expect_near(y, fy, sy, codes, 1e-3 + (q.rule == ERG_RULE_D ? std::ldexp(0.5, std::min(0, q.scale.shift)) : 0));
  }
}
