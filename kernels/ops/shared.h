/* SPDX-License-Identifier: Apache-2.0 */
/* Inside ops: shapes that several operators share. */
#ifndef ERGON_KERNELS_OPS_SHARED_H
#define ERGON_KERNELS_OPS_SHARED_H
#include "ergon/kernels.h"

/** floor((extent + pads - kernel) / stride) + 1, or 0 with a fault when the window does not fit. */
static inline int erg_out_extent(const char *axis, int extent, int pads, int kernel, int stride, erg_error *error) {
  if (extent + pads >= kernel) return (extent + pads - kernel) / stride + 1;
  erg_fail(error, ERG_ERR_DATA, "found a kernel of %d over a padded %s of %d; allowed: at most the padded %s", kernel,
           axis, extent + pads, axis);
  return 0;
}

static inline erg_status erg_check_pads(const erg_attrs *a, int kernel_h, int kernel_w, erg_error *error) {
  if (a->pad_top < kernel_h && a->pad_bottom < kernel_h && a->pad_left < kernel_w && a->pad_right < kernel_w) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "found pad [%d, %d, %d, %d]; allowed: less than the kernel %d x %d", a->pad_top,
                  a->pad_left, a->pad_bottom, a->pad_right, kernel_h, kernel_w);
}

static inline int64_t erg_no_parameters(const erg_attrs *attrs, const erg_shape *in) {
  (void)attrs;
  (void)in;
  return 0;
}

/* Products: both scales are in one multiplier, so an integer product is requantized once. */
static inline void erg_product_counts(const erg_attrs *attrs, const erg_shape *in, const erg_shape *out, bool integer,
                                      erg_op_counts *n) {
  (void)attrs, (void)in;
  uint64_t elements = (uint64_t)erg_shape_elements(*out);
  n->multiply += elements;
  if (integer) n->requantize += elements;
}

static inline erg_status erg_infer_same(const erg_attrs *attrs, const erg_shape *in, erg_shape *out, erg_error *error) {
  (void)attrs;
  (void)error;
  *out = in[0];
  return ERG_OK;
}
#endif
