/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of points as ranges, and the list of those that a store does not have. */
#include "ergon/sweep.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool erg_ranges_add(erg_index_ranges *r, int64_t first, int64_t last) {
  if (r->count && r->items[r->count - 1].last + 1 == first) {
    r->items[r->count - 1].last = last;
  } else {
    if (r->count == r->room) {
      int64_t room = 2 * r->room + 16;
      erg_index_range *moved = realloc(r->items, (size_t)room * sizeof *moved);
      if (!moved) return false;
      r->items = moved;
      r->room = room;
    }
    r->items[r->count++] = (erg_index_range){first, last};
  }
  r->points += last - first + 1;
  return true;
}

void erg_ranges_free(erg_index_ranges *r) {
  free(r->items);
  *r = (erg_index_ranges){0};
}

/* "7" or "3-9". */
static bool parse(char *word, int64_t size, erg_index_range *out) {
  char *dash = strchr(word, '-');
  if (dash) *dash++ = 0;
  char *first = word, *last = dash ? dash : word, *end;
  if (*first < '0' || *first > '9' || *last < '0' || *last > '9') return false;
  errno = 0;
  out->first = strtoll(first, &end, 10);
  if (*end || errno) return false;
  out->last = strtoll(last, &end, 10);
  return !*end && !errno && out->first <= out->last && out->last < size;
}

erg_status erg_ranges_load(const char *path, int64_t wanted, int64_t lines, int64_t size, erg_index_ranges *out,
                           erg_error *error) {
  FILE *stream = fopen(path, "r");
  if (!stream) return erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
  char *line = NULL;
  size_t room = 0;
  erg_status status = ERG_OK;
  erg_index_ranges list = {0};
  int64_t number = 0;
  for (ssize_t length; status == ERG_OK && (length = getline(&line, &room, stream)) > 0; number++) {
    if (number != wanted) continue;
    if (line[length - 1] == '\n') line[length - 1] = 0;
    char *rest = line;
    for (char *word; status == ERG_OK && (word = strsep(&rest, " "));) {
      erg_index_range range;
      if (!parse(word, size, &range))
        status = erg_fail(error, ERG_ERR_DATA, "%s:%lld: allowed: numbers and ranges below %lld, such as `0-99 103`",
                          path, (long long)number + 1, (long long)size);
      else if (!erg_ranges_add(&list, range.first, range.last))
        status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    }
  }
  free(line);
  fclose(stream);
  if (status == ERG_OK && number != lines)
    status = erg_fail(error, ERG_ERR_DATA, "%s: found %lld lines; --chunk says %lld", path, (long long)number,
                      (long long)lines);
  if (status == ERG_OK)
    *out = list;
  else
    erg_ranges_free(&list);
  return status;
}

erg_status erg_sweep_missing(const erg_sweep *sweep, erg_store *store, bool failed_too, erg_index_ranges *missing,
                             int64_t *failed, char plan[65], erg_error *error) {
  char chain[129] = "";
  int64_t failures = 0, size = erg_sweep_size(sweep);
  erg_sweep_inputs inputs = {0};
  erg_status status = ERG_OK;
  for (int64_t i = 0; i < size && status == ERG_OK; i++) {
    erg_arena arena = {0};
    erg_point point;
    erg_sweep_row row;
    status = erg_sweep_point(sweep, i, &inputs, &arena, &point, &row, error);
    erg_stored stored = ERG_NOT_STORED;
    if (status == ERG_OK) status = erg_store_find(store, row.key, &stored, error);
    if (status == ERG_OK) {
      bool bad = stored == ERG_STORED_FAILED;
      failures += bad;
      memcpy(chain + (*chain ? 64 : 0), row.key, 65);
      erg_sha256_hex(chain, strlen(chain), chain);
      if ((stored == ERG_NOT_STORED || (bad && failed_too)) && !erg_ranges_add(missing, i, i))
        status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    }
    erg_arena_free(&arena);
  }
  erg_sweep_inputs_free(&inputs);
  if (failed) *failed = failures;
  if (plan) memcpy(plan, chain, 65);
  return status;
}
