// SPDX-License-Identifier: GPL-3.0-or-later
// Every floating format against an independent reference: its values as a sorted table built from the definition (sign,
// exponent, fraction), rounding as a search for the nearer neighbour in exact arithmetic; fp16 also against the
// compiler.
#include "formats_oracle.hpp"
#include "support.hpp"

using oracle_format::bits_of;
using oracle_format::float_of;
using oracle_format::Table;

namespace {

const erg_float_format &format(erg_format id) {
  return *erg_float_format_find(id);
}
constexpr erg_format kNarrow[] = {ERG_FORMAT_FP16, ERG_FORMAT_BF16, ERG_FORMAT_FP8E4M3, ERG_FORMAT_FP8E5M2};

// Both NaN, or the same bits.
::testing::AssertionResult same(float got, float expected) {
  if (std::isnan(got) && std::isnan(expected)) return ::testing::AssertionSuccess();
  if (bits_of(got) == bits_of(expected)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << got << ", expected " << expected;
}

} // namespace

TEST(Formats, EveryCodeDecodesToTheValueOfItsFields) {
  for (erg_format id : kNarrow) {
    const erg_float_format &f = format(id);
    Table table(id);
    SCOPED_TRACE(f.name);
    EXPECT_EQ(static_cast<double>(f.max), table.max());
    for (uint32_t code = 0; code < 1u << f.bits; code++) {
      double expected = table.value(code);
      float got = f.decode(code);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(got)) << code;
        ASSERT_TRUE(std::isnan(f.decode(f.encode(got)))) << code;
      } else {
        ASSERT_EQ(static_cast<double>(got), expected) << code;
        ASSERT_EQ(std::signbit(got), (code >> (f.bits - 1)) != 0) << code;
        ASSERT_EQ(f.encode(got), code); // also the two zeros
        ASSERT_TRUE(same(f.round(got), got)) << code;
      }
    }
  }
}

// Every midpoint between neighbours, and the binary32 next to it on either side: 4 x codes conversions a format.
TEST(Formats, MidpointsGoToTheEvenNeighbour) {
  for (erg_format id : kNarrow) {
    const erg_float_format &f = format(id);
    Table table(id);
    SCOPED_TRACE(f.name);
    for (size_t i = 0; i + 1 < table.values().size(); i++) {
      double middle = (table.values()[i] + table.values()[i + 1]) / 2; // exact: one bit more
      float at = static_cast<float>(middle);
      ASSERT_EQ(static_cast<double>(at), middle);
      for (float x : {at, std::nextafterf(at, -INFINITY), std::nextafterf(at, INFINITY)}) {
        ASSERT_TRUE(same(f.round(x), table.nearest(x))) << x;
        ASSERT_TRUE(same(f.round(-x), -table.nearest(x))) << -x;
      }
    }
  }
}

TEST(Formats, RandomBitPatternsGoToTheNearerNeighbour) {
  test::Random random(42);
  for (erg_format id : kNarrow) {
    const erg_float_format &f = format(id);
    Table table(id);
    SCOPED_TRACE(std::string(f.name) + ", seed 42");
    for (int round = 0; round < 300000; round++) {
      float x = float_of(static_cast<uint32_t>(erg_random_u64(&random)));
      ASSERT_TRUE(same(f.round(x), table.nearest(x))) << x;
      ASSERT_TRUE(std::isnan(x) || same(f.decode(f.encode(x)), f.round(x))) << x;
      float held = std::isnan(x) ? x : std::fmax(std::fmin(x, f.max), -f.max);
      ASSERT_TRUE(same(erg_float_saturate(&f, x), table.nearest(held))) << x;
    }
  }
}

TEST(Formats, OverflowIsInfinityOrTheOneNan) {
  struct {
    erg_format id;
    float last, first;
    bool infinity;
  } cases[] = {
      // the last binary32 that rounds to max, and the first that does not (the tie goes to the even one, beyond)
      {ERG_FORMAT_FP16, std::nextafterf(65520, 0), 65520, true},
      {ERG_FORMAT_BF16, std::nextafterf(0x1.ffp127F, 0), 0x1.ffp127F, true},
      {ERG_FORMAT_FP8E4M3, 464, std::nextafterf(464, 1000), false}, // 448 is even: S.1111.110
      {ERG_FORMAT_FP8E5M2, std::nextafterf(61440, 0), 61440, true}};
  for (auto &c : cases) {
    const erg_float_format &f = format(c.id);
    SCOPED_TRACE(f.name);
    for (float sign : {1.0F, -1.0F}) {
      EXPECT_EQ(f.round(sign * c.last), sign * f.max);
      float beyond = f.round(sign * c.first), infinity = f.round(sign * INFINITY);
      EXPECT_EQ(std::isinf(beyond), c.infinity);
      EXPECT_EQ(std::isnan(beyond), !c.infinity);
      EXPECT_EQ(std::signbit(beyond), sign < 0);
      EXPECT_TRUE(same(infinity, beyond));
      EXPECT_EQ(erg_float_saturate(&f, sign * INFINITY), sign * f.max);
      EXPECT_EQ(erg_float_saturate(&f, sign * c.first), sign * f.max);
    }
    EXPECT_TRUE(std::isnan(f.round(NAN)));
    EXPECT_TRUE(std::isnan(erg_float_saturate(&f, NAN)));
  }
}

TEST(Formats, Fp16EqualsTheCompilersHalf) {
  const erg_float_format &fp16 = format(ERG_FORMAT_FP16);
  test::Random random(41);
  for (int round = 0; round < 500000; round++) {
    float x = float_of(static_cast<uint32_t>(erg_random_u64(&random)));
    if (round % 4 == 0) x = static_cast<float>(std::ldexp(random.range(-4096, 4096) + 0.5, random.range(-30, 5)));
    ASSERT_TRUE(same(fp16.round(x), static_cast<float>(static_cast<_Float16>(x)))) << "seed 41: " << x;
  }
}

TEST(Formats, EachKnowsItsNameAndWidth) {
  int count = 0;
  ERG_EACH(erg_float_format, item) {
    count++;
    EXPECT_EQ((*item)->bits, erg_format_bits((*item)->format)) << (*item)->name;
    EXPECT_STREQ((*item)->name, erg_format_name((*item)->format));
    EXPECT_EQ(erg_float_format_find((*item)->format), *item);
    EXPECT_EQ((*item)->round((*item)->max), (*item)->max);
  }
  EXPECT_EQ(count, ERG_FORMAT_COUNT - 1);
  EXPECT_EQ(erg_float_format_find(ERG_FORMAT_INT), nullptr);
}
