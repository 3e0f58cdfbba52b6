/* SPDX-License-Identifier: Apache-2.0 */
/* Rule S: one multiply, one rounding, one shift. The exact one-line definition everything else is held to. */
#include "ergon/kernels.h"
#include <math.h>

erg_requant erg_requant_from_real(double real_multiplier) {
  int exponent;
  double fraction = frexp(real_multiplier, &exponent); /* [0.5, 1) */
  int64_t multiplier = llround(fraction * 0x1p31);
  if (multiplier == (int64_t)1 << 31) { /* rounded up to 1 */
    multiplier /= 2;
    exponent++;
  }
  if (!(real_multiplier > 0) || exponent < -31) return (erg_requant){0, 0};
  if (exponent > 30) return (erg_requant){INT32_MAX, 30};
  return (erg_requant){(int32_t)multiplier, exponent};
}

static int64_t round_shift(__int128 product, int t) {
  return (int64_t)((product + ((__int128)1 << (t - 1))) >> t);
}

int64_t erg_requantize(int64_t x, erg_requant scale, int accumulator_bits) {
  if (accumulator_bits <= 32) return round_shift((__int128)x * scale.multiplier, 31 - scale.shift);
  /* Wide accumulators meet a 16-bit multiplier, so that the product stays within 64 bits in hardware. */
  int64_t reduced = scale.multiplier >= 0x7FFF0000 ? 0x7FFF : (scale.multiplier + (1 << 15)) >> 16;
  int t = 15 - scale.shift;
  if (t < 1) return (int64_t)((__int128)x * reduced << -t); /* M >= 2^14: nothing is left to round */
  return round_shift((__int128)x * reduced, t);
}

int64_t erg_wrap(int64_t x, int bits) {
  uint64_t sign = (uint64_t)1 << (bits - 1), mask = (sign << 1) - 1;
  return (int64_t)((((uint64_t)x & mask) ^ sign) - sign);
}
