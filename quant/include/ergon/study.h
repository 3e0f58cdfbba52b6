/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file study.h
 *  Claims about quantization, measured: a study trains, quantizes, prices and judges over many seeds and says of each
 *  claim whether it shows, beside the controls that could explain it away. One study a file in studies/. Included by
 *  quant.h. */
#ifndef ERGON_STUDY_H
#define ERGON_STUDY_H

#include "ergon/base.h"
#include "ergon/registry.h"
#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { ERG_SHOWS, ERG_SHOWS_IN_PART, ERG_DOES_NOT_SHOW, ERG_VERDICT_COUNT } erg_verdict;
extern const char *const erg_verdict_names[]; /**< "shows", "shows in part", "does not show" */

typedef struct {
  const char *claim, *setting, *measured, *control; /**< sentences; figures with their spread and the count of seeds */
  erg_verdict verdict;
  const char *about; /**< one of the study's cases, or NULL: whatever the user has */
} erg_study_claim;

/** Which columns a study's points have: texts first, then numbers with their units in the names. */
typedef struct {
  const char *const *texts;   /**< NULL at the end */
  const char *const *numbers; /**< NULL at the end; "seed" is always the first number, not named here */
} erg_study_columns;

typedef struct {
  uint64_t seed;
  const char *const *texts;
  const double *numbers; /**< NAN: none */
} erg_study_point;

typedef struct erg_study erg_study;
typedef struct {
  erg_arena arena;
  const erg_study *study;
  uint64_t first_seed;
  int seeds;
  bool brief; /**< the options' */
  erg_study_claim *claims;
  int claim_count, claim_room;
  erg_study_point *points;
  int point_count, point_room;
} erg_study_result;

typedef struct {
  uint64_t first_seed;
  int seeds;              /**< 1 and up: first_seed, first_seed + 1, ... */
  erg_progress *progress; /**< in seeds; may be NULL */
  bool brief;             /**< tests: fewer arms, or training too short to be judged; the machine's rows are whole */
} erg_study_options;

struct erg_study {
  const char *name, *help;
  int seeds; /**< by default: enough for the sign test the claims ask for */
  erg_study_columns columns;
  /** Adds points of one seed. */
  erg_status (*seed)(uint64_t seed, erg_study_result *out, erg_error *error);
  /** Adds claims from all points. */
  erg_status (*judge)(erg_study_result *out, erg_error *error);
  const char *const *cases; /**< what a user may have, where the answer turns on it; NULL at the end, or no list */
};
ERG_REGISTRY(erg_study)

/** ERG_ERR_USAGE with the names that exist. */
erg_status erg_study_find(const char *name, const erg_study **out, erg_error *error);
erg_status erg_study_run(const erg_study *study, const erg_study_options *options, erg_study_result *out,
                         erg_error *error);
void erg_study_result_free(erg_study_result *result);

/** Copies texts and numbers, as many as the study's columns. ERG_ERR_INTERNAL: no memory. */
erg_status erg_study_add(erg_study_result *result, uint64_t seed, const char *const *texts, const double *numbers,
                         erg_error *error);
/** The verdict, the claim, then a printf format of what was measured. The other texts are kept as they are. */
erg_status erg_study_claim_add(erg_study_result *result, erg_verdict verdict, const char *claim, const char *setting,
                               const char *control, erg_error *error, const char *measured, ...) ERG_PRINTF(7, 8);

/* ---- statistics over seeds ---- */

/** A number of the points whose texts are `texts` (NULL: any), one a seed in order of seeds. */
typedef struct { double *values; int count; } erg_study_series;
/** ERG_ERR_DATA: a seed has no such point, or two. In the result's arena. */
erg_status erg_study_series_of(erg_study_result *result, const char *const *texts, const char *number,
                               erg_study_series *out, erg_error *error);
/** Mean and standard deviation (n - 1) over seeds. */
void erg_study_mean(const erg_study_series *series, double *mean, double *deviation);
/** Seeds in which a < b. */
int erg_study_wins(const erg_study_series *a, const erg_study_series *b);
/** Probability that a fair coin shows at least `wins` heads in `count` throws (the one-sided sign test). */
double erg_sign_test(int wins, int count);

/* ---- reports ---- */

/** {"name", "help", "first_seed", "seeds", "claims": [..], "columns": [..], "points": [[..]]}. */
json_t *erg_study_json(const erg_study_result *result);
/** Markdown of one such object: a section with the table of its claims. ERG_ERR_DATA names what is missing. */
erg_status erg_study_markdown(const json_t *study, FILE *out, erg_error *error);
/** CSV of the points, a row each. */
void erg_study_csv(const erg_study_result *result, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
