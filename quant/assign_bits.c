/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weight widths for a budget. Every layer pays for the widest one's hardware (MACs of a native array, accumulator
 * memory of any), which no sum over layers can say: each width that the hardware may have is a problem of its own,
 * whose energies do add up. */
#include "ergon/energy_table.h"
#include <math.h>
#include <string.h>

static bool better(const erg_assignment *a, const erg_assignment *b, bool by_loss) {
  double a1 = by_loss ? a->energy : a->loss, b1 = by_loss ? b->energy : b->loss;
  double a2 = by_loss ? a->loss : a->energy, b2 = by_loss ? b->loss : b->energy;
  return a1 != b1 ? a1 < b1 : a2 < b2;
}

/* The best plan of widths up to bits[cap] on hardware of that width; true: there is one. */
static erg_status solve(const erg_point *point, const int *bits, int count, int cap, const double *loss,
                        erg_bit_budget budget, erg_arena *arena, erg_assignment *best, erg_energy_table *table,
                        bool *found, erg_error *error) {
  int options = cap + 1;
  erg_status status = erg_energy_table_make(point, bits, options, bits[cap], table, error);
  if (status != ERG_OK) return status;
  size_t cells = (size_t)table->layers * (size_t)options;
  double *own = erg_arena_alloc(arena, sizeof *own * cells);
  if (!own) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int l = 0; l < table->layers; l++) memcpy(&own[l * options], &loss[l * count], sizeof *own * (size_t)options);
  const erg_assign_table t = {table->layers, options, table->energy_pj, own};
  erg_error fault = {0};
  status = budget.by_loss ? erg_assign_loss(&t, budget.budget, arena, best, &fault)
                          : erg_assign_energy(&t, budget.budget - table->base_pj, arena, best, &fault);
  *found = status == ERG_OK;
  if (status != ERG_OK && status != ERG_ERR_DATA) erg_fail(error, status, "%s", fault.text);
  erg_error_clear(&fault);
  return status == ERG_ERR_DATA ? ERG_OK : status;
}

/* The nearest budget that can be kept: the best that any plan has on the budget's side. */
static double nearest(const erg_energy_table *t, const double *loss, int count, bool by_loss) {
  double sum = by_loss ? 0 : t->base_pj;
  for (int l = 0; l < t->layers; l++) {
    double least = INFINITY;
    for (int o = 0; o < t->options; o++)
      if (isfinite(t->energy_pj[l * t->options + o]))
        least = fmin(least, by_loss ? loss[l * count + o] : t->energy_pj[l * t->options + o]);
    sum += least;
  }
  return sum;
}

erg_status erg_assign_bits(const erg_point *point, const int *bits, int count, const double *loss,
                           erg_bit_budget budget, erg_arena *arena, erg_bit_choice *out, erg_error *error) {
  erg_bit_choice choice = {0};
  erg_assignment best = {0};
  bool any = false;
  double least = INFINITY;
  erg_status status = ERG_OK;
  erg_error uncovered = {0};
  int solved = 0;
  choice.weight_bits = erg_arena_alloc(arena, sizeof *choice.weight_bits * (size_t)point->graph->node_count);
  if (!choice.weight_bits) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int cap = 0; cap < count && status == ERG_OK; cap++) {
    erg_energy_table table = {0};
    erg_assignment found = {0};
    erg_error fault = {0};
    bool kept = false;
    status = solve(point, bits, count, cap, loss, budget, arena, &found, &table, &kept, &fault);
    if (status == ERG_OK) {
      solved++;
      least = fmin(least, nearest(&table, loss, count, budget.by_loss));
      found.energy += table.base_pj;
    } else if (status == ERG_ERR_UNSUPPORTED) { /* not on hardware of this width: on another, perhaps */
      erg_fail(&uncovered, status, "%s", fault.text);
      status = ERG_OK;
    } else {
      erg_fail(error, status, "%s", fault.text);
    }
    if (kept && (!any || better(&found, &best, budget.by_loss))) {
      any = true;
      best = found;
      choice.hardware_weight_bits = bits[cap];
      for (int l = 0; l < table.layers; l++) choice.weight_bits[table.nodes[l]] = bits[found.option[l]];
    }
    erg_error_clear(&fault);
    erg_energy_table_free(&table);
  }
  if (status == ERG_OK && solved == 0)
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s", uncovered.text ? uncovered.text : "no width is covered");
  else if (status == ERG_OK && !any)
    status = erg_fail(error, ERG_ERR_DATA, "no plan keeps %.17g%s; the nearest budget that one keeps is %.17g%s",
                      budget.budget, budget.by_loss ? " of loss" : " pJ", least, budget.by_loss ? "" : " pJ");
  erg_error_clear(&uncovered);
  if (status != ERG_OK) return status;
  choice.energy_pj = best.energy;
  choice.loss = best.loss;
  status = erg_bits_run(point, choice.weight_bits, &choice.run_pj, error);
  *out = choice;
  return status;
}
