/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The analytic model: counts in closed form (docs/model.md); stalls.c adds the cycles of waiting. */
#include "dataflow.h"
#include <math.h>
#include <string.h>

uint64_t erg_tile_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, int index) {
  int64_t pixels = (int64_t)tile_rows(g, m->out_rows, index) * g->out_w;
  if (!g->array) return (uint64_t)ceil_div(pixels * g->out_c * g->window * g->rounds, arch->cols);
  const erg_dataflow_rules *rules = erg_dataflow_of(g->dataflow);
  const erg_dataflow_step whole = {pixels, g->out_c, erg_geometry_reduction(g), true};
  return (uint64_t)(rules->begin_cycles(arch) + rules->step_cycles(arch, g, &whole) +
                    rules->end_cycles(arch, g, &whole));
}

uint64_t erg_work_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  uint64_t sum = 0;
  int tiles = m->m_tiles / g->images; /* all alike but the last */
  if (tiles > 1) sum = (uint64_t)(tiles - 1) * erg_tile_cycles(arch, g, m, 0);
  return (uint64_t)g->images * (sum + erg_tile_cycles(arch, g, m, tiles - 1));
}

/* Steps of a pass are of eight kinds: the last tile of channels, of rows, the last stretch of K, and all others. */
#define STEP_KINDS 8
#define LAST_N 1
#define LAST_M 2
#define LAST_K 4

typedef struct {
  erg_dataflow_step step;
  int64_t times;
} steps_of_kind;

/* Those that occur. */
static int step_kinds(const erg_geometry *g, const erg_mapping *m, steps_of_kind out[STEP_KINDS]) {
  int64_t reduction = erg_geometry_reduction(g), rest = reduction - (m->k_chunks - 1) * m->reduction;
  int tiles = m->m_tiles / g->images, last_rows = tile_rows(g, m->out_rows, tiles - 1), count = 0;
  int last_channels = tile_channels(g, m->out_channels, m->n_tiles - 1);
  int always = (m->n_tiles == 1 ? LAST_N : 0) | (tiles == 1 ? LAST_M : 0) | (m->k_chunks == 1 ? LAST_K : 0);
  for (int kind = always; kind < STEP_KINDS; kind = (kind + 1) | always) {
    int64_t n = kind & LAST_N ? 1 : m->n_tiles - 1, r = kind & LAST_M ? 1 : tiles - 1;
    int64_t k = kind & LAST_K ? 1 : m->k_chunks - 1;
    out[count++] = (steps_of_kind){{.pixels = (int64_t)(kind & LAST_M ? last_rows : m->out_rows) * g->out_w,
                                    .channels = kind & LAST_N ? last_channels : m->out_channels,
                                    .reduction = kind & LAST_K ? rest : m->reduction,
                                    .last_k = kind & LAST_K},
                                   g->images * n * r * k};
  }
  return count; /* the last of them is the last step */
}

erg_dataflow_step erg_last_step(const erg_geometry *g, const erg_mapping *m) {
  return (erg_dataflow_step){(int64_t)last_tile_rows(g, m) * g->out_w,
                             tile_channels(g, m->out_channels, m->n_tiles - 1),
                             erg_geometry_reduction(g) - (m->k_chunks - 1) * m->reduction, true};
}

int64_t erg_end_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, bool first, bool last) {
  if (!g->array) return 0;
  const erg_dataflow_rules *rules = erg_dataflow_of(g->dataflow);
  int64_t cycles = first ? rules->begin_cycles(arch) : 0;
  if (!last) return cycles;
  const erg_dataflow_step step = erg_last_step(g, m);
  return cycles + rules->end_cycles(arch, g, &step);
}

uint64_t erg_array_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  if (!g->array) return 0;
  if (in_chain(g)) return erg_work_cycles(arch, g, m);
  const erg_dataflow_rules *rules = erg_dataflow_of(g->dataflow);
  steps_of_kind kinds[STEP_KINDS];
  int count = step_kinds(g, m, kinds);
  int64_t sum = rules->begin_cycles(arch) + rules->end_cycles(arch, g, &kinds[count - 1].step);
  for (int i = 0; i < count; i++) sum += kinds[i].times * rules->step_cycles(arch, g, &kinds[i].step);
  return (uint64_t)sum;
}

uint64_t erg_fold_cycles(const erg_arch *arch, const int *lengths, int fold_count) {
  int64_t sum = arch->rows + lengths[fold_count - 1];
  for (int i = 0; i < fold_count - 1; i++) sum += lengths[i] > arch->rows ? lengths[i] : arch->rows;
  return (uint64_t)(sum + (arch->rows - 1) + (arch->cols - 1) + ERG_EPILOGUE_DEPTH);
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

/* Array-side codes that a dataflow moves more than once, summed over steps. */
typedef struct {
  uint64_t weights, constants, drain_bits, input_visits;
} array_side;

static array_side array_side_of(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  const erg_dataflow_rules *rules = erg_dataflow_of(g->dataflow);
  array_side sum = {0};
  steps_of_kind kinds[STEP_KINDS];
  int count = step_kinds(g, m, kinds);
  for (int i = 0; i < count; i++) {
    const erg_dataflow_step s = kinds[i].step;
    uint64_t times = (uint64_t)kinds[i].times, visits = times * (uint64_t)rules->weight_visits(arch, s.pixels),
             channels = (uint64_t)s.channels;
    sum.weights += visits * channels * (uint64_t)s.reduction;
    if (s.last_k) sum.constants += visits * channels;
    if (s.last_k) sum.drain_bits += times * channels * (uint64_t)rules->drain_bits(arch, g, s.pixels);
  }
  int last = m->n_tiles - 1;
  if (last > 0) sum.input_visits = (uint64_t)last * (uint64_t)rules->input_visits(arch, g, m->out_channels);
  sum.input_visits += (uint64_t)rules->input_visits(arch, g, tile_channels(g, m->out_channels, last));
  return sum;
}

static void count_array_side(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, uint64_t macs,
                             erg_activity *out) {
  uint64_t m_tiles = (uint64_t)m->m_tiles, images = (uint64_t)g->images;
  uint64_t outputs = images * (uint64_t)g->out_h * (uint64_t)g->out_w * (uint64_t)g->out_c;
  uint64_t reads = images * (uint64_t)g->in_c * taps_inside(g->out_h, g->kernel_h, g->stride_h, g->pad_top, g->in_h) *
                   taps_inside(g->out_w, g->kernel_w, g->stride_w, g->pad_left, g->in_w);
  uint64_t constants = (uint64_t)g->out_c * m_tiles;
  int input = erg_arch_scratchpad(arch, ERG_TENSOR_INPUT), weight = erg_arch_scratchpad(arch, ERG_TENSOR_WEIGHT);
  int residual = erg_arch_scratchpad(arch, ERG_TENSOR_RESIDUAL), output = erg_arch_scratchpad(arch, ERG_TENSOR_OUTPUT);
  int constant = erg_arch_scratchpad(arch, ERG_TENSOR_CONSTANT);
  if (g->array) {
    const erg_dataflow_rules *rules = erg_dataflow_of(g->dataflow);
    const array_side side = array_side_of(arch, g, m);
    uint64_t folds = (uint64_t)ceil_div(erg_geometry_reduction(g), fold_rows(arch, g));
    /* A scalable cell adds its products up before it adds to the sum. */
    uint64_t sums = g->products ? outputs * (uint64_t)ceil_div(erg_geometry_reduction(g), g->products) : macs;
    uint64_t psums = rules->spills ? outputs * (folds - 1) * (uint64_t)g->psum_bits : 0;
    int accumulator = ERG_LEVEL_ACCUMULATOR(arch->level_count), registers = ERG_LEVEL_REGISTERS(arch->level_count);
    constants = side.constants;
    reads *= side.input_visits;
    out->read_bits[weight][ERG_TENSOR_WEIGHT] += side.weights * (uint64_t)g->weight_bits;
    out->read_bits[accumulator][ERG_TENSOR_PSUM] += psums;
    out->write_bits[accumulator][ERG_TENSOR_PSUM] += psums;
    out->write_bits[registers][ERG_TENSOR_WEIGHT] +=
        (rules->stays == ERG_TENSOR_WEIGHT ? side.weights : macs) * (uint64_t)g->weight_bits;
    out->write_bits[registers][ERG_TENSOR_INPUT] +=
        (rules->stays == ERG_TENSOR_INPUT ? reads : macs) * (uint64_t)g->in_bits;
    out->write_bits[registers][ERG_TENSOR_PSUM] += sums * (uint64_t)g->psum_bits + side.drain_bits;
  }
  if (g->operands == 1) reads *= (uint64_t)g->rounds; /* else the second round reads the second operand */
  out->read_bits[input][ERG_TENSOR_INPUT] += reads * (uint64_t)g->in_bits;
  out->read_bits[constant][ERG_TENSOR_CONSTANT] += constants * (uint64_t)g->constant_bits;
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

void erg_analytic_walked(const erg_arch *arch, const erg_geometry *g, const erg_mapping *mapping,
                         const erg_op_counts *ops, const erg_activity *walk, erg_activity *out) {
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
  out->ops[ERG_OP_GATE] = ops->gate;
  out->ops[ERG_OP_RSQRT] = ops->rsqrt;
  out->initial_write_bits = demand.distinct[ERG_TENSOR_WEIGHT] + demand.distinct[ERG_TENSOR_CONSTANT];
  erg_activity_cycles(out, walk);
}

void erg_analytic(const erg_arch *arch, const erg_geometry *g, const erg_mapping *mapping, const erg_op_counts *ops,
                  erg_activity *out) {
  erg_activity walk;
  erg_mapping m = *mapping;
  erg_demand demand; /* decides what stays where, which the walk asks for */
  erg_demand_of(g, &m, &demand);
  memset(&walk, 0, sizeof walk);
  erg_levels_traffic(arch, &demand, &m, &walk);
  erg_count_cycles(arch, g, &m, &walk);
  erg_analytic_walked(arch, g, mapping, ops, &walk, out);
}
