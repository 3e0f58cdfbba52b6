/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verify_own.h"
#include "ergon/npy.h"
#include <inttypes.h>

typedef struct {
  const char *path, *option;
  erg_npy npy;
} tensor;

/* The first element that `bits` cannot hold is named, and how many there are. */
static void check_range(const tensor *t, int bits, erg_error *error) {
  int64_t most = ((int64_t)1 << (bits - 1)) - 1, columns = t->npy.dims > 1 ? t->npy.extents[1] : 1, first = -1;
  int64_t outside = 0;
  for (int64_t i = 0; i < t->npy.extents[0] * columns; i++) {
    if (t->npy.elements[i] >= -most - 1 && t->npy.elements[i] <= most) continue;
    if (outside++ == 0) first = i;
  }
  if (outside)
    erg_fail(error, ERG_ERR_DATA,
             "%s: %" PRId64 " elements do not fit --%s of %d bits (--precision): found %" PRId64 " at row %" PRId64
             ", column %" PRId64 "; allowed: %" PRId64 " to %" PRId64,
             t->path, outside, t->option, bits, t->npy.elements[first], first / columns, first % columns, -most - 1,
             most);
}

static erg_status read_all(erg_arena *arena, const erg_precision *p, const erg_verify_options *o, tensor t[3],
                           erg_error *error) {
  const int bits[3] = {p->activation_bits, p->weight_bits, p->accumulator_bits};
  t[0] = (tensor){.path = o->input, .option = "input"};
  t[1] = (tensor){.path = o->weight, .option = "weight"};
  t[2] = (tensor){.path = o->bias, .option = "bias"};
  bool read[3] = {false};
  for (int i = 0; i < 3; i++) {
    if (!t[i].path) continue;
    read[i] = erg_npy_read(arena, t[i].path, i < 2 ? 2 : 1, &t[i].npy, error) == ERG_OK;
    if (read[i]) check_range(&t[i], bits[i], error);
  }
  const int64_t *x = t[0].npy.extents, *w = t[1].npy.extents, *b = t[2].npy.extents;
  if (read[0] && read[1] && x[1] != w[1])
    erg_fail(error, ERG_ERR_DATA,
             "%s is (%" PRId64 ", %" PRId64 ") and %s (%" PRId64 ", %" PRId64
             "); allowed: the same K, --input (M, K) and --weight (N, K), a row a channel",
             t[0].path, x[0], x[1], t[1].path, w[0], w[1]);
  if (read[2] && read[1] && b[0] != w[0])
    erg_fail(error, ERG_ERR_DATA, "%s has %" PRId64 " elements; allowed: %" PRId64 ", one a row of %s", t[2].path, b[0],
             w[0], t[1].path);
  if (read[0] && read[1] && x[0] > INT32_MAX / w[0])
    erg_fail(error, ERG_ERR_DATA, "%" PRId64 " rows of %s by %" PRId64 " channels of %s; allowed: up to %d outputs",
             x[0], t[0].path, w[0], t[1].path, INT32_MAX);
  return error->status;
}

static bool cut(erg_arena *arena, int depth, erg_gemm *g) {
  g->tile_count = (g->m + depth - 1) / depth;
  int *rows = erg_arena_alloc(arena, sizeof *rows * (size_t)g->tile_count);
  for (int i = 0; rows && i < g->tile_count; i++) rows[i] = g->m - i * depth < depth ? g->m - i * depth : depth;
  g->tile_rows = rows;
  return rows != NULL;
}

/* One scale for all channels: the largest sum comes to the highest code. Any scale up to 2^29 would be checked as well;
 * this one lets the codes say most about the sums. */
static erg_status calibrate(erg_arena *arena, const erg_precision *p, erg_gemm *g, erg_error *error) {
  size_t outputs = (size_t)g->m * (size_t)g->n;
  int16_t *codes = erg_arena_alloc(arena, sizeof *codes * outputs);
  int64_t *sums = erg_arena_alloc(arena, sizeof *sums * outputs), largest = 1;
  if (!codes || !sums) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int n = 0; n < g->n; n++) g->scale[n] = erg_requant_from_real(1);
  erg_status status = erg_gemm_golden(g, p->accumulator_bits, codes, sums, error);
  if (status != ERG_OK) return status;
  for (size_t i = 0; i < outputs; i++) {
    int64_t size = sums[i] < 0 ? -sums[i] : sums[i];
    if (size > largest) largest = size;
  }
  double real = (double)g->layer.high / (double)largest;
  for (int n = 0; n < g->n; n++) g->scale[n] = erg_requant_from_real(real);
  return ERG_OK;
}

erg_status erg_own_make(erg_arena *arena, const erg_point *point, const erg_verify_options *options, erg_gemm *out,
                        erg_error *error) {
  const erg_precision *p = &point->precision;
  tensor t[3];
  erg_error faults = {0};
  erg_status status = read_all(arena, p, options, t, &faults);
  if (status != ERG_OK) erg_fail(error, status, "%s", faults.text ? faults.text : "failed");
  erg_error_clear(&faults);
  if (status != ERG_OK) return status;
  int top = (1 << (p->output_bits - 1)) - 1;
  erg_gemm g = {.m = (int)t[0].npy.extents[0],
                .n = (int)t[1].npy.extents[0],
                .k = (int)t[0].npy.extents[1],
                .rule = options->rule,
                .residual_scale = {0, 0, 0},
                .layer = {.low = -top - 1, .high = top, .residual_t = 31}};
  erg_gemm_array(point, &g);
  int64_t inputs = (int64_t)g.m * g.k, weights = (int64_t)g.n * g.k;
  g.a = erg_arena_alloc(arena, sizeof *g.a * (size_t)inputs);
  g.w = erg_arena_alloc(arena, sizeof *g.w * (size_t)weights);
  g.residual = erg_arena_alloc(arena, sizeof *g.residual * (size_t)g.m * (size_t)g.n);
  g.bias = erg_arena_alloc(arena, sizeof *g.bias * (size_t)g.n);
  g.scale = erg_arena_alloc(arena, sizeof *g.scale * (size_t)g.n);
  if (!cut(arena, (int)point->arch->accumulator_depth, &g) || !g.a || !g.w || !g.residual || !g.bias || !g.scale)
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int64_t i = 0; i < inputs; i++) g.a[i] = (int16_t)t[0].npy.elements[i];
  for (int64_t i = 0; i < weights; i++) g.w[i] = (int16_t)t[1].npy.elements[i];
  for (int n = 0; t[2].path && n < g.n; n++) g.bias[n] = t[2].npy.elements[n];
  status = calibrate(arena, p, &g, error);
  *out = g;
  return status;
}
