/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two halves of the study of pooling share: measuring a seed (pooling.c), judging all (pooling_judge.c). */
#ifndef ERGON_QUANT_STUDIES_POOLING_H
#define ERGON_QUANT_STUDIES_POOLING_H

#include "ergon/encoder.h"
#include "ergon/study.h"

#define POOLING_LENGTHS 6 /* 4, 8, .. 128 */
#define POOLING_TRAINED 16
extern const char *const pooling_lengths[POOLING_LENGTHS];

/* What is rounded; the rest has 16 bits. */
typedef enum { POOLING_NONE, POOLING_FEATURES, POOLING_ACTIVATIONS, POOLING_PROBABILITIES, POOLING_BOTH,
               POOLING_WEIGHTS, POOLING_ALL, POOLING_ALL_MEAN, POOLING_EIGHT, POOLING_SOURCES } pooling_source;
extern const char *const pooling_sources[POOLING_SOURCES];

/* Bits of the probabilities where they alone are rounded. */
#define POOLING_WIDTHS 5
#define POOLING_RULE 2 /* the index of log2 T + 2 */
extern const char *const pooling_widths[POOLING_WIDTHS];

/* Sentences as hard as tokens, trained at each of these lengths. */
#define POOLING_MATCHED 3
extern const char *const pooling_matched[POOLING_MATCHED];

erg_status pooling_judge(erg_study_result *result, erg_error *error);
#endif
