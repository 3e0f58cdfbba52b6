/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `ergon run WORKLOAD --training`: what a training step costs, by part, precision and node. */
#ifndef ERGON_CLI_STEP_REPORT_H
#define ERGON_CLI_STEP_REPORT_H

#include "command.h"

/** Loads, counts and prints. ERG_ERR_USAGE: options that a training step has no use for. */
erg_status erg_cli_run_training(const erg_cli *cli, erg_error *error);

#endif
