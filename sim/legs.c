/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "legs.h"
#include "dataflow.h"

static bool keeps_inputs(const erg_arch *arch, const erg_mapping *m) {
  for (int level = 1; level < arch->level_count; level++)
    if (m->resident[level][ERG_TENSOR_INPUT]) return true;
  return false;
}

void erg_legs_begin(erg_legs *l, const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  l->arch = arch, l->geometry = g, l->mapping = m;
  l->steps = (int64_t)m->n_tiles * m->m_tiles * m->k_chunks;
  l->tiles_per_image = m->m_tiles / g->images;
  l->n_outside = m->m_tiles == 1 || (m->order == ERG_ORDER_WEIGHTS_STAY && m->n_tiles > 1);
  l->period = (int64_t)(l->n_outside ? m->m_tiles : m->n_tiles) * m->k_chunks;
  l->made = l->k = 0;
  l->n = l->m = l->in_image = 0;
  l->changed_n = l->changed_m = true;
  l->has_weights = g->array || g->constants;
  l->has_residuals = g->residual || g->operands == 2;
  l->keeps_inputs = keeps_inputs(arch, m);
  for (int kind = 0; kind < 8; kind++) l->kinds[kind].known = false;
}

#define LAST_N 1 /* a kind: whether the step is of the last tile of channels, of rows, of the last stretch of K */
#define LAST_M 2
#define LAST_K 4

static void make_kind(const erg_legs *l, int kind, erg_leg_kind *out) {
  const erg_geometry *g = l->geometry;
  const erg_mapping *m = l->mapping;
  int channels = kind & LAST_N ? tile_channels(g, m->out_channels, m->n_tiles - 1) : m->out_channels;
  int rows = kind & LAST_M ? tile_rows(g, m->out_rows, l->tiles_per_image - 1) : m->out_rows;
  int64_t reduction = m->reduction, pixels = (int64_t)rows * g->out_w;
  if (kind & LAST_K) reduction = erg_geometry_reduction(g) - (m->k_chunks - 1) * m->reduction;
  out->known = true;
  if (l->has_weights) {
    out->weight = (double)weight_run_bits(g, channels, reduction);
    out->constant = (double)constant_run_bits(g, channels);
  }
  if (l->has_residuals) out->residual = (double)slice_bits(g, rows, channels, g->residual_bits);
  out->output = (double)slice_bits(g, rows, channels, g->out_bits);
  const erg_dataflow_step it = {pixels, channels, reduction, kind & LAST_K};
  out->work_cycles = g->array ? (double)erg_dataflow_of(g->dataflow)->step_cycles(l->arch, g, &it)
                              : (double)ceil_div(pixels * channels * g->window * g->rounds, l->arch->cols);
}

static const erg_leg_kind *kind_of(erg_legs *l, bool last_n, bool last_m, bool last_k) {
  int kind = (last_n ? LAST_N : 0) | (last_m ? LAST_M : 0) | (last_k ? LAST_K : 0);
  if (!l->kinds[kind].known) make_kind(l, kind, &l->kinds[kind]);
  return &l->kinds[kind];
}

static void fill(erg_legs *l, int64_t index, erg_leg *leg) {
  const erg_mapping *m = l->mapping;
  bool last_m = l->in_image == l->tiles_per_image - 1;
  leg->last_k = l->k == m->k_chunks - 1;
  leg->first_n = l->n == 0;
  leg->first_m = l->m == 0;
  leg->needs_input = l->changed_m;
  leg->needs_weight = l->has_weights && (l->changed_n || m->k_chunks > 1 || index == 0);
  leg->needs_residual = leg->last_k && l->has_residuals;
  leg->kind = kind_of(l, l->n == m->n_tiles - 1, last_m, leg->last_k);
  leg->work_cycles = leg->kind->work_cycles;
  if (index == 0 || index == l->steps - 1)
    leg->work_cycles += (double)erg_end_cycles(l->arch, l->geometry, m, index == 0, index == l->steps - 1);
  if (!leg->needs_input) return;
  const erg_geometry *g = l->geometry;
  int row = l->in_image * m->out_rows, rows = last_m ? g->out_h - row : m->out_rows;
  leg->input = (double)input_rows_bits(g, erg_touched_rows(g, row, rows));
  leg->fresh = 0;
  if (l->keeps_inputs && l->n == 0)
    leg->fresh = (double)input_rows_bits(g, erg_touched_rows(g, 0, row + rows)) -
                 (row ? (double)input_rows_bits(g, erg_touched_rows(g, 0, row)) : 0);
}

/* On to the next place of the nest. */
static void step(erg_legs *l) {
  const erg_mapping *m = l->mapping;
  bool weights_stay = m->order == ERG_ORDER_WEIGHTS_STAY;
  l->changed_n = l->changed_m = false;
  if (++l->k < m->k_chunks) return;
  l->k = 0;
  bool next_n = !weights_stay, next_m = weights_stay;
  if (weights_stay && l->m + 1 == m->m_tiles) next_n = true, l->m = -1, l->in_image = -1;
  if (!weights_stay && l->n + 1 == m->n_tiles) next_m = true, l->n = -1;
  if (next_n) l->n++, l->changed_n = m->n_tiles > 1;
  if (next_m) {
    l->m++, l->in_image++;
    if (l->in_image == l->tiles_per_image) l->in_image = 0;
    l->changed_m = m->m_tiles > 1;
  }
}

const erg_leg *erg_legs_make(erg_legs *l, int64_t index) {
  for (; l->made <= index; l->made++) {
    fill(l, l->made, &l->legs[l->made % ERG_LEGS]);
    step(l);
  }
  return &l->legs[index % ERG_LEGS];
}

int64_t erg_legs_alike(const erg_legs *l, int64_t index) {
  const erg_geometry *g = l->geometry;
  const erg_mapping *m = l->mapping;
  if (index < 2 * l->period) return 0; /* the first step of all begins the array */
  if (l->n_outside) return (int64_t)(m->n_tiles - 1) * l->period;
  /* Tiles of rows that neither border of their image cuts, but its last. */
  int64_t iteration = index / l->period, image = iteration / l->tiles_per_image, here = iteration % l->tiles_per_image;
  int64_t below = g->in_h + g->pad_top - g->kernel_h - (int64_t)(m->out_rows - 1) * g->stride_h;
  int64_t inside = below < 0 ? 0 : below / ((int64_t)m->out_rows * g->stride_h) + 1; /* before the lower border */
  if (inside > l->tiles_per_image - 1) inside = l->tiles_per_image - 1;
  if (here == 0 || (here - 1) * m->out_rows * g->stride_h < g->pad_top || here > inside) return 0;
  return (image * l->tiles_per_image + inside) * l->period;
}

void erg_legs_skip(erg_legs *l, int64_t index) {
  int iteration = (int)(index / l->period);
  l->made = index;
  l->n = l->n_outside ? iteration : 0;
  l->m = l->n_outside ? 0 : iteration;
  l->in_image = l->m % l->tiles_per_image;
  l->k = 0;
  l->changed_n = l->mapping->n_tiles > 1;
  l->changed_m = l->mapping->m_tiles > 1;
}
