/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a mapping moves between levels, in closed form (docs/model.md, "Counts"). */
#include "traffic.h"
#include <string.h>

int erg_touched_rows(const erg_geometry *g, int first, int rows) {
  if (g->stride_h > g->kernel_h) { /* rows between windows are never read */
    int touched = 0;
    for (int p = first; p < first + rows; p++) {
      int low = p * g->stride_h - g->pad_top, high = low + g->kernel_h;
      if (low < 0) low = 0;
      if (high > g->in_h) high = g->in_h;
      if (high > low) touched += high - low;
    }
    return touched;
  }
  int low = first * g->stride_h - g->pad_top;
  int high = (first + rows - 1) * g->stride_h - g->pad_top + g->kernel_h;
  if (low < 0) low = 0;
  if (high > g->in_h) high = g->in_h;
  return high > low ? high - low : 0;
}

void erg_demand_of(const erg_geometry *g, const erg_mapping *m, erg_demand *out) {
  memset(out, 0, sizeof *out);
  int tiles_per_image = m->m_tiles / g->images;
  uint64_t images = (uint64_t)g->images;

  uint64_t input_once = 0;
  for (int i = 0; i < tiles_per_image; i++)
    input_once += input_rows_bits(g, erg_touched_rows(g, i * m->out_rows, tile_rows(g, m->out_rows, i)));
  bool inputs_again = m->order == ERG_ORDER_WEIGHTS_STAY && m->m_tiles > 1;
  out->fetched[ERG_TENSOR_INPUT] = images * input_once * (inputs_again ? (uint64_t)m->n_tiles : 1);
  out->distinct[ERG_TENSOR_INPUT] = images * input_rows_bits(g, erg_touched_rows(g, 0, g->out_h));

  int64_t reduction = erg_geometry_reduction(g);
  for (int n = 0; n < m->n_tiles; n++) {
    int channels = tile_channels(g, m->out_channels, n);
    for (int64_t k = 0; k < reduction; k += m->reduction)
      out->distinct[ERG_TENSOR_WEIGHT] +=
          weight_run_bits(g, channels, reduction - k < m->reduction ? reduction - k : m->reduction);
    out->distinct[ERG_TENSOR_CONSTANT] += constant_run_bits(g, channels);
    uint64_t pixels = images * (uint64_t)g->out_h * (uint64_t)g->out_w;
    out->fetched[ERG_TENSOR_OUTPUT] += pixels * pixel_bits(channels, g->out_bits);
    if (g->residual || g->operands == 2)
      out->fetched[ERG_TENSOR_RESIDUAL] += pixels * pixel_bits(channels, g->residual_bits);
  }
  bool weights_again =
      (m->order == ERG_ORDER_INPUTS_STAY && m->n_tiles > 1) || m->k_chunks > 1;
  uint64_t weight_visits = weights_again ? (uint64_t)m->m_tiles : 1;
  out->fetched[ERG_TENSOR_WEIGHT] = out->distinct[ERG_TENSOR_WEIGHT] * weight_visits;
  out->fetched[ERG_TENSOR_CONSTANT] = out->distinct[ERG_TENSOR_CONSTANT] * weight_visits;
  out->distinct[ERG_TENSOR_RESIDUAL] = out->fetched[ERG_TENSOR_RESIDUAL];
  out->distinct[ERG_TENSOR_OUTPUT] = out->fetched[ERG_TENSOR_OUTPUT];
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
