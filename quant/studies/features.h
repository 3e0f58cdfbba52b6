/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the study of features and its judge share. */
#ifndef ERGON_QUANT_STUDIES_FEATURES_H
#define ERGON_QUANT_STUDIES_FEATURES_H

#include "ergon/study.h"

/* Texts of a row: what is read, of which gallery (or by which error), by which encoder. */
#define FEATURES_POOLED "pooled"
#define FEATURES_GRAM "gram"
#define FEATURES_CLASSIFIER "classifier"
#define FEATURES_BIAS "gram diagonal"
#define FEATURES_ROUNDING "rounding alone"
#define FEATURES_NETWORK "integer network"
#define FEATURES_FLOAT "float"
#define FEATURES_RANDOM "random weights"

enum {
  FEATURES_MAP,
  FEATURES_RECALL_1,
  FEATURES_RECALL_10,
  FEATURES_OVERLAP,
  FEATURES_COSINE,
  FEATURES_ACCURACY,
  FEATURES_DIAGONAL,
  FEATURES_SHARE,
  FEATURES_OFF_DIAGONAL,
  FEATURES_POSITIVE,
  FEATURES_NUMBERS
};

typedef struct {
  const char *name, *precision;
  int bits; /* of weights and activations; 0: they differ */
} features_width;
#define FEATURES_WIDTHS 8
#define FEATURES_UNIFORM 6 /* the first of them, from wide to narrow */
extern const features_width features_widths[FEATURES_WIDTHS];

erg_status features_judge(erg_study_result *result, erg_error *error);

#endif
