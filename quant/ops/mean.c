/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mean of everything: one element. */
#include "shared.h"

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  (void)attrs, (void)in, (void)saved, (void)scratch, (void)error;
  *out = (erg_shape){1, 1, 1, 1};
  return ERG_OK;
}

static void forward(erg_tape_step *t) {
  int64_t elements = erg_shape_elements(t->in[0]);
  double sum = 0;
  for (int64_t i = 0; i < elements; i++) sum += t->x[0][i];
  t->y[0] = sum / (double)elements;
}

static void backward(erg_tape_step *t) {
  int64_t elements = erg_shape_elements(t->in[0]);
  for (int64_t i = 0; t->dx[0] && i < elements; i++) t->dx[0][i] += t->dy[0] / (double)elements;
}

static const erg_tape_op mean = {"mean", "mean of all elements", 1, infer, forward, backward, erg_example_one};
ERG_REGISTER(erg_tape_op, mean);
