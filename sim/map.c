/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses a pass's tile: least off-chip bits, then fewest cycles, then the lexicographically smallest. */
#include "traffic.h"
#include <limits.h>
#include <string.h>

/* Largest tile of each tensor in bits, for the fit. */
static void tile_bits(const erg_geometry *g, const erg_mapping *m, uint64_t bits[ERG_TENSOR_COUNT]) {
  memset(bits, 0, ERG_TENSOR_COUNT * sizeof bits[0]);
  int most_rows = 0, tiles_per_image = (int)ceil_div(g->out_h, m->out_rows);
  for (int i = 0; i < tiles_per_image; i++) {
    int rows = erg_touched_rows(g, i * m->out_rows, tile_rows(g, m->out_rows, i));
    if (rows > most_rows) most_rows = rows;
  }
  int channels = m->out_channels < g->out_c ? m->out_channels : g->out_c;
  bits[ERG_TENSOR_INPUT] = input_rows_bits(g, most_rows);
  bits[ERG_TENSOR_WEIGHT] = weight_run_bits(g, channels, m->reduction);
  bits[ERG_TENSOR_CONSTANT] = constant_run_bits(g, channels);
  bits[ERG_TENSOR_OUTPUT] = slice_bits(g, m->out_rows, channels, g->out_bits);
  if (g->residual || g->operands == 2)
    bits[ERG_TENSOR_RESIDUAL] = slice_bits(g, m->out_rows, channels, g->residual_bits);
}

/* Index of the level whose half a tile overflows, or -1 when it fits; what it needs is in `need_bits`. */
static int overflowing_level(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, double *need_bits) {
  uint64_t bits[ERG_TENSOR_COUNT];
  tile_bits(g, m, bits);
  for (int index = 1; index < arch->level_count; index++) {
    double need = 0;
    for (int tensor = 0; tensor < ERG_TENSOR_PSUM; tensor++)
      if (erg_arch_scratchpad(arch, (erg_tensor)tensor) == index) need += (double)bits[tensor];
    *need_bits = need;
    if (need > arch->levels[index].capacity_kib * 8192.0 / 2) return index;
  }
  return -1;
}

/* Slices of the map must start on a byte, so that a tile is a run of whole bytes. */
static bool byte_aligned(const erg_geometry *g, const erg_mapping *m) {
  if (m->n_tiles == 1) return true;
  bool residual = g->residual || g->operands == 2;
  return m->out_channels * g->out_bits % 8 == 0 && (!residual || m->out_channels * g->residual_bits % 8 == 0);
}

static bool accumulators_fit(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  return !g->array || (int64_t)m->out_rows * g->out_w <= arch->accumulator_depth;
}

/* Counts of tiles, residency and off-chip bits of a tile. */
static void complete(const erg_arch *arch, const erg_geometry *g, erg_mapping *m) {
  m->n_tiles = (int)ceil_div(g->out_c, m->out_channels);
  m->m_tiles = (int)ceil_div(g->out_h, m->out_rows) * g->images;
  m->k_chunks = (int)ceil_div(erg_geometry_reduction(g), m->reduction);
  erg_demand demand;
  erg_activity activity = {0};
  erg_demand_of(g, m, &demand);
  erg_levels_traffic(arch, &demand, m, &activity);
  m->offchip_bits = erg_activity_level_bits(&activity, 0);
}

typedef struct {
  const erg_arch *arch;
  const erg_geometry *geometry;
  erg_mapping best;
  uint64_t best_cycles; /* computed only when off-chip bits tie */
  bool found;
} search;

static uint64_t cycles_of(const search *s, const erg_mapping *m) {
  static const erg_op_counts none = {0};
  erg_activity activity;
  erg_analytic(s->arch, s->geometry, m, &none, &activity);
  return activity.cycles;
}

static bool smaller(const erg_mapping *a, const erg_mapping *b) {
  if (a->out_channels != b->out_channels) return a->out_channels < b->out_channels;
  if (a->out_rows != b->out_rows) return a->out_rows < b->out_rows;
  if (a->reduction != b->reduction) return a->reduction < b->reduction;
  return a->order < b->order;
}

static void consider(search *s, erg_mapping m) {
  double need_bits;
  complete(s->arch, s->geometry, &m);
  if (!accumulators_fit(s->arch, s->geometry, &m) || !byte_aligned(s->geometry, &m) ||
      overflowing_level(s->arch, s->geometry, &m, &need_bits) >= 0)
    return;
  if (s->found && m.offchip_bits > s->best.offchip_bits) return;
  if (!s->found || m.offchip_bits < s->best.offchip_bits) {
    s->best = m;
    s->best_cycles = UINT64_MAX;
    s->found = true;
    return;
  }
  if (s->best_cycles == UINT64_MAX) s->best_cycles = cycles_of(s, &s->best);
  uint64_t cycles = cycles_of(s, &m);
  if (cycles < s->best_cycles || (cycles == s->best_cycles && smaller(&m, &s->best))) {
    s->best = m;
    s->best_cycles = cycles;
  }
}

/* Tile sizes worth a look: the smallest for each number of tiles. Smaller ones re-read more for the same count. */
static int next_size(int size, int total, int step) {
  int64_t tiles = ceil_div(total, size);
  if (tiles == 1) return INT_MAX;
  int64_t next = ceil_div(total, tiles - 1);
  return (int)(ceil_div(next, step) * step);
}

static void consider_orders(search *s, int channels, int rows, int64_t reduction) {
  erg_mapping m = {.out_channels = channels, .out_rows = rows, .reduction = reduction};
  m.order = ERG_ORDER_WEIGHTS_STAY;
  consider(s, m);
  m.order = ERG_ORDER_INPUTS_STAY;
  consider(s, m);
}

/* Longest stretch of K, in whole folds, whose weights for one column of folds fit beside the rest of the tile. */
static int64_t streaming_reduction(const erg_arch *arch, const erg_geometry *g, int channels, int rows) {
  int64_t folds = ceil_div(erg_geometry_reduction(g), arch->rows);
  int64_t low = 0, high = folds - 1; /* all folds is the plain tile */
  double need_bits;
  while (low < high) {
    int64_t middle = (low + high + 1) / 2;
    erg_mapping m = {.out_channels = channels, .out_rows = rows, .reduction = middle * arch->rows};
    if (overflowing_level(arch, g, &m, &need_bits) < 0)
      low = middle;
    else
      high = middle - 1;
  }
  return low * arch->rows;
}

static erg_status no_fit(const erg_arch *arch, const erg_geometry *g, erg_error *error) {
  erg_mapping m = {.out_channels = g->array && g->groups == 1 ? (int)arch->cols : g->out_c, .out_rows = 1};
  m.reduction = g->array && g->groups == 1 ? arch->rows : erg_geometry_reduction(g);
  if (!accumulators_fit(arch, g, &m))
    return erg_fail(error, ERG_ERR_DATA,
                    "no tile fits: one output row has %d pixels, the accumulator memory of %s has %d rows; raise "
                    "accumulator_depth", g->out_w, arch->name, (int)arch->accumulator_depth);
  uint64_t bits[ERG_TENSOR_COUNT];
  double need_bits = 0;
  int level = overflowing_level(arch, g, &m, &need_bits);
  if (level < 0)
    return erg_fail(error, ERG_ERR_DATA,
                    "no tile fits: %d-bit slices of %d columns do not start on a byte; use more columns on %s",
                    g->out_bits, (int)arch->cols, arch->name);
  tile_bits(g, &m, bits);
  erg_tensor largest = ERG_TENSOR_INPUT;
  for (int t = 0; t < ERG_TENSOR_PSUM; t++)
    if (erg_arch_scratchpad(arch, (erg_tensor)t) == level && bits[t] > bits[largest]) largest = (erg_tensor)t;
  return erg_fail(error, ERG_ERR_DATA,
                  "no tile fits: the smallest tile (one output row) needs %.1f KiB in %s, most of it for %s; half of it "
                  "holds %.1f KiB; raise its capacity_kib in %s", need_bits / 8192, arch->levels[level].name,
                  erg_tensor_names[largest], arch->levels[level].capacity_kib / 2, arch->name);
}

erg_status erg_map(const erg_arch *arch, const erg_geometry *g, erg_mapping *out, erg_error *error) {
  search s = {.arch = arch, .geometry = g};
  int64_t reduction = erg_geometry_reduction(g);
  bool split_channels = g->array && g->groups == 1;
  int step = (int)arch->cols, all = (int)(ceil_div(g->out_c, step) * step);
  for (int rows = 1; rows != INT_MAX; rows = next_size(rows, g->out_h, 1)) {
    if (!split_channels) {
      consider_orders(&s, g->out_c, rows, reduction);
      continue;
    }
    for (int channels = step; channels != INT_MAX; channels = next_size(channels, all, step))
      consider_orders(&s, channels, rows, reduction);
    int64_t part = streaming_reduction(arch, g, step, rows);
    if (part > 0 && part < reduction) consider_orders(&s, step, rows, part);
  }
  if (!s.found) return no_fit(arch, g, error);
  *out = s.best;
  return ERG_OK;
}

erg_status erg_map_given(const erg_arch *arch, const erg_geometry *g, erg_mapping *mapping, erg_error *error) {
  double need_bits;
  complete(arch, g, mapping);
  if (!accumulators_fit(arch, g, mapping) || overflowing_level(arch, g, mapping, &need_bits) >= 0)
    return erg_fail(error, ERG_ERR_DATA, "the given tile (%d channels, %d rows) does not fit %s",
                    mapping->out_channels, mapping->out_rows, arch->name);
  return ERG_OK;
}
