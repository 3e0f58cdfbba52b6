/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pass's cycles without a walk over its steps (stalls.c): a lower bound, since the first step waits for its tiles and
 * the last output is stored when all work is done; and the stalls where there are no others. */
#include "dataflow.h"
#include <math.h>

typedef struct {
  uint64_t input, weight, constant, residual; /* bits of the first step's tiles */
  uint64_t last_output;                       /* bits of the last step's */
} outer_tiles;

static outer_tiles outer_tiles_of(const erg_geometry *g, const erg_mapping *m) {
  int channels = m->n_tiles > 1 ? m->out_channels : g->out_c, rows = tile_rows(g, m->out_rows, 0);
  outer_tiles t = {.input = input_rows_bits(g, erg_touched_rows(g, 0, rows))};
  if (g->array) t.weight = weight_run_bits(g, channels, m->k_chunks > 1 ? m->reduction : erg_geometry_reduction(g));
  if (m->k_chunks == 1) { /* else they come with a later step */
    if (g->array || g->constants) t.constant = constant_run_bits(g, channels);
    if (g->residual || g->operands == 2) t.residual = slice_bits(g, rows, channels, g->residual_bits);
  }
  channels = tile_channels(g, m->out_channels, m->n_tiles - 1);
  t.last_output = slice_bits(g, last_tile_rows(g, m), channels, g->out_bits);
  return t;
}

static double waits_by_levels(const erg_arch *arch, const erg_mapping *m, const outer_tiles *t) {
  double loads[ERG_MAX_LEVELS] = {0}, stores[ERG_MAX_LEVELS] = {0}, loaded = 0, stored = 0;
  int level = 0;
  const uint64_t bits[] = {[ERG_TENSOR_INPUT] = t->input,
                           [ERG_TENSOR_WEIGHT] = t->weight,
                           [ERG_TENSOR_RESIDUAL] = t->residual,
                           [ERG_TENSOR_CONSTANT] = t->constant};
  for (int tensor = 0; tensor < (int)(sizeof bits / sizeof bits[0]); tensor++)
    erg_send(arch, loads, NULL, (erg_tensor)tensor, (double)bits[tensor], 0, 0, &loaded, &level);
  erg_send(arch, stores, m->resident, ERG_TENSOR_OUTPUT, (double)t->last_output, (double)t->last_output, 0, &stored,
           &level);
  return loaded + stored - 0.5 * arch->level_count - 0.01; /* stalls are rounded level by level */
}

static int64_t step_work(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *step) {
  return g->array ? erg_dataflow_of(g->dataflow)->step_cycles(arch, g, step)
                  : ceil_div(step->pixels * step->channels * g->window * g->rounds, arch->cols);
}

static double last_work(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  const erg_dataflow_step last = erg_last_step(g, m);
  return (double)(step_work(arch, g, &last) + erg_end_cycles(arch, g, m, false, true));
}

/* Where K comes in stretches, the first one of a tile of channels takes the slot that the last but one of the tile
 * before leaves: it is there no sooner than its load after that, whereas only the last stretch is left to work on. */
static double waits_for_stretches(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  if (m->k_chunks == 1 || m->m_tiles > 1 || m->n_tiles == 1) return 0;
  int64_t rest = erg_geometry_reduction(g) - (m->k_chunks - 1) * m->reduction;
  const erg_dataflow_step step = {(int64_t)tile_rows(g, m->out_rows, 0) * g->out_w, m->out_channels, rest, true};
  double work = (double)step_work(arch, g, &step), waits = 0;
  for (int last = 0; last < 2; last++) {
    uint64_t bits = weight_run_bits(g, tile_channels(g, m->out_channels, last ? m->n_tiles - 1 : 0), m->reduction);
    double load = (double)bits / arch->levels[0].bandwidth_bits_per_cycle + (double)arch->levels[0].latency_cycles;
    if (load > work) waits += (last ? 1 : m->n_tiles - 2) * (load - work);
  }
  return waits;
}

/* Before the first step and behind the last, on one channel. */
static double waits_at_ends(const erg_arch *arch, const outer_tiles *t) {
  uint64_t first = t->input + t->weight + t->constant + t->residual;
  return (double)(first + t->last_output) / arch->levels[0].bandwidth_bits_per_cycle +
         (first ? 2 : 1) * (double)arch->levels[0].latency_cycles;
}

/* Here also: all loads go through the one channel before the last step works and its output is stored. */
static double waits_direct(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, const outer_tiles *t,
                           double work) {
  double latency = (double)arch->levels[0].latency_cycles, bandwidth = arch->levels[0].bandwidth_bits_per_cycle;
  double waits = waits_at_ends(arch, t) + waits_for_stretches(arch, g, m);
  uint64_t map_row = pixel_bits(tile_channels(g, m->out_channels, m->n_tiles - 1), g->out_bits);
  if (m->n_tiles > 1) map_row += (uint64_t)(m->n_tiles - 1) * pixel_bits(m->out_channels, g->out_bits);
  uint64_t outputs = (uint64_t)g->images * (uint64_t)g->out_h * (uint64_t)g->out_w * map_row;
  double through = (double)(m->offchip_bits - outputs + t->last_output) / bandwidth + latency + last_work(arch, g, m);
  return (through - work > waits ? through - work : waits) - 0.51; /* stalls are rounded */
}

uint64_t erg_least_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  uint64_t work = g->array ? erg_array_cycles(arch, g, m) : erg_work_cycles(arch, g, m);
  const outer_tiles t = outer_tiles_of(g, m);
  double waits = arch->direct ? waits_direct(arch, g, m, &t, (double)work) : waits_by_levels(arch, m, &t);
  return work + (waits > 0 ? (uint64_t)ceil(waits) : 0);
}

/* Where one loop has one iteration each step in the middle takes one tile; while a step works, the tiles of the next
 * are loaded first and then the output of the one before is stored. With time for both nothing waits. */
bool erg_stalls_at_ends(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, double *stall_cycles) {
  if (!arch->direct || m->k_chunks > 1 || g->images > 1 || (m->n_tiles > 1 && m->m_tiles > 1)) return false;
  double latency = (double)arch->levels[0].latency_cycles, bandwidth = arch->levels[0].bandwidth_bits_per_cycle;
  if (m->n_tiles * m->m_tiles > 1) {
    int channels = m->n_tiles > 1 ? m->out_channels : g->out_c, rows = tile_rows(g, m->out_rows, 0);
    double output = (double)slice_bits(g, rows, channels, g->out_bits), loads;
    if (m->n_tiles > 1)
      loads = (double)(weight_run_bits(g, channels, erg_geometry_reduction(g)) + constant_run_bits(g, channels));
    else
      loads = (double)input_rows_bits(g, (rows - 1) * g->stride_h + g->kernel_h);
    if (g->residual || g->operands == 2) loads += (double)slice_bits(g, rows, channels, g->residual_bits);
    const erg_dataflow_step step = {(int64_t)rows * g->out_w, channels, erg_geometry_reduction(g), true};
    double work = (double)step_work(arch, g, &step);
    if ((loads + output) / bandwidth + latency > work || output / bandwidth + latency > last_work(arch, g, m))
      return false;
  }
  const outer_tiles t = outer_tiles_of(g, m);
  *stall_cycles = waits_at_ends(arch, &t);
  return true;
}
