/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include "ergon/sweep.h"
#include "sweep_farm.h"
#include "sweep_report.h"
#include <math.h>
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"sweep", "VERB [SPEC|FILE...]",
                                    "many points: plan SPEC, run SPEC, submit SPEC, reconcile, status, query, price, "
                                    "export, merge FILE...",
                                    4, run};
ERG_REGISTER(erg_command, command);

erg_status erg_sweep_need_store(const erg_cli *cli, erg_error *error) {
  if (cli->store) return ERG_OK;
  return erg_fail(error, ERG_ERR_USAGE, "sweep %s: --store FILE is missing", cli->arguments[0]);
}

static erg_status need_spec(const erg_cli *cli, erg_sweep *sweep, erg_error *error) {
  if (cli->argument_count == 2) return erg_sweep_load(cli->arguments[1], sweep, error);
  return erg_fail(error, ERG_ERR_USAGE, "sweep %s: takes one SPEC, a name (`ergon list specs`) or a file",
                  cli->arguments[0]);
}

static erg_status plan(const erg_cli *cli, erg_error *error) {
  erg_sweep sweep;
  erg_status status = need_spec(cli, &sweep, error);
  if (status != ERG_OK) return status;
  erg_print_sweep(cli, &sweep, stdout);
  erg_sweep_free(&sweep);
  return ERG_OK;
}

static erg_status run_points(const erg_cli *cli, erg_error *error) {
  erg_sweep sweep;
  erg_store *store = NULL;
  erg_pool_report report = {0};
  erg_index_ranges only = {0};
  erg_pool_options options = {.jobs = cli->jobs ? cli->jobs : 1,
                              .chunk = cli->points ? 0 : cli->chunk,
                              .chunk_count = cli->points ? 0 : cli->chunk_count,
                              .quiet = cli->quiet,
                              .kill_at = cli->kill_at,
                              .only = cli->points ? &only : NULL,
                              .retry_failed = cli->retry_failed,
                              .trail = cli->trail,
                              .kill_pool = cli->kill_pool};
  erg_status status = erg_sweep_need_store(cli, error);
  if (status == ERG_OK && cli->points && cli->chunk_count == 0)
    status = erg_fail(error, ERG_ERR_USAGE, "sweep run: --points needs --chunk I/N: line I of N of the file");
  if (status != ERG_OK) return status;
  status = need_spec(cli, &sweep, error);
  if (status != ERG_OK) return status;
  if (cli->points)
    status = erg_ranges_load(cli->points, cli->chunk, cli->chunk_count, erg_sweep_size(&sweep), &only, error);
  if (status == ERG_OK) status = erg_store_open(cli->store, true, &store, error);
  if (status == ERG_OK) status = erg_sweep_run(&sweep, store, &options, &report, error);
  if (status == ERG_OK) erg_print_pool(cli, &sweep, &report, stdout);
  erg_store_close(store);
  erg_sweep_free(&sweep);
  erg_ranges_free(&only);
  if (status == ERG_OK && report.failed)
    return erg_fail(error, ERG_ERR_MISMATCH,
                    "sweep: %lld points failed; see `ergon sweep query --where status=failed`, and --retry-failed",
                    (long long)report.failed);
  return status;
}

static erg_status over_store(const erg_cli *cli, erg_status (*use)(const erg_cli *, erg_store *, erg_error *),
                             erg_error *error) {
  erg_store *store;
  erg_status status = erg_sweep_need_store(cli, error);
  if (status == ERG_OK && cli->argument_count > 1)
    status = erg_fail(error, ERG_ERR_USAGE, "sweep %s: found '%s'; the store is --store FILE", cli->arguments[0],
                      cli->arguments[1]);
  if (status == ERG_OK) status = erg_store_open(cli->store, false, &store, error);
  if (status != ERG_OK) return status;
  if (erg_store_model_version(store) != ERG_MODEL_VERSION)
    fprintf(stderr,
            "note: %s holds results of model version %lld, this program has %d: numbers for the same point differ\n",
            cli->store, (long long)erg_store_model_version(store), ERG_MODEL_VERSION);
  status = use(cli, store, error);
  erg_store_close(store);
  return status;
}

static erg_status merge(const erg_cli *cli, erg_error *error) {
  erg_store *store;
  erg_status status = erg_sweep_need_store(cli, error);
  if (status == ERG_OK && cli->argument_count < 2)
    status = erg_fail(error, ERG_ERR_USAGE, "sweep merge: takes one FILE or more");
  if (status == ERG_OK) status = erg_store_open(cli->store, true, &store, error);
  if (status != ERG_OK) return status;
  for (int i = 1; i < cli->argument_count && status == ERG_OK; i++) {
    int64_t added = 0;
    status = erg_store_merge(store, cli->arguments[i], &added, error);
    if (status == ERG_OK) printf("%s: %lld rows added\n", cli->arguments[i], (long long)added);
  }
  erg_store_close(store);
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  static const struct {
    const char *name;
    erg_status (*own)(const erg_cli *, erg_error *);
    erg_status (*over)(const erg_cli *, erg_store *, erg_error *);
  } verbs[] = {{"plan", plan, NULL},
               {"run", run_points, NULL},
               {"submit", erg_sweep_submit, NULL},
               {"reconcile", erg_sweep_reconcile, NULL},
               {"status", NULL, erg_sweep_status},
               {"query", NULL, erg_sweep_query},
               {"price", NULL, erg_sweep_price},
               {"export", NULL, erg_sweep_export},
               {"merge", merge, NULL}};
  erg_cli cli;
  erg_cli_parse(&command, ERG_OPTION_SWEEP | ERG_OPTION_PRICE | ERG_OPTION_JSON, 1, 16, argc, argv, &cli);
  const char *names[ERG_COUNT_OF(verbs) + 1] = {NULL};
  erg_status status = ERG_ERR_USAGE;
  bool known = false;
  for (size_t i = 0; i < ERG_COUNT_OF(verbs); i++) {
    names[i] = verbs[i].name;
    if (strcmp(cli.arguments[0], verbs[i].name) != 0) continue;
    known = true;
    status = verbs[i].own ? verbs[i].own(&cli, error) : over_store(&cli, verbs[i].over, error);
  }
  if (!known) {
    const char *nearest = erg_nearest(cli.arguments[0], names);
    erg_fail(error, status,
             "sweep: found '%s'%s%s%s; allowed: plan, run, submit, reconcile, status, query, price, export, merge",
             cli.arguments[0], nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
  }
  erg_cli_free(&cli);
  return status;
}
