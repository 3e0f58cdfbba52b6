/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold and fuse: which nodes join the array pass of their producer. A chain conv [-> batch norm] [-> add] [-> clamp]
 * [-> gate] grows link by link, in the order of the nodes; each link is kept only if nothing else reads its producer.
 */
#include "plan.h"
#include <stdarg.h>
#include <string.h>

ERG_PRINTF(5, 6)
static void note(erg_planner *b, int node, const char *pass, bool done, const char *format, ...) {
  erg_plan *plan = b->plan;
  char text[320];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const char *kept = erg_arena_strdup(&plan->arena, text);
  plan->notes[plan->note_count++] = (erg_plan_note){node, pass, done, kept ? kept : ""};
}

/* The pass that `producer`'s only reader could join: the one that ends in it, with nothing behind it yet. */
static erg_pass *pass_to_join(const erg_planner *b, int producer) {
  int index = b->pass_of[producer];
  if (index < 0 || b->graph->nodes[producer].consumers != 1) return NULL;
  erg_pass *pass = &b->plan->passes[index];
  return pass->node_count < ERG_PASS_NODES && !pass->gate ? pass : NULL;
}

/* The same, of the array. */
static erg_pass *host_of(const erg_planner *b, int producer) {
  erg_pass *pass = pass_to_join(b, producer);
  return pass && pass->kind == ERG_PASS_ARRAY ? pass : NULL;
}

static void append(erg_pass *pass, int node_id) {
  pass->nodes[pass->node_count++] = node_id;
  pass->output = node_id;
}

/* Asks the machine whether the fused pass moves more off-chip bits than the two it replaces. */
static bool keep(erg_planner *b, erg_pass *host, erg_pass *fused, int node_id) {
  char reason[256] = "the fused pass would move more off-chip bits";
  if (b->judge) {
    const erg_fusion_rule *alone = erg_plan_rule(ERG_FUSION_NONE, b->graph->nodes[node_id].op->role);
    erg_pass parts[] = {*host, erg_plan_own_pass(b->graph, node_id, alone)};
    erg_plan_count(b->graph, &parts[0]);
    erg_plan_count(b->graph, &parts[1]);
    erg_plan_count(b->graph, fused);
    if (!b->judge(b->judge_context, fused, parts, 2, reason, sizeof reason)) {
      note(b, node_id, "fuse", false, "%s", reason);
      return false;
    }
  }
  *host = *fused;
  b->pass_of[node_id] = (int)(host - b->plan->passes);
  return true;
}

static bool fold(erg_planner *b, int node_id) {
  int from = b->graph->nodes[node_id].inputs[0];
  const erg_node *producer = &b->graph->nodes[from];
  erg_pass *host = host_of(b, from);
  if (host && host->node_count == 1) { /* never more traffic: the machine is not asked */
    host->bias = true;
    append(host, node_id);
    b->pass_of[node_id] = b->pass_of[from];
    note(b, node_id, "fold", true, "folded into %s: its statistics are constants", producer->name);
    return true;
  }
  if (host)
    note(b, node_id, "fold", false, "%s ends %s's pass: weights can only take a batch norm that directly follows",
         producer->name, host->name);
  else if (producer->op->role != ERG_ROLE_ARRAY)
    note(b, node_id, "fold", false, "%s is no convolution: nothing to fold into", producer->name);
  else
    note(b, node_id, "fold", false, "%s has %d consumers: folding would change what the others read", producer->name,
         producer->consumers);
  return false;
}

static bool fuse_clamp(erg_planner *b, int node_id) {
  const erg_node *node = &b->graph->nodes[node_id], *producer = &b->graph->nodes[node->inputs[0]];
  erg_pass *host = pass_to_join(b, node->inputs[0]);
  if (host && host->kind == ERG_PASS_VECTOR && !host->norm) host = NULL;
  if (host && !host->clamp) {
    erg_pass fused = *host;
    fused.clamp = true;
    fused.clamp_high = node->op->clamp_high;
    append(&fused, node_id);
    if (!keep(b, host, &fused, node_id)) return false;
    note(b, node_id, "fuse", true, "clamp limits of %s's epilogue", host->name);
    return true;
  }
  if (host)
    note(b, node_id, "fuse", false, "%s's epilogue clamps already", host->name);
  else if (producer->consumers > 1)
    note(b, node_id, "fuse", false, "%s has %d consumers: its unclamped result is needed too", producer->name,
         producer->consumers);
  else
    note(b, node_id, "fuse", false, "%s has no epilogue that could clamp", producer->name);
  return false;
}

static bool fuse_gate(erg_planner *b, int node_id) {
  const erg_node *node = &b->graph->nodes[node_id], *producer = &b->graph->nodes[node->inputs[0]];
  erg_pass *host = host_of(b, node->inputs[0]);
  if (!host) {
    note(b, node_id, "fuse", false, "%s %s: no epilogue whose codes a table could take", producer->name,
         producer->consumers > 1 ? "has other consumers" : "is no array pass, or has a table already");
    return false;
  }
  erg_pass fused = *host;
  fused.gate = node->op->gate;
  append(&fused, node_id);
  if (!keep(b, host, &fused, node_id)) return false;
  note(b, node_id, "fuse", true, "a table behind %s's epilogue", host->name);
  return true;
}

void erg_plan_statistics(erg_planner *b, int node_id, erg_pass *pass) {
  int from = b->graph->nodes[node_id].inputs[0], index = b->pass_of[from];
  erg_pass *host = index >= 0 && b->plan->fusion >= ERG_FUSION_EPILOGUE ? &b->plan->passes[index] : NULL;
  if (host && host->kind == ERG_PASS_ARRAY && !host->gathers && !host->gate) { /* whoever else reads the map */
    host->gathers = pass->norm;
    note(b, node_id, "fuse", true, "%s's epilogue takes its statistics; they depend on the input, so nothing folds",
         host->name);
    return;
  }
  pass->own_statistics = true;
  if (pass->norm == ERG_NORM_INSTANCE) { /* a pixel's channels are at hand twice, a map is not */
    pass->input_count = 2;
    pass->inputs[1] = from;
  }
  if (b->plan->fusion >= ERG_FUSION_EPILOGUE)
    note(b, node_id, "fuse", false, "%s has no epilogue free to take its statistics", b->graph->nodes[from].name);
}

static bool fuse_add(erg_planner *b, int node_id) {
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
  erg_pass fused = *host;
  fused.residual = later == a ? c : a;
  append(&fused, node_id);
  if (!keep(b, host, &fused, node_id)) return false;
  note(b, node_id, "fuse", true, "residual of %s's epilogue, read from %s", host->name,
       b->graph->nodes[host->residual].name);
  return true;
}

bool erg_plan_join(erg_planner *b, int node_id) {
  switch (b->graph->nodes[node_id].op->role) {
  case ERG_ROLE_BATCH_NORM:
    return fold(b, node_id);
  case ERG_ROLE_CLAMP:
    return fuse_clamp(b, node_id);
  case ERG_ROLE_GATE:
    return fuse_gate(b, node_id);
  case ERG_ROLE_ADD:
    return fuse_add(b, node_id);
  default:
    return false;
  }
}
