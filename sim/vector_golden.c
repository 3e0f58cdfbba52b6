/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators that run as passes of their own, in data: what was not fused still has to reach the next layer. */
#include "vector_golden.h"
#include <math.h>
#include <string.h>

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

/* The product's scale: its root mean square is brought to 0.18 of the range, as an array pass's outputs are. */
static erg_status mul_codes(const erg_pass *pass, int32_t top, erg_vector_data *d, erg_error *error) {
  int64_t elements = erg_shape_elements(pass->out_shape), channels = pass->out_shape.c;
  int64_t image = elements / pass->out_shape.n;
  double squares = 0;
  for (int64_t i = 0; i < elements; i++) {
    int16_t b = d->b[pass->by_channel ? i / image * channels + i % channels : i];
    double x = (double)(d->a[i] - d->a_zero_point) * (b - d->b_zero_point);
    squares += x * x;
  }
  double rms = sqrt(squares / (double)elements);
  erg_mul_params params = {.a_zero_point = d->a_zero_point,
                           .b_zero_point = d->b_zero_point,
                           .accumulator_bits = 48,
                           .scale = {.scale = erg_requant_from_real(0.18 * (2 * top + 1) / (rms > 1 ? rms : 1))},
                           .codes = {.zero_point = 0, .low = -top - 1, .high = top}};
  d->output_zero_point = 0;
  if (pass->by_channel) return erg_channel_mul_s16(pass->out_shape, d->a, d->b, &params, d->output, error);
  return erg_mul_s16(elements, d->a, d->b, &params, d->output, error);
}

erg_status erg_norm_golden(const erg_pass *pass, const erg_synth_norm *n, const int16_t *input, int32_t zero_point,
                           int16_t *output, erg_error *error) {
  erg_shape s = pass->in_shape;
  int64_t rows = (int64_t)s.n * s.h * s.w;
  if (pass->norm == ERG_NORM_INSTANCE)
    return erg_instance_norm_s16(s, input, zero_point, n->epsilon, &n->affine, output, error);
  if (pass->norm == ERG_NORM_LAYER)
    return erg_layer_norm_s16(rows, input, zero_point, n->epsilon, &n->affine, output, error);
  return erg_rms_norm_s16(rows, input, zero_point, n->epsilon, &n->affine, output, error);
}

static erg_status norm_codes(const erg_pass *pass, const erg_precision *precision, uint64_t seed, erg_vector_data *d,
                             erg_error *error) {
  erg_arena arena = {0};
  erg_synth_norm norm;
  erg_status status = erg_synth_norm_make(&arena, pass, precision, seed, &norm, error);
  if (status == ERG_OK) status = erg_norm_golden(pass, &norm, d->a, d->a_zero_point, d->output, error);
  if (status == ERG_OK) d->output_zero_point = norm.affine.zero_point;
  erg_arena_free(&arena);
  return status;
}

static erg_status gate_codes(const erg_pass *pass, const erg_precision *precision, erg_vector_data *d,
                             erg_error *error) {
  erg_arena arena = {0};
  int16_t *table;
  erg_status status =
      erg_synth_gate_make(&arena, pass->gate, precision, d->a_zero_point, &table, &d->output_zero_point, error);
  if (status == ERG_OK)
    status =
        erg_gate_s16(erg_shape_elements(pass->out_shape), d->a, precision->activation_bits, table, d->output, error);
  erg_arena_free(&arena);
  return status;
}

erg_status erg_table_golden(const erg_pass *pass, const erg_precision *precision, int16_t *codes, int32_t *zero_point,
                            erg_error *error) {
  if (!pass->gate) return ERG_OK;
  erg_vector_data data = {.a = codes, .a_zero_point = *zero_point, .output = codes};
  erg_status status = gate_codes(pass, precision, &data, error);
  *zero_point = data.output_zero_point;
  return status;
}

erg_status erg_vector_golden(const erg_graph *graph, const erg_pass *pass, const erg_precision *precision,
                             uint64_t seed, erg_vector_data *data, erg_error *error) {
  const erg_node *node = &graph->nodes[pass->nodes[0]];
  int32_t top = (1 << (precision->output_bits - 1)) - 1;
  if (node->op->run_s16) {
    data->output_zero_point = data->a_zero_point;
    return node->op->run_s16(&node->attrs, &pass->in_shape, data->a, data->a_zero_point, data->output, error);
  }
  if (node->op->role == ERG_ROLE_CLAMP) {
    clamp_codes(pass, top, data);
    return ERG_OK;
  }
  if (pass->norm) return norm_codes(pass, precision, seed, data, error);
  if (pass->gate) return gate_codes(pass, precision, data, error);
  if (pass->by_channel || strcmp(pass->kind_name, "mul") == 0) return mul_codes(pass, top, data, error);
  if (node->op->role == ERG_ROLE_ADD) return add_codes(pass, top, data, error);
  return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s has no integer kernel outside the epilogue", pass->name,
                  node->op->name);
}
