/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {
    "verify", "WORKLOAD", "every layer through the Verilated array, against the golden kernel (RTL against C)", 2, run};
ERG_REGISTER(erg_command, command);

static void print_header(const erg_cli *cli, const erg_inputs *inputs) {
  char precision[32];
  printf("%s: %d x %d Verilated array (arch %s), precision %s, fusion %s, dataflow %s, model rtl, batch %d, seed %llu; "
         "synthetic "
         "weights, "
         "calibrated, not trained\n",
         inputs->graph.name, (int)inputs->arch.rows, (int)inputs->arch.cols, inputs->arch.name,
         erg_precision_name(&cli->precisions[0], precision), erg_fusion_names[cli->fusions[0]],
         erg_dataflow_names[cli->dataflow], cli->batch, (unsigned long long)cli->seed);
  if (cli->mutant) printf("The array is the mutant %s: deliberately wrong.\n", cli->mutant);
  if (cli->gap_probability > 0) printf("Each operand is withheld with probability %g a cycle.\n", cli->gap_probability);
  erg_print_overrides(cli, stdout);
  putchar('\n');
}

static erg_status report(const erg_cli *cli, const erg_inputs *inputs, const erg_verify_result *result,
                         erg_error *error) {
  erg_point point = erg_cli_point(cli, inputs, 0);
  json_t *json = erg_envelope_json("ergon.verify", cli->command_line, &point);
  erg_verify_json(result, json);
  erg_status status = ERG_OK;
  if (cli->json) {
    json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
  } else {
    print_header(cli, inputs);
    erg_print_ledger(result, stdout);
  }
  if (cli->out) {
    status = erg_write_json(json, cli->out, "verify.json", error);
    if (status == ERG_OK) fprintf(stderr, "wrote %s/verify.json\n", cli->out);
  }
  json_decref(json);
  return status;
}

static erg_status check_line(const erg_cli *cli, erg_error *error) {
  if (cli->precision_count > 1 || cli->fusion_count > 1)
    return erg_fail(error, ERG_ERR_USAGE, "verify takes one precision and one fusion");
  if (cli->model_given && cli->model != ERG_MODEL_RTL)
    return erg_fail(error, ERG_ERR_USAGE, "verify: --model: found %s; allowed: rtl (`ergon run --model %s` runs that)",
                    erg_model_names[cli->model], erg_model_names[cli->model]);
  return cli->out ? erg_make_folder(cli->out, error) : ERG_OK; /* before minutes of work, not after */
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_inputs inputs;
  erg_verify_result result = {0};
  erg_cli_parse(&command, ERG_OPTION_POINT | ERG_OPTION_REPORT | ERG_OPTION_VERIFY, 1, 1, argc, argv, &cli);
  erg_status status = check_line(&cli, error);
  if (status == ERG_OK) status = erg_inputs_load(&cli, cli.arguments[0], &inputs, error);
  if (status == ERG_OK) {
    erg_point point = erg_cli_point(&cli, &inputs, 0);
    erg_verify_options options = {.mutant = cli.mutant, .gap_probability = cli.gap_probability, .quiet = cli.quiet};
    status = erg_verify(&point, &options, &result, error);
    if (result.row_count) { /* the ledger is printed whatever it says */
      erg_status written = report(&cli, &inputs, &result, error);
      if (status == ERG_OK) status = written;
    }
    erg_verify_result_free(&result);
    erg_inputs_free(&inputs);
  }
  erg_cli_free(&cli);
  return status;
}
