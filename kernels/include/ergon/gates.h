/* SPDX-License-Identifier: Apache-2.0 */
/** \file gates.h
 *  Pointwise functions (gates and activations): the exact real function, its exact table over codes, and the forms
 *  that hardware builds instead, in fixed point. One gate a file in gates/. Errors are measured when asked for, never
 *  stored.
 *
 *  Codes are signed: real = (q - zero_point) * scale, q in [-2^(bits-1), 2^(bits-1) - 1].
 *  Fixed point is Q11.20 everywhere: an int32_t X stands for X / 2^20. */
#include "ergon/kernels.h" /* before the guard: whichever is named first, kernels.h sets the order */
#ifndef ERGON_GATES_H
#define ERGON_GATES_H

#include "ergon/quantization.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ERG_Q20_ONE ((int32_t)1 << 20)
#define ERG_GATE_NODES 65 /**< most words of a form's table */

/** What one evaluation takes on the longest path through a form's definition. A negation or magnitude is an add; the
 *  rounding of a shift is an add; a shift by a constant (mere wiring) counts as a shift. Words are the constants of
 *  its table in Q11.20; constants of formulas are not counted. */
typedef struct { int adds, shifts, multiplies, compares, words; } erg_gate_cost;

/** A form that hardware builds in place of the exact function. Either `segments` > 0: chords over that many equal
 *  segments of [0, gate.limit], negative arguments by the gate's symmetry, the limit beyond; or `fixed`. */
typedef struct {
  const char *name, *help; /**< help: the definition and its source */
  int segments;            /**< 8..64, a power of two; 0: `fixed` is set */
  long double (*real)(long double x);                    /**< the formula over the reals (NULL where segments > 0) */
  int32_t (*fixed)(const int32_t *nodes, int32_t x);     /**< its exact definition in Q11.20, for every x */
  void (*build)(int32_t *nodes);                         /**< fills the nodes that `fixed` reads; NULL: none */
  erg_gate_cost cost;
} erg_gate_form;

/** f(-x) = 1 - f(x); f(-x) = -f(x); f(-x) = f(x) - x; x <= 0 only (a positive argument is taken as 0). */
typedef enum { ERG_GATE_COMPLEMENT, ERG_GATE_ODD, ERG_GATE_RAMP, ERG_GATE_NEGATIVE } erg_gate_symmetry;

typedef struct {
  const char *name, *help;                /**< help: the exact function */
  long double (*exact)(long double x);    /**< correct to about 2^-60; `x` finite */
  erg_gate_symmetry symmetry;
  double limit;                           /**< errors are stated over |x| <= limit (ERG_GATE_NEGATIVE: [-limit, 0]) */
  double out_low, out_high;               /**< range of values over the range above, for a table's output scale */
  bool below_argument; /**< f(x) < x for every x > 0, by less than a long double shows when x is large */
  const erg_gate_form *forms;
  int form_count;
} erg_gate;
ERG_REGISTRY(erg_gate)
const erg_gate *erg_gate_find(const char *name); /**< NULL when there is none */
const erg_gate_form *erg_gate_form_find(const erg_gate *gate, const char *name);

/* ---------------------------------------------------------------- the reference: an exact table (gate_table.c) */

/** table[q + 2^(in.bits-1)] = erg_quantization_round(out, exact((q - in.zero_point) * in.scale)) for each of the
 *  2^in.bits codes. Correctly rounded, ties to even: the only exact ties are rational (x = 0 and the hard functions), and those
 *  are computed exactly; where f(x) is x to all digits but below it, a tie of x is rounded down. Any other value would
 *  have to lie within about 2^-60 (relative) of a tie to be misjudged. */
erg_status erg_gate_table_build(const erg_gate *gate, erg_quantization in, erg_quantization out, int16_t *table,
                                erg_error *error);
/** output[i] = table[input[i] + 2^(in_bits-1)]. ERG_ERR_DATA, output untouched, for a code outside in_bits. */
erg_status erg_gate_s16(int64_t elements, const int16_t *input, int in_bits, const int16_t *table, int16_t *output,
                        erg_error *error);
/** y = exact(x), each rounded once to fp32. */
erg_status erg_gate_f32(const erg_gate *gate, int64_t elements, const float *input, float *output, erg_error *error);

/* ---------------------------------------------------------------- hardware forms (gate_unit.c) */

/** A form with its table filled: what is built in silicon. */
typedef struct {
  const erg_gate *gate;
  const erg_gate_form *form;
  int32_t nodes[ERG_GATE_NODES + 1]; /**< a zero behind the last, so that a chord may start there */
} erg_gate_unit;

/** Nodes of chords are rint_even(2^20 * exact(i * limit / segments)), i = 0..segments. */
erg_status erg_gate_unit_init(const erg_gate *gate, const erg_gate_form *form, erg_gate_unit *unit, erg_error *error);
/** Q11.20 to Q11.20, integers only, any x. A chord is T[i] + (((T[i+1] - T[i]) * r + 2^(b-1)) >> b) where |x| has i
 *  above its low b bits r and 2^b is the length of a segment. */
int32_t erg_gate_unit_q20(const erg_gate_unit *unit, int32_t x);
/** The datapath on codes: X = rq(q - in.zero_point, in.scale * 2^20) clamped to int32_t, Y = unit(X),
 *  y = clamp(out.zero_point + rq(Y, 2^-20 / out.scale)); both requantizations by rule S with 31-bit multipliers. */
erg_status erg_gate_unit_s16(const erg_gate_unit *unit, int64_t elements, const int16_t *input, erg_quantization in,
                             erg_quantization out, int16_t *output, erg_error *error);
/** The form's formula over the reals. */
long double erg_gate_form_real(const erg_gate *gate, const erg_gate_form *form, long double x);

/* ---------------------------------------------------------------- measured errors (gate_measure.c) */

typedef struct { double max_error, at, rms; } erg_gate_error;
/** Errors against the exact function at x = low, low + step, .. high. `integer`: of the fixed-point form (x is rounded
 *  to Q11.20 first, and the exact function is taken of that); else of the formula. Legal: |low|, |high| <= 1024,
 *  low < high, step >= 2^-20, at most 2^24 points. */
erg_status erg_gate_measure(const erg_gate *gate, const erg_gate_form *form, bool integer, double low, double high,
                            double step, erg_gate_error *out, erg_error *error);
/** Errors of the exact table at the input codes' own values: |(y - zero_point) * scale - exact(x)|. in.bits <= 16. */
erg_status erg_gate_measure_table(const erg_gate *gate, erg_quantization in, erg_quantization out,
                                  erg_gate_error *result, erg_error *error);
/** The codes a table of the gate is listed with: inputs over [-limit, limit), outputs over [out_low, out_high]; where
 *  these are 0 and 1: scale 2^-bits, zero point -2^(bits-1); where they are -1 and 1: scale 2^-(bits-1), zero point 0
 *  (the TensorFlow Lite 8-bit specification's fixed output parameters of LOGISTIC, SOFTMAX and TANH). */
void erg_gate_default_codes(const erg_gate *gate, int bits, erg_quantization *in, erg_quantization *out);

#ifdef __cplusplus
}
#endif
#endif
