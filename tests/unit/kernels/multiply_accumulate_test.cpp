// SPDX-License-Identifier: GPL-3.0-or-later
// Every pair of operands at every pair of widths up to 8 x 8 bits: the golden 1 x 1 convolution against one product.
#include "support.hpp"

TEST(MultiplyAccumulate, EveryPairOfOperandsUpToEightBits) {
  int64_t pairs = 0;
  for (int a = 2; a <= 8; a++)
    for (int w = 2; w <= 8; w++) {
      int edge_a = 1 << (a - 1), edge_w = 1 << (w - 1);
      std::vector<int16_t> x, filters; // all codes, the weight's full range too
      for (int v = -edge_a; v < edge_a; v++) x.push_back(static_cast<int16_t>(v));
      for (int v = -edge_w; v < edge_w; v++) filters.push_back(static_cast<int16_t>(v));
      int n = static_cast<int>(x.size()), k = static_cast<int>(filters.size());
      erg_conv2d_shape s{{1, n, 1, 1}, k, 1, 1, 1, 1, 0, 0, 1, n, 1};
      std::vector<int64_t> sums(static_cast<size_t>(n) * k);
      for (int zero : {0, -edge_a, edge_a - 1})
        for (int bits : {32, 33}) { // both inner loops
          ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), zero, filters.data(), bits, sums.data(), nullptr), ERG_OK);
          for (int i = 0; i < n; i++)
            for (int j = 0; j < k; j++)
              ASSERT_EQ(sums[static_cast<size_t>(i) * k + j], (x[i] - zero) * filters[j]) << a << " x " << w;
          pairs += n * k;
        }
    }
  EXPECT_EQ(pairs, 6 * (4 + 8 + 16 + 32 + 64 + 128 + 256) * (4 + 8 + 16 + 32 + 64 + 128 + 256));
}

// K at which the sum leaves the accumulator: it wraps, and the last K that fits does not.
TEST(MultiplyAccumulate, WrapsWhereKIsLargeEnoughToOverflow) {
  const int most = 131071; // 2^31 / (128 * 128) = 131072 is the first to reach 2^31
  std::vector<int16_t> x(most + 1, -128), w(most + 1, -128);
  for (int k : {most, most + 1}) {
    erg_conv2d_shape s{{1, 1, 1, k}, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    int64_t narrow, wide, saturated, clamped;
    ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), 0, w.data(), 32, &narrow, nullptr), ERG_OK);
    ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), 0, w.data(), 33, &wide, nullptr), ERG_OK);
    ASSERT_EQ(erg_conv2d_accumulate_policy_s16(&s, x.data(), 0, w.data(), 32, ERG_ACCUMULATE_SATURATE, &saturated,
                                               &clamped, nullptr),
              ERG_OK);
    EXPECT_EQ(wide, (int64_t)k << 14);
    EXPECT_EQ(narrow, k == most ? wide : INT32_MIN);
    EXPECT_EQ(saturated, k == most ? wide : INT32_MAX);
    EXPECT_EQ(clamped, k == most ? 0 : 1);
    erg_matmul_shape m{1, 1, k, 1};
    ASSERT_EQ(erg_matmul_accumulate_s16(&m, x.data(), 0, w.data(), 0, 32, &narrow, nullptr), ERG_OK);
    EXPECT_EQ(narrow, k == most ? wide : INT32_MIN);
  }
}
