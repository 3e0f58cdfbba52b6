/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "legs.h"
#include "dataflow.h"

void erg_legs_begin(erg_legs *l, const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  l->arch = arch, l->geometry = g, l->mapping = m;
  l->steps = (int64_t)m->n_tiles * m->m_tiles * m->k_chunks;
  l->tiles_per_image = m->m_tiles / g->images;
  l->made = l->k = 0;
  l->n = l->m = l->in_image = 0;
  l->changed_n = l->changed_m = 1;
  for (int kind = 0; kind < 8; kind++) l->work_cycles[kind] = -1;
}

static double work_of(const erg_legs *l, int rows, int channels, int64_t reduction, int64_t index, bool last_k) {
  const erg_geometry *g = l->geometry;
  int64_t pixels = (int64_t)rows * g->out_w;
  if (!g->array) return (double)ceil_div(pixels * channels * g->window * g->rounds, l->arch->cols);
  const erg_dataflow_rules *rules = erg_dataflow_of(g->dataflow);
  const erg_dataflow_step it = {pixels, channels, reduction, last_k};
  int64_t cycles = rules->step_cycles(l->arch, g, &it);
  if (index == 0) cycles += rules->begin_cycles(l->arch);
  if (index == l->steps - 1) cycles += rules->end_cycles(l->arch, g, &it);
  return (double)cycles;
}

static void fill(erg_legs *l, int64_t index, erg_leg *leg) {
  const erg_geometry *g = l->geometry;
  const erg_mapping *m = l->mapping;
  int rows = tile_rows(g, m->out_rows, l->in_image), channels = tile_channels(g, m->out_channels, l->n);
  int64_t left = erg_geometry_reduction(g) - l->k * m->reduction;
  int64_t reduction = left < m->reduction ? left : m->reduction;
  leg->last_k = l->k == m->k_chunks - 1;
  leg->first_n = l->n == 0;
  leg->first_m = l->m == 0;
  leg->needs_input = l->changed_m;
  leg->needs_weight = (g->array || g->constants) && (l->changed_n || m->k_chunks > 1 || index == 0);
  leg->needs_residual = leg->last_k && (g->residual || g->operands == 2);
  if (leg->needs_input) {
    int row = l->in_image * m->out_rows;
    leg->input = (double)input_rows_bits(g, erg_touched_rows(g, row, rows));
    leg->fresh = (double)input_rows_bits(g, erg_touched_rows(g, 0, row + rows)) -
                 (row ? (double)input_rows_bits(g, erg_touched_rows(g, 0, row)) : 0);
  }
  if (leg->needs_weight) {
    leg->weight = (double)weight_run_bits(g, channels, reduction);
    leg->constant = (double)constant_run_bits(g, channels);
  }
  if (leg->needs_residual) leg->residual = (double)slice_bits(g, rows, channels, g->residual_bits);
  leg->output = (double)slice_bits(g, rows, channels, g->out_bits);
  if (index == 0 || index == l->steps - 1) { /* the array fills and drains once */
    leg->work_cycles = work_of(l, rows, channels, reduction, index, leg->last_k);
    return;
  }
  bool last_n = l->n == m->n_tiles - 1, last_m = l->in_image == l->tiles_per_image - 1;
  double *known = &l->work_cycles[last_n | last_m << 1 | leg->last_k << 2];
  if (*known < 0) *known = work_of(l, rows, channels, reduction, index, leg->last_k);
  leg->work_cycles = *known;
}

/* On to the next place of the nest. */
static void step(erg_legs *l) {
  const erg_mapping *m = l->mapping;
  bool weights_stay = m->order == ERG_ORDER_WEIGHTS_STAY;
  l->changed_n = l->changed_m = 0;
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

void erg_legs_last(const erg_legs *l, erg_leg *out) {
  erg_legs at = {.arch = l->arch, .geometry = l->geometry, .mapping = l->mapping, .steps = l->steps};
  at.n = l->mapping->n_tiles - 1, at.m = l->mapping->m_tiles - 1, at.in_image = l->tiles_per_image - 1;
  at.k = l->mapping->k_chunks - 1;
  fill(&at, l->steps - 1, out);
}
