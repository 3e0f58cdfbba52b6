/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Over the channels of every pixel; the largest is taken off first. */
#include "shared.h"
#include <math.h>

static void forward(erg_tape_step *t) {
  int channels = t->out.c;
  for (int64_t at = 0; at < erg_shape_elements(t->out); at += channels) {
    const double *x = t->x[0] + at;
    double most = x[0], sum = 0;
    for (int c = 1; c < channels; c++) most = fmax(most, x[c]);
    for (int c = 0; c < channels; c++) sum += t->y[at + c] = exp(x[c] - most);
    for (int c = 0; c < channels; c++) t->y[at + c] /= sum;
  }
}

static void backward(erg_tape_step *t) {
  int channels = t->out.c;
  for (int64_t at = 0; t->dx[0] && at < erg_shape_elements(t->out); at += channels) {
    double sum = 0;
    for (int c = 0; c < channels; c++) sum += t->y[at + c] * t->dy[at + c];
    for (int c = 0; c < channels; c++) t->dx[0][at + c] += t->y[at + c] * (t->dy[at + c] - sum);
  }
}

static const erg_tape_op softmax = {
    "softmax", "over the channels of every pixel", 1, erg_tape_infer_same, forward, backward, erg_example_one};
ERG_REGISTER(erg_tape_op, softmax);
