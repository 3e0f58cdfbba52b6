/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: a network's plan, kept from point to point. It depends on a point only through how fusions are judged. */
#ifndef ERGON_SIM_KEPT_H
#define ERGON_SIM_KEPT_H
#include "ergon/sim.h"

typedef struct {
  erg_pass fused, parts[2];
  int part_count;
  bool verdict;
} erg_question;

/* One fusion choice's plan; start with {0}. */
typedef struct {
  erg_arena arena;
  bool made;
  erg_plan plan;
  int *times; /* by pass: how many are alike, at the first of them; 0 at the others */
  erg_question *questions;
  int question_count;
} erg_kept_plan;

/* The plan at this point: the kept one where all fusions are judged as they were, else a new one, kept from now on.
 * point->fusion is any but `depth`, whose chains depend on more. */
erg_status erg_kept_plan_at(erg_kept_plan *kept, const erg_point *point, erg_error *error);
void erg_kept_plan_free(erg_kept_plan *kept);
#endif
