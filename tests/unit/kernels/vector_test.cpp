// SPDX-License-Identifier: GPL-3.0-or-later
#include "support.hpp"

TEST(Add, RequantizesEachTermThenClamps) {
  test::Random random(31);
  for (int round = 0; round < 20000; round++) {
    int16_t a = static_cast<int16_t>(random.range(-128, 127)), b = static_cast<int16_t>(random.range(-128, 127)), y;
    erg_add_params p{random.range(-9, 9),
                     random.range(-9, 9),
                     random.range(-9, 9),
                     -128,
                     127,
                     {static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX)), random.range(-2, 2)},
                     {static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX)), random.range(-2, 2)}};
    test::Error error;
    ASSERT_EQ(erg_add_s16(1, &a, &b, &p, &y, &error), ERG_OK);
    int64_t sum = p.zero_point + erg_requantize(a - p.a_zero_point, p.a_scale, 32) +
                  erg_requantize(b - p.b_zero_point, p.b_scale, 32);
    ASSERT_EQ(y, std::max<int64_t>(-128, std::min<int64_t>(127, sum)));
  }
}

TEST(Add, RefusesIllegalArguments) {
  int16_t x = 0;
  erg_add_params p{0, 0, 0, -128, 127, {1 << 30, 0}, {1 << 30, 0}};
  test::Error error;
  EXPECT_EQ(erg_add_s16(0, &x, &x, &p, &x, &error), ERG_ERR_DATA);
  p.a_scale.multiplier = 5;
  EXPECT_EQ(erg_add_s16(1, &x, &x, &p, &x, &error), ERG_ERR_DATA);
  p.a_scale.multiplier = 0;
  p.low = 128;
  EXPECT_EQ(erg_add_s16(1, &x, &x, &p, &x, &error), ERG_ERR_DATA);
}

TEST(Pool, AverageRoundsHalfAwayFromZeroAroundTheZeroPoint) {
  const erg_pool_shape s{{1, 1, 2, 1}, 1, 2, 1, 1, 0, 0, 1, 1};
  auto mean = [&](int16_t a, int16_t b, int zp) {
    const int16_t in[] = {a, b};
    int16_t out;
    test::Error error;
    EXPECT_EQ(erg_avg_pool_s16(&s, in, zp, &out, &error), ERG_OK);
    return out;
  };
  EXPECT_EQ(mean(1, 2, 0), 2);
  EXPECT_EQ(mean(-1, -2, 0), -2);
  EXPECT_EQ(mean(-1, -2, -5), -1); // 4 and 3 above the zero point: 3.5 -> 4
  EXPECT_EQ(mean(127, 126, 0), 127);
}

// Both pools against a direct count over random windows, padding included: it never takes part.
TEST(Pool, EqualsADirectCount) {
  test::Random r(32);
  for (int round = 0; round < 500; round++) {
    SCOPED_TRACE("seed 32, round " + std::to_string(round));
    int kh = r.range(1, 3), kw = r.range(1, 3), pb = r.range(0, kh - 1), pr = r.range(0, kw - 1);
    erg_pool_shape s{{r.range(1, 2), r.range(3, 7), r.range(3, 7), r.range(1, 3)},
                     kh,
                     kw,
                     r.range(1, 3),
                     r.range(1, 3),
                     r.range(0, kh - 1),
                     r.range(0, kw - 1),
                     0,
                     0};
    s.out_h = (s.in.h + s.pad_top + pb - kh) / s.stride_h + 1;
    s.out_w = (s.in.w + s.pad_left + pr - kw) / s.stride_w + 1;
    std::vector<int16_t> in(static_cast<size_t>(erg_shape_elements(s.in))),
        most(static_cast<size_t>(s.in.n * s.out_h * s.out_w * s.in.c)), mean(most.size());
    for (int16_t &x : in) x = static_cast<int16_t>(r.range(-128, 127));
    int zp = r.range(-20, 20);
    test::Error error;
    ASSERT_EQ(erg_max_pool_s16(&s, in.data(), most.data(), &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_avg_pool_s16(&s, in.data(), zp, mean.data(), &error), ERG_OK);
    size_t at = 0;
    for (int n = 0; n < s.in.n; n++)
      for (int p = 0; p < s.out_h; p++)
        for (int q = 0; q < s.out_w; q++)
          for (int c = 0; c < s.in.c; c++, at++) {
            int largest = -40000, sum = 0, count = 0;
            for (int y = p * s.stride_h - s.pad_top; y < p * s.stride_h - s.pad_top + kh; y++)
              for (int x = q * s.stride_w - s.pad_left; x < q * s.stride_w - s.pad_left + kw; x++) {
                if (y < 0 || x < 0 || y >= s.in.h || x >= s.in.w) continue;
                int v = in[static_cast<size_t>(((n * s.in.h + y) * s.in.w + x) * s.in.c + c)];
                largest = std::max(largest, v);
                sum += v - zp;
                count++;
              }
            ASSERT_EQ(most[at], largest);
            int twice = 2 * std::abs(sum) + count, rounded = twice / (2 * count);
            ASSERT_EQ(mean[at], (sum < 0 ? -rounded : rounded) + zp);
          }
  }
}

TEST(Pool, RefusesIllegalArguments) {
  const erg_pool_shape good{{1, 4, 4, 1}, 2, 2, 2, 2, 0, 0, 2, 2};
  std::vector<int16_t> x(16), y(4, 77);
  test::Error error;
  auto refused = [&](auto change) {
    erg_pool_shape s = good;
    change(s);
    return erg_max_pool_s16(&s, x.data(), y.data(), &error) == ERG_ERR_DATA &&
           erg_avg_pool_s16(&s, x.data(), 0, y.data(), &error) == ERG_ERR_DATA;
  };
  EXPECT_TRUE(refused([](auto &s) { s.in.h = 0; }));
  EXPECT_TRUE(refused([](auto &s) { s.kernel_h = 0; }));
  EXPECT_TRUE(refused([](auto &s) { s.stride_w = 0; }));
  EXPECT_TRUE(refused([](auto &s) { s.pad_top = 2; }));
  EXPECT_TRUE(refused([](auto &s) { s.pad_left = -1; }));
  EXPECT_TRUE(refused([](auto &s) { s.out_h = 4; }));
  EXPECT_EQ(erg_max_pool_s16(nullptr, x.data(), y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_avg_pool_s16(&good, nullptr, 0, y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_avg_pool_s16(&good, x.data(), 0, nullptr, &error), ERG_ERR_DATA);
  EXPECT_EQ(y, std::vector<int16_t>(4, 77));
  EXPECT_EQ(erg_max_pool_s16(&good, x.data(), y.data(), &error), ERG_OK) << error.message();
}
