/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sens_report.h"

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {
    "sens", "WORKLOAD", "what narrower weights of each layer do to the loss: predicted and measured", 4, run};
ERG_REGISTER(erg_command, command);

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_sens_job job;
  erg_cli_parse(&command, ERG_OPTION_SENS | ERG_OPTION_JSON, 1, 1, argc, argv, &cli);
  erg_status status = erg_sens_open(&cli, &job, error);
  if (status == ERG_OK) status = erg_sens_run(&job, 0, error);
  if (status == ERG_OK && cli.json) {
    json_t *json = erg_envelope_json("ergon.sens", cli.command_line, &job.point);
    erg_sens_json(&job, 0, json);
    json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(json);
  } else if (status == ERG_OK) {
    erg_sens_print(&job, 0, stdout);
  }
  erg_sens_close(&job);
  erg_cli_free(&cli);
  return status;
}
