/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "training_passes.h"
#include <string.h>

static int taps_of(int kernel, int stride, int phase) {
  return kernel > phase ? (kernel - phase + stride - 1) / stride : 0;
}

static erg_geometry array_pass(const training_widths *w, int groups, int in_bits, int weight_bits, int out_bits) {
  erg_geometry g;
  memset(&g, 0, sizeof g); /* what lies between fields too: geometries are compared byte by byte (memo.c) */
  g.array = true;
  g.images = g.operands = g.rounds = g.stride_h = g.stride_w = 1;
  g.groups = groups;
  g.in_bits = in_bits;
  g.weight_bits = weight_bits;
  g.out_bits = out_bits;
  g.residual_bits = g.psum_bits = w->sum;
  return g;
}

bool training_inputs_pass(const erg_conv2d_shape *conv, const training_widths *w, int a, int b, erg_geometry *out) {
  erg_geometry g = array_pass(w, conv->groups, w->map, w->weight, w->map);
  g.in_c = conv->filters;
  g.out_c = conv->in.c;
  if (conv->out_h == 1 && conv->out_w == 1) { /* rows are images: one tile can share the weights */
    g.in_h = g.out_h = conv->in.n;
    g.in_w = g.out_w = g.kernel_h = g.kernel_w = 1;
    g.out_c *= conv->kernel_h * conv->kernel_w;
    memcpy(out, &g, sizeof g);
    return a == 0 && b == 0;
  }
  g.images = conv->in.n;
  g.in_h = g.out_h = conv->out_h;
  g.in_w = g.out_w = conv->out_w;
  g.kernel_h = taps_of(conv->kernel_h, conv->stride_h, a);
  g.kernel_w = taps_of(conv->kernel_w, conv->stride_w, b);
  g.pad_top = (g.kernel_h - 1) / 2;
  g.pad_left = (g.kernel_w - 1) / 2;
  memcpy(out, &g, sizeof g);
  return g.kernel_h > 0 && g.kernel_w > 0;
}

bool training_weights_pass(const erg_conv2d_shape *conv, const training_widths *w, int b, int rows, bool more,
                           int input_bits, erg_geometry *out) {
  erg_geometry g = array_pass(w, conv->groups, input_bits, w->map, w->sum);
  const int taps = taps_of(conv->kernel_w, conv->stride_w, b);
  g.in_h = g.out_h = conv->kernel_h * (conv->in.c / conv->groups);
  g.out_w = taps;
  g.kernel_h = 1;
  g.kernel_w = conv->out_w;
  g.in_w = taps + conv->out_w - 1;
  g.in_c = conv->groups * rows;
  g.out_c = conv->filters;
  g.residual = more;
  memcpy(out, &g, sizeof g);
  return taps > 0;
}

void training_map_pass(erg_shape map, int in_bits, int second_bits, int out_bits, erg_geometry *out) {
  erg_geometry g;
  memset(&g, 0, sizeof g);
  g.images = map.n;
  g.in_h = g.out_h = map.h;
  g.in_w = g.out_w = map.w;
  g.in_c = g.out_c = map.c;
  g.kernel_h = g.kernel_w = g.stride_h = g.stride_w = g.groups = g.rounds = 1;
  g.window = 1;
  g.operands = second_bits ? 2 : 1;
  g.in_bits = in_bits;
  g.residual_bits = second_bits ? second_bits : in_bits;
  g.out_bits = out_bits;
  memcpy(out, &g, sizeof g);
}
