/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "eval_report.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"eval", "WORKLOAD",
                                    "accuracy of trained weights at every precision, by the integer kernels that check "
                                    "the array, or by the array itself",
                                    4, run};
ERG_REGISTER(erg_command, command);

#define BATCH 8                  /* examples a pass takes at a time */
#define CALIBRATION_EXAMPLES 256 /* at most: ranges move little beyond */

/* What a line names, loaded. */
typedef struct {
  erg_graph graph;
  erg_arch arch;
  erg_weights weights;
  erg_dataset calibration, test;
  erg_widths widths[MOST_LIST]; /* of precisions that are plans */
} inputs;

static void free_inputs(inputs *in) {
  erg_dataset_free(&in->test);
  erg_dataset_free(&in->calibration);
  erg_weights_free(&in->weights);
  erg_arch_free(&in->arch);
  erg_graph_free(&in->graph);
  for (int i = 0; i < MOST_LIST; i++) erg_widths_free(&in->widths[i]);
}

static erg_status check_line(const erg_cli *cli, erg_error *error) {
  if (!cli->weights) erg_fail(error, ERG_ERR_USAGE, "eval: --weights FILE is missing: trained weights (safetensors)");
  if (!cli->data) erg_fail(error, ERG_ERR_USAGE, "eval: --data NAME|DIR is missing: what the network is judged on");
  if (cli->tech_set_count) erg_fail(error, ERG_ERR_USAGE, "eval: --set tech.*: no technology is read here");
  return error->status;
}

/* Every file is tried, so that all faults come at once. */
static erg_status load(const erg_cli *cli, inputs *in, erg_error *error) {
  erg_graph_load(cli->arguments[0], BATCH, cli->workload_sets, cli->workload_set_count, &in->graph, error);
  erg_arch_load(cli->arch, cli->arch_sets, cli->arch_set_count, &in->arch, error);
  if (in->graph.name) erg_weights_read(cli->weights, &in->graph, &in->weights, error);
  for (int i = 0; i < cli->precision_count && in->graph.name; i++)
    if (cli->precision_files[i]) erg_widths_load(cli->precision_files[i], &in->graph, &in->widths[i], error);
  erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_TEST, cli->examples, &in->test, error);
  erg_status status = erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_CALIBRATION, 0, &in->calibration,
                                       in->test.name ? error : NULL); /* its fault has been told */
  if (status == ERG_OK && in->calibration.count > CALIBRATION_EXAMPLES) in->calibration.count = CALIBRATION_EXAMPLES;
  return error->status;
}

static erg_status evaluate_row(erg_eval *eval, const inputs *in, const erg_calibration *calibration, int index,
                               erg_error *error) {
  const erg_cli *cli = eval->cli;
  erg_eval_row *row = &eval->rows[index];
  char name[32];
  const erg_widths *widths = cli->precision_files[index] ? &in->widths[index] : NULL;
  row->name = erg_arena_strdup((erg_arena *)&cli->arena,
                               widths ? widths->plan.name : erg_precision_name(&cli->precisions[index], name));
  const erg_quantize_options options = {.precision = widths ? widths->widest : cli->precisions[index],
                                        .layers = widths ? widths->nodes : NULL,
                                        .weight_grid = {.per_tensor = cli->per_tensor},
                                        .calibration = (erg_calibration_method)cli->calibration};
  erg_progress progress;
  const erg_integer_machine machine = {.point = eval->machine, .quiet = cli->quiet, .progress = &progress};
  erg_error fault = {0};
  row->widths = widths;
  erg_progress_start(&progress, row->name, "example", in->test.count, cli->quiet);
  progress.wait_s = 1; /* small networks are done before a bar would help */
  erg_status status = erg_quantize(&in->graph, &in->weights, calibration, &options, &row->quantized, &fault);
  if (status == ERG_OK)
    status = erg_evaluate(&row->quantized, &in->weights, &in->test, (erg_integer_model)cli->integer_model, &machine,
                          &row->evaluation, &fault);
  if (status == ERG_OK) erg_progress_end(&progress);
  if (status == ERG_ERR_UNSUPPORTED) {
    row->skipped = true;
    row->reason = erg_arena_strdup((erg_arena *)&cli->arena, fault.text ? fault.text : "");
    status = ERG_OK;
  } else if (status != ERG_OK) {
    erg_fail(error, status, "%s: %s", row->name, fault.text ? fault.text : "failed");
  }
  erg_error_clear(&fault);
  return status;
}

static erg_status report(const erg_eval *eval, erg_error *error) {
  const erg_cli *cli = eval->cli;
  erg_status status = ERG_OK;
  json_t *json = erg_eval_json(eval);
  if (cli->json) {
    json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
  } else {
    erg_eval_print(eval, stdout);
  }
  if (cli->out) status = erg_write_json(json, cli->out, "eval.json", error);
  if (cli->out && status == ERG_OK) fprintf(stderr, "wrote %s/eval.json\n", cli->out);
  json_decref(json);
  for (int i = 0; i < eval->row_count; i++)
    if (eval->rows[i].evaluation.mismatches)
      status = erg_fail(error, ERG_ERR_MISMATCH, "%s: %llu outputs of the array differ from the golden kernel's",
                        eval->rows[i].name, (unsigned long long)eval->rows[i].evaluation.mismatches);
  return status;
}

/* What will take a while is told beforehand. */
static void tell(const erg_cli *cli, const inputs *in, const char *what, int examples) {
  double macs = (double)erg_graph_macs(&in->graph) / BATCH;
  if (!cli->quiet && macs * examples > 2e10)
    fprintf(stderr, "%s: %d examples of %.0f MMAC in double precision ...\n", what, examples, macs / 1e6);
}

static erg_status evaluate(const erg_cli *cli, inputs *in, erg_error *error) {
  erg_point machine = {.arch = &in->arch,
                       .graph = &in->graph,
                       .precision = cli->precisions[0],
                       .fusion = ERG_FUSION_EPILOGUE,
                       .dataflow = cli->dataflow,
                       .model = ERG_MODEL_RTL,
                       .batch = BATCH,
                       .seed = cli->seed};
  erg_eval eval = {.cli = cli,
                   .machine = &machine,
                   .graph = &in->graph,
                   .test = &in->test,
                   .calibration_examples = in->calibration.count,
                   .equalized = -1,
                   .row_count = cli->precision_count};
  eval.rows = erg_arena_alloc((erg_arena *)&cli->arena, sizeof *eval.rows * (size_t)eval.row_count);
  if (!eval.rows) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_calibration calibration = {0};
  tell(cli, in, "float network", in->test.count);
  erg_status status = erg_evaluate_float(&in->graph, &in->weights, &in->test, &eval.reference, error);
  if (status == ERG_OK && cli->equalize) status = erg_equalize(&in->graph, &in->weights, &eval.equalized, error);
  tell(cli, in, "calibration", in->calibration.count);
  if (status == ERG_OK) status = erg_calibrate(&in->graph, &in->weights, &in->calibration, &calibration, error);
  for (int i = 0; i < eval.row_count && status == ERG_OK; i++) status = evaluate_row(&eval, in, &calibration, i, error);
  if (status == ERG_OK) status = report(&eval, error);
  for (int i = 0; i < eval.row_count; i++) {
    erg_evaluation_free(&eval.rows[i].evaluation);
    erg_quantized_free(&eval.rows[i].quantized);
  }
  erg_evaluation_free(&eval.reference);
  erg_calibration_free(&calibration);
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_cli_parse(&command, ERG_OPTION_EVAL | ERG_OPTION_REPORT, 1, 1, argc, argv, &cli);
  inputs in = {0};
  erg_status status = check_line(&cli, error);
  if (status == ERG_OK && cli.out) status = erg_make_folder(cli.out, error); /* before the work, not after */
  if (status == ERG_OK) status = load(&cli, &in, error);
  if (status == ERG_OK) status = evaluate(&cli, &in, error);
  free_inputs(&in);
  erg_cli_free(&cli);
  return status;
}
