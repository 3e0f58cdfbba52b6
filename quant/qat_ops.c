/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "qat_ops.h"
#include <math.h>
#include <string.h>

static const erg_qat_pass *own(const erg_tape_step *t) {
  return t->attrs.own;
}

static erg_status infer_first(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                              int64_t *scratch, erg_error *error) {
  (void)attrs, (void)scratch, (void)error;
  *out = in[0];
  *saved = erg_shape_elements(in[0]);
  return ERG_OK;
}

int64_t erg_fake_code(double real, double scale) {
  return llround(real / scale);
}

int64_t erg_fake_requantize(int64_t x, erg_requant scale, int accumulator_bits) {
  int64_t m = scale.multiplier;
  int t = 31 - scale.shift;
  if (accumulator_bits > 32) {
    m = m >= 0x7FFF0000 ? 0x7FFF : (m + 0x8000) >> 16;
    t -= 16;
  }
  __int128 product = (__int128)x * m;
  if (t < 1) product *= (__int128)1 << (1 - t), t = 1; /* exact: half a unit is never reached */
  product = (product + ((__int128)1 << (t - 1))) >> t;
  return product > INT64_MAX ? INT64_MAX : product < INT64_MIN ? INT64_MIN : (int64_t)product;
}

static int64_t wrap(int64_t x, int bits) {
  int spare = 64 - bits;
  return (int64_t)((uint64_t)x << spare) >> spare;
}

static double clamp(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}

/* ---------------------------------------------------------------- input */

static void input_forward(erg_tape_step *t) {
  erg_grid g = own(t)->stored;
  double top = ldexp(1, g.bits - 1) - 1;
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    double code = clamp(rint(t->x[0][i] / g.scale) + g.zero_point, -top - 1, top);
    t->y[i] = (code - g.zero_point) * g.scale;
  }
}

static void no_backward(erg_tape_step *t) {
  (void)t;
}

const erg_tape_op erg_fake_input = {"fake_input", "", 1, infer_first, input_forward, no_backward, NULL};

/* ---------------------------------------------------------------- weights */

static void weight_forward(erg_tape_step *t) {
  const erg_quantized_layer *l = own(t)->layer;
  double top = ldexp(1, l->precision.weight_bits - 1) - 1;
  int64_t each = erg_shape_elements(t->out) / t->out.n;
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    double scale = l->weight_scale[i / each], code = rint(t->x[0][i] / scale);
    t->saved[i] = fabs(code) <= top;
    t->y[i] = scale * clamp(code, -top, top);
  }
}

/* Through the clip as the rule has it. */
static void masked_backward(erg_tape_step *t) {
  bool all = own(t)->rule == ERG_QAT_IDENTITY;
  for (int64_t i = 0; t->dx[0] && i < erg_shape_elements(t->out); i++)
    if (all || t->saved[i] != 0) t->dx[0][i] += t->dy[i];
}

const erg_tape_op erg_fake_weight = {"fake_weight", "", 1, infer_first, weight_forward, masked_backward, NULL};

/* ---------------------------------------------------------------- epilogue */

static void epilogue_forward(erg_tape_step *t) {
  const erg_quantized_layer *l = own(t)->layer;
  int bits = l->precision.accumulator_bits, channels = t->out.c;
  erg_requant residual_scale = {0};
  if (t->x[2]) residual_scale = erg_requant_from_real(l->residual.scale / l->output.scale);
  for (int k = 0; k < channels; k++) {
    double step = l->input.scale * l->weight_scale[k];
    int64_t bias = (int64_t)rint(t->x[1][k] / step);
    erg_requant scale = erg_requant_from_real(step / l->output.scale);
    for (int64_t i = k; i < erg_shape_elements(t->out); i += channels) {
      int64_t sum = wrap(erg_fake_code(t->x[0][i], step) + bias, bits);
      int64_t v = l->output.zero_point + erg_fake_requantize(sum, scale, bits);
      if (t->x[2]) v += erg_fake_requantize(erg_fake_code(t->x[2][i], l->residual.scale), residual_scale, 32);
      t->saved[i] = v >= l->codes.low && v <= l->codes.high;
      v = v < l->codes.low ? l->codes.low : v > l->codes.high ? l->codes.high : v;
      t->y[i] = (double)(v - l->output.zero_point) * l->output.scale;
    }
  }
}

static void epilogue_backward(erg_tape_step *t) {
  const erg_qat_pass *p = own(t);
  if (p->rule == ERG_QAT_ZERO && !p->last) return;
  bool all = p->rule == ERG_QAT_IDENTITY;
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    if (!all && t->saved[i] == 0) continue;
    if (t->dx[0]) t->dx[0][i] += t->dy[i];
    if (t->dx[1]) t->dx[1][i % t->out.c] += t->dy[i];
    if (t->dx[2]) t->dx[2][i] += t->dy[i];
  }
}

const erg_tape_op erg_fake_epilogue = {"fake_epilogue", "", 2, infer_first, epilogue_forward, epilogue_backward, NULL};
const erg_tape_op erg_fake_epilogue_residual = {"fake_epilogue_residual", "",  3, infer_first, epilogue_forward,
                                                epilogue_backward,        NULL};

/* ---------------------------------------------------------------- passes without the array */

static void gate_forward(erg_tape_step *t) {
  const erg_qat_pass *p = own(t);
  const erg_quantized_layer *l = p->layer;
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    int64_t code = erg_fake_code(t->x[0][i], p->before.scale) + p->before.zero_point;
    t->y[i] = (l->table[code + ((int64_t)1 << (l->table_bits - 1))] - p->stored.zero_point) * p->stored.scale;
  }
}

static void smooth_backward(erg_tape_step *t) {
  const erg_qat_pass *p = own(t);
  if (p->rule == ERG_QAT_ZERO) return;
  p->smooth->backward(t);
}

static void gate_backward(erg_tape_step *t) {
  if (own(t)->rule != ERG_QAT_IDENTITY) {
    smooth_backward(t);
    return;
  }
  for (int64_t i = 0; t->dx[0] && i < erg_shape_elements(t->out); i++) t->dx[0][i] += t->dy[i];
}

const erg_tape_op erg_fake_gate = {"fake_gate", "", 1, infer_first, gate_forward, gate_backward, NULL};

static erg_status infer_average(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                                int64_t *scratch, erg_error *error) {
  erg_status status = erg_tape_op_find("avg_pool")->infer(attrs, in, out, saved, scratch, error);
  *saved = *scratch = erg_shape_elements(*out); /* inside the clamp's limits; the gradient there */
  return status;
}

/* The mean of a whole map has a grid of its own; a scale is there for it alone. */
static double requantized_mean(const erg_quantized_layer *l, int64_t sum, double *inside) {
  const erg_map_mean *m = &l->map_mean;
  int64_t v = m->codes.zero_point + erg_fake_requantize(sum, m->scale.scale, m->accumulator_bits);
  *inside = v >= m->codes.low && v <= m->codes.high;
  v = v < m->codes.low ? m->codes.low : v > m->codes.high ? m->codes.high : v;
  return (double)(v - m->codes.zero_point) * l->output.scale;
}

/* The mean in double lies within 2^-40 of the rational number; ties are taken apart from it by the sum of codes. */
static void average_forward(erg_tape_step *t) {
  const erg_pool_shape *p = &t->attrs.pool;
  double scale = own(t)->layer->input.scale;
  bool mean_of_map = own(t)->layer->map_mean.accumulator_bits > 0;
  own(t)->smooth->forward(t);
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    int64_t q = i / p->in.c % p->out_w, r = i / p->in.c / p->out_w % p->out_h;
    int64_t h = r * p->stride_h - p->pad_top, w = q * p->stride_w - p->pad_left;
    int64_t rows = (h + p->kernel_h < p->in.h ? h + p->kernel_h : p->in.h) - (h < 0 ? 0 : h);
    int64_t columns = (w + p->kernel_w < p->in.w ? w + p->kernel_w : p->in.w) - (w < 0 ? 0 : w), n = rows * columns;
    int64_t sum = erg_fake_code(t->y[i] * (double)n, scale), magnitude = sum < 0 ? -sum : sum;
    int64_t mean = (2 * magnitude + n) / (2 * n); /* half away from zero */
    t->saved[i] = 1;
    t->y[i] =
        mean_of_map ? requantized_mean(own(t)->layer, sum, &t->saved[i]) : (double)(sum < 0 ? -mean : mean) * scale;
  }
}

static void average_backward(erg_tape_step *t) {
  bool all = own(t)->rule == ERG_QAT_IDENTITY;
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) t->scratch[i] = all || t->saved[i] != 0 ? t->dy[i] : 0;
  erg_tape_step inside = *t;
  inside.dy = t->scratch;
  smooth_backward(&inside);
}

const erg_tape_op erg_fake_average = {"fake_average", "", 1, infer_average, average_forward, average_backward, NULL};

static void clamp_forward(erg_tape_step *t) {
  const erg_quantized_layer *l = own(t)->layer;
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    int64_t code = erg_fake_code(t->x[0][i], l->input.scale) + l->input.zero_point;
    t->saved[i] = code >= l->low && code <= l->high;
    code = code < l->low ? l->low : code > l->high ? l->high : code;
    t->y[i] = (double)(code - l->input.zero_point) * l->input.scale;
  }
}

const erg_tape_op erg_fake_clamp = {"fake_clamp", "", 1, infer_first, clamp_forward, masked_backward, NULL};

static void add_forward(erg_tape_step *t) {
  const erg_quantized_layer *l = own(t)->layer;
  erg_requant a = erg_requant_from_real(l->input.scale / l->output.scale);
  erg_requant b = erg_requant_from_real(l->residual.scale / l->output.scale);
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    int64_t v = l->output.zero_point + erg_fake_requantize(erg_fake_code(t->x[0][i], l->input.scale), a, 32) +
                erg_fake_requantize(erg_fake_code(t->x[1][i], l->residual.scale), b, 32);
    t->saved[i] = v >= l->low && v <= l->high;
    v = v < l->low ? l->low : v > l->high ? l->high : v;
    t->y[i] = (double)(v - l->output.zero_point) * l->output.scale;
  }
}

static void add_backward(erg_tape_step *t) {
  if (own(t)->rule == ERG_QAT_ZERO) return;
  bool all = own(t)->rule == ERG_QAT_IDENTITY;
  for (int k = 0; k < 2; k++)
    for (int64_t i = 0; t->dx[k] && i < erg_shape_elements(t->out); i++)
      if (all || t->saved[i] != 0) t->dx[k][i] += t->dy[i];
}

const erg_tape_op erg_fake_add = {"fake_add", "", 2, infer_first, add_forward, add_backward, NULL};
