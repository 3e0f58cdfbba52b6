/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file traffic.h
 *  Inside sim: bits of tiles and of whole passes, in closed form. The SystemC model does not use this file. */
#ifndef ERGON_SIM_TRAFFIC_H
#define ERGON_SIM_TRAFFIC_H

#include "ergon/sim.h"
#include <string.h>

/** Whether the pass is a link of a chain: it has a neighbour in it. */
static inline bool in_chain(const erg_geometry *g) { return g->from_chain || g->to_chain; }

/** Bits of a pixel's vector of `channels` codes off-chip: packed and padded to a byte. */
static inline uint64_t pixel_bits(int channels, int bits) { return ((uint64_t)channels * (uint64_t)bits + 7) / 8 * 8; }

static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/** Input rows that output rows [first, first + rows) of an image touch; padding is not a row. */
int erg_touched_rows_apart(const erg_geometry *geometry, int first, int rows); /**< where windows leave rows between them */
static inline int erg_touched_rows(const erg_geometry *g, int first, int rows) {
  if (g->stride_h > g->kernel_h) return erg_touched_rows_apart(g, first, rows);
  int low = first * g->stride_h - g->pad_top, high = (first + rows - 1) * g->stride_h - g->pad_top + g->kernel_h;
  if (low < 0) low = 0;
  if (high > g->in_h) high = g->in_h;
  return high > low ? high - low : 0;
}
/** Output rows of tile `index` of an image cut into tiles of `rows`. */
static inline int tile_rows(const erg_geometry *g, int rows, int index) {
  int first = index * rows;
  return g->out_h - first < rows ? g->out_h - first : rows;
}
static inline int tile_channels(const erg_geometry *g, int channels, int index) {
  int first = index * channels;
  return g->out_c - first < channels ? g->out_c - first : channels;
}
/** Codes of an output map slice of `channels` of each of `rows` rows, off-chip. */
static inline uint64_t slice_bits(const erg_geometry *g, int rows, int channels, int bits) {
  return (uint64_t)rows * (uint64_t)g->out_w * pixel_bits(channels, bits);
}
static inline uint64_t input_rows_bits(const erg_geometry *g, int rows) {
  return (uint64_t)rows * (uint64_t)g->in_w * pixel_bits(g->in_c, g->in_bits);
}
/** Weights of `channels` output channels over `reduction` of K: one packed run. */
static inline uint64_t weight_run_bits(const erg_geometry *g, int channels, int64_t reduction) {
  return g->array ? ((uint64_t)channels * (uint64_t)reduction * (uint64_t)g->weight_bits + 7) / 8 * 8 : 0;
}
static inline uint64_t constant_run_bits(const erg_geometry *g, int channels) {
  return ((uint64_t)channels * (uint64_t)g->constant_bits + 7) / 8 * 8;
}

/** Rows of K that a fold of the array takes: a scalable cell takes several. */
static inline int64_t fold_rows(const erg_arch *arch, const erg_geometry *g) {
  return arch->rows * (g->products ? g->products : 1);
}

static inline int last_tile_rows(const erg_geometry *g, const erg_mapping *m) {
  return tile_rows(g, m->out_rows, (int)ceil_div(g->out_h, m->out_rows) - 1);
}

/** Cycles by cause: array or vector, and stalls by the level waited for (stalls.c). */
void erg_count_cycles(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping, erg_activity *out);
/** The same, given up once it is clear that they are more than `most_cycles`; false: they are. */
bool erg_count_cycles_upto(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping,
                           uint64_t most_cycles, erg_activity *out);

static inline void erg_activity_cycles(erg_activity *out, const erg_activity *walk) {
  out->cycles = walk->cycles, out->array_cycles = walk->array_cycles, out->vector_cycles = walk->vector_cycles;
  memcpy(out->stall_cycles, walk->stall_cycles, sizeof out->stall_cycles);
}

/** A lower bound of these cycles, found without walking the steps. */
uint64_t erg_least_cycles(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping);
/** Whether a pass is seen to stall, on its one channel, only before its first step and behind its last; then how long. */
bool erg_stalls_at_ends(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping,
                        double *stall_cycles);

/** erg_analytic of a mapping whose cycles are known. */
void erg_analytic_walked(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping,
                         const erg_op_counts *ops, const erg_activity *walk, erg_activity *out);

/** Array cycles before the first step and behind the last, which these steps have beside their own. */
int64_t erg_end_cycles(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping, bool first, bool last);

/** Sends `bits` over every level they come through from `when` on; a level that keeps the tensor (`resident`, by level;
 *  NULL: none) passes on only the `new_bits`. Moves *end to the end of the slowest, *level to its level. */
void erg_send(const erg_arch *arch, double channel_free[], const bool (*resident)[ERG_TENSOR_COUNT], erg_tensor tensor,
              double bits, double new_bits, double when, double *end, int *level);
/** Array or vector cycles of a pass without stalls; of tile `index` of an image, in a chain. */
uint64_t erg_work_cycles(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping);
uint64_t erg_tile_cycles(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping, int index);

/** Off-chip-side totals of a mapping: what the scratchpads fetch (with re-fetches) and what is distinct, in bits. */
typedef struct { uint64_t fetched[ERG_TENSOR_COUNT], distinct[ERG_TENSOR_COUNT]; } erg_demand;
void erg_demand_of(const erg_geometry *geometry, const erg_mapping *mapping, erg_demand *out);
/** Off-chip bits of the pass if everything moved once and in one piece: no tile moves less. */
uint64_t erg_distinct_bits(const erg_geometry *geometry);
/** The two halves of it: input bits of one image cut into tiles of `out_rows` (the most rows a tile touches in
 *  `most_rows`), and what the channel side moves; `erg_demand_join` puts visits to both. The search tries many pairs. */
uint64_t erg_demand_rows(const erg_geometry *geometry, int out_rows, int *most_rows);
void erg_demand_channels(const erg_geometry *geometry, int out_channels, int64_t reduction, erg_demand *out);
void erg_demand_join(const erg_geometry *geometry, const erg_mapping *mapping, uint64_t input_once, erg_demand *channels);
/** Reads and writes of every level but the array side, from a demand: fills `activity`, decides residency. */
void erg_levels_traffic(const erg_arch *arch, const erg_demand *demand, erg_mapping *mapping, erg_activity *activity);

#endif
