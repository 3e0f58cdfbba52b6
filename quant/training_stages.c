/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph cut into a chain of stages, and their sizes and costs. */
#include "ergon/training_memory.h"
#include <string.h>

int64_t erg_stored_bytes(int64_t elements, int bits, int full_bits) {
  const int64_t groups = (elements + ERG_STORED_GROUP - 1) / ERG_STORED_GROUP;
  if (bits >= full_bits) return (elements * full_bits + 7) / 8;
  return (elements * bits + 7) / 8 + 4 * groups;
}

bool erg_training_has_mask(const erg_op *op, int bits, int full_bits) {
  return op->role == ERG_ROLE_CLAMP && bits < full_bits;
}

int64_t erg_mask_bytes(int64_t elements) {
  return (elements + 7) / 8;
}

static bool is_input(const erg_graph *graph, int id) {
  return graph->nodes[id].op->role == ERG_ROLE_INPUT;
}

/* What backward reads: of a node's inputs, of its output. The batch is nobody's copy. */
static void find_kept(erg_training_stages *s) {
  for (int id = 0; id < s->graph->node_count; id++) {
    const erg_node *node = &s->graph->nodes[id];
    s->last_reader[id] = id;
    s->kept[id] |= s->learns[id] && erg_training_reads_output(node->op);
    for (int i = 0; i < node->op->inputs; i++) {
      const int from = node->inputs[i];
      s->last_reader[from] = id;
      s->kept[from] |= s->learns[id] && erg_training_reads_inputs(node->op) && !is_input(s->graph, from);
    }
  }
}

static erg_status check(const erg_training_stages *s, erg_error *error) {
  const erg_graph *graph = s->graph;
  erg_status status = ERG_OK;
  int inputs = 0;
  for (int id = 0; id < graph->node_count; id++) {
    inputs += is_input(graph, id);
    if (id < graph->node_count - 1 && graph->nodes[id].consumers == 0)
      status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: node %s is read by nobody: no gradient comes back to it",
                        graph->file, graph->nodes[id].name);
  }
  if (!s->learns[graph->node_count - 1])
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: nothing in it has weights to train", graph->file);
  if (inputs != 1)
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s has %d inputs; allowed: one, from which a chain begins",
                      graph->file, inputs);
  return status;
}

/* A stage ends at a node if nothing before it but the batch is read behind it, and backward wants it in any case: at
 * another one the chain would keep more than it needs. */
static void cut(erg_training_stages *s) {
  int reach = 0, first = -1; /* the last reader of what was seen so far */
  for (int id = 0; id < s->graph->node_count; id++) {
    if (is_input(s->graph, id)) continue;
    if (first < 0) first = id;
    const bool last = id == s->graph->node_count - 1;
    if (last || (reach <= id && s->kept[id])) {
      s->kept[id] = true;
      s->stages[s->count++] = (erg_training_stage){s->graph->nodes[id].name, first, id};
      first = -1;
    }
    if (s->last_reader[id] > reach) reach = s->last_reader[id];
  }
}

erg_status erg_training_stages_of(const erg_graph *graph, const erg_precision *precision, erg_training_stages *out,
                                  erg_error *error) {
  const size_t nodes = (size_t)graph->node_count;
  erg_training_stages s = {.graph = graph};
  s.full_bits = erg_precision_is_int(precision) ? precision->activation_bits : erg_format_bits(precision->format);
  s.stages = erg_arena_alloc(&s.arena, nodes * sizeof *s.stages);
  s.kept = erg_arena_alloc(&s.arena, nodes * sizeof *s.kept);
  s.learns = erg_arena_alloc(&s.arena, nodes * sizeof *s.learns);
  s.last_reader = erg_arena_alloc(&s.arena, nodes * sizeof *s.last_reader);
  if (!s.stages || !s.kept || !s.learns || !s.last_reader) {
    erg_arena_free(&s.arena);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  erg_training_learns(graph, s.learns);
  erg_status status = check(&s, error);
  if (status != ERG_OK) {
    erg_arena_free(&s.arena);
    return status;
  }
  find_kept(&s);
  cut(&s);
  *out = s;
  return ERG_OK;
}

void erg_training_stages_free(erg_training_stages *stages) {
  erg_arena_free(&stages->arena);
}

static int64_t full_bytes(const erg_training_stages *s, int id) {
  return (erg_shape_elements(s->graph->nodes[id].out) * s->full_bits + 7) / 8;
}

/* Most that lives within stage `g` beside its input while it runs: outputs written and still to be read. */
static int64_t forward_bytes(const erg_training_stages *s, const erg_training_stage *g) {
  int64_t most = 0;
  for (int at = g->first; at <= g->last; at++) {
    int64_t live = 0;
    for (int id = g->first; id <= at; id++)
      if (id == at || s->last_reader[id] >= at) live += full_bytes(s, id);
    if (live > most) most = live;
  }
  return most;
}

/* The same of gradients: one lives from its output's last reader, which comes first, to its own node. `before`: the
 * node whose output the stage reads, or -1. */
static int64_t backward_bytes(const erg_training_stages *s, const erg_training_stage *g, int before) {
  int64_t most = 0;
  for (int at = g->first; at <= g->last; at++) {
    int64_t live = before >= 0 && s->last_reader[before] >= at ? full_bytes(s, before) : 0;
    for (int id = g->first; id <= at; id++)
      if (s->learns[id] && (id == g->last || s->last_reader[id] >= at)) live += full_bytes(s, id);
    if (live > most) most = live;
  }
  return most;
}

static int64_t positive(int64_t bytes) {
  return bytes > 0 ? bytes : 0;
}

erg_status erg_training_chain(const erg_training_stages *s, const erg_training_step *training, int bits,
                              erg_arena *arena, erg_chain *out, erg_error *error) {
  erg_stage *list = erg_arena_alloc(arena, (size_t)s->count * sizeof *list);
  if (!list) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < s->count; i++) {
    const erg_training_stage *g = &s->stages[i];
    const int before = i ? s->stages[i - 1].last : -1;
    erg_stage *stage = &list[i];
    stage->output_bytes = full_bytes(s, g->last);
    stage->kept_output_bytes = erg_stored_bytes(erg_shape_elements(s->graph->nodes[g->last].out), bits, s->full_bits);
    stage->keep_cost = training->nodes[g->last][ERG_TRAINING_STORE].energy_pj;
    for (int id = g->first; id <= g->last; id++) {
      const erg_training_cost *cost = training->nodes[id];
      stage->forward_cost += cost[ERG_TRAINING_FORWARD].energy_pj;
      stage->backward_cost += cost[ERG_TRAINING_INPUTS].energy_pj + cost[ERG_TRAINING_WEIGHTS].energy_pj;
      if (!s->kept[id]) continue;
      /* Every tape is written once, whatever the schedule. */
      stage->backward_cost += cost[ERG_TRAINING_STORE].energy_pj;
      const int64_t elements = erg_shape_elements(s->graph->nodes[id].out);
      stage->kept_tape_bytes += erg_stored_bytes(elements, bits, s->full_bits);
      if (erg_training_has_mask(s->graph->nodes[id].op, bits, s->full_bits))
        stage->kept_tape_bytes += erg_mask_bytes(elements);
    }
    stage->forward_extra_bytes = positive(forward_bytes(s, g) - stage->output_bytes);
    stage->backward_extra_bytes =
        positive(backward_bytes(s, g, before) - stage->output_bytes - (before < 0 ? 0 : full_bytes(s, before)));
  }
  *out = (erg_chain){0, list, s->count, bits < s->full_bits}; /* nobody wants the batch's gradient */
  return ERG_OK;
}

erg_status erg_training_keep_all(const erg_training_stages *s, erg_arena *arena, erg_schedule *out, erg_error *error) {
  erg_step *steps = erg_arena_alloc(arena, 2 * (size_t)s->count * sizeof *steps);
  if (!steps) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < s->count; i++) {
    steps[i] = (erg_step){ERG_STEP_FORWARD_TAPE, i + 1};
    steps[2 * s->count - 1 - i] = (erg_step){ERG_STEP_BACKWARD, i + 1};
  }
  *out = (erg_schedule){.steps = steps, .count = 2 * s->count};
  return ERG_OK;
}

int64_t erg_training_resident_bytes(const erg_graph *graph, int moments) {
  return erg_graph_parameters(graph) * 4 * (2 + moments);
}
