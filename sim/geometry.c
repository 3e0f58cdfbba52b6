/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pass as the machine sees it: one shape for array and vector passes, with the width of each tensor. */
#include "ergon/sim.h"
#include <string.h>

/* An FC over a batch is a GEMM with M = batch: its images become rows, so that one tile can share the weights. */
static void rows_from_images(erg_geometry *g) {
  bool whole_map = g->kernel_h == g->in_h && g->kernel_w == g->in_w && g->pad_top == 0 && g->pad_left == 0;
  if (!g->array || g->groups != 1 || g->out_h != 1 || g->out_w != 1 || !whole_map) return;
  g->in_c *= g->in_h * g->in_w;
  g->in_h = g->out_h = g->images;
  g->images = g->in_w = g->kernel_h = g->kernel_w = g->stride_h = g->stride_w = 1;
}

static void array_geometry(const erg_conv2d_shape *conv, erg_geometry *g) {
  g->array = true;
  g->kernel_h = conv->kernel_h;
  g->kernel_w = conv->kernel_w;
  g->stride_h = conv->stride_h;
  g->stride_w = conv->stride_w;
  g->pad_top = conv->pad_top;
  g->pad_left = conv->pad_left;
  g->groups = conv->groups;
}

static void vector_geometry(const erg_pass *pass, erg_geometry *g) {
  g->kernel_h = g->kernel_w = g->stride_h = g->stride_w = g->groups = 1;
  if (pass->by_channel) { /* constants of channels, as scales are; images beside each other are channels */
    g->in_c = g->out_c = g->in_c * g->images;
    g->images = g->operands = 1;
  }
  if (!pass->pool_window) return;
  const erg_pool_shape *pool = &pass->pool;
  g->kernel_h = pool->kernel_h;
  g->kernel_w = pool->kernel_w;
  g->stride_h = pool->stride_h;
  g->stride_w = pool->stride_w;
  g->pad_top = pool->pad_top;
  g->pad_left = pool->pad_left;
}

static int width_bits(erg_width width, int narrow_bits, const erg_precision *precision) {
  if (!erg_precision_is_int(precision)) return erg_format_bits(precision->format);
  return width == ERG_WIDTH_WIDE ? precision->accumulator_bits : narrow_bits;
}

void erg_geometry_of(const erg_pass *pass, const erg_precision *precision, erg_geometry *out) {
  erg_geometry g;
  memset(&g, 0, sizeof g); /* what lies between fields too: geometries are compared byte by byte (memo.c) */
  g.images = pass->in_shape.n;
  g.in_h = pass->in_shape.h;
  g.in_w = pass->in_shape.w;
  g.in_c = pass->in_shape.c;
  g.out_h = pass->out_shape.h;
  g.out_w = pass->out_shape.w;
  g.out_c = pass->out_shape.c;
  g.operands = pass->input_count;
  g.residual = pass->residual >= 0;
  g.from_chain = pass->from_chain;
  g.to_chain = pass->to_chain;
  bool integer = erg_precision_is_int(precision);
  if (pass->kind == ERG_PASS_ARRAY)
    array_geometry(&pass->conv, &g);
  else
    vector_geometry(pass, &g);
  g.in_bits = width_bits(pass->input_width, precision->activation_bits, precision);
  g.out_bits = width_bits(pass->output_width, precision->output_bits, precision);
  g.residual_bits = g.in_bits;
  if (g.array) {
    g.weight_bits = precision->weight_bits;
    g.psum_bits = precision->accumulator_bits;
  }
  /* Integer channels carry a bias, always, since it holds the input's folded zero point, a 32-bit multiplier and a
   * shift in a byte; floating ones a bias where there is one. */
  if (g.array && integer)
    g.constant_bits = precision->accumulator_bits + (pass->requantize ? 32 + 8 : 0);
  else if (g.array)
    g.constant_bits = pass->bias ? precision->accumulator_bits : 0;
  else if (strcmp(pass->kind_name, "batch_norm") == 0)
    g.constant_bits = integer ? precision->accumulator_bits + 32 + 8 : 2 * precision->accumulator_bits;
  else if (pass->by_channel)
    g.constant_bits = g.in_bits;
  else if (strcmp(pass->kind_name, "requantize") == 0)
    g.constant_bits = 32 + 8;
  else if (pass->norm) /* integers: gamma as a multiplier, beta in 64 bits; the shift is one for all */
    g.constant_bits = integer ? 32 + 64 : (pass->norm == ERG_NORM_RMS ? 1 : 2) * precision->accumulator_bits;
  g.constants = g.constant_bits > 0;
  g.window = g.array ? 0 : (int64_t)g.kernel_h * g.kernel_w;
  g.whole_map = pass->norm == ERG_NORM_INSTANCE;
  g.rounds = pass->own_statistics ? 2 : 1;
  rows_from_images(&g);
  memcpy(out, &g, sizeof g);
}

int64_t erg_geometry_reduction(const erg_geometry *g) {
  return (int64_t)g->kernel_h * g->kernel_w * (g->in_c / g->groups);
}

void erg_geometry_at(const erg_point *point, const erg_pass *pass, erg_geometry *out) {
  const erg_precision precision = erg_precision_at(point, pass);
  erg_geometry_of(pass, &precision, out);
  if (point->widths && out->residual) out->residual_bits = erg_tensor_bits(point, pass->residual);
  if (point->widths && pass->by_channel) out->constant_bits = erg_tensor_bits(point, pass->inputs[1]);
  if (point->widths && out->operands == 2) out->residual_bits = erg_tensor_bits(point, pass->inputs[1]);
  out->dataflow = point->dataflow;
  out->products = erg_arch_products(point->arch, &precision);
}
