/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Synthetic parameters: seeded weights and, per channel, the bias and multiplier that spread the outputs over the
 * codes, as training would have done. Nothing here comes from a trained network, and every report says so. */
#include "ergon/workloads.h"
#include <math.h>
#include <string.h>

#define SAMPLES 256

static int64_t top_code(int bits) {
  return ((int64_t)1 << (bits - 1)) - 1;
}

static int64_t limit(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

erg_status erg_synth_input(erg_arena *arena, erg_shape shape, int bits, uint64_t seed, int16_t **codes,
                           int32_t *zero_point, erg_error *error) {
  int64_t elements = erg_shape_elements(shape), top = top_code(bits);
  int16_t *made = erg_arena_alloc(arena, sizeof *made * (size_t)elements);
  if (!made) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory for %lld input codes", (long long)elements);
  erg_random random;
  erg_random_stream(&random, seed, "input");
  double phase = 6.28 * erg_random_unit(&random);
  for (int64_t i = 0; i < elements; i++) { /* a smooth wave a channel, plus noise */
    int64_t c = i % shape.c, w = i / shape.c % shape.w, h = i / shape.c / shape.w % shape.h;
    double wave = sin(phase + 0.05 * (double)(w + 2 * h) + 1.7 * (double)(c % 64));
    made[i] = (int16_t)limit(llround((double)top * (0.5 * wave + 0.3 * erg_random_normal(&random))), -top - 1, top);
  }
  *codes = made;
  *zero_point = (int32_t)erg_random_range(&random, -(top + 1) / 8, top / 8);
  return ERG_OK;
}

/* sum of (x - zero_point)*w of one output: a plain dot product of its own, not the golden kernel. */
static double sample(const erg_conv2d_shape *s, const int16_t *input, int32_t zero_point, const int16_t *filter, int k,
                     int64_t position) {
  int group_channels = s->in.c / s->groups, group = k / (s->filters / s->groups);
  int q = (int)(position % s->out_w), p = (int)(position / s->out_w % s->out_h),
      n = (int)(position / s->out_w / s->out_h);
  int64_t sum = 0;
  for (int r = 0; r < s->kernel_h; r++)
    for (int t = 0; t < s->kernel_w; t++) {
      int h = p * s->stride_h + r - s->pad_top, w = q * s->stride_w + t - s->pad_left;
      if (h < 0 || w < 0 || h >= s->in.h || w >= s->in.w) continue;
      const int16_t *x = input + (((int64_t)n * s->in.h + h) * s->in.w + w) * s->in.c + (int64_t)group * group_channels;
      const int16_t *f = filter + ((int64_t)r * s->kernel_w + t) * group_channels;
      for (int c = 0; c < group_channels; c++) sum += (int64_t)(x[c] - zero_point) * f[c];
    }
  return (double)sum;
}

/* The k-th of a sequence that fills [0, 1) evenly, however long it gets (golden ratio). */
static double evenly(double phase, int64_t k) {
  double at = phase + 0.6180339887498949 * (double)k;
  return at - floor(at);
}

static void make_weights(const erg_conv2d_shape *s, int bits, erg_random *random, int16_t *weight) {
  int64_t reduction = erg_conv2d_reduction(s), top = top_code(bits);
  double phase = erg_random_unit(random);
  for (int64_t k = 0; k < s->filters; k++) {
    /* Channels differ, as trained ones do: by a factor of up to four, so that shifts differ and not multipliers alone.
     */
    double spread = 0.45 * (double)top * exp2(-2 * evenly(phase, k));
    if (spread < 0.7) spread = 0.7;
    for (int64_t i = 0; i < reduction; i++)
      weight[k * reduction + i] = (int16_t)limit(llround(spread * erg_random_normal(random)), -top, top);
  }
  weight[0] = (int16_t)top; /* the rails occur */
  if (reduction > 1) weight[1] = (int16_t)-top;
}

/* Where the outputs shall lie, in codes: their spread and their mean above the zero point. */
typedef struct {
  double spread, mean;
} target;

static target choose_range(const erg_pass *pass, int bits, erg_random *random, erg_synth_layer *layer) {
  int64_t top = top_code(bits), span = 2 * top + 1;
  if (pass->clamp) { /* asymmetric: real 0 is the lowest code */
    layer->zero_point = layer->low = (int32_t)(-top - 1);
    layer->high = (int32_t)top;
    if (!isfinite(pass->clamp_high)) return (target){0.30 * (double)span, 0.10 * (double)span};
    /* An upper limit below the top code, and a spread that reaches it: or nobody would notice that it is missing. */
    layer->high -= (int32_t)(span < 32 ? 1 : span / 32);
    return (target){0.40 * (double)span, 0.10 * (double)span};
  }
  layer->low = (int32_t)(-top - 1);
  layer->high = (int32_t)top;
  layer->zero_point = (int32_t)erg_random_range(random, -(top + 1) / 16, top / 16);
  if (layer->zero_point == 0 && top >= 3) layer->zero_point = 1;
  return (target){0.18 * (double)span, 0};
}

/* All positions of a small map; of a large one the corners, where windows meet the padding, and one drawn from each of
 * equal stretches of the rest. */
static int choose_positions(const erg_conv2d_shape *s, erg_random *random, int64_t chosen[SAMPLES]) {
  int64_t positions = (int64_t)s->in.n * s->out_h * s->out_w, last = (int64_t)s->out_h * s->out_w - 1;
  if (positions <= SAMPLES) {
    for (int64_t i = 0; i < positions; i++) chosen[i] = i;
    return (int)positions;
  }
  const int64_t corners[] = {0, s->out_w - 1, last - s->out_w + 1, last};
  int count = (int)ERG_COUNT_OF(corners), rest = SAMPLES - count;
  memcpy(chosen, corners, sizeof corners);
  for (int64_t i = 0; i < rest; i++)
    chosen[count++] = erg_random_range(random, i * positions / rest, (i + 1) * positions / rest - 1);
  return count;
}

/* Sum and sum of squares of one channel's sampled outputs. */
typedef struct {
  double count, sum, squares;
} moments;

static double mean_of(const moments *m) {
  return m->sum / m->count;
}

static double spread_of(const moments *m) {
  double variance = m->squares / m->count - mean_of(m) * mean_of(m);
  return variance > 1 ? sqrt(variance) : 1; /* a map without spread divides by nothing */
}

static void add_to(moments *m, double x) {
  m->count++;
  m->sum += x;
  m->squares += x * x;
}

static erg_status calibrate(erg_arena *arena, const erg_pass *pass, erg_random *random, const int16_t *input,
                            int32_t zero_point, target aim, erg_synth_layer *layer, erg_error *error) {
  const erg_conv2d_shape *s = &pass->conv;
  int64_t reduction = erg_conv2d_reduction(s), chosen[SAMPLES];
  int count = choose_positions(s, random, chosen);
  bool few = count < 8;
  double share = pass->residual >= 0 ? M_SQRT1_2 : 1; /* the residual brings the other half of the variance */
  moments *channels = erg_arena_alloc(arena, sizeof *channels * (size_t)s->filters), all = {0};
  if (!channels) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int k = 0; k < s->filters; k++)
    for (int i = 0; i < count; i++) {
      double x = sample(s, input, zero_point, layer->weight + k * reduction, k, chosen[i]);
      add_to(&channels[k], x);
      add_to(&all, x);
    }
  for (int k = 0; k < s->filters; k++) {
    double spread = share * aim.spread, mean = aim.mean, jitter = 0.85 + 0.3 * erg_random_unit(random);
    double scale = jitter * spread / spread_of(&channels[k]);
    if (few) { /* too few positions to tell a spread: it is that of all channels, whose means are put side by side */
      scale = jitter * spread / spread_of(&all);
      mean += spread * 2.4 * (2 * evenly(0.62, k) - 1);
    }
    layer->scale[k] = erg_requant_from_real(scale);
    layer->bias[k] = llround(mean / scale - mean_of(&channels[k]));
  }
  return ERG_OK;
}

/* Its spread over the map, brought to the same share as the sum's; the bias takes its mean away. */
static void calibrate_residual(const erg_pass *pass, const int16_t *residual, int32_t zero_point, target aim,
                               erg_synth_layer *layer) {
  moments m = {0};
  for (int64_t i = 0; i < erg_shape_elements(pass->out_shape); i++) add_to(&m, residual[i] - zero_point);
  double scale = M_SQRT1_2 * aim.spread / spread_of(&m);
  layer->residual_zero_point = zero_point;
  layer->residual_scale = erg_requant_from_real(scale);
  for (int k = 0; k < pass->conv.filters; k++)
    layer->bias[k] -= llround(mean_of(&m) * scale / ldexp(layer->scale[k].multiplier, layer->scale[k].shift - 31));
}

erg_status erg_synth_make(erg_arena *arena, const erg_pass *pass, const erg_precision *precision, uint64_t seed,
                          const int16_t *input, int32_t input_zero_point, const int16_t *residual,
                          int32_t residual_zero_point, erg_synth_layer *out, erg_error *error) {
  if (pass->kind != ERG_PASS_ARRAY || !erg_precision_is_int(precision))
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: synthetic parameters exist for integer array passes", pass->name);
  const erg_conv2d_shape *s = &pass->conv;
  erg_synth_layer layer = {0};
  erg_random random;
  erg_random_stream(&random, seed, pass->name);
  layer.weight = erg_arena_alloc(arena, sizeof *layer.weight * (size_t)s->filters * (size_t)erg_conv2d_reduction(s));
  layer.bias = erg_arena_alloc(arena, sizeof *layer.bias * (size_t)s->filters);
  layer.scale = erg_arena_alloc(arena, sizeof *layer.scale * (size_t)s->filters);
  if (!layer.weight || !layer.bias || !layer.scale) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  make_weights(s, precision->weight_bits, &random, layer.weight);
  target aim = choose_range(pass, precision->output_bits, &random, &layer);
  erg_status status = calibrate(arena, pass, &random, input, input_zero_point, aim, &layer, error);
  if (status != ERG_OK) return status;
  if (residual) calibrate_residual(pass, residual, residual_zero_point, aim, &layer);
  *out = layer;
  return ERG_OK;
}
