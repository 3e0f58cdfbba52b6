/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside workloads: what the readers share. */
#ifndef ERGON_WORKLOADS_GRAPH_H
#define ERGON_WORKLOADS_GRAPH_H
#include "ergon/workloads.h"

/** Readers fill name and nodes (with arena memory of the graph); shapes of all but input nodes are inferred after. */
erg_status erg_graph_read_yaml(const char *file, const char *text, int batch, const erg_override *overrides,
                               int override_count, erg_graph *graph, erg_error *error);
erg_status erg_graph_read_csv(const char *file, const char *text, int batch, erg_graph *graph, erg_error *error);
/** Infers the node's shape from its inputs; a fault names file:line:column and the node. */
erg_status erg_graph_infer(const char *file, erg_graph *graph, int id, erg_error *error);
void erg_graph_note(erg_graph *graph, const char *text);
#endif
