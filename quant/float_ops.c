/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "float_ops.h"
#include <math.h>
#include <string.h>

/* One tap of one output pixel: `channels` inputs of a group to its `filters` sums. */
static void add_tap(const double *restrict input, const double *restrict weight, int channels, int filters, int stride,
                    double *restrict sums) {
  for (int c = 0; c < channels; c++, weight += stride)
    for (int k = 0; k < filters; k++) sums[k] += input[c] * weight[k];
}

/* One output pixel of all filters; taps outside the map add nothing. Weights [R, S, C/groups, K]. */
static void pixel(const erg_conv2d_shape *s, const double *input, const double *weight, int n, int p, int q,
                  double *sums) {
  int channels = s->in.c / s->groups, filters = s->filters / s->groups;
  for (int r = 0; r < s->kernel_h; r++) {
    int h = p * s->stride_h - s->pad_top + r * (s->dilation_h > 1 ? s->dilation_h : 1);
    if (h < 0 || h >= s->in.h) continue;
    for (int t = 0; t < s->kernel_w; t++) {
      int w = q * s->stride_w - s->pad_left + t * (s->dilation_w > 1 ? s->dilation_w : 1);
      if (w < 0 || w >= s->in.w) continue;
      const double *x = input + (((int64_t)n * s->in.h + h) * s->in.w + w) * s->in.c;
      const double *tap = weight + ((int64_t)r * s->kernel_w + t) * channels * s->filters;
      for (int g = 0; g < s->groups; g++)
        add_tap(x + g * channels, tap + g * filters, channels, filters, s->filters, sums + g * filters);
    }
  }
}

void erg_float_transpose(int filters, int64_t reduction, const double *weight, double *transposed) {
  for (int64_t i = 0; i < reduction; i++)
    for (int k = 0; k < filters; k++) transposed[i * filters + k] = weight[k * reduction + i];
}

static void array(const erg_node *node, erg_shape in, const erg_float_values *v, const double *input, double *output) {
  erg_conv2d_shape s;
  node->op->conv(&node->attrs, &in, &s);
  for (int n = 0; n < in.n; n++)
    for (int p = 0; p < s.out_h; p++)
      for (int q = 0; q < s.out_w; q++, output += s.filters) {
        for (int k = 0; k < s.filters; k++) output[k] = v->bias ? v->bias[k] : 0;
        pixel(&s, input, v->weight, n, p, q, output);
      }
}

static void pool(const erg_node *node, erg_shape in, const double *input, double *output) {
  erg_pool_shape s;
  node->op->pool(&node->attrs, &in, &s);
  bool average = strstr(node->op->name, "avg") != NULL;
  for (int n = 0; n < in.n; n++)
    for (int p = 0; p < s.out_h; p++)
      for (int q = 0; q < s.out_w; q++)
        for (int c = 0; c < in.c; c++) {
          double most = -INFINITY, sum = 0;
          int count = 0;
          for (int h = p * s.stride_h - s.pad_top, r = 0; r < s.kernel_h; r++, h++)
            for (int w = q * s.stride_w - s.pad_left, t = 0; t < s.kernel_w; t++, w++) {
              if (h < 0 || h >= in.h || w < 0 || w >= in.w) continue;
              double x = input[(((int64_t)n * in.h + h) * in.w + w) * in.c + c];
              most = fmax(most, x);
              sum += x;
              count++;
            }
          *output++ = average ? sum / count : most;
        }
}

static void batch_norm(erg_shape in, const erg_float_values *v, const double *x, double *y) {
  for (int64_t i = 0; i < erg_shape_elements(in); i++) {
    int64_t c = i % in.c;
    y[i] = v->weight[c] * (x[i] - v->mean[c]) / sqrt(v->variance[c] + ERG_NORM_EPSILON) + v->bias[c];
  }
}

/* One group of a dynamic norm: `count` values, `stride` apart. Channels follow the group's kind. */
static void norm_group(const double *x, double *y, int64_t count, int64_t stride, bool centred,
                       const erg_float_values *v, int64_t channel) {
  double mean = 0, squares = 0;
  for (int64_t i = 0; i < count && centred; i++) mean += x[i * stride] / (double)count;
  for (int64_t i = 0; i < count; i++) squares += (x[i * stride] - mean) * (x[i * stride] - mean);
  double scale = 1 / sqrt(squares / (double)count + ERG_NORM_EPSILON);
  for (int64_t i = 0; i < count; i++) {
    int64_t c = channel >= 0 ? channel : i;
    y[i * stride] = (v->weight ? v->weight[c] : 1) * (x[i * stride] - mean) * scale + (v->bias ? v->bias[c] : 0);
  }
}

static void norm(erg_norm_kind kind, erg_shape in, const erg_float_values *v, const double *x, double *y) {
  int64_t map = (int64_t)in.h * in.w;
  if (kind == ERG_NORM_INSTANCE) {
    for (int64_t n = 0; n < in.n; n++)
      for (int64_t c = 0; c < in.c; c++) {
        int64_t at = n * map * in.c + c;
        norm_group(x + at, y + at, map, in.c, true, v, c);
      }
    return;
  }
  for (int64_t row = 0; row < in.n * map; row++)
    norm_group(x + row * in.c, y + row * in.c, in.c, 1, kind == ERG_NORM_LAYER, v, -1);
}

void erg_float_node(const erg_node *node, erg_shape in, const erg_float_values *values, const double *const *operands,
                    double *output) {
  const double *a = operands[0], *b = operands[1];
  int64_t count = erg_shape_elements(node->out);
  const erg_op *op = node->op;
  if (op->role == ERG_ROLE_ARRAY) {
    array(node, in, values, a, output);
  } else if (op->role == ERG_ROLE_BATCH_NORM) {
    batch_norm(in, values, a, output);
  } else if (op->norm) {
    norm(op->norm, in, values, a, output);
  } else if (op->pool) {
    pool(node, in, a, output);
  } else if (op->role == ERG_ROLE_CLAMP) {
    for (int64_t i = 0; i < count; i++) output[i] = fmin(fmax(a[i], 0), op->clamp_high);
  } else if (op->gate) {
    const erg_gate *gate = erg_gate_find(op->gate);
    for (int64_t i = 0; i < count; i++) output[i] = (double)gate->exact(a[i]);
  } else if (op->role == ERG_ROLE_ADD) {
    for (int64_t i = 0; i < count; i++) output[i] = a[i] + b[i];
  } else if (op->by_channel) {
    int64_t image = count / in.n;
    for (int64_t i = 0; i < count; i++) output[i] = a[i] * b[i / image * in.c + i % in.c];
  } else { /* mul, the one operator left */
    for (int64_t i = 0; i < count; i++) output[i] = a[i] * b[i];
  }
}
