/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: tensors of a node, as what reads them wants them. */
#ifndef ERGON_QUANT_FIND_H
#define ERGON_QUANT_FIND_H
#include "ergon/quantized.h"

/* Values of a node's tensor of `role`, which must hold `elements`; NULL and a fault when it is missing or another size. */
double *erg_need(const erg_graph *graph, const erg_weights *weights, int node, const char *role, int64_t elements,
                 erg_error *error);
/* The same, or NULL without a fault when the node has none. */
double *erg_may(const erg_weights *weights, int node, const char *role);
/* Statistics and affine of a batch norm. */
erg_status erg_need_batch_norm(const erg_graph *graph, const erg_weights *weights, int node, erg_batch_norm_stats *out,
                               erg_error *error);
/* The one input node, or -1 and a fault. */
int erg_input_node(const erg_graph *graph, erg_error *error);
/* K x reduction of an array node. */
void erg_array_extents(const erg_graph *graph, int node, int *filters, int64_t *reduction);
#endif
