// SPDX-License-Identifier: GPL-3.0-or-later
// The golden convolution against a textbook one written here: explicit padding, im2col, 128-bit sums.
#include "support.hpp"
#include <cmath>

namespace {

struct Case {
  erg_conv2d_shape s{};
  int pad_bottom = 0, pad_right = 0;
  int weight_bits = 8, activation_bits = 8, accumulator_bits = 32;
  int32_t zero_point = 0;
  std::vector<int16_t> input, weight;
};

Case random_case(test::Random &r) {
  Case c;
  erg_conv2d_shape &s = c.s;
  s.kernel_h = r.range(1, 4);
  s.kernel_w = r.range(1, 4);
  s.stride_h = r.range(1, 3);
  s.stride_w = r.range(1, 3);
  s.pad_top = r.range(0, s.kernel_h - 1);
  s.pad_left = r.range(0, s.kernel_w - 1);
  c.pad_bottom = r.range(0, s.kernel_h - 1);
  c.pad_right = r.range(0, s.kernel_w - 1);
  s.groups = r.coin() ? 1 : r.range(1, 4);
  s.in = {r.range(1, 2), r.range(1, 9), r.range(1, 9), s.groups * r.range(1, 5)};
  while (s.in.h + s.pad_top + c.pad_bottom < s.kernel_h) s.in.h++;
  while (s.in.w + s.pad_left + c.pad_right < s.kernel_w) s.in.w++;
  s.filters = s.groups * r.range(1, 4);
  s.out_h = (s.in.h + s.pad_top + c.pad_bottom - s.kernel_h) / s.stride_h + 1;
  s.out_w = (s.in.w + s.pad_left + c.pad_right - s.kernel_w) / s.stride_w + 1;
  c.weight_bits = r.range(2, 16);
  c.activation_bits = r.range(2, 16);
  c.accumulator_bits = r.range(8, 48);
  int64_t a = (int64_t)1 << (c.activation_bits - 1), w = ((int64_t)1 << (c.weight_bits - 1)) - 1;
  c.zero_point = r.range(-a, a - 1);
  bool rails = r.range(0, 3) == 0;
  c.input.resize(static_cast<size_t>(erg_shape_elements(s.in)));
  for (int16_t &x : c.input) x = static_cast<int16_t>(rails ? (r.coin() ? -a : a - 1) : r.range(-a, a - 1));
  c.weight.resize(static_cast<size_t>(s.filters * erg_conv2d_reduction(&s)));
  for (int16_t &x : c.weight) x = static_cast<int16_t>(rails ? (r.coin() ? -w : w) : r.range(-w, w));
  return c;
}

std::vector<int64_t> textbook(const Case &c) {
  const erg_conv2d_shape &s = c.s;
  int h = s.in.h + s.pad_top + c.pad_bottom, w = s.in.w + s.pad_left + c.pad_right, gc = s.in.c / s.groups;
  std::vector<int64_t> padded(static_cast<size_t>(s.in.n) * h * w * s.in.c, 0), out;
  for (int n = 0; n < s.in.n; n++)
    for (int y = 0; y < s.in.h; y++)
      for (int x = 0; x < s.in.w; x++)
        for (int k = 0; k < s.in.c; k++)
          padded[((static_cast<size_t>(n) * h + y + s.pad_top) * w + x + s.pad_left) * s.in.c + k] =
              c.input[((static_cast<size_t>(n) * s.in.h + y) * s.in.w + x) * s.in.c + k] - c.zero_point;
  for (int n = 0; n < s.in.n; n++)
    for (int p = 0; p < s.out_h; p++)
      for (int q = 0; q < s.out_w; q++)
        for (int k = 0; k < s.filters; k++) {
          __int128 sum = 0;
          for (int i = 0; i < s.kernel_h * s.kernel_w * gc; i++) {
            int ch = i % gc, t = i / gc % s.kernel_w, r = i / gc / s.kernel_w;
            sum +=
                (__int128)padded[((static_cast<size_t>(n) * h + p * s.stride_h + r) * w + q * s.stride_w + t) * s.in.c +
                                 k / (s.filters / s.groups) * gc + ch] *
                c.weight[static_cast<size_t>(k) * s.kernel_h * s.kernel_w * gc + i];
          }
          __int128 modulus = (__int128)1 << c.accumulator_bits;
          sum = ((sum % modulus) + modulus) % modulus;
          if (sum >= modulus / 2) sum -= modulus;
          out.push_back(static_cast<int64_t>(sum));
        }
  return out;
}

} // namespace

TEST(Conv2d, AccumulatorsEqualTheTextbook) {
  test::Random random(21);
  for (int round = 0; round < 1500; round++) {
    SCOPED_TRACE("seed 21, round " + std::to_string(round));
    Case c = random_case(random);
    std::vector<int64_t> expected = textbook(c), got(expected.size());
    test::Error error;
    ASSERT_EQ(erg_conv2d_accumulate_s16(&c.s, c.input.data(), c.zero_point, c.weight.data(), c.accumulator_bits,
                                        got.data(), &error),
              ERG_OK)
        << error.message();
    ASSERT_EQ(got, expected);
  }
}

TEST(Conv2d, OutputIsTheEpilogueOfTheAccumulator) {
  test::Random random(22);
  for (int round = 0; round < 300; round++) {
    SCOPED_TRACE("seed 22, round " + std::to_string(round));
    Case c = random_case(random);
    std::vector<int64_t> sums = textbook(c), bias(static_cast<size_t>(c.s.filters));
    std::vector<erg_requant> scale(bias.size());
    std::vector<int16_t> residual(sums.size()), out(sums.size());
    for (size_t k = 0; k < bias.size(); k++) {
      bias[k] = random.range(-5000, 5000);
      scale[k] = {static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX)), random.range(-12, 0)};
    }
    for (int16_t &x : residual) x = static_cast<int16_t>(random.range(-128, 127));
    erg_epilogue e{bias.data(),
                   scale.data(),
                   random.range(-20, 20),
                   -128,
                   127,
                   random.coin() ? residual.data() : nullptr,
                   random.range(-9, 9),
                   {1 << 30, random.range(-3, 1)}};
    test::Error error;
    ASSERT_EQ(
        erg_conv2d_s16(&c.s, c.input.data(), c.zero_point, c.weight.data(), c.accumulator_bits, &e, out.data(), &error),
        ERG_OK)
        << error.message();
    for (size_t i = 0; i < out.size(); i++)
      ASSERT_EQ(out[i],
                erg_epilogue_apply(&e, sums[i], static_cast<int>(i % bias.size()), residual[i], c.accumulator_bits));
  }
}

TEST(Conv2d, FloatReferenceEqualsExactIntegersInSmallCases) {
  test::Random random(23);
  for (int round = 0; round < 200; round++) {
    Case c = random_case(random);
    for (int16_t &x : c.input) x = static_cast<int16_t>(x % 16);
    for (int16_t &x : c.weight) x = static_cast<int16_t>(x % 16);
    c.zero_point = 0;
    c.accumulator_bits = 48;
    std::vector<int64_t> expected = textbook(c);
    std::vector<float> input(c.input.begin(), c.input.end()), weight(c.weight.begin(), c.weight.end()),
        out(expected.size());
    test::Error error;
    ASSERT_EQ(erg_conv2d_f32(&c.s, input.data(), weight.data(), nullptr, out.data(), &error), ERG_OK);
    for (size_t i = 0; i < out.size(); i++) ASSERT_EQ(out[i], static_cast<float>(expected[i])) << "round " << round;
  }
}

// int8 quantization of a float layer keeps the signal: uniform quantization of both operands to 8 bits over +-4 sigma
// has a noise of about 2*(1/127*4)^2/12 a product, that is better than 30 dB.
TEST(Conv2d, QuantizedFollowsFloat) {
  test::Random random(24);
  erg_conv2d_shape s{{1, 8, 8, 32}, 16, 3, 3, 1, 1, 1, 1, 1, 8, 8};
  std::vector<float> x(8 * 8 * 32), w(16 * 9 * 32), y(8 * 8 * 16);
  std::vector<int16_t> qx(x.size()), qw(w.size()), qy(y.size());
  const float sx = 4.0f / 127, sw = 4.0f / 127;
  auto draw = [&](std::vector<float> &real, std::vector<int16_t> &code, float step) {
    for (size_t i = 0; i < real.size(); i++) {
      real[i] = std::max(-4.0f, std::min(4.0f, static_cast<float>(erg_random_normal(&random))));
      code[i] = static_cast<int16_t>(std::lround(real[i] / step));
    }
  };
  draw(x, qx, sx);
  draw(w, qw, sw);
  test::Error error;
  ASSERT_EQ(erg_conv2d_f32(&s, x.data(), w.data(), nullptr, y.data(), &error), ERG_OK);
  float most = 0;
  for (float v : y) most = std::max(most, std::fabs(v));
  const double sy = most / 127;
  std::vector<erg_requant> scale(16, erg_requant_from_real(sx * sw / sy));
  erg_epilogue e{nullptr, scale.data(), 0, -128, 127, nullptr, 0, {0, 0}};
  ASSERT_EQ(erg_conv2d_s16(&s, qx.data(), 0, qw.data(), 32, &e, qy.data(), &error), ERG_OK);
  double signal = 0, noise = 0;
  for (size_t i = 0; i < y.size(); i++) {
    signal += y[i] * y[i];
    noise += std::pow(y[i] - sy * qy[i], 2);
  }
  EXPECT_GT(10 * std::log10(signal / noise), 30);
}

TEST(Conv2d, RefusesIllegalArguments) {
  std::vector<int16_t> buffer(1024);
  std::vector<int64_t> sums(1024);
  const erg_conv2d_shape good{{1, 4, 4, 4}, 4, 3, 3, 1, 1, 1, 1, 1, 4, 4};
  auto status = [&](erg_conv2d_shape s, int bits = 32, bool null = false) {
    test::Error error;
    erg_status result =
        erg_conv2d_accumulate_s16(&s, null ? nullptr : buffer.data(), 0, buffer.data(), bits, sums.data(), &error);
    EXPECT_EQ(result == ERG_OK, error.message().empty());
    return result;
  };
  EXPECT_EQ(status(good), ERG_OK);
  EXPECT_EQ(status(good, 7), ERG_ERR_DATA);
  EXPECT_EQ(status(good, 49), ERG_ERR_DATA);
  EXPECT_EQ(status(good, 32, true), ERG_ERR_DATA);
  auto with = [&](auto change) {
    erg_conv2d_shape s = good;
    change(s);
    return status(s);
  };
  EXPECT_EQ(with([](auto &s) { s.in.c = 0; }), ERG_ERR_DATA);
  EXPECT_EQ(with([](auto &s) { s.filters = -1; }), ERG_ERR_DATA);
  EXPECT_EQ(with([](auto &s) { s.groups = 3; }), ERG_ERR_DATA);
  EXPECT_EQ(with([](auto &s) { s.stride_h = 0; }), ERG_ERR_DATA);
  EXPECT_EQ(with([](auto &s) { s.pad_top = 3; }), ERG_ERR_DATA);
  EXPECT_EQ(with([](auto &s) { s.out_h = 7; }), ERG_ERR_DATA);
  EXPECT_EQ(with([](auto &s) { s.in = {1 << 16, 1 << 16, 1 << 16, 1 << 16}; }), ERG_ERR_DATA);
}
