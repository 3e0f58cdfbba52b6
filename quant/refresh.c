/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of passes on the array, from real weights: fold, scale, round. Refreshing is cheap (no memory is taken),
 * for training that quantizes every step. The other passes are vector_pass.c's. */
#include "refresh.h"
#include "find.h"
#include "vector_pass.h"
#include <math.h>
#include <string.h>

/* Weights and biases after folding. */
static erg_status fold(const erg_quantized *q, const erg_pass *pass, const erg_weights *weights, erg_quantized_layer *l,
                       erg_error *error) {
  int node = pass->nodes[0], filters = pass->conv.filters;
  const erg_node *n = &q->graph->nodes[node];
  int64_t count = filters * l->reduction;
  const double *weight = erg_need(q->graph, weights, node, "weight", count, error);
  const double *bias = n->attrs.bias ? erg_need(q->graph, weights, node, "bias", filters, error) : NULL;
  if (!weight || (n->attrs.bias && !bias)) return ERG_ERR_DATA;
  if (pass->node_count > 1 && q->graph->nodes[pass->nodes[1]].op->role == ERG_ROLE_BATCH_NORM) {
    erg_batch_norm_stats stats;
    erg_status status = erg_need_batch_norm(q->graph, weights, pass->nodes[1], &stats, error);
    if (status == ERG_OK)
      status = erg_batch_norm_fold(filters, l->reduction, weight, bias, &stats, l->weight_real, l->bias_real, error);
    return status;
  }
  memcpy(l->weight_real, weight, sizeof *weight * (size_t)count);
  if (bias)
    memcpy(l->bias_real, bias, sizeof *bias * (size_t)filters);
  else
    memset(l->bias_real, 0, sizeof *l->bias_real * (size_t)filters);
  for (int64_t i = 0; i < count; i++)
    if (!isfinite(l->weight_real[i]))
      return erg_fail(error, ERG_ERR_DATA, "weights: %s.weight[%lld] is not finite", n->name, (long long)i);
  for (int k = 0; k < filters; k++)
    if (!isfinite(l->bias_real[k]))
      return erg_fail(error, ERG_ERR_DATA, "weights: %s.bias[%d] is not finite", n->name, k);
  return ERG_OK;
}

/* The least scale with which the bias fits a quarter of the accumulator. A channel of zeros has none of its own: its
 * bias gets 20 bits, or half as many as the accumulator has. */
static double least_scale(double bias, double input_scale, double scale, int accumulator_bits) {
  int bits = accumulator_bits - 2;
  if (scale <= 0) bits = accumulator_bits / 2 < 20 ? accumulator_bits / 2 : 20;
  double least = fabs(bias) / (input_scale * ldexp(1, bits));
  if (least > scale) return least;
  return scale > 0 ? scale : 1;
}

static void make_codes(const erg_pass *pass, erg_weight_grid kind, erg_quantized_layer *l) {
  int filters = pass->conv.filters, bits = l->precision.weight_bits;
  erg_weight_scales(filters, l->reduction, l->weight_real, bits, kind, l->weight_scale);
  for (int k = 0; k < filters; k++)
    l->weight_scale[k] =
        least_scale(l->bias_real[k], l->input.scale, l->weight_scale[k], l->precision.accumulator_bits);
  erg_weight_codes(filters, l->reduction, l->weight_real, bits, l->weight_scale, l->codes.weight);
  for (int k = 0; k < filters; k++) {
    double step = l->input.scale * l->weight_scale[k];
    l->codes.bias[k] = (int64_t)rint(l->bias_real[k] / step);
    l->codes.scale[k] = erg_requant_from_real(step / l->output.scale);
  }
}

void erg_clamp_limits(const erg_pass *pass, erg_grid grid, int32_t *low, int32_t *high) {
  int32_t top = (1 << (grid.bits - 1)) - 1;
  *low = pass->clamp ? grid.zero_point : -top - 1;
  *high = top;
  if (!pass->clamp || !isfinite(pass->clamp_high)) return;
  double limit = grid.zero_point + rint(pass->clamp_high / grid.scale);
  if (limit < top) *high = (int32_t)limit;
}

static erg_status array_room(erg_quantized *q, const erg_pass *pass, erg_quantized_layer *l, erg_error *error) {
  l->reduction = erg_conv2d_reduction(&pass->conv);
  size_t filters = (size_t)pass->conv.filters, count = filters * (size_t)l->reduction;
  l->weight_real = erg_arena_alloc(&q->arena, sizeof *l->weight_real * count);
  l->bias_real = erg_arena_alloc(&q->arena, sizeof *l->bias_real * filters);
  l->weight_scale = erg_arena_alloc(&q->arena, sizeof *l->weight_scale * filters);
  l->codes.weight = erg_arena_alloc(&q->arena, sizeof *l->codes.weight * count);
  l->codes.bias = erg_arena_alloc(&q->arena, sizeof *l->codes.bias * filters);
  l->codes.scale = erg_arena_alloc(&q->arena, sizeof *l->codes.scale * filters);
  if (!l->weight_real || !l->bias_real || !l->weight_scale || !l->codes.weight || !l->codes.bias || !l->codes.scale)
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  l->codes.zero_point = l->output.zero_point;
  erg_clamp_limits(pass, l->output, &l->codes.low, &l->codes.high);
  if (pass->residual >= 0) {
    l->codes.residual_zero_point = l->residual.zero_point;
    l->codes.residual_scale = erg_requant_from_real(l->residual.scale / l->output.scale);
  }
  return ERG_OK;
}

erg_status erg_quantized_room(erg_quantized *q, int index, erg_error *error) {
  const erg_pass *pass = &q->plan.passes[index];
  erg_quantized_layer *l = &q->layers[index];
  erg_status status = ERG_OK;
  if (pass->kind == ERG_PASS_ARRAY) status = array_room(q, pass, l, error);
  if (status == ERG_OK && pass->gate) status = erg_table_make(q, pass, l, error);
  if (status == ERG_OK && pass->kind == ERG_PASS_VECTOR) status = erg_vector_room(q, pass, l, error);
  return status;
}

erg_status erg_quantized_refresh(erg_quantized *q, const erg_weights *weights, erg_error *error) {
  erg_status status = ERG_OK; /* all faults at once: every pass is tried */
  for (int i = 0; i < q->plan.pass_count; i++) {
    const erg_pass *pass = &q->plan.passes[i];
    erg_quantized_layer *l = &q->layers[i];
    erg_status one = ERG_OK;
    if (pass->kind == ERG_PASS_VECTOR) {
      one = erg_vector_refresh(q, pass, weights, l, error);
    } else {
      one = fold(q, pass, weights, l, error);
      if (one == ERG_OK) make_codes(pass, q->options.weight_grid, l);
    }
    if (status == ERG_OK) status = one;
  }
  return status;
}
