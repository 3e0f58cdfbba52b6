/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The float reference: every node for itself, in double, in the plainest loops. It shares nothing with the kernels, so
 * that what it says about them is evidence. Operators are float_ops.c's. */
#include "find.h"
#include "float_ops.h"
#include <stdlib.h>
#include <string.h>

struct erg_float_run {
  const erg_graph *graph;
  erg_arena arena;
  int input;
  double **tensors;         /* by node */
  erg_float_values *values; /* by node */
};

static erg_status need_values(erg_float_run *run, const erg_weights *weights, int id, erg_error *error) {
  const erg_node *node = &run->graph->nodes[id];
  erg_float_values *v = &run->values[id];
  if (node->op->role == ERG_ROLE_ARRAY) {
    int filters;
    int64_t reduction;
    erg_array_extents(run->graph, id, &filters, &reduction);
    const double *weight = erg_need(run->graph, weights, id, "weight", filters * reduction, error);
    double *transposed = erg_arena_alloc(&run->arena, sizeof *transposed * (size_t)(filters * reduction));
    if (!transposed) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    if (weight) erg_float_transpose(filters, reduction, weight, transposed);
    v->weight = weight ? transposed : NULL;
    if (node->attrs.bias) v->bias = erg_need(run->graph, weights, id, "bias", filters, error);
    return v->weight && (v->bias || !node->attrs.bias) ? ERG_OK : ERG_ERR_DATA;
  }
  if (node->op->role == ERG_ROLE_BATCH_NORM) {
    erg_batch_norm_stats stats = {0};
    erg_status status = erg_need_batch_norm(run->graph, weights, id, &stats, error);
    *v = (erg_float_values){stats.gamma, stats.beta, stats.mean, stats.variance};
    return status;
  }
  if (node->op->role == ERG_ROLE_NORM) {
    v->weight = erg_may(weights, id, "weight");
    v->bias = erg_may(weights, id, "bias");
  }
  return ERG_OK;
}

static erg_status prepare(erg_float_run *run, const erg_weights *weights, erg_error *error) {
  size_t nodes = (size_t)run->graph->node_count;
  run->input = erg_input_node(run->graph, error);
  if (run->input < 0) return ERG_ERR_DATA;
  run->tensors = erg_arena_alloc(&run->arena, nodes * sizeof *run->tensors);
  run->values = erg_arena_alloc(&run->arena, nodes * sizeof *run->values);
  if (!run->tensors || !run->values) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = ERG_OK; /* all faults at once */
  for (int id = 0; id < run->graph->node_count; id++) {
    size_t bytes = sizeof(double) * (size_t)erg_shape_elements(run->graph->nodes[id].out);
    run->tensors[id] = erg_arena_alloc(&run->arena, bytes);
    if (!run->tensors[id]) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    erg_status one = need_values(run, weights, id, error);
    if (status == ERG_OK) status = one;
  }
  return status;
}

erg_status erg_float_open(const erg_graph *graph, const erg_weights *weights, erg_float_run **out, erg_error *error) {
  *out = NULL;
  erg_float_run *run = calloc(1, sizeof *run);
  if (!run) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  run->graph = graph;
  erg_status status = prepare(run, weights, error);
  if (status == ERG_OK)
    *out = run;
  else
    erg_float_close(run);
  return status;
}

void erg_float_forward(erg_float_run *run, const double *input) {
  const erg_graph *graph = run->graph;
  for (int id = 0; id < graph->node_count; id++) {
    const erg_node *node = &graph->nodes[id];
    if (id == run->input) {
      memcpy(run->tensors[id], input, sizeof *input * (size_t)erg_shape_elements(node->out));
      continue;
    }
    const double *in[ERG_MAX_INPUTS] = {NULL};
    for (int k = 0; k < node->op->inputs; k++) in[k] = run->tensors[node->inputs[k]];
    erg_float_node(node, graph->nodes[node->inputs[0]].out, &run->values[id], in, run->tensors[id]);
  }
}

const double *erg_float_tensor(const erg_float_run *run, int node) {
  return run->tensors[node];
}

void erg_float_close(erg_float_run *run) {
  if (!run) return;
  erg_arena_free(&run->arena);
  free(run);
}
