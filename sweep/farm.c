/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sweep on a farm. Engines promise at least once, or less; exactly once comes from the keys of the store. */
#include "farm.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEATHS_TO_BLAME 2 /* the second time a point is alone in its task */

typedef struct {
  erg_farm farm;
  erg_sweep sweep;
  erg_store *store;
  erg_index_ranges missing;
  int64_t failed, merged;
  char plan[65];
  const char *notes;
  int lock;
  bool loaded; /* sweep */
} session;

static erg_status out_of_memory(erg_error *error) {
  return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

/* The report takes the farm's arena with it. */
static void fill(session *s, const char *state, erg_farm_report *out) {
  const erg_farm *f = &s->farm;
  *out = (erg_farm_report){.arena = f->arena,
                           .engine = f->engine,
                           .state = state,
                           .name = f->name,
                           .folder = f->folder,
                           .array_job = f->array_job,
                           .reconcile_job = f->reconcile_job,
                           .round = f->round,
                           .last_round = f->last_round,
                           .points = f->points,
                           .missing = s->missing.points,
                           .failed = s->failed,
                           .tasks = f->tasks,
                           .merged = s->merged,
                           .notes = s->notes};
  s->farm.arena = (erg_arena){0};
}

static void end(session *s) {
  if (s->loaded) erg_sweep_free(&s->sweep);
  erg_store_close(s->store);
  erg_ranges_free(&s->missing);
  if (s->lock >= 0) close(s->lock);
  erg_farm_free(&s->farm);
}

static erg_status scan(session *s, bool failed_too, erg_error *error) {
  erg_ranges_free(&s->missing);
  return erg_sweep_missing(&s->sweep, s->store, failed_too, &s->missing, &s->failed, s->plan, error);
}

static bool busy(const erg_farm_jobs *jobs) {
  return jobs->pending + jobs->running > 0;
}

static bool was_submitted(const erg_farm *farm) {
  return strcmp(farm->state, "submitted") == 0 || strcmp(farm->state, "submitting") == 0;
}

/* All is in the store. */
static erg_status complete(session *s, erg_error *error) {
  s->farm.state = "complete";
  erg_status status = erg_farm_save(&s->farm, error);
  if (status == ERG_OK) erg_farm_remove_shards(&s->farm);
  return status;
}

/* ---------------------------------------------------------------- submit */

static erg_status freeze(erg_farm *farm, const char *text, erg_error *error) {
  char path[8192];
  snprintf(path, sizeof path, "%s/deaths", farm->folder); /* of another submission */
  unlink(path);
  snprintf(path, sizeof path, "%s/spec.yaml", farm->folder);
  FILE *out = fopen(path, "w");
  if (!out) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  bool failed = fputs(text, out) == EOF;
  failed |= fclose(out) != 0;
  return failed ? erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno)) : ERG_OK;
}

static erg_status set_out(session *s, const erg_farm_options *o, const erg_farm_engine *engine, erg_error *error) {
  erg_farm *f = &s->farm;
  char program[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return erg_fail(error, ERG_ERR_CONFIG, "/proc/self/exe: %s", strerror(errno));
  program[length] = 0;
  const char *data = getenv("ERGON_DATA");
  if (data && *data)
    f->data =
        *data == '/' ? erg_arena_strdup(&f->arena, data) : erg_arena_printf(&f->arena, "%s/%s", f->directory, data);
  f->program = erg_arena_strdup(&f->arena, program);
  f->engine = engine->name;
  f->name = erg_arena_strdup(&f->arena, s->sweep.name);
  f->plan = erg_arena_strdup(&f->arena, s->plan);
  f->job_name = erg_farm_job_name(f);
  f->partition = o->partition;
  f->time = o->time;
  int extra = 0;
  for (; o->extra && o->extra[extra]; extra++) {
    if (extra == FARM_MOST_EXTRA)
      return erg_fail(error, ERG_ERR_USAGE, "more than %d options for %s", FARM_MOST_EXTRA, engine->tool);
    if (strncmp(o->extra[extra], "--", 2) != 0)
      return erg_fail(error, ERG_ERR_USAGE, "options for %s: found '%s'; allowed: --OPTION or --OPTION=VALUE",
                      engine->tool, o->extra[extra]);
    f->extra[extra] = o->extra[extra];
  }
  f->points = erg_sweep_size(&s->sweep);
  f->jobs = o->jobs;
  f->rounds = o->rounds;
  f->kill_at = o->kill_at;
  f->kill_pool = o->kill_pool;
  f->chunk_points = o->chunk_points;
  int64_t least = (s->missing.points + engine->most_tasks - 1) / engine->most_tasks;
  if (f->chunk_points == 0) {
    bool simulated = false;
    for (int i = 0; i < s->sweep.model_names.count; i++)
      simulated |= strcmp(s->sweep.model_names.items[i], "analytic") != 0;
    f->chunk_points = simulated ? 20 : 1000;
    if (f->chunk_points < least) f->chunk_points = least;
  }
  if (f->chunk_points < least)
    return erg_fail(error, ERG_ERR_USAGE,
                    "--chunk-points: found %lld; allowed: at least %lld, as an array has %lld tasks at most",
                    (long long)f->chunk_points, (long long)least, (long long)engine->most_tasks);
  return f->program && f->name && f->plan && f->job_name ? ERG_OK : out_of_memory(error);
}

/* What an earlier submission for this store is doing. `under_way`: leave it at that. */
static erg_status look_back(session *s, const char *text, bool dry, bool *under_way, erg_error *error) {
  erg_farm old;
  erg_error fault = {0};
  erg_status status = erg_farm_load(s->farm.store, &old, &fault);
  *under_way = false;
  if (status == ERG_ERR_NO_INPUT) {
    erg_error_clear(&fault);
    return ERG_OK;
  }
  if (status != ERG_OK) erg_fail(error, status, "%s", fault.text);
  erg_error_clear(&fault);
  if (status != ERG_OK) return status;
  erg_farm_jobs array = {0}, reconcile = {0};
  if (was_submitted(&old)) status = erg_farm_ask(&old, &array, &reconcile, error);
  if (status == ERG_OK && (busy(&array) || busy(&reconcile))) {
    char *path = erg_arena_printf(&old.arena, "%s/spec.yaml", old.folder), *frozen = "";
    if (path) status = erg_file_read(&old.arena, path, &frozen, NULL, error);
    if (status == ERG_OK && strcmp(frozen, text) != 0)
      status =
          erg_fail(error, ERG_ERR_USAGE,
                   "%s: jobs %s and %s are at work on another specification (%s): wait for them, cancel them, or give "
                   "another --store",
                   old.store, old.array_job, old.reconcile_job ? old.reconcile_job : "-", path);
    if (status == ERG_OK && !busy(&reconcile) && !dry) status = erg_farm_submit_reconcile(&old, NULL, error);
    if (status == ERG_OK) {
      *under_way = true;
      s->missing.points = old.missing;
      erg_farm_free(&s->farm);
      s->farm = old;
      return ERG_OK;
    }
  }
  s->farm.round = old.round;
  erg_farm_free(&old);
  return status;
}

static erg_status take_out_failed(session *s, erg_error *error) {
  erg_sweep_inputs inputs = {0};
  erg_status status = ERG_OK;
  for (int64_t i = 0; i < s->missing.count; i++)
    for (int64_t index = s->missing.items[i].first; status == ERG_OK && index <= s->missing.items[i].last; index++) {
      erg_arena arena = {0};
      erg_point point;
      erg_sweep_row row;
      status = erg_sweep_point(&s->sweep, index, &inputs, &arena, &point, &row, error);
      erg_stored stored = ERG_NOT_STORED;
      if (status == ERG_OK) status = erg_store_find(s->store, row.key, &stored, error);
      if (status == ERG_OK && stored == ERG_STORED_FAILED) status = erg_store_forget_failed(s->store, row.key, error);
      erg_arena_free(&arena);
    }
  erg_sweep_inputs_free(&inputs);
  erg_status flushed = erg_store_flush(s->store, error);
  return status == ERG_OK ? flushed : status;
}

static erg_status read_spec(session *s, const char *spec, char **text, erg_error *error) {
  char *path;
  erg_status status = erg_data_find(&s->farm.arena, "specs", spec, ".yaml", &path, error);
  if (status == ERG_OK) status = erg_file_read(&s->farm.arena, path, text, NULL, error);
  if (status == ERG_OK) status = erg_sweep_parse(path, *text, &s->sweep, error);
  s->loaded = status == ERG_OK;
  return status;
}

static erg_status submit(session *s, const char *spec, const char *store, const erg_farm_options *o,
                         erg_farm_report *out, erg_error *error) {
  char *text = NULL;
  bool under_way = false;
  const char *dry[2] = {NULL, NULL};
  const erg_farm_engine *engine = erg_farm_engine_find(o->engine, error);
  if (!engine) return ERG_ERR_USAGE;
  if (!o->dry_run && !erg_on_path(engine->tool))
    return erg_fail(error, ERG_ERR_TOOL,
                    "sweep submit: %s is missing: %s; without a farm: `ergon sweep run %s --store %s --jobs N`",
                    engine->tool, engine->install, spec, store);
  erg_status status = erg_farm_begin(store, &s->farm, error);
  if (status == ERG_OK) status = read_spec(s, spec, &text, error);
  if (status == ERG_OK) status = erg_farm_lock(&s->farm, &s->lock, error);
  if (status == ERG_OK) status = look_back(s, text, o->dry_run, &under_way, error);
  if (status == ERG_OK && under_way) {
    fill(s, "under way", out);
    return ERG_OK;
  }
  if (status == ERG_OK) status = erg_store_open(store, true, &s->store, error);
  if (status == ERG_OK) status = erg_farm_merge(&s->farm, s->store, &s->merged, &s->notes, error);
  /* What they hold is stored. Merged once more later, a failed row of theirs would stand in the way of its retry. */
  if (status == ERG_OK) erg_farm_remove_shards(&s->farm);
  if (status == ERG_OK) status = scan(s, o->retry_failed, error);
  if (status == ERG_OK) status = set_out(s, o, engine, error);
  if (status != ERG_OK) return status;
  if (s->missing.points == 0) {
    if (s->farm.round == 0) {
      fill(s, "complete", out);
      return ERG_OK;
    }
    s->farm.last_round = s->farm.round;
    status = complete(s, error);
    if (status == ERG_OK) fill(s, "complete", out);
    return status;
  }
  erg_index_ranges nobody = {0};
  s->farm.round++;
  s->farm.last_round = s->farm.round + o->rounds - 1;
  if (o->retry_failed && !o->dry_run) status = take_out_failed(s, error);
  if (status == ERG_OK) status = freeze(&s->farm, text, error);
  if (status == ERG_OK) status = erg_farm_write_round(&s->farm, &s->missing, &nobody, error);
  if (status == ERG_OK) status = erg_farm_submit_round(&s->farm, o->dry_run ? dry : NULL, error);
  if (status != ERG_OK) return status;
  fill(s, o->dry_run ? "dry run" : "submitted", out);
  out->commands[0] = dry[0];
  out->commands[1] = dry[1];
  if (o->dry_run) out->array_job = out->reconcile_job = NULL;
  return ERG_OK;
}

erg_status erg_farm_submit(const char *spec, const char *store, const erg_farm_options *options,
                           erg_farm_report *report, erg_error *error) {
  session s = {.lock = -1, .failed = -1};
  erg_status status = submit(&s, spec, store, options, report, error);
  end(&s);
  return status;
}

/* ---------------------------------------------------------------- reconcile */

/* Points that are still missing after the last round and at which tasks died again and again become rows. */
static erg_status blame(session *s, const erg_index_ranges *deaths, erg_error *error) {
  erg_sweep_inputs inputs = {0};
  erg_status status = ERG_OK;
  for (int64_t i = 0; i < s->missing.count; i++)
    for (int64_t index = s->missing.items[i].first; status == ERG_OK && index <= s->missing.items[i].last; index++) {
      int count = erg_farm_deaths_of(deaths, index);
      if (count < DEATHS_TO_BLAME) continue;
      erg_arena arena = {0};
      erg_point point;
      erg_sweep_row row;
      status = erg_sweep_point(&s->sweep, index, &inputs, &arena, &point, &row, error);
      if (status == ERG_OK) {
        const char *reason = erg_arena_printf(
            &arena, "its task on the farm died %d times while it was evaluated; logs: %s", count, s->farm.folder);
        erg_sweep_fail(&row, &arena, reason ? reason : "its task on the farm died");
        status = erg_store_put(s->store, &row, error);
      }
      erg_arena_free(&arena);
    }
  erg_sweep_inputs_free(&inputs);
  erg_status flushed = erg_store_flush(s->store, error);
  return status == ERG_OK ? flushed : status;
}

/* The tasks have ended and points are missing. */
static erg_status next_round(session *s, const char **state, erg_error *error) {
  erg_index_ranges deaths = {0};
  erg_status status = erg_farm_deaths(&s->farm, &deaths, error);
  if (status == ERG_OK && s->farm.round < s->farm.last_round) {
    s->farm.round++;
    status = erg_farm_write_round(&s->farm, &s->missing, &deaths, error);
    if (status == ERG_OK) status = erg_farm_submit_round(&s->farm, NULL, error);
    *state = "submitted";
  } else if (status == ERG_OK) {
    status = blame(s, &deaths, error);
    if (status == ERG_OK) status = scan(s, false, error);
    if (status == ERG_OK && s->missing.points == 0) {
      *state = "complete";
      status = complete(s, error);
    } else if (status == ERG_OK) {
      *state = s->farm.state = "incomplete";
      s->farm.missing = s->missing.points;
      status = erg_farm_save(&s->farm, error);
    }
  }
  erg_ranges_free(&deaths);
  return status;
}

static erg_status reconcile(session *s, const char *store, erg_farm_report *out, erg_error *error) {
  erg_status status = erg_farm_load(store, &s->farm, error);
  if (status == ERG_OK) status = erg_farm_lock(&s->farm, &s->lock, error);
  if (status != ERG_OK) return status;
  erg_farm_free(&s->farm); /* as it is now that nobody else writes it */
  s->farm = (erg_farm){0};
  status = erg_farm_load(store, &s->farm, error);
  if (status != ERG_OK) return status;
  erg_farm_jobs array = {0}, behind = {0};
  erg_error fault = {0};
  if (was_submitted(&s->farm) && erg_farm_ask(&s->farm, &array, &behind, &fault) != ERG_OK)
    s->notes = erg_arena_printf(&s->farm.arena, "%s; taken for ended", fault.text);
  erg_error_clear(&fault);
  /* Relative names in the specification are those of the folder where it was submitted. */
  if (chdir(s->farm.directory) != 0)
    return erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", s->farm.directory, strerror(errno));
  const char *spec = erg_arena_printf(&s->farm.arena, "%s/spec.yaml", s->farm.folder), *notes = NULL;
  if (!spec) return out_of_memory(error);
  status = erg_sweep_load(spec, &s->sweep, error);
  s->loaded = status == ERG_OK;
  if (status == ERG_OK) status = erg_store_open(s->farm.store, true, &s->store, error);
  if (status == ERG_OK) status = erg_farm_merge(&s->farm, s->store, &s->merged, &notes, error);
  if (notes) s->notes = s->notes ? erg_arena_printf(&s->farm.arena, "%s\n%s", s->notes, notes) : notes;
  if (status == ERG_OK) status = scan(s, false, error);
  if (status != ERG_OK) return status;
  if (strcmp(s->plan, s->farm.plan) != 0)
    return erg_fail(error, ERG_ERR_DATA,
                    "files behind the points of %s changed since it was submitted; what was computed is stored: submit "
                    "again",
                    spec);
  const char *state = busy(&array) ? "under way" : s->missing.points == 0 ? "complete" : s->farm.state;
  if (strcmp(state, "complete") == 0)
    status = complete(s, error);
  else if (!busy(&array) && was_submitted(&s->farm))
    status = next_round(s, &state, error);
  if (status == ERG_OK) fill(s, state, out);
  return status;
}

erg_status erg_farm_reconcile(const char *store, erg_farm_report *report, erg_error *error) {
  session s = {.lock = -1, .failed = -1};
  erg_status status = reconcile(&s, store, report, error);
  end(&s);
  return status;
}

/* ---------------------------------------------------------------- status */

erg_status erg_farm_status(const char *store, erg_farm_report *report, erg_error *error) {
  session s = {.lock = -1, .failed = -1};
  erg_status status = erg_farm_load(store, &s.farm, error);
  if (status != ERG_OK) return status;
  erg_farm_jobs array = {0}, behind = {0};
  erg_error fault = {0};
  const char *state = s.farm.state, *why = NULL;
  bool asked = was_submitted(&s.farm), known = asked && erg_farm_ask(&s.farm, &array, &behind, &fault) == ERG_OK;
  if (known) state = busy(&array) || busy(&behind) ? "under way" : "stopped";
  if (asked && !known) why = erg_arena_strdup(&s.farm.arena, fault.text);
  erg_error_clear(&fault);
  s.missing.points = s.farm.missing;
  fill(&s, state, report);
  s.missing.points = 0;
  report->queue_known = known;
  report->queue_fault = why;
  report->array = array;
  report->reconcile = behind;
  return ERG_OK;
}

void erg_farm_report_free(erg_farm_report *report) {
  erg_arena_free(&report->arena);
}
