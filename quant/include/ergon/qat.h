/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file qat.h
 *  Quantization-aware training: the forward pass gives the integers of the golden kernels to the last bit, the backward
 *  pass pretends that rounding is not there. Included by quant.h.
 *
 *  Tensors on the tape are real numbers that lie on their grids, so a convolution in double gives the accumulator times
 *  s_x s_w[k], from which the epilogue takes the integer back; it then adds the integer bias, requantizes by rule S and
 *  clamps in integers of its own (no golden kernel is called), and hands on s_y (q - z_y). A test holds every tensor
 *  against the golden kernels' codes. */
#ifndef ERGON_QAT_H
#define ERGON_QAT_H

#include "ergon/quantized.h"
#include "ergon/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What goes backward through roundings.
 *  - STE (straight-through estimator, Bengio et al., arXiv:1308.3432): the derivative of the real function inside a
 *    clamp's range, 0 beyond; gates have their smooth derivative.
 *  - IDENTITY: 1 everywhere; neither clamps nor gates have a derivative.
 *  - ZERO: the true derivative of a rounding. Hidden layers learn nothing, the last one does: a floor to compare with. */
typedef enum { ERG_QAT_STE, ERG_QAT_IDENTITY, ERG_QAT_ZERO, ERG_QAT_COUNT } erg_qat_rule;
extern const char *const erg_qat_names[]; /**< "ste", "identity", "zero"; NULL at the end */

typedef struct erg_qat erg_qat;

/** Everything but `out` must outlive it. Grids are calibrated on the weights as they are before each epoch; scales of
 *  weights are made anew in every step. Batch norms are folded with their running statistics, which stay.
 *  ERG_ERR_UNSUPPORTED names every pass that cannot be trained so: norms, products of maps, floating formats, unfolded
 *  batch norms. */
erg_status erg_qat_open(const erg_graph *graph, const erg_weights *weights, const erg_dataset *calibration,
                        const erg_quantize_options *options, erg_qat_rule rule, erg_qat **out, erg_error *error);
void erg_qat_close(erg_qat *qat); /**< NULL is nothing */
/** For erg_train_options.model. */
const erg_train_model *erg_qat_model(const erg_qat *qat);
/** The integers of the last forward. */
const erg_quantized *erg_qat_quantized(const erg_qat *qat);
/** `variables` [node_count] receives the variable of every stored node, -1 of the others; or NULL. */
erg_status erg_qat_forward(erg_qat *qat, erg_tape *tape, const erg_weights *weights, const erg_weights *gradients,
                           const double *inputs, int count, int *variables, int *output, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
