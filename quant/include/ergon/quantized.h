/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file quantized.h
 *  A network in integers: widths of every layer, grids of every tensor, codes of every weight. Made from trained weights
 *  and calibrated ranges; run by the golden kernels or by the Verilated array. Included by quant.h.
 *
 *  The way is calibrate -> quantize -> run -> evaluate; docs/accuracy-axis.md has the formulas. Tensors are those of a
 *  graph loaded at batch n, so a run takes n examples at a time. */
#ifndef ERGON_QUANTIZED_H
#define ERGON_QUANTIZED_H

#include "ergon/data.h"
#include "ergon/sim.h"
#include "ergon/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Epsilon of all norms: PyTorch's default. */
#define ERG_NORM_EPSILON 1e-5

/** How real numbers are held as codes: real = (q - zero_point) * scale, q in [-2^(bits-1), 2^(bits-1) - 1], bits 2..16.
 */
typedef erg_quantization erg_grid;

/** What a tensor spans; 0 is always inside. */
typedef struct { double low, high; } erg_range;

/** The grid of `bits` over a range: scale = (high - low) / (2^bits - 1), the zero point rounded to a code, so that real
 *  0 (padding, the ReLU's limit) is exact. A range of nothing gets scale 1, zero point 0. */
erg_grid erg_grid_over(erg_range range, int bits);
/** (q - zero_point) * scale. */
double erg_grid_real(erg_grid grid, int16_t code);

/* ---------------------------------------------------------------- the float reference (float_run.c) */

/** A graph in double precision: plain loops over NHWC, no code shared with the kernels. */
typedef struct erg_float_run erg_float_run;
/** `graph` and `weights` must outlive it; after a change of weights open another. ERG_ERR_DATA: a tensor is missing; not
 *  one input node. */
erg_status erg_float_open(const erg_graph *graph, const erg_weights *weights, erg_float_run **out, erg_error *error);
/** input [N, H, W, C] of the graph's input node. */
void erg_float_forward(erg_float_run *run, const double *input);
/** What the last forward left at a node, [erg_shape_elements(out)]. */
const double *erg_float_tensor(const erg_float_run *run, int node);
void erg_float_close(erg_float_run *run); /**< NULL is nothing */

/* ---------------------------------------------------------------- calibration (calibrate.c) */

typedef enum { ERG_CALIBRATE_MIN_MAX, ERG_CALIBRATE_PERCENTILE, ERG_CALIBRATE_MSE, ERG_CALIBRATE_COUNT } erg_calibration_method;
extern const char *const erg_calibration_names[]; /**< "min-max", "percentile", "mse"; NULL at the end */

/** What the tensors of a graph were over calibration examples. Extremes are exact; the sorted sample of a tensor with
 *  more than 2^16 values holds every n-th of them. */
typedef struct {
  erg_arena arena;
  int node_count;
  int examples;
  double *low, *high;     /**< [node_count] extremes */
  double **sample;        /**< [node_count] ascending */
  int64_t *sample_count;  /**< [node_count] */
} erg_calibration;

/** Runs every example of `data` in float. ERG_ERR_DATA: the set is empty or has another shape than the graph's input. */
erg_status erg_calibrate(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data,
                         erg_calibration *out, erg_error *error);
void erg_calibration_free(erg_calibration *calibration);
/** - MIN_MAX: the extremes. - PERCENTILE: `percent` (99.9) of the values lie at or below high, and at or above low. -
 *  MSE: of 64 proportional shrinkings of the extremes (by 1/64 each) the one whose grid of `bits` leaves the least
 *  squared error on the sample (of many values: its tails, and the interior by a part of it). */
erg_range erg_calibration_range(const erg_calibration *calibration, int node, erg_calibration_method method,
                                double percent, int bits);

/* ---------------------------------------------------------------- weight grids (weight_grid.c) */

typedef struct {
  bool per_tensor; /**< one scale a layer instead of one a channel */
  bool min_max;    /**< scales from the largest magnitude instead of the least squared error */
} erg_weight_grid;
/** Symmetric codes in [-(2^(bits-1)-1), 2^(bits-1)-1], bits 2..16, of weights [filters, reduction]; scale [filters], 0
 *  for weights that are all zero. Least squared error: of the scales 1.00, 0.95, .. 0.20 times the largest magnitude's the
 *  best; around it steps of 0.01, then of 0.002; then alternating (codes nearest to w/s; s = sum w q / sum q^2) while it
 *  improves. The error is rugged in the scale, so this is near the best there is (a test: within 6 %), not it.
 *  Deterministic. */
void erg_weight_scales(int filters, int64_t reduction, const double *weight, int bits, erg_weight_grid kind, double *scale);
/** code = clamp(rint(w / scale)), ties to even; 0 where the scale is 0. */
void erg_weight_codes(int filters, int64_t reduction, const double *weight, int bits, const double *scale, int16_t *codes);

/* ---------------------------------------------------------------- the quantized network (quantize.c) */

typedef struct {
  erg_precision precision;            /**< of layers without an entry, and of vector passes */
  const erg_precision *layers;        /**< [node_count] by array node, or NULL: all the same */
  erg_weight_grid weight_grid;
  erg_calibration_method calibration;
  double percent;                     /**< of PERCENTILE; 0: 99.9 */
  const char *gate_form;              /**< of gates that have a form of this name (erg_gate.forms): its unit's codes;
                                       *   NULL, and the other gates: the exact table */
  bool unfolded;                      /**< batch norms stay passes of their own (plan `none`) */
} erg_quantize_options;

/** The precision of an array node: the one place where it is looked up. */
erg_precision erg_quantize_precision(const erg_quantize_options *options, int node);

/** The mean of a whole map spans far less than the map, so it has a grid of its own (erg_global_avg_pool_s16). */
typedef struct {
  int accumulator_bits;     /**< 32 where any sum fits, else 48 */
  erg_requant_tensor scale; /**< s_x / (H W s_y), of the sum of a channel's map */
  erg_codes codes;
} erg_map_mean;

/** One pass of the plan in integers. Only what the pass's kind reads is set. */
typedef struct {
  int pass;               /**< of the plan */
  erg_precision precision;
  erg_grid input, output; /**< of the pass's kernel; with a gate behind an array `output` is the table's input */
  erg_grid residual;      /**< second operand of an epilogue, an add or a product */
  /* array passes */
  int64_t reduction;      /**< R S C/groups */
  double *weight_real;    /**< [K, R, S, C/groups] after folding */
  double *bias_real;      /**< [K] after folding, 0 where there is none */
  double *weight_scale;   /**< [K] */
  erg_synth_layer codes;  /**< weights, bias at input.scale * weight_scale, multipliers, limits, residual */
  /* gates, alone or behind an array: [2^table_bits] */
  int table_bits;
  int16_t *table;
  /* the other vector passes */
  int32_t low, high;      /**< clamps */
  erg_add_params add;
  erg_mul_params mul;
  erg_synth_norm norm;
  erg_batch_norm_params batch_norm;
  erg_map_mean map_mean;  /**< global_avg_pool */
} erg_quantized_layer;

typedef struct {
  erg_arena arena;
  const erg_graph *graph;
  erg_quantize_options options; /**< `layers` is a copy of its own */
  erg_plan plan;                /**< fusion `epilogue`; `none` where unfolded */
  bool *stored;                 /**< [node_count] whether the node's tensor exists in memory */
  erg_grid *grids;              /**< [node_count] of the stored ones */
  erg_quantized_layer *layers;  /**< [plan.pass_count] */
} erg_quantized;

/** Grids, codes, biases, multipliers of every pass. A tensor is as wide as the narrowest of its producer's output width
 *  and its readers' activation widths; window pools and clamps that are passes keep their input's grid. `graph` must
 *  outlive it. ERG_ERR_UNSUPPORTED: a floating format, an operator without integer kernel. ERG_ERR_DATA: weights missing, a
 *  variance + epsilon not above 0. */
erg_status erg_quantize(const erg_graph *graph, const erg_weights *weights, const erg_calibration *calibration,
                        const erg_quantize_options *options, erg_quantized *out, erg_error *error);
/** The same for changed weights: what depends on them is made anew in place (folding, scales, codes, biases,
 *  multipliers, affines of norms); grids of tensors stay. */
erg_status erg_quantized_refresh(erg_quantized *quantized, const erg_weights *weights, erg_error *error);
void erg_quantized_free(erg_quantized *quantized);

/* ---------------------------------------------------------------- running it (integer_run.c) */

/** FAST: the golden kernels' results by kernels/fast. GOLDEN: the plain loops. RTL: array passes through SystemC with
 *  the Verilated array, each output compared with the golden kernel's; other passes by golden kernels. */
typedef enum { ERG_INTEGER_FAST, ERG_INTEGER_GOLDEN, ERG_INTEGER_RTL, ERG_INTEGER_COUNT } erg_integer_model;
extern const char *const erg_integer_names[]; /**< "fast", "golden", "rtl"; NULL at the end */

/** Model RTL: the machine. The array is built for the widest layer. */
typedef struct {
  const erg_point *point; /**< its architecture, dataflow, seed */
  bool quiet;
  const char *mutant;     /**< tests: a deliberately wrong array, or NULL */
  double gap_probability; /**< random input gaps (tests) */
  erg_progress *progress; /**< in examples, of erg_evaluate by any model; NULL: none */
} erg_integer_machine;

typedef struct erg_integer_run erg_integer_run;
/** `machine` is read by RTL alone (but its progress), else NULL. `quantized` must outlive the run; after erg_quantized_refresh open another.
 *  Errors as erg_verify_open's. */
erg_status erg_integer_open(const erg_quantized *quantized, erg_integer_model model, const erg_integer_machine *machine,
                            erg_integer_run **out, erg_error *error);
/** input [N, H, W, C] in real numbers; they are rounded to the input's grid. */
erg_status erg_integer_forward(erg_integer_run *run, const double *input, erg_error *error);
/** What the last forward left at a stored node, or NULL. */
const int16_t *erg_integer_tensor(const erg_integer_run *run, int node);
/** RTL: outputs compared so far and how many differed. */
void erg_integer_checked(const erg_integer_run *run, uint64_t *outputs, uint64_t *mismatches);
void erg_integer_close(erg_integer_run *run); /**< NULL is nothing */

/* ---------------------------------------------------------------- judging it (evaluate.c) */

typedef struct {
  erg_arena arena;
  int examples;
  int64_t labels;       /**< examples x labels each */
  double accuracy;      /**< mean score; a tie of n logits with the label among them scores 1/n */
  double loss;          /**< mean cross entropy of the (dequantized) logits, nats */
  int64_t tied;         /**< labels whose largest logit is not alone */
  int node_count;
  /** [node_count] 10 log10(sum x^2 / sum (x - xq)^2) against float, over the first sqnr_examples: the float network takes
   *  far longer than the integer one. NAN: not stored or not asked. */
  double *sqnr_db;
  uint64_t checked_outputs, mismatches; /**< model RTL */
  int sqnr_examples;    /**< at most 128, or one batch */
} erg_evaluation;

/** Whether the network can be judged on it: ERG_ERR_DATA says which shapes do not fit, of the input or of the logits. */
erg_status erg_data_fits(const erg_graph *graph, const erg_dataset *data, erg_error *error);
/** The float graph over a data set. The logits are the last node's: [N, 1, 1, classes], or [N, H, W, classes] with a
 *  label a position. ERG_ERR_DATA: shapes that do not fit, an empty set. */
erg_status erg_evaluate_float(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data,
                              erg_evaluation *out, erg_error *error);
/** The integer network. `weights` NULL: no SQNR, and no float run. `machine` as erg_integer_open's. A mismatch of the RTL
 *  is counted, not an error. */
erg_status erg_evaluate(const erg_quantized *quantized, const erg_weights *weights, const erg_dataset *data,
                        erg_integer_model model, const erg_integer_machine *machine, erg_evaluation *out,
                        erg_error *error);
void erg_evaluation_free(erg_evaluation *evaluation);

/* ---------------------------------------------------------------- equalization (equalize.c) */

/** Cross-layer equalization (Nagel et al., ICCV 2019): where one array node's map goes, through nothing but a batch norm,
 *  ReLU, or pools, and to nobody else, to another array node, its channel i is divided by s_i = sqrt(r1_i / r2_i) and
 *  the reader's weights of that channel are multiplied by it, r the largest magnitudes of either's folded weights. The
 *  float function stays. Sweeps over all pairs until no s_i is off 1 by more than 1e-3, at most 40. `pairs` (may be
 *  NULL): how many there are. */
erg_status erg_equalize(const erg_graph *graph, erg_weights *weights, int *pairs, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
