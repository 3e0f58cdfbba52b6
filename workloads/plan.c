/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph into passes. First every node that may join its producer's pass does (plan_epilogue.c); what is left becomes
 * a pass of its own, with widths from the table of fusion_rules.c. */
#include "plan.h"
#include <math.h>
#include <string.h>

static const char *rule_name(erg_op_role role) {
  static const char *const names[] = {"input", "array", "batch_norm", "norm", "clamp", "gate", "add", "vector"};
  return names[role];
}

static const erg_fusion_rule *find_rule(erg_fusion fusion, const char *node) {
  int count;
  const erg_fusion_rule *rules = erg_fusion_rules(&count);
  for (int i = 0; i < count; i++)
    if (rules[i].fusion == fusion && strcmp(rules[i].node, node) == 0) return &rules[i];
  return NULL;
}

const erg_fusion_rule *erg_plan_rule(erg_fusion fusion, erg_op_role role) {
  return find_rule(fusion, rule_name(role));
}

static erg_width width_of(const char *text) {
  return strchr(text, 'A') ? ERG_WIDTH_WIDE : ERG_WIDTH_NARROW;
}

/* Of a norm's first pass, wherever it runs. */
static void count_statistics(erg_norm_kind kind, erg_shape map, erg_op_counts *i, erg_op_counts *f) {
  ERG_EACH(erg_op, item) {
    if ((*item)->norm != kind) continue;
    (*item)->gather_counts(NULL, &map, i);
    (*item)->gather_counts(NULL, &map, f);
  }
}

void erg_plan_count(const erg_graph *graph, erg_pass *pass) {
  uint64_t outputs = (uint64_t)erg_shape_elements(pass->out_shape);
  erg_op_counts *i = &pass->int_counts, *f = &pass->float_counts;
  *i = *f = (erg_op_counts){0};
  if (pass->kind == ERG_PASS_ARRAY) {
    i->mac = f->mac = (uint64_t)erg_conv2d_macs(&pass->conv);
    if (pass->requantize) i->requantize += outputs;
    i->add += outputs; /* an integer bias is always there: it holds the folded zero point */
    if (pass->bias) f->add += outputs;
    if (pass->residual >= 0) {
      i->requantize += outputs;
      i->add += outputs;
      f->add += outputs;
    }
    /* The integer clamp is part of the requantize; floats compare with one limit, or with two. */
    if (pass->clamp) f->compare += outputs * (isfinite(pass->clamp_high) ? 2 : 1);
    if (pass->gate) i->gate = f->gate = outputs;
    if (pass->gathers) count_statistics(pass->gathers, pass->out_shape, i, f);
  } else if (strcmp(pass->kind_name, "requantize") == 0) {
    i->requantize = outputs;
  } else {
    const erg_node *node = &graph->nodes[pass->nodes[0]];
    erg_shape in[ERG_MAX_INPUTS] = {{0}};
    for (int k = 0; k < node->op->inputs; k++) in[k] = graph->nodes[node->inputs[k]].out;
    node->op->counts(&node->attrs, in, &node->out, true, i);
    node->op->counts(&node->attrs, in, &node->out, false, f);
    if (pass->own_statistics) count_statistics(pass->norm, pass->in_shape, i, f);
    if (pass->norm && pass->clamp) f->compare += outputs * (isfinite(pass->clamp_high) ? 2 : 1);
  }
}

static void make_array(const erg_graph *graph, int node_id, erg_pass *pass) {
  const erg_node *node = &graph->nodes[node_id];
  pass->kind = ERG_PASS_ARRAY;
  pass->kind_name = "array";
  node->op->conv(&node->attrs, &pass->in_shape, &pass->conv);
  pass->bias = node->attrs.bias;
  pass->requantize = pass->output_width == ERG_WIDTH_NARROW;
}

erg_pass erg_plan_own_pass(const erg_graph *graph, int node_id, const erg_fusion_rule *rule) {
  const erg_node *node = &graph->nodes[node_id];
  erg_pass pass = {.name = node->name,
                   .kind_name = node->op->name,
                   .kind = ERG_PASS_VECTOR,
                   .nodes = {node_id},
                   .node_count = 1,
                   .input_count = node->op->inputs,
                   .residual = -1,
                   .output = node_id,
                   .out_shape = node->out,
                   .in_shape = graph->nodes[node->inputs[0]].out,
                   .input_width = width_of(rule->reads),
                   .output_width = width_of(rule->writes)};
  memcpy(pass.inputs, node->inputs, sizeof pass.inputs);
  if (node->op->role == ERG_ROLE_ARRAY) make_array(graph, node_id, &pass);
  if (node->op->pool) {
    pass.pool_window = true;
    node->op->pool(&node->attrs, &pass.in_shape, &pass.pool);
  }
  pass.norm = node->op->norm;
  pass.by_channel = node->op->by_channel;
  pass.gate = node->op->gate;
  if (node->op->role == ERG_ROLE_CLAMP) {
    pass.clamp = true;
    pass.clamp_high = node->op->clamp_high;
  }
  return pass;
}

static void add_requantize(erg_planner *b, int node_id) {
  const erg_fusion_rule *rule = find_rule(b->plan->fusion, "requantize");
  const erg_node *node = &b->graph->nodes[node_id];
  b->plan->passes[b->plan->pass_count++] =
      (erg_pass){.name = erg_arena_printf(&b->plan->arena, "%s/requantize", node->name),
                 .kind_name = "requantize",
                 .kind = ERG_PASS_VECTOR,
                 .input_count = 1,
                 .inputs = {node_id},
                 .residual = -1,
                 .output = node_id,
                 .in_shape = node->out,
                 .out_shape = node->out,
                 .input_width = width_of(rule->reads),
                 .output_width = width_of(rule->writes)};
}

/* Wide maps are narrowed behind the batch norm that directly and alone follows, else behind the array. */
static bool narrows_here(const erg_planner *b, int node_id) {
  const erg_graph *graph = b->graph;
  const erg_node *node = &graph->nodes[node_id];
  if (node->op->role == ERG_ROLE_BATCH_NORM)
    return graph->nodes[node->inputs[0]].op->role == ERG_ROLE_ARRAY && graph->nodes[node->inputs[0]].consumers == 1;
  if (node->op->role != ERG_ROLE_ARRAY) return false;
  for (int id = node_id + 1; id < graph->node_count; id++)
    if (graph->nodes[id].op->role == ERG_ROLE_BATCH_NORM && graph->nodes[id].inputs[0] == node_id)
      return node->consumers != 1;
  return true;
}

static void place(erg_planner *b, int node_id) {
  erg_op_role role = b->graph->nodes[node_id].op->role;
  erg_fusion fusion = b->plan->fusion;
  const erg_fusion_rule *rule = erg_plan_rule(fusion, role);
  if (!rule->own_pass) {
    if (erg_plan_join(b, node_id)) return;
    rule = erg_plan_rule(ERG_FUSION_NONE, role); /* refused: as if unfused */
  }
  erg_pass *pass = &b->plan->passes[b->plan->pass_count];
  *pass = erg_plan_own_pass(b->graph, node_id, rule);
  b->pass_of[node_id] = b->plan->pass_count++;
  if (role == ERG_ROLE_NORM) erg_plan_statistics(b, node_id, pass);
  if (fusion != ERG_FUSION_WIDE) return;
  if (narrows_here(b, node_id))
    add_requantize(b, node_id);
  else if (role == ERG_ROLE_BATCH_NORM) /* behind a narrow map: narrow itself */
    pass->input_width = pass->output_width = ERG_WIDTH_NARROW;
}

erg_status erg_plan_build(const erg_graph *graph, erg_fusion fusion, erg_fusion_judge judge, void *judge_context,
                          erg_plan *out, erg_error *error) {
  erg_plan plan = {.graph = graph, .fusion = fusion};
  size_t nodes = (size_t)graph->node_count;
  erg_planner b = {.plan = &plan, .graph = graph, .judge = judge, .judge_context = judge_context};
  plan.passes = erg_arena_alloc(&plan.arena, 2 * nodes * sizeof *plan.passes);
  plan.notes = erg_arena_alloc(&plan.arena, 4 * nodes * sizeof *plan.notes);
  b.pass_of = erg_arena_alloc(&plan.arena, nodes * sizeof *b.pass_of);
  if (!plan.passes || !plan.notes || !b.pass_of) {
    erg_arena_free(&plan.arena);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  for (int id = 0; id < graph->node_count; id++) {
    b.pass_of[id] = -1;
    if (graph->nodes[id].op->role != ERG_ROLE_INPUT) place(&b, id);
  }
  for (int i = 0; i < plan.pass_count; i++) erg_plan_count(graph, &plan.passes[i]);
  *out = plan;
  return ERG_OK;
}

void erg_plan_free(erg_plan *plan) {
  erg_arena_free(&plan->arena);
}
