/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators that run as passes of their own, in data: what was not fused still has to reach the next layer. */
#include "vector_golden.h"
#include <math.h>

static void clamp_codes(const erg_pass *pass, int32_t top, erg_vector_data *d) {
  /* Scales are synthetic: the upper limit of a ReLU6 is put just below the top code, as in the epilogue. */
  int32_t high = isfinite(pass->clamp_high) ? top - (2 * top + 1) / 32 : top;
  if (high < d->a_zero_point) high = d->a_zero_point;
  for (int64_t i = 0; i < erg_shape_elements(pass->out_shape); i++) {
    int32_t x = d->a[i];
    d->output[i] = (int16_t)(x < d->a_zero_point ? d->a_zero_point : x > high ? high : x);
  }
  d->output_zero_point = d->a_zero_point;
}

static erg_status add_codes(const erg_pass *pass, int32_t top, erg_vector_data *d, erg_error *error) {
  erg_add_params params = {.a_zero_point = d->a_zero_point,
                           .b_zero_point = d->b_zero_point,
                           .zero_point = 0,
                           .low = -top - 1,
                           .high = top,
                           .a_scale = erg_requant_from_real(M_SQRT1_2),
                           .b_scale = erg_requant_from_real(M_SQRT1_2)};
  d->output_zero_point = params.zero_point;
  return erg_add_s16(erg_shape_elements(pass->out_shape), d->a, d->b, &params, d->output, error);
}

erg_status erg_vector_golden(const erg_graph *graph, const erg_pass *pass, const erg_precision *precision,
                             erg_vector_data *data, erg_error *error) {
  const erg_node *node = &graph->nodes[pass->output];
  int32_t top = (1 << (precision->output_bits - 1)) - 1;
  if (node->op->run_s16) {
    data->output_zero_point = data->a_zero_point;
    return node->op->run_s16(&node->attrs, &pass->in_shape, data->a, data->a_zero_point, data->output, error);
  }
  if (node->op->role == ERG_ROLE_CLAMP) {
    clamp_codes(pass, top, data);
    return ERG_OK;
  }
  if (node->op->role == ERG_ROLE_ADD) return add_codes(pass, top, data, error);
  return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s has no integer kernel outside the epilogue", pass->name,
                  node->op->name);
}
