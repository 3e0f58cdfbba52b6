/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: the passes of a backward step as geometries. */
#ifndef ERGON_SIM_TRAINING_PASSES_H
#define ERGON_SIM_TRAINING_PASSES_H
#include "ergon/training.h"

/* Widths of a step's tensors in bits. */
typedef struct {
  int map, weight, sum, stored; /* maps and their gradients; weights; weights' gradients; stored activations */
  bool integer;
} training_widths;

/* dX of a convolution for taps (a, b) of its stride, a < stride_h and b < stride_w: pixels of dX that lie a, b behind a multiple of
 * the stride are a convolution of dY, with every stride_h-th, stride_w-th tap of the kernel. A kernel that covers its
 * map has one output pixel: a product of matrices. False: no tap falls there. */
bool training_inputs_pass(const erg_conv2d_shape *conv, const training_widths *w, int a, int b, erg_geometry *out);

/* dW of a convolution: rows of the result are (r, c), its columns s, its channels k; summed is over the row of Q pixels and over
 * `rows` of the N P rows of pixels, which stand as channels. Columns of X that lie b behind a multiple of the
 * stride are a pass. `more`: there is a sum already, which is read. False: no tap falls there. */
bool training_weights_pass(const erg_conv2d_shape *conv, const training_widths *w, int b, int rows, bool more,
                           int input_bits, erg_geometry *out);

/* Element by element over `map`: reads one tensor, or two (the second `second_bits` wide; 0: none), writes one. */
void training_map_pass(erg_shape map, int in_bits, int second_bits, int out_bits, erg_geometry *out);
#endif
