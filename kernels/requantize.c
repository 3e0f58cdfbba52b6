/* SPDX-License-Identifier: Apache-2.0 */
/* The four rounding rules, each by its definition in requant.h. */
#include "ergon/requant.h"
#include <float.h>
#include <math.h>

const char *const erg_rule_names[ERG_RULE_COUNT] = {"S", "D", "F", "A"};
const char *const erg_rule_help[ERG_RULE_COUNT] = {
    "one rounding, ties up: TOSA single, TFLite and CMSIS-NN single rounding; the default",
    "two roundings: gemmlowp, TFLite and CMSIS-NN default, TOSA double",
    "float32 product, ties to even: oneDNN, XNNPACK, ONNX Runtime, Gemmini",
    "one rounding, ties away from zero: NVDLA's convertor",
};

erg_requant erg_requant_from_real(double real_multiplier) {
  if (!(real_multiplier > 0)) return (erg_requant){0};
  float real = real_multiplier > (double)FLT_MAX ? FLT_MAX : (float)real_multiplier;
  if (real_multiplier >= 0x1p30) return (erg_requant){INT32_MAX, 30, real};
  int exponent;
  double fraction = frexp(real_multiplier, &exponent); /* [0.5, 1) */
  int64_t multiplier = llround(fraction * 0x1p31);
  if (multiplier == (int64_t)1 << 31) { /* rounded up to 1 */
    multiplier /= 2;
    exponent++;
  }
  if (exponent < -31) return (erg_requant){0, 0, real};
  if (exponent > 30) return (erg_requant){INT32_MAX, 30, real};
  return (erg_requant){(int32_t)multiplier, exponent, real};
}

erg_requant erg_requant_from_float(float real_multiplier) {
  return erg_requant_from_real((double)real_multiplier); /* a float32 is exact in double, and exact on its way back */
}

static int64_t saturate(__int128 y) {
  return y > INT64_MAX ? INT64_MAX : y < INT64_MIN ? INT64_MIN : (int64_t)y;
}

static __int128 nearest_up(__int128 product, int t) {
  return (product + ((__int128)1 << (t - 1))) >> t;
}

static __int128 nearest_away(__int128 product, int t) {
  return product < 0 ? -nearest_up(-product, t) : nearest_up(product, t);
}

/* Wide accumulators meet a 16-bit multiplier, so that the product stays within 64 bits in hardware. */
static int64_t reduced(int32_t multiplier) {
  return multiplier >= 0x7FFF0000 ? 0x7FFF : (multiplier + (1 << 15)) >> 16;
}

static int64_t rounded(int64_t x, erg_requant scale, int accumulator_bits,
                       __int128 (*round_shift)(__int128 product, int t)) {
  if (accumulator_bits <= 32) return saturate(round_shift((__int128)x * scale.multiplier, 31 - scale.shift));
  __int128 product = (__int128)x * reduced(scale.multiplier);
  int t = 15 - scale.shift;
  if (t < 1) return saturate(product * ((__int128)1 << -t)); /* M >= 2^14: nothing is left to round */
  return saturate(round_shift(product, t));
}

static int64_t double_rounding(int64_t x, erg_requant scale) {
  __int128 left = (__int128)x * ((int64_t)1 << (scale.shift > 0 ? scale.shift : 0));
  if (left > INT32_MAX) left = INT32_MAX;
  if (left < INT32_MIN) left = INT32_MIN;
  __int128 high = nearest_up(left * scale.multiplier, 31);
  return (int64_t)(scale.shift < 0 ? nearest_away(high, -scale.shift) : high);
}

static int64_t float_rounding(int64_t x, erg_requant scale) {
  float product = (float)x * scale.real; /* the assignment drops any excess precision */
  float y = rintf(product);
  if (y >= 0x1p63f) return INT64_MAX;
  if (!(y >= -0x1p63f)) return INT64_MIN;
  return (int64_t)y;
}

void erg_requant_hardware(erg_requant scale, int accumulator_bits, int32_t *multiplier, int32_t *t) {
  *multiplier = accumulator_bits <= 32 ? scale.multiplier : (int32_t)reduced(scale.multiplier);
  *t = (accumulator_bits <= 32 ? 31 : 15) - scale.shift;
  if (*t >= 1) return;
  *multiplier <<= 1 - *t; /* at most 0x7FFF << 16; an even product loses nothing by the shift */
  *t = 1;
}

int64_t erg_requantize(int64_t x, erg_requant scale, int accumulator_bits) {
  return rounded(x, scale, accumulator_bits, nearest_up);
}

int64_t erg_requantize_rule(int64_t x, erg_requant scale, int accumulator_bits, erg_rule rule) {
  switch (rule) {
  case ERG_RULE_D:
    if (accumulator_bits <= 32) return double_rounding(x, scale);
    return erg_requantize(x, scale, accumulator_bits);
  case ERG_RULE_F:
    return float_rounding(x, scale);
  case ERG_RULE_A:
    return rounded(x, scale, accumulator_bits, nearest_away);
  case ERG_RULE_S:
  case ERG_RULE_COUNT:
    break;
  }
  return erg_requantize(x, scale, accumulator_bits);
}

int64_t erg_wrap(int64_t x, int bits) {
  uint64_t sign = (uint64_t)1 << (bits - 1), mask = (sign << 1) - 1;
  return (int64_t)((((uint64_t)x & mask) ^ sign) - sign);
}
