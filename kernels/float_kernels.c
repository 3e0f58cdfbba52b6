/* SPDX-License-Identifier: Apache-2.0 */
/* Operators in a floating format. A product or sum of two values is computed in fp32 and then rounded to the format.
 * That is what one rounding of the exact value would give, because fp32's 24 bits are at least 2p + 2 of every format
 * here (S. A. Figueroa, "When is double rounding innocuous?", 1995); p is 11 for fp16, 8 for bf16. */
#include "ergon/float_kernels.h"
#include "check.h"
#include <stdlib.h>

float erg_float_product(const erg_float_arithmetic *arithmetic, float a, float b) {
  return arithmetic->exact_products ? a * b : arithmetic->format->round(a * b);
}

static erg_status check_arithmetic(const char *what, const erg_float_arithmetic *arithmetic, erg_error *error) {
  if (arithmetic && arithmetic->format) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "%s: no floating format", what);
}

static void round_all(const erg_float_format *format, int64_t elements, const float *input, float *output) {
  for (int64_t i = 0; i < elements; i++) output[i] = format->round(input[i]);
}

/* A copy with every element rounded, NULL when memory ends. */
static float *rounded(const erg_float_format *format, int64_t elements, const float *values) {
  float *copy = malloc(sizeof *copy * (size_t)elements);
  if (copy) round_all(format, elements, values, copy);
  return copy;
}

erg_status erg_float_round(const erg_float_format *format, int64_t elements, const float *input, float *output,
                           erg_error *error) {
  if (!format || !input || !output) return erg_fail(error, ERG_ERR_DATA, "round: an argument is NULL");
  erg_status status = erg_check_elements("round", elements, 1, error);
  if (status == ERG_OK) round_all(format, elements, input, output);
  return status;
}

static float conv2d_sum(const erg_float_arithmetic *arithmetic, const erg_conv2d_shape *s, const float *input,
                        const float *weight, int n, int p, int q, int k, float sum) {
  int channels = s->in.c / s->groups, first = k / (s->filters / s->groups) * channels, r0, r1, s0, s1;
  int dilation_h = s->dilation_h > 1 ? s->dilation_h : 1, dilation_w = s->dilation_w > 1 ? s->dilation_w : 1;
  erg_taps(p, s->stride_h, s->pad_top, s->kernel_h, dilation_h, s->in.h, &r0, &r1);
  erg_taps(q, s->stride_w, s->pad_left, s->kernel_w, dilation_w, s->in.w, &s0, &s1);
  for (int r = r0; r < r1; r++)
    for (int t = s0; t < s1; t++) {
      int64_t h = (int64_t)p * s->stride_h - s->pad_top + (int64_t)r * dilation_h;
      int64_t w = (int64_t)q * s->stride_w - s->pad_left + (int64_t)t * dilation_w;
      const float *x = input + ((n * (int64_t)s->in.h + h) * s->in.w + w) * s->in.c + first;
      const float *f = weight + (((int64_t)k * s->kernel_h + r) * s->kernel_w + t) * channels;
      for (int c = 0; c < channels; c++) sum += erg_float_product(arithmetic, x[c], f[c]);
    }
  return sum;
}

erg_status erg_conv2d_float(const erg_float_arithmetic *arithmetic, const erg_conv2d_shape *s, const float *input,
                            const float *weight, const float *bias, float *output, erg_error *error) {
  erg_status status = check_arithmetic("conv2d", arithmetic, error);
  if (status == ERG_OK) status = erg_check_conv2d_call(s, input, weight, output, 32, error);
  if (status != ERG_OK) return status;
  const erg_float_format *format = arithmetic->format;
  float *x = rounded(format, erg_shape_elements(s->in), input);
  float *w = rounded(format, s->filters * erg_conv2d_reduction(s), weight);
  if (!x || !w)
    status = erg_fail(error, ERG_ERR_INTERNAL, "conv2d: out of memory");
  else
    for (int n = 0; n < s->in.n; n++)
      for (int p = 0; p < s->out_h; p++)
        for (int q = 0; q < s->out_w; q++)
          for (int k = 0; k < s->filters; k++)
            *output++ = format->round(conv2d_sum(arithmetic, s, x, w, n, p, q, k, bias ? bias[k] : 0));
  free(x);
  free(w);
  return status;
}

erg_status erg_matmul_float(const erg_float_arithmetic *arithmetic, const erg_matmul_shape *s, const float *a,
                            const float *b, const float *bias, float *output, erg_error *error) {
  erg_status status = check_arithmetic("matmul", arithmetic, error);
  if (status == ERG_OK) status = erg_check_matmul(s, a, b, output, 32, error);
  if (status != ERG_OK) return status;
  const erg_float_format *format = arithmetic->format;
  int64_t rows = (int64_t)s->batch * s->m;
  float *left = rounded(format, rows * s->k, a), *right = rounded(format, (int64_t)s->batch * s->k * s->n, b);
  if (!left || !right)
    status = erg_fail(error, ERG_ERR_INTERNAL, "matmul: out of memory");
  else
    for (int64_t row = 0; row < rows; row++)
      for (int n = 0; n < s->n; n++) {
        const float *x = left + row * s->k, *y = right + row / s->m * s->k * s->n + n;
        float sum = bias ? bias[n] : 0;
        for (int k = 0; k < s->k; k++) sum += erg_float_product(arithmetic, x[k], y[(int64_t)k * s->n]);
        *output++ = format->round(sum);
      }
  free(left);
  free(right);
  return status;
}

/* Whether two arrays of elements and a format can be worked on. */
static erg_status check_pair(const char *what, const erg_float_format *format, int64_t elements, const float *a,
                             const float *b, const float *output, erg_error *error) {
  if (!format || !a || !b || !output) return erg_fail(error, ERG_ERR_DATA, "%s: an argument is NULL", what);
  return erg_check_elements(what, elements, 1, error);
}

erg_status erg_add_float(const erg_float_format *format, int64_t elements, const float *a, const float *b,
                         float *output, erg_error *error) {
  erg_status status = check_pair("add", format, elements, a, b, output, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++)
    output[i] = format->round(format->round(a[i]) + format->round(b[i]));
  return status;
}

erg_status erg_mul_float(const erg_float_format *format, int64_t elements, const float *a, const float *b,
                         float *output, erg_error *error) {
  erg_status status = check_pair("mul", format, elements, a, b, output, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++)
    output[i] = erg_float_product(&(erg_float_arithmetic){.format = format}, format->round(a[i]), format->round(b[i]));
  return status;
}

/* Rounds the map, pools in fp32, rounds the result. */
static erg_status pool(const char *what, const erg_float_format *format, const erg_pool_shape *s, const float *input,
                       float *output, erg_status (*f32)(const erg_pool_shape *, const float *, float *, erg_error *),
                       erg_error *error) {
  if (!format || !input || !output) return erg_fail(error, ERG_ERR_DATA, "%s: an argument is NULL", what);
  erg_status status = erg_check_pool(s, error);
  if (status != ERG_OK) return status;
  float *map = rounded(format, erg_shape_elements(s->in), input);
  status = map ? f32(s, map, output, error) : erg_fail(error, ERG_ERR_INTERNAL, "%s: out of memory", what);
  if (status == ERG_OK) round_all(format, (int64_t)s->in.n * s->out_h * s->out_w * s->in.c, output, output);
  free(map);
  return status;
}

erg_status erg_max_pool_float(const erg_float_format *format, const erg_pool_shape *shape, const float *input,
                              float *output, erg_error *error) {
  return pool("max_pool", format, shape, input, output, erg_max_pool_f32, error);
}

erg_status erg_avg_pool_float(const erg_float_format *format, const erg_pool_shape *shape, const float *input,
                              float *output, erg_error *error) {
  return pool("avg_pool", format, shape, input, output, erg_avg_pool_f32, error);
}
