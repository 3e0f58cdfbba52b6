/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file sens_report.h
 *  What `ergon sens` and `ergon assign` share: inputs, the table of sensitivities, energies by layer. */
#ifndef ERGON_CLI_SENS_REPORT_H
#define ERGON_CLI_SENS_REPORT_H
#include "command.h"
#include "ergon/quant.h"

typedef struct {
  const erg_cli *cli;
  erg_inputs machine;        /**< the network at batch 1 */
  erg_point point;           /**< over `machine` */
  erg_graph graph;           /**< the same network, some examples at a time */
  erg_weights weights;
  erg_dataset train, test, calibration_data;
  erg_calibration calibration;
  erg_energy_table energies; /**< on hardware of the widest width */
  erg_sens sens;
} erg_sens_job;

/** Loads, calibrates and prices; `energies` are empty where the machine covers no width (`reason` says why). */
erg_status erg_sens_open(const erg_cli *cli, erg_sens_job *job, erg_error *error);
/** Sensitivities by the estimators that are not in `skip` (1 << estimator). */
erg_status erg_sens_run(erg_sens_job *job, unsigned skip, erg_error *error);
void erg_sens_close(erg_sens_job *job);
/** The spread first, then a table an estimator. */
void erg_sens_print(const erg_sens_job *job, unsigned skip, FILE *stream);
/** {"layers": [...], ...} of ergon.sens, into `envelope`. */
void erg_sens_json(const erg_sens_job *job, unsigned skip, json_t *envelope);
/** Option at which sensitivities are compared across layers: 4 bits, or the middle one. */
int erg_sens_reference(const erg_cli *cli);
#endif
