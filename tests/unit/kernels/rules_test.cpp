// SPDX-License-Identifier: GPL-3.0-or-later
// The four requantization rules against exact 128-bit arithmetic, and on vectors that separate each from each.
#include "support.hpp"
#include <cfenv>
#include <cmath>

namespace {

using Wide = __int128;

Wide floor_div(Wide a, Wide b) {
  return a / b - (a % b < 0);
}

// x*m/2^t to nearest, by division with a remainder.
Wide nearest(Wide product, int t, bool away) {
  Wide divisor = (Wide)1 << t;
  if (away && product < 0) return -nearest(-product, t, true);
  return floor_div(2 * product + divisor, 2 * divisor);
}

int64_t exact(int64_t x, erg_requant q, int bits, erg_rule rule) {
  if (rule == ERG_RULE_F) {
    // Products of two float32 are exact in double; one rounding to float32, one to an integer, both to even.
    double y =
        std::nearbyint(static_cast<double>(static_cast<float>(static_cast<double>(static_cast<float>(x)) * q.real)));
    return y >= 0x1p63 ? INT64_MAX : y < -0x1p63 ? INT64_MIN : static_cast<int64_t>(y);
  }
  if (rule == ERG_RULE_D && bits <= 32) { // gemmlowp's two steps, the multiply in C's truncating division
    Wide left = (Wide)x * ((int64_t)1 << std::max(q.shift, 0));
    left = std::max<Wide>(INT32_MIN, std::min<Wide>(INT32_MAX, left));
    Wide product = left * q.multiplier, high = (product + (product >= 0 ? 1 << 30 : 1 - (1 << 30))) / ((Wide)1 << 31);
    int e = std::max(-q.shift, 0);
    int64_t v = static_cast<int64_t>(high), mask = ((int64_t)1 << e) - 1, remainder = v & mask;
    return (v >> e) + (remainder > (mask >> 1) + (v < 0));
  }
  Wide m = bits <= 32 ? q.multiplier : q.multiplier >= 0x7FFF0000 ? 0x7FFF : (q.multiplier + (1 << 15)) >> 16;
  int t = (bits <= 32 ? 31 : 15) - q.shift;
  Wide y = t >= 1 ? nearest(x * m, t, rule == ERG_RULE_A) : x * m * ((Wide)1 << -t);
  return static_cast<int64_t>(std::max<Wide>(INT64_MIN, std::min<Wide>(INT64_MAX, y)));
}

erg_requant random_scale(test::Random &random, int low, int high) {
  int32_t m = random.coin() ? static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX))
                            : (1 << 30) + (random.range(0, 3) << 28); // few-bit multipliers meet ties
  int shift = random.range(low, high);
  return {m, shift, static_cast<float>(std::ldexp(static_cast<double>(m), shift - 31))};
}

} // namespace

TEST(Rules, EqualExactArithmetic) {
  test::Random random(111);
  SCOPED_TRACE("seed 111");
  const int64_t rails[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
  for (int round = 0; round < 200000; round++) {
    int64_t x =
        round % 7 ? erg_random_range(&random, INT32_MIN, INT32_MAX) >> random.range(0, 31) : rails[random.range(0, 6)];
    erg_requant q = random_scale(random, -31, 30);
    for (int rule = 0; rule < ERG_RULE_COUNT; rule++)
      ASSERT_EQ(erg_requantize_rule(x, q, 32, static_cast<erg_rule>(rule)),
                exact(x, q, 32, static_cast<erg_rule>(rule)))
          << erg_rule_names[rule] << ": " << x << " * " << q.multiplier << " shift " << q.shift;
  }
}

TEST(Rules, EqualExactArithmeticOnWideAccumulators) {
  test::Random random(112);
  SCOPED_TRACE("seed 112");
  for (int round = 0; round < 100000; round++) {
    int64_t edge = (int64_t)1 << 47;
    int64_t x = round % 5   ? erg_random_range(&random, -edge, edge - 1) >> random.range(0, 46)
                : round % 2 ? -edge
                            : edge - 1;
    erg_requant q = random_scale(random, -31, 30);
    for (int rule = 0; rule < ERG_RULE_COUNT; rule++)
      ASSERT_EQ(erg_requantize_rule(x, q, 48, static_cast<erg_rule>(rule)),
                exact(x, q, 48, static_cast<erg_rule>(rule)))
          << erg_rule_names[rule] << ": " << x << " * " << q.multiplier << " shift " << q.shift;
    ASSERT_EQ(erg_requantize_rule(x, q, 48, ERG_RULE_D), erg_requantize(x, q, 48)) << "D is S on wide accumulators";
  }
}
