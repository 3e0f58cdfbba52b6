/* SPDX-License-Identifier: GPL-3.0-or-later */
/* y = x + b, b [1, 1, 1, C] */
#include "shared.h"

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  (void)attrs, (void)saved, (void)scratch;
  *out = in[0];
  return erg_tape_check_channels(in, 1, error);
}

static void forward(erg_tape_step *t) {
  int64_t rows = erg_shape_elements(t->out) / t->out.c;
  for (int64_t i = 0; i < rows; i++)
    for (int c = 0; c < t->out.c; c++) t->y[i * t->out.c + c] = t->x[0][i * t->out.c + c] + t->x[1][c];
}

static void backward(erg_tape_step *t) {
  int64_t rows = erg_shape_elements(t->out) / t->out.c;
  for (int64_t i = 0; i < rows; i++)
    for (int c = 0; c < t->out.c; c++) {
      double dy = t->dy[i * t->out.c + c];
      if (t->dx[0]) t->dx[0][i * t->out.c + c] += dy;
      if (t->dx[1]) t->dx[1][c] += dy;
    }
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena, (void)attrs;
  in[0] = erg_example_map(random);
  in[1] = (erg_shape){1, 1, 1, in[0].c};
}

static const erg_tape_op bias = {"bias", "a constant a channel", 2, infer, forward, backward, example};
ERG_REGISTER(erg_tape_op, bias);
