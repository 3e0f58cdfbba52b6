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

static void make_weights(const erg_conv2d_shape *s, int bits, erg_random *random, int16_t *weight) {
  int64_t reduction = erg_conv2d_reduction(s), top = top_code(bits);
  for (int64_t k = 0; k < s->filters; k++) {
    double spread = (0.2 + 0.25 * erg_random_unit(random)) * (double)top; /* channels differ, as trained ones do */
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
    layer->high = (int32_t)(isfinite(pass->clamp_high) ? top - span / 32 : top);
    return (target){0.30 * (double)span, 0.10 * (double)span};
  }
  layer->low = (int32_t)(-top - 1);
  layer->high = (int32_t)top;
  layer->zero_point = (int32_t)erg_random_range(random, -(top + 1) / 16, top / 16);
  if (layer->zero_point == 0 && top >= 16) layer->zero_point = 1;
  return (target){0.18 * (double)span, 0};
}

static void calibrate(const erg_pass *pass, erg_random *random, const int16_t *input, int32_t zero_point, target aim,
                      erg_synth_layer *layer) {
  const erg_conv2d_shape *s = &pass->conv;
  int64_t positions = (int64_t)s->in.n * s->out_h * s->out_w, reduction = erg_conv2d_reduction(s);
  int64_t samples = positions < SAMPLES ? positions : SAMPLES;
  double share = pass->residual >= 0 ? M_SQRT1_2 : 1; /* the residual brings the other half of the variance */
  /* One position says nothing about spread: then the spread over all channels serves. */
  double all_sum = 0, all_squares = 0;
  for (int pass_over = positions < 8 ? 0 : 1; pass_over < 2; pass_over++)
    for (int k = 0; k < s->filters; k++) {
      double sum = 0, squares = 0;
      for (int64_t i = 0; i < samples; i++) {
        /* Evenly over the map, from the first corner to the last. */
        int64_t position = samples > 1 ? i * (positions - 1) / (samples - 1) : 0;
        double x = sample(s, input, zero_point, layer->weight + k * reduction, k, position);
        sum += x;
        squares += x * x;
      }
      if (pass_over == 0) {
        all_sum += sum;
        all_squares += squares;
        continue;
      }
      double n = (double)samples, mean = sum / n, variance = squares / n - mean * mean;
      if (positions < 8) {
        n *= s->filters;
        variance = all_squares / n - all_sum / n * (all_sum / n);
        mean = all_sum / n;
      }
      double spread = variance > 1 ? sqrt(variance) : 1;
      double scale = share * aim.spread / spread * (0.85 + 0.3 * erg_random_unit(random));
      layer->scale[k] = erg_requant_from_real(scale);
      layer->bias[k] = llround(aim.mean / scale - mean);
    }
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
  calibrate(pass, &random, input, input_zero_point, aim, &layer);
  if (residual) { /* its spread over the map, brought to the same share as the sum's */
    int64_t elements = erg_shape_elements(pass->out_shape);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < elements; i++) {
      double x = residual[i] - residual_zero_point;
      sum += x;
      squares += x * x;
    }
    double variance = squares / (double)elements - pow(sum / (double)elements, 2);
    double scale = M_SQRT1_2 * aim.spread / (variance > 1 ? sqrt(variance) : 1);
    layer.residual_zero_point = residual_zero_point;
    layer.residual_scale = erg_requant_from_real(scale);
    double shift = sum / (double)elements * scale; /* the bias takes the residual's mean away */
    for (int k = 0; k < s->filters; k++) {
      double real = (double)layer.scale[k].multiplier * pow(2, layer.scale[k].shift - 31);
      layer.bias[k] -= llround(shift / real);
    }
  }
  *out = layer;
  return ERG_OK;
}
