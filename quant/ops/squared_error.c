/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mean of (a - b)^2 over all elements: one element. */
#include "shared.h"

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  erg_status status = erg_tape_infer_pair(attrs, in, out, saved, scratch, error);
  *out = (erg_shape){1, 1, 1, 1};
  return status;
}

static void forward(erg_tape_step *t) {
  const int64_t count = erg_shape_elements(t->in[0]);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (t->x[0][i] - t->x[1][i]) * (t->x[0][i] - t->x[1][i]);
  t->y[0] = sum / (double)count;
}

static void backward(erg_tape_step *t) {
  const int64_t count = erg_shape_elements(t->in[0]);
  const double share = 2 * t->dy[0] / (double)count;
  for (int k = 0; k < 2; k++)
    for (int64_t i = 0; t->dx[k] && i < count; i++) t->dx[k][i] += share * (t->x[k][i] - t->x[1 - k][i]);
}

static const erg_tape_op squared_error = {
    "squared_error", "mean squared difference of two maps", 2, infer, forward, backward, erg_example_pair};
ERG_REGISTER(erg_tape_op, squared_error);
