/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include "ergon/plots.h"
#include "sweep_report.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"plot", "NAME [FILE.json|-|STORE.db|WORKLOAD]",
                                    "draw a document (a file, stdin), a sweep's store, or a workload to run now", 3,
                                    run};
ERG_REGISTER(erg_command, command);

static erg_status read_document(const char *path, json_t **out, erg_error *error) {
  json_error_t fault;
  bool standard = strcmp(path, "-") == 0;
  FILE *stream = standard ? stdin : fopen(path, "r");
  if (!stream) return erg_fail(error, ERG_ERR_NO_INPUT, "%s: cannot be opened", path);
  *out = json_loadf(stream, JSON_REJECT_DUPLICATES, &fault);
  if (!standard) fclose(stream);
  if (!*out)
    return erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: %s", standard ? "stdin" : path, fault.line, fault.column,
                    fault.text);
  return ERG_OK;
}

static erg_status make_run(const erg_cli *cli, const char *workload, json_t **out, erg_error *error) {
  erg_inputs inputs;
  erg_result results[MOST_LIST * MOST_LIST];
  erg_status status = erg_inputs_load(cli, workload, &inputs, error);
  if (status != ERG_OK) return status;
  int count = cli->precision_count * cli->fusion_count;
  status = erg_cli_run(cli, &inputs, results, error);
  if (status == ERG_OK) {
    *out = erg_run_json(cli, results, count);
    for (int i = 0; i < count; i++) erg_result_free(&results[i]);
  }
  erg_inputs_free(&inputs);
  return status;
}

/* The rows of a sweep's store that --where chooses. */
static erg_status read_store(const erg_cli *cli, const char *path, json_t **out, erg_error *error) {
  erg_store *store;
  erg_status status = erg_store_open(path, false, &store, error);
  if (status != ERG_OK) return status;
  status = erg_sweep_json(cli, store, out, error);
  erg_store_close(store);
  return status;
}

static bool ends_in(const char *text, const char *ending) {
  size_t length = strlen(text), tail = strlen(ending);
  return length > tail && strcmp(text + length - tail, ending) == 0;
}

/* A file, stdin, a store, or a workload to run now. */
static erg_status find_document(const erg_cli *cli, const erg_plot *plot, json_t **out, erg_error *error) {
  const char *source = cli->argument_count > 1 ? cli->arguments[1] : NULL;
  bool store = source && ends_in(source, ".db");
  if (cli->where_count && !store) return erg_fail(error, ERG_ERR_USAGE, "plot: --where chooses rows of a STORE.db");
  if (store) return read_store(cli, source, out, error);
  if (source && (strcmp(source, "-") == 0 || ends_in(source, ".json"))) return read_document(source, out, error);
  if (strcmp(erg_plot_schema(plot), "ergon.run") == 0) return make_run(cli, source ? source : "resnet50", out, error);
  return erg_fail(error, ERG_ERR_USAGE, "plot %s: found %s%s%s; allowed: FILE.json or - with schema %s (%s)%s",
                  plot->name, source ? "'" : "no file", source ? source : "", source ? "'" : "", erg_plot_schema(plot),
                  erg_plot_source(plot), strcmp(erg_plot_schema(plot), "ergon.sweep") == 0 ? ", or a STORE.db" : "");
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  json_t *json = NULL;
  const erg_plot *plot = NULL;
  erg_cli_parse(&command, ERG_OPTION_POINT | ERG_OPTION_PLOT | ERG_OPTION_WHERE, 1, 2, argc, argv, &cli);
  const char *folder = cli.out ? cli.out : ".";
  erg_status status = erg_plot_find(cli.arguments[0], &plot, error); /* before minutes of work */
  if (status == ERG_OK) status = find_document(&cli, plot, &json, error);
  if (status == ERG_OK && cli.out) status = erg_make_folder(folder, error);
  if (status == ERG_OK) status = erg_plot_draw(plot->name, json, folder, stdout, error);
  json_decref(json);
  erg_cli_free(&cli);
  return status;
}
