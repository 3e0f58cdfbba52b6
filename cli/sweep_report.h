/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `ergon sweep` prints. */
#ifndef ERGON_CLI_SWEEP_REPORT_H
#define ERGON_CLI_SWEEP_REPORT_H
#include "command.h"
#include "ergon/sweep.h"

void erg_print_sweep(const erg_cli *cli, const erg_sweep *sweep, FILE *stream);
void erg_print_pool(const erg_cli *cli, const erg_sweep *sweep, const erg_pool_report *report, FILE *stream);
erg_status erg_sweep_status(const erg_cli *cli, erg_store *store, erg_error *error);
erg_status erg_sweep_query(const erg_cli *cli, erg_store *store, erg_error *error);
erg_status erg_sweep_export(const erg_cli *cli, erg_store *store, erg_error *error);
erg_status erg_sweep_price(const erg_cli *cli, erg_store *store, erg_error *error);
/* {"schema": "ergon.sweep", ...} of the rows that --where chooses. */
erg_status erg_sweep_json(const erg_cli *cli, erg_store *store, json_t **out, erg_error *error);
#endif
