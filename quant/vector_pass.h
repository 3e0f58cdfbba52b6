/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: passes without the array. */
#ifndef ERGON_QUANT_VECTOR_PASS_H
#define ERGON_QUANT_VECTOR_PASS_H
#include "ergon/quantized.h"

/* global_avg_pool: its kernel requantizes the sum. */
bool erg_is_map_mean(const erg_pass *pass);
/* The table of a pass's gate: from l->output of an array, or l->input, to the stored tensor's grid. */
erg_status erg_table_make(erg_quantized *q, const erg_pass *pass, erg_quantized_layer *l, erg_error *error);
/* Memory and whatever no weight changes. ERG_ERR_UNSUPPORTED for an operator without integer kernel. */
erg_status erg_vector_room(erg_quantized *q, const erg_pass *pass, erg_quantized_layer *l, erg_error *error);
/* Norms, from their affine. */
erg_status erg_vector_refresh(erg_quantized *q, const erg_pass *pass, const erg_weights *weights,
                              erg_quantized_layer *l, erg_error *error);
/* The golden kernel. b: second operand or NULL. */
erg_status erg_vector_run(const erg_quantized *q, const erg_quantized_layer *l, const int16_t *a, const int16_t *b,
                          int16_t *output, erg_error *error);
/* Codes that a pass's clamp (or none) leaves on a grid: a ReLU starts at the zero point. (refresh.c) */
void erg_clamp_limits(const erg_pass *pass, erg_grid grid, int32_t *low, int32_t *high);
#endif
