/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "norm.h"
#include <math.h>

int64_t erg_norm_saved(erg_shape shape, const erg_norm_groups *g) {
  return erg_shape_elements(shape) + g->groups;
}

erg_status erg_norm_check(const erg_shape *in, bool beta, erg_error *error) {
  erg_status status = erg_tape_check_channels(in, 1, error);
  return status == ERG_OK && beta ? erg_tape_check_channels(in, 2, error) : status;
}

static int64_t start(const erg_norm_groups *g, int64_t group) {
  return group / g->inner * g->outer + group % g->inner;
}

void erg_norm_forward(erg_tape_step *t, const erg_norm_groups *g, bool centred, double *means, double *variances) {
  double *xhat = t->saved, *inverse = t->saved + erg_shape_elements(t->out);
  for (int64_t group = 0; group < g->groups; group++) {
    double mean = 0, variance = 0;
    int64_t first = start(g, group), at = first;
    for (int64_t e = 0; centred && e < g->count; e++, at += g->stride) mean += t->x[0][at];
    mean /= (double)g->count;
    at = first;
    for (int64_t e = 0; e < g->count; e++, at += g->stride) variance += (t->x[0][at] - mean) * (t->x[0][at] - mean);
    variance /= (double)g->count;
    inverse[group] = 1 / sqrt(variance + t->attrs.epsilon);
    if (means) means[group] = mean;
    if (variances) variances[group] = variance;
    at = first;
    for (int64_t e = 0; e < g->count; e++, at += g->stride) {
      xhat[at] = (t->x[0][at] - mean) * inverse[group];
      int64_t c = at % t->out.c;
      t->y[at] = t->x[1][c] * xhat[at] + (centred ? t->x[2][c] : 0);
    }
  }
}

/* d = dy gamma; dx = (d - mean(d) - xhat mean(d xhat))/sqrt(variance + epsilon), without mean(d) where not centred. */
void erg_norm_backward(erg_tape_step *t, const erg_norm_groups *g, bool centred) {
  const double *xhat = t->saved, *inverse = t->saved + erg_shape_elements(t->out);
  for (int64_t group = 0; group < g->groups; group++) {
    double sum = 0, product = 0;
    int64_t first = start(g, group), at = first;
    for (int64_t e = 0; e < g->count; e++, at += g->stride) {
      int64_t c = at % t->out.c;
      double d = t->dy[at] * t->x[1][c];
      sum += d;
      product += d * xhat[at];
      if (t->dx[1]) t->dx[1][c] += t->dy[at] * xhat[at];
      if (centred && t->dx[2]) t->dx[2][c] += t->dy[at];
    }
    sum = centred ? sum / (double)g->count : 0;
    product /= (double)g->count;
    at = first;
    for (int64_t e = 0; t->dx[0] && e < g->count; e++, at += g->stride)
      t->dx[0][at] += inverse[group] * (t->dy[at] * t->x[1][at % t->out.c] - sum - xhat[at] * product);
  }
}
