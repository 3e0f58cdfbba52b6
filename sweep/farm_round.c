/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One round: lists of points, scripts, the two jobs. */
#include "farm.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------- lists of points */

/* Writes points from `place` on, `count` of them, as a line. */
static void write_line(FILE *out, const erg_index_ranges *list, int64_t place, int64_t count) {
  bool first = true;
  for (int64_t i = 0; i < list->count && count > 0; i++) {
    int64_t length = list->items[i].last - list->items[i].first + 1;
    if (place >= length) {
      place -= length;
      continue;
    }
    int64_t from = list->items[i].first + place, taken = length - place < count ? length - place : count;
    fprintf(out, taken == 1 ? "%s%lld" : "%s%lld-%lld", first ? "" : " ", (long long)from,
            (long long)(from + taken - 1));
    first = false;
    place = 0;
    count -= taken;
  }
  fputc('\n', out);
}

/* `missing` without `suspects`, and those of the suspects that are missing. */
static bool part(const erg_index_ranges *missing, const erg_index_ranges *suspects, erg_index_ranges *rest,
                 erg_index_ranges *alone) {
  bool good = true;
  for (int64_t i = 0; i < missing->count; i++) {
    const erg_index_range *r = &missing->items[i];
    if (suspects->count == 0) {
      good &= erg_ranges_add(rest, r->first, r->last);
      continue;
    }
    for (int64_t point = r->first; point <= r->last; point++)
      good &= erg_ranges_add(erg_farm_deaths_of(suspects, point) ? alone : rest, point, point);
  }
  return good;
}

static int64_t chunks(int64_t points, int64_t chunk_points) {
  return (points + chunk_points - 1) / chunk_points;
}

static erg_status write_points(erg_farm *farm, const erg_index_ranges *missing, const erg_index_ranges *suspects,
                               int64_t most, const char *path, erg_error *error) {
  erg_index_ranges rest = {0}, alone = {0}, none = {0};
  bool good = part(missing, suspects->points < most / 2 ? suspects : &none, &rest, &alone);
  /* A task too many is a refusal of the whole array: tasks grow instead. */
  int64_t each = farm->chunk_points, lines = chunks(rest.points, each), room = most - alone.points;
  if (lines > room) lines = chunks(rest.points, chunks(rest.points, room));
  FILE *out = fopen(path, "w");
  if (!out) {
    erg_ranges_free(&rest);
    erg_ranges_free(&alone);
    return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  }
  for (int64_t i = 0; i < lines; i++) {
    int64_t from = i * rest.points / lines, to = (i + 1) * rest.points / lines;
    write_line(out, &rest, from, to - from);
  }
  for (int64_t i = 0; i < alone.points; i++) write_line(out, &alone, i, 1);
  farm->tasks = lines + alone.points;
  erg_ranges_free(&rest);
  erg_ranges_free(&alone);
  bool failed = ferror(out) != 0;
  failed |= fclose(out) != 0;
  if (failed) return erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
  return good ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

/* ---------------------------------------------------------------- scripts */

static const char *quoted(erg_farm *farm, const char *format, ...) ERG_PRINTF(2, 3);
static const char *quoted(erg_farm *farm, const char *format, ...) {
  char text[8192];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  const char *word = erg_shell_word(&farm->arena, text);
  return word ? word : "";
}

static void write_head(erg_farm *farm, FILE *out, const char *what) {
  fprintf(out, "#!/bin/sh\n# Written by `ergon sweep submit`: %s\n", what);
  fprintf(out, "# shellcheck disable=SC2016 # what looks like a variable in a user's file name is none\n");
  if (farm->data) fprintf(out, "export ERGON_DATA=%s\n", quoted(farm, "%s", farm->data));
}

static erg_status finish(FILE *out, const char *path, erg_error *error) {
  bool failed = ferror(out) != 0;
  failed |= fclose(out) != 0;
  return failed ? erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno)) : ERG_OK;
}

static erg_status write_task(erg_farm *farm, const erg_farm_engine *engine, const char *round, const char *path,
                             erg_error *error) {
  FILE *out = fopen(path, "w");
  if (!out) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  write_head(farm, out, "a task of the array computes its line of `points` into a shard of its own.");
  fprintf(out, "task=${%s:?is set by the queue}\n", engine->task_variable);
  fprintf(out, "exec >>%s/\"$task.log\" 2>&1\n", quoted(farm, "%s", round));
  fprintf(out, "cd %s || exit 66\n", quoted(farm, "%s", farm->directory));
  fprintf(out, "%s sweep run %s \\\n", quoted(farm, "%s", farm->program), quoted(farm, "%s/spec.yaml", farm->folder));
  fprintf(out, "  --points %s --chunk \"$task/%lld\" --jobs %d \\\n", quoted(farm, "%s/points", round),
          (long long)farm->tasks, farm->jobs);
  if (farm->kill_at) fprintf(out, "  --kill-%sat %d \\\n", farm->kill_pool ? "pool-" : "", farm->kill_at);
  fprintf(out, "  --trail %s/\"$task.trail\" --store %s/\"$task.db\"\n", quoted(farm, "%s", round),
          quoted(farm, "%s", round));
  return finish(out, path, error);
}

static erg_status write_reconcile(erg_farm *farm, const char *round, const char *path, erg_error *error) {
  FILE *out = fopen(path, "w");
  if (!out) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  write_head(farm, out, "merges the shards and submits again what is missing.");
  fprintf(out, "exec >>%s 2>&1\n", quoted(farm, "%s/reconcile.log", round));
  fprintf(out, "cd %s || exit 66\n", quoted(farm, "%s", farm->directory));
  fprintf(out, "%s sweep reconcile --store %s\n", quoted(farm, "%s", farm->program), quoted(farm, "%s", farm->store));
  return finish(out, path, error);
}

erg_status erg_farm_write_round(erg_farm *farm, const erg_index_ranges *missing, const erg_index_ranges *suspects,
                                erg_error *error) {
  const erg_farm_engine *engine = erg_farm_engine_find(farm->engine, error);
  const char *round = erg_arena_printf(&farm->arena, "%s/round-%d", farm->folder, farm->round);
  const char *points = erg_arena_printf(&farm->arena, "%s/points", round);
  const char *task = erg_arena_printf(&farm->arena, "%s/task.sh", round);
  const char *reconcile = erg_arena_printf(&farm->arena, "%s/reconcile.sh", round);
  if (!engine) return ERG_ERR_USAGE;
  if (!round || !points || !task || !reconcile) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (mkdir(round, 0777) != 0 && errno != EEXIST)
    return erg_fail(error, ERG_ERR_CREATE, "%s: %s", round, strerror(errno));
  erg_status status = write_points(farm, missing, suspects, engine->most_tasks, points, error);
  if (status == ERG_OK) status = write_task(farm, engine, round, task, error);
  if (status == ERG_OK) status = write_reconcile(farm, round, reconcile, error);
  farm->missing = missing->points;
  return status;
}

/* ---------------------------------------------------------------- jobs */

const char *erg_farm_job_name(erg_farm *farm) {
  char hash[65], *name = erg_arena_strdup(&farm->arena, farm->name);
  erg_sha256_hex(farm->folder, strlen(farm->folder), hash);
  for (char *at = name; at && *at; at++)
    if (!isalnum((unsigned char)*at) && *at != '-') *at = '_';
  return name ? erg_arena_printf(&farm->arena, "%.40s-%.8s", name, hash) : NULL;
}

static bool job_names(erg_farm *farm, const char *names[2]) {
  names[0] = farm->job_name;
  names[1] = erg_arena_printf(&farm->arena, "%s-reconcile", farm->job_name);
  return names[1] != NULL;
}

static erg_status send(erg_farm *farm, const erg_farm_engine *engine, const erg_farm_job *job, const char **id,
                       const char **dry, erg_error *error) {
  erg_words words = {.arena = &farm->arena};
  char *output, number[32];
  engine->submit(job, &words);
  if (dry) {
    *dry = erg_shell_line(&words);
    *id = "JOB";
    return *dry ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  erg_status status = erg_words_run(&words, &output, error);
  if (status != ERG_OK) return status;
  if (!engine->id(output, number))
    return erg_fail(error, ERG_ERR_TOOL, "%s: no job number in its answer: %s", engine->tool, output);
  *id = erg_arena_strdup(&farm->arena, number);
  return *id ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

static erg_farm_job job_of(erg_farm *farm, const char *name, const char *script) {
  return (erg_farm_job){.name = name,
                        .script = erg_arena_printf(&farm->arena, "%s/round-%d/%s", farm->folder, farm->round, script),
                        .jobs = 1,
                        .partition = farm->partition,
                        .time = farm->time,
                        .extra = farm->extra};
}

static erg_status submit_array(erg_farm *farm, const char **dry, erg_error *error) {
  const erg_farm_engine *engine = erg_farm_engine_find(farm->engine, error);
  const char *names[2];
  if (!engine) return ERG_ERR_USAGE;
  if (!job_names(farm, names)) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_farm_job job = job_of(farm, names[0], "task.sh");
  job.tasks = farm->tasks;
  job.jobs = farm->jobs;
  farm->array_job = farm->reconcile_job = NULL;
  farm->state = "submitting"; /* whoever finds this without jobs knows that nothing runs */
  erg_status status = dry ? ERG_OK : erg_farm_save(farm, error);
  if (status == ERG_OK) status = send(farm, engine, &job, &farm->array_job, dry, error);
  if (status != ERG_OK) return status;
  farm->state = "submitted";
  return dry ? ERG_OK : erg_farm_save(farm, error);
}

erg_status erg_farm_submit_reconcile(erg_farm *farm, const char **dry, erg_error *error) {
  const erg_farm_engine *engine = erg_farm_engine_find(farm->engine, error);
  const char *names[2];
  if (!engine) return ERG_ERR_USAGE;
  if (!job_names(farm, names)) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_farm_job job = job_of(farm, names[1], "reconcile.sh");
  job.after = farm->array_job;
  erg_status status = send(farm, engine, &job, &farm->reconcile_job, dry, error);
  if (status != ERG_OK)
    return erg_fail(error, status,
                    "job %s computes, but no job merges behind it: `ergon sweep submit` again when %s works",
                    farm->array_job, engine->tool);
  return dry ? ERG_OK : erg_farm_save(farm, error);
}

erg_status erg_farm_submit_round(erg_farm *farm, const char **dry, erg_error *error) {
  erg_status status = submit_array(farm, dry, error);
  return status == ERG_OK ? erg_farm_submit_reconcile(farm, dry ? dry + 1 : NULL, error) : status;
}

erg_status erg_farm_ask(erg_farm *farm, erg_farm_jobs *array, erg_farm_jobs *reconcile, erg_error *error) {
  const erg_farm_engine *engine = erg_farm_engine_find(farm->engine, error);
  erg_words words = {.arena = &farm->arena};
  const char *names[2];
  char *output = NULL;
  *array = *reconcile = (erg_farm_jobs){0};
  if (!engine) return ERG_ERR_USAGE;
  if (!job_names(farm, names)) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  engine->queue(names, &words);
  erg_status status = erg_words_run(&words, &output, error);
  if (status != ERG_OK) return status;
  if (farm->array_job) engine->count(output, farm->array_job, array);
  if (farm->reconcile_job) engine->count(output, farm->reconcile_job, reconcile);
  return ERG_OK;
}
