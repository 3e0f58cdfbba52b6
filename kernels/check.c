/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include <float.h>

bool erg_extents_ok(const int *extents, int count) {
  __int128 product = 1;
  for (int i = 0; i < count; i++) {
    if (extents[i] < 1) return false;
    product *= extents[i];
    if (product > ERG_MOST_ELEMENTS) return false;
  }
  return true;
}

static bool window_ok(int out, int kernel, int stride, int pad, int dilation, int extent) {
  /* The first window and the last must each meet the map, or an output would be made of padding alone. */
  int64_t span = (int64_t)(kernel - 1) * (dilation > 1 ? dilation : 1) + 1;
  return stride >= 1 && dilation >= 0 && pad >= 0 && pad < span && (int64_t)(out - 1) * stride - pad < extent;
}

erg_status erg_check_conv2d(const erg_conv2d_shape *s, erg_error *error) {
  if (!s) return erg_fail(error, ERG_ERR_DATA, "conv2d: no shape");
  const int in[] = {s->in.n, s->in.h, s->in.w, s->in.c}, out[] = {s->in.n, s->out_h, s->out_w, s->filters};
  const int weight[] = {s->filters, s->kernel_h, s->kernel_w, s->in.c};
  if (!erg_extents_ok(in, 4) || !erg_extents_ok(out, 4) || !erg_extents_ok(weight, 4))
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found extents below 1 or more than 2^40 elements");
  if (s->groups < 1 || s->in.c % s->groups || s->filters % s->groups)
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found groups %d; allowed: a divisor of C = %d and K = %d", s->groups,
                    s->in.c, s->filters);
  if (!window_ok(s->out_h, s->kernel_h, s->stride_h, s->pad_top, s->dilation_h, s->in.h) ||
      !window_ok(s->out_w, s->kernel_w, s->stride_w, s->pad_left, s->dilation_w, s->in.w))
    return erg_fail(error, ERG_ERR_DATA,
                    "conv2d: the window does not fit: stride at least 1, dilation at least 0, pads inside the span of "
                    "the kernel, every window inside the map");
  return ERG_OK;
}

erg_status erg_check_conv2d_call(const erg_conv2d_shape *shape, const void *input, const void *weight,
                                 const void *output, int accumulator_bits, erg_error *error) {
  if (!input || !weight || !output) return erg_fail(error, ERG_ERR_DATA, "conv2d: a tensor is NULL");
  if (accumulator_bits < 8 || accumulator_bits > 48)
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found %d accumulator bits; allowed: 8 to 48", accumulator_bits);
  return erg_check_conv2d(shape, error);
}

erg_status erg_check_pool(const erg_pool_shape *s, erg_error *error) {
  if (!s) return erg_fail(error, ERG_ERR_DATA, "pool: no shape");
  const int in[] = {s->in.n, s->in.h, s->in.w, s->in.c}, out[] = {s->in.n, s->out_h, s->out_w, s->in.c};
  const int kernel[] = {s->kernel_h, s->kernel_w};
  if (!erg_extents_ok(in, 4) || !erg_extents_ok(out, 4) || !erg_extents_ok(kernel, 2))
    return erg_fail(error, ERG_ERR_DATA, "pool: found extents below 1 or more than 2^40 elements");
  if (!window_ok(s->out_h, s->kernel_h, s->stride_h, s->pad_top, 1, s->in.h) ||
      !window_ok(s->out_w, s->kernel_w, s->stride_w, s->pad_left, 1, s->in.w))
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

erg_status erg_check_rule(const char *what, erg_rule rule, erg_requant scale, erg_error *error) {
  if ((int)rule < 0 || rule >= ERG_RULE_COUNT)
    return erg_fail(error, ERG_ERR_DATA, "%s: found rule %d; allowed: 0 to %d (S, D, F, A)", what, (int)rule,
                    ERG_RULE_COUNT - 1);
  if (rule == ERG_RULE_F && !(scale.real >= 0 && scale.real <= FLT_MAX && (scale.real > 0 || scale.multiplier == 0)))
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: rule F multiplies with the float32 scale: found %g; allowed: finite, positive unless M is 0",
                    what, (double)scale.real);
  return erg_check_requant(what, scale, error);
}

erg_status erg_check_clamp(const char *what, int32_t low, int32_t high, erg_error *error) {
  if (low <= high && low >= INT16_MIN && high <= INT16_MAX) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "%s: found clamp %d..%d; allowed: within 16 bits, low to high", what, low, high);
}

erg_status erg_check_epilogue(const char *what, const erg_epilogue *epilogue, int channels, erg_error *error) {
  if (!epilogue || !epilogue->scale) return erg_fail(error, ERG_ERR_DATA, "%s: no epilogue scales", what);
  erg_status status = erg_check_clamp(what, epilogue->low, epilogue->high, error);
  for (int k = 0; k < channels && status == ERG_OK; k++)
    status = erg_check_rule(what, epilogue->rule, epilogue->scale[k], error);
  if (status == ERG_OK && epilogue->residual)
    status = erg_check_rule(what, epilogue->rule, epilogue->residual_scale, error);
  return status;
}

erg_status erg_check_elements(const char *what, int64_t rows, int64_t columns, erg_error *error) {
  if (rows >= 1 && columns >= 1 && rows <= ERG_MOST_ELEMENTS / columns) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "%s: found %lld x %lld elements; allowed: 1 to 2^40", what, (long long)rows,
                  (long long)columns);
}

erg_status erg_check_shape(const char *what, erg_shape shape, erg_error *error) {
  const int extents[] = {shape.n, shape.h, shape.w, shape.c};
  if (erg_extents_ok(extents, 4)) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "%s: found %d x %d x %d x %d elements; allowed: extents from 1, 2^40 in all",
                  what, shape.n, shape.h, shape.w, shape.c);
}

erg_status erg_no_kernel(const char *what, erg_format format, erg_error *error) {
  const char *name = format == ERG_FORMAT_INT ? "integers" : erg_format_name(format);
  return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: no kernel in %s", what, name);
}

erg_status erg_attempted(const char *what, erg_status status, double got, double expected, erg_error *error) {
  if (status != ERG_OK || got == expected) return status;
  return erg_fail(error, ERG_ERR_MISMATCH, "%s: found %g; expected %g", what, got, expected);
}
