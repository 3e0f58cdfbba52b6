/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads what the Verilated array counted: a line a point, C '<fields>' count, each field \\1 key \\2 value. */
#include "verify_look.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Value of a field in [at, end), its length in *length; NULL when there is none. */
static const char *field(const char *at, const char *end, const char *key, size_t *length) {
  size_t key_length = strlen(key);
  for (const char *p = at; p < end; p++) {
    if (*p != 1 || (size_t)(end - p) < key_length + 2) continue;
    if (strncmp(p + 1, key, key_length) != 0 || p[1 + key_length] != 2) continue;
    const char *value = p + key_length + 2, *stop = value;
    while (stop < end && *stop != 1) stop++;
    *length = (size_t)(stop - value);
    return value;
  }
  return NULL;
}

#define MOST_SOURCES 16
#define MOST_LINE 2000
typedef struct {
  erg_verify_coverage sources[MOST_SOURCES];
  int count;
  signed char seen[MOST_SOURCES][MOST_LINE]; /* 0 no point there, 1 never ran, 2 ran */
} tally;

static int source_of(tally *t, erg_arena *arena, const char *path, size_t length) {
  const char *name = path;
  for (size_t i = 0; i < length; i++)
    if (path[i] == '/') name = path + i + 1;
  length -= (size_t)(name - path);
  for (int i = 0; i < t->count; i++)
    if (strncmp(t->sources[i].source, name, length) == 0 && t->sources[i].source[length] == 0) return i;
  char *kept = t->count < MOST_SOURCES ? erg_arena_printf(arena, "%.*s", (int)length, name) : NULL;
  if (!kept) return -1;
  t->sources[t->count].source = kept;
  return t->count++;
}

static void take(tally *t, erg_arena *arena, const char *line) {
  const char *end = strrchr(line, '\'');
  size_t page_length, file_length, line_length;
  if (strncmp(line, "C '", 3) != 0 || !end || end <= line + 3) return;
  const char *page = field(line, end, "page", &page_length), *file = field(line, end, "f", &file_length),
             *number = field(line, end, "l", &line_length);
  if (!page || !file || !number) return;
  int source = source_of(t, arena, file, file_length);
  long at = strtol(number, NULL, 10);
  if (source < 0 || at < 0 || at >= MOST_LINE) return;
  bool hit = strtoll(end + 1, NULL, 10) > 0;
  if (strncmp(page, "v_toggle", 8) == 0) {
    t->sources[source].toggles++;
    t->sources[source].toggles_hit += hit;
  } else {
    signed char *seen = &t->seen[source][at]; /* a line of several points counts as run when one of them was */
    if (*seen < 1 + hit) *seen = (signed char)(1 + hit);
  }
}

static bool sum_up(tally *t, erg_verify_result *result) {
  for (int i = 0; i < t->count; i++) {
    erg_verify_coverage *c = &t->sources[i];
    for (int line = 0; line < MOST_LINE; line++) {
      c->lines += t->seen[i][line] > 0;
      c->lines_hit += t->seen[i][line] > 1;
    }
    c->missed = erg_arena_alloc(&result->arena, sizeof *c->missed * (size_t)(c->lines - c->lines_hit + 1));
    if (!c->missed) return false;
    for (int line = 0, k = 0; line < MOST_LINE; line++)
      if (t->seen[i][line] == 1) c->missed[k++] = line;
  }
  result->coverage = erg_arena_alloc(&result->arena, sizeof t->sources);
  if (!result->coverage) return false;
  memcpy(result->coverage, t->sources, sizeof t->sources);
  result->coverage_count = t->count;
  return true;
}

erg_status erg_verify_cover(erg_rtl *rtl, const char *path, erg_verify_result *result, erg_status status,
                            erg_error *error) {
  tally *t = calloc(1, sizeof *t);
  FILE *stream = t && erg_rtl_coverage(rtl, path) ? fopen(path, "r") : NULL;
  char *line = NULL;
  size_t room = 0;
  while (stream && getline(&line, &room, stream) > 0) take(t, &result->arena, line);
  bool whole = stream && sum_up(t, result);
  if (stream) fclose(stream);
  free(line);
  free(t);
  if (whole || status != ERG_OK) return status;
  return erg_fail(error, ERG_ERR_CREATE, "--coverage: %s: %s", path, errno ? strerror(errno) : "cannot be written");
}
