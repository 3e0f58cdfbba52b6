/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include "step_report.h"
#include <errno.h>
#include <string.h>

static erg_status write_files(const erg_cli *cli, const erg_result *results, int count, erg_error *error) {
  json_t *json = erg_run_json(cli, results, count);
  erg_status status = erg_write_json(json, cli->out, "run.json", error);
  json_decref(json);
  if (status != ERG_OK) return status;
  char path[4096];
  snprintf(path, sizeof path, "%s/layers.csv", cli->out);
  FILE *stream = fopen(path, "w");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  erg_print_csv(results, count, stream);
  bool failed = ferror(stream) != 0;
  failed |= fclose(stream) != 0;
  if (failed) return erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
  fprintf(stderr, "wrote %s/run.json, %s/layers.csv\n", cli->out, cli->out);
  return ERG_OK;
}

static void print_tables(const erg_cli *cli, const erg_inputs *inputs, const erg_result *results, int count) {
  erg_print_header(cli, inputs, stdout);
  fputc('\n', stdout);
  erg_print_points(results, count, stdout);
  for (int i = 0; i < count && cli->explain_fusion; i++) erg_print_notes(&results[i], stdout);
  for (int i = 0; i < count && (count == 1 || cli->layers); i++) erg_print_layers(&results[i], stdout);
  for (int i = 0; i < count; i++) erg_print_toggles(&results[i], stdout);
  /* Two precisions ask for a comparison; more are read off the table of points. */
  for (int f = 0; f < cli->fusion_count && cli->precision_count == 2; f++)
    erg_print_ratios(&results[f], &results[cli->fusion_count + f], stdout);
}

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"run", "WORKLOAD", "cycles, traffic and energy of a network", 1, run};
ERG_REGISTER(erg_command, command);

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_inputs inputs;
  erg_result results[MOST_LIST * MOST_LIST];
  erg_cli_parse(&command, ERG_OPTION_POINT | ERG_OPTION_RUN | ERG_OPTION_REPORT, 1, 1, argc, argv, &cli);
  erg_status status = ERG_OK;
  if (cli.training) {
    status = erg_cli_run_training(&cli, error);
    goto out;
  }
  if (cli.activity && cli.model != ERG_MODEL_RTL)
    status = erg_fail(error, ERG_ERR_USAGE, "run: --activity counts in the Verilated array; add --model rtl");
  if (status == ERG_OK) status = erg_inputs_load(&cli, cli.arguments[0], &inputs, error);
  if (status != ERG_OK) goto out;
  if (cli.out) status = erg_make_folder(cli.out, error); /* before minutes of work, not after */
  if (status != ERG_OK) {
    erg_inputs_free(&inputs);
    goto out;
  }
  int count = cli.precision_count * cli.fusion_count;
  status = erg_cli_run(&cli, &inputs, results, error);
  if (status == ERG_OK) {
    if (cli.json) {
      json_t *json = erg_run_json(&cli, results, count);
      json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
      fputc('\n', stdout);
      json_decref(json);
    } else if (cli.csv) {
      erg_print_csv(results, count, stdout);
    } else {
      print_tables(&cli, &inputs, results, count);
    }
    for (int i = 0; i < count && cli.certify && status == ERG_OK; i++)
      status = erg_print_certificates(&results[i], stdout, error);
    if (cli.out && status == ERG_OK) status = write_files(&cli, results, count, error);
    for (int i = 0; i < count; i++) erg_result_free(&results[i]);
  }
  erg_inputs_free(&inputs);
out:
  erg_cli_free(&cli);
  return status;
}
