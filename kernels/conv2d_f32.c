/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

erg_status erg_conv2d_f32(const erg_conv2d_shape *s, const float *input, const float *weight, const float *bias,
                          float *output, erg_error *error) {
  if (!input || !weight || !output) return erg_fail(error, ERG_ERR_DATA, "conv2d: a tensor is NULL");
  erg_status status = erg_check_conv2d(s, error);
  if (status != ERG_OK) return status;
  int group_channels = s->in.c / s->groups, group_filters = s->filters / s->groups, r0, r1, s0, s1;
  int dilation_h = s->dilation_h > 1 ? s->dilation_h : 1, dilation_w = s->dilation_w > 1 ? s->dilation_w : 1;
  for (int n = 0; n < s->in.n; n++)
    for (int p = 0; p < s->out_h; p++)
      for (int q = 0; q < s->out_w; q++)
        for (int k = 0; k < s->filters; k++) {
          float sum = bias ? bias[k] : 0;
          erg_taps(p, s->stride_h, s->pad_top, s->kernel_h, s->dilation_h, s->in.h, &r0, &r1);
          erg_taps(q, s->stride_w, s->pad_left, s->kernel_w, s->dilation_w, s->in.w, &s0, &s1);
          for (int r = r0; r < r1; r++)
            for (int t = s0; t < s1; t++) {
              int64_t h = (int64_t)p * s->stride_h - s->pad_top + (int64_t)r * dilation_h;
              int64_t w = (int64_t)q * s->stride_w - s->pad_left + (int64_t)t * dilation_w;
              const float *x = input + (((int64_t)n * s->in.h + h) * s->in.w + w) * s->in.c +
                               (int64_t)(k / group_filters) * group_channels;
              const float *f = weight + (((int64_t)k * s->kernel_h + r) * s->kernel_w + t) * group_channels;
              for (int c = 0; c < group_channels; c++) sum += x[c] * f[c];
            }
          *output++ = sum;
        }
  return ERG_OK;
}
