/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#define MOST_ELEMENTS ((int64_t)1 << 40)

static bool extents_ok(const int *extents, int count) {
  __int128 product = 1;
  for (int i = 0; i < count; i++) {
    if (extents[i] < 1) return false;
    product *= extents[i];
    if (product > MOST_ELEMENTS) return false;
  }
  return true;
}

static bool window_ok(int out, int kernel, int stride, int pad, int extent) {
  /* The first window and the last must each see the map, or an output would be made of padding alone. */
  return stride >= 1 && pad >= 0 && pad < kernel && (int64_t)(out - 1) * stride - pad < extent;
}

erg_status erg_check_conv2d(const erg_conv2d_shape *s, erg_error *error) {
  if (!s) return erg_fail(error, ERG_ERR_DATA, "conv2d: no shape");
  const int in[] = {s->in.n, s->in.h, s->in.w, s->in.c}, out[] = {s->in.n, s->out_h, s->out_w, s->filters};
  const int weight[] = {s->filters, s->kernel_h, s->kernel_w, s->in.c};
  if (!extents_ok(in, 4) || !extents_ok(out, 4) || !extents_ok(weight, 4))
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found extents below 1 or more than 2^40 elements");
  if (s->groups < 1 || s->in.c % s->groups || s->filters % s->groups)
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found groups %d; allowed: a divisor of C = %d and K = %d", s->groups,
                    s->in.c, s->filters);
  if (!window_ok(s->out_h, s->kernel_h, s->stride_h, s->pad_top, s->in.h) ||
      !window_ok(s->out_w, s->kernel_w, s->stride_w, s->pad_left, s->in.w))
    return erg_fail(
        error, ERG_ERR_DATA,
        "conv2d: the window does not fit: stride at least 1, pads 0 to kernel - 1, every window inside the map");
  return ERG_OK;
}

erg_status erg_check_pool(const erg_pool_shape *s, erg_error *error) {
  if (!s) return erg_fail(error, ERG_ERR_DATA, "pool: no shape");
  const int in[] = {s->in.n, s->in.h, s->in.w, s->in.c}, out[] = {s->in.n, s->out_h, s->out_w, s->in.c};
  const int kernel[] = {s->kernel_h, s->kernel_w};
  if (!extents_ok(in, 4) || !extents_ok(out, 4) || !extents_ok(kernel, 2))
    return erg_fail(error, ERG_ERR_DATA, "pool: found extents below 1 or more than 2^40 elements");
  if (!window_ok(s->out_h, s->kernel_h, s->stride_h, s->pad_top, s->in.h) ||
      !window_ok(s->out_w, s->kernel_w, s->stride_w, s->pad_left, s->in.w))
    return erg_fail(
        error, ERG_ERR_DATA,
        "pool: the window does not fit: stride at least 1, pads 0 to kernel - 1, every window inside the map");
  return ERG_OK;
}

erg_status erg_check_requant(const char *what, erg_requant scale, erg_error *error) {
  bool multiplier = scale.multiplier == 0 || scale.multiplier >= 1 << 30;
  if (multiplier && scale.shift >= -31 && scale.shift <= 30) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "%s: found multiplier %d, shift %d; allowed: 0 or 2^30..2^31-1, -31..30", what,
                  scale.multiplier, scale.shift);
}
