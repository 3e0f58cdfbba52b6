/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses a pass's tile: least off-chip bits over all tiles; among those that tie, of each number of tiles the smallest
 * tile; of these the fewest cycles, then the lexicographically smallest. */
#include "cut.h"
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

#define CUTS_AHEAD 16 /* cuts and ties that are kept until it is clear that they matter; more are looked at early */
#define TIES_AHEAD 64

typedef struct {
  erg_cutting cutting;
  bool bits_only; /* ties are left as they are */
  uint64_t least_bits;
  erg_cut cuts[CUTS_AHEAD]; /* with such a tile */
  erg_mapping ties[TIES_AHEAD];
  int cut_count, tie_count;
  bool found;
  erg_mapping best;
  uint64_t best_cycles; /* UINT64_MAX: not walked; a lone tile needs none */
  erg_activity best_walk;
} search;

/* ---- of the tiles with least bits, the one with fewest cycles ---- */

static bool smaller(const erg_mapping *a, const erg_mapping *b) {
  if (a->out_channels != b->out_channels) return a->out_channels < b->out_channels;
  if (a->out_rows != b->out_rows) return a->out_rows < b->out_rows;
  if (a->reduction != b->reduction) return a->reduction < b->reduction;
  return a->order < b->order;
}

static void compete(search *s, const erg_mapping *m, uint64_t least_cycles) {
  if (least_cycles > s->best_cycles || (least_cycles == s->best_cycles && !smaller(m, &s->best))) return;
  erg_activity walk;
  if (!erg_count_cycles_upto(s->cutting.arch, s->cutting.geometry, m, s->best_cycles, &walk)) return;
  if (walk.cycles == s->best_cycles && !smaller(m, &s->best)) return;
  s->best = *m;
  s->best_cycles = walk.cycles;
  erg_activity_cycles(&s->best_walk, &walk);
}

/* The tile whose bound is least is walked first: its cycles rule out most of the others. */
static void settle(search *s) {
  uint64_t least_cycles[TIES_AHEAD];
  int first = 0;
  for (int i = 0; i < s->tie_count; i++) {
    least_cycles[i] = erg_least_cycles(s->cutting.arch, s->cutting.geometry, &s->ties[i]);
    if (least_cycles[i] < least_cycles[first]) first = i;
  }
  if (s->tie_count > 0) compete(s, &s->ties[first], least_cycles[first]);
  for (int i = 0; i < s->tie_count; i++)
    if (i != first) compete(s, &s->ties[i], least_cycles[i]);
  s->tie_count = 0;
}

static void tie(search *s, const erg_mapping *m) {
  if (s->tie_count == TIES_AHEAD) settle(s);
  s->ties[s->tie_count++] = *m;
}

/* Once a second tile comes, the first has to compete too. */
static void consider(search *s, const erg_cut *c, int rows, erg_loop_order order) {
  const erg_mapping m = erg_cut_mapping(&s->cutting, c, rows, order);
  if (!s->found) {
    s->best = m;
    s->found = true;
    return;
  }
  if (s->best_cycles == UINT64_MAX && s->tie_count == 0) tie(s, &s->best);
  tie(s, &m);
}

/* With one tile of channels or one of rows both orders take the same steps: the first stands for both. */
static int orders_of(const search *s, const erg_cut *c, int rows) {
  return c->n_tiles > 1 && erg_rows_at(s->cutting.rows, rows)->tiles * s->cutting.geometry->images > 1 ? 2 : 1;
}

/* The very first of the tiles with least bits, and those that no smaller one cuts the pass into as many as: only these
 * meet in a tie, which keeps ties few. */
static void collect(search *s, const erg_cut *c) {
  for (int first = erg_cut_first_rows(&s->cutting, c, s->least_bits), last; first <= c->most_rows; first = last + 1) {
    last = erg_rows_at(s->cutting.rows, first)->last;
    for (int rows = first; rows <= last && rows <= c->most_rows && (rows == first || !s->found); rows++)
      for (int order = 0; order < orders_of(s, c, rows); order++)
        if ((!s->found || (rows == first && c->first_of_count)) &&
            erg_cut_bits(&s->cutting, c, rows, (erg_loop_order)order) == s->least_bits)
          consider(s, c, rows, (erg_loop_order)order);
  }
}

/* ---- least bits ---- */

static void collect_all(search *s) {
  for (int i = 0; i < s->cut_count && !s->bits_only; i++) collect(s, &s->cuts[i]);
  s->cut_count = 0;
}

static void measure(search *s, const erg_cut *c) {
  if (c->most_rows == 0) return;
  uint64_t bits = erg_cut_least_bits(&s->cutting, c, s->least_bits);
  if (bits > s->least_bits) return;
  if (bits < s->least_bits) { /* all that was found before moves more */
    s->least_bits = bits;
    s->cut_count = s->tie_count = 0;
    s->found = false;
    s->best_cycles = UINT64_MAX;
  }
  if (s->cut_count == CUTS_AHEAD) collect_all(s);
  s->cuts[s->cut_count++] = *c;
}

static erg_status no_fit(const erg_arch *arch, const erg_geometry *g, erg_error *error) {
  bool split = g->array && g->groups == 1;
  erg_mapping m = {.out_channels = split ? (int)arch->cols : g->out_c, .out_rows = 1};
  m.reduction = split ? fold_rows(arch, g) : erg_geometry_reduction(g);
  if (!erg_cut_array_fits(arch, g, &m)) {
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

/* Cuts of an array pass of one group: multiples of the columns, and K in stretches beside one column of folds. */
static void measure_cuts(search *s) {
  const erg_geometry *g = s->cutting.geometry;
  int64_t reduction = erg_geometry_reduction(g);
  int step = (int)s->cutting.arch->cols, tiles_before = 0, most_rows = g->out_h;
  int64_t part = erg_cut_streaming(&s->cutting, step);
  if (part > 0 && part < reduction) {
    erg_cut c = erg_cut_of(&s->cutting, step, part, g->out_h);
    c.first_of_count = true;
    measure(s, &c);
  }
  for (int channels = step; channels < g->out_c + step; channels += step) {
    erg_cut c = erg_cut_of(&s->cutting, channels, reduction, most_rows);
    c.first_of_count = c.n_tiles != tiles_before;
    tiles_before = c.n_tiles;
    measure(s, &c);
    if (c.most_rows > 0) most_rows = c.most_rows; /* wider tiles have room for no more rows */
    /* A larger tile of as many as before moves no fewer bits, fits no better and is not looked at in a tie. */
    if (s->cutting.alike && c.n_tiles > 1) channels = ((int)ceil_div(g->out_c, c.n_tiles - 1) - 1) / step * step;
  }
}

static erg_status find(const erg_arch *arch, const erg_geometry *g, bool bits_only, erg_rows *rows, search *s,
                       erg_error *error) {
  s->bits_only = bits_only, s->found = false;
  s->least_bits = s->best_cycles = UINT64_MAX;
  s->cut_count = s->tie_count = 0; /* the lists are filled as far as they are counted */
  erg_cutting_begin(arch, g, rows, &s->cutting);
  if (!g->array || g->groups > 1) { /* groups and vector passes take all channels at once */
    erg_cut c = erg_cut_of(&s->cutting, g->out_c, erg_geometry_reduction(g), g->out_h);
    c.first_of_count = true;
    measure(s, &c);
  } else {
    measure_cuts(s);
  }
  if (s->cutting.no_memory) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (s->least_bits == UINT64_MAX) return no_fit(arch, g, error);
  collect_all(s);
  settle(s);
  return ERG_OK;
}

erg_status erg_map_by_rows(const erg_arch *arch, const erg_geometry *g, erg_rows *rows, erg_mapping *out,
                           erg_activity *walk, erg_error *error) {
  search s;
  erg_status status = find(arch, g, false, rows, &s, error);
  if (status != ERG_OK) return status;
  *out = s.best;
  if (s.best_cycles == UINT64_MAX)
    erg_count_cycles(arch, g, out, walk);
  else
    erg_activity_cycles(walk, &s.best_walk);
  return ERG_OK;
}

erg_status erg_map_bits_by_rows(const erg_arch *arch, const erg_geometry *g, erg_rows *rows, uint64_t *bits,
                                erg_error *error) {
  search s;
  erg_status status = find(arch, g, true, rows, &s, error);
  if (status == ERG_OK) *bits = s.least_bits;
  return status;
}

erg_status erg_map(const erg_arch *arch, const erg_geometry *g, erg_mapping *out, erg_error *error) {
  erg_rows rows = {0};
  erg_activity walk;
  erg_status status = erg_map_by_rows(arch, g, &rows, out, &walk, error);
  erg_rows_free(&rows);
  return status;
}

erg_status erg_map_bits(const erg_arch *arch, const erg_geometry *g, uint64_t *bits, erg_error *error) {
  erg_rows rows = {0};
  erg_status status = erg_map_bits_by_rows(arch, g, &rows, bits, error);
  erg_rows_free(&rows);
  return status;
}

erg_status erg_map_given(const erg_arch *arch, const erg_geometry *g, erg_mapping *mapping, erg_error *error) {
  double need_bits;
  int most_rows;
  erg_demand demand;
  count_tiles(g, mapping);
  erg_demand_rows(g, mapping->out_rows, &most_rows);
  if (!erg_cut_array_fits(arch, g, mapping) || overflowing_level(arch, g, mapping, most_rows, &need_bits) >= 0)
    return erg_fail(error, ERG_ERR_DATA, "the given tile (%d channels, %d rows) does not fit %s", mapping->out_channels,
                    mapping->out_rows, arch->name);
  erg_demand_of(g, mapping, &demand);
  count_bits(arch, &demand, mapping);
  return ERG_OK;
}
