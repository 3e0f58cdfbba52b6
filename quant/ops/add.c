/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shared.h"

static void forward(erg_tape_step *t) {
  for (int64_t i = 0; i < erg_shape_elements(t->out); i++) t->y[i] = t->x[0][i] + t->x[1][i];
}

static void backward(erg_tape_step *t) {
  for (int k = 0; k < 2; k++)
    for (int64_t i = 0; t->dx[k] && i < erg_shape_elements(t->out); i++) t->dx[k][i] += t->dy[i];
}

static const erg_tape_op add = {"add", "sum of two maps", 2, erg_tape_infer_pair, forward, backward, erg_example_pair};
ERG_REGISTER(erg_tape_op, add);
