/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A batch norm with running statistics as part of the array node before it: W' = W gamma/sqrt(var + epsilon) and
 * b' = beta + (b - mean) gamma/sqrt(var + epsilon). */
#include "shared.h"
#include <math.h>

static double inverse(const erg_tape_step *t, int64_t k) {
  return 1 / sqrt(t->attrs.running_var[k] + t->attrs.epsilon);
}

/* In the order of roundings of the kernels' fold. */
static double gain(const erg_tape_step *t, int64_t k) {
  return t->x[1][k] / sqrt(t->attrs.running_var[k] + t->attrs.epsilon);
}

static erg_status infer_weight(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                               int64_t *scratch, erg_error *error) {
  (void)saved, (void)scratch;
  *out = in[0];
  if (!attrs->running_var || !erg_same_shape(in[1], (erg_shape){1, 1, 1, in[0].n}))
    return erg_fail(error, ERG_ERR_DATA, "fold_weight: found %d gains, %d filters", in[1].c, in[0].n);
  return ERG_OK;
}

static void weight_forward(erg_tape_step *t) { /* w, gamma */
  int64_t each = erg_shape_elements(t->out) / t->out.n;
  for (int64_t k = 0; k < t->out.n; k++)
    for (int64_t i = k * each; i < (k + 1) * each; i++) t->y[i] = gain(t, k) * t->x[0][i];
}

static void weight_backward(erg_tape_step *t) {
  int64_t each = erg_shape_elements(t->out) / t->out.n;
  for (int64_t k = 0; k < t->out.n; k++)
    for (int64_t i = k * each; i < (k + 1) * each; i++) {
      if (t->dx[0]) t->dx[0][i] += t->dy[i] * t->x[1][k] * inverse(t, k);
      if (t->dx[1]) t->dx[1][k] += t->dy[i] * t->x[0][i] * inverse(t, k);
    }
}

static erg_status infer_bias(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                             int64_t *scratch, erg_error *error) {
  (void)saved, (void)scratch;
  *out = in[0];
  if (!attrs->running_mean || !attrs->running_var || !erg_same_shape(in[0], in[1]) || !erg_same_shape(in[0], in[2]))
    return erg_fail(error, ERG_ERR_DATA, "fold_bias: found %d, %d and %d channels", in[0].c, in[1].c, in[2].c);
  return ERG_OK;
}

static void bias_forward(erg_tape_step *t) { /* b, gamma, beta */
  for (int k = 0; k < t->out.c; k++) t->y[k] = t->x[2][k] + (t->x[0][k] - t->attrs.running_mean[k]) * gain(t, k);
}

static void bias_backward(erg_tape_step *t) {
  for (int k = 0; k < t->out.c; k++) {
    if (t->dx[0]) t->dx[0][k] += t->dy[k] * t->x[1][k] * inverse(t, k);
    if (t->dx[1]) t->dx[1][k] += t->dy[k] * (t->x[0][k] - t->attrs.running_mean[k]) * inverse(t, k);
    if (t->dx[2]) t->dx[2][k] += t->dy[k];
  }
}

static void statistics(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, int channels) {
  attrs->epsilon = 1e-5;
  attrs->running_mean = erg_arena_alloc(arena, sizeof(double) * (size_t)channels);
  attrs->running_var = erg_arena_alloc(arena, sizeof(double) * (size_t)channels);
  for (int c = 0; attrs->running_mean && attrs->running_var && c < channels; c++) {
    attrs->running_mean[c] = erg_random_normal(random);
    attrs->running_var[c] = 0.5 + erg_random_unit(random);
  }
}

static void weight_example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  in[0] = erg_example_map(random);
  in[1] = (erg_shape){1, 1, 1, in[0].n};
  statistics(random, arena, attrs, in[0].n);
}

static void bias_example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  in[0] = in[1] = in[2] = (erg_shape){1, 1, 1, erg_example_extent(random, 1, 6)};
  statistics(random, arena, attrs, in[0].c);
}

static const erg_tape_op fold_weight = {
    "fold_weight", "weights times a batch norm's gain", 2, infer_weight, weight_forward, weight_backward,
    weight_example};
ERG_REGISTER(erg_tape_op, fold_weight);
static const erg_tape_op fold_bias = {
    "fold_bias", "a bias through a batch norm", 3, infer_bias, bias_forward, bias_backward, bias_example};
ERG_REGISTER(erg_tape_op, fold_bias);
