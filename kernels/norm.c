/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic norms on codes: a group is a channel of an image (instance) or a row (layer, RMS). */
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
