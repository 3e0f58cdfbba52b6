/* SPDX-License-Identifier: Apache-2.0 */
/* exp of x <= 0, what softmax needs after subtracting the maximum. Every form writes exp(x) = 2^-z * g: a variable
 * shift of a function over one octave. */
#include "shared.h"

static long double exact(long double x) {
  return expl(fminl(x, 0));
}

static int64_t shift_down(int64_t v, int64_t z) {
  return z > 40 ? 0 : v >> z;
}

/* i-exp (I-BERT): z = floor(-x / ln 2), p = x + z ln 2 in (-ln 2, 0], then a polynomial of p. */
static long double octave(long double x, long double *z) {
  x = fminl(x, 0);
  *z = floorl(-x / 0.693147180559945309417232121458176568L);
  return x + *z * 0.693147180559945309417232121458176568L;
}
static int64_t octave_q20(int32_t x, int64_t *z) {
  int64_t d = x < 0 ? -(int64_t)x : 0;
  *z = (d * Q20(1.4426950408889634)) >> 40;
  return *z * Q20(0.6931471805599453) - d;
}
static long double paper_real(long double x) {
  long double z, p = octave(x, &z);
  return ldexpl(0.3585L * (p + 1.353L) * (p + 1.353L) + 0.344L, -(int)z);
}
static int32_t paper(const int32_t *nodes, int32_t x) {
  (void)nodes;
  int64_t z, u = octave_q20(x, &z) + Q20(1.353);
  return (int32_t)shift_down(erg_q20_product(erg_q20_product(u, u), Q20(0.3585)) + Q20(0.344), z);
}
static long double code_real(long double x) {
  long double z, p = octave(x, &z);
  return ldexpl((0.35815147L * p + 0.96963238L) * p + 1, -(int)z);
}
static int32_t code(const int32_t *nodes, int32_t x) {
  (void)nodes;
  int64_t z, p = octave_q20(x, &z);
  return (int32_t)shift_down(erg_q20_product(erg_q20_product(p, Q20(0.35815147)) + Q20(0.96963238), p) + Q20(1.0), z);
}

/* I-ViT (Li and Gu 2023): log2(e) as 1 + 1/2 - 1/16, and 2^-r as 1 - r/2 over an octave. No multiplier. */
static long double shift_real(long double x) {
  long double t = -fminl(x, 0) * 1.4375L, z = floorl(t);
  return ldexpl(1 - (t - z) / 2, -(int)z);
}
static int32_t shift(const int32_t *nodes, int32_t x) {
  (void)nodes;
  int64_t v = x < 0 ? x : 0, t = -(v + (v >> 1) - (v >> 4)), z = t >> 20;
  return (int32_t)shift_down(Q20(1.0) - ((t - z * ERG_Q20_ONE) >> 1), z);
}

/* 2^-(z + r): 16 chords of 2^-r over the octave, then a shift by z. */
static long double octave_chords_real(long double x) {
  long double t = -fminl(x, 0) * 1.44269504088896340735992468100189214L, z = floorl(t), i = floorl((t - z) * 16);
  long double a = exp2l(-i / 16), b = exp2l(-(i + 1) / 16);
  return ldexpl(a + (b - a) * ((t - z) * 16 - i), -(int)z);
}
static void octave_nodes(int32_t *nodes) {
  for (int i = 0; i <= 16; i++) nodes[i] = (int32_t)lrintl(0x1p20L * exp2l(-i / 16.0L));
}
static int32_t octave_chords(const int32_t *nodes, int32_t x) {
  int64_t t = erg_q20_product(x < 0 ? -(int64_t)x : 0, Q20(1.4426950408889634));
  return (int32_t)shift_down(erg_chord_q20(nodes, t & (ERG_Q20_ONE - 1), 16), t >> 20);
}

static const erg_gate_form forms[] = {
    {.name = "shift-exp",
     .help = "no multiplier: log2 e as 1 + 1/2 - 1/16, 2^-r as 1 - r/2 (I-ViT 2023)",
     .real = shift_real,
     .fixed = shift,
     .cost = {.adds = 4, .shifts = 5, .compares = 1}},
    {.name = "i-exp",
     .help = "0.3585(p + 1.353)^2 + 0.344 over an octave (I-BERT 2021, the paper)",
     .real = paper_real,
     .fixed = paper,
     .cost = {.adds = 6, .shifts = 4, .multiplies = 4, .compares = 1}},
    {.name = "i-exp-code",
     .help = "0.35815147p^2 + 0.96963238p + 1 over an octave (I-BERT, the released code)",
     .real = code_real,
     .fixed = code,
     .cost = {.adds = 6, .shifts = 4, .multiplies = 4, .compares = 1}},
    {.name = "octave-16",
     .help = "16 chords of 2^-r over an octave",
     .real = octave_chords_real,
     .fixed = octave_chords,
     .build = octave_nodes,
     .cost = {.adds = 5, .shifts = 5, .multiplies = 2, .compares = 1, .words = 17}},
};

static const erg_gate exp_gate = {.name = "exp",
                                  .help = "exp(min(x, 0)), the numerators of softmax",
                                  .exact = exact,
                                  .symmetry = ERG_GATE_NEGATIVE,
                                  .limit = 10,
                                  .out_low = 0,
                                  .out_high = 1,
                                  ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, exp_gate);
