/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: what training and scoring share. */
#ifndef ERGON_QUANT_TRAIN_SHARED_H
#define ERGON_QUANT_TRAIN_SHARED_H
#include "ergon/train.h"

/* The network on the tape, in float or as `model` has it. */
erg_status erg_train_forward(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                             const erg_weights *gradients, const erg_train_model *model, const double *inputs, int count,
                             bool training, int *output, erg_error *error);
/* All faults of a training job at once, before its first step. */
erg_status erg_train_check(const erg_graph *graph, const erg_dataset *train, const erg_dataset *test,
                           const erg_train_options *options, erg_error *error);
#endif
