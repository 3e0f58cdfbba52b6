// SPDX-License-Identifier: GPL-3.0-or-later
// A dilated convolution is the plain one whose kernel has zeros between its taps.
#include "support.hpp"

namespace {

struct Pair {
  erg_conv2d_shape dilated, spread; // the same layer twice
  std::vector<int16_t> input, weight, spread_weight;
  size_t outputs() const { return static_cast<size_t>(dilated.in.n * dilated.out_h * dilated.out_w) * dilated.filters; }
};

Pair random_pair(test::Random &r) {
  Pair c{};
  erg_conv2d_shape &s = c.dilated;
  s.kernel_h = r.range(1, 3);
  s.kernel_w = r.range(1, 3);
  s.dilation_h = r.range(0, 3);
  s.dilation_w = r.range(0, 3);
  int dh = std::max(1, s.dilation_h), dw = std::max(1, s.dilation_w);
  int span_h = (s.kernel_h - 1) * dh + 1, span_w = (s.kernel_w - 1) * dw + 1;
  s.stride_h = r.range(1, 3);
  s.stride_w = r.range(1, 3);
  s.pad_top = r.range(0, span_h - 1);
  s.pad_left = r.range(0, span_w - 1);
  s.groups = r.coin() ? 1 : r.range(1, 3);
  s.in = {r.range(1, 2), r.range(1, 9), r.range(1, 9), s.groups * r.range(1, 3)};
  s.filters = s.groups * r.range(1, 3);
  s.out_h = (s.in.h - 1 + s.pad_top) / s.stride_h + 1; // as far as a window still meets the map
  s.out_w = (s.in.w - 1 + s.pad_left) / s.stride_w + 1;
  c.spread = s;
  c.spread.dilation_h = c.spread.dilation_w = 0;
  c.spread.kernel_h = span_h;
  c.spread.kernel_w = span_w;
  int gc = s.in.c / s.groups;
  c.input.resize(static_cast<size_t>(erg_shape_elements(s.in)));
  c.weight.resize(static_cast<size_t>(s.filters * erg_conv2d_reduction(&s)));
  c.spread_weight.assign(static_cast<size_t>(s.filters * erg_conv2d_reduction(&c.spread)), 0);
  for (int16_t &x : c.input) x = static_cast<int16_t>(r.range(-128, 127));
  size_t at = 0;
  for (int k = 0; k < s.filters; k++)
    for (int y = 0; y < s.kernel_h; y++)
      for (int x = 0; x < s.kernel_w; x++)
        for (int ch = 0; ch < gc; ch++)
          c.spread_weight[static_cast<size_t>(((k * span_h + y * dh) * span_w + x * dw) * gc + ch)] = c.weight[at++] =
              static_cast<int16_t>(r.range(-127, 127));
  return c;
}

} // namespace

TEST(Dilation, EqualsAKernelWithZerosBetweenItsTaps) {
  test::Random random(131);
  for (int round = 0; round < 1500; round++) {
    SCOPED_TRACE("seed 131, round " + std::to_string(round));
    Pair c = random_pair(random);
    int bits = random.coin() ? 32 : 40, zero = random.range(-128, 127);
    std::vector<int64_t> dilated(c.outputs()), spread(c.outputs());
    test::Error error;
    ASSERT_EQ(
        erg_conv2d_accumulate_s16(&c.dilated, c.input.data(), zero, c.weight.data(), bits, dilated.data(), &error),
        ERG_OK)
        << error.message();
    ASSERT_EQ(
        erg_conv2d_accumulate_s16(&c.spread, c.input.data(), zero, c.spread_weight.data(), bits, spread.data(), &error),
        ERG_OK)
        << error.message();
    ASSERT_EQ(dilated, spread);
    std::vector<float> x(c.input.begin(), c.input.end()), w(c.weight.begin(), c.weight.end()), y(c.outputs());
    ASSERT_EQ(erg_conv2d_f32(&c.dilated, x.data(), w.data(), nullptr, y.data(), &error), ERG_OK);
    ASSERT_EQ(erg_conv2d_accumulate_s16(&c.dilated, c.input.data(), 0, c.weight.data(), 40, dilated.data(), &error),
              ERG_OK);
    for (size_t i = 0; i < y.size(); i++) ASSERT_EQ(y[i], static_cast<float>(dilated[i])); // below 2^24: exact
  }
}

TEST(Dilation, RefusesIllegalWindows) {
  const erg_conv2d_shape good{{1, 5, 5, 1}, 1, 3, 3, 1, 1, 4, 4, 1, 9, 9, 2, 2};
  auto status = [&](auto change) {
    erg_conv2d_shape s = good;
    change(s);
    std::vector<int16_t> buffer(64);
    std::vector<int64_t> sums(256);
    return erg_conv2d_accumulate_s16(&s, buffer.data(), 0, buffer.data(), 32, sums.data(), nullptr);
  };
  EXPECT_EQ(status([](auto &) {}), ERG_OK);
  EXPECT_EQ(status([](auto &s) { s.dilation_h = -1; }), ERG_ERR_DATA);
  EXPECT_EQ(status([](auto &s) { s.pad_left = 5; }), ERG_ERR_DATA);
  EXPECT_EQ(status([](auto &s) { s.out_w = 10; }), ERG_ERR_DATA);
  EXPECT_EQ(status([](auto &s) { s.dilation_h = 1; }), ERG_ERR_DATA) << "padding beyond the span of the kernel";
  EXPECT_EQ(status([](auto &s) { s.dilation_h = INT32_MAX; }), ERG_OK) << "a span beyond 32 bits";
}
