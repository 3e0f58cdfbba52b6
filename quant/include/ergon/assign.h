/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file assign.h
 *  Which layer gets how many bits: one option a layer such that the sum of losses is least and the sum of energies stays
 *  within a budget (a multiple-choice knapsack), solved exactly on real numbers. Included by quant.h. */
#ifndef ERGON_ASSIGN_H
#define ERGON_ASSIGN_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Tables [layer * options + option]. Energies are 0 and up; INFINITY: no such option. Losses are finite, of any sign
 *  (measured ones may be negative). Every layer has an option. */
typedef struct {
  int layers, options;
  const double *energy, *loss;
} erg_assign_table;

/** A choice; the sums are taken in the order of the layers. */
typedef struct {
  int *option; /**< [layers] */
  double energy, loss;
} erg_assignment;

/** Least loss within `energy_budget`; of equal losses the least energy. Exact: no rounding of energies, so a plan that
 *  costs exactly the budget is legal. ERG_ERR_DATA: nothing fits (with the least energy of any plan), or the table is
 *  not legal; ERG_ERR_UNSUPPORTED: more than 16 million undominated partial plans. `option` in `arena`. */
erg_status erg_assign_energy(const erg_assign_table *table, double energy_budget, erg_arena *arena, erg_assignment *out,
                             erg_error *error);
/** Least energy with a loss of at most `loss_budget`; of equal energies the least loss. Errors alike. */
erg_status erg_assign_loss(const erg_assign_table *table, double loss_budget, erg_arena *arena, erg_assignment *out,
                           erg_error *error);

/** The lower convex hull of all plans, from the least energy on: what a Lagrange multiplier can reach. Its vertices in
 *  order of energy, each differing from the one before in one layer. */
typedef struct {
  double energy, loss;
  int layer, option; /**< what changed; -1 at the first */
} erg_assign_vertex;
erg_status erg_assign_hull(const erg_assign_table *table, erg_arena *arena, erg_assign_vertex **out, int *count,
                           erg_error *error);

/** Sums of a choice. */
void erg_assign_sum(const erg_assign_table *table, const int *option, erg_assignment *out);

/* ---- controls: plans that a good one has to beat ---- */

/** A random plan within the budget that no single layer can raise: from the cheapest, a random layer takes a random
 *  dearer option that still fits, until none does. ERG_ERR_DATA where nothing fits. */
erg_status erg_assign_random(const erg_assign_table *table, double energy_budget, erg_random *random, erg_arena *arena,
                             erg_assignment *out, erg_error *error);
typedef enum {
  ERG_CONTROL_SHUFFLED, /**< each layer's losses are scaled to another layer's at the option `reference` */
  ERG_CONTROL_ANTI      /**< ... to the inverse of its own: what hurts most is thought to hurt least */
} erg_assign_control;
/** Losses of a control in [layers * options], to be solved in place of the true ones. Losses at the reference that are
 *  not above 0 count as the smallest that is; ERG_ERR_DATA where none is. */
erg_status erg_assign_control_loss(const erg_assign_table *table, erg_assign_control control, int reference,
                                   erg_random *random, erg_arena *arena, double **loss, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
