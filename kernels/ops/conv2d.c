/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static erg_status infer(const erg_attrs *a, const erg_shape *in, erg_shape *out, erg_error *error) {
  if (in->c % a->groups || a->filters % a->groups)
    return erg_fail(error, ERG_ERR_DATA, "found groups %d; allowed: a divisor of C = %d and K = %d", a->groups, in->c,
                    a->filters);
  erg_status status = erg_check_pads(a, a->kernel_h, a->kernel_w, error);
  if (status != ERG_OK) return status;
  erg_shape made = {in->n, 0, 0, a->filters};
  made.h = erg_out_extent("height", in->h, a->pad_top + a->pad_bottom, a->kernel_h, a->stride_h, error);
  made.w = erg_out_extent("width", in->w, a->pad_left + a->pad_right, a->kernel_w, a->stride_w, error);
  if (made.h == 0 || made.w == 0) return ERG_ERR_DATA;
  *out = made;
  return ERG_OK;
}

static void conv(const erg_attrs *a, const erg_shape *in, erg_conv2d_shape *c) {
  erg_shape out = {0};
  infer(a, in, &out, NULL);
  *c = (erg_conv2d_shape){*in,        a->filters,  a->kernel_h, a->kernel_w, a->stride_h, a->stride_w,
                          a->pad_top, a->pad_left, a->groups,   out.h,       out.w};
}

static int64_t parameters(const erg_attrs *a, const erg_shape *in) {
  int64_t weights = (int64_t)a->filters * a->kernel_h * a->kernel_w * (in->c / a->groups);
  return weights + (a->bias ? a->filters : 0);
}

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)out, (void)integer;
  erg_conv2d_shape c;
  conv(a, in, &c);
  n->mac += (uint64_t)erg_conv2d_macs(&c);
}

static const erg_op conv2d = {.name = "conv2d",
                              .help = "convolution over NHWC; groups = C makes it depthwise",
                              .role = ERG_ROLE_ARRAY,
                              .inputs = 1,
                              .attributes = ERG_ATTR_K | ERG_ATTR_KERNEL | ERG_ATTR_STRIDE | ERG_ATTR_PAD |
                                            ERG_ATTR_GROUPS | ERG_ATTR_BIAS,
                              .required = ERG_ATTR_K | ERG_ATTR_KERNEL,
                              .infer = infer,
                              .conv = conv,
                              .parameters = parameters,
                              .counts = counts};
ERG_REGISTER(erg_op, conv2d);
