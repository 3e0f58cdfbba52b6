/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gates: Q11.20 arithmetic and the approximations that several gates share. */
#ifndef ERGON_KERNELS_GATES_SHARED_H
#define ERGON_KERNELS_GATES_SHARED_H
#include "ergon/gates.h"
#include <math.h>

/** A constant in Q11.20, rounded to nearest. */
#define Q20(x) ((int32_t)((x) * 1048576.0 + ((x) < 0 ? -0.5 : 0.5)))
#define ERG_FORMS(array) .forms = (array), .form_count = (int)ERG_COUNT_OF(array)
/** Chords: |x|, its reach, T[i+1] - T[i], times r, rounded, plus T[i], then the symmetry. */
#define ERG_CHORDS(n, text) \
  {.name = "pwl-" #n, .help = text, .segments = (n), .cost = {5, 2, 1, 1, (n) + 1}}

/** (v + 2^(k-1)) >> k: to nearest, ties towards +infinity. k >= 1. */
static inline int64_t erg_round_shift(int64_t v, int k) { return (v + ((int64_t)1 << (k - 1))) >> k; }
/** Product of two Q11.20 numbers, rounded. */
static inline int64_t erg_q20_product(int64_t a, int64_t b) { return erg_round_shift(a * b, 20); }
static inline int64_t erg_q20_clamp(int64_t v, int64_t low, int64_t high) {
  return v < low ? low : v > high ? high : v;
}

/** PLAN: sigmoid from shifts alone, four segments of |x| (Amin, Curtis, Hayes-Gill 1997). */
static inline int32_t erg_plan_q20(int32_t x) {
  int64_t a = x < 0 ? -(int64_t)x : x, y;
  if (a >= Q20(5.0)) y = Q20(1.0);
  else if (a >= Q20(2.375)) y = (a >> 5) + Q20(0.84375);
  else if (a >= Q20(1.0)) y = (a >> 3) + Q20(0.625);
  else y = (a >> 2) + Q20(0.5);
  return (int32_t)(x < 0 ? Q20(1.0) - y : y);
}
static inline long double erg_plan_real(long double x) {
  long double a = fabsl(x);
  long double y = a >= 5 ? 1 : a >= 2.375L ? a / 32 + 0.84375L : a >= 1 ? a / 8 + 0.625L : a / 4 + 0.5L;
  return x < 0 ? 1 - y : y;
}

static inline long double erg_sigmoid_real(long double x) { return 1 / (1 + expl(-x)); }

/** clamp(x + 3, 0, 6) / 6, MobileNetV3's. 1/6 is 174762 / 2^20 in fixed point: below, so that no value passes 1. */
static inline long double erg_hard_sigmoid_real(long double x) { return fminl(fmaxl(x + 3, 0), 6) / 6; }
static inline int32_t erg_hard_sigmoid_q20(int32_t x) {
  return (int32_t)erg_round_shift(erg_q20_clamp((int64_t)x + Q20(3.0), 0, Q20(6.0)) * 174762, 20);
}
/** clamp(x / 5 + 1/2, 0, 1), ONNX HardSigmoid's defaults. 1/5 is 52429 / 2^18 in fixed point. */
static inline long double erg_hard_sigmoid_onnx_real(long double x) { return fminl(fmaxl(x / 5 + 0.5L, 0), 1); }
static inline int32_t erg_hard_sigmoid_onnx_q20(int32_t x) {
  return (int32_t)(erg_round_shift(erg_q20_clamp(x, Q20(-2.5), Q20(2.5)) * 52429, 18) + Q20(0.5));
}

/** On the chord between two nodes of a table: a >= 0 is i segments of 2^bits and a remainder. */
static inline int64_t erg_chord_q20(const int32_t *nodes, int64_t a, int bits) {
  int64_t i = a >> bits, r = a & (((int64_t)1 << bits) - 1);
  return nodes[i] + erg_round_shift((int64_t)(nodes[i + 1] - nodes[i]) * r, bits);
}
#endif
