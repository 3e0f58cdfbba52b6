/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans to compare with: a good one must beat them at equal energy. */
#include "ergon/assign.h"
#include <math.h>
#include <string.h>

static void swap(int *a, int *b) {
  int kept = *a;
  *a = *b;
  *b = kept;
}

static void shuffle(erg_random *random, int *items, int count) {
  for (int i = count - 1; i > 0; i--) swap(&items[i], &items[erg_random_range(random, 0, i)]);
}

static int cheapest(const erg_assign_table *t, int layer) {
  int best = 0;
  for (int o = 1; o < t->options; o++)
    if (t->energy[layer * t->options + o] < t->energy[layer * t->options + best]) best = o;
  return best;
}

/* One dearer option of one layer that fits, drawn at random; false: none does. */
static bool raise_one(const erg_assign_table *t, double budget, erg_random *random, int *order, int *option) {
  shuffle(random, order, t->layers);
  for (int i = 0; i < t->layers; i++) {
    int l = order[i], kept = option[l], chosen = -1, candidates = 0;
    double now = t->energy[l * t->options + kept];
    for (int o = 0; o < t->options; o++) {
      erg_assignment sum;
      if (!isfinite(t->energy[l * t->options + o]) || t->energy[l * t->options + o] <= now) continue;
      option[l] = o;
      erg_assign_sum(t, option, &sum);
      if (sum.energy <= budget && erg_random_range(random, 0, candidates++) == 0) chosen = o;
    }
    option[l] = chosen >= 0 ? chosen : kept;
    if (chosen >= 0) return true;
  }
  return false;
}

erg_status erg_assign_random(const erg_assign_table *t, double energy_budget, erg_random *random, erg_arena *arena,
                             erg_assignment *out, erg_error *error) {
  int *option = erg_arena_alloc(arena, sizeof *option * (size_t)t->layers);
  int *order = erg_arena_alloc(arena, sizeof *order * (size_t)t->layers);
  if (!option || !order) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int l = 0; l < t->layers; l++) {
    option[l] = cheapest(t, l);
    order[l] = l;
  }
  erg_assign_sum(t, option, out);
  if (!(out->energy <= energy_budget))
    return erg_fail(error, ERG_ERR_DATA, "assign: no plan has an energy of at most %.17g; the least is %.17g",
                    energy_budget, out->energy);
  while (raise_one(t, energy_budget, random, order, option)) {
  }
  out->option = option;
  erg_assign_sum(t, option, out);
  return ERG_OK;
}

erg_status erg_assign_control_loss(const erg_assign_table *t, erg_assign_control control, int reference,
                                   erg_random *random, erg_arena *arena, double **loss, erg_error *error) {
  double *out = erg_arena_alloc(arena, sizeof *out * (size_t)t->layers * (size_t)t->options);
  double *weight = erg_arena_alloc(arena, sizeof *weight * (size_t)t->layers), least = INFINITY;
  int *order = erg_arena_alloc(arena, sizeof *order * (size_t)t->layers);
  if (!out || !weight || !order) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int l = 0; l < t->layers; l++) {
    weight[l] = t->loss[l * t->options + reference];
    order[l] = l;
    if (weight[l] > 0) least = fmin(least, weight[l]);
  }
  if (!isfinite(least))
    return erg_fail(error, ERG_ERR_DATA, "assign: no layer has a loss above 0 at option %d: nothing to turn round",
                    reference);
  for (int l = 0; l < t->layers; l++) weight[l] = fmax(weight[l], least);
  if (control == ERG_CONTROL_SHUFFLED) shuffle(random, order, t->layers);
  for (int l = 0; l < t->layers; l++) {
    double wanted = control == ERG_CONTROL_ANTI ? least * least / weight[l] : weight[order[l]];
    for (int o = 0; o < t->options; o++) out[l * t->options + o] = t->loss[l * t->options + o] * (wanted / weight[l]);
  }
  *loss = out;
  return ERG_OK;
}
