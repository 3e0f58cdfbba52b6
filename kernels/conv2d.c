/* SPDX-License-Identifier: Apache-2.0 */
/* Golden convolution: the sum of its definition, over NHWC, one output after the other. Padding contributes x = zero
 * point, that is nothing, so only taps inside the map are visited. */
#include "check.h"
#include "ergon/float_kernels.h"

/* sum of x*w and of w over n adjacent codes, modulo 2^32. Products of 16-bit codes fit in 31 bits. */
static void dot32(const int16_t *restrict x, const int16_t *restrict w, int n, uint32_t *xw, uint32_t *sum_w) {
  uint32_t p = 0, s = 0; /* unsigned accumulation is what modulo means */
  for (int i = 0; i < n; i++) {
    p += (uint32_t)(x[i] * w[i]);
    s += (uint32_t)w[i] * 1u;
  }
  *xw += p;
  *sum_w += s;
}

static uint64_t dot64(const int16_t *x, const int16_t *w, int n, int32_t zero_point) {
  uint64_t sum = 0;
  for (int i = 0; i < n; i++) sum += (uint64_t)(((int64_t)x[i] - zero_point) * w[i]);
  return sum;
}

/* One accumulator: sum over taps inside the map of (x - zero_point)*w = sum x*w - zero_point * sum w. */
static int64_t accumulate(const erg_conv2d_shape *s, const int16_t *image, int32_t zero_point, const int16_t *filter,
                          int group, int p, int q, int accumulator_bits) {
  int group_channels = s->in.c / s->groups, r0, r1, s0, s1;
  int dilation_h = s->dilation_h > 1 ? s->dilation_h : 1, dilation_w = s->dilation_w > 1 ? s->dilation_w : 1;
  erg_taps(p, s->stride_h, s->pad_top, s->kernel_h, dilation_h, s->in.h, &r0, &r1);
  erg_taps(q, s->stride_w, s->pad_left, s->kernel_w, dilation_w, s->in.w, &s0, &s1);
  bool adjacent = s->groups == 1 && dilation_w == 1; /* taps of a kernel row, in the map and in the filter: one run */
  uint32_t xw = 0, sum_w = 0;
  uint64_t wide = 0;
  for (int r = r0; r < r1; r++) {
    int64_t h = (int64_t)p * s->stride_h - s->pad_top + (int64_t)r * dilation_h;
    int runs = adjacent ? s1 > s0 : s1 - s0, length = adjacent ? (s1 - s0) * group_channels : group_channels;
    for (int t = 0; t < runs; t++) {
      int64_t w = (int64_t)q * s->stride_w - s->pad_left + (int64_t)(s0 + t) * dilation_w;
      const int16_t *x = image + (h * s->in.w + w) * s->in.c + (int64_t)group * group_channels;
      const int16_t *weight = filter + ((int64_t)r * s->kernel_w + s0 + t) * group_channels;
      if (accumulator_bits <= 32)
        dot32(x, weight, length, &xw, &sum_w);
      else
        wide += dot64(x, weight, length, zero_point);
    }
  }
  if (accumulator_bits > 32) return erg_wrap((int64_t)wide, accumulator_bits);
  return erg_wrap((int64_t)(xw - (uint32_t)zero_point * sum_w), accumulator_bits);
}

/* Calls for every output in NHWC order: `epilogue` NULL stores accumulators. */
static void run(const erg_conv2d_shape *s, const int16_t *input, int32_t zero_point, const int16_t *weight,
                int accumulator_bits, const erg_epilogue *epilogue, int64_t *accumulators, int16_t *output) {
  int64_t reduction = erg_conv2d_reduction(s), map = (int64_t)s->in.h * s->in.w * s->in.c, at = 0;
  for (int n = 0; n < s->in.n; n++)
    for (int p = 0; p < s->out_h; p++)
      for (int q = 0; q < s->out_w; q++)
        for (int k = 0; k < s->filters; k++, at++) {
          int64_t sum = accumulate(s, input + n * map, zero_point, weight + k * reduction, k / (s->filters / s->groups),
                                   p, q, accumulator_bits);
          if (output)
            output[at] =
                erg_epilogue_apply(epilogue, sum, k, epilogue->residual ? epilogue->residual[at] : 0, accumulator_bits);
          else if (accumulators)
            accumulators[at] = sum;
        }
}

erg_status erg_conv2d_accumulate_s16(const erg_conv2d_shape *shape, const int16_t *input, int32_t input_zero_point,
                                     const int16_t *weight, int accumulator_bits, int64_t *accumulator,
                                     erg_error *error) {
  erg_status status = erg_check_conv2d_call(shape, input, weight, accumulator, accumulator_bits, error);
  if (status == ERG_OK) run(shape, input, input_zero_point, weight, accumulator_bits, NULL, accumulator, NULL);
  return status;
}

erg_status erg_conv2d_s16(const erg_conv2d_shape *shape, const int16_t *input, int32_t input_zero_point,
                          const int16_t *weight, int accumulator_bits, const erg_epilogue *epilogue, int16_t *output,
                          erg_error *error) {
  erg_status status = erg_check_conv2d_call(shape, input, weight, output, accumulator_bits, error);
  if (status == ERG_OK) status = erg_check_epilogue("conv2d", epilogue, shape->filters, error);
  if (status == ERG_OK) run(shape, input, input_zero_point, weight, accumulator_bits, epilogue, NULL, output);
  return status;
}

static erg_status attempt(erg_format format, erg_error *error) {
  const erg_conv2d_shape s = {.in = {1, 1, 1, 2},
                              .filters = 1,
                              .kernel_h = 1,
                              .kernel_w = 1,
                              .stride_h = 1,
                              .stride_w = 1,
                              .groups = 1,
                              .out_h = 1,
                              .out_w = 1};
  if (format == ERG_FORMAT_INT) {
    const erg_epilogue e = {.scale = &ERG_UNIT_SCALE, .low = -128, .high = 127};
    int16_t y = 0;
    erg_status status = erg_conv2d_s16(&s, (int16_t[]){2, 4}, 1, (int16_t[]){4, -5}, 32, &e, &y, error);
    return erg_attempted("conv2d", status, y, -11, error);
  }
  const erg_float_arithmetic arithmetic = {.format = erg_float_format_find(format)};
  float y = 0;
  erg_status status = erg_conv2d_float(&arithmetic, &s, (float[]){2, 4}, (float[]){4, -5}, NULL, &y, error);
  return erg_attempted("conv2d", status, (double)y, -12, error);
}
static const erg_kernel conv2d = {"conv2d", "strides, pads, groups, dilation; FC and GEMM are 1 x 1", attempt};
ERG_REGISTER(erg_kernel, conv2d);
