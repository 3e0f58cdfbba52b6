/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: the lower convex hull of a sum of choices. Each layer alone has a convex hull of its options; that of the
 * sum takes their steps in the order of what a unit of cost gains. */
#ifndef ERGON_QUANT_ASSIGN_HULL_H
#define ERGON_QUANT_ASSIGN_HULL_H
#include "ergon/base.h"

typedef struct {
  double cost, value; /* changes: cost > 0, value < 0 */
  int layer, option;
} hull_step;
typedef struct {
  double cost, value; /* of the cheapest plan */
  hull_step *steps;   /* steepest first */
  int count;
} hull;

/* cost, value [layers * options], not finite: no such option. ERG_ERR_INTERNAL: no memory. */
erg_status hull_make(const double *cost, const double *value, int layers, int options, erg_arena *arena, hull *out);
/* Least value that any mixture of plans has at this cost: no plan is below. False: nothing costs so little. */
bool hull_bound(const hull *h, double cost, double *value);
/* Value of the last vertex within the cost, which is a plan; INFINITY: none. */
double hull_feasible(const hull *h, double cost);
#endif
