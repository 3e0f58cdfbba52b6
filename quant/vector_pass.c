/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes without the array: each is one golden kernel with its multipliers taken from the grids. */
#include "vector_pass.h"
#include "find.h"
#include <string.h>

static bool is_mul(const erg_pass *pass) {
  return pass->by_channel || strcmp(pass->kind_name, "mul") == 0;
}

bool erg_is_map_mean(const erg_pass *pass) {
  return strcmp(pass->kind_name, "global_avg_pool") == 0;
}

static const erg_op *op_of(const erg_quantized *q, const erg_pass *pass) {
  return q->graph->nodes[pass->nodes[0]].op;
}

/* What a circuit gives for every code: running the table is running the circuit. */
static erg_status tabulate(const erg_gate *gate, const erg_gate_form *form, erg_grid in, erg_grid out, int16_t *table,
                           erg_error *error) {
  erg_gate_unit unit;
  erg_status status = erg_gate_unit_init(gate, form, &unit, error);
  if (status != ERG_OK) return status;
  for (int code = 0; code < 1 << in.bits; code++) table[code] = (int16_t)(code - (1 << (in.bits - 1)));
  return erg_gate_unit_s16(&unit, (int64_t)1 << in.bits, table, in, out, table, error);
}

erg_status erg_table_make(erg_quantized *q, const erg_pass *pass, erg_quantized_layer *l, erg_error *error) {
  const erg_gate *gate = erg_gate_find(pass->gate);
  erg_grid in = pass->kind == ERG_PASS_ARRAY ? l->output : l->input;
  if (!gate) return erg_fail(error, ERG_ERR_INTERNAL, "no gate is called %s", pass->gate);
  l->table_bits = in.bits;
  l->table = erg_arena_alloc(&q->arena, sizeof *l->table << in.bits);
  if (!l->table) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  const erg_gate_form *form = q->options.gate_form ? erg_gate_form_find(gate, q->options.gate_form) : NULL;
  return form ? tabulate(gate, form, in, q->grids[pass->output], l->table, error)
              : erg_gate_table_build(gate, in, q->grids[pass->output], l->table, error);
}

static void make_add(erg_quantized_layer *l) {
  l->add = (erg_add_params){.a_zero_point = l->input.zero_point,
                            .b_zero_point = l->residual.zero_point,
                            .zero_point = l->output.zero_point,
                            .low = l->low,
                            .high = l->high,
                            .a_scale = erg_requant_from_real(l->input.scale / l->output.scale),
                            .b_scale = erg_requant_from_real(l->residual.scale / l->output.scale)};
}

static void make_mul(erg_quantized_layer *l) {
  double m = l->input.scale * l->residual.scale / l->output.scale;
  /* differences of b bits take b + 1: a product fits 32 bits up to here, and then its multiplier has 31 instead of 16
   */
  bool narrow = l->input.bits + l->residual.bits <= 30;
  l->mul = (erg_mul_params){.a_zero_point = l->input.zero_point,
                            .b_zero_point = l->residual.zero_point,
                            .accumulator_bits = narrow ? 32 : 48,
                            .scale = {.scale = erg_requant_from_real(m)},
                            .codes = {.zero_point = l->output.zero_point, .low = l->low, .high = l->high}};
}

static void make_map_mean(const erg_pass *pass, erg_quantized_layer *l) {
  int64_t elements = (int64_t)pass->in_shape.h * pass->in_shape.w;
  bool narrow = elements < (int64_t)1 << (30 - l->input.bits); /* multipliers of 31 bits, not 16 */
  l->map_mean =
      (erg_map_mean){.accumulator_bits = narrow ? 32 : 48,
                     .scale = {.scale = erg_requant_from_real(l->input.scale / (l->output.scale * (double)elements))},
                     .codes = {.zero_point = l->output.zero_point, .low = l->low, .high = l->high}};
}

/* Room for the norm's affine; its epsilon depends on the input's scale alone. */
static erg_status norm_room(erg_quantized *q, const erg_pass *pass, erg_quantized_layer *l, erg_error *error) {
  int channels = pass->in_shape.c;
  int64_t count = pass->norm == ERG_NORM_INSTANCE ? (int64_t)pass->in_shape.h * pass->in_shape.w : channels;
  l->norm.affine = (erg_norm_affine){.channels = channels,
                                     .multiplier = erg_arena_alloc(&q->arena, sizeof(int32_t) * (size_t)channels),
                                     .bias = erg_arena_alloc(&q->arena, sizeof(int64_t) * (size_t)channels),
                                     .zero_point = l->output.zero_point,
                                     .low = l->low,
                                     .high = l->high};
  if (!l->norm.affine.multiplier || !l->norm.affine.bias) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  return erg_norm_epsilon(count, ERG_NORM_EPSILON, l->input.scale, &l->norm.epsilon, error);
}

static erg_status batch_norm_room(erg_quantized *q, const erg_pass *pass, erg_quantized_layer *l, erg_error *error) {
  size_t channels = (size_t)pass->in_shape.c;
  erg_batch_norm_params *p = &l->batch_norm;
  p->input_zero_point = l->input.zero_point;
  p->weight = erg_arena_alloc(&q->arena, sizeof *p->weight * channels);
  p->bias = erg_arena_alloc(&q->arena, sizeof *p->bias * channels);
  p->scale.channels = pass->in_shape.c;
  p->scale.scale = erg_arena_alloc(&q->arena, sizeof *p->scale.scale * channels);
  p->codes = (erg_codes){.zero_point = l->output.zero_point, .low = l->low, .high = l->high};
  return p->weight && p->bias && p->scale.scale ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

erg_status erg_vector_room(erg_quantized *q, const erg_pass *pass, erg_quantized_layer *l, erg_error *error) {
  const erg_op *op = op_of(q, pass);
  erg_clamp_limits(pass, l->output, &l->low, &l->high);
  if (erg_is_map_mean(pass)) make_map_mean(pass, l);
  if (pass->gate || op->run_s16 || op->role == ERG_ROLE_CLAMP) return ERG_OK;
  if (pass->norm) return norm_room(q, pass, l, error);
  if (op->role == ERG_ROLE_BATCH_NORM) return batch_norm_room(q, pass, l, error);
  if (op->role == ERG_ROLE_ADD)
    make_add(l);
  else if (is_mul(pass))
    make_mul(l);
  else
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s has no integer kernel", pass->name, op->name);
  return ERG_OK;
}

erg_status erg_vector_refresh(erg_quantized *q, const erg_pass *pass, const erg_weights *weights,
                              erg_quantized_layer *l, erg_error *error) {
  int channels = pass->in_shape.c, node = pass->nodes[0];
  if (pass->norm)
    return erg_norm_affine_build(channels, erg_may(weights, node, "weight"), erg_may(weights, node, "bias"),
                                 l->output.scale, (int32_t *)l->norm.affine.multiplier, (int64_t *)l->norm.affine.bias,
                                 &l->norm.affine.shift, error);
  if (op_of(q, pass)->role != ERG_ROLE_BATCH_NORM) return ERG_OK;
  erg_batch_norm_stats stats;
  erg_status status = erg_need_batch_norm(q->graph, weights, node, &stats, error);
  if (status != ERG_OK) return status;
  return erg_batch_norm_quantize(channels, &stats, l->input.scale, l->output.scale, (int32_t *)l->batch_norm.weight,
                                 (int64_t *)l->batch_norm.bias, (erg_requant *)l->batch_norm.scale.scale, error);
}

static void run_clamp(const erg_quantized_layer *l, int64_t count, const int16_t *a, int16_t *output) {
  for (int64_t i = 0; i < count; i++) output[i] = (int16_t)(a[i] < l->low ? l->low : a[i] > l->high ? l->high : a[i]);
}

static erg_status run_norm(const erg_pass *pass, const erg_synth_norm *n, const erg_quantized_layer *l,
                           const int16_t *a, int16_t *output, erg_error *error) {
  erg_shape s = pass->in_shape;
  int64_t rows = (int64_t)s.n * s.h * s.w;
  if (pass->norm == ERG_NORM_INSTANCE)
    return erg_instance_norm_s16(s, a, l->input.zero_point, n->epsilon, &n->affine, output, error);
  if (pass->norm == ERG_NORM_LAYER)
    return erg_layer_norm_s16(rows, a, l->input.zero_point, n->epsilon, &n->affine, output, error);
  return erg_rms_norm_s16(rows, a, l->input.zero_point, n->epsilon, &n->affine, output, error);
}

erg_status erg_vector_run(const erg_quantized *q, const erg_quantized_layer *l, const int16_t *a, const int16_t *b,
                          int16_t *output, erg_error *error) {
  const erg_pass *pass = &q->plan.passes[l->pass];
  const erg_node *node = &q->graph->nodes[pass->nodes[0]];
  int64_t count = erg_shape_elements(pass->out_shape);
  if (erg_is_map_mean(pass))
    return erg_global_avg_pool_s16(pass->in_shape, a, l->input.zero_point, l->map_mean.accumulator_bits,
                                   &l->map_mean.scale, &l->map_mean.codes, output, error);
  if (node->op->run_s16) return node->op->run_s16(&node->attrs, &pass->in_shape, a, l->input.zero_point, output, error);
  if (pass->norm) return run_norm(pass, &l->norm, l, a, output, error);
  if (pass->gate) return erg_gate_s16(count, a, l->table_bits, l->table, output, error);
  if (node->op->role == ERG_ROLE_BATCH_NORM)
    return erg_batch_norm_s16(count / pass->in_shape.c, a, &l->batch_norm, output, error);
  if (node->op->role == ERG_ROLE_ADD) return erg_add_s16(count, a, b, &l->add, output, error);
  if (pass->by_channel) return erg_channel_mul_s16(pass->out_shape, a, b, &l->mul, output, error);
  if (is_mul(pass)) return erg_mul_s16(count, a, b, &l->mul, output, error);
  run_clamp(l, count, a, output);
  return ERG_OK;
}
