/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file widths.h
 *  A precision plan on a network: what each layer reads, multiplies with and writes. Tensors get their width from the
 *  layer that makes them; operators without weights pass on the widest of what they read. So the width of a tensor
 *  does not depend on how operators are fused. */
#ifndef ERGON_WIDTHS_H
#define ERGON_WIDTHS_H

#include "ergon/precision_plan.h"
#include "ergon/workloads.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  erg_precision_plan plan;  /**< as it was read */
  erg_precision *nodes;     /**< [node_count]: weights, activations read (first input), accumulator, output written;
                             *   without weights: those of the first input's producer */
  erg_position *positions;  /**< [node_count] of a layer's entry, or of the default, in the file */
  erg_precision widest;     /**< largest weight, activation and accumulator width of any layer with weights, largest
                             *   output: what an array needs that runs all of them */
} erg_widths;

/** Reads the plan `file` for `graph`: entries may name its layers with weights. Errors as erg_precision_plan_parse. */
erg_status erg_widths_load(const char *file, const erg_graph *graph, erg_widths *out, erg_error *error);
erg_status erg_widths_parse(const char *file, const char *text, const erg_graph *graph, erg_widths *out,
                            erg_error *error);
void erg_widths_free(erg_widths *widths);
/** Bits of a node's output. */
static inline int erg_widths_of_tensor(const erg_widths *widths, int node) { return widths->nodes[node].output_bits; }

#ifdef __cplusplus
}
#endif
#endif
