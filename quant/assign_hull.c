/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "assign_hull.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  double cost, value;
  int option;
} point;

static int by_cost(const void *a, const void *b) {
  const point *x = a, *y = b;
  if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  return (x->option > y->option) - (x->option < y->option);
}

static int steeper(const void *a, const void *b) {
  const hull_step *x = a, *y = b;
  double s = x->value * y->cost, t = y->value * x->cost; /* value / cost, both costs above 0 */
  if (s != t) return s < t ? -1 : 1;
  return (x->layer > y->layer) - (x->layer < y->layer);
}

/* Of a layer's options those on the falling part of their hull. */
static int layer_hull(point *points, int count) {
  int kept = 0;
  qsort(points, (size_t)count, sizeof *points, by_cost);
  for (int i = 0; i < count; i++) {
    if (kept && points[i].value >= points[kept - 1].value) continue;
    while (kept >= 2) {
      const point *a = &points[kept - 2], *b = &points[kept - 1], *c = &points[i];
      if ((b->value - a->value) * (c->cost - b->cost) < (c->value - b->value) * (b->cost - a->cost)) break;
      kept--;
    }
    points[kept++] = points[i];
  }
  return kept;
}

erg_status hull_make(const double *cost, const double *value, int layers, int options, erg_arena *arena, hull *out) {
  hull h = {0};
  h.steps = erg_arena_alloc(arena, sizeof *h.steps * ((size_t)layers * (size_t)options + 1));
  point *points = malloc(sizeof *points * (size_t)(options + 1));
  if (!h.steps || !points) {
    free(points);
    return ERG_ERR_INTERNAL;
  }
  for (int l = 0; l < layers; l++) {
    int count = 0;
    for (int o = 0; o < options; o++) {
      double c = cost[l * options + o], v = value[l * options + o];
      if (isfinite(c) && isfinite(v)) points[count++] = (point){c, v, o};
    }
    count = layer_hull(points, count);
    if (count == 0) continue; /* the caller has seen to it that there is one */
    h.cost += points[0].cost;
    h.value += points[0].value;
    for (int i = 1; i < count; i++)
      h.steps[h.count++] =
          (hull_step){points[i].cost - points[i - 1].cost, points[i].value - points[i - 1].value, l, points[i].option};
  }
  qsort(h.steps, (size_t)h.count, sizeof *h.steps, steeper);
  free(points);
  *out = h;
  return ERG_OK;
}

bool hull_bound(const hull *h, double cost, double *value) {
  double at = h->cost;
  *value = h->value;
  if (at > cost) return false;
  for (int i = 0; i < h->count; i++) {
    const hull_step *s = &h->steps[i];
    if (at + s->cost > cost) {
      *value += s->value * (cost - at) / s->cost;
      return true;
    }
    at += s->cost;
    *value += s->value;
  }
  return true;
}

double hull_feasible(const hull *h, double cost) {
  double at = h->cost, value = h->value;
  if (at > cost) return INFINITY;
  for (int i = 0; i < h->count && at + h->steps[i].cost <= cost; i++) {
    at += h->steps[i].cost;
    value += h->steps[i].value;
  }
  return value;
}
