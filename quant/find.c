/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "find.h"

double *erg_may(const erg_weights *weights, int node, const char *role) {
  const erg_parameter *item = erg_weights_find(weights, node, role);
  return item ? item->values : NULL;
}

double *erg_need(const erg_graph *graph, const erg_weights *weights, int node, const char *role, int64_t elements,
                 erg_error *error) {
  const erg_parameter *item = erg_weights_find(weights, node, role);
  const char *name = graph->nodes[node].name;
  if (!item) {
    erg_fail(error, ERG_ERR_DATA, "weights: %s.%s is missing", name, role);
    return NULL;
  }
  if (item->elements != elements || !item->values) {
    erg_fail(error, ERG_ERR_DATA, "weights: %s.%s: found %lld values; wanted %lld", name, role,
             (long long)item->elements, (long long)elements);
    return NULL;
  }
  return item->values;
}

erg_status erg_need_batch_norm(const erg_graph *graph, const erg_weights *weights, int node, erg_batch_norm_stats *out,
                               erg_error *error) {
  int64_t channels = graph->nodes[node].out.c;
  out->gamma = erg_need(graph, weights, node, "weight", channels, error);
  out->beta = erg_need(graph, weights, node, "bias", channels, error);
  out->mean = erg_need(graph, weights, node, "running_mean", channels, error);
  out->variance = erg_need(graph, weights, node, "running_var", channels, error);
  out->epsilon = ERG_NORM_EPSILON;
  return out->gamma && out->beta && out->mean && out->variance ? ERG_OK : ERG_ERR_DATA;
}

int erg_input_node(const erg_graph *graph, erg_error *error) {
  int found = -1, count = 0;
  for (int id = 0; id < graph->node_count; id++)
    if (graph->nodes[id].op->role == ERG_ROLE_INPUT) found = id, count++;
  if (count == 1) return found;
  erg_fail(error, ERG_ERR_DATA, "%s: found %d inputs; a network that data runs through has 1", graph->name, count);
  return -1;
}

void erg_array_extents(const erg_graph *graph, int node, int *filters, int64_t *reduction) {
  const erg_node *n = &graph->nodes[node];
  erg_conv2d_shape shape;
  n->op->conv(&n->attrs, &graph->nodes[n->inputs[0]].out, &shape);
  *filters = shape.filters;
  *reduction = erg_conv2d_reduction(&shape);
}
