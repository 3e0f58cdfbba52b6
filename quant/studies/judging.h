/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What judges of studies share: a number over seeds, and how many seeds make a claim. */
#ifndef ERGON_QUANT_STUDIES_JUDGING_H
#define ERGON_QUANT_STUDIES_JUDGING_H

#include "ergon/study.h"

typedef struct {
  erg_study_series series;
  double mean, deviation;
} judging_sample;

/* Of the points with these texts (as many as the study has, NULL: any). */
erg_status judging_take(erg_study_result *r, const char *const *texts, const char *number, judging_sample *out,
                        erg_error *error);
/* The first point with these texts, all of the study's; NULL: there is none. For rows without a spread. */
const erg_study_point *judging_point(const erg_study_result *r, const char *const *texts);
/* (s - floor) / (real - floor), seed by seed in the series and its deviation, of the means in the mean: a seed in which
 * real and floor hardly differ spoils a mean of quotients. */
void judging_kept(judging_sample *s, const judging_sample *real, const judging_sample *floor);
int judging_nine_tenths(const erg_study_result *r);
int judging_at_least(const judging_sample *s, double limit);
/* Shows in nine tenths of the seeds, in part in more than half. */
erg_verdict judging_wins(const erg_study_result *r, int wins);

#endif
