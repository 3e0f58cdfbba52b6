/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product with two zero points: sum (a - za)(b - zb) = sum ab - za sum b - zb (sum a - K za), modulo 2^32. */
#include "../check.h"
#include "fast.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  const erg_matmul_shape *s;
  bool bytes;
  int a_offset, b_offset;              /* bring the codes into bytes */
  uint32_t a_zero_point, b_zero_point; /* offsets included */
  void *a, *b;                         /* packed operands */
  uint32_t *sums, *column_sums;
} workspace;

/* column_sums[n] = sum over k of b, offset included. */
ERG_VECTOR_CLONES static void sum_columns(const int16_t *restrict b, int64_t k_count, int64_t n_count, int offset,
                                          uint32_t *restrict sums) {
  for (int64_t n = 0; n < n_count; n++) sums[n] = (uint32_t)offset * (uint32_t)k_count;
  for (int64_t k = 0; k < k_count; k++)
    for (int64_t n = 0; n < n_count; n++) sums[n] += (uint32_t)b[k * n_count + n] * 1u;
}

ERG_VECTOR_CLONES static void correct_rows(const workspace *w, const int16_t *a) {
  int64_t k_count = w->s->k, n_count = w->s->n;
  for (int64_t m = 0; m < w->s->m; m++, a += k_count) {
    uint32_t sum = (uint32_t)w->a_offset * (uint32_t)k_count, *row = w->sums + m * n_count;
    for (int64_t k = 0; k < k_count; k++) sum += (uint32_t)a[k] * 1u;
    uint32_t correction = w->b_zero_point * (sum - (uint32_t)k_count * w->a_zero_point);
    for (int64_t n = 0; n < n_count; n++) row[n] -= correction;
  }
}

static bool multiply(const workspace *w, const int16_t *a, const int16_t *b) {
  int64_t m_count = w->s->m, k_count = w->s->k, n_count = w->s->n, depth = erg_blocked_depth(k_count);
  if (w->bytes) { /* oneDNN packs its operands itself */
    erg_fast_to_bytes(a, m_count * k_count, w->a_offset, w->a);
    erg_fast_to_bytes(b, k_count * n_count, w->b_offset, w->b);
    return erg_onednn_gemm(m_count, n_count, k_count, w->a, w->b, w->sums);
  }
  const int16_t *rows = a;
  for (int64_t m = 0; m < m_count && depth != k_count; m++) {
    int16_t *row = (int16_t *)w->a + m * depth;
    memcpy(row, a + m * k_count, (size_t)k_count * sizeof *row);
    row[k_count] = 0;
    rows = w->a;
  }
  erg_blocked_pack(b, k_count, n_count, false, w->b);
  erg_blocked_gemm(m_count, n_count, k_count, rows, w->b, w->sums);
  return true;
}

static erg_status product(const workspace *w, int64_t batch, const int16_t *a, const int16_t *b, erg_fast_sink *sink,
                          erg_error *error) {
  const erg_matmul_shape *s = w->s;
  a += batch * s->m * s->k;
  b += batch * s->k * s->n;
  if (!multiply(w, a, b)) return erg_fail(error, ERG_ERR_INTERNAL, "matmul: oneDNN refused the product");
  sum_columns(b, s->k, s->n, w->b_offset, w->column_sums);
  for (int64_t n = 0; n < s->n; n++) w->column_sums[n] *= w->a_zero_point;
  if (w->b_zero_point) correct_rows(w, a);
  erg_status status = erg_fast_sink_open(sink, "matmul", w->a_zero_point ? w->column_sums : NULL, error);
  if (status != ERG_OK) return status;
  erg_fast_store(sink, batch * s->m, s->m, w->sums);
  erg_fast_sink_close(sink);
  return ERG_OK;
}

static erg_status run(const erg_matmul_shape *s, const int16_t *a, int32_t a_zero_point, const int16_t *b,
                      int32_t b_zero_point, erg_fast_sink *sink, erg_fast_path *path, erg_error *error) {
  int64_t a_codes = (int64_t)s->m * s->k, b_codes = (int64_t)s->k * s->n;
  int a_least, a_greatest, b_least, b_greatest;
  erg_fast_range(a, s->batch * a_codes, &a_least, &a_greatest);
  erg_fast_range(b, s->batch * b_codes, &b_least, &b_greatest);
  bool bytes = a_greatest - a_least < 256 && b_greatest - b_least < 256;
  erg_status status = erg_fast_choose("matmul", *path, erg_fast_no_onednn(bytes, sink->accumulator_bits, s->k),
                                      erg_fast_no_blocked(sink->accumulator_bits), path, error);
  if (status != ERG_OK || *path == ERG_FAST_PLAIN) return status;
  workspace w = {.s = s, .bytes = *path == ERG_FAST_ONEDNN};
  if (w.bytes) { /* a zero point that becomes 0 costs nothing */
    bool symmetric = b_least - (int64_t)b_zero_point >= INT8_MIN && b_greatest - (int64_t)b_zero_point <= INT8_MAX;
    w.a_offset = a_least >= 0 && a_greatest < 256 ? 0 : -a_least;
    w.b_offset = symmetric ? -b_zero_point : INT8_MIN - b_least;
  }
  w.a_zero_point = (uint32_t)a_zero_point + (uint32_t)w.a_offset;
  w.b_zero_point = (uint32_t)b_zero_point + (uint32_t)w.b_offset;
  w.a = malloc((size_t)(s->m * erg_blocked_depth(s->k)) * sizeof *a);
  w.b = malloc((size_t)erg_blocked_panel_codes(s->k, s->n) * sizeof *b);
  w.sums = malloc(sizeof *w.sums * (size_t)s->m * (size_t)s->n);
  w.column_sums = malloc(sizeof *w.column_sums * (size_t)s->n);
  if (!w.a || !w.b || !w.sums || !w.column_sums)
    status = erg_fast_no_memory("matmul", error);
  else
    for (int batch = 0; batch < s->batch && status == ERG_OK; batch++) status = product(&w, batch, a, b, sink, error);
  free(w.a);
  free(w.b);
  free(w.sums);
  free(w.column_sums);
  return status;
}

erg_status erg_fast_matmul_s16(const erg_matmul_shape *shape, const int16_t *a, int32_t a_zero_point, const int16_t *b,
                               int32_t b_zero_point, int accumulator_bits, const erg_epilogue *epilogue,
                               int16_t *output, erg_fast_path path, erg_fast_path *taken, erg_error *error) {
  erg_status status = erg_check_matmul(shape, a, b, output, accumulator_bits, error);
  if (status == ERG_OK) status = erg_check_epilogue("matmul", epilogue, shape->n, error);
  if (status != ERG_OK) return status;
  erg_fast_sink sink = {
      .accumulator_bits = accumulator_bits, .columns = shape->n, .epilogue = epilogue, .output = output};
  status = run(shape, a, a_zero_point, b, b_zero_point, &sink, &path, error);
  if (status == ERG_OK && path == ERG_FAST_PLAIN)
    status = erg_matmul_s16(shape, a, a_zero_point, b, b_zero_point, accumulator_bits, epilogue, output, error);
  if (status == ERG_OK && taken) *taken = path;
  return status;
}

erg_status erg_fast_matmul_accumulate_s16(const erg_matmul_shape *shape, const int16_t *a, int32_t a_zero_point,
                                          const int16_t *b, int32_t b_zero_point, int accumulator_bits,
                                          int64_t *accumulator, erg_fast_path path, erg_fast_path *taken,
                                          erg_error *error) {
  erg_status status = erg_check_matmul(shape, a, b, accumulator, accumulator_bits, error);
  if (status != ERG_OK) return status;
  erg_fast_sink sink = {.accumulator_bits = accumulator_bits, .columns = shape->n, .accumulator = accumulator};
  status = run(shape, a, a_zero_point, b, b_zero_point, &sink, &path, error);
  if (status == ERG_OK && path == ERG_FAST_PLAIN)
    status = erg_matmul_accumulate_s16(shape, a, a_zero_point, b, b_zero_point, accumulator_bits, accumulator, error);
  if (status == ERG_OK && taken) *taken = path;
  return status;
}
