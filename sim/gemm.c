/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drives an array alone. Folds go n-tile, m-tile, then K by stretches of `rows` (weight-stationary) or pixels by blocks
 * of `rows` (output-stationary); whatever the array asks for is given, or withheld at random. Clocking stops when the
 * array says done, never at a computed number. */
#include "ergon/gemm.h"
#include <inttypes.h>
#include <string.h>

#define MOST_SIZE 64
// Edges without a beat. A foreign array is called hung at half of them, with its ports.
#define IDLE_LIMIT (1u << 21)

typedef struct {
  int n, n_count; /* first channel, channels */
  int row, rows;  /* first row of the tile, M */
  int k, k_count;
  bool last;
} fold;

typedef struct {
  int rows, cols, fold_k; /* fold_k: rows of K a fold takes */
  const erg_gemm *gemm;
  int n_tiles, k_folds, folds;
  bool os;
} nest;

static nest nest_of(int rows, int cols, const erg_gemm *g) {
  int fold_k = rows * (g->products ? g->products : 1);
  nest t = {
      rows, cols, fold_k, g, (g->n + cols - 1) / cols, (g->k + fold_k - 1) / fold_k, 0, g->dataflow == ERG_DATAFLOW_OS};
  if (t.os) t.k_folds = 1;
  for (int i = 0; i < g->tile_count; i++) t.folds += t.os ? (g->tile_rows[i] + rows - 1) / rows : t.k_folds;
  t.folds *= t.n_tiles;
  return t;
}

/* Output-stationary: a block of pixels, and all of K. */
static fold block_at(const nest *t, int index) {
  const erg_gemm *g = t->gemm;
  int blocks = t->folds / t->n_tiles, left = index % blocks, tile = 0;
  fold f = {.n = index / blocks * t->cols, .k_count = g->k, .last = index == t->folds - 1};
  for (; left >= (g->tile_rows[tile] + t->rows - 1) / t->rows; tile++) {
    left -= (g->tile_rows[tile] + t->rows - 1) / t->rows;
    f.row += g->tile_rows[tile];
  }
  f.row += left * t->rows;
  f.rows = g->tile_rows[tile] - left * t->rows < t->rows ? g->tile_rows[tile] - left * t->rows : t->rows;
  f.n_count = g->n - f.n < t->cols ? g->n - f.n : t->cols;
  return f;
}

static fold fold_at(const nest *t, int index) {
  const erg_gemm *g = t->gemm;
  if (t->os) return block_at(t, index);
  int k = index % t->k_folds, tile = index / t->k_folds % g->tile_count, n = index / t->k_folds / g->tile_count;
  fold f = {.n = n * t->cols, .k = k * t->fold_k, .rows = g->tile_rows[tile], .last = index == t->folds - 1};
  for (int i = 0; i < tile; i++) f.row += g->tile_rows[i];
  f.n_count = g->n - f.n < t->cols ? g->n - f.n : t->cols;
  f.k_count = g->k - f.k < t->fold_k ? g->k - f.k : t->fold_k;
  return f;
}

int *erg_gemm_folds(erg_arena *arena, int rows, int cols, const erg_gemm *gemm, int *count) {
  nest t = nest_of(rows, cols, gemm);
  int *m_rows = erg_arena_alloc(arena, sizeof *m_rows * (size_t)t.folds);
  for (int i = 0; m_rows && i < t.folds; i++)
    m_rows[i] = t.os ? gemm->k : gemm->tile_rows[i / t.k_folds % gemm->tile_count];
  *count = t.folds;
  return m_rows;
}

void erg_gemm_array(const erg_point *point, erg_gemm *gemm) {
  gemm->dataflow = point->dataflow;
  gemm->products = erg_arch_products(point->arch, &point->precision);
  gemm->layer.weight_slices_log2 = erg_slices_log2(point->precision.weight_bits);
  gemm->layer.activation_slices_log2 = erg_slices_log2(point->precision.activation_bits);
}

/* A place in the order of folds that one port has come to. */
typedef struct {
  const nest *t;
  int index, row;
  fold f;
} walk;

static void settle(walk *w) {
  if (w->index < w->t->folds) w->f = fold_at(w->t, w->index);
}
static bool finished(const walk *w) {
  return w->index >= w->t->folds;
}
/* Next row; `rows` of them make a fold, `step` folds are passed at a time. */
static void advance(walk *w, int rows, int step) {
  if (++w->row < rows) return;
  w->row = 0;
  w->index += step;
  settle(w);
}

typedef struct {
  const nest *t;
  erg_rtl *rtl;
  erg_gemm_run *run;
  walk weights, activations, constants, residuals, outputs;
  erg_random random;
  int32_t weight[MOST_SIZE], activation[MOST_SIZE], residual[MOST_SIZE], multiplier[MOST_SIZE], shift[MOST_SIZE];
  int64_t bias[MOST_SIZE];
  erg_rtl_fold command;
} driver;

static bool withhold(driver *d) {
  return !erg_rtl_foreign(d->rtl) && d->run->gap_probability > 0 &&
         erg_random_unit(&d->random) < d->run->gap_probability;
}

/* Codes of neighbours in K as a scalable cell takes them: `products` from row r of the fold on, zeros behind its end.
 */
static int32_t word_of(const erg_gemm *g, const fold *f, const int16_t *codes, int r, int slices_log2) {
  int bits = 2 << slices_log2;
  uint32_t word = 0;
  for (int p = 0; p < g->products && r * g->products + p < f->k_count; p++)
    word |= ((uint32_t)codes[r * g->products + p] & ((1u << bits) - 1)) << (p * bits);
  return (int32_t)word;
}

static void give_weights(driver *d, erg_rtl_supply *give) {
  const fold *f = &d->weights.f;
  const erg_gemm *g = d->t->gemm;
  int r = d->weights.row;
  for (int c = 0; c < d->t->cols; c++)
    if (g->products)
      d->weight[c] =
          c < f->n_count ? word_of(g, f, g->w + (int64_t)(f->n + c) * g->k + f->k, r, g->layer.weight_slices_log2) : 0;
    else
      d->weight[c] = c < f->n_count && r < f->k_count ? g->w[(int64_t)(f->n + c) * g->k + f->k + r] : 0;
  d->command = (erg_rtl_fold){f->rows, f->k == 0, f->k + f->k_count >= g->k, f->last, g->k};
  give->weights = d->weight;
  give->fold = &d->command;
}

/* Output-stationary: step k of all pixels, the first of which stands in the bottom row and leaves first. */
static void give_step(driver *d, erg_rtl_supply *give) {
  const fold *f = &d->activations.f;
  const erg_gemm *g = d->t->gemm;
  for (int r = 0; r < d->t->rows; r++)
    d->activation[d->t->rows - 1 - r] = r < f->rows ? g->a[(int64_t)(f->row + r) * g->k + d->activations.row] : 0;
  give->activations = d->activation;
}

static void give_activations(driver *d, erg_rtl_supply *give) {
  const fold *f = &d->activations.f;
  const erg_gemm *g = d->t->gemm;
  if (d->t->os) {
    give_step(d, give);
    return;
  }
  const int16_t *row = g->a + (int64_t)(f->row + d->activations.row) * g->k + f->k;
  for (int r = 0; r < d->t->rows; r++)
    if (g->products)
      d->activation[r] = word_of(g, f, row, r, g->layer.activation_slices_log2);
    else
      d->activation[r] = r < f->k_count ? row[r] : 0;
  give->activations = d->activation;
}

static void give_constants(driver *d, erg_rtl_supply *give) {
  const fold *f = &d->constants.f;
  const erg_gemm *g = d->t->gemm;
  for (int c = 0; c < d->t->cols; c++) {
    bool used = c < f->n_count;
    d->bias[c] = used ? g->bias[f->n + c] : 0;
    d->multiplier[c] = 0, d->shift[c] = 31;
    if (used)
      erg_requant_hardware(g->scale[f->n + c], d->run->accumulator_bits ? d->run->accumulator_bits : 32,
                           &d->multiplier[c], &d->shift[c]);
  }
  give->bias = d->bias;
  give->multiplier = d->multiplier;
  give->t = d->shift;
}

static void give_residuals(driver *d, erg_rtl_supply *give) {
  const fold *f = &d->residuals.f;
  const erg_gemm *g = d->t->gemm;
  for (int c = 0; c < d->t->cols; c++)
    d->residual[c] = c < f->n_count ? g->residual[(int64_t)(f->row + d->residuals.row) * g->n + f->n + c] : 0;
  give->residuals = d->residual;
}

static erg_status take_row(driver *d, const int32_t *row, uint64_t edge, erg_error *error) {
  const fold *f = &d->outputs.f;
  if (finished(&d->outputs))
    return erg_fail(error, ERG_ERR_MISMATCH, "the array gives an output row after the last one");
  int64_t first = (int64_t)(f->row + d->outputs.row) * d->t->gemm->n + f->n;
  for (int c = 0; c < f->n_count; c++) {
    d->run->output[first + c] = (int16_t)row[c];
    if (first + c != d->run->watch) continue;
    const int64_t *sums = erg_rtl_sums(d->rtl);
    d->run->watch_edge = edge;
    d->run->watch_has_sum = sums != NULL;
    d->run->watch_sum = sums ? sums[c] : 0;
  }
  advance(&d->outputs, f->rows, d->t->k_folds);
  return ERG_OK;
}

static erg_status hung(const driver *d, uint64_t edge, erg_error *error) {
  const walk *o = &d->outputs;
  return erg_fail(error, ERG_ERR_MISMATCH,
                  "hangs: %u cycles without a beat (at cycle %" PRIu64
                  "); of %d folds it took the weights of %d and the activations of %d; output rows stand at fold %d, "
                  "row %d",
                  IDLE_LIMIT, edge, d->t->folds, d->weights.index, d->activations.index, o->index, o->row);
}

static erg_status edges(driver *d, erg_error *error) {
  unsigned idle = 0;
  for (uint64_t edge = 1; !erg_rtl_done(d->rtl); edge++) {
    const erg_rtl_request want = *erg_rtl_requests(d->rtl);
    erg_rtl_supply give = {0};
    if ((want.weight && finished(&d->weights)) || (want.activation && finished(&d->activations)) ||
        (want.constants && finished(&d->constants)) || (want.residual && finished(&d->residuals)))
      return erg_fail(error, ERG_ERR_MISMATCH, "the array asks for operands after the last fold");
    if (want.weight && !withhold(d)) give_weights(d, &give);
    if (want.activation && !withhold(d)) give_activations(d, &give);
    if (want.constants && !withhold(d)) give_constants(d, &give);
    if (want.residual && !withhold(d)) give_residuals(d, &give);
    bool all = (!want.weight || give.weights) && (!want.activation || give.activations) &&
               (!want.constants || give.bias) && (!want.residual || give.residuals);
    const int32_t *row = erg_rtl_clock(d->rtl, &give);
    if (erg_rtl_fault(d->rtl))
      return erg_fail(error, ERG_ERR_MISMATCH, "cycle %" PRIu64 ": %s", edge, erg_rtl_fault(d->rtl));
    erg_status status = row ? take_row(d, row, edge, error) : ERG_OK;
    if (status != ERG_OK) return status;
    bool beat = row || (all && (want.weight || want.activation || want.constants || want.residual));
    idle = beat ? 0 : idle + 1;
    if (idle > IDLE_LIMIT) return hung(d, edge, error);
    if (!all) continue; /* nothing was taken */
    if (want.weight) advance(&d->weights, d->t->os ? d->weights.f.k_count : d->t->rows, 1);
    if (want.activation) advance(&d->activations, d->t->os ? d->activations.f.k_count : d->activations.f.rows, 1);
    if (want.constants) advance(&d->constants, 1, d->t->k_folds);
    if (want.residual) advance(&d->residuals, d->residuals.f.rows, d->t->k_folds);
  }
  return ERG_OK;
}

erg_status erg_gemm_drive(erg_rtl *rtl, int rows, int cols, const erg_gemm *gemm, erg_gemm_run *run, erg_error *error) {
  if (rows > MOST_SIZE || cols > MOST_SIZE)
    return erg_fail(error, ERG_ERR_CONFIG, "verify: found an array of %d x %d; allowed: up to %d x %d", rows, cols,
                    MOST_SIZE, MOST_SIZE);
  nest t = nest_of(rows, cols, gemm);
  driver d = {.t = &t, .rtl = rtl, .run = run};
  walk *walks[] = {&d.weights, &d.activations, &d.constants, &d.residuals, &d.outputs};
  for (size_t i = 0; i < ERG_COUNT_OF(walks); i++) {
    walks[i]->t = &t;
    walks[i]->index = i >= 2 ? t.k_folds - 1 : 0; /* the last three meet only folds that end a sum */
    settle(walks[i]);
  }
  erg_random_stream(&d.random, run->gap_seed, "gaps");
  erg_rtl_gaps(rtl, run->gap_probability, run->gap_seed);
  erg_rtl_start(rtl, &gemm->layer);
  erg_status status = edges(&d, error);
  if (status == ERG_OK && !finished(&d.outputs))
    status = erg_fail(error, ERG_ERR_MISMATCH, "the array says done before its last output row (fold %d, row %d)",
                      d.outputs.index, d.outputs.row);
  run->cycles = erg_rtl_cycles(rtl);
  run->gap_cycles = erg_rtl_gap_cycles(rtl);
  return status;
}

erg_status erg_gemm_golden(const erg_gemm *g, int accumulator_bits, int16_t *output, int64_t *sums, erg_error *error) {
  const erg_conv2d_shape shape = {.in = {1, g->m, 1, g->k},
                                  .filters = g->n,
                                  .kernel_h = 1,
                                  .kernel_w = 1,
                                  .stride_h = 1,
                                  .stride_w = 1,
                                  .groups = 1,
                                  .out_h = g->m,
                                  .out_w = 1};
  const erg_epilogue epilogue = {.bias = g->bias,
                                 .scale = g->scale,
                                 .zero_point = g->layer.zero_point,
                                 .low = g->layer.low,
                                 .high = g->layer.high,
                                 .residual = g->layer.residual ? g->residual : NULL,
                                 .residual_zero_point = g->layer.residual_zero_point,
                                 .residual_scale = g->residual_scale,
                                 .rule = g->rule};
  erg_status status = erg_conv2d_s16(&shape, g->a, 0, g->w, accumulator_bits, &epilogue, output, error);
  if (status != ERG_OK || !sums) return status;
  status = erg_conv2d_accumulate_s16(&shape, g->a, 0, g->w, accumulator_bits, sums, error);
  for (int64_t i = 0; status == ERG_OK && i < (int64_t)g->m * g->n; i++)
    sums[i] = erg_wrap(sums[i] + g->bias[i % g->n], accumulator_bits);
  return status;
}
