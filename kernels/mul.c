/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "ergon/float_kernels.h"

static erg_status check_params(const erg_mul_params *params, erg_error *error) {
  if (params->accumulator_bits < 8 || params->accumulator_bits > 48)
    return erg_fail(error, ERG_ERR_DATA, "mul: found %d accumulator bits; allowed: 8 to 48", params->accumulator_bits);
  erg_status status = erg_check_clamp("mul", params->codes.low, params->codes.high, error);
  if (status == ERG_OK) status = erg_check_rule("mul: scale", params->scale.rule, params->scale.scale, error);
  return status;
}

static int16_t product(int16_t a, int16_t b, const erg_mul_params *p) {
  uint64_t wrapped = (uint64_t)((int64_t)a - p->a_zero_point) * (uint64_t)((int64_t)b - p->b_zero_point);
  int64_t x = erg_wrap((int64_t)wrapped, p->accumulator_bits);
  return erg_to_code(erg_requantize_rule(x, p->scale.scale, p->accumulator_bits, p->scale.rule), &p->codes);
}

erg_status erg_mul_s16(int64_t elements, const int16_t *a, const int16_t *b, const erg_mul_params *params,
                       int16_t *output, erg_error *error) {
  if (!a || !b || !params || !output) return erg_fail(error, ERG_ERR_DATA, "mul: an argument is NULL");
  erg_status status = erg_check_elements("mul", elements, 1, error);
  if (status == ERG_OK) status = check_params(params, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++) output[i] = product(a[i], b[i], params);
  return status;
}

erg_status erg_channel_mul_s16(erg_shape shape, const int16_t *a, const int16_t *b, const erg_mul_params *params,
                               int16_t *output, erg_error *error) {
  if (!a || !b || !params || !output) return erg_fail(error, ERG_ERR_DATA, "mul: an argument is NULL");
  erg_status status = erg_check_shape("mul", shape, error);
  if (status == ERG_OK) status = check_params(params, error);
  if (status != ERG_OK) return status;
  int64_t map = (int64_t)shape.h * shape.w;
  for (int64_t row = 0; row < shape.n * map; row++)
    for (int c = 0; c < shape.c; c++) *output++ = product(*a++, b[row / map * shape.c + c], params);
  return ERG_OK;
}

erg_status erg_mul_f32(int64_t elements, const float *a, const float *b, float *output, erg_error *error) {
  if (!a || !b || !output) return erg_fail(error, ERG_ERR_DATA, "mul: an argument is NULL");
  erg_status status = erg_check_elements("mul", elements, 1, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++) output[i] = a[i] * b[i];
  return status;
}

erg_status erg_channel_mul_f32(erg_shape shape, const float *a, const float *b, float *output, erg_error *error) {
  if (!a || !b || !output) return erg_fail(error, ERG_ERR_DATA, "mul: an argument is NULL");
  erg_status status = erg_check_shape("mul", shape, error);
  if (status != ERG_OK) return status;
  int64_t map = (int64_t)shape.h * shape.w;
  for (int64_t row = 0; row < shape.n * map; row++)
    for (int c = 0; c < shape.c; c++) *output++ = *a++ * b[row / map * shape.c + c];
  return ERG_OK;
}

static erg_status attempt_mul(erg_format format, erg_error *error) {
  if (format == ERG_FORMAT_INT) {
    const erg_mul_params p = {.accumulator_bits = 32, .scale = {.scale = ERG_UNIT_SCALE}, .codes = ERG_PLAIN_CODES};
    int16_t y = 0;
    erg_status status = erg_mul_s16(1, (int16_t[]){2}, (int16_t[]){3}, &p, &y, error);
    return erg_attempted("mul", status, y, 6, error);
  }
  float y = 0;
  erg_status status = erg_mul_float(erg_float_format_find(format), 1, (float[]){2}, (float[]){3}, &y, error);
  return erg_attempted("mul", status, (double)y, 6, error);
}
static const erg_kernel mul = {"mul", "of two tensors, element by element", attempt_mul};
ERG_REGISTER(erg_kernel, mul);

static erg_status attempt_channel_mul(erg_format format, erg_error *error) {
  const erg_shape shape = {1, 1, 1, 1};
  if (format == ERG_FORMAT_INT) {
    const erg_mul_params p = {.accumulator_bits = 32, .scale = {.scale = ERG_UNIT_SCALE}, .codes = ERG_PLAIN_CODES};
    int16_t y = 0;
    erg_status status = erg_channel_mul_s16(shape, (int16_t[]){2}, (int16_t[]){3}, &p, &y, error);
    return erg_attempted("channel mul", status, y, 6, error);
  }
  if (format != ERG_FORMAT_FP32) return erg_no_kernel("channel mul", format, error);
  float y = 0;
  erg_status status = erg_channel_mul_f32(shape, (float[]){2}, (float[]){3}, &y, error);
  return erg_attempted("channel mul", status, (double)y, 6, error);
}
static const erg_kernel channel_mul = {"channel mul", "a map by a number a channel", attempt_channel_mul};
ERG_REGISTER(erg_kernel, channel_mul);
