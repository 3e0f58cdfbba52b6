/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shared.h"

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  (void)attrs, (void)saved, (void)scratch;
  if (!erg_same_shape(in[1], (erg_shape){in[0].n, 1, 1, in[0].c}))
    return erg_fail(error, ERG_ERR_DATA, "found [%d, %d, %d, %d] a channel; allowed: [%d, 1, 1, %d]", in[1].n, in[1].h,
                    in[1].w, in[1].c, in[0].n, in[0].c);
  *out = in[0];
  return ERG_OK;
}

static void forward(erg_tape_step *t) {
  int channels = t->out.c;
  int64_t map = (int64_t)t->out.h * t->out.w;
  for (int64_t row = 0, i = 0; row < t->out.n * map; row++)
    for (int c = 0; c < channels; c++, i++) t->y[i] = t->x[0][i] * t->x[1][row / map * channels + c];
}

static void backward(erg_tape_step *t) {
  int channels = t->out.c;
  int64_t map = (int64_t)t->out.h * t->out.w;
  for (int64_t row = 0, i = 0; row < t->out.n * map; row++)
    for (int c = 0; c < channels; c++, i++) {
      int64_t gate = row / map * channels + c;
      if (t->dx[0]) t->dx[0][i] += t->dy[i] * t->x[1][gate];
      if (t->dx[1]) t->dx[1][gate] += t->dy[i] * t->x[0][i];
    }
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena, (void)attrs;
  in[0] = erg_example_map(random);
  in[1] = (erg_shape){in[0].n, 1, 1, in[0].c};
}

static const erg_tape_op channel_mul = {
    "channel_mul", "product of a map and a number a channel", 2, infer, forward, backward, example};
ERG_REGISTER(erg_tape_op, channel_mul);
