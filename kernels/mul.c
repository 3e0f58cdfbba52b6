/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

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
