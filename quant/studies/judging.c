/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "judging.h"
#include <string.h>

erg_status judging_take(erg_study_result *r, const char *const *texts, const char *number, judging_sample *out,
                        erg_error *error) {
  erg_status status = erg_study_series_of(r, texts, number, &out->series, error);
  if (status == ERG_OK) erg_study_mean(&out->series, &out->mean, &out->deviation);
  return status;
}

const erg_study_point *judging_point(const erg_study_result *r, const char *const *texts) {
  for (int i = 0; i < r->point_count; i++) {
    bool same = true;
    for (int t = 0; r->study->columns.texts[t]; t++) same = same && strcmp(texts[t], r->points[i].texts[t]) == 0;
    if (same) return &r->points[i];
  }
  return NULL;
}

void judging_kept(judging_sample *s, const judging_sample *real, const judging_sample *floor) {
  const double mean = (s->mean - floor->mean) / (real->mean - floor->mean);
  for (int i = 0; i < s->series.count; i++)
    s->series.values[i] =
        (s->series.values[i] - floor->series.values[i]) / (real->series.values[i] - floor->series.values[i]);
  erg_study_mean(&s->series, &s->mean, &s->deviation);
  s->mean = mean;
}

int judging_nine_tenths(const erg_study_result *r) {
  return (9 * r->seeds + 9) / 10;
}

int judging_at_least(const judging_sample *s, double limit) {
  int count = 0;
  for (int i = 0; i < s->series.count; i++) count += s->series.values[i] >= limit;
  return count;
}

erg_verdict judging_wins(const erg_study_result *r, int wins) {
  return wins >= judging_nine_tenths(r) ? ERG_SHOWS : 2 * wins > r->seeds ? ERG_SHOWS_IN_PART : ERG_DOES_NOT_SHOW;
}
