/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sweep: what a row keeps so that it can be priced again. */
#ifndef ERGON_SWEEP_COUNTS_H
#define ERGON_SWEEP_COUNTS_H
#include "ergon/sweep.h"

/* A result of docs/json.md with its layers summed, which erg_stored_parse reads. NULL: no memory. */
char *erg_counts_text(const erg_result *result, erg_arena *arena);
#endif
