/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph written on a tape: an array node is a convolution and a bias, every other node the operator of its name. */
#include "ergon/tape.h"
#include <string.h>

typedef struct {
  erg_tape *tape;
  const erg_graph *graph;
  const erg_weights *weights, *gradients;
  bool training;
  int *variables;
  erg_error *error;
} writer;

static const char *tape_name(const erg_op *op) {
  if (op->role == ERG_ROLE_ARRAY) return "conv2d";
  if (strcmp(op->name, "global_avg_pool") == 0) return "avg_pool";
  return op->name;
}

static int parameter(writer *w, int node, const char *role) {
  const erg_parameter *p = erg_weights_find(w->weights, node, role);
  if (!p) {
    erg_fail(w->error, ERG_ERR_INTERNAL, "%s: no tensor %s", w->graph->nodes[node].name, role);
    return -1;
  }
  const erg_parameter *g = w->gradients ? &w->gradients->items[p - w->weights->items] : NULL;
  erg_shape shape = p->rank == 4
                        ? (erg_shape){(int)p->extents[0], (int)p->extents[1], (int)p->extents[2], (int)p->extents[3]}
                        : (erg_shape){1, 1, 1, (int)p->extents[0]};
  return erg_tape_parameter(w->tape, shape, p->values, g ? g->values : NULL, w->error);
}

static int apply(writer *w, const char *name, const erg_tape_attrs *attrs, const int *inputs) {
  return erg_tape_apply(w->tape, erg_tape_op_find(name), attrs, inputs, w->error);
}

static int array(writer *w, int id, const erg_shape *in, int x) {
  const erg_node *node = &w->graph->nodes[id];
  erg_tape_attrs attrs = {0};
  node->op->conv(&node->attrs, in, &attrs.conv);
  int y = apply(w, "conv2d", &attrs, (int[]){x, parameter(w, id, "weight")});
  return node->attrs.bias ? apply(w, "bias", NULL, (int[]){y, parameter(w, id, "bias")}) : y;
}

static int norm(writer *w, int id, int x) {
  const erg_op *op = w->graph->nodes[id].op;
  bool running = op->role == ERG_ROLE_BATCH_NORM, beta = op->norm != ERG_NORM_RMS;
  erg_tape_attrs attrs = {.epsilon = ERG_NORM_EPSILON, .momentum = ERG_BATCH_NORM_MOMENTUM, .training = w->training};
  if (running) {
    attrs.running_mean = erg_weights_find(w->weights, id, "running_mean")->values;
    attrs.running_var = erg_weights_find(w->weights, id, "running_var")->values;
  }
  int gamma = parameter(w, id, "weight");
  return apply(w, op->name, &attrs, (int[]){x, gamma, beta ? parameter(w, id, "bias") : -1});
}

static int vector(writer *w, int id, const erg_shape *in, const int *x) {
  const erg_node *node = &w->graph->nodes[id];
  erg_tape_attrs attrs = {0};
  if (node->op->pool)
    node->op->pool(&node->attrs, in, &attrs.pool);
  else if (strcmp(node->op->name, "global_avg_pool") == 0)
    attrs.pool = (erg_pool_shape){*in, in->h, in->w, 1, 1, 0, 0, 1, 1};
  return apply(w, tape_name(node->op), &attrs, x);
}

static int write_node(writer *w, int id) {
  const erg_node *node = &w->graph->nodes[id];
  erg_shape in[ERG_MAX_INPUTS] = {0};
  int x[ERG_MAX_INPUTS] = {0};
  for (int i = 0; i < node->op->inputs; i++) {
    in[i] = w->graph->nodes[node->inputs[i]].out;
    x[i] = w->variables[node->inputs[i]];
  }
  switch (node->op->role) {
  case ERG_ROLE_ARRAY:
    return array(w, id, in, x[0]);
  case ERG_ROLE_BATCH_NORM:
  case ERG_ROLE_NORM:
    return norm(w, id, x[0]);
  default:
    return vector(w, id, in, x);
  }
}

/* Of a network that can be trained: `input` becomes its input node. */
static erg_status check_ops(const erg_graph *graph, int *input, erg_error *error) {
  erg_status status = ERG_OK;
  int inputs = 0;
  for (int id = 0; id < graph->node_count; id++) {
    const erg_node *node = &graph->nodes[id];
    if (node->op->role == ERG_ROLE_INPUT)
      *input = id, inputs++;
    else if (!erg_tape_op_find(tape_name(node->op)))
      status = erg_fail(error, ERG_ERR_UNSUPPORTED, "node %s: %s cannot be trained: no operator of the tape covers it",
                        node->name, node->op->name);
  }
  if (inputs != 1)
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s has %d inputs; a network that is trained has one", graph->name,
                      inputs);
  return status;
}

erg_status erg_network_apply(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                             const erg_weights *gradients, int input, bool training, int *variables, int *output,
                             erg_error *error) {
  erg_arena arena = {0};
  erg_error faults = {0};
  int first = 0;
  erg_status status = check_ops(graph, &first, error);
  if (status != ERG_OK) return status;
  const erg_shape found = erg_tape_shape(tape, input), wanted = graph->nodes[first].out;
  if (found.h != wanted.h || found.w != wanted.w || found.c != wanted.c)
    return erg_fail(error, ERG_ERR_DATA, "node %s: found a map of %d x %d x %d; allowed: %d x %d x %d",
                    graph->nodes[first].name, found.h, found.w, found.c, wanted.h, wanted.w, wanted.c);
  int *own = variables ? variables : erg_arena_alloc(&arena, sizeof *own * (size_t)graph->node_count);
  if (!own) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  writer w = {tape, graph, weights, gradients, training, own, &faults};
  for (int id = 0; id < graph->node_count && faults.count == 0; id++) {
    own[id] = id == first ? input : write_node(&w, id);
    if (faults.count) erg_fail(error, faults.status, "node %s: %s", graph->nodes[id].name, faults.text);
  }
  *output = own[graph->node_count - 1];
  status = faults.status;
  erg_error_clear(&faults);
  erg_arena_free(&arena);
  return status;
}

erg_status erg_network_forward(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                               const erg_weights *gradients, const double *inputs, int count, bool training,
                               int *variables, int *output, erg_error *error) {
  int first = 0;
  erg_status status = check_ops(graph, &first, error);
  if (status != ERG_OK) return status;
  erg_shape shape = graph->nodes[first].out;
  shape.n = count;
  const int input = erg_tape_constant(tape, shape, inputs, error);
  return input < 0 ? ERG_ERR_INTERNAL
                   : erg_network_apply(tape, graph, weights, gradients, input, training, variables, output, error);
}
