/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file accuracy.h
 *  Inside sweep: what a point's widths do to the answers of trained weights. Only what the integers depend on counts:
 *  network, weights, data, widths, and whether batch norms are folded. So points that share these share one evaluation. */
#ifndef ERGON_SWEEP_ACCURACY_H
#define ERGON_SWEEP_ACCURACY_H

#include "ergon/sweep.h"

/** Makes ready to judge `workload` (number `index` of the sweep's, with its overrides): loads and checks weights and data, once for
 *  all points that follow with the same ones. `network` tells networks apart. ERG_ERR_NO_INPUT, ERG_ERR_DATA. */
erg_status erg_judge_prepare(const erg_sweep *sweep, int index, const char *network, const erg_override *overrides,
                             int override_count, erg_judge **judge, erg_error *error);
/** Everything the accuracies depend on beside the point: a line of its canonical text. */
const char *erg_judge_identity(const erg_judge *judge);
/** Puts accuracy and loss, or why there are none, into the row. `precision`: the point's, in full. */
void erg_judge_row(erg_judge *judge, const erg_point *point, const char *precision, erg_sweep_row *row,
                   erg_arena *arena);
void erg_judge_free(erg_judge *judge); /**< NULL is nothing */

#endif
