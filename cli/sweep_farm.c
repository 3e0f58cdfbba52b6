/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sweep_farm.h"
#include "ergon/sweep.h"
#include "sweep_report.h"
#include <stdlib.h>
#include <string.h>

static json_t *text_or_null(const char *text) {
  return text ? json_string(text) : json_null();
}

static json_t *report_json(const erg_farm_report *r) {
  json_t *object = json_object();
  json_object_set_new(object, "engine", json_string(r->engine));
  json_object_set_new(object, "state", json_string(r->state));
  json_object_set_new(object, "name", json_string(r->name));
  json_object_set_new(object, "folder", json_string(r->folder));
  json_object_set_new(object, "round", json_integer(r->round));
  json_object_set_new(object, "last_round", json_integer(r->last_round));
  json_object_set_new(object, "points", json_integer((json_int_t)r->points));
  json_object_set_new(object, "missing", json_integer((json_int_t)r->missing));
  json_object_set_new(object, "tasks", json_integer((json_int_t)r->tasks));
  json_object_set_new(object, "array_job", text_or_null(r->array_job));
  json_object_set_new(object, "reconcile_job", text_or_null(r->reconcile_job));
  return object;
}

static void print_notes(const erg_farm_report *r) {
  char *lines = r->notes ? strdup(r->notes) : NULL, *rest = lines;
  for (char *line; rest && (line = strsep(&rest, "\n"));) fprintf(stderr, "note: %s\n", line);
  free(lines);
}

static void print_state(const erg_cli *cli, const erg_farm_report *r, FILE *out) {
  const char *state = r->state;
  fprintf(out, "%s: ", r->name);
  if (r->merged) fprintf(out, "%lld rows merged; ", (long long)r->merged);
  if (strcmp(state, "complete") == 0) {
    fprintf(out, "all %lld points are stored in %s (%lld failed); nothing to submit\n", (long long)r->points,
            cli->store, (long long)r->failed);
  } else if (strcmp(state, "incomplete") == 0) {
    fprintf(out, "%lld of %lld points are missing after round %d, the last\n", (long long)r->missing,
            (long long)r->points, r->round);
  } else if (strcmp(state, "under way") == 0) {
    fprintf(out, "%s jobs %s and %s are at work, round %d of at most %d; nothing was submitted\n", r->engine,
            r->array_job ? r->array_job : "-", r->reconcile_job ? r->reconcile_job : "-", r->round, r->last_round);
  } else if (strcmp(state, "submitted") == 0) {
    fprintf(out,
            "%lld of %lld points are missing: %lld tasks as %s job %s, job %s merges behind them; round %d of at most "
            "%d\n",
            (long long)r->missing, (long long)r->points, (long long)r->tasks, r->engine, r->array_job, r->reconcile_job,
            r->round, r->last_round);
  } else {
    fprintf(out, "%lld of %lld points are missing: %lld tasks\n", (long long)r->missing, (long long)r->points,
            (long long)r->tasks);
  }
  fprintf(out, "files: %s\n", r->folder);
  for (int i = 0; i < 2; i++)
    if (r->commands[i]) fprintf(out, "%s\n", r->commands[i]);
  if (r->commands[0])
    fprintf(out, "Nothing was submitted.%s\n", " JOB stands for the number that the first command prints.");
}

static void print(const erg_cli *cli, const erg_farm_report *r) {
  print_notes(r);
  if (!cli->json) {
    print_state(cli, r, stdout);
    return;
  }
  json_t *document = erg_envelope_json("ergon.sweep.submit", cli->command_line, NULL), *farm = report_json(r),
         *commands = json_array();
  json_object_update(document, farm);
  json_decref(farm);
  json_object_set_new(document, "failed", r->failed < 0 ? json_null() : json_integer((json_int_t)r->failed));
  json_object_set_new(document, "merged", json_integer((json_int_t)r->merged));
  for (int i = 0; i < 2; i++)
    if (r->commands[i]) json_array_append_new(commands, json_string(r->commands[i]));
  json_object_set_new(document, "commands", commands);
  json_dumpf(document, stdout, JSON_INDENT(1));
  putchar('\n');
  json_decref(document);
}

erg_status erg_sweep_submit(const erg_cli *cli, erg_error *error) {
  erg_farm_options options = {.engine = cli->engine,
                              .partition = cli->partition,
                              .time = cli->time,
                              .extra = cli->extra,
                              .chunk_points = cli->chunk_points,
                              .rounds = cli->rounds,
                              .jobs = cli->jobs ? cli->jobs : 1,
                              .retry_failed = cli->retry_failed,
                              .dry_run = cli->dry_run,
                              .kill_at = cli->kill_at,
                              .kill_pool = cli->kill_pool};
  erg_farm_report report;
  erg_status status = erg_sweep_need_store(cli, error);
  if (status == ERG_OK && cli->argument_count != 2)
    status = erg_fail(error, ERG_ERR_USAGE, "sweep submit: takes one SPEC, a name (`ergon list specs`) or a file");
  if (status == ERG_OK) status = erg_farm_submit(cli->arguments[1], cli->store, &options, &report, error);
  if (status != ERG_OK) return status;
  print(cli, &report);
  erg_farm_report_free(&report);
  return ERG_OK;
}

erg_status erg_sweep_reconcile(const erg_cli *cli, erg_error *error) {
  erg_farm_report report;
  erg_status status = erg_sweep_need_store(cli, error);
  if (status == ERG_OK && cli->argument_count != 1)
    status =
        erg_fail(error, ERG_ERR_USAGE, "sweep reconcile: found '%s'; it takes --store FILE alone", cli->arguments[1]);
  if (status == ERG_OK) status = erg_farm_reconcile(cli->store, &report, error);
  if (status != ERG_OK) return status;
  print(cli, &report);
  if (strcmp(report.state, "incomplete") == 0)
    status = erg_fail(error, ERG_ERR_MISMATCH,
                      "sweep: %lld points are missing, their tasks ended without them; see the logs in %s/round-*; "
                      "`ergon sweep submit` again goes on",
                      (long long)report.missing, report.folder);
  else if (strcmp(report.state, "complete") == 0 && report.failed)
    status = erg_fail(error, ERG_ERR_MISMATCH,
                      "sweep: %lld points failed; see `ergon sweep query --where status=failed`, and --retry-failed",
                      (long long)report.failed);
  erg_farm_report_free(&report);
  return status;
}

static void print_jobs(const char *what, const char *id, const erg_farm_jobs *jobs) {
  if (id)
    printf("  %s, job %s: %lld running, %lld waiting", what, id, (long long)jobs->running, (long long)jobs->pending);
  if (id) printf(jobs->pending && *jobs->reason ? " (%s)\n" : "\n", jobs->reason);
}

erg_status erg_farm_show_status(const erg_cli *cli, json_t *document, erg_error *error) {
  erg_farm_report r;
  erg_error fault = {0};
  erg_status status = erg_farm_status(cli->store, &r, &fault);
  if (status == ERG_ERR_NO_INPUT) json_object_set_new(document, "farm", json_null());
  if (status != ERG_OK && status != ERG_ERR_NO_INPUT) erg_fail(error, status, "%s", fault.text);
  erg_error_clear(&fault);
  if (status != ERG_OK) return status == ERG_ERR_NO_INPUT ? ERG_OK : status;
  json_t *farm = report_json(&r);
  const struct {
    const char *name;
    int64_t value;
  } counts[] = {{"tasks_running", r.array.running},
                {"tasks_waiting", r.array.pending},
                {"reconcile_running", r.reconcile.running},
                {"reconcile_waiting", r.reconcile.pending}};
  for (size_t i = 0; i < ERG_COUNT_OF(counts); i++)
    json_object_set_new(farm, counts[i].name, r.queue_known ? json_integer((json_int_t)counts[i].value) : json_null());
  json_object_set_new(farm, "queue_fault", text_or_null(r.queue_fault));
  json_object_set_new(document, "farm", farm);
  if (!cli->json) {
    printf("%s on %s: %s, round %d of at most %d, %lld tasks; files: %s\n", r.name, r.engine, r.state, r.round,
           r.last_round, (long long)r.tasks, r.folder);
    if (r.queue_fault) printf("  the queue does not answer: %s\n", r.queue_fault);
    if (r.queue_known) print_jobs("tasks", r.array_job, &r.array);
    if (r.queue_known) print_jobs("reconcile", r.reconcile_job, &r.reconcile);
    if (strcmp(r.state, "stopped") == 0 || strcmp(r.state, "incomplete") == 0)
      puts("  `ergon sweep submit` with the same specification and store goes on");
  }
  erg_farm_report_free(&r);
  return ERG_OK;
}
