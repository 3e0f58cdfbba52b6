/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file sens.h
 *  What narrower weights of one layer do to the loss: predictions from curvature, and the measurement. Included by
 *  quant.h.
 *
 *  delta = Q(w) - w of a layer's weights (weight_grid.c, a scale a channel). Near a minimum the loss rises by
 *  1/2 delta' H delta; `slope`, |g delta|, says how near the minimum is. */
#ifndef ERGON_SENS_H
#define ERGON_SENS_H

#include "ergon/quantized.h"
#include "ergon/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  ERG_SENS_QUAD,       /**< exact in the layer: (L(w + delta) + L(w - delta) - 2 L(w)) / 2, no Hessian needed */
  ERG_SENS_HUTCHINSON, /**< 1/2 sum h_i delta_i^2, h = mean of z (H z) over probes z = +-1 (M. F. Hutchinson 1989), entries
                        *   below 0 clipped: with few probes they are noise, and would reward narrow weights */
  ERG_SENS_TRACE,      /**< 1/2 mean(h) ||delta||^2, signed h (Z. Dong et al., HAWQ-V2, NeurIPS 2020), below 0: 0 */
  ERG_SENS_FISHER,     /**< 1/2 sum F_i delta_i^2, F the true Fisher diagonal: labels drawn from the model itself */
  ERG_SENS_NORM,       /**< ||delta||^2: the control without curvature, in no unit of loss */
  ERG_SENS_SCAN,       /**< measured: integer kernels, this layer narrowed, all others at the widest */
  ERG_SENS_COUNT
} erg_sens_estimator;
extern const char *const erg_sens_names[]; /**< "quad", "hutchinson", "trace", "fisher", "norm", "scan"; NULL at the end */

typedef struct {
  const int *bits;          /**< weight widths, ascending, 2..16 */
  int count;                /**< 1..15 */
  int probes;               /**< of Hutchinson's; >= 1 */
  uint64_t seed;            /**< of probes and drawn labels */
  erg_precision base;       /**< scan: activations */
  erg_calibration_method calibration; /**< scan */
  unsigned skip;            /**< 1 << estimator: left out, its losses stay 0 */
} erg_sens_options;

typedef struct {
  erg_arena arena;
  int layers, options;
  int *nodes;                    /**< [layers] array nodes, ascending */
  double *loss[ERG_SENS_COUNT];  /**< [layers * options] increases in nat (NORM: in weight units squared) */
  double *slope;                 /**< [layers * options] |g delta| */
  double float_loss, scan_loss;  /**< mean cross entropy of the float weights; of integers with all layers at the widest */
  double trace_mean[64];         /**< by layer, the first 64: mean of h, signed */
} erg_sens;

/** On all examples of `data`, never those that plans are judged on. Hz is a central difference of gradients at a step of a
 *  layer's own quantization step (at the middle width): at small steps the kinks of ReLUs are all that one sees. ERG_ERR_USAGE
 *  (options), ERG_ERR_UNSUPPORTED (an operator without gradient), ERG_ERR_DATA. */
erg_status erg_sens_measure(const erg_graph *graph, const erg_weights *weights, const erg_calibration *calibration,
                            const erg_dataset *data, const erg_sens_options *options, erg_sens *out, erg_error *error);
void erg_sens_free(erg_sens *sens);

/** Largest over smallest sensitivity per joule of the layers: loss at `option` over the energy of a bit more there
 *  (energy_pj [layers * options]). Within 4 a bit more is worth the same everywhere: no plan beats a uniform one.
 *  Layers whose loss or energy does not fall so are left out; NAN where fewer than two remain. */
double erg_sens_spread(const erg_sens *sens, erg_sens_estimator estimator, int option, const double *energy_pj);

#ifdef __cplusplus
}
#endif
#endif
