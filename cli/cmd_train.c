/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train_report.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"train", "WORKLOAD",
                                    "trains a small network in double precision and writes its weights", 4, run};
ERG_REGISTER(erg_command, command);

typedef struct {
  erg_graph graph;
  erg_weights weights;
  erg_dataset train, test;
  erg_train_result result;
} job;

static void free_job(job *j) {
  erg_train_result_free(&j->result);
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
  erg_graph_load(cli->arguments[0], 1, cli->workload_sets, cli->workload_set_count, &j->graph, error);
  if (j->graph.name && cli->from)
    erg_weights_read(cli->from, &j->graph, &j->weights, error);
  else if (j->graph.name && erg_weights_new(&j->graph, &j->weights, error) == ERG_OK)
    erg_weights_initialize(&j->weights, cli->seed);
  if (erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_TRAIN, cli->examples, &j->train, error) == ERG_OK)
    erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_TEST, 0, &j->test, error);
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

static erg_status train(const erg_cli *cli, job *j, erg_error *error) {
  erg_progress progress;
  erg_train_options options = {.epochs = cli->epochs,
                               .batch = cli->train_batch,
                               .learning_rate = cli->learning_rate,
                               .optimizer = cli->optimizer,
                               .label_smoothing = cli->label_smoothing,
                               .seed = cli->seed,
                               .patience = cli->patience,
                               .progress = show,
                               .context = &progress};
  int examples = j->train.count - (cli->patience ? j->train.count / 10 : 0);
  int64_t batches = (examples + cli->train_batch - 1) / cli->train_batch;
  erg_progress_start(&progress, "train", "step", (double)(cli->epochs * batches), cli->quiet);
  erg_status status = erg_train(&j->graph, &j->train, &j->test, &options, &j->weights, &j->result, error);
  erg_progress_end(&progress);
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_cli_parse(&command, ERG_OPTION_TRAIN | ERG_OPTION_JSON, 1, 1, argc, argv, &cli);
  job j = {0};
  erg_status status = check_line(&cli, error);
  if (status == ERG_OK) status = load(&cli, &j, error);
  if (status == ERG_OK) status = check_out(cli.out, error);
  if (status == ERG_OK) status = train(&cli, &j, error);
  if (status == ERG_OK) status = write(&cli, &j, error);
  if (status == ERG_OK) {
    const erg_training training = {&cli, &j.graph, &j.train, &j.test, &j.weights, &j.result};
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
