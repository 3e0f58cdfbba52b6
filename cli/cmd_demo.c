/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The main job: what ResNet-50 costs at each precision and fusion choice, and ResNet-18 through the Verilated array. */
#include "command.h"
#include "ergon/plots.h"

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"demo", "", "the main job: ResNet-50 in joules, ResNet-18 in RTL", 6, run};
ERG_REGISTER(erg_command, command);

static erg_status energies(erg_cli *cli, const char *folder, erg_error *error) {
  static const char *const precisions[] = {"fp32", "fp16", "int16", "int8", "int4"};
  static const erg_fusion fusions[] = {ERG_FUSION_NONE, ERG_FUSION_FOLD, ERG_FUSION_EPILOGUE};
  erg_result results[ERG_COUNT_OF(precisions) * ERG_COUNT_OF(fusions)];
  erg_inputs inputs;
  cli->precision_count = (int)ERG_COUNT_OF(precisions);
  for (size_t i = 0; i < ERG_COUNT_OF(precisions); i++) erg_precision_parse(precisions[i], &cli->precisions[i], NULL);
  cli->fusion_count = (int)ERG_COUNT_OF(fusions);
  for (size_t i = 0; i < ERG_COUNT_OF(fusions); i++) cli->fusions[i] = fusions[i];
  erg_status status = erg_inputs_load(cli, "resnet50", &inputs, error);
  if (status != ERG_OK) return status;
  int count = cli->precision_count * cli->fusion_count;
  status = erg_cli_run(cli, &inputs, results, error);
  if (status == ERG_OK) {
    erg_print_header(cli, &inputs, stdout);
    fputc('\n', stdout);
    erg_print_points(results, count, stdout);
    json_t *json = erg_run_json(cli, results, count);
    status = erg_write_json(json, folder, "run.json", error);
    fputc('\n', stdout);
    if (status == ERG_OK) status = erg_plot_draw("energy", json, folder, stdout, error);
    if (status == ERG_OK) status = erg_plot_draw("energy-relative", json, folder, stdout, error);
    json_decref(json);
    for (int i = 0; i < count; i++) erg_result_free(&results[i]);
  }
  erg_inputs_free(&inputs);
  return status;
}

static erg_status agreement(erg_cli *cli, const char *folder, erg_error *error) {
  erg_inputs inputs;
  erg_verify_result result = {0};
  cli->precision_count = cli->fusion_count = 1;
  cli->fusions[0] = ERG_FUSION_EPILOGUE;
  erg_precision_parse("int8", &cli->precisions[0], NULL);
  erg_status status = erg_inputs_load(cli, "resnet18", &inputs, error);
  if (status != ERG_OK) return status;
  erg_point point = erg_cli_point(cli, &inputs, 0);
  erg_verify_options options = {.quiet = cli->quiet};
  fprintf(stdout,
          "\nresnet18 at int8 through SystemC with the Verilated 16 x 16 array (synthetic weights, calibrated):\n\n");
  fflush(stdout);
  status = erg_verify(&point, &options, &result, error);
  if (result.row_count) erg_print_ledger(&result, stdout);
  json_t *json = erg_envelope_json("ergon.verify", cli->command_line, &point);
  erg_verify_json(&result, json);
  erg_status written = erg_write_json(json, folder, "verify.json", error);
  json_decref(json);
  erg_verify_result_free(&result);
  erg_inputs_free(&inputs);
  return status == ERG_OK ? written : status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_cli_parse(&command, ERG_OPTION_PLOT, 0, 0, argc, argv, &cli);
  const char *folder = cli.out ? cli.out : "demo";
  erg_status status = erg_make_folder(folder, error);
  if (status == ERG_OK) status = energies(&cli, folder, error);
  if (status == ERG_OK) status = agreement(&cli, folder, error);
  erg_cli_free(&cli);
  return status;
}
