// SPDX-License-Identifier: GPL-3.0-or-later
// Rule S against exact rational arithmetic: nearest value of x*M, ties towards +infinity.
#include "support.hpp"
#include <cmath>

namespace {

using Wide = __int128;

// floor(x*m/2^t + 1/2) by division with a remainder, not by shifting.
int64_t exact(Wide x, Wide m, int t) {
  Wide product = x * m * 2 + ((Wide)1 << t), divisor = (Wide)1 << (t + 1);
  Wide quotient = product / divisor;
  if (product % divisor < 0) quotient--;
  return static_cast<int64_t>(quotient);
}

} // namespace

TEST(Requantize, EqualsExactArithmetic) {
  test::Random random(11);
  SCOPED_TRACE("seed 11");
  const int64_t rails[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
  for (int round = 0; round < 200000; round++) {
    int64_t x =
        round % 7 ? erg_random_range(&random, INT32_MIN, INT32_MAX) >> random.range(0, 31) : rails[random.range(0, 6)];
    int32_t m = random.coin() ? static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX))
                              : (1 << 30) + (random.range(0, 3) << 28); // few-bit multipliers meet ties
    int shift = random.range(-31, 30);
    ASSERT_EQ(erg_requantize(x, {m, shift}, 32), exact(x, m, 31 - shift)) << x << " * " << m << " shift " << shift;
  }
}

TEST(Requantize, TiesGoUpOnBothSides) {
  const erg_requant half = {1 << 30, 0}; // M = 1/2
  EXPECT_EQ(erg_requantize(1, half, 32), 1);
  EXPECT_EQ(erg_requantize(-1, half, 32), 0);
  EXPECT_EQ(erg_requantize(3, half, 32), 2);
  EXPECT_EQ(erg_requantize(-3, half, 32), -1);
  EXPECT_EQ(erg_requantize(5, {0, 0}, 32), 0);
}

TEST(Requantize, WideAccumulatorsUseAReducedMultiplier) {
  test::Random random(12);
  for (int round = 0; round < 50000; round++) {
    int64_t x = erg_random_range(&random, -((int64_t)1 << 47), ((int64_t)1 << 47) - 1);
    int32_t m = random.coin() ? static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX)) : INT32_MAX;
    int shift = random.range(-31, 14);
    int64_t reduced = m >= 0x7FFF0000 ? 0x7FFF : (m + (1 << 15)) >> 16;
    ASSERT_EQ(erg_requantize(x, {m, shift}, 48), exact(x, reduced, 15 - shift)) << x << " " << m << " " << shift;
  }
}

// What hardware multiplies and shifts with gives the golden result at every accumulator width; t and m fit their
// registers.
TEST(Requantize, HardwareConstantsAreTheSameArithmetic) {
  test::Random random(12);
  SCOPED_TRACE("seed 12");
  for (int round = 0; round < 200000; round++) {
    int bits = random.range(8, 48), shift = random.range(-31, 30);
    int64_t edge = (int64_t)1 << (bits - 1);
    int64_t x = random.range(0, 7) ? erg_random_range(&random, -edge, edge - 1) >> random.range(0, bits - 1)
                                   : (random.coin() ? -edge : edge - 1);
    int32_t m = random.range(0, 15) ? static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX))
                : random.coin()     ? INT32_MAX
                                    : 0;
    if (random.range(0, 3) == 0) m = (1 << 30) + (random.range(0, 3) << 28); // ties
    int32_t multiplier, t;
    erg_requant_hardware({m, shift}, bits, &multiplier, &t);
    ASSERT_TRUE(multiplier >= 0 && t >= 1 && t <= 62) << multiplier << " " << t;
    Wide y = ((Wide)x * multiplier + ((Wide)1 << (t - 1))) >> t;
    if (y > INT64_MAX) y = INT64_MAX;
    if (y < INT64_MIN) y = INT64_MIN;
    ASSERT_EQ(static_cast<int64_t>(y), erg_requantize(x, {m, shift}, bits))
        << x << " * " << m << " shift " << shift << ", " << bits << " bits";
  }
}

TEST(Requantize, MultiplierFromReal) {
  test::Random random(13);
  for (int round = 0; round < 100000; round++) {
    double real = std::ldexp(0.5 + random.unit() / 2, random.range(-31, 30));
    erg_requant q = erg_requant_from_real(real);
    ASSERT_GE(q.multiplier, 1 << 30);
    double back = std::ldexp(static_cast<double>(q.multiplier), q.shift - 31);
    ASSERT_NEAR(back / real, 1, 0x1p-31) << real;
  }
  erg_requant carry = erg_requant_from_real(std::nextafter(1.0, 0)); // rounds up to 2^31: carry into the shift
  EXPECT_EQ(carry.multiplier, 1 << 30);
  EXPECT_EQ(carry.shift, 1);
  EXPECT_EQ(erg_requant_from_real(0).multiplier, 0);
  EXPECT_EQ(erg_requant_from_real(1e-12).multiplier, 0);
  EXPECT_EQ(erg_requant_from_real(1e12).multiplier, INT32_MAX);
}

TEST(Wrap, TwosComplement) {
  EXPECT_EQ(erg_wrap(127, 8), 127);
  EXPECT_EQ(erg_wrap(128, 8), -128);
  EXPECT_EQ(erg_wrap(-129, 8), 127);
  EXPECT_EQ(erg_wrap((int64_t)1 << 47, 48), -((int64_t)1 << 47));
  EXPECT_EQ(erg_wrap(INT64_MIN, 32), 0);
}

TEST(Epilogue, NoClampBetweenTheTerms) {
  const erg_requant unit = {1 << 30, 1};
  erg_epilogue e{};
  e.scale = &unit;
  e.low = -128;
  e.high = 127;
  e.zero_point = 0;
  int16_t residual = -100;
  e.residual = &residual;
  e.residual_scale = {1 << 30, 3};                              // * 4
  EXPECT_EQ(erg_epilogue_apply(&e, 500, 0, residual, 32), 100); // 500 is out of range; an early clamp would give -128
  EXPECT_EQ(erg_epilogue_apply(&e, 1000, 0, residual, 32), 127);
  EXPECT_EQ(erg_epilogue_apply(&e, -1000, 0, residual, 32), -128);
}

TEST(Epilogue, BiasWrapsLikeTheAccumulator) {
  const erg_requant unit = {1 << 30, 1};
  const int64_t bias = 1;
  erg_epilogue e{};
  e.bias = &bias;
  e.scale = &unit;
  e.low = -128;
  e.high = 127;
  EXPECT_EQ(erg_epilogue_apply(&e, INT32_MAX, 0, 0, 32), -128);
}
