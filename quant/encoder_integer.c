/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoder in integers: each operator is one golden kernel, its multipliers taken from the grids. */
#include "encoder.h"
#include <math.h>

#define FRACTION 23 /* of the softmax's table: the most there is */
#define LOGIT_BITS 16
#define MOST_LENGTH (1 << 14) /* so many codes of 16 bits have a sum of 32 */

typedef struct {
  int16_t *weight;
  int64_t *bias;
  erg_requant *scale;
  int accumulator_bits;
} layer_codes;

typedef struct {
  int in, out;
  uint64_t epsilon;
  erg_norm_affine affine;
} norm_codes;

struct erg_encoder_parts {
  norm_codes norms[2];
  layer_codes layers[ERG_ENCODER_LAYERS];
  erg_softmax_unit softmax;
  erg_attention attention; /* its shape is the run's */
  erg_requant_tensor mean;
};

static erg_codes codes_of(erg_grid grid) {
  return (erg_codes){grid.zero_point, -(1 << (grid.bits - 1)), (1 << (grid.bits - 1)) - 1};
}

static erg_status check(const erg_encoder_widths *w, int length, erg_error *error) {
  const struct {
    const char *name;
    int bits;
  } all[] = {{"weights", w->weights},   {"activations", w->activations},
             {"scores", w->scores},     {"probabilities", w->probabilities},
             {"features", w->features}, {"the mean", w->mean}};
  erg_status status = ERG_OK;
  for (size_t i = 0; i < ERG_COUNT_OF(all); i++)
    if (all[i].bits < 2 || all[i].bits > 16)
      status =
          erg_fail(error, ERG_ERR_DATA, "encoder: found %d bits of %s; allowed: 2 to 16", all[i].bits, all[i].name);
  if (length < 1 || length > MOST_LENGTH)
    status = erg_fail(error, ERG_ERR_DATA, "encoder: found sequences of %d; allowed: 1 to %d", length, MOST_LENGTH);
  return status;
}

static void make_grids(erg_encoder *e, const erg_range *ranges, const erg_encoder_widths *w) {
  for (int i = 0; i < ERG_ENCODER_TENSORS; i++) {
    int bits = i == ERG_ENCODER_SCORES     ? w->scores
               : i == ERG_ENCODER_FEATURES ? w->features
               : i == ERG_ENCODER_POOLED   ? w->mean
               : i > ERG_ENCODER_POOLED    ? LOGIT_BITS
                                           : w->activations;
    e->grids[i] = erg_grid_over(ranges[i], bits);
  }
  e->grids[ERG_ENCODER_PROBABILITIES] =
      (erg_grid){ldexp(1, -w->probabilities), -(1 << (w->probabilities - 1)), w->probabilities};
}

static erg_status make_norm(erg_encoder *e, const erg_weights *weights, const char *name, norm_codes *n,
                            erg_error *error) {
  const int channels = e->shape.width;
  const erg_codes codes = codes_of(e->grids[n->out]);
  const erg_parameter *gamma = erg_encoder_parameter(weights, name, "weight");
  int32_t *multiplier = erg_arena_alloc(&e->arena, sizeof *multiplier * (size_t)channels);
  int64_t *bias = erg_arena_alloc(&e->arena, sizeof *bias * (size_t)channels);
  if (!gamma || gamma->elements != channels)
    return erg_fail(error, ERG_ERR_DATA, "encoder: no %s.weight of %d", name, channels);
  if (!multiplier || !bias) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  n->affine = (erg_norm_affine){.channels = channels,
                                .multiplier = multiplier,
                                .bias = bias,
                                .zero_point = codes.zero_point,
                                .low = codes.low,
                                .high = codes.high};
  erg_status status = erg_norm_epsilon(channels, ERG_NORM_EPSILON, e->grids[n->in].scale, &n->epsilon, error);
  if (status != ERG_OK) return status;
  return erg_norm_affine_build(channels, gamma->values, NULL, e->grids[n->out].scale, multiplier, bias,
                               &n->affine.shift, error);
}

static erg_status make_layer(erg_encoder *e, const erg_weights *weights, int bits, const erg_encoder_layer *l,
                             layer_codes *out, erg_error *error) {
  const int filters = erg_encoder_channels(&e->shape, l->out), reduction = erg_encoder_channels(&e->shape, l->in);
  const erg_parameter *weight = erg_encoder_parameter(weights, l->name, "weight"),
                      *bias = erg_encoder_parameter(weights, l->name, "bias");
  const int64_t count = (int64_t)filters * reduction;
  if (!weight || weight->elements != count || (l->bias && (!bias || bias->elements != filters)))
    return erg_fail(error, ERG_ERR_DATA, "encoder: no %s.weight of %d x %d with its bias", l->name, filters, reduction);
  double *scale = erg_arena_alloc(&e->arena, sizeof *scale * (size_t)filters);
  out->weight = erg_arena_alloc(&e->arena, sizeof *out->weight * (size_t)count);
  out->bias = erg_arena_alloc(&e->arena, sizeof *out->bias * (size_t)filters);
  out->scale = erg_arena_alloc(&e->arena, sizeof *out->scale * (size_t)filters);
  if (!scale || !out->weight || !out->bias || !out->scale) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int64_t i = 0; i < count; i++)
    if (!isfinite(weight->values[i]))
      return erg_fail(error, ERG_ERR_DATA, "encoder: %s.weight[%lld] is not finite", l->name, (long long)i);
  erg_weight_scales(filters, reduction, weight->values, bits, (erg_weight_grid){0}, scale);
  erg_weight_codes(filters, reduction, weight->values, bits, scale, out->weight);
  for (int k = 0; k < filters; k++) {
    const double step = e->grids[l->in].scale * (scale[k] > 0 ? scale[k] : 1);
    out->bias[k] = l->bias ? (int64_t)rint(bias->values[k] / step) : 0;
    out->scale[k] = erg_requant_from_real(step / e->grids[l->out].scale);
  }
  out->accumulator_bits = erg_default_accumulator_bits(bits, e->grids[l->in].bits);
  return ERG_OK;
}

static erg_status make_attention(erg_encoder *e, const erg_encoder_widths *w, erg_error *error) {
  struct erg_encoder_parts *p = e->parts;
  const erg_grid *g = e->grids;
  int32_t *table = erg_arena_alloc(&e->arena, sizeof *table << w->scores);
  if (!table) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  const int wider = w->probabilities > w->activations ? w->probabilities : w->activations;
  p->attention = (erg_attention){
      .accumulator_bits = erg_default_accumulator_bits(wider, w->activations),
      .query_zero_point = g[ERG_ENCODER_QUERY].zero_point,
      .key_zero_point = g[ERG_ENCODER_KEY].zero_point,
      .value_zero_point = g[ERG_ENCODER_VALUE].zero_point,
      .score_scale = {.scale = erg_requant_from_real(g[ERG_ENCODER_QUERY].scale * g[ERG_ENCODER_KEY].scale /
                                                     g[ERG_ENCODER_SCORES].scale)},
      .scores = codes_of(g[ERG_ENCODER_SCORES]),
      .softmax = &p->softmax,
      .mix_scale = {.scale = erg_requant_from_real(g[ERG_ENCODER_PROBABILITIES].scale * g[ERG_ENCODER_VALUE].scale /
                                                   g[ERG_ENCODER_MIX].scale)},
      .output = codes_of(g[ERG_ENCODER_MIX])};
  return erg_softmax_unit_init(g[ERG_ENCODER_SCORES], g[ERG_ENCODER_PROBABILITIES], FRACTION, table, &p->softmax,
                               error);
}

static erg_status make(erg_encoder *e, const erg_weights *weights, const erg_encoder_widths *w, erg_error *error) {
  struct erg_encoder_parts *p = e->parts = erg_arena_alloc(&e->arena, sizeof *p);
  if (!p) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  p->norms[0] = (norm_codes){.in = ERG_ENCODER_INPUT, .out = ERG_ENCODER_NORM1};
  p->norms[1] = (norm_codes){.in = ERG_ENCODER_MIDDLE, .out = ERG_ENCODER_NORM2};
  p->mean.scale =
      erg_requant_from_real(e->grids[ERG_ENCODER_FEATURES].scale / (e->grids[ERG_ENCODER_POOLED].scale * e->length));
  erg_status status = make_norm(e, weights, "norm1", &p->norms[0], error);
  if (status == ERG_OK) status = make_norm(e, weights, "norm2", &p->norms[1], error);
  for (int i = 0; i < ERG_ENCODER_LAYERS && status == ERG_OK; i++)
    status = make_layer(e, weights, w->weights, &erg_encoder_layers[i], &p->layers[i], error);
  return status == ERG_OK ? make_attention(e, w, error) : status;
}

erg_status erg_encoder_quantize(const erg_encoder_shape *shape, const erg_weights *weights, const erg_range *ranges,
                                const erg_encoder_widths *widths, int length, erg_encoder *out, erg_error *error) {
  erg_encoder e = {.shape = *shape, .length = length};
  erg_status status = check(widths, length, error);
  if (status != ERG_OK) return status;
  make_grids(&e, ranges, widths);
  status = make(&e, weights, widths, error);
  if (status == ERG_OK)
    *out = e;
  else
    erg_encoder_free(&e);
  return status;
}

static erg_status run_layer(const erg_encoder *e, int index, int64_t rows, int16_t *const *codes, erg_error *error) {
  const erg_encoder_layer *l = &erg_encoder_layers[index];
  const layer_codes *c = &e->parts->layers[index];
  const int channels = erg_encoder_channels(&e->shape, l->in), filters = erg_encoder_channels(&e->shape, l->out);
  const erg_conv2d_shape conv = {.in = {(int)rows, 1, 1, channels},
                                 .filters = filters,
                                 .kernel_h = 1,
                                 .kernel_w = 1,
                                 .stride_h = 1,
                                 .stride_w = 1,
                                 .groups = 1,
                                 .out_h = 1,
                                 .out_w = 1};
  const erg_codes out = codes_of(e->grids[l->out]);
  erg_epilogue epilogue = {.bias = c->bias,
                           .scale = c->scale,
                           .zero_point = out.zero_point,
                           .low = l->relu ? out.zero_point : out.low,
                           .high = out.high};
  if (l->residual >= 0) {
    epilogue.residual = codes[l->residual];
    epilogue.residual_zero_point = e->grids[l->residual].zero_point;
    epilogue.residual_scale = erg_requant_from_real(e->grids[l->residual].scale / e->grids[l->out].scale);
  }
  return erg_conv2d_s16(&conv, codes[l->in], e->grids[l->in].zero_point, c->weight, c->accumulator_bits, &epilogue,
                        codes[l->out], error);
}

static erg_status run_norm(const erg_encoder *e, const norm_codes *n, int64_t rows, int16_t *const *codes,
                           erg_error *error) {
  return erg_rms_norm_s16(rows, codes[n->in], e->grids[n->in].zero_point, n->epsilon, &n->affine, codes[n->out], error);
}

erg_status erg_encoder_run(const erg_encoder *e, const double *inputs, int count,
                           int16_t *const codes[ERG_ENCODER_TENSORS], erg_error *error) {
  if (count < 1 || count > 1 << 20)
    return erg_fail(error, ERG_ERR_DATA, "encoder: found %d sequences; allowed: 1 to 2^20", count);
  const struct erg_encoder_parts *p = e->parts;
  const int64_t rows = (int64_t)count * e->length;
  for (int64_t i = 0; i < rows * e->shape.width; i++)
    codes[ERG_ENCODER_INPUT][i] = erg_quantization_round(e->grids[ERG_ENCODER_INPUT], (long double)inputs[i]);
  erg_attention attention = p->attention;
  attention.shape = (erg_attention_shape){count, e->length, e->length, e->shape.width};
  const erg_codes pooled = codes_of(e->grids[ERG_ENCODER_POOLED]);
  int layer = 0;
  erg_status status = run_norm(e, &p->norms[0], rows, codes, error);
  while (erg_encoder_layers[layer].out != ERG_ENCODER_MIDDLE && status == ERG_OK)
    status = run_layer(e, layer++, rows, codes, error);
  if (status == ERG_OK)
    status = erg_attention_s16(&attention, codes[ERG_ENCODER_QUERY], codes[ERG_ENCODER_KEY], codes[ERG_ENCODER_VALUE],
                               codes[ERG_ENCODER_PROBABILITIES], codes[ERG_ENCODER_MIX], error);
  if (status == ERG_OK) status = run_layer(e, layer++, rows, codes, error);
  if (status == ERG_OK) status = run_norm(e, &p->norms[1], rows, codes, error);
  for (int i = 0; i < 2 && status == ERG_OK; i++) status = run_layer(e, layer++, rows, codes, error);
  if (status == ERG_OK)
    status = erg_global_avg_pool_s16((erg_shape){count, e->length, 1, e->shape.width}, codes[ERG_ENCODER_FEATURES],
                                     e->grids[ERG_ENCODER_FEATURES].zero_point, 32, &p->mean, &pooled,
                                     codes[ERG_ENCODER_POOLED], error);
  if (status == ERG_OK) status = run_layer(e, layer++, rows, codes, error);
  return status == ERG_OK ? run_layer(e, layer, count, codes, error) : status;
}

void erg_encoder_free(erg_encoder *encoder) {
  erg_arena_free(&encoder->arena);
  *encoder = (erg_encoder){0};
}
