// SPDX-License-Identifier: GPL-3.0-or-later
// Every binary32 there is, in ascending order, against the midpoints of a format's values: 2^32 conversions a format.
#include "formats_oracle.hpp"
#include "support.hpp"

using oracle_format::bits_of;
using oracle_format::float_of;

namespace {

void sweep(erg_format id) {
  const erg_float_format &f = *erg_float_format_find(id);
  const oracle_format::Table table(id);
  const std::vector<double> &values = table.values();
  const uint32_t infinity = 0x7f800000;
  const float beyond = table.nearest(INFINITY);
  size_t code = 0;
  for (uint32_t bits = 0; bits <= infinity; bits++) {
    const float x = float_of(bits);
    // The next value is the nearer one from the midpoint on, or behind it when the next code is odd.
    while (code < values.size()) {
      double next = code + 1 < values.size() ? values[code + 1] : 2 * values[code] - values[code - 1];
      double middle = (values[code] + next) / 2;
      if (x < middle || (x == middle && code % 2 == 0)) break;
      code++;
    }
    const float expected = code < values.size() ? static_cast<float>(values[code]) : beyond;
    const float up = f.round(x), down = f.round(-x);
    if (bits_of(up) == bits_of(expected) && bits_of(down) == bits_of(-expected)) continue;
    ASSERT_TRUE(std::isnan(expected) && std::isnan(up) && std::isnan(down))
        << f.name << " of " << x << ": " << up << ", " << down;
  }
  for (uint64_t bits = infinity + 1; bits <= 0x7fffffff; bits++) {
    ASSERT_TRUE(std::isnan(f.round(float_of(static_cast<uint32_t>(bits))))) << bits;
    ASSERT_TRUE(std::isnan(f.round(float_of(static_cast<uint32_t>(bits) | 0x80000000u)))) << bits;
  }
}

} // namespace

TEST(FormatsSlow, EveryBinary32ToFp16) {
  sweep(ERG_FORMAT_FP16);
}
TEST(FormatsSlow, EveryBinary32ToBf16) {
  sweep(ERG_FORMAT_BF16);
}
TEST(FormatsSlow, EveryBinary32ToFp8E4M3) {
  sweep(ERG_FORMAT_FP8E4M3);
}
TEST(FormatsSlow, EveryBinary32ToFp8E5M2) {
  sweep(ERG_FORMAT_FP8E5M2);
}
