/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling: integer and floating forms of both reductions over one loop nest each. */
#include "check.h"
#include "ergon/float_kernels.h"
#include <math.h>

static erg_status check(const erg_pool_shape *shape, const void *input, const void *output, erg_error *error) {
  if (!input || !output) return erg_fail(error, ERG_ERR_DATA, "pool: a tensor is NULL");
  return erg_check_pool(shape, error);
}

/* Calls body(x index of the tap) over the window of output (n, p, q, c); `count` is how many taps are inside. */
#define FOR_WINDOW(s, n, p, q, c, index)                                                                               \
  for (int r0, r1, s0, s1,                                                                                             \
       once = (erg_window(p, (s)->stride_h, (s)->pad_top, (s)->kernel_h, (s)->in.h, &r0, &r1),                         \
               erg_window(q, (s)->stride_w, (s)->pad_left, (s)->kernel_w, (s)->in.w, &s0, &s1), 1);                    \
       once; once = 0)                                                                                                 \
    for (int r = r0; r < r1; r++)                                                                                      \
      for (int64_t t = s0, index;                                                                                      \
           t < s1 &&                                                                                                   \
           (index = (((int64_t)(n) * (s)->in.h + (int64_t)(p) * (s)->stride_h - (s)->pad_top + r) * (s)->in.w +        \
                     (int64_t)(q) * (s)->stride_w - (s)->pad_left + t) *                                               \
                        (s)->in.c +                                                                                    \
                    (c),                                                                                               \
           1);                                                                                                         \
           t++)

#define FOR_OUTPUTS(s)                                                                                                 \
  for (int n = 0; n < (s)->in.n; n++)                                                                                  \
    for (int p = 0; p < (s)->out_h; p++)                                                                               \
      for (int q = 0; q < (s)->out_w; q++)                                                                             \
        for (int c = 0; c < (s)->in.c; c++)

erg_status erg_max_pool_s16(const erg_pool_shape *s, const int16_t *input, int16_t *output, erg_error *error) {
  erg_status status = check(s, input, output, error);
  if (status != ERG_OK) return status;
  FOR_OUTPUTS(s) {
    int16_t most = INT16_MIN;
    FOR_WINDOW(s, n, p, q, c, i) if (input[i] > most) most = input[i];
    *output++ = most;
  }
  return ERG_OK;
}

erg_status erg_avg_pool_s16(const erg_pool_shape *s, const int16_t *input, int32_t zero_point, int16_t *output,
                            erg_error *error) {
  erg_status status = check(s, input, output, error);
  if (status != ERG_OK) return status;
  FOR_OUTPUTS(s) {
    int64_t sum = 0, count = 0;
    FOR_WINDOW(s, n, p, q, c, i) {
      sum += (int64_t)input[i] - zero_point;
      count++;
    }
    int64_t mean = sum >= 0 ? (sum + count / 2) / count : -((-sum + count / 2) / count); /* half away from zero */
    *output++ = (int16_t)(mean + zero_point);
  }
  return ERG_OK;
}

erg_status erg_max_pool_f32(const erg_pool_shape *s, const float *input, float *output, erg_error *error) {
  erg_status status = check(s, input, output, error);
  if (status != ERG_OK) return status;
  FOR_OUTPUTS(s) {
    float most = -INFINITY;
    FOR_WINDOW(s, n, p, q, c, i) if (input[i] > most) most = input[i];
    *output++ = most;
  }
  return ERG_OK;
}

erg_status erg_avg_pool_f32(const erg_pool_shape *s, const float *input, float *output, erg_error *error) {
  erg_status status = check(s, input, output, error);
  if (status != ERG_OK) return status;
  FOR_OUTPUTS(s) {
    float sum = 0;
    int count = 0;
    FOR_WINDOW(s, n, p, q, c, i) {
      sum += input[i];
      count++;
    }
    *output++ = sum / (float)count;
  }
  return ERG_OK;
}

static const erg_pool_shape pair = {
    .in = {1, 1, 2, 1}, .kernel_h = 1, .kernel_w = 2, .stride_h = 1, .stride_w = 1, .out_h = 1, .out_w = 1};

static erg_status attempt_max(erg_format format, erg_error *error) {
  if (format == ERG_FORMAT_INT) {
    int16_t y = 0;
    erg_status status = erg_max_pool_s16(&pair, (int16_t[]){2, 4}, &y, error);
    return erg_attempted("max pool", status, y, 4, error);
  }
  float y = 0;
  erg_status status = erg_max_pool_float(erg_float_format_find(format), &pair, (float[]){2, 4}, &y, error);
  return erg_attempted("max pool", status, (double)y, 4, error);
}
static const erg_kernel max_pool = {"max pool", "", attempt_max};
ERG_REGISTER(erg_kernel, max_pool);

static erg_status attempt_avg(erg_format format, erg_error *error) {
  if (format == ERG_FORMAT_INT) {
    int16_t y = 0;
    erg_status status = erg_avg_pool_s16(&pair, (int16_t[]){2, 4}, 0, &y, error);
    return erg_attempted("average pool", status, y, 3, error);
  }
  float y = 0;
  erg_status status = erg_avg_pool_float(erg_float_format_find(format), &pair, (float[]){2, 4}, &y, error);
  return erg_attempted("average pool", status, (double)y, 3, error);
}
static const erg_kernel avg_pool = {"average pool", "half away from zero; the window may be the map", attempt_avg};
ERG_REGISTER(erg_kernel, avg_pool);
