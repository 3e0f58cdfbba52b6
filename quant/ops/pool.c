/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools over windows; a global average is a window of the whole map. Padding takes no part (kernels.h). */
#include "shared.h"
#include <math.h>

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  const erg_pool_shape *p = &attrs->pool;
  (void)scratch;
  if (in[0].h != p->in.h || in[0].w != p->in.w || in[0].c != p->in.c)
    return erg_fail(error, ERG_ERR_DATA, "pool: found a map of %d x %d x %d; wanted %d x %d x %d", in[0].h, in[0].w,
                    in[0].c, p->in.h, p->in.w, p->in.c);
  *out = (erg_shape){in[0].n, p->out_h, p->out_w, in[0].c};
  *saved = erg_shape_elements(*out);
  return ERG_OK;
}

typedef struct {
  int h0, h1, w0, w1;
} window;

static window window_of(const erg_pool_shape *p, int64_t row, int64_t column) {
  int h = (int)row * p->stride_h - p->pad_top, w = (int)column * p->stride_w - p->pad_left;
  int h1 = h + p->kernel_h, w1 = w + p->kernel_w;
  return (window){h < 0 ? 0 : h, h1 > p->in.h ? p->in.h : h1, w < 0 ? 0 : w, w1 > p->in.w ? p->in.w : w1};
}

/* One output element: its place in y, its channel and window. */
#define EACH_OUTPUT(t, p, i, base, at)                                                                                 \
  for (int64_t i = 0; i < erg_shape_elements((t)->out); i++)                                                           \
    for (int64_t base = i / ((int64_t)(p)->out_h * (p)->out_w * (p)->in.c) * (p)->in.h * (p)->in.w * (p)->in.c +       \
                        i % (p)->in.c,                                                                                 \
                 once = 1;                                                                                             \
         once; once = 0)                                                                                               \
      for (window at = window_of((p), i / (p)->in.c / (p)->out_w % (p)->out_h, i / (p)->in.c % (p)->out_w); once;      \
           once = 0)

static int64_t pixel(const erg_pool_shape *p, int h, int w) {
  return ((int64_t)h * p->in.w + w) * p->in.c;
}

static void max_forward(erg_tape_step *t) {
  const erg_pool_shape *p = &t->attrs.pool;
  EACH_OUTPUT(t, p, i, base, at) {
    int64_t best = base + pixel(p, at.h0, at.w0);
    for (int h = at.h0; h < at.h1; h++)
      for (int w = at.w0; w < at.w1; w++)
        if (t->x[0][base + pixel(p, h, w)] > t->x[0][best]) best = base + pixel(p, h, w);
    t->y[i] = t->x[0][best];
    t->saved[i] = (double)best;
  }
}

static void max_backward(erg_tape_step *t) {
  for (int64_t i = 0; t->dx[0] && i < erg_shape_elements(t->out); i++) t->dx[0][(int64_t)t->saved[i]] += t->dy[i];
}

static void average_forward(erg_tape_step *t) {
  const erg_pool_shape *p = &t->attrs.pool;
  EACH_OUTPUT(t, p, i, base, at) {
    double sum = 0;
    for (int h = at.h0; h < at.h1; h++)
      for (int w = at.w0; w < at.w1; w++) sum += t->x[0][base + pixel(p, h, w)];
    t->y[i] = sum / ((double)(at.h1 - at.h0) * (at.w1 - at.w0));
  }
}

static void average_backward(erg_tape_step *t) {
  const erg_pool_shape *p = &t->attrs.pool;
  if (!t->dx[0]) return;
  EACH_OUTPUT(t, p, i, base, at) {
    double share = t->dy[i] / ((double)(at.h1 - at.h0) * (at.w1 - at.w0));
    for (int h = at.h0; h < at.h1; h++)
      for (int w = at.w0; w < at.w1; w++) t->dx[0][base + pixel(p, h, w)] += share;
  }
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena;
  erg_pool_shape *p = &attrs->pool;
  in[0] = erg_example_map(random);
  *p = (erg_pool_shape){.in = in[0]};
  p->kernel_h = erg_example_extent(random, 1, in[0].h);
  p->kernel_w = erg_example_extent(random, 1, in[0].w);
  p->stride_h = erg_example_extent(random, 1, 2);
  p->stride_w = erg_example_extent(random, 1, 2);
  p->pad_top = erg_example_extent(random, 0, p->kernel_h - 1);
  p->pad_left = erg_example_extent(random, 0, p->kernel_w - 1);
  p->out_h = (in[0].h + p->pad_top - p->kernel_h) / p->stride_h + 1;
  p->out_w = (in[0].w + p->pad_left - p->kernel_w) / p->stride_w + 1;
}

static const erg_tape_op max_pool = {"max_pool", "largest of a window", 1, infer, max_forward, max_backward, example};
ERG_REGISTER(erg_tape_op, max_pool);
static const erg_tape_op avg_pool = {"avg_pool",      "mean of a window", 1,      infer,
                                     average_forward, average_backward,   example};
ERG_REGISTER(erg_tape_op, avg_pool);
