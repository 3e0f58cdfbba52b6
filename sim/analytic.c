/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The analytic model: counts in closed form, stalls from a walk over double-buffered steps (docs/model.md). */
#include "traffic.h"
#include <math.h>
#include <string.h>

static int64_t folds_of_channels(const erg_arch *arch, const erg_geometry *g, int channels) {
  return g->groups == 1 ? ceil_div(channels, arch->cols) : g->groups * ceil_div(g->out_c / g->groups, arch->cols);
}

static int last_tile_rows(const erg_geometry *g, const erg_mapping *m) {
  return tile_rows(g, m->out_rows, (int)ceil_div(g->out_h, m->out_rows) - 1);
}

/* What the pass adds to the plain sum of max(M, R): the first weights before, the skew and the epilogue behind. */
static int64_t begin_cycles(const erg_arch *arch) { return arch->rows; }
static int64_t end_cycles(const erg_arch *arch, int64_t last_m) {
  int64_t longer = last_m > arch->rows ? last_m : arch->rows;
  return last_m - longer + (arch->rows - 1) + (arch->cols - 1) + ERG_EPILOGUE_DEPTH;
}

uint64_t erg_array_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  if (!g->array) return 0;
  int64_t k_folds = ceil_div(erg_geometry_reduction(g), arch->rows), sum = 0;
  int64_t folds = folds_of_channels(arch, g, g->out_c) * k_folds;
  int tiles_per_image = m->m_tiles / g->images;
  for (int i = 0; i < tiles_per_image; i++) {
    int64_t rows = (int64_t)tile_rows(g, m->out_rows, i) * g->out_w;
    sum += g->images * folds * (rows > arch->rows ? rows : arch->rows);
  }
  return (uint64_t)(begin_cycles(arch) + sum + end_cycles(arch, (int64_t)last_tile_rows(g, m) * g->out_w));
}

uint64_t erg_fold_cycles(const erg_arch *arch, const int *m_rows, int fold_count) {
  int64_t sum = 0;
  for (int i = 0; i < fold_count; i++) sum += m_rows[i] > arch->rows ? m_rows[i] : arch->rows;
  return (uint64_t)(begin_cycles(arch) + sum + end_cycles(arch, m_rows[fold_count - 1]));
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

/* ---- stalls: a walk over the steps of the loop nest ---- */

typedef struct { int n, m; int64_t k; int row, rows, channels; int64_t reduction; bool last_k; } step;

static step step_at(const erg_geometry *g, const erg_mapping *m, int64_t index) {
  step s;
  s.k = index % m->k_chunks;
  int64_t tile = index / m->k_chunks;
  bool weights_stay = m->order == ERG_ORDER_WEIGHTS_STAY;
  s.n = (int)(weights_stay ? tile / m->m_tiles : tile % m->n_tiles);
  s.m = (int)(weights_stay ? tile % m->m_tiles : tile / m->n_tiles);
  int tiles_per_image = m->m_tiles / g->images, in_image = s.m % tiles_per_image;
  s.row = in_image * m->out_rows;
  s.rows = tile_rows(g, m->out_rows, in_image);
  s.channels = tile_channels(g, m->out_channels, s.n);
  int64_t left = erg_geometry_reduction(g) - s.k * m->reduction;
  s.reduction = left < m->reduction ? left : m->reduction;
  s.last_k = s.k == m->k_chunks - 1;
  return s;
}

/* Adds `bits` for a tensor to every level it comes through; a level that keeps the tensor passes on only what is new. */
static void add_path(const erg_arch *arch, const erg_mapping *m, erg_tensor tensor, double bits, double new_bits,
                     double level_bits[]) {
  for (int index = erg_arch_scratchpad(arch, tensor) - 1; index >= 0; index--) {
    if (!(arch->levels[index].holds_mask >> tensor & 1u)) continue;
    level_bits[index] += bits;
    if (m->resident[index][tensor]) bits = new_bits;
  }
}

static void add_loads(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, const step *s,
                      const step *before, double level_bits[]) {
  bool first = before == NULL;
  if (first || s->m != before->m) {
    double bits = (double)input_rows_bits(g, erg_touched_rows(g, s->row, s->rows));
    double fresh = (double)input_rows_bits(g, erg_touched_rows(g, 0, s->row + s->rows)) -
                   (s->row ? (double)input_rows_bits(g, erg_touched_rows(g, 0, s->row)) : 0);
    add_path(arch, m, ERG_TENSOR_INPUT, bits, s->n == 0 ? fresh : 0, level_bits);
  }
  if (first || s->n != before->n || s->k != before->k || (m->k_chunks > 1 && s->m != before->m)) {
    bool fresh = s->m == 0;
    double bits = (double)weight_run_bits(g, s->channels, s->reduction);
    add_path(arch, m, ERG_TENSOR_WEIGHT, bits, fresh ? bits : 0, level_bits);
    if (s->last_k) {
      bits = (double)constant_run_bits(g, s->channels);
      add_path(arch, m, ERG_TENSOR_CONSTANT, bits, fresh ? bits : 0, level_bits);
    }
  }
  if (s->last_k && (g->residual || g->operands == 2)) {
    double bits = (double)slice_bits(g, s->rows, s->channels, g->residual_bits);
    add_path(arch, m, ERG_TENSOR_RESIDUAL, bits, bits, level_bits);
  }
}

/* Cycles until the slowest level has moved its bits; `level` says which. Latency counts once a transfer. */
static double transfer_cycles(const erg_arch *arch, const double level_bits[], int *level) {
  double longest = 0;
  *level = 0;
  for (int index = 0; index < arch->level_count; index++) {
    if (level_bits[index] <= 0) continue;
    double cycles = level_bits[index] / arch->levels[index].bandwidth_bits_per_cycle +
                    (double)arch->levels[index].latency_cycles;
    if (cycles > longest) {
      longest = cycles;
      *level = index;
    }
  }
  return longest;
}

static double compute_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, const step *s,
                             int64_t index, int64_t steps) {
  int64_t pixels = (int64_t)s->rows * g->out_w;
  if (!g->array) return (double)ceil_div(pixels * s->channels * g->window, arch->cols);
  int64_t folds = folds_of_channels(arch, g, s->channels) * ceil_div(s->reduction, arch->rows);
  int64_t cycles = folds * (pixels > arch->rows ? pixels : arch->rows);
  if (index == 0) cycles += begin_cycles(arch);
  if (index == steps - 1) cycles += end_cycles(arch, (int64_t)last_tile_rows(g, m) * g->out_w);
  return (double)cycles;
}

/* Step i computes while step i+1 loads and step i-1 stores over the same channels. The first load and the last store
 * stand alone. */
static void count_stalls(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, erg_activity *out) {
  int64_t steps = (int64_t)m->n_tiles * m->m_tiles * m->k_chunks;
  double stalls[ERG_MAX_LEVELS] = {0}, bits[ERG_MAX_LEVELS] = {0};
  int level;
  step now = step_at(g, m, 0), before = now;
  add_loads(arch, g, m, &now, NULL, bits);
  double wait = transfer_cycles(arch, bits, &level);
  stalls[level] += wait;
  uint64_t vector_cycles = 0;
  for (int64_t i = 0; i < steps; i++) {
    double compute = compute_cycles(arch, g, m, &now, i, steps);
    if (!g->array) vector_cycles += (uint64_t)compute;
    memset(bits, 0, sizeof bits);
    step next = now;
    if (i + 1 < steps) {
      next = step_at(g, m, i + 1);
      add_loads(arch, g, m, &next, &now, bits);
    }
    if (i > 0 && before.last_k) {
      double stored = (double)slice_bits(g, before.rows, before.channels, g->out_bits);
      add_path(arch, m, ERG_TENSOR_OUTPUT, stored, stored, bits);
    }
    double moved = transfer_cycles(arch, bits, &level);
    if (moved > compute) stalls[level] += moved - compute;
    before = now;
    now = next;
  }
  memset(bits, 0, sizeof bits);
  double stored = (double)slice_bits(g, before.rows, before.channels, g->out_bits);
  add_path(arch, m, ERG_TENSOR_OUTPUT, stored, stored, bits);
  wait = transfer_cycles(arch, bits, &level);
  stalls[level] += wait;

  out->array_cycles = erg_array_cycles(arch, g, m);
  out->vector_cycles = vector_cycles;
  out->cycles = out->array_cycles + out->vector_cycles;
  for (int index = 0; index < arch->level_count; index++) {
    out->stall_cycles[index] = (uint64_t)llround(stalls[index]);
    out->cycles += out->stall_cycles[index];
  }
}

void erg_analytic(const erg_arch *arch, const erg_geometry *g, const erg_mapping *mapping, const erg_op_counts *ops,
                  erg_activity *out) {
  memset(out, 0, sizeof *out);
  erg_mapping m = *mapping;
  erg_demand demand;
  erg_demand_of(g, &m, &demand);
  erg_levels_traffic(arch, &demand, &m, out);
  count_array_side(arch, g, &m, ops->mac, out);
  out->ops[ERG_OP_MAC] = ops->mac;
  out->ops[ERG_OP_REQUANTIZE] = ops->requantize;
  out->ops[ERG_OP_ADD] = ops->add;
  out->ops[ERG_OP_MULTIPLY] = ops->multiply;
  out->ops[ERG_OP_COMPARE] = ops->compare;
  out->initial_write_bits = demand.distinct[ERG_TENSOR_WEIGHT] + demand.distinct[ERG_TENSOR_CONSTANT];
  count_stalls(arch, g, &m, out);
}
