/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file gemm.h
 *  A Verilated array alone, without the machine around it: one matrix product with its epilogue, cut into m-tiles, fed
 *  operand by operand and compared with the golden kernel. Any array behind erg_rtl_open, Ergon's or a foreign one. */
#ifndef ERGON_GEMM_H
#define ERGON_GEMM_H

#include "ergon/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y[m][n] = epilogue(sum over k of a[m][k] w[n][k]). Codes fit the precision; zero points of inputs are in the bias. */
typedef struct {
  int m, n, k;
  int tile_count;
  const int *tile_rows; /**< [tile_count], each 1..accumulator_depth; they sum to m */
  int16_t *a, *w;       /**< [m, k], [n, k] */
  int16_t *residual;    /**< [m, n], or NULL: then layer.residual is false */
  int64_t *bias;        /**< [n] */
  erg_requant *scale;   /**< [n] */
  erg_requant residual_scale;
  erg_rtl_layer layer;
  erg_rule rule;        /**< of the golden side; the array is built for it */
  erg_dataflow dataflow; /**< ws or os: of the array driven */
  int products;          /**< of a scalable cell (erg_arch_products), whose slices are in `layer`; 0: none */
} erg_gemm;
/** What a point's array is: dataflow and products. */
void erg_gemm_array(const erg_point *point, erg_gemm *gemm);

/** Golden side: outputs [m, n] and, where not NULL, the sums before requantization, bias added, wrapped [m, n]. */
erg_status erg_gemm_golden(const erg_gemm *gemm, int accumulator_bits, int16_t *output, int64_t *sums,
                           erg_error *error);

/** One run: what the caller wants, and what came out. */
typedef struct {
  double gap_probability; /**< operands are withheld at random */
  uint64_t gap_seed;
  int accumulator_bits; /**< of the array; 0: 32 */
  int64_t watch;    /**< index of an output to watch, or -1 */
  int16_t *output;  /**< [m, n], filled */
  uint64_t cycles, gap_cycles;
  uint64_t watch_edge; /**< clock edge, counted from the reset, at which the watched row left */
  bool watch_has_sum;  /**< the array shows its sums */
  int64_t watch_sum;
} erg_gemm_run;

/** Drives `rows` x `cols` columns until every row has come. ERG_ERR_MISMATCH when the array hangs (1,048,576 edges
 *  without a beat), gives other than m rows a column of tiles, or breaks its contract; the text says how far it came. */
erg_status erg_gemm_drive(erg_rtl *rtl, int rows, int cols, const erg_gemm *gemm, erg_gemm_run *run, erg_error *error);

/** Length of every fold (ws: its M; os: K) in the order they are run, *count of them: for the formulas. NULL when memory
 *  ran out. */
int *erg_gemm_folds(erg_arena *arena, int rows, int cols, const erg_gemm *gemm, int *count);

#ifdef __cplusplus
}
#endif
#endif
