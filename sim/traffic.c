/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a mapping moves between levels, in closed form (docs/model.md, "Counts"). */
#include "traffic.h"
#include <string.h>

int erg_touched_rows_apart(const erg_geometry *g, int first, int rows) {
  int touched = 0;
  if (g->pad_top == 0 && (first + rows - 1) * g->stride_h + g->kernel_h <= g->in_h) return rows * g->kernel_h;
  for (int p = first; p < first + rows; p++) {
    int low = p * g->stride_h - g->pad_top, high = low + g->kernel_h;
    if (low < 0) low = 0;
    if (high > g->in_h) high = g->in_h;
    if (high > low) touched += high - low;
  }
  return touched;
}

uint64_t erg_demand_rows(const erg_geometry *g, int out_rows, int *most_rows) {
  uint64_t bits = 0;
  *most_rows = 0;
  for (int first = 0; first < g->out_h; first += out_rows) {
    int rows = g->out_h - first < out_rows ? g->out_h - first : out_rows, touched = erg_touched_rows(g, first, rows);
    bits += input_rows_bits(g, touched);
    if (touched > *most_rows) *most_rows = touched;
  }
  return bits;
}

void erg_demand_channels(const erg_geometry *g, int out_channels, int64_t tile_reduction, erg_demand *out) {
  memset(out, 0, sizeof *out);
  int64_t reduction = erg_geometry_reduction(g);
  uint64_t pixels = (uint64_t)g->images * (uint64_t)g->out_h * (uint64_t)g->out_w;
  out->distinct[ERG_TENSOR_INPUT] = (uint64_t)g->images * input_rows_bits(g, erg_touched_rows(g, 0, g->out_h));
  /* All tiles of channels but the last are alike, and so are all stretches of K but the last. */
  int64_t tiles = ceil_div(g->out_c, out_channels), stretches = ceil_div(reduction, tile_reduction);
  int last_channels = tile_channels(g, out_channels, (int)tiles - 1);
  int64_t last_reduction = reduction - (stretches - 1) * tile_reduction;
  for (int last = 0; last < 2; last++) {
    int channels = last ? last_channels : out_channels;
    uint64_t times = last ? 1 : (uint64_t)tiles - 1;
    if (times == 0) continue;
    out->distinct[ERG_TENSOR_WEIGHT] +=
        times * ((uint64_t)(stretches - 1) * weight_run_bits(g, channels, tile_reduction) +
                 weight_run_bits(g, channels, last_reduction));
    out->distinct[ERG_TENSOR_CONSTANT] += times * constant_run_bits(g, channels);
    out->distinct[ERG_TENSOR_OUTPUT] += times * pixels * pixel_bits(channels, g->out_bits);
    if (g->residual || g->operands == 2)
      out->distinct[ERG_TENSOR_RESIDUAL] += times * pixels * pixel_bits(channels, g->residual_bits);
  }
  memcpy(out->fetched, out->distinct, sizeof out->fetched);
}

uint64_t erg_distinct_bits(const erg_geometry *g) {
  erg_demand whole;
  uint64_t bits = 0;
  erg_demand_channels(g, g->out_c, erg_geometry_reduction(g), &whole);
  for (int tensor = 0; tensor < ERG_TENSOR_PSUM; tensor++) bits += whole.distinct[tensor];
  return bits;
}

void erg_demand_join(const erg_geometry *g, const erg_mapping *m, uint64_t input_once, erg_demand *demand) {
  bool inputs_again = m->order == ERG_ORDER_WEIGHTS_STAY && m->m_tiles > 1;
  bool weights_again = (m->order == ERG_ORDER_INPUTS_STAY && m->n_tiles > 1) || m->k_chunks > 1;
  uint64_t weight_visits = weights_again ? (uint64_t)m->m_tiles : 1;
  demand->fetched[ERG_TENSOR_INPUT] = (uint64_t)g->images * input_once * (inputs_again ? (uint64_t)m->n_tiles : 1);
  demand->fetched[ERG_TENSOR_WEIGHT] = demand->distinct[ERG_TENSOR_WEIGHT] * weight_visits;
  demand->fetched[ERG_TENSOR_CONSTANT] = demand->distinct[ERG_TENSOR_CONSTANT] * weight_visits;
}

void erg_demand_of(const erg_geometry *g, const erg_mapping *m, erg_demand *out) {
  int most_rows;
  erg_demand_channels(g, m->out_channels, m->reduction, out);
  erg_demand_join(g, m, erg_demand_rows(g, m->out_rows, &most_rows), out);
  if (!in_chain(g)) return;
  if (g->from_chain) out->distinct[ERG_TENSOR_INPUT] = 0;
  if (g->to_chain) out->distinct[ERG_TENSOR_OUTPUT] = 0;
  memcpy(out->fetched, out->distinct, sizeof out->fetched); /* line buffers: nothing comes twice */
}

/* An intermediate level keeps whole tensors: of the four ways to keep input and weights (with their constants), the one
 * that saves most of what its parent would have to send again. */
static void choose_residents(const erg_level *level, const uint64_t fetched[], const uint64_t distinct[],
                             bool resident[]) {
  static const erg_tensor choices[2] = {ERG_TENSOR_INPUT, ERG_TENSOR_WEIGHT};
  double capacity_bits = level->capacity_kib * 8192.0;
  uint64_t best_saving = 0;
  int best = 0;
  for (int set = 1; set < 4; set++) {
    double room_bits = 0;
    uint64_t saving = 0;
    for (int i = 0; i < 2; i++) {
      if (!(set >> i & 1)) continue;
      erg_tensor tensor = choices[i];
      if (!(level->holds_mask >> tensor & 1u)) continue;
      room_bits += (double)distinct[tensor];
      saving += fetched[tensor] > distinct[tensor] ? fetched[tensor] - distinct[tensor] : 0;
    }
    if (room_bits <= capacity_bits && saving > best_saving) {
      best_saving = saving;
      best = set;
    }
  }
  for (int i = 0; i < 2; i++) {
    erg_tensor tensor = choices[i];
    resident[tensor] = (best >> i & 1) && (level->holds_mask >> tensor & 1u) && fetched[tensor] > distinct[tensor];
  }
  resident[ERG_TENSOR_CONSTANT] = resident[ERG_TENSOR_WEIGHT] && (level->holds_mask >> ERG_TENSOR_CONSTANT & 1u);
}

void erg_levels_traffic(const erg_arch *arch, const erg_demand *demand, erg_mapping *mapping, erg_activity *activity) {
  uint64_t wanted[ERG_TENSOR_COUNT]; /* bits the level inward asks of the next one outward */
  memcpy(wanted, demand->fetched, sizeof wanted);
  memset(mapping->resident, 0, sizeof mapping->resident);
  for (int index = arch->level_count - 1; index >= 0; index--) {
    const erg_level *level = &arch->levels[index];
    bool *resident = mapping->resident[index];
    if (index > 0) choose_residents(level, wanted, demand->distinct, resident);
    for (int tensor = 0; tensor < ERG_TENSOR_PSUM; tensor++) {
      int scratchpad = erg_arch_scratchpad(arch, (erg_tensor)tensor);
      if (!(level->holds_mask >> tensor & 1u) || index > scratchpad) {
        resident[tensor] = false;
        continue;
      }
      bool outward = tensor == ERG_TENSOR_OUTPUT;
      if (index == scratchpad) { /* filled by, or drained to, its parent */
        resident[tensor] = false;
        *(outward ? &activity->read_bits[index][tensor] : &activity->write_bits[index][tensor]) += wanted[tensor];
        continue;
      }
      uint64_t passed_on = resident[tensor] ? demand->distinct[tensor] : wanted[tensor];
      if (outward) {
        activity->write_bits[index][tensor] += wanted[tensor];
        if (index > 0) activity->read_bits[index][tensor] += wanted[tensor];
      } else {
        activity->read_bits[index][tensor] += wanted[tensor];
        if (index > 0) activity->write_bits[index][tensor] += passed_on;
      }
      wanted[tensor] = passed_on;
    }
  }
}
