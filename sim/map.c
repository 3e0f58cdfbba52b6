/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses a pass's tile: least off-chip bits over all tiles; among those that tie, of each number of tiles the smallest
 * tile; of these the fewest cycles, then the lexicographically smallest. */
#include "dataflow.h"
#include <string.h>

/* Largest tile of each tensor in bits, for the fit. */
static void tile_bits(const erg_geometry *g, const erg_mapping *m, int most_rows, uint64_t bits[ERG_TENSOR_COUNT]) {
  memset(bits, 0, ERG_TENSOR_COUNT * sizeof bits[0]);
  int channels = m->out_channels < g->out_c ? m->out_channels : g->out_c;
  bits[ERG_TENSOR_INPUT] = input_rows_bits(g, most_rows);
  bits[ERG_TENSOR_WEIGHT] = weight_run_bits(g, channels, m->reduction);
  bits[ERG_TENSOR_CONSTANT] = constant_run_bits(g, channels);
  bits[ERG_TENSOR_OUTPUT] = slice_bits(g, m->out_rows, channels, g->out_bits);
  if (g->residual || g->operands == 2)
    bits[ERG_TENSOR_RESIDUAL] = slice_bits(g, m->out_rows, channels, g->residual_bits);
}

/* Index of the level whose half a tile overflows, or -1 when it fits; what it needs is in `need_bits`. */
static int overflowing_level(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, int most_rows,
                             double *need_bits) {
  uint64_t bits[ERG_TENSOR_COUNT];
  tile_bits(g, m, most_rows, bits);
  for (int index = 1; index < arch->level_count; index++) {
    *need_bits = 0;
    for (int tensor = 0; tensor < ERG_TENSOR_PSUM; tensor++)
      if (erg_arch_scratchpad(arch, (erg_tensor)tensor) == index) *need_bits += (double)bits[tensor];
    if (*need_bits > arch->levels[index].capacity_kib * 8192.0 / 2) return index;
  }
  return -1;
}

/* Slices of the map must start on a byte, so that a tile is a run of whole bytes. */
static bool byte_aligned(const erg_geometry *g, const erg_mapping *m) {
  if (m->n_tiles == 1) return true;
  bool residual = g->residual || g->operands == 2;
  return m->out_channels * g->out_bits % 8 == 0 && (!residual || m->out_channels * g->residual_bits % 8 == 0);
}

static bool array_fits(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  return !g->array || erg_dataflow_of(g->dataflow)->fits(arch, g, m);
}

static void count_tiles(const erg_geometry *g, erg_mapping *m) {
  m->n_tiles = (int)ceil_div(g->out_c, m->out_channels);
  m->m_tiles = (int)ceil_div(g->out_h, m->out_rows) * g->images;
  m->k_chunks = (int)ceil_div(erg_geometry_reduction(g), m->reduction);
}

static void count_bits(const erg_arch *arch, const erg_demand *demand, erg_mapping *m) {
  erg_activity activity = {0};
  erg_levels_traffic(arch, demand, m, &activity);
  m->offchip_bits = erg_activity_level_bits(&activity, 0);
}

/* Of a row count, whatever the channels: input bits of an image, most rows a tile touches. */
typedef struct {
  uint64_t input_once;
  int most_rows;
} row_side;
#define ROW_SIDES 256 /* of larger maps they are found again for each cut of channels */

typedef struct {
  const erg_arch *arch;
  const erg_geometry *geometry;
  row_side rows[ROW_SIDES];
  int rows_known;
  bool bits_only; /* ties are left as they are */
  bool direct;    /* every scratchpad is filled from off chip: nothing lies between */
  erg_mapping best;
  uint64_t best_cycles; /* computed only when off-chip bits tie */
  bool found;
} search;

static uint64_t cycles_of(const search *s, const erg_mapping *m) {
  erg_activity activity = {0};
  erg_count_cycles(s->arch, s->geometry, m, &activity);
  return activity.cycles;
}

static bool smaller(const erg_mapping *a, const erg_mapping *b) {
  if (a->out_channels != b->out_channels) return a->out_channels < b->out_channels;
  if (a->out_rows != b->out_rows) return a->out_rows < b->out_rows;
  if (a->reduction != b->reduction) return a->reduction < b->reduction;
  return a->order < b->order;
}

/* `first_of_count`: no smaller tile cuts the pass into as many. Only these meet in a tie, which keeps ties few. */
static void consider(search *s, const erg_mapping *m, bool first_of_count) {
  if (s->found && m->offchip_bits > s->best.offchip_bits) return;
  if (!s->found || m->offchip_bits < s->best.offchip_bits) {
    s->best = *m;
    s->best_cycles = UINT64_MAX;
    s->found = true;
    return;
  }
  if (!first_of_count || s->bits_only) return;
  if (s->best_cycles == UINT64_MAX) s->best_cycles = cycles_of(s, &s->best);
  uint64_t least = erg_least_cycles(s->arch, s->geometry, m, s->direct);
  if (least > s->best_cycles || (least == s->best_cycles && !smaller(m, &s->best))) return;
  uint64_t cycles = cycles_of(s, m);
  if (cycles < s->best_cycles || (cycles == s->best_cycles && smaller(m, &s->best))) {
    s->best = *m;
    s->best_cycles = cycles;
  }
}

static row_side side_of_rows(search *s, int out_rows) {
  row_side side;
  if (out_rows <= s->rows_known) return s->rows[out_rows - 1];
  side.input_once = erg_demand_rows(s->geometry, out_rows, &side.most_rows);
  if (out_rows == s->rows_known + 1 && s->rows_known < ROW_SIDES) s->rows[s->rows_known++] = side;
  return side;
}

static bool is_direct(const erg_arch *arch) {
  for (int tensor = 0; tensor < ERG_TENSOR_PSUM; tensor++)
    for (int index = 1; index < erg_arch_scratchpad(arch, (erg_tensor)tensor); index++)
      if (arch->levels[index].holds_mask >> tensor & 1u) return false;
  return true;
}

static uint64_t sum_of(const erg_demand *demand) {
  uint64_t sum = 0;
  for (int tensor = 0; tensor < ERG_TENSOR_PSUM; tensor++) sum += demand->fetched[tensor];
  return sum;
}

/* All row counts and both orders for one cut of channels and K. */
static void consider_rows(search *s, int channels, int64_t reduction, bool first_channels) {
  const erg_geometry *g = s->geometry;
  erg_demand side;
  erg_mapping m = {.out_channels = channels, .reduction = reduction};
  erg_demand_channels(g, channels, reduction, &side);
  int tiles_before = 0;
  for (m.out_rows = 1; m.out_rows <= g->out_h; m.out_rows++) {
    double need_bits;
    count_tiles(g, &m);
    if (!byte_aligned(g, &m) || !array_fits(s->arch, g, &m)) return; /* more rows fit no better */
    const row_side rows = side_of_rows(s, m.out_rows);
    if (overflowing_level(s->arch, g, &m, rows.most_rows, &need_bits) >= 0) return;
    for (int order = 0; order < 2; order++) {
      erg_demand demand = side;
      m.order = (erg_loop_order)order;
      erg_demand_join(g, &m, rows.input_once, &demand);
      if (s->direct)
        m.offchip_bits = sum_of(&demand);
      else
        count_bits(s->arch, &demand, &m);
      consider(s, &m, first_channels && m.m_tiles != tiles_before);
    }
    tiles_before = m.m_tiles;
  }
}

/* Longest stretch of K, in whole folds, whose weights for one column of folds fit beside one row's tile. */
static int64_t streaming_reduction(const erg_arch *arch, const erg_geometry *g, int channels) {
  int64_t low = 0, high = ceil_div(erg_geometry_reduction(g), fold_rows(arch, g)) - 1; /* all folds is the plain tile */
  int most_rows;
  erg_demand_rows(g, 1, &most_rows);
  while (low < high) {
    int64_t middle = (low + high + 1) / 2;
    double need_bits;
    erg_mapping m = {.out_channels = channels, .out_rows = 1, .reduction = middle * fold_rows(arch, g)};
    if (overflowing_level(arch, g, &m, most_rows, &need_bits) < 0)
      low = middle;
    else
      high = middle - 1;
  }
  return low * fold_rows(arch, g);
}

static erg_status no_fit(const erg_arch *arch, const erg_geometry *g, erg_error *error) {
  bool split = g->array && g->groups == 1;
  erg_mapping m = {.out_channels = split ? (int)arch->cols : g->out_c, .out_rows = 1};
  m.reduction = split ? fold_rows(arch, g) : erg_geometry_reduction(g);
  if (!array_fits(arch, g, &m)) {
    erg_arena arena = {0};
    const char *why = erg_dataflow_of(g->dataflow)->why_not(arch, g, &arena);
    erg_fail(error, ERG_ERR_DATA, "no tile fits: %s", why ? why : "");
    erg_arena_free(&arena);
    return ERG_ERR_DATA;
  }
  uint64_t bits[ERG_TENSOR_COUNT];
  double need_bits = 0;
  int most_rows, largest = -1;
  erg_demand_rows(g, 1, &most_rows);
  int level = overflowing_level(arch, g, &m, most_rows, &need_bits);
  if (level < 0)
    return erg_fail(
        error, ERG_ERR_DATA,
        "no tile fits: %d-bit slices of %d columns do not start on a byte, and all channels at once do not fit; "
        "use more columns or larger scratchpads on %s",
        g->out_bits, (int)arch->cols, arch->name);
  tile_bits(g, &m, most_rows, bits);
  for (int t = 0; t < ERG_TENSOR_PSUM; t++)
    if (erg_arch_scratchpad(arch, (erg_tensor)t) == level && (largest < 0 || bits[t] > bits[largest])) largest = t;
  return erg_fail(
      error, ERG_ERR_DATA,
      "no tile fits: the smallest tile (one output row) needs %.1f KiB in %s, most of it for %s; half of it "
      "holds %.1f KiB; raise its capacity_kib in %s",
      need_bits / 8192, arch->levels[level].name, erg_tensor_names[largest], arch->levels[level].capacity_kib / 2,
      arch->name);
}

/* Cuts of channels into as many tiles then move equal bits: all but the last begin and end on a byte. */
static bool cuts_alike(const erg_geometry *g, int64_t step, int64_t reduction) {
  return step * reduction * g->weight_bits % 8 == 0 && step * g->constant_bits % 8 == 0 &&
         step * g->out_bits % 8 == 0 && step * g->residual_bits % 8 == 0;
}

static erg_status find(const erg_arch *arch, const erg_geometry *g, bool bits_only, erg_mapping *out,
                       erg_error *error) {
  search s;
  s.bits_only = bits_only;
  s.arch = arch, s.geometry = g, s.rows_known = 0, s.found = false; /* the table of rows is filled as it is asked */
  s.direct = is_direct(arch);
  int64_t reduction = erg_geometry_reduction(g);
  int step = (int)arch->cols, tiles_before = 0;
  if (!g->array || g->groups > 1) { /* groups and vector passes take all channels at once */
    consider_rows(&s, g->out_c, reduction, true);
  } else {
    int64_t part = streaming_reduction(arch, g, step);
    if (part > 0 && part < reduction) consider_rows(&s, step, part, true);
    for (int channels = step; channels < g->out_c + step; channels += step) {
      int tiles = (int)ceil_div(g->out_c, channels);
      /* A larger tile of as many as before moves no fewer bits, fits no better and is not looked at in a tie. */
      if (tiles == tiles_before && cuts_alike(g, step, reduction)) continue;
      consider_rows(&s, channels, reduction, tiles != tiles_before);
      tiles_before = tiles;
    }
  }
  if (!s.found) return no_fit(arch, g, error);
  *out = s.best;
  return ERG_OK;
}

erg_status erg_map(const erg_arch *arch, const erg_geometry *g, erg_mapping *out, erg_error *error) {
  return find(arch, g, false, out, error);
}

erg_status erg_map_bits(const erg_arch *arch, const erg_geometry *g, uint64_t *bits, erg_error *error) {
  erg_mapping mapping = {0};
  erg_status status = find(arch, g, true, &mapping, error);
  if (status == ERG_OK) *bits = mapping.offchip_bits;
  return status;
}

erg_status erg_map_given(const erg_arch *arch, const erg_geometry *g, erg_mapping *mapping, erg_error *error) {
  double need_bits;
  int most_rows;
  erg_demand demand;
  count_tiles(g, mapping);
  erg_demand_rows(g, mapping->out_rows, &most_rows);
  if (!array_fits(arch, g, mapping) || overflowing_level(arch, g, mapping, most_rows, &need_bits) >= 0)
    return erg_fail(error, ERG_ERR_DATA, "the given tile (%d channels, %d rows) does not fit %s", mapping->out_channels,
                    mapping->out_rows, arch->name);
  erg_demand_of(g, mapping, &demand);
  count_bits(arch, &demand, mapping);
  return ERG_OK;
}
