/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file eval_report.h
 *  What `ergon eval` found, for people and as JSON. */
#ifndef ERGON_CLI_EVAL_REPORT_H
#define ERGON_CLI_EVAL_REPORT_H
#include "command.h"
#include "ergon/quant.h"

/** A row: one precision. */
typedef struct {
  const char *name;
  const erg_widths *widths; /**< of a plan; NULL: one precision for all layers */
  bool skipped;
  char *reason;            /**< why it was skipped */
  erg_quantized quantized;
  erg_evaluation evaluation;
} erg_eval_row;

typedef struct {
  const erg_cli *cli;
  const erg_point *machine;
  const erg_graph *graph;
  const erg_dataset *test;
  int calibration_examples;
  int equalized;           /**< pairs; -1: not asked for */
  erg_evaluation reference;
  erg_eval_row *rows;
  int row_count;
} erg_eval;

void erg_eval_print(const erg_eval *eval, FILE *stream);
json_t *erg_eval_json(const erg_eval *eval);
#endif
