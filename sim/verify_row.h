/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: what rows of the ledger have in common. */
#ifndef ERGON_SIM_VERIFY_ROW_H
#define ERGON_SIM_VERIFY_ROW_H
#include "ergon/sim.h"

/* row->outputs codes of both sides: mismatches and the first of them. */
void erg_row_compare(erg_shape shape, const int16_t *expected, const int16_t *got, erg_verify_row *row);
/* Outputs of one array begun from two random states. */
void erg_row_compare_starts(erg_shape shape, const int16_t *one, const int16_t *other, erg_verify_row *row);
/* Distinct codes and shares on the rails least and most; `clamped`: many may lie on the lower one. */
void erg_row_measure(bool clamped, int32_t least, int32_t most, const int16_t *codes, erg_verify_row *row);
/* Status and reason, where there is none yet. */
void erg_row_judge(bool clamped, const erg_precision *precision, bool cycles_count, erg_verify_row *row);
#endif
