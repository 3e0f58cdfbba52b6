/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What studies share: a network, its data and its calibration, trained and judged on the integer kernels. */
#ifndef ERGON_QUANT_STUDIES_LAB_H
#define ERGON_QUANT_STUDIES_LAB_H

#include "ergon/qat.h"
#include "ergon/quantized.h"
#include "ergon/train.h"

#define LAB_BATCH 20 /* divides the usual 500, 1200 and 2000 examples */

typedef struct {
  erg_graph graph;  /* at the batch of evaluations */
  erg_dataset train, calibration, test;
  uint64_t seed;
} lab;

/* The calibration set is the first examples of the training set: no further data are spent. */
erg_status lab_open(const char *net, const char *data, uint64_t seed, lab *out, erg_error *error);
void lab_close(lab *l);

/* The node of that name; ERG_ERR_DATA: there is none. */
erg_status lab_node(const erg_graph *graph, const char *name, int *node, erg_error *error);
/* Weights from the seed's initialization, trained; `options.seed` is set here. */
erg_status lab_train(const lab *l, erg_train_options options, erg_weights *out, erg_error *error);
/* Accuracy and loss on `data` through the integer kernels; ranges are calibrated on the weights as they are. */
erg_status lab_judge(const lab *l, const erg_weights *weights, const erg_quantize_options *options,
                     const erg_dataset *data, erg_score *out, erg_error *error);
/* The same where the ranges are known. */
erg_status lab_judge_calibrated(const lab *l, const erg_weights *weights, const erg_calibration *calibration,
                                const erg_quantize_options *options, const erg_dataset *data, erg_score *out,
                                erg_error *error);
/* In float. */
erg_status lab_judge_float(const lab *l, const erg_weights *weights, const erg_dataset *data, erg_score *out,
                           erg_error *error);

#endif
