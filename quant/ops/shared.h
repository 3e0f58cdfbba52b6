/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant/ops. */
#ifndef ERGON_QUANT_OPS_SHARED_H
#define ERGON_QUANT_OPS_SHARED_H
#include "ergon/tape.h"

static inline bool erg_same_shape(erg_shape a, erg_shape b) {
  return a.n == b.n && a.h == b.h && a.w == b.w && a.c == b.c;
}

static inline erg_status erg_tape_infer_same(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out,
                                             int64_t *saved, int64_t *scratch, erg_error *error) {
  (void)attrs, (void)saved, (void)scratch, (void)error;
  *out = in[0];
  return ERG_OK;
}

/* Two maps of one shape. */
static inline erg_status erg_tape_infer_pair(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out,
                                             int64_t *saved, int64_t *scratch, erg_error *error) {
  (void)attrs, (void)saved, (void)scratch;
  if (!erg_same_shape(in[0], in[1]))
    return erg_fail(error, ERG_ERR_DATA, "found inputs [%d, %d, %d, %d] and [%d, %d, %d, %d]; allowed: equal shapes",
                    in[0].n, in[0].h, in[0].w, in[0].c, in[1].n, in[1].h, in[1].w, in[1].c);
  *out = in[0];
  return ERG_OK;
}

/* `in[index]` must be [1, 1, 1, C] with C channels of in[0]: an affine of norms, a bias. */
static inline erg_status erg_tape_check_channels(const erg_shape *in, int index, erg_error *error) {
  if (erg_same_shape(in[index], (erg_shape){1, 1, 1, in[0].c})) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "found [%d, %d, %d, %d] a channel; allowed: [1, 1, 1, %d]", in[index].n,
                  in[index].h, in[index].w, in[index].c, in[0].c);
}

static inline int erg_example_extent(erg_random *random, int low, int high) {
  return (int)erg_random_range(random, low, high);
}

static inline erg_shape erg_example_map(erg_random *random) {
  return (erg_shape){erg_example_extent(random, 1, 3), erg_example_extent(random, 1, 4), erg_example_extent(random, 1, 4),
                     erg_example_extent(random, 1, 5)};
}

static inline void erg_example_one(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena, (void)attrs;
  in[0] = erg_example_map(random);
}

static inline void erg_example_pair(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena, (void)attrs;
  in[0] = in[1] = erg_example_map(random);
}
#endif
