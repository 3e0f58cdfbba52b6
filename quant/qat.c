/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The passes of a quantized network written on a tape. */
#include "ergon/qat.h"
#include "qat_ops.h"
#include <stdlib.h>
#include <string.h>

const char *const erg_qat_names[] = {"ste", "identity", "zero", NULL};

struct erg_qat {
  const erg_graph *graph;
  const erg_dataset *calibration;
  erg_quantize_options options;
  erg_qat_rule rule;
  erg_quantized quantized;
  erg_train_model model;
  erg_arena arena;
  erg_qat_pass *passes; /* [plan.pass_count] */
  erg_qat_pass input;   /* of the network */
  int *variables;       /* [node_count], where the caller wants none */
  double *zeros;        /* biases of nodes without one */
};

static const erg_node *main_node(const erg_qat *qat, const erg_pass *pass) {
  return &qat->graph->nodes[pass->nodes[0]];
}

/* ---------------------------------------------------------------- what can be trained */

/* NULL, or why not. */
static const char *refusal(const erg_qat *qat, const erg_pass *pass) {
  const erg_op *op = main_node(qat, pass)->op;
  if (pass->kind == ERG_PASS_ARRAY) return pass->gathers ? "a dynamic norm behind an array" : NULL;
  if (pass->gate || op->run_s16 || op->role == ERG_ROLE_CLAMP || op->role == ERG_ROLE_ADD) return NULL;
  if (op->role == ERG_ROLE_BATCH_NORM) return "a batch norm that does not fold into an array node";
  return "only array nodes, folded batch norms, adds, clamps, gates and pools have a gradient through their integers";
}

static erg_status check_passes(const erg_qat *qat, erg_error *error) {
  erg_status status = ERG_OK;
  for (int i = 0; i < qat->quantized.plan.pass_count; i++) {
    const erg_pass *pass = &qat->quantized.plan.passes[i];
    const char *why = refusal(qat, pass);
    if (why)
      status = erg_fail(error, ERG_ERR_UNSUPPORTED, "node %s: %s cannot be trained in integers: %s",
                        main_node(qat, pass)->name, main_node(qat, pass)->op->name, why);
  }
  return status;
}

/* ---------------------------------------------------------------- grids */

static void set_passes(erg_qat *qat) {
  const erg_quantized *q = &qat->quantized;
  int last = -1;
  for (int i = 0; i < q->plan.pass_count; i++)
    if (q->plan.passes[i].kind == ERG_PASS_ARRAY) last = i;
  for (int i = 0; i < q->plan.pass_count; i++) {
    const erg_pass *pass = &q->plan.passes[i];
    erg_qat_pass *p = &qat->passes[i];
    bool array = pass->kind == ERG_PASS_ARRAY;
    *p = (erg_qat_pass){.layer = &q->layers[i], .rule = qat->rule, .last = i == last};
    p->before = array ? p->layer->output : p->layer->input;
    p->stored = q->grids[pass->output];
    p->smooth = erg_tape_op_find(pass->gate ? pass->gate : "avg_pool");
  }
}

static erg_status prepare(void *context, const erg_weights *weights, erg_error *error) {
  erg_qat *qat = context;
  erg_calibration calibration = {0};
  erg_quantized made = {0};
  erg_status status = erg_calibrate(qat->graph, weights, qat->calibration, &calibration, error);
  if (status == ERG_OK) status = erg_quantize(qat->graph, weights, &calibration, &qat->options, &made, error);
  erg_calibration_free(&calibration);
  if (status != ERG_OK) return status;
  erg_quantized_free(&qat->quantized);
  qat->quantized = made;
  if (!qat->passes) qat->passes = erg_arena_alloc(&qat->arena, sizeof *qat->passes * (size_t)made.plan.pass_count);
  if (!qat->passes) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  set_passes(qat);
  return ERG_OK;
}

/* ---------------------------------------------------------------- the tape */

typedef struct {
  erg_qat *qat;
  erg_tape *tape;
  const erg_weights *weights, *gradients;
  int *variables;
  erg_error *error;
} writer;

static int parameter(writer *w, int node, const char *role) {
  const erg_parameter *p = erg_weights_find(w->weights, node, role);
  if (!p) return erg_fail(w->error, ERG_ERR_DATA, "%s.%s is missing", w->qat->graph->nodes[node].name, role), -1;
  erg_shape shape = {1, 1, 1, (int)p->extents[0]};
  if (p->rank == 4) shape = (erg_shape){(int)p->extents[0], (int)p->extents[1], (int)p->extents[2], (int)p->extents[3]};
  double *gradient = w->gradients ? w->gradients->items[p - w->weights->items].values : NULL;
  return erg_tape_parameter(w->tape, shape, p->values, gradient, w->error);
}

static int apply(writer *w, const erg_tape_op *op, const erg_tape_attrs *attrs, int a, int b, int c) {
  return erg_tape_apply(w->tape, op, attrs, (int[]){a, b, c}, w->error);
}

/* Weights and bias of an array pass in real numbers, a batch norm behind it folded in. */
static void learned(writer *w, const erg_pass *pass, int *weight, int *bias) {
  const erg_graph *graph = w->qat->graph;
  int node = pass->nodes[0], norm = pass->node_count > 1 ? pass->nodes[1] : -1;
  erg_shape channels = {1, 1, 1, pass->conv.filters};
  *weight = parameter(w, node, "weight");
  *bias = graph->nodes[node].attrs.bias ? parameter(w, node, "bias")
                                        : erg_tape_constant(w->tape, channels, w->qat->zeros, w->error);
  if (norm < 0 || graph->nodes[norm].op->role != ERG_ROLE_BATCH_NORM) return;
  const erg_tape_attrs attrs = {.epsilon = ERG_NORM_EPSILON,
                                .running_mean = erg_weights_find(w->weights, norm, "running_mean")->values,
                                .running_var = erg_weights_find(w->weights, norm, "running_var")->values};
  int gamma = parameter(w, norm, "weight"), beta = parameter(w, norm, "bias");
  *weight = apply(w, erg_tape_op_find("fold_weight"), &attrs, *weight, gamma, -1);
  *bias = apply(w, erg_tape_op_find("fold_bias"), &attrs, *bias, gamma, beta);
}

static int array(writer *w, const erg_pass *pass, const erg_tape_attrs *own) {
  int weight, bias, residual = pass->residual >= 0 ? w->variables[pass->residual] : -1;
  erg_tape_attrs conv = {.conv = pass->conv};
  learned(w, pass, &weight, &bias);
  int codes = apply(w, &erg_fake_weight, own, weight, -1, -1);
  int sums = apply(w, erg_tape_op_find("conv2d"), &conv, w->variables[pass->inputs[0]], codes, -1);
  int y = apply(w, pass->residual >= 0 ? &erg_fake_epilogue_residual : &erg_fake_epilogue, own, sums, bias, residual);
  return pass->gate ? apply(w, &erg_fake_gate, own, y, -1, -1) : y;
}

static int vector(writer *w, const erg_pass *pass, erg_tape_attrs *own) {
  const erg_node *node = main_node(w->qat, pass);
  int x = w->variables[pass->inputs[0]];
  if (pass->gate) return apply(w, &erg_fake_gate, own, x, -1, -1);
  if (node->op->role == ERG_ROLE_CLAMP) return apply(w, &erg_fake_clamp, own, x, -1, -1);
  if (node->op->role == ERG_ROLE_ADD) return apply(w, &erg_fake_add, own, x, w->variables[pass->inputs[1]], -1);
  own->pool = (erg_pool_shape){pass->in_shape, pass->in_shape.h, pass->in_shape.w, 1, 1, 0, 0, 1, 1}; /* global */
  if (node->op->pool) node->op->pool(&node->attrs, &pass->in_shape, &own->pool);
  bool max = strcmp(node->op->name, "max_pool") == 0;
  return apply(w, max ? erg_tape_op_find("max_pool") : &erg_fake_average, own, x, -1, -1);
}

static void write_passes(writer *w, const double *inputs, int count) {
  const erg_quantized *q = &w->qat->quantized;
  erg_tape_attrs own = {0};
  for (int id = 0; id < w->qat->graph->node_count; id++) {
    w->variables[id] = -1;
    if (w->qat->graph->nodes[id].op->role != ERG_ROLE_INPUT) continue;
    erg_shape shape = w->qat->graph->nodes[id].out;
    shape.n = count;
    w->qat->input = (erg_qat_pass){.stored = q->grids[id]};
    own.own = &w->qat->input;
    w->variables[id] = apply(w, &erg_fake_input, &own, erg_tape_constant(w->tape, shape, inputs, w->error), -1, -1);
  }
  for (int i = 0; i < q->plan.pass_count && w->error->count == 0; i++) {
    const erg_pass *pass = &q->plan.passes[i];
    own = (erg_tape_attrs){.own = &w->qat->passes[i]};
    w->variables[pass->output] = pass->kind == ERG_PASS_ARRAY ? array(w, pass, &own) : vector(w, pass, &own);
  }
}

erg_status erg_qat_forward(erg_qat *qat, erg_tape *tape, const erg_weights *weights, const erg_weights *gradients,
                           const double *inputs, int count, int *variables, int *output, erg_error *error) {
  erg_error faults = {0};
  erg_status status = erg_quantized_refresh(&qat->quantized, weights, error);
  if (status != ERG_OK) return status;
  writer w = {qat, tape, weights, gradients, variables ? variables : qat->variables, &faults};
  write_passes(&w, inputs, count);
  *output = w.variables[qat->graph->node_count - 1];
  status = faults.status;
  if (status != ERG_OK) erg_fail(error, status, "%s", faults.text ? faults.text : "failed");
  erg_error_clear(&faults);
  return status;
}

static erg_status forward(void *context, erg_tape *tape, const erg_weights *weights, const erg_weights *gradients,
                          const double *inputs, int count, bool training, int *output, erg_error *error) {
  (void)training; /* folded norms have running statistics in both */
  return erg_qat_forward(context, tape, weights, gradients, inputs, count, NULL, output, error);
}

/* ---------------------------------------------------------------- open and close */

static erg_status room(erg_qat *qat, erg_error *error) {
  int most = 1;
  for (int id = 0; id < qat->graph->node_count; id++)
    if (qat->graph->nodes[id].out.c > most) most = qat->graph->nodes[id].out.c;
  qat->variables = erg_arena_alloc(&qat->arena, sizeof *qat->variables * (size_t)qat->graph->node_count);
  qat->zeros = erg_arena_alloc(&qat->arena, sizeof *qat->zeros * (size_t)most);
  if (!qat->variables || !qat->zeros) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  return ERG_OK;
}

erg_status erg_qat_open(const erg_graph *graph, const erg_weights *weights, const erg_dataset *calibration,
                        const erg_quantize_options *options, erg_qat_rule rule, erg_qat **out, erg_error *error) {
  *out = NULL;
  erg_qat *qat = calloc(1, sizeof *qat);
  if (!qat) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  qat->graph = graph;
  qat->calibration = calibration;
  qat->options = *options;
  qat->rule = rule;
  qat->model = (erg_train_model){prepare, forward, qat};
  erg_status status = room(qat, error);
  if (status == ERG_OK) status = prepare(qat, weights, error);
  if (status == ERG_OK) status = check_passes(qat, error);
  if (status == ERG_OK)
    *out = qat;
  else
    erg_qat_close(qat);
  return status;
}

void erg_qat_close(erg_qat *qat) {
  if (!qat) return;
  erg_quantized_free(&qat->quantized);
  erg_arena_free(&qat->arena);
  free(qat);
}

const erg_train_model *erg_qat_model(const erg_qat *qat) {
  return &qat->model;
}

const erg_quantized *erg_qat_quantized(const erg_qat *qat) {
  return &qat->quantized;
}
