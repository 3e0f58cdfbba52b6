/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: a vector pass in data, by golden kernels. */
#ifndef ERGON_SIM_VECTOR_GOLDEN_H
#define ERGON_SIM_VECTOR_GOLDEN_H
#include "ergon/sim.h"

typedef struct {
  const int16_t *a, *b; /* b: second operand of an add or a product, or NULL */
  int32_t a_zero_point, b_zero_point;
  int16_t *output;
  int32_t output_zero_point; /* out */
} erg_vector_data;

/* Pools and clamps keep scale and zero point; an add halves the variance of each term; a product is brought to the
 * spread of a layer's outputs; norms and gates have synthetic parameters (workloads.h), norms from `seed`.
 * ERG_ERR_UNSUPPORTED for an operator without an integer kernel of its own. */
erg_status erg_vector_golden(const erg_graph *graph, const erg_pass *pass, const erg_precision *precision,
                             uint64_t seed, erg_vector_data *data, erg_error *error);
/* The table at the end of an array pass, on its codes in place; *zero_point becomes the table's. No gate: nothing. */
erg_status erg_table_golden(const erg_pass *pass, const erg_precision *precision, int16_t *codes, int32_t *zero_point,
                            erg_error *error);
/* A norm pass with its parameters. */
erg_status erg_norm_golden(const erg_pass *pass, const erg_synth_norm *norm, const int16_t *input, int32_t zero_point,
                           int16_t *output, erg_error *error);
#endif
