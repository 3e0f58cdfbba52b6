/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/attention.h"
#include "check.h"
#include <stdlib.h>

static erg_status check(const erg_attention_shape *s, const void *query, const void *key, const void *value,
                        const void *probabilities, const void *output, erg_error *error) {
  if (!s || !query || !key || !value || !probabilities || !output)
    return erg_fail(error, ERG_ERR_DATA, "attention: the shape or a tensor is NULL");
  const int in[] = {s->batch, s->queries, s->width}, of[] = {s->batch, s->keys, s->width},
            all[] = {s->batch, s->queries, s->keys};
  if (erg_extents_ok(in, 3) && erg_extents_ok(of, 3) && erg_extents_ok(all, 3)) return ERG_OK;
  return erg_fail(
      error, ERG_ERR_DATA,
      "attention: found batch %d, %d queries, %d keys, width %d; allowed: at least 1, at most 2^40 elements "
      "a tensor",
      s->batch, s->queries, s->keys, s->width);
}

static void transpose(const int16_t *rows, int count, int width, int16_t *columns) {
  for (int r = 0; r < count; r++)
    for (int c = 0; c < width; c++) columns[(int64_t)c * count + r] = rows[(int64_t)r * width + c];
}

/* One element of the batch; `sums` [queries, max(keys, width)], `columns` [width, keys]. */
static erg_status one(const erg_attention *a, const int16_t *query, const int16_t *key, const int16_t *value,
                      int64_t *sums, int16_t *columns, int16_t *probabilities, int16_t *output, erg_error *error) {
  const erg_attention_shape *s = &a->shape;
  const erg_matmul_shape score = {1, s->queries, s->width, s->keys}, mix = {1, s->queries, s->keys, s->width};
  const int64_t pairs = (int64_t)s->queries * s->keys, outputs = (int64_t)s->queries * s->width;
  transpose(key, s->keys, s->width, columns);
  erg_status status = erg_matmul_accumulate_s16(&score, query, a->query_zero_point, columns, a->key_zero_point,
                                                a->accumulator_bits, sums, error);
  if (status == ERG_OK)
    status =
        erg_requantize_tensor_s64(pairs, sums, a->accumulator_bits, &a->score_scale, &a->scores, probabilities, error);
  if (status == ERG_OK)
    status = erg_softmax_unit_s16(a->softmax, s->queries, s->keys, probabilities, probabilities, error);
  if (status == ERG_OK)
    status = erg_matmul_accumulate_s16(&mix, probabilities, a->softmax->out.zero_point, value, a->value_zero_point,
                                       a->accumulator_bits, sums, error);
  if (status == ERG_OK)
    status = erg_requantize_tensor_s64(outputs, sums, a->accumulator_bits, &a->mix_scale, &a->output, output, error);
  return status;
}

erg_status erg_attention_s16(const erg_attention *a, const int16_t *query, const int16_t *key, const int16_t *value,
                             int16_t *probabilities, int16_t *output, erg_error *error) {
  if (!a || !a->softmax) return erg_fail(error, ERG_ERR_DATA, "attention: no parameters or no softmax");
  const erg_attention_shape *s = &a->shape;
  erg_status status = check(s, query, key, value, probabilities, output, error);
  if (status != ERG_OK) return status;
  const int64_t q = (int64_t)s->queries * s->width, k = (int64_t)s->keys * s->width, p = (int64_t)s->queries * s->keys;
  int64_t *sums = malloc(sizeof *sums * (size_t)(p > q ? p : q));
  int16_t *columns = malloc(sizeof *columns * (size_t)k);
  if (!sums || !columns) {
    free(columns);
    free(sums);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  for (int64_t b = 0; b < s->batch && status == ERG_OK; b++)
    status =
        one(a, query + b * q, key + b * k, value + b * k, sums, columns, probabilities + b * p, output + b * q, error);
  free(columns);
  free(sums);
  return status;
}

erg_status erg_attention_f32(const erg_attention_shape *s, float scale, const float *query, const float *key,
                             const float *value, float *probabilities, float *output, erg_error *error) {
  erg_status status = check(s, query, key, value, probabilities, output, error);
  if (status != ERG_OK) return status;
  for (int64_t row = 0; row < (int64_t)s->batch * s->queries; row++) {
    const float *x = query + row * s->width, *keys = key + row / s->queries * s->keys * s->width,
                *values = value + row / s->queries * s->keys * s->width;
    float *p = probabilities + row * s->keys;
    for (int k = 0; k < s->keys; k++) {
      float sum = 0;
      for (int c = 0; c < s->width; c++) sum += x[c] * keys[(int64_t)k * s->width + c];
      p[k] = scale * sum;
    }
    status = erg_softmax_f32(1, s->keys, p, p, error);
    if (status != ERG_OK) return status;
    for (int c = 0; c < s->width; c++) {
      float sum = 0;
      for (int k = 0; k < s->keys; k++) sum += p[k] * values[(int64_t)k * s->width + c];
      output[row * s->width + c] = sum;
    }
  }
  return ERG_OK;
}

static erg_status attempt(erg_format format, erg_error *error) {
  const erg_attention_shape shape = {1, 1, 2, 1};
  if (format == ERG_FORMAT_INT) {
    int32_t table[16] = {0};
    erg_softmax_unit unit = {0};
    int16_t p[2] = {0}, y = 0;
    erg_status status =
        erg_softmax_unit_init((erg_quantization){1, 0, 4}, (erg_quantization){1.0 / 64, 0, 8}, 16, table, &unit, error);
    if (status != ERG_OK) return status;
    const erg_attention a = {.shape = shape,
                             .accumulator_bits = 32,
                             .score_scale = {.scale = ERG_UNIT_SCALE},
                             .scores = {0, -8, 7},
                             .softmax = &unit,
                             .mix_scale = {.scale = erg_requant_from_real(1.0 / 64)},
                             .output = ERG_PLAIN_CODES};
    status = erg_attention_s16(&a, (int16_t[]){1}, (int16_t[]){2, 2}, (int16_t[]){10, 20}, p, &y, error);
    return erg_attempted("attention", status, y, 15, error);
  }
  if (format != ERG_FORMAT_FP32) return erg_no_kernel("attention", format, error);
  float p[2] = {0}, y = 0;
  erg_status status = erg_attention_f32(&shape, 1, (float[]){1}, (float[]){2, 2}, (float[]){10, 20}, p, &y, error);
  return erg_attempted("attention", status, (double)y, 15, error);
}
static const erg_kernel attention = {"attention", "one head: scores, softmax, mix, each with its width", attempt};
ERG_REGISTER(erg_kernel, attention);
