/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x [N, H, W, C], weight [K, R, S, C/groups]. An image's windows become the rows of a matrix, then it is three
 * products. Windows that are the map itself (1 x 1, and the whole map of an fc) are not copied. */
#include "shared.h"
#include <string.h>

static int64_t pixels(const erg_conv2d_shape *c) {
  return (int64_t)c->out_h * c->out_w;
}

/* The map is its own matrix of windows, the whole batch at once. */
static bool is_plain(const erg_conv2d_shape *c) {
  if (c->groups != 1 || c->pad_top || c->pad_left) return false;
  bool whole = c->kernel_h == c->in.h && c->kernel_w == c->in.w && pixels(c) == 1;
  bool point = c->kernel_h == 1 && c->kernel_w == 1 && c->out_h == c->in.h && c->out_w == c->in.w;
  return whole || point;
}

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  const erg_conv2d_shape *c = &attrs->conv;
  (void)saved;
  if (in[0].h != c->in.h || in[0].w != c->in.w || in[0].c != c->in.c)
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found a map of %d x %d x %d; wanted %d x %d x %d", in[0].h, in[0].w,
                    in[0].c, c->in.h, c->in.w, c->in.c);
  if (!erg_same_shape(in[1], (erg_shape){c->filters, c->kernel_h, c->kernel_w, c->in.c / c->groups}))
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found weights [%d, %d, %d, %d]; wanted [%d, %d, %d, %d]", in[1].n,
                    in[1].h, in[1].w, in[1].c, c->filters, c->kernel_h, c->kernel_w, c->in.c / c->groups);
  *out = (erg_shape){in[0].n, c->out_h, c->out_w, c->filters};
  if (!is_plain(c)) *scratch = 2 * pixels(c) * erg_conv2d_reduction(c); /* windows and their gradient */
  return ERG_OK;
}

/* Tap (r, s) of output pixel (p, q) lies at this pixel of the map, or nowhere (-1). */
static int64_t source(const erg_conv2d_shape *c, int p, int q, int r, int s) {
  int dilation_h = c->dilation_h ? c->dilation_h : 1, dilation_w = c->dilation_w ? c->dilation_w : 1;
  int h = p * c->stride_h - c->pad_top + r * dilation_h, w = q * c->stride_w - c->pad_left + s * dilation_w;
  return h < 0 || h >= c->in.h || w < 0 || w >= c->in.w ? -1 : (int64_t)h * c->in.w + w;
}

static void gather(const erg_conv2d_shape *c, int group, const double *image, double *windows) {
  int channels = c->in.c / c->groups;
  for (int p = 0; p < c->out_h; p++)
    for (int q = 0; q < c->out_w; q++)
      for (int r = 0; r < c->kernel_h; r++)
        for (int s = 0; s < c->kernel_w; s++, windows += channels) {
          int64_t at = source(c, p, q, r, s);
          if (at < 0)
            memset(windows, 0, sizeof *windows * (size_t)channels);
          else
            memcpy(windows, image + at * c->in.c + group * channels, sizeof *windows * (size_t)channels);
        }
}

static void scatter(const erg_conv2d_shape *c, int group, const double *windows, double *image) {
  int channels = c->in.c / c->groups;
  for (int p = 0; p < c->out_h; p++)
    for (int q = 0; q < c->out_w; q++)
      for (int r = 0; r < c->kernel_h; r++)
        for (int s = 0; s < c->kernel_w; s++, windows += channels) {
          int64_t at = source(c, p, q, r, s);
          double *to = image + (at < 0 ? 0 : at) * c->in.c + group * channels;
          for (int k = 0; at >= 0 && k < channels; k++) to[k] += windows[k];
        }
}

static void forward(erg_tape_step *t) {
  const erg_conv2d_shape *c = &t->attrs.conv;
  int64_t depth = erg_conv2d_reduction(c), rows = pixels(c), filters = c->filters / c->groups;
  if (is_plain(c)) {
    erg_dgemm(t->in[0].n * rows, filters, depth, (erg_matrix){t->x[0], depth, 1}, (erg_matrix){t->x[1], 1, depth}, t->y,
              filters, false);
    return;
  }
  for (int64_t n = 0; n < t->in[0].n; n++)
    for (int g = 0; g < c->groups; g++) {
      gather(c, g, t->x[0] + n * c->in.h * c->in.w * c->in.c, t->scratch);
      erg_dgemm(rows, filters, depth, (erg_matrix){t->scratch, depth, 1},
                (erg_matrix){t->x[1] + g * filters * depth, 1, depth}, t->y + n * rows * c->filters + g * filters,
                c->filters, false);
    }
}

static void backward(erg_tape_step *t) {
  const erg_conv2d_shape *c = &t->attrs.conv;
  int64_t depth = erg_conv2d_reduction(c), rows = pixels(c), filters = c->filters / c->groups, all = t->in[0].n * rows;
  double *dx = t->dx[0], *dw = t->dx[1];
  if (is_plain(c)) {
    if (dw) /* dy' x */
      erg_dgemm(filters, depth, all, (erg_matrix){t->dy, 1, filters}, (erg_matrix){t->x[0], depth, 1}, dw, depth, true);
    if (dx) /* dy w */
      erg_dgemm(all, depth, filters, (erg_matrix){t->dy, filters, 1}, (erg_matrix){t->x[1], depth, 1}, dx, depth, true);
    return;
  }
  double *windows = t->scratch, *gradient = t->scratch + rows * depth;
  for (int64_t n = 0; n < t->in[0].n; n++)
    for (int g = 0; g < c->groups; g++) {
      int64_t image = n * c->in.h * c->in.w * c->in.c;
      const double *dy = t->dy + n * rows * c->filters + g * filters;
      if (dw) {
        gather(c, g, t->x[0] + image, windows);
        erg_dgemm(filters, depth, rows, (erg_matrix){dy, 1, c->filters}, (erg_matrix){windows, depth, 1},
                  dw + g * filters * depth, depth, true);
      }
      if (dx) {
        erg_dgemm(rows, depth, filters, (erg_matrix){dy, c->filters, 1},
                  (erg_matrix){t->x[1] + g * filters * depth, depth, 1}, gradient, depth, false);
        scatter(c, g, gradient, dx + image);
      }
    }
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena;
  erg_conv2d_shape *c = &attrs->conv;
  int groups = erg_example_extent(random, 1, 2);
  *c = (erg_conv2d_shape){.groups = groups, .filters = groups * erg_example_extent(random, 1, 3)};
  c->in = (erg_shape){1, erg_example_extent(random, 1, 6), erg_example_extent(random, 1, 6),
                      groups * erg_example_extent(random, 1, 3)};
  int kind = erg_example_extent(random, 0, 3); /* a point, the whole map, windows */
  bool whole = kind == 1;
  c->kernel_h = kind == 0 ? 1 : whole ? c->in.h : erg_example_extent(random, 1, c->in.h < 3 ? c->in.h : 3);
  c->kernel_w = kind == 0 ? 1 : whole ? c->in.w : erg_example_extent(random, 1, c->in.w < 3 ? c->in.w : 3);
  c->stride_h = kind == 0 ? 1 : erg_example_extent(random, 1, 2);
  c->stride_w = kind == 0 ? 1 : erg_example_extent(random, 1, 2);
  c->pad_top = kind < 2 ? 0 : erg_example_extent(random, 0, c->kernel_h - 1);
  c->pad_left = kind < 2 ? 0 : erg_example_extent(random, 0, c->kernel_w - 1);
  c->out_h = (c->in.h + 2 * c->pad_top - c->kernel_h) / c->stride_h + 1;
  c->out_w = (c->in.w + 2 * c->pad_left - c->kernel_w) / c->stride_w + 1;
  in[0] = c->in;
  in[0].n = erg_example_extent(random, 1, 3);
  in[1] = (erg_shape){c->filters, c->kernel_h, c->kernel_w, c->in.c / groups};
}

static const erg_tape_op conv2d = {"conv2d", "convolution; fc and gemm as well", 2, infer, forward, backward, example};
ERG_REGISTER(erg_tape_op, conv2d);
