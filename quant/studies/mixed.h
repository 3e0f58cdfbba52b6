/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two halves of the study of mixed precision share: measuring a seed (mixed.c), judging all (mixed_judge.c). */
#ifndef ERGON_QUANT_STUDIES_MIXED_H
#define ERGON_QUANT_STUDIES_MIXED_H

#include "ergon/study.h"

#define MIXED_RANDOM_PLANS 10 /* as cheap as the uniform plan of a budget */

erg_status mixed_judge(erg_study_result *result, erg_error *error);
#endif
