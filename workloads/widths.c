/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the entries of a precision plan to the widths of every tensor of a network. */
#include "ergon/widths.h"
#include <string.h>

static const erg_precision_entry *entry_of(const erg_precision_plan *plan, const char *layer) {
  for (int i = 0; i < plan->count; i++)
    if (strcmp(plan->entries[i].layer, layer) == 0) return &plan->entries[i];
  return &plan->fallback;
}

static int larger(int a, int b) {
  return a > b ? a : b;
}

static void resolve(erg_widths *w, const erg_graph *graph) {
  const erg_precision_plan *plan = &w->plan;
  w->widest = (erg_precision){.format = ERG_FORMAT_INT};
  for (int id = 0; id < graph->node_count; id++) {
    const erg_node *node = &graph->nodes[id];
    erg_precision *p = &w->nodes[id];
    bool array = node->op->role == ERG_ROLE_ARRAY, input = node->op->role == ERG_ROLE_INPUT;
    const erg_precision_entry *e = array ? entry_of(plan, node->name) : &plan->fallback;
    w->positions[id] = e->position;
    *p = input ? plan->fallback.precision : w->nodes[node->inputs[0]];
    if (input) continue;
    p->activation_bits = w->nodes[node->inputs[0]].output_bits;
    if (array) {
      p->weight_bits = e->precision.weight_bits;
      p->output_bits = e->precision.output_bits;
      p->accumulator_bits = e->accumulator_stated ? e->precision.accumulator_bits
                                                  : erg_default_accumulator_bits(p->weight_bits, p->activation_bits);
      w->widest.weight_bits = larger(w->widest.weight_bits, p->weight_bits);
      w->widest.activation_bits = larger(w->widest.activation_bits, p->activation_bits);
      w->widest.accumulator_bits = larger(w->widest.accumulator_bits, p->accumulator_bits);
    } else {
      for (int k = 0; k < node->op->inputs; k++)
        p->output_bits = larger(p->output_bits, w->nodes[node->inputs[k]].output_bits);
    }
    w->widest.output_bits = larger(w->widest.output_bits, p->output_bits);
  }
  if (w->widest.weight_bits == 0) w->widest = plan->fallback.precision; /* nothing but vector operators */
}

erg_status erg_widths_parse(const char *file, const char *text, const erg_graph *graph, erg_widths *out,
                            erg_error *error) {
  erg_widths w = {0};
  erg_arena arena = {0};
  size_t nodes = (size_t)graph->node_count;
  const char **names = erg_arena_alloc(&arena, (nodes + 1) * sizeof *names);
  if (!names) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  int count = 0;
  for (int id = 0; id < graph->node_count; id++)
    if (graph->nodes[id].op->role == ERG_ROLE_ARRAY) names[count++] = graph->nodes[id].name;
  erg_status status = erg_precision_plan_parse(file, text, names, &w.plan, error);
  erg_arena_free(&arena);
  if (status != ERG_OK) return status;
  w.nodes = erg_arena_alloc(&w.plan.arena, nodes * sizeof *w.nodes);
  w.positions = erg_arena_alloc(&w.plan.arena, nodes * sizeof *w.positions);
  if (!w.nodes || !w.positions) {
    erg_widths_free(&w);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  resolve(&w, graph);
  *out = w;
  return ERG_OK;
}

erg_status erg_widths_load(const char *file, const erg_graph *graph, erg_widths *out, erg_error *error) {
  erg_arena arena = {0};
  char *text;
  erg_status status = erg_file_read(&arena, file, &text, NULL, error);
  if (status == ERG_OK) status = erg_widths_parse(file, text, graph, out, error);
  erg_arena_free(&arena);
  return status;
}

void erg_widths_free(erg_widths *widths) {
  erg_precision_plan_free(&widths->plan);
  memset(widths, 0, sizeof *widths);
}
