/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/coded.h"
#include "ergon/training_memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const erg_stored_rounding_names[] = {"nearest", "stochastic", NULL};

#define LEAST_FP16 0x1p-24
#define FP16_STEP 0x1p-10 /* of a number's own size */

/* The next fp16 at or below, at or above: rounds to nearest, and goes on by a step where that was the wrong side. */
static double fp16_near(double value, int side) {
  const erg_float_format *fp16 = erg_float_format_find(ERG_FORMAT_FP16);
  double near = erg_float_saturate(fp16, (float)value);
  if ((near - value) * side >= 0) return near;
  return erg_float_saturate(fp16, (float)(near + side * (fabs(near) * FP16_STEP + LEAST_FP16)));
}

static void code_group(double *values, int64_t count, int bits, erg_stored_rounding rounding, erg_random *random) {
  double low = values[0], high = values[0];
  for (int64_t i = 1; i < count; i++) low = fmin(low, values[i]), high = fmax(high, values[i]);
  const double most = ldexp(1, bits) - 1, offset = fp16_near(low, -1), scale = fp16_near((high - offset) / most, 1);
  for (int64_t i = 0; i < count; i++) {
    const double exact = scale > 0 ? (values[i] - offset) / scale : 0;
    const double code = rounding == ERG_ROUND_STOCHASTIC ? floor(exact + erg_random_unit(random)) : floor(exact + 0.5);
    values[i] = offset + scale * fmin(fmax(code, 0), most);
  }
}

void erg_stored_code(double *values, int64_t count, int bits, erg_stored_rounding rounding, erg_random *random) {
  for (int64_t at = 0; at < count; at += ERG_STORED_GROUP)
    code_group(values + at, count - at < ERG_STORED_GROUP ? count - at : ERG_STORED_GROUP, bits, rounding, random);
}

struct erg_coded {
  const erg_graph *graph;
  erg_coded_options options;
  erg_training_stages stages;
  erg_random random;
  int *variables; /* [node_count] */
  erg_train_model model;
};

/* Once the last node is computed only backward reads what lies before it. */
static erg_status forward(void *context, erg_tape *tape, const erg_weights *weights, const erg_weights *gradients,
                          const double *inputs, int count, bool training, int *output, erg_error *error) {
  erg_coded *c = context;
  const int last = c->graph->node_count - 1;
  erg_status status =
      erg_network_forward(tape, c->graph, weights, gradients, inputs, count, training, c->variables, output, error);
  for (int id = 0; id < last && status == ERG_OK && gradients; id++) {
    const erg_node *node = &c->graph->nodes[id];
    if (!c->stages.kept[id]) continue;
    const int64_t elements = erg_shape_elements(erg_tape_shape(tape, c->variables[id]));
    double *values = erg_tape_overwrite(tape, c->variables[id]);
    erg_stored_code(values, elements, c->options.bits, c->options.rounding, &c->random);
    if (node->op->role != ERG_ROLE_CLAMP || c->options.masks) continue;
    memcpy(erg_tape_overwrite(tape, c->variables[node->inputs[0]]), values, (size_t)elements * sizeof *values);
  }
  return status;
}

static erg_status check(const erg_graph *graph, erg_error *error) {
  erg_status status = ERG_OK;
  for (int id = 0; id < graph->node_count; id++) {
    const erg_op *op = graph->nodes[id].op;
    const bool reads_nothing = !erg_training_reads_inputs(op) && !erg_training_reads_output(op);
    const bool relu = op->role == ERG_ROLE_CLAMP && graph->nodes[graph->nodes[id].inputs[0]].consumers == 1 &&
                      graph->nodes[graph->nodes[id].inputs[0]].op->role != ERG_ROLE_INPUT;
    if (op->role != ERG_ROLE_ARRAY && !relu && !reads_nothing)
      status = erg_fail(error, ERG_ERR_UNSUPPORTED,
                        "node %s: %s is not trained on coded copies; allowed: layers, ReLUs alone behind a node, sums, "
                        "means",
                        graph->nodes[id].name, op->name);
  }
  return status;
}

erg_status erg_coded_open(const erg_graph *graph, const erg_coded_options *options, erg_coded **out, erg_error *error) {
  erg_precision full;
  erg_status status = check(graph, error);
  if (options->bits < 1 || options->bits > 16)
    status = erg_fail(error, ERG_ERR_USAGE, "found %d bits a stored activation; allowed: 1 to 16", options->bits);
  if (status == ERG_OK) status = erg_precision_parse("fp32", &full, error);
  if (status != ERG_OK) return status;
  erg_coded *c = calloc(1, sizeof *c);
  if (!c) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  *c = (erg_coded){.graph = graph, .options = *options, .model = {.forward = forward, .context = c}};
  erg_random_stream(&c->random, options->seed, "coded/rounding");
  status = erg_training_stages_of(graph, &full, &c->stages, error);
  if (status == ERG_OK && !(c->variables = calloc((size_t)graph->node_count, sizeof *c->variables)))
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (status == ERG_OK)
    *out = c;
  else
    erg_coded_close(c);
  return status;
}

const erg_train_model *erg_coded_model(erg_coded *coded) {
  return &coded->model;
}

void erg_coded_close(erg_coded *coded) {
  if (!coded) return;
  erg_training_stages_free(&coded->stages);
  free(coded->variables);
  free(coded);
}
