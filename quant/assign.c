/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact solver: partial plans layer by layer, of which only those stay that no other beats in both sums (a Pareto
 * dynamic program). Rounded addition is monotone, so a beaten partial plan can never lead to a better sum; bounds from
 * the convex hull of the layers still to come cut the rest, with room for their own rounding. */
#include "ergon/assign.h"
#include "assign_hull.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LABELS 16000000
#define SLACK 1e-9 /* relative: bounds are sums in another order */

typedef struct {
  double cost, value; /* cost: within the budget; value: to be least */
  int parent;
  int option;
} label;

typedef struct {
  label *items;
  int count;
} front;

static double absolute_sum(const double *values, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++)
    if (isfinite(values[i])) sum += fabs(values[i]);
  return sum;
}

static int by_cost(const void *a, const void *b) {
  const label *x = a, *y = b;
  if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  if (x->parent != y->parent) return x->parent < y->parent ? -1 : 1;
  return (x->option > y->option) - (x->option < y->option);
}

/* What can no longer be beaten, by cost; ties keep the first. */
static void drop_dominated(front *f) {
  int kept = 0;
  qsort(f->items, (size_t)f->count, sizeof *f->items, by_cost);
  for (int i = 0; i < f->count; i++)
    if (kept == 0 || f->items[i].value < f->items[kept - 1].value) f->items[kept++] = f->items[i];
  f->count = kept;
}

typedef struct {
  int layers, options;
  const double *cost, *value;
  double budget, incumbent, cost_slack, value_slack;
  const hull *rest; /* [layers + 1] hulls of the layers from here on */
} problem;

static bool hopeless(const problem *p, int layer, double cost, double value) {
  double room = p->budget - cost + p->cost_slack, bound;
  if (!hull_bound(&p->rest[layer + 1], room, &bound)) return true;
  return value + bound > p->incumbent + p->value_slack;
}

static erg_status extend(const problem *p, int layer, const front *from, front *to, int64_t *labels, erg_error *error) {
  to->items = malloc(sizeof *to->items * ((size_t)from->count * (size_t)p->options + 1));
  if (!to->items || !from->items) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < from->count; i++)
    for (int o = 0; o < p->options; o++) {
      double cost = p->cost[layer * p->options + o], value = p->value[layer * p->options + o];
      if (!isfinite(cost) || !isfinite(value)) continue;
      cost += from->items[i].cost;
      value += from->items[i].value;
      if (!hopeless(p, layer, cost, value)) to->items[to->count++] = (label){cost, value, i, o};
    }
  drop_dominated(to);
  *labels += to->count;
  if (*labels > MOST_LABELS)
    return erg_fail(error, ERG_ERR_UNSUPPORTED,
                    "assign: more than %d undominated partial plans at layer %d of %d; give fewer options or layers",
                    MOST_LABELS, layer + 1, p->layers);
  label *fit = realloc(to->items, sizeof *fit * ((size_t)to->count + 1));
  if (fit) to->items = fit;
  return ERG_OK;
}

/* Of the last front the least value within the budget; false: none. */
static bool trace(const problem *p, const front *fronts, int *option) {
  const front *last = &fronts[p->layers];
  int best = -1;
  if (!last->items) return false;
  for (int i = 0; i < last->count; i++) /* values fall with cost */
    if (last->items[i].cost <= p->budget) best = i;
  if (best < 0) return false;
  for (int layer = p->layers; layer > 0; layer--) {
    option[layer - 1] = fronts[layer].items[best].option;
    best = fronts[layer].items[best].parent;
  }
  return true;
}

static erg_status solve(problem *p, int *option, bool *found, erg_error *error) {
  front *fronts = calloc((size_t)p->layers + 1, sizeof *fronts);
  if (!fronts) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  int64_t labels = 0;
  fronts[0].items = calloc(1, sizeof *fronts[0].items);
  fronts[0].count = 1;
  erg_status status = fronts[0].items ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int layer = 0; layer < p->layers && status == ERG_OK; layer++)
    status = extend(p, layer, &fronts[layer], &fronts[layer + 1], &labels, error);
  if (status == ERG_OK) *found = trace(p, fronts, option);
  for (int layer = 0; layer <= p->layers; layer++) free(fronts[layer].items);
  free(fronts);
  return status;
}

static double least_sum(const problem *p) {
  double sum = 0;
  for (int l = 0; l < p->layers; l++) {
    double least = INFINITY;
    for (int o = 0; o < p->options; o++)
      if (isfinite(p->value[l * p->options + o])) least = fmin(least, p->cost[l * p->options + o]);
    sum += least;
  }
  return sum;
}

static erg_status check(const erg_assign_table *t, erg_error *error) {
  if (t->layers < 1 || t->options < 1)
    return erg_fail(error, ERG_ERR_DATA, "assign: found %d layers with %d options; allowed: 1 and up of each",
                    t->layers, t->options);
  erg_status status = ERG_OK;
  for (int l = 0; l < t->layers; l++) {
    bool any = false;
    for (int o = 0; o < t->options; o++) {
      double energy = t->energy[l * t->options + o], loss = t->loss[l * t->options + o];
      any |= isfinite(energy);
      if (isnan(energy) || energy < 0 || (isfinite(energy) && !isfinite(loss)))
        status =
            erg_fail(error, ERG_ERR_DATA,
                     "assign: layer %d, option %d: found energy %g, loss %g; allowed: energies from 0, finite losses",
                     l, o, energy, loss);
    }
    if (!any) status = erg_fail(error, ERG_ERR_DATA, "assign: layer %d has no option", l);
  }
  return status;
}

void erg_assign_sum(const erg_assign_table *t, const int *option, erg_assignment *out) {
  out->energy = out->loss = 0;
  for (int l = 0; l < t->layers; l++) {
    out->energy += t->energy[l * t->options + option[l]];
    out->loss += t->loss[l * t->options + option[l]];
  }
}

/* `what`, `unit`: of the side that has the budget. */
static erg_status assign(const erg_assign_table *t, bool by_loss, double budget, const char *what, erg_arena *arena,
                         erg_assignment *out, erg_error *error) {
  erg_status status = check(t, error);
  if (status != ERG_OK) return status;
  int cells = t->layers * t->options;
  double *loss = erg_arena_alloc(arena, sizeof *loss * (size_t)cells);
  int *option = erg_arena_alloc(arena, sizeof *option * (size_t)t->layers);
  hull *rest = erg_arena_alloc(arena, sizeof *rest * (size_t)(t->layers + 1));
  if (!loss || !option || !rest) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < cells; i++) loss[i] = isfinite(t->energy[i]) ? t->loss[i] : INFINITY;
  problem p = {t->layers, t->options, by_loss ? loss : t->energy, by_loss ? t->energy : loss, budget, INFINITY, 0,
               0,         rest};
  p.cost_slack = SLACK * absolute_sum(p.cost, cells);
  p.value_slack = SLACK * absolute_sum(p.value, cells);
  for (int l = 0; l <= t->layers; l++) {
    status = hull_make(&p.cost[l * t->options], &p.value[l * t->options], t->layers - l, t->options, arena, &rest[l]);
    if (status != ERG_OK) return erg_fail(error, status, "out of memory");
  }
  p.incumbent = hull_feasible(&rest[0], budget - p.cost_slack);
  bool found = false;
  status = solve(&p, option, &found, error);
  if (status == ERG_OK && !found)
    return erg_fail(error, ERG_ERR_DATA,
                    "assign: no plan has %s of at most %.17g; the least of any plan is %.17g (nearest budget that "
                    "can be kept)",
                    what, budget, least_sum(&p));
  if (status != ERG_OK) return status;
  out->option = option;
  erg_assign_sum(t, option, out);
  return ERG_OK;
}

erg_status erg_assign_energy(const erg_assign_table *table, double energy_budget, erg_arena *arena, erg_assignment *out,
                             erg_error *error) {
  return assign(table, false, energy_budget, "an energy", arena, out, error);
}

erg_status erg_assign_loss(const erg_assign_table *table, double loss_budget, erg_arena *arena, erg_assignment *out,
                           erg_error *error) {
  return assign(table, true, loss_budget, "a loss", arena, out, error);
}

erg_status erg_assign_hull(const erg_assign_table *table, erg_arena *arena, erg_assign_vertex **out, int *count,
                           erg_error *error) {
  erg_status status = check(table, error);
  hull h;
  if (status == ERG_OK) status = hull_make(table->energy, table->loss, table->layers, table->options, arena, &h);
  if (status != ERG_OK) return status;
  erg_assign_vertex *v = erg_arena_alloc(arena, sizeof *v * (size_t)(h.count + 1));
  if (!v) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  v[0] = (erg_assign_vertex){h.cost, h.value, -1, -1};
  for (int i = 0; i < h.count; i++)
    v[i + 1] = (erg_assign_vertex){v[i].energy + h.steps[i].cost, v[i].loss + h.steps[i].value, h.steps[i].layer,
                                   h.steps[i].option};
  *out = v;
  *count = h.count + 1;
  return ERG_OK;
}
