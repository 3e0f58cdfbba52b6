/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statistics of the channels of each pixel. x, gamma, beta. */
#include "norm.h"

static erg_norm_groups groups_of(erg_shape s) {
  return (erg_norm_groups){(int64_t)s.n * s.h * s.w, s.c, s.c, 1, 1};
}

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  (void)attrs, (void)scratch;
  erg_norm_groups groups = groups_of(in[0]);
  *out = in[0];
  *saved = erg_norm_saved(in[0], &groups);
  return erg_norm_check(in, true, error);
}

static void forward(erg_tape_step *t) {
  erg_norm_groups groups = groups_of(t->out);
  erg_norm_forward(t, &groups, true, NULL, NULL);
}

static void backward(erg_tape_step *t) {
  erg_norm_groups groups = groups_of(t->out);
  erg_norm_backward(t, &groups, true);
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena;
  in[0] = erg_example_map(random);
  in[1] = in[2] = (erg_shape){1, 1, 1, in[0].c};
  attrs->epsilon = 0.1; /* a group of one element or nearly equal ones must not make the loss steep */
}

static const erg_tape_op layer_norm = {"layer_norm", "statistics of each pixel", 3, infer, forward, backward, example};
ERG_REGISTER(erg_tape_op, layer_norm);
