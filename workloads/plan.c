/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold and fuse: a graph into passes. First every node that may join its producer's pass does; what is left becomes a
 * pass of its own, with widths from the table of fusion_rules.c. */
#include "ergon/workloads.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

typedef struct {
  erg_plan *plan;
  const erg_graph *graph;
  int *pass_of; /* by node: pass that computes it, or -1 */
  erg_fusion_judge judge;
  void *judge_context;
} builder;

static const char *rule_name(erg_op_role role) {
  static const char *const names[] = {"input", "array", "batch_norm", "clamp", "add", "vector"};
  return names[role];
}

static const erg_fusion_rule *rule_of(erg_fusion fusion, const char *node) {
  int count;
  const erg_fusion_rule *rules = erg_fusion_rules(&count);
  for (int i = 0; i < count; i++)
    if (rules[i].fusion == fusion && strcmp(rules[i].node, node) == 0) return &rules[i];
  return NULL;
}

ERG_PRINTF(5, 6)
static void note(builder *b, int node, const char *pass, bool done, const char *format, ...) {
  erg_plan *plan = b->plan;
  char text[320];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  /* Three notes a node are the most there can be: folded, fused, refused by the judge. */
  plan->notes[plan->note_count++] = (erg_plan_note){node, pass, done, erg_arena_strdup(&plan->arena, text)};
}

static erg_width width_of(const char *text) {
  return strchr(text, 'A') ? ERG_WIDTH_WIDE : ERG_WIDTH_NARROW;
}

/* Counts of one pass from its parts. */
static void count(const erg_graph *graph, erg_pass *pass) {
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
  } else if (strcmp(pass->kind_name, "requantize") == 0) {
    i->requantize = outputs;
  } else {
    const erg_node *node = &graph->nodes[pass->nodes[0]];
    erg_shape in[ERG_MAX_INPUTS] = {{0}};
    for (int k = 0; k < node->op->inputs; k++) in[k] = graph->nodes[node->inputs[k]].out;
    node->op->counts(&node->attrs, in, &node->out, true, i);
    node->op->counts(&node->attrs, in, &node->out, false, f);
  }
}

static erg_pass *add_pass(builder *b, int node_id, const erg_fusion_rule *rule) {
  const erg_node *node = &b->graph->nodes[node_id];
  erg_pass *pass = &b->plan->passes[b->plan->pass_count++];
  *pass = (erg_pass){.name = node->name,
                     .kind_name = node->op->name,
                     .kind = ERG_PASS_VECTOR,
                     .nodes = {node_id},
                     .node_count = 1,
                     .input_count = node->op->inputs,
                     .residual = -1,
                     .output = node_id,
                     .out_shape = node->out,
                     .in_shape = b->graph->nodes[node->inputs[0]].out,
                     .input_width = width_of(rule->reads),
                     .output_width = width_of(rule->writes)};
  memcpy(pass->inputs, node->inputs, sizeof pass->inputs);
  if (node->op->pool) {
    pass->pool_window = true;
    node->op->pool(&node->attrs, &pass->in_shape, &pass->pool);
  }
  if (node->op->role == ERG_ROLE_CLAMP) {
    pass->clamp = true;
    pass->clamp_high = node->op->clamp_high;
  }
  b->pass_of[node_id] = b->plan->pass_count - 1;
  return pass;
}

static void add_array_pass(builder *b, int node_id, const erg_fusion_rule *rule) {
  const erg_node *node = &b->graph->nodes[node_id];
  erg_pass *pass = add_pass(b, node_id, rule);
  pass->kind = ERG_PASS_ARRAY;
  pass->kind_name = "array";
  node->op->conv(&node->attrs, &pass->in_shape, &pass->conv);
  pass->bias = node->attrs.bias;
  pass->requantize = pass->output_width == ERG_WIDTH_NARROW;
}

static void add_requantize(builder *b, int node_id) {
  const erg_fusion_rule *rule = rule_of(b->plan->fusion, "requantize");
  const erg_node *node = &b->graph->nodes[node_id];
  erg_pass *pass = &b->plan->passes[b->plan->pass_count++];
  *pass = (erg_pass){.name = erg_arena_printf(&b->plan->arena, "%s/requantize", node->name),
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

/* The pass that `node` could join through input `producer`: an array pass whose result only this node reads. */
static erg_pass *host_of(const builder *b, int producer) {
  int index = b->pass_of[producer];
  if (index < 0 || b->graph->nodes[producer].consumers != 1) return NULL;
  erg_pass *pass = &b->plan->passes[index];
  return pass->kind == ERG_PASS_ARRAY && pass->output == producer && pass->node_count < ERG_PASS_NODES ? pass : NULL;
}

static void join(builder *b, erg_pass *host, int node_id) {
  host->nodes[host->node_count++] = node_id;
  host->output = node_id;
  b->pass_of[node_id] = (int)(host - b->plan->passes);
}

static bool fold(builder *b, int node_id) {
  const erg_node *node = &b->graph->nodes[node_id];
  const erg_node *producer = &b->graph->nodes[node->inputs[0]];
  erg_pass *host = host_of(b, node->inputs[0]);
  if (host && host->node_count == 1) {
    host->bias = true;
    join(b, host, node_id);
    note(b, node_id, "fold", true, "folded into %s: its statistics are constants", producer->name);
    return true;
  }
  if (producer->op->role != ERG_ROLE_ARRAY)
    note(b, node_id, "fold", false, "%s is no convolution: nothing to fold into", producer->name);
  else
    note(b, node_id, "fold", false, "%s has %d consumers: folding would change what the others read", producer->name,
         producer->consumers);
  return false;
}

/* Asks the machine whether the fused pass moves more off-chip bits than the two passes it replaces. */
static bool worth_it(builder *b, const erg_pass *fused, const erg_pass *before, int node_id) {
  if (!b->judge) return true;
  erg_plan scratch = {.graph = b->graph, .fusion = ERG_FUSION_FOLD};
  erg_pass parts[2];
  builder one = {.plan = &scratch, .graph = b->graph};
  scratch.passes = &parts[1];
  int *pass_of = erg_arena_alloc(&b->plan->arena, sizeof *pass_of * (size_t)b->graph->node_count);
  if (!pass_of) return false;
  one.pass_of = pass_of;
  parts[0] = *before;
  add_pass(&one, node_id, rule_of(ERG_FUSION_FOLD, rule_name(b->graph->nodes[node_id].op->role)));
  count(b->graph, &parts[1]);
  char reason[256] = "";
  if (b->judge(b->judge_context, fused, parts, 2, reason, sizeof reason)) return true;
  note(b, node_id, "fuse", false, "%s", reason);
  return false;
}

static bool fuse(builder *b, erg_pass *host, int node_id, void (*change)(erg_pass *, const erg_graph *, int)) {
  erg_pass fused = *host;
  change(&fused, b->graph, node_id);
  count(b->graph, host);
  count(b->graph, &fused);
  if (!worth_it(b, &fused, host, node_id)) return false;
  *host = fused;
  join(b, host, node_id);
  return true;
}

static void take_clamp(erg_pass *pass, const erg_graph *graph, int node_id) {
  pass->clamp = true;
  pass->clamp_high = graph->nodes[node_id].op->clamp_high;
}

static bool fuse_clamp(builder *b, int node_id) {
  const erg_node *node = &b->graph->nodes[node_id], *producer = &b->graph->nodes[node->inputs[0]];
  erg_pass *host = host_of(b, node->inputs[0]);
  if (host && !host->clamp) {
    if (!fuse(b, host, node_id, take_clamp)) return false;
    note(b, node_id, "fuse", true, "clamp limits of %s's epilogue", host->name);
    return true;
  }
  if (producer->consumers > 1)
    note(b, node_id, "fuse", false, "%s has %d consumers: its unclamped result is needed too", producer->name,
         producer->consumers);
  else
    note(b, node_id, "fuse", false, "%s has no epilogue that could clamp", producer->name);
  return false;
}

static void take_residual(erg_pass *pass, const erg_graph *graph, int node_id) {
  const erg_node *node = &graph->nodes[node_id];
  pass->residual = node->inputs[0] == pass->output ? node->inputs[1] : node->inputs[0];
}

static bool fuse_add(builder *b, int node_id) {
  const erg_node *node = &b->graph->nodes[node_id];
  int a = node->inputs[0], c = node->inputs[1];
  if (a == c) {
    note(b, node_id, "fuse", false, "both inputs are %s: it cannot be its own residual", b->graph->nodes[a].name);
    return false;
  }
  /* The producer that runs later takes the add; the other's map is complete by then. */
  int later = b->pass_of[a] > b->pass_of[c] ? a : c;
  erg_pass *host = host_of(b, later);
  const char *name = b->graph->nodes[later].name;
  if (host && host->clamp) {
    note(b, node_id, "fuse", false, "%s clamps before the add: the epilogue has no intermediate clamp", name);
    return false;
  }
  if (!host || host->residual >= 0) {
    note(b, node_id, "fuse", false, "%s, its later producer, %s", name,
         host ? "has a residual already" : "is no array pass that only the add reads");
    return false;
  }
  if (!fuse(b, host, node_id, take_residual)) return false;
  note(b, node_id, "fuse", true, "residual of %s's epilogue, read from %s", host->name,
       b->graph->nodes[host->residual].name);
  return true;
}

static bool joins(builder *b, int node_id, const erg_fusion_rule *rule) {
  if (rule->own_pass) return false;
  switch (b->graph->nodes[node_id].op->role) {
  case ERG_ROLE_BATCH_NORM:
    return fold(b, node_id);
  case ERG_ROLE_CLAMP:
    return fuse_clamp(b, node_id);
  case ERG_ROLE_ADD:
    return fuse_add(b, node_id);
  default:
    return false;
  }
}

/* Wide maps are narrowed behind the batch norm that directly and alone follows, else behind the array. */
static bool narrows_here(const builder *b, int node_id) {
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

static void place(builder *b, int node_id) {
  const erg_node *node = &b->graph->nodes[node_id];
  erg_fusion fusion = b->plan->fusion;
  const erg_fusion_rule *rule = rule_of(fusion, rule_name(node->op->role));
  if (joins(b, node_id, rule)) return;
  if (!rule->own_pass) rule = rule_of(ERG_FUSION_NONE, rule_name(node->op->role)); /* refused: as if unfused */
  if (node->op->role == ERG_ROLE_ARRAY)
    add_array_pass(b, node_id, rule);
  else
    add_pass(b, node_id, rule);
  if (fusion != ERG_FUSION_WIDE) return;
  if (node->op->role == ERG_ROLE_BATCH_NORM && !narrows_here(b, node_id)) { /* behind a narrow map: narrow itself */
    erg_pass *pass = &b->plan->passes[b->pass_of[node_id]];
    pass->input_width = pass->output_width = ERG_WIDTH_NARROW;
  }
  if (narrows_here(b, node_id)) add_requantize(b, node_id);
}

erg_status erg_plan_build(const erg_graph *graph, erg_fusion fusion, erg_fusion_judge judge, void *judge_context,
                          erg_plan *out, erg_error *error) {
  erg_plan plan = {.graph = graph, .fusion = fusion};
  size_t nodes = (size_t)graph->node_count;
  builder b = {.plan = &plan, .graph = graph, .judge = judge, .judge_context = judge_context};
  plan.passes = erg_arena_alloc(&plan.arena, 2 * nodes * sizeof *plan.passes);
  plan.notes = erg_arena_alloc(&plan.arena, 3 * nodes * sizeof *plan.notes);
  b.pass_of = erg_arena_alloc(&plan.arena, nodes * sizeof *b.pass_of);
  if (!plan.passes || !plan.notes || !b.pass_of) {
    erg_arena_free(&plan.arena);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  for (int id = 0; id < graph->node_count; id++) {
    b.pass_of[id] = -1;
    if (graph->nodes[id].op->role != ERG_ROLE_INPUT) place(&b, id);
  }
  for (int i = 0; i < plan.pass_count; i++) {
    count(graph, &plan.passes[i]);
    plan.passes[i].out_shape = graph->nodes[plan.passes[i].output].out;
  }
  *out = plan;
  return ERG_OK;
}

void erg_plan_free(erg_plan *plan) {
  erg_arena_free(&plan->arena);
}
