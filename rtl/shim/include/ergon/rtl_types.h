/* SPDX-License-Identifier: Apache-2.0 */
/** \file rtl_types.h
 *  What a driver and a Verilated array say to each other; plain C, shared with the code compiled into each variant. */
#ifndef ERGON_RTL_TYPES_H
#define ERGON_RTL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/** Per-layer settings, constant while a layer runs (docs/model.md, the epilogue). */
typedef struct {
  int32_t zero_point;          /**< of the output */
  int32_t low, high;           /**< clamp, inclusive */
  bool residual;               /**< a residual row is requested for every output row */
  int32_t residual_zero_point;
  int32_t residual_multiplier; /**< [2^30, 2^31) or 0 */
  int32_t residual_t;          /**< 1..62 */
  /** Scalable array only: 0, 1, 2 for codes of 2, 4, 8 bits. Operands are then words: 16 >> (sum of both) codes of
   *  neighbours in K, the first in the lowest bits. */
  int weight_slices_log2, activation_slices_log2;
} erg_rtl_layer;

/** What the array asks for in the coming clock cycle. It freezes (one gap cycle) while anything asked is not given. */
typedef struct {
  bool weight;    /**< one row of `cols` weights (with `fold` when weight_row == 0) */
  int weight_row; /**< 0..rows-1: which row of the fold's weight tile */
  bool activation; /**< one row of `rows` activation codes: element i meets weight row i (output-stationary: one step of
                        `rows` pixels, the first in the last element; weights are asked for with it) */
  bool constants; /**< bias, multiplier and t of the `cols` columns of the n-tile now leaving the array */
  bool residual;  /**< one row of `cols` residual codes */
} erg_rtl_request;

/** Command of a fold, given with its weight row 0. */
typedef struct {
  int m_rows;   /**< activation rows streamed against these weights, 1..accumulator_depth */
  bool k_first; /**< partial sums start at 0 */
  bool k_last;  /**< sums go to the epilogue instead of back to the accumulator memory */
  bool last;    /**< last fold of the layer */
  int k_steps;  /**< output-stationary only: K, the same in all folds of a layer; m_rows are then pixels, 1..rows */
} erg_rtl_fold;

/** What the driver gives in the coming cycle: NULL = not valid (a gap if asked for). Elements are int32 codes. */
typedef struct {
  const int32_t *weights;     /**< [cols] */
  const erg_rtl_fold *fold;   /**< with weight row 0 */
  const int32_t *activations; /**< [rows] */
  const int64_t *bias;            /**< [cols]; all three or none */
  const int32_t *multiplier, *t;  /**< [cols]: sums leave as (x*m + 2^(t-1)) >> t (erg_requant_hardware) */
  const int32_t *residuals;   /**< [cols] */
} erg_rtl_supply;

/** Bits of the cells' registers that changed their value, over all cells and clock edges since the start of a layer.
 *  Registers keep codes of the widths built: a working and a shadow weight (output-stationary: a sum that
 *  drains), an activation, a partial sum. */
typedef struct { uint64_t weight, shadow, activation, partial_sum; } erg_rtl_toggles;

#endif
