/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Energies by layer and width, out of runs in which all layers have the same weights. */
#include "ergon/energy_table.h"
#include <math.h>
#include <string.h>

static bool is_layer(const erg_graph *graph, int node) {
  return graph->nodes[node].op->role == ERG_ROLE_ARRAY;
}

char *erg_plan_text(erg_arena *arena, const erg_graph *graph, const char *name, const char *help,
                    const erg_precision *base, const int *weight_bits) {
  char own[32];
  char *text = erg_arena_printf(arena, "name: %s\n", name);
  if (help && text) text = erg_arena_printf(arena, "%shelp: %s\n", text, help);
  if (text) text = erg_arena_printf(arena, "%sdefault: %s\nlayers:\n", text, erg_precision_name(base, own));
  bool stated = base->accumulator_bits != erg_default_accumulator_bits(base->weight_bits, base->activation_bits);
  for (int id = 0; id < graph->node_count && text; id++) {
    if (!is_layer(graph, id)) continue;
    text =
        erg_arena_printf(arena, "%s  %s: w%da%d", text, graph->nodes[id].name, weight_bits[id], base->activation_bits);
    if (stated && text) text = erg_arena_printf(arena, "%sp%d", text, base->accumulator_bits);
    if (text) text = erg_arena_printf(arena, "%s\n", text);
  }
  return text;
}

static erg_status run_plan(const erg_point *point, const int *weight_bits, int hardware_weight_bits,
                           erg_precision *hardware, erg_widths *widths, erg_result *out, erg_error *error) {
  erg_arena arena = {0};
  char *text = erg_plan_text(&arena, point->graph, "plan", NULL, &point->precision, weight_bits);
  erg_status status = text ? erg_widths_parse("plan", text, point->graph, widths, error)
                           : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_arena_free(&arena);
  if (status != ERG_OK) return status;
  erg_point own = *point;
  own.model = ERG_MODEL_ANALYTIC;
  own.totals_only = false;
  erg_point_widths(&own, widths);
  if (hardware_weight_bits) { /* built for more than this plan needs: sums as wide as that hardware's */
    erg_precision *p = &own.precision;
    p->weight_bits = hardware_weight_bits;
    bool stated = point->precision.accumulator_bits !=
                  erg_default_accumulator_bits(point->precision.weight_bits, point->precision.activation_bits);
    if (!stated) p->accumulator_bits = erg_default_accumulator_bits(p->weight_bits, p->activation_bits);
  }
  if (hardware) *hardware = own.precision;
  return erg_run(&own, NULL, out, error);
}

/* Energy of every pass to the layer it follows: what it moves may be that layer's sums. */
static void attribute(const erg_graph *graph, const erg_result *r, const int *row, int options, int option,
                      erg_energy_table *t) {
  double base = 0;
  for (int i = 0; i < r->layer_count; i++) {
    const erg_pass *pass = r->layers[i].pass;
    int node = pass->node_count ? pass->nodes[0] : pass->output;
    while (!is_layer(graph, node) && graph->nodes[node].op->role != ERG_ROLE_INPUT) node = graph->nodes[node].inputs[0];
    if (is_layer(graph, node))
      t->energy_pj[row[node] * options + option] += r->layers[i].energy.total_pj;
    else
      base += r->layers[i].energy.total_pj;
  }
  t->base_pj = base;
}

static erg_status check(const erg_point *point, const int *bits, int count, erg_error *error) {
  char name[32];
  if (point->fusion == ERG_FUSION_DEPTH)
    return erg_fail(
        error, ERG_ERR_UNSUPPORTED,
        "energies by layer: fusion depth: a chain holds the weights of several layers at once, so theirs do "
        "not add up; use epilogue");
  if (!erg_precision_is_int(&point->precision) || point->precision.output_bits != point->precision.activation_bits)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "energies by layer: found %s; allowed: integers without o",
                    erg_precision_name(&point->precision, name));
  if (count < 1 || count > ERG_MOST_WIDTHS)
    return erg_fail(error, ERG_ERR_USAGE, "widths: found %d; allowed: 1 to %d", count, ERG_MOST_WIDTHS);
  for (int i = 0; i < count; i++)
    if (bits[i] < 2 || bits[i] > 16 || (i && bits[i] <= bits[i - 1]))
      return erg_fail(error, ERG_ERR_USAGE, "widths: found %d at place %d; allowed: 2 to 16, ascending", bits[i],
                      i + 1);
  return ERG_OK;
}

static erg_status fill(const erg_point *point, erg_energy_table *t, int hardware_weight_bits, erg_error *error) {
  const erg_graph *graph = point->graph;
  int *row = erg_arena_alloc(&t->arena, sizeof *row * (size_t)graph->node_count);
  int *weight_bits = erg_arena_alloc(&t->arena, sizeof *weight_bits * (size_t)graph->node_count);
  t->nodes = erg_arena_alloc(&t->arena, sizeof *t->nodes * (size_t)graph->node_count);
  if (!row || !weight_bits || !t->nodes) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int id = 0; id < graph->node_count; id++) {
    if (!is_layer(graph, id)) continue;
    row[id] = t->layers;
    t->nodes[t->layers++] = id;
  }
  if (t->layers == 0) return erg_fail(error, ERG_ERR_DATA, "%s: no layer has weights", graph->name);
  t->energy_pj = erg_arena_alloc(&t->arena, sizeof *t->energy_pj * (size_t)(t->layers * t->options));
  if (!t->energy_pj) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_error reasons = {0};
  int covered = 0;
  erg_status status = ERG_OK;
  for (int o = 0; o < t->options && status == ERG_OK; o++) {
    erg_widths widths = {0};
    erg_result result = {0};
    for (int l = 0; l < t->layers; l++) weight_bits[t->nodes[l]] = t->bits[o];
    status = run_plan(point, weight_bits, hardware_weight_bits, &t->hardware, &widths, &result, error);
    if (status == ERG_OK) {
      covered += !result.skipped;
      if (result.skipped)
        erg_fail(&reasons, ERG_ERR_UNSUPPORTED, "%s", result.reason);
      else
        attribute(graph, &result, row, t->options, o, t);
      for (int l = 0; l < t->layers && result.skipped; l++) t->energy_pj[l * t->options + o] = INFINITY;
      erg_result_free(&result);
    }
    erg_widths_free(&widths);
  }
  if (status == ERG_OK && covered == 0)
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "no width is covered: %s", reasons.text ? reasons.text : "");
  erg_error_clear(&reasons);
  return status;
}

erg_status erg_energy_table_make(const erg_point *point, const int *bits, int count, int hardware_weight_bits,
                                 erg_energy_table *out, erg_error *error) {
  erg_energy_table t = {.options = count};
  erg_status status = check(point, bits, count, error);
  if (status != ERG_OK) return status;
  memcpy(t.bits, bits, sizeof *bits * (size_t)count);
  status = fill(point, &t, hardware_weight_bits, error);
  if (status == ERG_OK)
    *out = t;
  else
    erg_energy_table_free(&t);
  return status;
}

void erg_energy_table_free(erg_energy_table *table) {
  erg_arena_free(&table->arena);
}

erg_status erg_bits_run(const erg_point *point, const int *weight_bits, double *pj, erg_error *error) {
  erg_widths widths = {0};
  erg_result result = {0};
  erg_status status = run_plan(point, weight_bits, 0, NULL, &widths, &result, error);
  if (status == ERG_OK) {
    *pj = result.energy.total_pj;
    if (result.skipped) status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s", result.reason);
    erg_result_free(&result);
  }
  erg_widths_free(&widths);
  return status;
}
