/* SPDX-License-Identifier: Apache-2.0 */
/* Golden matrix product of two activations: the sum of its definition, one output after the other. */
#include "check.h"
#include "ergon/float_kernels.h"

erg_status erg_check_matmul(const erg_matmul_shape *s, const void *a, const void *b, const void *output, int bits,
                            erg_error *error) {
  if (!s || !a || !b || !output) return erg_fail(error, ERG_ERR_DATA, "matmul: the shape or a tensor is NULL");
  if (bits < 8 || bits > 48)
    return erg_fail(error, ERG_ERR_DATA, "matmul: found %d accumulator bits; allowed: 8 to 48", bits);
  const int left[] = {s->batch, s->m, s->k}, right[] = {s->batch, s->k, s->n}, out[] = {s->batch, s->m, s->n};
  if (!erg_extents_ok(left, 3) || !erg_extents_ok(right, 3) || !erg_extents_ok(out, 3))
    return erg_fail(error, ERG_ERR_DATA,
                    "matmul: found batch %d, M %d, K %d, N %d; allowed: at least 1, at most 2^40 elements a tensor",
                    s->batch, s->m, s->k, s->n);
  return ERG_OK;
}

/* Modulo 2^64, of which every accumulator width is a part. */
static int64_t dot(const erg_matmul_shape *s, const int16_t *row, int32_t a_zero_point, const int16_t *column,
                   int32_t b_zero_point, int bits) {
  uint64_t sum = 0;
  for (int k = 0; k < s->k; k++)
    sum += (uint64_t)((int64_t)row[k] - a_zero_point) * (uint64_t)((int64_t)column[(int64_t)k * s->n] - b_zero_point);
  return erg_wrap((int64_t)sum, bits);
}

erg_status erg_matmul_accumulate_s16(const erg_matmul_shape *s, const int16_t *a, int32_t a_zero_point,
                                     const int16_t *b, int32_t b_zero_point, int accumulator_bits, int64_t *accumulator,
                                     erg_error *error) {
  erg_status status = erg_check_matmul(s, a, b, accumulator, accumulator_bits, error);
  if (status != ERG_OK) return status;
  for (int64_t row = 0; row < (int64_t)s->batch * s->m; row++)
    for (int n = 0; n < s->n; n++)
      *accumulator++ =
          dot(s, a + row * s->k, a_zero_point, b + row / s->m * s->k * s->n + n, b_zero_point, accumulator_bits);
  return ERG_OK;
}

erg_status erg_matmul_s16(const erg_matmul_shape *s, const int16_t *a, int32_t a_zero_point, const int16_t *b,
                          int32_t b_zero_point, int accumulator_bits, const erg_epilogue *epilogue, int16_t *output,
                          erg_error *error) {
  erg_status status = erg_check_matmul(s, a, b, output, accumulator_bits, error);
  if (status == ERG_OK) status = erg_check_epilogue("matmul", epilogue, s->n, error);
  if (status != ERG_OK) return status;
  int64_t at = 0;
  for (int64_t row = 0; row < (int64_t)s->batch * s->m; row++)
    for (int n = 0; n < s->n; n++, at++) {
      int64_t sum =
          dot(s, a + row * s->k, a_zero_point, b + row / s->m * s->k * s->n + n, b_zero_point, accumulator_bits);
      int16_t residual = epilogue->residual ? epilogue->residual[at] : 0;
      output[at] = erg_epilogue_apply(epilogue, sum, n, residual, accumulator_bits);
    }
  return ERG_OK;
}

erg_status erg_matmul_f32(const erg_matmul_shape *s, const float *a, const float *b, const float *bias, float *output,
                          erg_error *error) {
  erg_status status = erg_check_matmul(s, a, b, output, 32, error);
  if (status != ERG_OK) return status;
  for (int64_t row = 0; row < (int64_t)s->batch * s->m; row++)
    for (int n = 0; n < s->n; n++) {
      const float *x = a + row * s->k, *y = b + row / s->m * s->k * s->n + n;
      float sum = bias ? bias[n] : 0;
      for (int k = 0; k < s->k; k++) sum += x[k] * y[(int64_t)k * s->n];
      *output++ = sum;
    }
  return ERG_OK;
}

static erg_status attempt(erg_format format, erg_error *error) {
  const erg_matmul_shape s = {1, 1, 2, 1};
  if (format == ERG_FORMAT_INT) {
    const erg_epilogue e = {.scale = &ERG_UNIT_SCALE, .low = -128, .high = 127};
    int16_t y = 0;
    erg_status status = erg_matmul_s16(&s, (int16_t[]){2, 4}, 1, (int16_t[]){4, -5}, 1, 32, &e, &y, error);
    return erg_attempted("matmul", status, y, -15, error);
  }
  const erg_float_arithmetic arithmetic = {.format = erg_float_format_find(format)};
  float y = 0;
  erg_status status = erg_matmul_float(&arithmetic, &s, (float[]){2, 4}, (float[]){4, -5}, NULL, &y, error);
  return erg_attempted("matmul", status, (double)y, -12, error);
}
static const erg_kernel matmul = {"matmul", "batches, two activations with zero points", attempt};
ERG_REGISTER(erg_kernel, matmul);
