/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shards and trails that the tasks of a farm left behind. */
#include "farm.h"
#include "trail.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *name, const char *suffix) {
  size_t length = strlen(name), tail = strlen(suffix);
  return length > tail && strcmp(name + length - tail, suffix) == 0;
}

/* Calls `use` for each file of each round whose name ends so; stops at the first that fails. */
static erg_status each(const erg_farm *farm, const char *suffix,
                       erg_status (*use)(void *context, const char *path, erg_error *error), void *context,
                       erg_error *error) {
  erg_status status = ERG_OK;
  for (int round = 1; round <= farm->round && status == ERG_OK; round++) {
    char path[8192];
    snprintf(path, sizeof path, "%s/round-%d", farm->folder, round);
    size_t length = strlen(path);
    DIR *folder = opendir(path);
    for (struct dirent *entry; status == ERG_OK && folder && (entry = readdir(folder));) {
      if (!ends_with(entry->d_name, suffix)) continue;
      snprintf(path + length, sizeof path - length, "/%s", entry->d_name);
      status = use(context, path, error);
    }
    if (folder) closedir(folder);
  }
  return status;
}

/* ---------------------------------------------------------------- shards */

typedef struct {
  erg_farm *farm;
  erg_store *store;
  int64_t added;
  const char *notes;
} merging;

static erg_status merge(void *context, const char *path, erg_error *error) {
  merging *m = context;
  struct stat info;
  int64_t added = 0;
  erg_error fault = {0};
  if (stat(path, &info) == 0 && info.st_size == 0) return ERG_OK; /* killed before its first row */
  erg_status status = erg_store_merge(m->store, path, &added, &fault);
  m->added += added;
  if (status == ERG_ERR_DATA) {
    m->notes = erg_arena_printf(&m->farm->arena, "%s%s%s", m->notes ? m->notes : "", m->notes ? "\n" : "", fault.text);
    status = ERG_OK;
  } else if (status != ERG_OK) {
    erg_fail(error, status, "%s", fault.text);
  }
  erg_error_clear(&fault);
  return status;
}

erg_status erg_farm_merge(erg_farm *farm, erg_store *store, int64_t *added, const char **notes, erg_error *error) {
  merging m = {.farm = farm, .store = store};
  erg_status status = each(farm, ".db", merge, &m, error);
  *added += m.added;
  *notes = m.notes;
  return status;
}

static erg_status discard(void *context, const char *path, erg_error *error) {
  (void)context;
  (void)error;
  unlink(path);
  return ERG_OK;
}

void erg_farm_remove_shards(erg_farm *farm) {
  static const char *const suffixes[] = {".db", ".db-wal", ".db-shm", ".trail"};
  for (size_t i = 0; i < ERG_COUNT_OF(suffixes); i++) each(farm, suffixes[i], discard, NULL, NULL);
}

/* ---------------------------------------------------------------- deaths */

static erg_status take_trail(void *context, const char *path, erg_error *error) {
  (void)error;
  erg_trail_read(path, INT64_MAX, context);
  unlink(path);
  return ERG_OK;
}

erg_status erg_farm_deaths(erg_farm *farm, erg_index_ranges *out, erg_error *error) {
  char path[8192];
  erg_index_ranges fresh = {0};
  snprintf(path, sizeof path, "%s/deaths", farm->folder);
  each(farm, ".trail", take_trail, &fresh, NULL);
  FILE *stream = fopen(path, "a+");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  for (int64_t i = 0; i < fresh.count; i++)
    for (int64_t point = fresh.items[i].first; point <= fresh.items[i].last; point++)
      fprintf(stream, "%lld\n", (long long)point);
  erg_ranges_free(&fresh);
  rewind(stream);
  for (long long point; fscanf(stream, "%lld", &point) == 1;)
    if (!erg_ranges_add(out, point, point)) {
      fclose(stream);
      return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    }
  if (fclose(stream) != 0) return erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
  return ERG_OK;
}

int erg_farm_deaths_of(const erg_index_ranges *deaths, int64_t point) {
  int count = 0;
  for (int64_t i = 0; i < deaths->count; i++)
    count += deaths->items[i].first <= point && point <= deaths->items[i].last;
  return count;
}
