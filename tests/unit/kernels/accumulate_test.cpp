// SPDX-License-Identifier: GPL-3.0-or-later
// Saturating accumulation: by hand, against a textbook loop, and equal to wrapping wherever nothing overflows.
#include "support.hpp"

TEST(Accumulate, OrderIsRThenSThenC) {
  // 8-bit accumulator; products in order 100, 100 (-> 127), -50 -> 77. Wrapping ends at 150 - 256 = -106.
  const int16_t x[] = {10, 10, 10}, up_first[] = {10, 10, -5}, down_first[] = {-5, 10, 10};
  int64_t sum, clamped;
  auto run = [&](erg_conv2d_shape s, const int16_t *w, erg_accumulation policy) {
    EXPECT_EQ(erg_conv2d_accumulate_policy_s16(&s, x, 0, w, 8, policy, &sum, &clamped, nullptr), ERG_OK);
    return sum;
  };
  for (const erg_conv2d_shape &s : {erg_conv2d_shape{{1, 1, 1, 3}, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // c
                                    erg_conv2d_shape{{1, 1, 3, 1}, 1, 1, 3, 1, 1, 0, 0, 1, 1, 1},    // s
                                    erg_conv2d_shape{{1, 3, 1, 1}, 1, 3, 1, 1, 1, 0, 0, 1, 1, 1}}) { // r
    EXPECT_EQ(run(s, up_first, ERG_ACCUMULATE_SATURATE), 77);
    EXPECT_EQ(clamped, 1);
    EXPECT_EQ(run(s, down_first, ERG_ACCUMULATE_SATURATE), 127);
    EXPECT_EQ(run(s, up_first, ERG_ACCUMULATE_WRAP), -106);
    EXPECT_EQ(clamped, 0);
  }
  // c is the fastest: (r, s, c) = (0,0,0) 100, (0,0,1) -50, (0,1,0) 100, (0,1,1) 0: 100, 50, 127, 127.
  const int16_t map[] = {10, 10, 10, 10}, w[] = {10, -5, 10, 0};
  erg_conv2d_shape s{{1, 1, 2, 2}, 1, 1, 2, 1, 1, 0, 0, 1, 1, 1};
  ASSERT_EQ(erg_conv2d_accumulate_policy_s16(&s, map, 0, w, 8, ERG_ACCUMULATE_SATURATE, &sum, nullptr, nullptr),
            ERG_OK);
  EXPECT_EQ(sum, 127);
}

TEST(Accumulate, EqualsATextbookLoopAndWrappingWhereNothingOverflows) {
  test::Random r(171);
  int met = 0, free = 0;
  for (int round = 0; round < 600; round++) {
    SCOPED_TRACE("seed 171, round " + std::to_string(round));
    erg_conv2d_shape s{};
    s.groups = r.range(1, 2);
    s.in = {r.range(1, 2), r.range(3, 6), r.range(3, 6), s.groups * r.range(1, 3)};
    s.filters = s.groups * r.range(1, 3);
    s.kernel_h = r.range(1, 3);
    s.kernel_w = r.range(1, 3);
    s.stride_h = r.range(1, 2);
    s.stride_w = r.range(1, 2);
    s.dilation_w = r.range(0, 2);
    s.pad_top = r.range(0, s.kernel_h - 1);
    s.pad_left = r.range(0, s.kernel_w - 1);
    s.out_h = (s.in.h - 1 + s.pad_top) / s.stride_h + 1;
    s.out_w = (s.in.w - 1 + s.pad_left) / s.stride_w + 1;
    int bits = r.range(8, 24), zero = r.range(-8, 7), width = r.range(3, 8), dw = std::max(1, s.dilation_w);
    int64_t edge = (int64_t)1 << (width - 1), most = ((int64_t)1 << (bits - 1)) - 1, gc = s.in.c / s.groups;
    std::vector<int16_t> x(static_cast<size_t>(erg_shape_elements(s.in))),
        w(static_cast<size_t>(s.filters * erg_conv2d_reduction(&s)));
    for (int16_t &v : x) v = static_cast<int16_t>(r.range(-edge, edge - 1));
    for (int16_t &v : w) v = static_cast<int16_t>(r.range(-edge, edge - 1));
    std::vector<int64_t> got(static_cast<size_t>(s.in.n * s.out_h * s.out_w * s.filters)), wrapped(got.size());
    int64_t clamped = -1, expected_clamped = 0;
    ASSERT_EQ(erg_conv2d_accumulate_policy_s16(&s, x.data(), zero, w.data(), bits, ERG_ACCUMULATE_SATURATE, got.data(),
                                               &clamped, nullptr),
              ERG_OK);
    ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), zero, w.data(), bits, wrapped.data(), nullptr), ERG_OK);
    size_t at = 0;
    for (int n = 0; n < s.in.n; n++)
      for (int p = 0; p < s.out_h; p++)
        for (int q = 0; q < s.out_w; q++)
          for (int k = 0; k < s.filters; k++, at++) {
            int64_t sum = 0;
            bool hit = false;
            for (int64_t i = 0; i < erg_conv2d_reduction(&s); i++) {
              int64_t c = i % gc, t = i / gc % s.kernel_w, row = i / gc / s.kernel_w;
              int64_t h = p * s.stride_h - s.pad_top + row, col = q * s.stride_w - s.pad_left + t * dw;
              if (h < 0 || h >= s.in.h || col < 0 || col >= s.in.w) continue;
              sum += (int64_t)(x[static_cast<size_t>(((n * s.in.h + h) * s.in.w + col) * s.in.c +
                                                     k / (s.filters / s.groups) * gc + c)] -
                               zero) *
                     w[static_cast<size_t>(k * erg_conv2d_reduction(&s) + i)];
              int64_t inside = std::max(-most - 1, std::min(most, sum));
              hit |= inside != sum;
              sum = inside;
            }
            expected_clamped += hit;
            ASSERT_EQ(got[at], sum);
            if (!hit) ASSERT_EQ(wrapped[at], sum) << "no rail was met: order does not matter";
            (hit ? met : free)++;
          }
    ASSERT_EQ(clamped, expected_clamped);
  }
  EXPECT_GT(met, 500);
  EXPECT_GT(free, 500);
}

TEST(Accumulate, RefusesIllegalArguments) {
  const erg_conv2d_shape s{{1, 1, 1, 1}, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1};
  int16_t x = 1;
  int64_t sum = 5;
  auto run = [&](const erg_conv2d_shape *shape, const int16_t *in, int bits, int policy) {
    return erg_conv2d_accumulate_policy_s16(shape, in, 0, &x, bits, static_cast<erg_accumulation>(policy), &sum,
                                            nullptr, nullptr);
  };
  EXPECT_EQ(run(&s, &x, 32, 2), ERG_ERR_DATA);
  EXPECT_EQ(run(&s, &x, 32, 3), ERG_ERR_DATA);
  EXPECT_EQ(run(nullptr, &x, 32, 1), ERG_ERR_DATA);
  EXPECT_EQ(run(&s, nullptr, 32, 1), ERG_ERR_DATA);
  EXPECT_EQ(run(&s, &x, 49, 1), ERG_ERR_DATA);
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(run(&s, &x, 32, 1), ERG_OK);
}
