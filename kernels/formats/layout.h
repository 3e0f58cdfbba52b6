/* SPDX-License-Identifier: Apache-2.0 */
/* Inside formats: conversion between binary32 and a narrower binary format, in integers. A format gives its layout and
 * the compiler folds it in. */
#ifndef ERGON_KERNELS_FORMATS_LAYOUT_H
#define ERGON_KERNELS_FORMATS_LAYOUT_H
#include "ergon/kernels.h"
#include <string.h>

/** Sign, exponent (bias 2^(exponent_bits-1) - 1), fraction; exponent 0 holds zero and the subnormals. With `infinity` the
 *  top exponent is infinity and NaN, as in IEEE 754; without it only the pattern of all ones is NaN (OCP E4M3). */
typedef struct {
  int exponent_bits, fraction_bits;
  bool infinity;
} erg_layout;

static inline uint32_t erg_float_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float erg_float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/** What is just above the largest finite magnitude: infinity, or E4M3's NaN. */
static inline uint32_t erg_layout_overflow(erg_layout l) {
  uint32_t top = ((UINT32_C(1) << l.exponent_bits) - 1) << l.fraction_bits;
  return l.infinity ? top : top | ((UINT32_C(1) << l.fraction_bits) - 1);
}

static inline uint32_t erg_layout_nan(erg_layout l, uint32_t fraction) {
  if (!l.infinity) return erg_layout_overflow(l);
  return erg_layout_overflow(l) | UINT32_C(1) << (l.fraction_bits - 1) | fraction >> (23 - l.fraction_bits);
}

/** Round to nearest, ties to even; fraction_bits at most 22. */
static inline uint32_t erg_layout_encode(erg_layout l, float value) {
  uint32_t bits = erg_float_bits(value), fraction = bits & 0x7fffff;
  uint32_t sign = bits >> 31 << (l.exponent_bits + l.fraction_bits);
  int field = (int)(bits >> 23 & 0xff);
  if (field == 0xff) return sign | (fraction ? erg_layout_nan(l, fraction) : erg_layout_overflow(l));
  /* |value| = significand * 2^(exponent - 23); `above`: binades above the format's smallest normal one. */
  uint32_t significand = field ? fraction | 0x800000 : fraction;
  int exponent = (field ? field : 1) - 127, above = exponent - (2 - (1 << (l.exponent_bits - 1)));
  int drop = 23 - l.fraction_bits + (above < 0 ? -above : 0);
  if (drop > 25) return sign; /* below half of the smallest subnormal */
  uint32_t kept = significand >> drop, rest = significand & ((UINT32_C(1) << drop) - 1);
  uint32_t half = UINT32_C(1) << (drop - 1);
  kept += rest > half || (rest == half && (kept & 1));
  /* The significand's leading one adds itself to the exponent field, and so does a carry out of the rounding. */
  uint32_t magnitude = ((uint32_t)(above > 0 ? above : 0) << l.fraction_bits) + kept;
  return sign | (magnitude < erg_layout_overflow(l) ? magnitude : erg_layout_overflow(l));
}

/** Exact: binary32 holds every value of every narrower format here. */
static inline float erg_layout_decode(erg_layout l, uint32_t bits) {
  uint32_t sign = bits >> (l.exponent_bits + l.fraction_bits) & 1;
  uint32_t magnitude = bits & ((UINT32_C(1) << (l.exponent_bits + l.fraction_bits)) - 1);
  uint32_t fraction = magnitude & ((UINT32_C(1) << l.fraction_bits) - 1);
  int field = (int)(magnitude >> l.fraction_bits);
  if (magnitude >= erg_layout_overflow(l)) {
    uint32_t payload = l.infinity ? fraction << (23 - l.fraction_bits) : 0;
    bool nan = !l.infinity || fraction;
    return erg_float_of(sign << 31 | 0x7f800000 | payload | (nan ? 0x400000 : 0));
  }
  uint32_t significand = field ? fraction | UINT32_C(1) << l.fraction_bits : fraction;
  int exponent = (field ? field : 1) - (1 << (l.exponent_bits - 1)) + 1 - l.fraction_bits;
  uint64_t power = (uint64_t)(exponent + 1023) << 52; /* of two, as a binary64: 2^-133 at least, where bf16 ends */
  double scale;
  memcpy(&scale, &power, sizeof scale);
  double value = significand * scale;
  return (float)(sign ? -value : value);
}

/** The functions of a registered format. */
#define ERG_LAYOUT_FUNCTIONS(name, ...)                                                                                \
  static uint32_t encode_##name(float value) { return erg_layout_encode((erg_layout){__VA_ARGS__}, value); }           \
  static float decode_##name(uint32_t bits) { return erg_layout_decode((erg_layout){__VA_ARGS__}, bits); }             \
  static float round_##name(float value) { return decode_##name(encode_##name(value)); }
#endif
