/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The analytic model: counts in closed form (docs/model.md); stalls.c adds the cycles of waiting. */
#include "traffic.h"
#include <math.h>
#include <string.h>

int64_t erg_folds_of_channels(const erg_arch *arch, const erg_geometry *g, int channels) {
  return g->groups == 1 ? ceil_div(channels, arch->cols) : g->groups * ceil_div(g->out_c / g->groups, arch->cols);
}

/* What the pass adds to the plain sum of max(M, R): the first weights before, the skew and the epilogue behind. */
int64_t erg_begin_cycles(const erg_arch *arch) {
  return arch->rows;
}
int64_t erg_end_cycles(const erg_arch *arch, int64_t last_m) {
  int64_t longer = last_m > arch->rows ? last_m : arch->rows;
  return last_m - longer + (arch->rows - 1) + (arch->cols - 1) + ERG_EPILOGUE_DEPTH;
}

uint64_t erg_tile_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, int index) {
  int64_t pixels = (int64_t)tile_rows(g, m->out_rows, index) * g->out_w;
  if (!g->array) return (uint64_t)ceil_div(pixels * g->out_c * g->window, arch->cols);
  int64_t folds = erg_folds_of_channels(arch, g, g->out_c) * ceil_div(erg_geometry_reduction(g), arch->rows);
  int64_t fold = pixels > arch->rows ? pixels : arch->rows;
  return (uint64_t)(erg_begin_cycles(arch) + folds * fold + erg_end_cycles(arch, pixels));
}

uint64_t erg_work_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  uint64_t sum = 0;
  int tiles = m->m_tiles / g->images; /* all alike but the last */
  if (tiles > 1) sum = (uint64_t)(tiles - 1) * erg_tile_cycles(arch, g, m, 0);
  return (uint64_t)g->images * (sum + erg_tile_cycles(arch, g, m, tiles - 1));
}

uint64_t erg_array_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  if (!g->array) return 0;
  if (in_chain(g)) return erg_work_cycles(arch, g, m);
  int64_t k_folds = ceil_div(erg_geometry_reduction(g), arch->rows), sum = 0;
  int64_t folds = erg_folds_of_channels(arch, g, g->out_c) * k_folds;
  int tiles_per_image = m->m_tiles / g->images;
  for (int i = 0; i < tiles_per_image; i++) {
    int64_t rows = (int64_t)tile_rows(g, m->out_rows, i) * g->out_w;
    sum += g->images * folds * (rows > arch->rows ? rows : arch->rows);
  }
  return (uint64_t)(erg_begin_cycles(arch) + sum + erg_end_cycles(arch, (int64_t)last_tile_rows(g, m) * g->out_w));
}

uint64_t erg_fold_cycles(const erg_arch *arch, const int *m_rows, int fold_count) {
  int64_t sum = 0;
  for (int i = 0; i < fold_count; i++) sum += m_rows[i] > arch->rows ? m_rows[i] : arch->rows;
  return (uint64_t)(erg_begin_cycles(arch) + sum + erg_end_cycles(arch, m_rows[fold_count - 1]));
}

/* Pairs (output, tap) along one axis that fall inside the map: padding is generated, never read. */
static uint64_t taps_inside(int outputs, int kernel, int stride, int pad, int extent) {
  uint64_t inside = 0;
  for (int r = 0; r < kernel; r++) { /* 0 <= p*stride - pad + r < extent */
    int64_t first = pad > r ? ceil_div(pad - r, stride) : 0;
    int64_t last = extent - 1 + pad - r < 0 ? -1 : (extent - 1 + pad - r) / stride;
    if (last > outputs - 1) last = outputs - 1;
    if (last >= first) inside += (uint64_t)(last - first + 1);
  }
  return inside;
}

static void count_array_side(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, uint64_t macs,
                             erg_activity *out) {
  uint64_t m_tiles = (uint64_t)m->m_tiles, images = (uint64_t)g->images;
  uint64_t outputs = images * (uint64_t)g->out_h * (uint64_t)g->out_w * (uint64_t)g->out_c;
  uint64_t reads = images * (uint64_t)g->in_c * taps_inside(g->out_h, g->kernel_h, g->stride_h, g->pad_top, g->in_h) *
                   taps_inside(g->out_w, g->kernel_w, g->stride_w, g->pad_left, g->in_w);
  int input = erg_arch_scratchpad(arch, ERG_TENSOR_INPUT), weight = erg_arch_scratchpad(arch, ERG_TENSOR_WEIGHT);
  int residual = erg_arch_scratchpad(arch, ERG_TENSOR_RESIDUAL), output = erg_arch_scratchpad(arch, ERG_TENSOR_OUTPUT);
  int constant = erg_arch_scratchpad(arch, ERG_TENSOR_CONSTANT);
  if (g->array) {
    int64_t reduction = erg_geometry_reduction(g);
    uint64_t weights = (uint64_t)g->out_c * (uint64_t)reduction * (uint64_t)g->weight_bits * m_tiles;
    uint64_t psums = outputs * (uint64_t)(ceil_div(reduction, arch->rows) - 1) * (uint64_t)g->psum_bits;
    int accumulator = ERG_LEVEL_ACCUMULATOR(arch->level_count), registers = ERG_LEVEL_REGISTERS(arch->level_count);
    reads *= (uint64_t)ceil_div(g->out_c / g->groups, arch->cols);
    out->read_bits[weight][ERG_TENSOR_WEIGHT] += weights;
    out->read_bits[accumulator][ERG_TENSOR_PSUM] += psums;
    out->write_bits[accumulator][ERG_TENSOR_PSUM] += psums;
    out->write_bits[registers][ERG_TENSOR_WEIGHT] += weights;
    out->write_bits[registers][ERG_TENSOR_INPUT] += macs * (uint64_t)g->in_bits;
    out->write_bits[registers][ERG_TENSOR_PSUM] += macs * (uint64_t)g->psum_bits;
  }
  out->read_bits[input][ERG_TENSOR_INPUT] += reads * (uint64_t)g->in_bits;
  out->read_bits[constant][ERG_TENSOR_CONSTANT] += (uint64_t)g->out_c * (uint64_t)g->constant_bits * m_tiles;
  if (g->residual || g->operands == 2)
    out->read_bits[residual][ERG_TENSOR_RESIDUAL] += outputs * (uint64_t)g->residual_bits;
  out->write_bits[output][ERG_TENSOR_OUTPUT] += outputs * (uint64_t)g->out_bits;
}

/* A link's map goes from the output scratchpad to the input scratchpad, or stays where both are one. */
static void move_on_chip(const erg_arch *arch, const erg_geometry *g, erg_activity *out) {
  int input = erg_arch_scratchpad(arch, ERG_TENSOR_INPUT), output = erg_arch_scratchpad(arch, ERG_TENSOR_OUTPUT);
  uint64_t images = (uint64_t)g->images;
  if (input == output) return;
  if (g->from_chain) out->write_bits[input][ERG_TENSOR_INPUT] += images * input_rows_bits(g, g->in_h);
  if (g->to_chain) out->read_bits[output][ERG_TENSOR_OUTPUT] += images * slice_bits(g, g->out_h, g->out_c, g->out_bits);
}

void erg_analytic(const erg_arch *arch, const erg_geometry *g, const erg_mapping *mapping, const erg_op_counts *ops,
                  erg_activity *out) {
  memset(out, 0, sizeof *out);
  erg_mapping m = *mapping;
  erg_demand demand;
  erg_demand_of(g, &m, &demand);
  erg_levels_traffic(arch, &demand, &m, out);
  count_array_side(arch, g, &m, ops->mac, out);
  move_on_chip(arch, g, out);
  out->ops[ERG_OP_MAC] = ops->mac;
  out->ops[ERG_OP_REQUANTIZE] = ops->requantize;
  out->ops[ERG_OP_ADD] = ops->add;
  out->ops[ERG_OP_MULTIPLY] = ops->multiply;
  out->ops[ERG_OP_COMPARE] = ops->compare;
  out->initial_write_bits = demand.distinct[ERG_TENSOR_WEIGHT] + demand.distinct[ERG_TENSOR_CONSTANT];
  erg_count_cycles(arch, g, &m, out);
}
