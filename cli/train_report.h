/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file train_report.h
 *  What `ergon train` did, for people and as JSON. */
#ifndef ERGON_CLI_TRAIN_REPORT_H
#define ERGON_CLI_TRAIN_REPORT_H
#include "command.h"
#include "ergon/quant.h"

/** The second part: trained on in integers. */
typedef struct {
  erg_train_result result;
  erg_evaluation before, after; /**< test examples on the golden kernels: rounded afterwards, and trained */
  int calibration_examples;
  char precision[64];           /**< as `ergon eval` names it: a plan by its own name */
} erg_integer_training;

typedef struct {
  const erg_cli *cli;
  const erg_graph *graph;
  const erg_dataset *train, *test;
  const erg_weights *weights;
  const erg_train_result *result;
  const erg_integer_training *integer; /**< NULL: in float alone */
} erg_training;

void erg_training_print(const erg_training *training, FILE *stream);
json_t *erg_training_json(const erg_training *training);
#endif
