/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train_report.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"train", "WORKLOAD",
                                    "trains a small network in double precision and writes its weights", 4, run};
ERG_REGISTER(erg_command, command);

#define BATCH 8                  /* of the graph, as `ergon eval` has it */
#define CALIBRATION_EXAMPLES 256 /* likewise: both quantize the same weights alike */

typedef struct {
  erg_graph graph;
  erg_weights weights;
  erg_dataset train, test, calibration;
  erg_train_result result;
  erg_widths widths; /* where --precision is a plan */
  erg_integer_training integer;
} job;

static void free_job(job *j) {
  erg_evaluation_free(&j->integer.after);
  erg_evaluation_free(&j->integer.before);
  erg_train_result_free(&j->integer.result);
  erg_train_result_free(&j->result);
  erg_widths_free(&j->widths);
  erg_dataset_free(&j->calibration);
  erg_dataset_free(&j->test);
  erg_dataset_free(&j->train);
  erg_weights_free(&j->weights);
  erg_graph_free(&j->graph);
}

static erg_status check_line(const erg_cli *cli, erg_error *error) {
  if (!cli->data) erg_fail(error, ERG_ERR_USAGE, "train: --data NAME|DIR is missing: what to learn (ergon list data)");
  if (!cli->out) erg_fail(error, ERG_ERR_USAGE, "train: --out FILE is missing: where the weights go");
  if (cli->tech_set_count || cli->arch_set_count)
    erg_fail(error, ERG_ERR_USAGE, "train: --set: no machine is read here; allowed: workload.KEY=VALUE");
  if (cli->qat_epochs && !cli->qat) erg_fail(error, ERG_ERR_USAGE, "train: --qat-epochs: there is no --qat RULE");
  if (cli->precision_count > 1) erg_fail(error, ERG_ERR_USAGE, "train: --precision: one at a time");
  return error->status;
}

/* The file is made before the work, not after. */
static erg_status check_out(const char *path, erg_error *error) {
  FILE *stream = fopen(path, "ab");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: cannot be written", path);
  long size = ftell(stream);
  fclose(stream);
  if (size == 0) remove(path);
  return ERG_OK;
}

/* Every input is tried, so that all faults come at once. */
static erg_status load(const erg_cli *cli, job *j, erg_error *error) {
  erg_graph_load(cli->arguments[0], BATCH, cli->workload_sets, cli->workload_set_count, &j->graph, error);
  if (j->graph.name && cli->from)
    erg_weights_read(cli->from, &j->graph, &j->weights, error);
  else if (j->graph.name && erg_weights_new(&j->graph, &j->weights, error) == ERG_OK)
    erg_weights_initialize(&j->weights, cli->seed);
  if (erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_TRAIN, cli->examples, &j->train, error) == ERG_OK)
    erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_TEST, 0, &j->test, error);
  if (cli->qat && j->train.name)
    erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_CALIBRATION, 0, &j->calibration, error);
  if (cli->qat && cli->precision_files[0] && j->graph.name)
    erg_widths_load(cli->precision_files[0], &j->graph, &j->widths, error);
  if (j->calibration.count > CALIBRATION_EXAMPLES) j->calibration.count = CALIBRATION_EXAMPLES;
  j->integer.calibration_examples = j->calibration.count;
  return error->status;
}

static void show(void *context, int64_t step, int64_t steps) {
  (void)steps;
  erg_progress_update(context, (double)step, "");
}

static erg_status write(const erg_cli *cli, const job *j, erg_error *error) {
  char accuracy[32];
  snprintf(accuracy, sizeof accuracy, "%.6f", j->result.test.accuracy);
  const char *const metadata[] = {"ergon.command", cli->command_line,     "ergon.workload", j->graph.name, "ergon.data",
                                  j->train.name,   "ergon.test_accuracy", accuracy,         NULL};
  return erg_weights_write(cli->out, &j->weights, metadata, error);
}

static erg_status train(const erg_cli *cli, const char *label, int epochs, const erg_train_model *model, job *j,
                        erg_train_result *out, erg_error *error) {
  erg_progress progress;
  erg_train_options options = {.epochs = epochs,
                               .batch = cli->train_batch,
                               .learning_rate = cli->learning_rate,
                               .optimizer = cli->optimizer,
                               .label_smoothing = cli->label_smoothing,
                               .seed = cli->seed,
                               .patience = cli->patience,
                               .model = model,
                               .progress = show,
                               .context = &progress};
  int examples = j->train.count - (cli->patience ? j->train.count / 10 : 0);
  int64_t batches = (examples + cli->train_batch - 1) / cli->train_batch;
  erg_progress_start(&progress, label, "step", (double)(epochs * batches), cli->quiet);
  erg_status status = erg_train(&j->graph, &j->train, &j->test, &options, &j->weights, out, error);
  erg_progress_end(&progress);
  return status;
}

/* The float weights of a file are judged, not trained. */
static erg_status judge(job *j, erg_error *error) {
  erg_tape *tape = erg_tape_new();
  if (!tape) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  j->result.train_count = j->train.count;
  erg_status status =
      erg_train_score(tape, &j->graph, &j->weights, NULL, &j->train, 0, j->train.count, &j->result.train, error);
  if (status == ERG_OK)
    status = erg_train_score(tape, &j->graph, &j->weights, NULL, &j->test, 0, j->test.count, &j->result.test, error);
  erg_tape_free(tape);
  return status;
}

/* Quantized as they are, then trained on in integers; both judged by the golden kernels. */
static erg_status train_integers(const erg_cli *cli, job *j, erg_error *error) {
  bool plan = cli->precision_files[0] != NULL;
  char name[32];
  snprintf(j->integer.precision, sizeof j->integer.precision, "%s",
           plan ? j->widths.plan.name : erg_precision_name(&cli->precisions[0], name));
  const erg_quantize_options options = {.precision = plan ? j->widths.widest : cli->precisions[0],
                                        .layers = plan ? j->widths.nodes : NULL,
                                        .calibration = (erg_calibration_method)cli->calibration};
  erg_qat *qat;
  erg_status status =
      erg_qat_open(&j->graph, &j->weights, &j->calibration, &options, (erg_qat_rule)cli->qat_rule, &qat, error);
  if (status != ERG_OK) return status;
  const erg_quantized *integers = erg_qat_quantized(qat);
  status = erg_evaluate(integers, NULL, &j->test, ERG_INTEGER_FAST, NULL, &j->integer.before, error);
  if (status == ERG_OK)
    status = train(cli, "train in integers", cli->qat_epochs ? cli->qat_epochs : cli->epochs, erg_qat_model(qat), j,
                   &j->integer.result, error);
  if (status == ERG_OK)
    status = erg_evaluate(integers, NULL, &j->test, ERG_INTEGER_FAST, NULL, &j->integer.after, error);
  erg_qat_close(qat);
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_cli_parse(&command, ERG_OPTION_TRAIN | ERG_OPTION_JSON, 1, 1, argc, argv, &cli);
  job j = {0};
  erg_status status = check_line(&cli, error);
  if (status == ERG_OK) status = load(&cli, &j, error);
  if (status == ERG_OK) status = check_out(cli.out, error);
  if (status == ERG_OK)
    status = cli.qat && cli.from ? judge(&j, error) : train(&cli, "train", cli.epochs, NULL, &j, &j.result, error);
  if (status == ERG_OK && cli.qat) status = train_integers(&cli, &j, error);
  if (status == ERG_OK) status = write(&cli, &j, error);
  if (status == ERG_OK) {
    const erg_training training = {
        &cli, &j.graph, &j.train, &j.test, &j.weights, &j.result, cli.qat ? &j.integer : NULL};
    if (cli.json) {
      json_t *json = erg_training_json(&training);
      json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
      fputc('\n', stdout);
      json_decref(json);
    } else {
      erg_training_print(&training, stdout);
    }
    fprintf(stderr, "wrote %s\n", cli.out);
  }
  free_job(&j);
  erg_cli_free(&cli);
  return status;
}
