/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What does not depend on the weights' values: the plan, which tensors exist, how wide they are, their grids. What does
 * is refresh.c. */
#include "find.h"
#include "refresh.h"
#include "vector_pass.h"
#include <limits.h>
#include <string.h>

erg_precision erg_quantize_precision(const erg_quantize_options *options, int node) {
  return options->layers ? options->layers[node] : options->precision;
}

/* A pass on the array runs in its own layer's precision, others in the network's. */
static erg_precision pass_precision(const erg_quantized *q, const erg_pass *pass) {
  return pass->kind == ERG_PASS_ARRAY ? erg_quantize_precision(&q->options, pass->nodes[0]) : q->options.precision;
}

/* Pools and clamps move codes as they are; the mean of a whole map, which spans far less than the map, has its own. */
static bool keeps_grid(const erg_graph *graph, const erg_pass *pass) {
  const erg_op *op = graph->nodes[pass->nodes[0]].op;
  return pass->kind == ERG_PASS_VECTOR && (op->run_s16 || op->role == ERG_ROLE_CLAMP) && !erg_is_map_mean(pass);
}

static void narrow(int *bits, int to) {
  if (to < *bits) *bits = to;
}

/* The node whose range a stored tensor's grid spans: itself, or what pools and clamps took it from. */
static int *find_owners(erg_arena *arena, const erg_quantized *q) {
  int *owner = erg_arena_alloc(arena, sizeof *owner * (size_t)q->graph->node_count);
  if (!owner) return NULL;
  for (int id = 0; id < q->graph->node_count; id++) owner[id] = id;
  for (int i = 0; i < q->plan.pass_count; i++)
    if (keeps_grid(q->graph, &q->plan.passes[i])) owner[q->plan.passes[i].output] = owner[q->plan.passes[i].inputs[0]];
  return owner;
}

static int *find_widths(erg_arena *arena, const erg_quantized *q, const int *owner) {
  int *bits = erg_arena_alloc(arena, sizeof *bits * (size_t)q->graph->node_count);
  if (!bits) return NULL;
  for (int id = 0; id < q->graph->node_count; id++) bits[id] = INT_MAX;
  for (int i = 0; i < q->plan.pass_count; i++) {
    const erg_pass *pass = &q->plan.passes[i];
    erg_precision p = pass_precision(q, pass);
    if (!keeps_grid(q->graph, pass)) narrow(&bits[owner[pass->output]], p.output_bits);
    if (pass->kind != ERG_PASS_ARRAY) continue;
    narrow(&bits[owner[pass->inputs[0]]], p.activation_bits);
    if (pass->residual >= 0) narrow(&bits[owner[pass->residual]], p.activation_bits);
  }
  for (int id = 0; id < q->graph->node_count; id++)
    if (bits[id] == INT_MAX) bits[id] = q->options.precision.activation_bits;
  return bits;
}

static erg_grid grid_of(const erg_quantized *q, const erg_calibration *calibration, int node, int bits) {
  return erg_grid_over(erg_calibration_range(calibration, node, q->options.calibration, q->options.percent, bits),
                       bits);
}

static erg_status make_grids(erg_quantized *q, const erg_calibration *calibration, erg_error *error) {
  erg_arena scratch = {0};
  int *owner = find_owners(&scratch, q), *bits = owner ? find_widths(&scratch, q, owner) : NULL;
  if (!bits) {
    erg_arena_free(&scratch);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  for (int id = 0; id < q->graph->node_count; id++) q->stored[id] = q->graph->nodes[id].op->role == ERG_ROLE_INPUT;
  for (int i = 0; i < q->plan.pass_count; i++) q->stored[q->plan.passes[i].output] = true;
  for (int id = 0; id < q->graph->node_count; id++)
    if (q->stored[id]) q->grids[id] = owner[id] == id ? grid_of(q, calibration, id, bits[id]) : q->grids[owner[id]];
  erg_arena_free(&scratch);
  return ERG_OK;
}

static void make_layer(erg_quantized *q, const erg_calibration *calibration, int index) {
  const erg_pass *pass = &q->plan.passes[index];
  erg_quantized_layer *l = &q->layers[index];
  *l = (erg_quantized_layer){.pass = index, .precision = pass_precision(q, pass)};
  l->input = q->grids[pass->inputs[0]];
  l->output = q->grids[pass->output];
  if (pass->residual >= 0)
    l->residual = q->grids[pass->residual];
  else if (pass->input_count > 1)
    l->residual = q->grids[pass->inputs[1]];
  if (pass->kind == ERG_PASS_ARRAY && pass->gate) { /* the table's input never leaves the array */
    int before = q->graph->nodes[pass->output].inputs[0], bits = l->precision.output_bits;
    narrow(&bits, l->precision.activation_bits);
    l->output = grid_of(q, calibration, before, bits);
  }
}

static erg_status check_options(const erg_graph *graph, const erg_quantize_options *options,
                                const erg_calibration *calibration, erg_error *error) {
  if (calibration->node_count != graph->node_count)
    return erg_fail(error, ERG_ERR_DATA, "%s: found a calibration of %d nodes; wanted %d", graph->name,
                    calibration->node_count, graph->node_count);
  for (int id = 0; id < graph->node_count; id++) {
    if (graph->nodes[id].op->role != ERG_ROLE_ARRAY) continue;
    erg_precision p = erg_quantize_precision(options, id);
    char name[32];
    if (!erg_precision_is_int(&p))
      return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s is a floating format: only integers are quantized",
                      graph->nodes[id].name, erg_precision_name(&p, name));
  }
  return erg_precision_is_int(&options->precision)
             ? ERG_OK
             : erg_fail(error, ERG_ERR_UNSUPPORTED, "a floating format: only integers are quantized");
}

static erg_status make(erg_quantized *q, const erg_weights *weights, const erg_calibration *calibration,
                       erg_error *error) {
  size_t nodes = (size_t)q->graph->node_count;
  erg_status status = erg_plan_build(q->graph, q->options.unfolded ? ERG_FUSION_NONE : ERG_FUSION_EPILOGUE, NULL, NULL,
                                     &q->plan, error);
  if (status != ERG_OK) return status;
  if (q->options.layers) {
    erg_precision *own = erg_arena_alloc(&q->arena, sizeof *own * nodes);
    if (!own) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    memcpy(own, q->options.layers, sizeof *own * nodes);
    q->options.layers = own;
  }
  q->stored = erg_arena_alloc(&q->arena, sizeof *q->stored * nodes);
  q->grids = erg_arena_alloc(&q->arena, sizeof *q->grids * nodes);
  q->layers = erg_arena_alloc(&q->arena, sizeof *q->layers * (size_t)q->plan.pass_count);
  if (!q->stored || !q->grids || !q->layers) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  status = make_grids(q, calibration, error);
  if (status != ERG_OK) return status;
  for (int i = 0; i < q->plan.pass_count; i++) {
    make_layer(q, calibration, i);
    status = erg_quantized_room(q, i, error);
    if (status != ERG_OK) return status;
  }
  return erg_quantized_refresh(q, weights, error);
}

erg_status erg_quantize(const erg_graph *graph, const erg_weights *weights, const erg_calibration *calibration,
                        const erg_quantize_options *options, erg_quantized *out, erg_error *error) {
  erg_status status = check_options(graph, options, calibration, error);
  if (status != ERG_OK) return status;
  erg_quantized made = {.graph = graph, .options = *options};
  status = make(&made, weights, calibration, error);
  if (status == ERG_OK)
    *out = made;
  else
    erg_quantized_free(&made);
  return status;
}

void erg_quantized_free(erg_quantized *quantized) {
  erg_plan_free(&quantized->plan);
  erg_arena_free(&quantized->arena);
  *quantized = (erg_quantized){0};
}
