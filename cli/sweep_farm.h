/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `ergon sweep submit | reconcile`, and what `status` says of a farm. */
#ifndef ERGON_CLI_SWEEP_FARM_H
#define ERGON_CLI_SWEEP_FARM_H
#include "command.h"
#include <jansson.h>

erg_status erg_sweep_need_store(const erg_cli *cli, erg_error *error); /* cmd_sweep.c */
erg_status erg_sweep_submit(const erg_cli *cli, erg_error *error);
erg_status erg_sweep_reconcile(const erg_cli *cli, erg_error *error);
/* Behind the counts of the store, where something was submitted for it: a line, or with --json `farm` in `document`
 * (else null there). */
erg_status erg_farm_show_status(const erg_cli *cli, json_t *document, erg_error *error);
#endif
