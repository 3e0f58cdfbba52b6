/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: what a random case is. */
#ifndef ERGON_SIM_VERIFY_CASE_H
#define ERGON_SIM_VERIFY_CASE_H
#include "ergon/gemm.h"

enum { ERG_CASE_RANDOM, ERG_CASE_RAILS, ERG_CASE_TIES, ERG_CASE_EDGES, ERG_CASE_DEEP, ERG_CASE_KINDS };
extern const char *const erg_case_kind_names[ERG_CASE_KINDS];

/* Case `number` of the point's seed; its kind is number % ERG_CASE_KINDS. */
erg_status erg_case_make(erg_arena *arena, const erg_point *point, int number, erg_gemm *out, erg_error *error);
#endif
