/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running studies: seeds one by one, then the claims. */
#include "ergon/study.h"
#include <stdarg.h>
#include <string.h>

const char *const erg_verdict_names[] = {"shows", "shows in part", "does not show", NULL};

erg_status erg_study_find(const char *name, const erg_study **out, erg_error *error) {
  const char *names[64] = {NULL};
  char list[1024] = "";
  size_t count = 0;
  ERG_EACH(erg_study, item) {
    if (strcmp((*item)->name, name) == 0) {
      *out = *item;
      return ERG_OK;
    }
    if (count + 1 < ERG_COUNT_OF(names)) names[count++] = (*item)->name;
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", (*item)->name);
  }
  const char *nearest = erg_nearest(name, names);
  return erg_fail(error, ERG_ERR_USAGE, "study: found '%s'%s%s%s; allowed: %s", name, nearest ? " (did you mean " : "",
                  nearest ? nearest : "", nearest ? "?)" : "", list);
}

/* Room for one more in an array that lives in the arena. */
static void *grow(erg_arena *arena, void *items, int count, int *room, size_t bytes) {
  if (count < *room) return items;
  int more = *room ? 2 * *room : 64;
  void *moved = erg_arena_alloc(arena, (size_t)more * bytes);
  if (moved && count) memcpy(moved, items, (size_t)count * bytes);
  if (moved) *room = more;
  return moved;
}

static int length_of(const char *const *names) {
  int count = 0;
  while (names && names[count]) count++;
  return count;
}

erg_status erg_study_add(erg_study_result *r, uint64_t seed, const char *const *texts, const double *numbers,
                         erg_error *error) {
  int text_count = length_of(r->study->columns.texts), number_count = length_of(r->study->columns.numbers);
  erg_study_point *points = grow(&r->arena, r->points, r->point_count, &r->point_room, sizeof *points);
  const char **kept = erg_arena_alloc(&r->arena, ((size_t)text_count + 1) * sizeof *kept);
  double *values = erg_arena_alloc(&r->arena, (size_t)number_count * sizeof *values);
  if (!points || !kept || !values) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < text_count; i++)
    if (!(kept[i] = erg_arena_strdup(&r->arena, texts[i]))) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  memcpy(values, numbers, (size_t)number_count * sizeof *values);
  r->points = points;
  r->points[r->point_count++] = (erg_study_point){seed, kept, values};
  return ERG_OK;
}

erg_status erg_study_claim_add(erg_study_result *r, erg_verdict verdict, const char *claim, const char *setting,
                               const char *control, erg_error *error, const char *measured, ...) {
  char text[2048];
  va_list list;
  va_start(list, measured);
  vsnprintf(text, sizeof text, measured, list);
  va_end(list);
  for (char *at = text; (at = strstr(at, "nan")); at += 3) /* the spread of one seed */
    if (at > text && strchr(" (-+", at[-1])) memcpy(at, "n/a", 3);
  erg_study_claim *claims = grow(&r->arena, r->claims, r->claim_count, &r->claim_room, sizeof *claims);
  const char *kept[] = {erg_arena_strdup(&r->arena, claim), erg_arena_strdup(&r->arena, setting),
                        erg_arena_strdup(&r->arena, text), erg_arena_strdup(&r->arena, control)};
  if (!claims || !kept[0] || !kept[1] || !kept[2] || !kept[3])
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  r->claims = claims;
  r->claims[r->claim_count++] = (erg_study_claim){kept[0], kept[1], kept[2], kept[3], verdict};
  return ERG_OK;
}

erg_status erg_study_run(const erg_study *study, const erg_study_options *options, erg_study_result *out,
                         erg_error *error) {
  if (options->seeds < 1)
    return erg_fail(error, ERG_ERR_USAGE, "study: found %d seeds; allowed: 1 and up", options->seeds);
  erg_study_result result = {
      .study = study, .first_seed = options->first_seed, .seeds = options->seeds, .brief = options->brief};
  erg_status status = ERG_OK;
  for (int i = 0; i < options->seeds && status == ERG_OK; i++) {
    erg_error fault = {0};
    const uint64_t seed = options->first_seed + (uint64_t)i;
    status = study->seed(seed, &result, &fault);
    if (status != ERG_OK)
      erg_fail(error, status, "study %s, seed %llu: %s", study->name, (unsigned long long)seed,
               fault.text ? fault.text : "failed");
    erg_error_clear(&fault);
    if (options->progress) erg_progress_update(options->progress, i + 1, study->name);
  }
  if (status == ERG_OK) status = study->judge(&result, error);
  if (status != ERG_OK) {
    erg_study_result_free(&result);
    return status;
  }
  *out = result;
  return ERG_OK;
}

void erg_study_result_free(erg_study_result *result) {
  erg_arena_free(&result->arena);
  memset(result, 0, sizeof *result);
}
