/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A training step, node by node. */
#include "memo.h"
#include "training_passes.h"
#include <string.h>

const char *const erg_training_part_names[] = {"forward", "inputs", "weights", "update", "store", NULL};

bool erg_training_reads_inputs(const erg_op *op) {
  static const char *const from_input[] = {"silu", "gelu", "hard_swish", "max_pool"};
  for (size_t i = 0; i < ERG_COUNT_OF(from_input); i++)
    if (strcmp(op->name, from_input[i]) == 0) return true;
  return op->role == ERG_ROLE_ARRAY || op->role == ERG_ROLE_BATCH_NORM || op->role == ERG_ROLE_NORM ||
         (op->role == ERG_ROLE_VECTOR && op->inputs == 2); /* products */
}

bool erg_training_reads_output(const erg_op *op) { /* monotone: the slope follows from the value */
  return op->role == ERG_ROLE_CLAMP || (op->role == ERG_ROLE_GATE && !erg_training_reads_inputs(op));
}

static int64_t parameters_of(const erg_graph *graph, int id) {
  const erg_node *node = &graph->nodes[id];
  return node->op->role == ERG_ROLE_INPUT ? 0 : node->op->parameters(&node->attrs, &graph->nodes[node->inputs[0]].out);
}

void erg_training_learns(const erg_graph *graph, bool *learns) {
  for (int id = 0; id < graph->node_count; id++) {
    learns[id] = parameters_of(graph, id) > 0;
    for (int i = 0; i < graph->nodes[id].op->inputs; i++) learns[id] |= learns[graph->nodes[id].inputs[i]];
  }
}

void erg_training_add(erg_training_cost *sum, const erg_training_cost *part) {
  sum->macs += part->macs;
  sum->cycles += part->cycles;
  sum->dram_bits += part->dram_bits;
  sum->energy_pj += part->energy_pj;
}

typedef struct {
  const erg_point *point;
  struct erg_memo *memo;
  erg_precision hardware, update;
  training_widths widths;
  const bool *learns;
  erg_training_step *out;
  erg_error *error;
} step;

static erg_status map_and_count(const step *s, erg_geometry *g, const erg_op_counts *ops, erg_activity *activity,
                                erg_error *error) {
  erg_mapping mapping;
  g->dataflow = s->point->dataflow;
  g->products = erg_arch_products(s->point->arch, &s->point->precision);
  erg_status status = erg_memo_map(s->memo, s->point->arch, g, &mapping, error);
  if (status == ERG_OK) status = erg_memo_analytic(s->memo, s->point->arch, g, &mapping, ops, activity, error);
  return status;
}

/* Adds one pass to a node's part. */
static erg_status add_pass(step *s, int id, erg_training_part part, erg_geometry *g, erg_op_counts ops) {
  erg_activity activity;
  erg_error fault = {0};
  erg_energy energy = {0};
  erg_price_machine machine;
  const erg_precision *precision = part == ERG_TRAINING_UPDATE ? &s->update : &s->point->precision;
  if (g->array)
    ops.mac = (uint64_t)g->images * (uint64_t)g->out_h * (uint64_t)g->out_w * (uint64_t)g->out_c *
              (uint64_t)erg_geometry_reduction(g);
  erg_arch_price_machine(s->point->arch, &s->point->precision, &machine);
  erg_status status = map_and_count(s, g, &ops, &activity, &fault);
  machine.mac_products = g->products;
  if (status == ERG_OK)
    status = erg_price(s->point->technology, &machine, &activity, precision, &s->hardware, &energy, &fault);
  if (status == ERG_OK) {
    const erg_training_cost cost = {activity.ops[ERG_OP_MAC], activity.cycles, erg_activity_level_bits(&activity, 0),
                                    energy.total_pj};
    erg_training_add(&s->out->nodes[id][part], &cost);
  } else {
    erg_fail(s->error, status, "%s: %s, %s: %s", s->point->graph->file, s->point->graph->nodes[id].name,
             erg_training_part_names[part], fault.text);
  }
  erg_error_clear(&fault);
  return status;
}

static erg_op_counts counts_of(const step *s, int id) {
  const erg_graph *graph = s->point->graph;
  const erg_node *node = &graph->nodes[id];
  erg_op_counts n = {0};
  erg_shape in[ERG_MAX_INPUTS] = {{0}};
  for (int i = 0; i < node->op->inputs; i++) in[i] = graph->nodes[node->inputs[i]].out;
  if (node->op->counts) node->op->counts(&node->attrs, in, &node->out, s->widths.integer, &n);
  if (node->op->gather_counts) node->op->gather_counts(&node->attrs, in, &n);
  return n;
}

/* As in a run without fusion, but a batch norm takes its batch's statistics first. */
static erg_status forward(step *s, const erg_plan *plan) {
  erg_status status = ERG_OK;
  for (int i = 0; i < plan->pass_count && status == ERG_OK; i++) {
    const erg_pass *pass = &plan->passes[i];
    erg_geometry g;
    erg_op_counts ops = s->widths.integer ? pass->int_counts : pass->float_counts;
    erg_geometry_at(s->point, pass, &g);
    if (s->point->graph->nodes[pass->nodes[0]].op->role == ERG_ROLE_BATCH_NORM) {
      uint64_t elements = (uint64_t)erg_shape_elements(pass->in_shape);
      g.rounds = 2;
      ops.add += 2 * elements; /* a sum and a sum of squares */
      ops.multiply += elements;
    }
    status = add_pass(s, pass->nodes[0], ERG_TRAINING_FORWARD, &g, ops);
  }
  return status;
}

/* The width in which backward finds the output of `id`: the batch itself is nobody's stored copy. */
static int stored_bits(const step *s, int id) {
  return s->point->graph->nodes[id].op->role == ERG_ROLE_INPUT ? s->widths.map : s->widths.stored;
}

static bool has_mask(const step *s, int id) {
  return s->widths.stored != s->widths.map && s->point->graph->nodes[id].op->role == ERG_ROLE_CLAMP;
}

/* Decoding a narrower copy: a product and a sum an element. */
static void decode(const step *s, int id, erg_op_counts *ops) {
  if (stored_bits(s, id) == s->widths.map) return;
  ops->multiply += (uint64_t)erg_shape_elements(s->point->graph->nodes[id].out);
  ops->add += (uint64_t)erg_shape_elements(s->point->graph->nodes[id].out);
}

static erg_status array_inputs(step *s, int id, const erg_conv2d_shape *conv) {
  erg_status status = ERG_OK;
  erg_geometry g;
  for (int a = 0; a < conv->stride_h; a++)
    for (int b = 0; b < conv->stride_w && status == ERG_OK; b++) {
      if (!training_inputs_pass(conv, &s->widths, a, b, &g)) continue;
      erg_op_counts ops = {0};
      if (s->widths.integer)
        ops.requantize = (uint64_t)g.images * (uint64_t)g.out_h * (uint64_t)g.out_w * (uint64_t)g.out_c;
      status = add_pass(s, id, ERG_TRAINING_INPUTS, &g, ops);
    }
  return status;
}

/* Off-chip bits of dW when so many rows of pixels are summed at a time; 0: they do not fit. */
static uint64_t weights_bits(const step *s, const erg_conv2d_shape *conv, int rows, int input_bits) {
  uint64_t sum = 0, bits;
  bool fits = true;
  for (int b = 0; b < conv->stride_w && fits; b++) {
    erg_geometry g;
    erg_error fault = {0};
    if (!training_weights_pass(conv, &s->widths, b, rows, true, input_bits, &g)) continue;
    g.dataflow = s->point->dataflow;
    g.products = erg_arch_products(s->point->arch, &s->point->precision);
    fits = erg_memo_bits(s->memo, s->point->arch, &g, &bits, &fault) == ERG_OK;
    if (fits) sum += bits;
    erg_error_clear(&fault);
  }
  return fits ? sum * (uint64_t)((conv->in.n * conv->out_h + rows - 1) / rows) : 0;
}

/* Of all rows and their halves those that move least. Where none fit: one, and the pass says why. */
static int rows_at_once(const step *s, const erg_conv2d_shape *conv, int input_bits) {
  int best = 1;
  uint64_t least = 0;
  for (int rows = conv->in.n * conv->out_h;; rows = (rows + 1) / 2) {
    const uint64_t bits = weights_bits(s, conv, rows, input_bits);
    if (bits && (!least || bits < least)) least = bits, best = rows;
    if (rows == 1) return best;
  }
}

static erg_status array_weights(step *s, int id, const erg_conv2d_shape *conv) {
  const erg_node *node = &s->point->graph->nodes[id];
  const int all = conv->in.n * conv->out_h, input_bits = stored_bits(s, node->inputs[0]),
            at_once = rows_at_once(s, conv, input_bits);
  erg_status status = ERG_OK;
  bool first = true;
  for (int done = 0; done < all; done += at_once)
    for (int b = 0; b < conv->stride_w && status == ERG_OK; b++) {
      erg_geometry g;
      const int rows = all - done < at_once ? all - done : at_once;
      if (!training_weights_pass(conv, &s->widths, b, rows, done > 0, input_bits, &g)) continue;
      erg_op_counts ops = {0};
      if (done > 0) ops.add += (uint64_t)g.out_h * (uint64_t)g.out_w * (uint64_t)g.out_c;
      if (first) decode(s, node->inputs[0], &ops);
      if (first && node->attrs.bias) ops.add += (uint64_t)erg_shape_elements(node->out);
      first = false;
      status = add_pass(s, id, ERG_TRAINING_WEIGHTS, &g, ops);
    }
  return status;
}

/* Reads the gradient and, where the slope is not constant, what was stored; writes the gradient of the input. Norms
 * first sum over both. Of a product each factor's gradient is a pass. */
static erg_status vector_inputs(step *s, int id) {
  const erg_graph *graph = s->point->graph;
  const erg_node *node = &graph->nodes[id];
  const bool norm = node->op->role == ERG_ROLE_BATCH_NORM || node->op->role == ERG_ROLE_NORM;
  erg_status status = ERG_OK;
  if (node->op->role == ERG_ROLE_ADD) return ERG_OK; /* both inputs have the gradient of the sum */
  for (int i = 0; i < node->op->inputs && status == ERG_OK; i++) {
    if (!s->learns[node->inputs[i]] && !norm) continue; /* a norm's own parameters have gradients all the same */
    erg_geometry g;
    erg_op_counts ops = counts_of(s, id);
    int read = erg_training_reads_output(node->op)    ? id
               : !erg_training_reads_inputs(node->op) ? -1
               : node->op->inputs == 2                ? node->inputs[1 - i]
                                                      : node->inputs[0];
    const int read_bits = read < 0 ? 0 : has_mask(s, id) ? 1 : stored_bits(s, read);
    training_map_pass(graph->nodes[node->inputs[node->op->by_channel ? 0 : i]].out, s->widths.map, read_bits,
                      s->widths.map, &g);
    g.rounds = norm ? 2 : 1;
    if (read >= 0 && !has_mask(s, id)) decode(s, read, &ops);
    status = add_pass(s, id, ERG_TRAINING_INPUTS, &g, ops);
  }
  return status;
}

/* Gradients that come back to one output from several readers are summed, one after the other. */
static erg_status sum_gradients(step *s, int id) {
  const erg_node *node = &s->point->graph->nodes[id];
  erg_status status = ERG_OK;
  for (int i = 1; i < node->consumers && status == ERG_OK; i++) {
    erg_geometry g;
    training_map_pass(node->out, s->widths.map, s->widths.map, s->widths.map, &g);
    status = add_pass(s, id, ERG_TRAINING_INPUTS, &g, (erg_op_counts){.add = (uint64_t)erg_shape_elements(node->out)});
  }
  return status;
}

/* A range, a difference, a product and the random number of the rounding. */
static erg_status store(step *s, int id) {
  const erg_node *node = &s->point->graph->nodes[id];
  const uint64_t elements = (uint64_t)erg_shape_elements(node->out);
  erg_geometry g;
  if (s->widths.stored == s->widths.map) return ERG_OK;
  training_map_pass(node->out, s->widths.map, 0, s->widths.stored + has_mask(s, id), &g);
  return add_pass(s, id, ERG_TRAINING_STORE, &g,
                  (erg_op_counts){.compare = 2 * elements, .add = 2 * elements, .multiply = elements});
}

static erg_status update(step *s, int id) {
  const int64_t count = parameters_of(s->point->graph, id);
  const int channels = s->point->graph->nodes[id].out.c;
  if (count == 0) return ERG_OK;
  erg_geometry g;
  training_map_pass((erg_shape){1, (int)(count / channels), 1, channels}, 32, s->widths.sum, 32, &g);
  return add_pass(s, id, ERG_TRAINING_UPDATE, &g, (erg_op_counts){.add = (uint64_t)count, .multiply = (uint64_t)count});
}

static erg_status backward(step *s, int id) {
  const erg_node *node = &s->point->graph->nodes[id];
  erg_status status = ERG_OK;
  if (node->op->role == ERG_ROLE_INPUT) return ERG_OK;
  if (node->op->role == ERG_ROLE_ARRAY) {
    erg_conv2d_shape conv;
    node->op->conv(&node->attrs, &s->point->graph->nodes[node->inputs[0]].out, &conv);
    if (s->learns[node->inputs[0]]) status = array_inputs(s, id, &conv);
    if (status == ERG_OK) status = array_weights(s, id, &conv);
  } else if (s->learns[id]) {
    status = vector_inputs(s, id);
  }
  if (status == ERG_OK && s->learns[id]) status = sum_gradients(s, id);
  if (status == ERG_OK) status = store(s, id);
  return status == ERG_OK ? update(s, id) : status;
}

static erg_status run(step *s, const bool *learns, erg_plan *plan) {
  const erg_graph *graph = s->point->graph;
  erg_status status = ERG_OK;
  s->learns = learns;
  for (int id = 0; id < graph->node_count && status == ERG_OK; id++) status = backward(s, id);
  if (status == ERG_OK) status = erg_plan_build(graph, ERG_FUSION_NONE, NULL, NULL, plan, s->error);
  if (status == ERG_OK) status = forward(s, plan);
  for (int id = 0; id < graph->node_count && status == ERG_OK; id++)
    for (int part = 0; part < ERG_TRAINING_PARTS; part++)
      erg_training_add(&s->out->parts[part], &s->out->nodes[id][part]);
  return status;
}

erg_status erg_training_run(const erg_point *asked, int stored, erg_training_step *out, erg_error *error) {
  erg_training_step training = {0};
  erg_plan plan = {0};
  erg_point point = *asked;
  const erg_precision *p = &point.precision;
  const bool integer = erg_precision_is_int(p);
  const int map = integer ? p->activation_bits : erg_format_bits(p->format);
  step s = {.point = &point, .out = &training, .error = error, .widths = {map, 0, p->accumulator_bits, 0, integer}};
  s.widths.weight = integer ? p->weight_bits : map;
  s.widths.stored = stored ? stored : map;
  point.widths = NULL;
  erg_status status = erg_precision_parse("fp32", &s.update, error);
  if (status == ERG_OK) status = erg_point_hardware(&point, &s.hardware, error);
  if (status != ERG_OK) return status;
  bool *learns = erg_arena_alloc(&training.arena, sizeof *learns * (size_t)point.graph->node_count);
  training.nodes = erg_arena_alloc(&training.arena, sizeof *training.nodes * (size_t)point.graph->node_count);
  s.memo = erg_memo_new();
  if (!learns || !training.nodes || !s.memo) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  erg_training_learns(point.graph, learns);
  status = run(&s, learns, &plan);
out:
  erg_memo_free(s.memo);
  erg_plan_free(&plan);
  if (status == ERG_OK)
    *out = training;
  else
    erg_training_free(&training);
  return status;
}

void erg_training_free(erg_training_step *training) {
  erg_arena_free(&training->arena);
}
