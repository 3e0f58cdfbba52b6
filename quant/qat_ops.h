/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: operators of the tape whose forward is in integers. Not registered: their backward is no derivative of
 * their forward. */
#ifndef ERGON_QUANT_QAT_OPS_H
#define ERGON_QUANT_QAT_OPS_H
#include "ergon/qat.h"

/* What an operator finds behind erg_tape_attrs.own. */
typedef struct {
  const erg_quantized_layer *layer;
  erg_qat_rule rule;
  bool last;                 /* the last array pass: learns under every rule */
  erg_grid before, stored;   /* gates: of the table's input and output; inputs: stored */
  const erg_tape_op *smooth; /* gates and average pools: the function without roundings */
} erg_qat_pass;

extern const erg_tape_op erg_fake_input;             /* x */
extern const erg_tape_op erg_fake_weight;            /* w [K, R, S, C/groups] */
extern const erg_tape_op erg_fake_epilogue;          /* acc, bias [1, 1, 1, K] */
extern const erg_tape_op erg_fake_epilogue_residual; /* acc, bias, residual */
extern const erg_tape_op erg_fake_gate;              /* x */
extern const erg_tape_op erg_fake_average;           /* x */
extern const erg_tape_op erg_fake_clamp;             /* x */
extern const erg_tape_op erg_fake_add;               /* a, b */

/* Rule S in integers of its own: (x m + 2^(t-1)) >> t, t = 31 - shift; above 32 accumulator bits with 16 bits of m. */
int64_t erg_fake_requantize(int64_t x, erg_requant scale, int accumulator_bits);
/* (q - zero_point) of a real number on the grid. */
int64_t erg_fake_code(double real, double scale);
#endif
