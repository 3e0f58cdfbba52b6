/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic norms on codes: a group is a channel of an image (instance) or a row (layer, RMS). */
#include "check.h"
#include "ergon/norms.h"

#define MOST_COUNT ((int64_t)1 << 20)

static erg_status check(int64_t groups, int64_t count, const void *input, int32_t zero_point, const erg_norm_affine *a,
                        const void *output, erg_error *error) {
  if (!input || !output || !a || !a->multiplier || !a->bias)
    return erg_fail(error, ERG_ERR_DATA, "norm: a tensor or the affine is NULL");
  if (groups < 1 || count < 1 || count > MOST_COUNT || groups > (int64_t)1 << 40)
    return erg_fail(error, ERG_ERR_DATA, "norm: found %lld groups of %lld; allowed: 1 to 2^40 of 1 to 2^20",
                    (long long)groups, (long long)count);
  if (zero_point < INT16_MIN || zero_point > INT16_MAX || a->zero_point < INT16_MIN || a->zero_point > INT16_MAX)
    return erg_fail(error, ERG_ERR_DATA, "norm: found zero points %d, %d; allowed: within 16 bits", zero_point,
                    a->zero_point);
  if (a->low > a->high || a->low < INT16_MIN || a->high > INT16_MAX)
    return erg_fail(error, ERG_ERR_DATA, "norm: found clamp %d..%d; allowed: within 16 bits, low to high", a->low,
                    a->high);
  if (a->shift < 33 || a->shift > 46)
    return erg_fail(error, ERG_ERR_DATA, "norm: found shift %d; allowed: 33 to 46", a->shift);
  for (int c = 0; c < a->channels; c++)
    if (a->bias[c] > (int64_t)1 << 62 || a->bias[c] < -((int64_t)1 << 62) || a->multiplier[c] == INT32_MIN)
      return erg_fail(error, ERG_ERR_DATA,
                      "norm: channel %d: found multiplier %d, bias %lld; allowed: above -2^31, "
                      "within 2^62",
                      c, a->multiplier[c], (long long)a->bias[c]);
  return ERG_OK;
}

/* Both passes over one group: `count` codes `stride` apart; `channel` steps by `channel_step` with them. */
static void group(const int16_t *input, int64_t count, int64_t stride, int32_t zero_point, bool centred,
                  uint64_t epsilon, const erg_norm_affine *affine, int channel, int channel_step, int16_t *output) {
  erg_norm_sums sums = {0};
  erg_norm_gather(input, count, stride, zero_point, &sums);
  erg_norm_scale scale = erg_norm_scale_of(sums, centred, epsilon);
  for (int64_t i = 0; i < count; i++, channel += channel_step)
    output[i * stride] = erg_norm_affine_apply(affine, erg_norm_apply(scale, input[i * stride] - zero_point), channel);
}

erg_status erg_instance_norm_s16(erg_shape s, const int16_t *input, int32_t zero_point, uint64_t epsilon,
                                 const erg_norm_affine *affine, int16_t *output, erg_error *error) {
  if (s.n < 1 || s.h < 1 || s.w < 1 || s.c < 1 || !affine || affine->channels != s.c)
    return erg_fail(error, ERG_ERR_DATA,
                    "instance norm: found [%d, %d, %d, %d] and %d affine channels; allowed: extents of at least 1, C",
                    s.n, s.h, s.w, s.c, affine ? affine->channels : 0);
  int64_t map = (int64_t)s.h * s.w;
  erg_status status = check((int64_t)s.n * s.c, map, input, zero_point, affine, output, error);
  for (int64_t n = 0; n < s.n && status == ERG_OK; n++)
    for (int c = 0; c < s.c; c++)
      group(input + n * map * s.c + c, map, s.c, zero_point, true, epsilon, affine, c, 0, output + n * map * s.c + c);
  return status;
}

static erg_status rows_s16(int64_t rows, const int16_t *input, int32_t zero_point, bool centred, uint64_t epsilon,
                           const erg_norm_affine *affine, int16_t *output, erg_error *error) {
  int64_t count = affine ? affine->channels : 1;
  erg_status status = check(rows, count, input, zero_point, affine, output, error);
  for (int64_t r = 0; r < rows && status == ERG_OK; r++)
    group(input + r * count, count, 1, zero_point, centred, epsilon, affine, 0, 1, output + r * count);
  return status;
}

erg_status erg_layer_norm_s16(int64_t rows, const int16_t *input, int32_t zero_point, uint64_t epsilon,
                              const erg_norm_affine *affine, int16_t *output, erg_error *error) {
  return rows_s16(rows, input, zero_point, true, epsilon, affine, output, error);
}

erg_status erg_rms_norm_s16(int64_t rows, const int16_t *input, int32_t zero_point, uint64_t epsilon,
                            const erg_norm_affine *affine, int16_t *output, erg_error *error) {
  return rows_s16(rows, input, zero_point, false, epsilon, affine, output, error);
}

static erg_status attempt(const char *name, erg_format format, int axis, erg_error *error) {
  float x[2] = {3, 3}, y[2] = {1, 1};
  if (format == ERG_FORMAT_INT) {
    const erg_norm_affine affine = {.channels = axis == 0 ? 1 : 2,
                                    .shift = 40,
                                    .multiplier = (int32_t[]){1 << 20, 1 << 20},
                                    .bias = (int64_t[]){0, 0},
                                    .low = -128,
                                    .high = 127};
    int16_t codes[2] = {3, 3}, out[2] = {9, 9};
    erg_status status = axis == 0   ? erg_instance_norm_s16((erg_shape){1, 1, 2, 1}, codes, 0, 1, &affine, out, error)
                        : axis == 1 ? erg_layer_norm_s16(1, codes, 0, 1, &affine, out, error)
                                    : erg_rms_norm_s16(1, codes, 0, 1, &affine, out, error);
    return erg_attempted(name, status, out[0], axis == 2 ? 1 : 0, error);
  }
  if (format != ERG_FORMAT_FP32) return erg_no_kernel(name, format, error);
  erg_status status = axis == 0   ? erg_instance_norm_f32((erg_shape){1, 1, 2, 1}, x, NULL, NULL, 0, y, error)
                      : axis == 1 ? erg_layer_norm_f32(1, 2, x, NULL, NULL, 0, y, error)
                                  : erg_rms_norm_f32(1, 2, x, NULL, NULL, 0, y, error);
  return erg_attempted(name, status, (double)y[0], axis == 2 ? 1 : 0, error);
}
static erg_status attempt_instance(erg_format format, erg_error *error) {
  return attempt("instance norm", format, 0, error);
}
static erg_status attempt_layer(erg_format format, erg_error *error) {
  return attempt("layer norm", format, 1, error);
}
static erg_status attempt_rms(erg_format format, erg_error *error) {
  return attempt("RMS norm", format, 2, error);
}
static const erg_kernel instance_norm = {"instance norm", "statistics of a channel's map", attempt_instance};
static const erg_kernel layer_norm = {"layer norm", "statistics of a row", attempt_layer};
static const erg_kernel rms_norm = {"RMS norm", "a row's root mean square", attempt_rms};
ERG_REGISTER(erg_kernel, instance_norm);
ERG_REGISTER(erg_kernel, layer_norm);
ERG_REGISTER(erg_kernel, rms_norm);
