// SPDX-License-Identifier: GPL-3.0-or-later
// Rounding of the floating formats against independent references: the compiler's _Float16, and bfloat16 by a search
// over its two neighbours.
#include "support.hpp"
#include <cmath>
#include <cstring>

namespace {

float from_bits(uint32_t bits) {
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
uint32_t to_bits(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return bits;
}

// Of the two bfloat16 values around x the nearer one; in a tie the one with an even last place.
float bf16_by_search(float x) {
  uint32_t low = to_bits(x) & 0xffff0000u, high = low + 0x10000u;
  double below = from_bits(low), above = from_bits(high), exact = x;
  if (std::isinf(above)) above = std::copysign(0x1p128, exact);
  double down = std::fabs(exact - below), up = std::fabs(above - exact);
  if (down < up) return from_bits(low);
  if (up < down) return from_bits(high);
  return from_bits(low & 0x10000u ? high : low);
}

} // namespace

TEST(Formats, Fp16EqualsTheCompilersHalf) {
  const erg_float_format *fp16 = erg_float_format_find(ERG_FORMAT_FP16);
  ASSERT_TRUE(fp16);
  for (uint32_t bits = 0; bits < 65536; bits++) { // every half is a fixed point
    uint16_t half = static_cast<uint16_t>(bits);
    _Float16 h;
    std::memcpy(&h, &half, 2);
    float x = static_cast<float>(h);
    if (std::isnan(x))
      EXPECT_TRUE(std::isnan(fp16->round(x)));
    else
      EXPECT_EQ(to_bits(fp16->round(x)), to_bits(x)) << bits;
  }
  test::Random random(41);
  for (int round = 0; round < 500000; round++) {
    float x = from_bits(static_cast<uint32_t>(erg_random_u64(&random)));
    if (round % 4 == 0)
      x = static_cast<float>(std::ldexp(random.range(-4096, 4096) + 0.5, random.range(-30, 5))); // ties, subnormals
    if (std::isnan(x)) continue;
    ASSERT_EQ(to_bits(fp16->round(x)), to_bits(static_cast<float>(static_cast<_Float16>(x)))) << "seed 41: " << x;
  }
}

TEST(Formats, Bf16IsTheNearerNeighbour) {
  const erg_float_format *bf16 = erg_float_format_find(ERG_FORMAT_BF16);
  ASSERT_TRUE(bf16);
  test::Random random(42);
  for (int round = 0; round < 500000; round++) {
    uint32_t bits = static_cast<uint32_t>(erg_random_u64(&random));
    if (round % 4 == 0) bits = (bits & 0xffff0000u) | 0x8000u; // ties
    float x = from_bits(bits);
    if (!std::isfinite(x)) continue;
    ASSERT_EQ(to_bits(bf16->round(x)), to_bits(bf16_by_search(x))) << "seed 42: " << x;
  }
}

TEST(Formats, EachIsIdempotentAndKnowsItsWidth) {
  ERG_EACH(erg_float_format, item) {
    EXPECT_EQ((*item)->bits, erg_format_bits((*item)->format)) << (*item)->name;
    EXPECT_STREQ((*item)->name, erg_format_name((*item)->format));
    test::Random random(43);
    for (int i = 0; i < 1000; i++) {
      float once = (*item)->round(static_cast<float>(erg_random_normal(&random)));
      EXPECT_EQ((*item)->round(once), once) << (*item)->name;
    }
  }
}
