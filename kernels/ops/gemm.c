/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM with weights: every pixel's channel vector times a K x C matrix. An [M, K] matrix is a map [1, M, 1, K]. */
#include "shared.h"

static erg_status infer(const erg_attrs *a, const erg_shape *in, erg_shape *out, erg_error *error) {
  (void)error;
  *out = (erg_shape){in->n, in->h, in->w, a->filters};
  return ERG_OK;
}

static void conv(const erg_attrs *a, const erg_shape *in, erg_conv2d_shape *c) {
  *c = (erg_conv2d_shape){*in, a->filters, 1, 1, 1, 1, 0, 0, 1, in->h, in->w};
}

static int64_t parameters(const erg_attrs *a, const erg_shape *in) {
  return (int64_t)a->filters * in->c + (a->bias ? a->filters : 0);
}

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)out, (void)integer;
  erg_conv2d_shape c;
  conv(a, in, &c);
  n->mac += (uint64_t)erg_conv2d_macs(&c);
}

static const erg_op gemm = {.name = "gemm",
                            .help = "matrix product over the channel axis of every pixel",
                            .role = ERG_ROLE_ARRAY,
                            .inputs = 1,
                            .attributes = ERG_ATTR_K | ERG_ATTR_BIAS,
                            .required = ERG_ATTR_K,
                            .infer = infer,
                            .conv = conv,
                            .parameters = parameters,
                            .counts = counts};
ERG_REGISTER(erg_op, gemm);
