/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which tiles of a cut fit, and what they move off chip. */
#include "cut.h"
#include "dataflow.h"
#include <string.h>

/* All tiles of channels but the last then begin and end on a byte: nothing is padded that would not be uncut. */
static bool cuts_alike(const erg_geometry *g, int64_t step) {
  return step * erg_geometry_reduction(g) * g->weight_bits % 8 == 0 && step * g->constant_bits % 8 == 0 &&
         step * g->out_bits % 8 == 0 && step * g->residual_bits % 8 == 0;
}

static void count_sides(const erg_geometry *g, int channels, int64_t reduction, uint64_t *channel_bits,
                        uint64_t *map_bits) {
  erg_demand side;
  erg_demand_channels(g, channels, reduction, &side);
  *channel_bits = side.distinct[ERG_TENSOR_WEIGHT] + side.distinct[ERG_TENSOR_CONSTANT];
  *map_bits = side.distinct[ERG_TENSOR_OUTPUT] + side.distinct[ERG_TENSOR_RESIDUAL];
}

void erg_cutting_begin(const erg_arch *arch, const erg_geometry *g, erg_rows *rows, erg_cutting *out) {
  out->arch = arch, out->geometry = g, out->rows = rows, out->no_memory = false;
  for (int level = 1; level < arch->level_count; level++)
    out->half_bits[level] = (uint64_t)(arch->levels[level].capacity_kib * 8192.0 / 2);
  out->alike = cuts_alike(g, arch->cols);
  count_sides(g, g->out_c, erg_geometry_reduction(g), &out->channel_bits, &out->map_bits);
  if (!erg_rows_are_of(rows, g)) erg_rows_begin(rows, g);
}

/* ---- what fits ---- */

/* Bits that a tile fills of each level: a part that stays, one a row, one an input row. */
typedef struct {
  uint64_t still[ERG_MAX_LEVELS], per_row[ERG_MAX_LEVELS], per_input_row[ERG_MAX_LEVELS];
} needs;

static needs needs_of(const erg_cutting *s, int channels, int64_t reduction) {
  const erg_geometry *g = s->geometry;
  const int *in = s->arch->scratchpads;
  needs n;
  if (channels > g->out_c) channels = g->out_c;
  for (int level = 0; level < s->arch->level_count; level++)
    n.still[level] = n.per_row[level] = n.per_input_row[level] = 0;
  n.per_input_row[in[ERG_TENSOR_INPUT]] += input_rows_bits(g, 1);
  n.still[in[ERG_TENSOR_WEIGHT]] += weight_run_bits(g, channels, reduction);
  n.still[in[ERG_TENSOR_CONSTANT]] += constant_run_bits(g, channels);
  n.per_row[in[ERG_TENSOR_OUTPUT]] += slice_bits(g, 1, channels, g->out_bits);
  if (g->residual || g->operands == 2)
    n.per_row[in[ERG_TENSOR_RESIDUAL]] += slice_bits(g, 1, channels, g->residual_bits);
  return n;
}

static uint64_t need_bits(const needs *n, int level, int rows, int input_rows) {
  return n->still[level] + (uint64_t)rows * n->per_row[level] + (uint64_t)input_rows * n->per_input_row[level];
}

static bool rows_fit(const erg_cutting *s, const erg_cut *c, const needs *n, int rows, int input_rows) {
  const erg_mapping m = {.out_channels = c->channels, .out_rows = rows, .reduction = c->reduction};
  for (int level = 1; level < s->arch->level_count; level++)
    if (need_bits(n, level, rows, input_rows) > s->half_bits[level]) return false;
  return erg_cut_array_fits(s->arch, s->geometry, &m);
}

/* More rows need more, but that small maps have fewer input rows to a tile of more rows. Up to the first rows that do
 * not fit with `most_before` input rows all fit, and it is found in few steps; behind them each is looked at. */
static int rows_that_fit(erg_cutting *s, const erg_cut *c, int most) {
  const needs n = needs_of(s, c->channels, c->reduction);
  erg_rows *rows = s->rows;
  if (most <= rows->known && rows_fit(s, c, &n, most, erg_rows_at(rows, most)->most_before)) return most;
  int fits = 0, stride = 1;
  for (int limit = most; fits < limit;) { /* no more than `limit` by most_before */
    int at = fits + stride < limit ? fits + stride : limit;
    if (!erg_rows_fill(rows, at)) {
      s->no_memory = true;
      return 0;
    }
    if (rows_fit(s, c, &n, at, erg_rows_at(rows, at)->most_before)) {
      fits = at;
      stride *= 2;
    } else {
      limit = at - 1;
      stride = limit - fits > 1 ? (limit - fits) / 2 : 1;
    }
  }
  while (fits < most && erg_rows_fill(rows, fits + 1) &&
         rows_fit(s, c, &n, fits + 1, erg_rows_at(rows, fits + 1)->most))
    fits++;
  return fits;
}

/* Slices of the map must start on a byte, so that a tile is a run of whole bytes. */
static bool byte_aligned(const erg_geometry *g, const erg_cut *c) {
  if (c->n_tiles == 1) return true;
  bool residual = g->residual || g->operands == 2;
  return c->channels * g->out_bits % 8 == 0 && (!residual || c->channels * g->residual_bits % 8 == 0);
}

bool erg_cut_array_fits(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  return !g->array || erg_dataflow_of(g->dataflow)->fits(arch, g, m);
}

int64_t erg_cut_streaming(const erg_cutting *s, int channels) {
  const erg_geometry *g = s->geometry;
  int64_t fold = fold_rows(s->arch, g), most = ceil_div(erg_geometry_reduction(g), fold) - 1;
  const needs n = needs_of(s, channels, 0); /* all but weights */
  int home = s->arch->scratchpads[ERG_TENSOR_WEIGHT];
  if (!erg_rows_fill(s->rows, 1)) return 0;
  int input_rows = erg_rows_at(s->rows, 1)->most;
  for (int level = 1; level < s->arch->level_count; level++)
    if (need_bits(&n, level, 1, input_rows) > s->half_bits[level]) return 0;
  uint64_t room = (s->half_bits[home] - need_bits(&n, home, 1, input_rows)) / 8 * 8; /* a run is whole bytes */
  uint64_t wide = (uint64_t)(channels < g->out_c ? channels : g->out_c);
  int64_t folds = (int64_t)(room / (wide * (uint64_t)fold * (uint64_t)g->weight_bits));
  return (folds < most ? folds : most) * fold;
}

/* ---- what moves ---- */

erg_cut erg_cut_of(erg_cutting *s, int channels, int64_t reduction, int most) {
  const erg_geometry *g = s->geometry;
  erg_cut c = {.channels = channels, .reduction = reduction};
  c.n_tiles = (int)ceil_div(g->out_c, channels);
  c.k_chunks = (int)ceil_div(erg_geometry_reduction(g), reduction);
  if (byte_aligned(g, &c)) c.most_rows = rows_that_fit(s, &c, most);
  if (c.most_rows == 0) return c;
  c.channel_bits = s->channel_bits, c.map_bits = s->map_bits;
  if (c.k_chunks > 1 || (c.n_tiles > 1 && !s->alike)) count_sides(g, channels, reduction, &c.channel_bits, &c.map_bits);
  return c;
}

/* Where nothing lies between, the sum of erg_demand_join in one line: of `tiles` of an image that touch so many input
 * rows together. */
static uint64_t direct_bits(const erg_cutting *s, const erg_cut *c, erg_loop_order order, int tiles, int64_t touched) {
  const erg_geometry *g = s->geometry;
  uint64_t m_tiles = (uint64_t)tiles * (uint64_t)g->images, input_visits = 1, weight_visits = 1;
  if (order == ERG_ORDER_WEIGHTS_STAY && m_tiles > 1) input_visits = (uint64_t)c->n_tiles;
  if ((order == ERG_ORDER_INPUTS_STAY && c->n_tiles > 1) || c->k_chunks > 1) weight_visits = m_tiles;
  return c->map_bits + c->channel_bits * weight_visits +
         (uint64_t)g->images * (uint64_t)touched * input_rows_bits(g, 1) * input_visits;
}

erg_mapping erg_cut_mapping(const erg_cutting *s, const erg_cut *c, int rows, erg_loop_order order) {
  const erg_row_cut *r = erg_rows_at(s->rows, rows);
  erg_mapping m = {.out_channels = c->channels,
                   .out_rows = rows,
                   .reduction = c->reduction,
                   .order = order,
                   .n_tiles = c->n_tiles,
                   .m_tiles = r->tiles * s->geometry->images,
                   .k_chunks = c->k_chunks};
  if (s->arch->direct) {
    m.offchip_bits = direct_bits(s, c, order, r->tiles, r->touched);
    return m;
  }
  erg_demand demand;
  erg_activity activity = {0};
  erg_demand_channels(s->geometry, c->channels, c->reduction, &demand);
  erg_demand_join(s->geometry, &m, (uint64_t)r->touched * input_rows_bits(s->geometry, 1), &demand);
  erg_levels_traffic(s->arch, &demand, &m, &activity);
  m.offchip_bits = erg_activity_level_bits(&activity, 0);
  return m;
}

uint64_t erg_cut_bits(const erg_cutting *s, const erg_cut *c, int rows, erg_loop_order order) {
  const erg_row_cut *r = erg_rows_at(s->rows, rows);
  return s->arch->direct ? direct_bits(s, c, order, r->tiles, r->touched)
                         : erg_cut_mapping(s, c, rows, order).offchip_bits;
}

/* Where nothing lies between and both loops have iterations, one side comes again: never less than that. */
static uint64_t again_bits(const erg_cutting *s, const erg_cut *c) {
  int64_t least = erg_rows_at(s->rows, c->most_rows)->least;
  int tiles = s->geometry->images > 1 ? 1 : 2; /* of an image */
  uint64_t weights_stay = direct_bits(s, c, ERG_ORDER_WEIGHTS_STAY, tiles, least);
  uint64_t inputs_stay = direct_bits(s, c, ERG_ORDER_INPUTS_STAY, tiles, least);
  return weights_stay < inputs_stay ? weights_stay : inputs_stay;
}

static bool fits_whole(const erg_cutting *s, const erg_cut *c) {
  return c->most_rows == s->geometry->out_h && s->geometry->images == 1;
}

int erg_cut_first_rows(const erg_cutting *s, const erg_cut *c, uint64_t bits) {
  if (!s->arch->direct || c->n_tiles == 1 || again_bits(s, c) <= bits) return 1;
  return fits_whole(s, c) ? c->most_rows : c->most_rows + 1;
}

/* Where nothing lies between, fewer rows may touch fewer input rows but never cost fewer visits: from the most rows
 * down, until the fewest input rows of all would not pay for the visits. */
static uint64_t least_bits(const erg_cutting *s, const erg_cut *c, erg_loop_order order) {
  uint64_t least = UINT64_MAX, bits;
  for (int rows = c->most_rows; rows > 0;) {
    const erg_row_cut *r = erg_rows_at(s->rows, rows);
    if (!s->arch->direct) {
      bits = erg_cut_bits(s, c, rows--, order);
    } else {
      if (least <= direct_bits(s, c, order, r->tiles, r->least)) break;
      bits = direct_bits(s, c, order, r->tiles, r->least_of_count);
      rows = r->first - 1;
    }
    if (bits < least) least = bits;
  }
  return least;
}

uint64_t erg_cut_least_bits(const erg_cutting *s, const erg_cut *c, uint64_t most) {
  if (s->arch->direct && c->n_tiles > 1) {
    if (fits_whole(s, c)) return erg_cut_bits(s, c, c->most_rows, ERG_ORDER_WEIGHTS_STAY); /* nothing comes again */
    if (again_bits(s, c) > most) return UINT64_MAX;
  }
  uint64_t bits = least_bits(s, c, ERG_ORDER_WEIGHTS_STAY);
  if (c->n_tiles == 1) return bits;
  uint64_t others = least_bits(s, c, ERG_ORDER_INPUTS_STAY);
  return others < bits ? others : bits;
}
