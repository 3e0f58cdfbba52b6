/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: what logits are worth. */
#ifndef ERGON_QUANT_SCORE_H
#define ERGON_QUANT_SCORE_H
#include "ergon/quantized.h"

/* ERG_ERR_DATA unless the last node's tensor holds `classes` logits a label; *node is it. */
erg_status erg_score_check(const erg_graph *graph, const erg_dataset *data, int *node, erg_error *error);
/* Adds one label's logits: score (a tie of n with the label in it is 1/n), cross entropy, and whether it was a tie. */
void erg_score_add(const double *logits, int classes, int label, erg_evaluation *sums);
/* Sums into means. */
void erg_score_end(erg_evaluation *sums);
#endif
