/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x, gamma, beta. Training: statistics of each channel of the batch, and the running ones move towards them (the
 * variance without bias, as PyTorch has it). Else: the running ones, an affine a channel. */
#include "norm.h"
#include <math.h>

static erg_norm_groups groups_of(erg_shape s) {
  return (erg_norm_groups){s.c, (int64_t)s.n * s.h * s.w, 0, s.c, s.c};
}

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  erg_norm_groups groups = groups_of(in[0]);
  *out = in[0];
  *saved = attrs->training ? erg_norm_saved(in[0], &groups) : 0;
  *scratch = 2 * (int64_t)in[0].c;
  if (attrs->training && groups.count < 2)
    return erg_fail(error, ERG_ERR_DATA, "batch_norm: found one value a channel in the batch; a variance needs two");
  if (!attrs->training && (!attrs->running_mean || !attrs->running_var))
    return erg_fail(error, ERG_ERR_DATA, "batch_norm: no running statistics");
  return erg_norm_check(in, true, error);
}

static void forward(erg_tape_step *t) {
  const erg_tape_attrs *a = &t->attrs;
  int channels = t->out.c;
  if (!a->training) {
    for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
      int64_t c = i % channels;
      double scale = t->x[1][c] / sqrt(a->running_var[c] + a->epsilon);
      t->y[i] = scale * (t->x[0][i] - a->running_mean[c]) + t->x[2][c];
    }
    return;
  }
  erg_norm_groups groups = groups_of(t->out);
  double *mean = t->scratch, *variance = t->scratch + channels;
  erg_norm_forward(t, &groups, true, mean, variance);
  double unbiased = (double)groups.count / (double)(groups.count - 1), m = a->momentum;
  for (int c = 0; a->running_mean && a->running_var && c < channels; c++) {
    a->running_mean[c] = (1 - m) * a->running_mean[c] + m * mean[c];
    a->running_var[c] = (1 - m) * a->running_var[c] + m * unbiased * variance[c];
  }
}

static void backward(erg_tape_step *t) {
  const erg_tape_attrs *a = &t->attrs;
  erg_norm_groups groups = groups_of(t->out);
  if (a->training) {
    erg_norm_backward(t, &groups, true);
    return;
  }
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) {
    int64_t c = i % t->out.c;
    double inverse = 1 / sqrt(a->running_var[c] + a->epsilon);
    if (t->dx[0]) t->dx[0][i] += t->dy[i] * t->x[1][c] * inverse;
    if (t->dx[1]) t->dx[1][c] += t->dy[i] * (t->x[0][i] - a->running_mean[c]) * inverse;
    if (t->dx[2]) t->dx[2][c] += t->dy[i];
  }
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  in[0] = erg_example_map(random);
  in[0].n++;
  in[1] = in[2] = (erg_shape){1, 1, 1, in[0].c};
  attrs->epsilon = 0.1;
  attrs->training = erg_example_extent(random, 0, 1);
  if (attrs->training) return;
  attrs->running_mean = erg_arena_alloc(arena, sizeof(double) * (size_t)in[0].c);
  attrs->running_var = erg_arena_alloc(arena, sizeof(double) * (size_t)in[0].c);
  for (int c = 0; attrs->running_mean && attrs->running_var && c < in[0].c; c++) {
    attrs->running_mean[c] = erg_random_normal(random);
    attrs->running_var[c] = 0.5 + erg_random_unit(random);
  }
}

static const erg_tape_op batch_norm = {
    "batch_norm", "statistics of each channel of the batch, or running ones", 3, infer, forward, backward, example};
ERG_REGISTER(erg_tape_op, batch_norm);
