/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERGON_KERNELS_OPS_POOL_SHARED_H
#define ERGON_KERNELS_OPS_POOL_SHARED_H
#include "../check.h"
#include "shared.h"

static inline erg_status erg_infer_pool(const erg_attrs *a, const erg_shape *in, erg_shape *out, erg_error *error) {
  erg_status status = erg_check_pads(a, a->kernel_h, a->kernel_w, error);
  if (status != ERG_OK) return status;
  erg_shape made = {in->n, 0, 0, in->c};
  made.h = erg_out_extent("height", in->h, a->pad_top + a->pad_bottom, a->kernel_h, a->stride_h, error);
  made.w = erg_out_extent("width", in->w, a->pad_left + a->pad_right, a->kernel_w, a->stride_w, error);
  if (made.h == 0 || made.w == 0) return ERG_ERR_DATA;
  *out = made;
  return ERG_OK;
}

static inline void erg_pool_of(const erg_attrs *a, const erg_shape *in, erg_pool_shape *pool) {
  erg_shape out = {0};
  erg_infer_pool(a, in, &out, NULL);
  *pool = (erg_pool_shape){*in, a->kernel_h, a->kernel_w, a->stride_h, a->stride_w, a->pad_top, a->pad_left, out.h, out.w};
}

/** Elements inside the map over all windows. */
static inline uint64_t erg_pool_visits(const erg_pool_shape *s) {
  uint64_t rows = 0, columns = 0;
  int first, last;
  for (int p = 0; p < s->out_h; p++) {
    erg_window(p, s->stride_h, s->pad_top, s->kernel_h, s->in.h, &first, &last);
    rows += (uint64_t)(last - first);
  }
  for (int q = 0; q < s->out_w; q++) {
    erg_window(q, s->stride_w, s->pad_left, s->kernel_w, s->in.w, &first, &last);
    columns += (uint64_t)(last - first);
  }
  return (uint64_t)s->in.n * (uint64_t)s->in.c * rows * columns;
}

/** An average: adds, then one scaling an output (an integer one rounds, as a requantize does). */
static inline void erg_count_average(const erg_pool_shape *s, bool integer, erg_op_counts *n) {
  uint64_t outputs = (uint64_t)s->in.n * (uint64_t)s->out_h * (uint64_t)s->out_w * (uint64_t)s->in.c;
  n->add += erg_pool_visits(s) - outputs;
  *(integer ? &n->requantize : &n->multiply) += outputs;
}
#endif
