/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file confidence.h
 *  Whether probabilities mean what they say: calibration errors of logits, and the temperature that mends them. Included
 *  by quant.h. */
#ifndef ERGON_CONFIDENCE_H
#define ERGON_CONFIDENCE_H

#include "ergon/quantized.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ERG_CONFIDENCE_BINS 15

/** Labels whose largest probability lies in (i / 15, (i + 1) / 15]. */
typedef struct {
  double share;      /**< of all labels */
  double confidence; /**< mean largest probability; NAN where there are none */
  double accuracy;   /**< mean score; NAN where there are none */
} erg_confidence_bin;

typedef struct {
  double accuracy;   /**< a tie of n largest logits with the label among them scores 1/n */
  double nll_nat;    /**< mean negative log-likelihood of the label */
  double confidence; /**< mean largest probability */
  double ece;        /**< expected calibration error, sum over bins of share |accuracy - confidence| (Naeini et al., AAAI
                      *   2015, in the form of Guo et al., arXiv:1706.04599); biased upwards by about
                      *   sqrt(bins / labels) */
  erg_confidence_bin bins[ERG_CONFIDENCE_BINS];
} erg_confidence;

/** Of softmax(logits), [rows, classes]; labels [rows] in 0 .. classes-1; rows >= 1. */
erg_confidence erg_confidence_of(const double *logits, int64_t rows, int classes, const int *labels);
/** The T in [0.05, 20] for which logits / T have the least negative log-likelihood (Guo et al.). ERG_ERR_DATA: the
 *  likelihood has no minimum inside, because all labels are right or none carries information. */
erg_status erg_temperature_fit(const double *logits, int64_t rows, int classes, const int *labels, double *temperature,
                               erg_error *error);

/** The logits of a whole data set in order, [count * labels_each, classes]. Errors as erg_evaluate_float's. */
erg_status erg_logits_float(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data, double *logits,
                            erg_error *error);
/** The same of integer kernels, as real numbers; `machine` as erg_integer_open's. */
erg_status erg_logits_integer(const erg_quantized *quantized, const erg_dataset *data, erg_integer_model model,
                              const erg_integer_machine *machine, double *logits, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
