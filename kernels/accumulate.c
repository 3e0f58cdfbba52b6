/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulation that saturates at every step. Its own loop nest: the order is the definition. */
#include "check.h"

static int64_t saturating(const erg_conv2d_shape *s, const int16_t *input, int32_t zero_point, const int16_t *weight,
                          int n, int p, int q, int k, int64_t most, bool *clamped) {
  int group_channels = s->in.c / s->groups, first = k / (s->filters / s->groups) * group_channels;
  int dilation_h = s->dilation_h > 1 ? s->dilation_h : 1, dilation_w = s->dilation_w > 1 ? s->dilation_w : 1;
  int64_t sum = 0;
  for (int r = 0; r < s->kernel_h; r++)
    for (int t = 0; t < s->kernel_w; t++) {
      int64_t h = (int64_t)p * s->stride_h - s->pad_top + (int64_t)r * dilation_h;
      int64_t w = (int64_t)q * s->stride_w - s->pad_left + (int64_t)t * dilation_w;
      if (h < 0 || h >= s->in.h || w < 0 || w >= s->in.w) continue;
      const int16_t *x = input + ((n * s->in.h + h) * s->in.w + w) * s->in.c + first;
      const int16_t *f = weight + (((int64_t)k * s->kernel_h + r) * s->kernel_w + t) * group_channels;
      for (int c = 0; c < group_channels; c++) {
        sum += ((int64_t)x[c] - zero_point) * f[c]; /* below 2^48 + 2^48 */
        if (sum > most || sum < -most - 1) {
          sum = sum > most ? most : -most - 1;
          *clamped = true;
        }
      }
    }
  return sum;
}

erg_status erg_conv2d_accumulate_policy_s16(const erg_conv2d_shape *s, const int16_t *input, int32_t input_zero_point,
                                            const int16_t *weight, int accumulator_bits, erg_accumulation policy,
                                            int64_t *accumulator, int64_t *clamped, erg_error *error) {
  if ((int)policy < 0 || policy >= ERG_ACCUMULATE_COUNT)
    return erg_fail(error, ERG_ERR_DATA, "conv2d: found accumulation policy %d; allowed: 0 (wrap), 1 (saturate)",
                    (int)policy);
  if (policy == ERG_ACCUMULATE_WRAP) {
    erg_status status =
        erg_conv2d_accumulate_s16(s, input, input_zero_point, weight, accumulator_bits, accumulator, error);
    if (status == ERG_OK && clamped) *clamped = 0;
    return status;
  }
  erg_status status = erg_check_conv2d_call(s, input, weight, accumulator, accumulator_bits, error);
  if (status != ERG_OK) return status;
  int64_t most = ((int64_t)1 << (accumulator_bits - 1)) - 1, count = 0;
  for (int n = 0; n < s->in.n; n++)
    for (int p = 0; p < s->out_h; p++)
      for (int q = 0; q < s->out_w; q++)
        for (int k = 0; k < s->filters; k++) {
          bool met = false;
          *accumulator++ = saturating(s, input, input_zero_point, weight, n, p, q, k, most, &met);
          count += met;
        }
  if (clamped) *clamped = count;
  return ERG_OK;
}
