/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file quantized.h
 *  A network in integers: widths of every layer, grids of every tensor, codes of every weight. Made from trained weights
 *  and calibrated ranges; run by the golden kernels or by the Verilated array. Included by quant.h. */
#ifndef ERGON_QUANTIZED_H
#define ERGON_QUANTIZED_H

#include "ergon/data.h"
#include "ergon/sim.h"
#include "ergon/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How real numbers are held as codes: real = (q - zero_point) * scale, q in [-2^(bits-1), 2^(bits-1) - 1]. */
typedef struct {
  int bits; /**< 2..16 */
  double scale;
  int32_t zero_point;
} erg_grid;

typedef enum { ERG_CALIBRATE_MIN_MAX, ERG_CALIBRATE_PERCENTILE, ERG_CALIBRATE_MSE } erg_calibration_method;

/** Ranges that the tensors took in float: [node_count] of each, by node. */
typedef struct {
  double low, high;     /**< after the method: what the grid spans (0 is always inside) */
} erg_range;

typedef struct {
  erg_precision precision;         /**< of layers without an entry */
  const erg_precision *layers;     /**< [node_count] by array node, or NULL: all the same */
  bool per_tensor;                 /**< one weight scale a layer instead of one a channel */
  bool weights_min_max;            /**< weight scales from the largest magnitude instead of the least squared error */
  bool fold;                       /**< batch norms into weights before they are quantized (default of the program) */
} erg_quantize_options;

/** One array pass of the plan in integers. */
typedef struct {
  int pass;                 /**< of the plan */
  int weight_bits;
  const double *weight_real;  /**< [K, R, S, C/groups] after folding */
  const double *bias_real;    /**< [K] after folding */
  double *weight_scale;     /**< [K] */
  erg_grid input, output, residual;
  erg_synth_layer codes;    /**< weights, bias, multipliers, zero point, clamp limits, residual */
} erg_quantized_layer;

typedef struct {
  erg_arena arena;
  const erg_graph *graph;
  erg_plan plan;            /**< fusion `epilogue` */
  erg_grid *grids;          /**< [node_count] of the tensors that exist in memory */
  erg_quantized_layer *layers; /**< [plan.pass_count]; vector passes keep the grids alone */
} erg_quantized;

#ifdef __cplusplus
}
#endif
#endif
