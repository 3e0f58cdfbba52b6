/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verify_case.h"
#include <math.h>

const char *const erg_case_kind_names[ERG_CASE_KINDS] = {"random", "rails", "ties", "edges", "deep"};

#define MOST_DEEP_CODES 65536 /* of a deep case's input */

typedef struct {
  erg_random random;
  const erg_point *point;
  int kind, rows, cols, depth;
} maker;

static int pick(maker *k, int64_t low, int64_t high) {
  return (int)erg_random_range(&k->random, low, high);
}
static bool coin(maker *k) {
  return pick(k, 0, 1) != 0;
}

/* An extent of an array dimension of `size`: 1, the size, one beside it, or several tiles and a rest. */
static int edge_extent(maker *k, int size) {
  const int extents[] = {1, 2, size - 1, size, size + 1, 2 * size - 1, 2 * size, 2 * size + 1};
  int extent = extents[pick(k, 0, (int)ERG_COUNT_OF(extents) - 1)];
  return extent < 1 ? 1 : extent;
}

static int *cut(maker *k, erg_arena *arena, erg_gemm *g) {
  int *tiles = erg_arena_alloc(arena, 3 * sizeof *tiles), most = k->depth < 40 ? k->depth : 40;
  g->tile_count = k->kind == ERG_CASE_DEEP ? 1 : pick(k, 1, 3);
  g->m = 0;
  for (int i = 0; tiles && i < g->tile_count; i++) {
    int edge = edge_extent(k, k->rows);
    tiles[i] = k->kind == ERG_CASE_DEEP    ? k->depth
               : k->kind == ERG_CASE_EDGES ? (edge < k->depth ? edge : k->depth)
                                           : pick(k, 1, most);
    g->m += tiles[i];
  }
  g->tile_rows = tiles;
  return tiles;
}

/* Codes of `bits`: over the whole range, at its two ends only, or small where sums shall meet ties. */
static void fill(maker *k, int16_t *codes, int64_t count, int bits, bool symmetric) {
  int top = (1 << (bits - 1)) - 1, bottom = symmetric ? -top : -top - 1, small = top < 3 ? top : 3;
  for (int64_t i = 0; i < count; i++)
    codes[i] = (int16_t)(k->kind == ERG_CASE_RAILS  ? (coin(k) ? top : bottom)
                         : k->kind == ERG_CASE_TIES ? pick(k, -small, small)
                                                    : pick(k, bottom, top));
}

static int clip(int t, int low, int high) {
  return t < low ? low : t > high ? high : t;
}

/* A multiplier and a shift that bring sums of about 2^sum_bits to the output's codes, some of them far off. With ties:
 * x*m = 2^(t-1) modulo 2^t happens for small sums only where m is a power of two and t just above its exponent. */
static erg_requant make_scale(maker *k, double sum_bits, int output_bits) {
  erg_requant scale;
  int t = clip((int)lround(30.5 + sum_bits) - output_bits + 2 + pick(k, -1, 1), 1, 62);
  scale.multiplier = (int32_t)erg_random_range(&k->random, 1 << 30, INT32_MAX);
  if (k->kind == ERG_CASE_TIES) {
    scale.multiplier = coin(k) ? 1 << 30 : 3 << 29;
    t = pick(k, 31, 34);
  } else if (pick(k, 0, 15) == 0) {
    t = pick(k, 1, 62);
  } else if (k->kind == ERG_CASE_RAILS && coin(k)) {
    scale.multiplier = coin(k) ? INT32_MAX : 1 << 30;
  }
  scale.shift = 31 - t;
  scale.real = (float)ldexp(scale.multiplier, -t);
  return scale;
}

static void make_constants(maker *k, erg_gemm *g) {
  const erg_precision *p = &k->point->precision;
  int64_t most = ((int64_t)1 << (p->accumulator_bits - 1)) - 1;
  double sum_bits = p->weight_bits + p->activation_bits - 3.2 + 0.5 * log2(g->k); /* of uniform codes */
  if (sum_bits > p->accumulator_bits - 1) sum_bits = p->accumulator_bits - 1;
  int64_t spread = (int64_t)exp2(sum_bits), tie_spread = (int64_t)2 << p->output_bits; /* every code, some rails */
  if (tie_spread < 8) tie_spread = 8;
  if (k->kind == ERG_CASE_TIES) spread = tie_spread < most / 2 ? tie_spread : most / 2;
  for (int n = 0; n < g->n; n++) {
    g->bias[n] = k->kind == ERG_CASE_RAILS && coin(k) ? (coin(k) ? most : -most - 1)
                                                      : erg_random_range(&k->random, -spread, spread);
    g->scale[n] = make_scale(k, sum_bits, p->output_bits);
  }
}

/* Smallest sum that rule S takes to `level` or above. */
static int64_t first_sum_at(int64_t level, erg_requant scale, int accumulator_bits) {
  int64_t low = -((int64_t)1 << (accumulator_bits - 1)), high = -low - 1;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (erg_requantize(middle, scale, accumulator_bits) >= level)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* One sum of a column is brought to where the output steps, or one below it. With a scale so small that sums are large
 * every bit of the multiplier counts, with one so large that only a sum of 0 stays off the rails every bit of the
 * product. A residual far beyond the rails is cancelled. */
static void put_on_step(maker *k, erg_gemm *g, int n) {
  const erg_precision *p = &k->point->precision;
  int row = pick(k, 0, g->m - 1), kind = pick(k, 0, 4), beyond = 0;
  int64_t sum = 0, half = (int64_t)1 << (p->output_bits - 1), residual = 0;
  for (int i = 0; i < g->k; i++) sum += g->a[(int64_t)row * g->k + i] * g->w[(int64_t)n * g->k + i];
  if (g->layer.residual)
    residual =
        erg_requantize(g->residual[(int64_t)row * g->n + n] - g->layer.residual_zero_point, g->residual_scale, 32);
  while (beyond < 20 && (residual < 0 ? -residual : residual) >> beyond > half) beyond++;
  int t = p->accumulator_bits + 29 - p->output_bits + pick(k, -6, 0) - beyond;
  if (kind == 0 && !beyond) t = pick(k, 1, 62);
  if (kind > 2 && !beyond) t = pick(k, 1, pick(k, 1, 31));
  erg_requant *scale = &g->scale[n];
  scale->multiplier = (int32_t)erg_random_range(&k->random, 1 << 30, INT32_MAX);
  scale->shift = 31 - clip(t, 1, 62);
  scale->real = (float)ldexp(scale->multiplier, scale->shift - 31);
  int64_t level = erg_random_range(&k->random, 1 - half, half - 1) - residual;
  g->bias[n] = erg_wrap(first_sum_at(level, *scale, p->accumulator_bits) - coin(k) - sum, p->accumulator_bits);
}

static void make_layer(maker *k, erg_gemm *g) {
  const erg_precision *p = &k->point->precision;
  int top = (1 << (p->output_bits - 1)) - 1, a_top = (1 << (p->activation_bits - 1)) - 1;
  bool rails = k->kind == ERG_CASE_RAILS;
  erg_rtl_layer *l = &g->layer;
  l->low = coin(k) || rails ? -top - 1 : pick(k, -top - 1, 0);
  l->high = coin(k) || rails ? top : pick(k, l->low, top);
  l->zero_point = rails ? (coin(k) ? top : -top - 1) : pick(k, (-top - 1) / 2, top / 2);
  l->residual = coin(k);
  l->residual_zero_point = rails ? (coin(k) ? a_top : -a_top - 1) : pick(k, -a_top - 1, a_top);
  g->residual_scale = make_scale(k, p->activation_bits - 1, p->output_bits);
  if (k->kind == ERG_CASE_TIES && coin(k)) { /* residuals of 0 too, see put_on_step */
    l->residual_zero_point = pick(k, a_top < 3 ? -a_top : -3, a_top < 3 ? a_top : 3);
    g->residual_scale.multiplier = (int32_t)erg_random_range(&k->random, 1 << 30, INT32_MAX);
    g->residual_scale.shift = 31 - (coin(k) ? pick(k, 1, 62) : pick(k, 1, pick(k, 1, 31)));
    g->residual_scale.real = (float)ldexp(g->residual_scale.multiplier, g->residual_scale.shift - 31);
  }
  l->residual_multiplier = g->residual_scale.multiplier;
  l->residual_t = 31 - g->residual_scale.shift;
}

erg_status erg_case_make(erg_arena *arena, const erg_point *point, int number, erg_gemm *out, erg_error *error) {
  const erg_precision *p = &point->precision;
  const erg_arch *arch = point->arch;
  maker k = {.point = point,
             .kind = number % ERG_CASE_KINDS,
             .rows = (int)arch->rows,
             .cols = (int)arch->cols,
             .depth = (int)arch->accumulator_depth};
  char purpose[32];
  erg_gemm g = {0};
  snprintf(purpose, sizeof purpose, "case %d", number);
  erg_random_stream(&k.random, point->seed, purpose);
  bool edges = k.kind == ERG_CASE_EDGES;
  g.n = edges ? edge_extent(&k, k.cols) : pick(&k, 1, 2 * k.cols + 1);
  int products = erg_arch_products(arch, p), fold_k = k.rows * (products ? products : 1);
  g.k = edges ? edge_extent(&k, fold_k) : pick(&k, 1, 3 * fold_k + 1);
  if (k.kind == ERG_CASE_DEEP) { /* the whole memory, written and read again */
    g.n = pick(&k, 1, k.cols);
    g.k = fold_k + pick(&k, 1, fold_k);
  }
  bool room = cut(&k, arena, &g) != NULL;
  int long_k = MOST_DEEP_CODES / g.m;
  if (k.kind == ERG_CASE_DEEP && long_k > g.k && coin(&k)) g.k = pick(&k, g.k, long_k); /* K is a counter too */
  int64_t inputs = (int64_t)g.m * g.k, weights = (int64_t)g.n * g.k, outputs = (int64_t)g.m * g.n;
  g.a = erg_arena_alloc(arena, sizeof *g.a * (size_t)inputs);
  g.w = erg_arena_alloc(arena, sizeof *g.w * (size_t)weights);
  g.residual = erg_arena_alloc(arena, sizeof *g.residual * (size_t)outputs);
  g.bias = erg_arena_alloc(arena, sizeof *g.bias * (size_t)g.n);
  g.scale = erg_arena_alloc(arena, sizeof *g.scale * (size_t)g.n);
  if (!room || !g.a || !g.w || !g.residual || !g.bias || !g.scale)
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  fill(&k, g.a, inputs, p->activation_bits, false);
  fill(&k, g.w, weights, p->weight_bits, true);
  fill(&k, g.residual, outputs, p->activation_bits, false);
  make_constants(&k, &g);
  make_layer(&k, &g);
  for (int n = 0; n < g.n && k.kind == ERG_CASE_TIES; n++)
    if (coin(&k)) put_on_step(&k, &g, n);
  erg_gemm_array(point, &g);
  *out = g;
  return ERG_OK;
}
