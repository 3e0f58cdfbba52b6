/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/base.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES (64u << 20)

erg_status erg_file_read(erg_arena *arena, const char *path, char **text, size_t *bytes, erg_error *error) {
  struct stat info;
  FILE *stream = fopen(path, "rb");
  if (!stream) return erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
  erg_status status = ERG_OK;
  char *buffer = NULL;
  size_t length = 0, capacity = 0;
  if (fstat(fileno(stream), &info) == 0 && S_ISDIR(info.st_mode)) {
    status = erg_fail(error, ERG_ERR_NO_INPUT, "%s: is a folder", path);
    goto out;
  }
  for (;;) { /* not by size: pipes have none */
    if (capacity - length < 2) {
      capacity = capacity ? 2 * capacity : 65536;
      char *larger = realloc(buffer, capacity);
      if (!larger) {
        status = erg_fail(error, ERG_ERR_INTERNAL, "%s: out of memory", path);
        goto out;
      }
      buffer = larger;
    }
    size_t got = fread(buffer + length, 1, capacity - length - 1, stream);
    if (got == 0) break;
    length += got;
    if (length > MOST_BYTES) {
      status = erg_fail(error, ERG_ERR_DATA, "%s: found more than 64 MiB; allowed: 64 MiB", path);
      goto out;
    }
  }
  if (ferror(stream)) {
    status = erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
  } else if (memchr(buffer, 0, length)) {
    status = erg_fail(error, ERG_ERR_DATA, "%s: found a NUL byte; allowed: text", path);
  } else {
    char *copy = erg_arena_alloc(arena, length + 1);
    if (!copy) {
      status = erg_fail(error, ERG_ERR_INTERNAL, "%s: out of memory", path);
      goto out;
    }
    memcpy(copy, buffer, length);
    *text = copy;
    if (bytes) *bytes = length;
  }
out:
  free(buffer);
  fclose(stream);
  return status;
}

erg_status erg_data_dir(erg_arena *arena, char **path, erg_error *error) {
  struct stat info;
  const char *given = getenv("ERGON_DATA");
  char *folder;
  if (given && *given) {
    folder = erg_arena_strdup(arena, given);
  } else {
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) return erg_fail(error, ERG_ERR_CONFIG, "cannot find the program's own folder; set ERGON_DATA");
    program[length] = 0;
    char *slash = strrchr(program, '/');
    if (slash) *slash = 0;
    folder = erg_arena_printf(arena, "%s/../share/ergon", program);
  }
  if (!folder) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
    return erg_fail(error, ERG_ERR_CONFIG,
                    "%s: no such data folder; set ERGON_DATA to the folder with nets, archs, tech", folder);
  *path = folder;
  return ERG_OK;
}

static bool ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), tail = strlen(suffix);
  return length > tail && strcmp(text + length - tail, suffix) == 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

erg_status erg_data_list(erg_arena *arena, const char *kind, const char *suffix, char ***names, int *count,
                         erg_error *error) {
  char *data = NULL;
  erg_status status = erg_data_dir(arena, &data, error);
  if (status != ERG_OK) return status;
  char *folder = erg_arena_printf(arena, "%s/%s", data, kind);
  DIR *directory = folder ? opendir(folder) : NULL;
  if (!directory) return erg_fail(error, ERG_ERR_CONFIG, "%s/%s: %s", data, kind, strerror(errno));
  char *found[1024];
  int n = 0;
  for (struct dirent *entry; n < 1024 && (entry = readdir(directory));) {
    if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix)) continue;
    found[n] = erg_arena_strdup(arena, entry->d_name);
    if (found[n]) found[n][strlen(found[n]) - strlen(suffix)] = 0;
    n += found[n] != NULL;
  }
  closedir(directory);
  if (n) qsort(found, (size_t)n, sizeof found[0], by_name);
  char **list = erg_arena_alloc(arena, ((size_t)n + 1) * sizeof *list);
  if (!list) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (n) memcpy(list, found, (size_t)n * sizeof *list);
  *names = list;
  *count = n;
  return ERG_OK;
}

static erg_status take_file(erg_arena *arena, const char *name, char **path, erg_error *error) {
  if (access(name, R_OK) != 0) return erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", name, strerror(errno));
  *path = erg_arena_strdup(arena, name);
  return *path ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

erg_status erg_data_find(erg_arena *arena, const char *kind, const char *name, const char *suffix, char **path,
                         erg_error *error) {
  if (strchr(name, '/') || ends_with(name, suffix)) return take_file(arena, name, path, error);
  char **names = NULL, *data = NULL;
  int count = 0;
  erg_status status = erg_data_list(arena, kind, suffix, &names, &count, error);
  if (status == ERG_OK) status = erg_data_dir(arena, &data, error);
  if (status != ERG_OK) return status;
  for (int i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0) {
      *path = erg_arena_printf(arena, "%s/%s/%s%s", data, kind, name, suffix);
      return *path ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    }
  /* A built-in name comes first: results written to a folder of that name must not hide it. */
  if (access(name, R_OK) == 0) return take_file(arena, name, path, error);
  char list[1024] = "";
  for (int i = 0; i < count; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  const char *nearest = erg_nearest(name, (const char *const *)names);
  return erg_fail(error, ERG_ERR_NO_INPUT, "%s: no such name in %s%s%s%s; built in: %s; or give a %s file", name, kind,
                  nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "", list, suffix);
}
