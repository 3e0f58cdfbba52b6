/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/study.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

static int column_of(const erg_study *study, const char *name) {
  for (int i = 0; study->columns.numbers[i]; i++)
    if (strcmp(study->columns.numbers[i], name) == 0) return i;
  return -1;
}

static bool matches(const erg_study *study, const erg_study_point *point, const char *const *texts) {
  for (int i = 0; study->columns.texts[i]; i++)
    if (texts[i] && strcmp(texts[i], point->texts[i]) != 0) return false;
  return true;
}

erg_status erg_study_series_of(erg_study_result *r, const char *const *texts, const char *number, erg_study_series *out,
                               erg_error *error) {
  int column = column_of(r->study, number);
  erg_study_series series = {erg_arena_alloc(&r->arena, (size_t)r->seeds * sizeof(double)), r->seeds};
  int *found = erg_arena_alloc(&r->arena, (size_t)r->seeds * sizeof *found);
  if (!series.values || !found) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  memset(found, 0, (size_t)r->seeds * sizeof *found);
  for (int i = 0; i < r->point_count && column >= 0; i++) {
    const erg_study_point *p = &r->points[i];
    if (!matches(r->study, p, texts)) continue;
    int seed = (int)(p->seed - r->first_seed);
    series.values[seed] = p->numbers[column];
    found[seed]++;
  }
  for (int i = 0; i < r->seeds; i++) {
    const uint64_t seed = r->first_seed + (uint64_t)i;
    if (found[i] != 1)
      return erg_fail(error, ERG_ERR_DATA, "study %s: seed %llu has %d points of %s, %s; one is needed", r->study->name,
                      (unsigned long long)seed, found[i], texts[0] ? texts[0] : "any", number);
  }
  *out = series;
  return ERG_OK;
}

void erg_study_mean(const erg_study_series *s, double *mean, double *deviation) {
  *mean = gsl_stats_mean(s->values, 1, (size_t)s->count);
  *deviation = s->count > 1 ? gsl_stats_sd_m(s->values, 1, (size_t)s->count, *mean) : NAN;
}

int erg_study_wins(const erg_study_series *a, const erg_study_series *b) {
  int wins = 0;
  for (int i = 0; i < a->count; i++) wins += a->values[i] < b->values[i];
  return wins;
}

double erg_sign_test(int wins, int count) {
  return wins <= 0 ? 1 : gsl_cdf_binomial_Q((unsigned)wins - 1, 0.5, (unsigned)count);
}
