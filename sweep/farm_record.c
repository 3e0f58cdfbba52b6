/* SPDX-License-Identifier: GPL-3.0-or-later */
/* submission.json: read, written, locked. */
#include "farm.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_VERSION 1

const erg_farm_engine *erg_farm_engine_find(const char *name, erg_error *error) {
  char names[256] = "";
  ERG_EACH(erg_farm_engine, item) {
    if (strcmp((*item)->name, name) == 0) return *item;
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", (*item)->name);
  }
  erg_fail(error, ERG_ERR_USAGE, "--engine: found '%s'; allowed: %s", name, names);
  return NULL;
}

erg_status erg_farm_begin(const char *store, erg_farm *farm, erg_error *error) {
  char here[4096];
  *farm = (erg_farm){0};
  if (!getcwd(here, sizeof here))
    return erg_fail(error, ERG_ERR_CONFIG, "the present folder has no name: %s", strerror(errno));
  farm->store =
      *store == '/' ? erg_arena_strdup(&farm->arena, store) : erg_arena_printf(&farm->arena, "%s/%s", here, store);
  farm->folder = farm->store ? erg_arena_printf(&farm->arena, "%s.farm", farm->store) : NULL;
  farm->directory = erg_arena_strdup(&farm->arena, here);
  return farm->folder && farm->directory ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

/* Texts and whole numbers of the record by name, both ways. */
typedef struct {
  const char *name;
  size_t offset;
} member;
#define MEMBER(field)                                                                                                  \
  { #field, offsetof(erg_farm, field) }
static const member texts[] = {MEMBER(state),         MEMBER(engine),   MEMBER(name),      MEMBER(plan),
                               MEMBER(program),       MEMBER(data),     MEMBER(directory), MEMBER(array_job),
                               MEMBER(reconcile_job), MEMBER(job_name), MEMBER(partition), MEMBER(time)};
static const member numbers[] = {MEMBER(points), MEMBER(chunk_points), MEMBER(missing), MEMBER(tasks)};
static const member counts[] = {MEMBER(round), MEMBER(last_round), MEMBER(rounds), MEMBER(jobs), MEMBER(kill_at)};
#define AT(type, farm, m) ((type *)(void *)((char *)(farm) + (m).offset))

static bool decode(const json_t *document, erg_farm *farm) {
  bool good = json_integer_value(json_object_get(document, "version")) == RECORD_VERSION;
  for (size_t i = 0; i < ERG_COUNT_OF(texts); i++) {
    const char *text = json_string_value(json_object_get(document, texts[i].name));
    *AT(const char *, farm, texts[i]) = text ? erg_arena_strdup(&farm->arena, text) : NULL;
  }
  for (size_t i = 0; i < ERG_COUNT_OF(numbers); i++)
    *AT(int64_t, farm, numbers[i]) = json_integer_value(json_object_get(document, numbers[i].name));
  for (size_t i = 0; i < ERG_COUNT_OF(counts); i++)
    *AT(int, farm, counts[i]) = (int)json_integer_value(json_object_get(document, counts[i].name));
  farm->kill_pool = json_is_true(json_object_get(document, "kill_pool"));
  const json_t *extra = json_object_get(document, "extra");
  for (size_t i = 0; i < json_array_size(extra) && i < FARM_MOST_EXTRA; i++) {
    const char *text = json_string_value(json_array_get(extra, i));
    farm->extra[i] = erg_arena_strdup(&farm->arena, text ? text : "");
  }
  return good && farm->state && farm->engine && farm->name && farm->plan && farm->job_name && farm->program &&
         farm->directory && farm->chunk_points > 0 && farm->round > 0 && farm->jobs > 0;
}

erg_status erg_farm_load(const char *store, erg_farm *out, erg_error *error) {
  erg_farm farm;
  erg_status status = erg_farm_begin(store, &farm, error);
  char *path = status == ERG_OK ? erg_arena_printf(&farm.arena, "%s/submission.json", farm.folder) : NULL;
  json_error_t fault;
  if (!path) return status == ERG_OK ? erg_fail(error, ERG_ERR_INTERNAL, "out of memory") : status;
  json_t *document = NULL;
  if (access(path, F_OK) != 0)
    status = erg_fail(error, ERG_ERR_NO_INPUT, "%s: nothing was submitted for this store", path);
  else if (!(document = json_load_file(path, JSON_REJECT_DUPLICATES, &fault)))
    status = erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: %s", path, fault.line, fault.column, fault.text);
  else if (!decode(document, &farm))
    status = erg_fail(error, ERG_ERR_DATA, "%s: no submission of this version of ergon", path);
  json_decref(document);
  if (status == ERG_OK)
    *out = farm;
  else
    erg_farm_free(&farm);
  return status;
}

erg_status erg_farm_save(const erg_farm *farm, erg_error *error) {
  char path[4200], aside[4200];
  snprintf(path, sizeof path, "%s/submission.json", farm->folder);
  snprintf(aside, sizeof aside, "%s/submission.json.new", farm->folder);
  json_t *document = json_pack("{s:s, s:i}", "schema", "ergon.sweep.submission", "version", RECORD_VERSION);
  json_t *extra = json_array();
  for (size_t i = 0; i < ERG_COUNT_OF(texts); i++) {
    const char *text = *AT(const char *const, farm, texts[i]);
    json_object_set_new(document, texts[i].name, text ? json_string(text) : json_null());
  }
  for (size_t i = 0; i < ERG_COUNT_OF(numbers); i++)
    json_object_set_new(document, numbers[i].name, json_integer(*AT(const int64_t, farm, numbers[i])));
  for (size_t i = 0; i < ERG_COUNT_OF(counts); i++)
    json_object_set_new(document, counts[i].name, json_integer(*AT(const int, farm, counts[i])));
  for (int i = 0; farm->extra[i]; i++) json_array_append_new(extra, json_string(farm->extra[i]));
  json_object_set_new(document, "extra", extra);
  json_object_set_new(document, "kill_pool", json_boolean(farm->kill_pool));
  FILE *stream = fopen(aside, "w");
  int failed = stream ? json_dumpf(document, stream, JSON_INDENT(1)) : -1;
  if (stream) failed |= fclose(stream) != 0;
  json_decref(document);
  if (failed || rename(aside, path) != 0) return erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
  return ERG_OK;
}

void erg_farm_free(erg_farm *farm) {
  erg_arena_free(&farm->arena);
}

erg_status erg_farm_lock(const erg_farm *farm, int *lock, erg_error *error) {
  char path[4200];
  *lock = -1;
  if (mkdir(farm->folder, 0777) != 0 && errno != EEXIST)
    return erg_fail(error, ERG_ERR_CREATE, "%s: %s", farm->folder, strerror(errno));
  snprintf(path, sizeof path, "%s/lock", farm->folder);
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  while (flock(file, LOCK_EX) != 0)
    if (errno != EINTR) {
      close(file);
      return erg_fail(error, ERG_ERR_IO, "%s: cannot be locked: %s", path, strerror(errno));
    }
  *lock = file;
  return ERG_OK;
}
