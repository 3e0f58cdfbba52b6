/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file energy_table.h
 *  What each layer costs at each weight width, from the machine model, and plans of weight widths chosen by it. Widths
 *  of tensors stay those of one base precision: a layer's energy then depends on its own weights alone, so tables add
 *  up. Included by quant.h. */
#ifndef ERGON_ENERGY_TABLE_H
#define ERGON_ENERGY_TABLE_H

#include "ergon/assign.h"
#include "ergon/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ERG_MOST_WIDTHS 15 /**< 2..16 bits */

typedef struct {
  erg_arena arena;
  int layers, options;
  int *nodes;              /**< [layers] array nodes of the graph, ascending */
  int bits[ERG_MOST_WIDTHS]; /**< [options] weight widths, ascending */
  double *energy_pj;       /**< [layers * options] of the layer's passes: requantization, accumulators, memories, clock and
                            *   leakage included, and vector passes that follow it; INFINITY: not covered */
  double base_pj;          /**< of passes that follow no layer with weights */
  erg_precision hardware;  /**< widths of the widest layer, for which a native array and the accumulator memory are built */
} erg_energy_table;

/** Energies at each of `bits`, ascending, none above `hardware_weight_bits`, by one run a width. All else is
 *  `point->precision`: activations, and accumulators where it states another than the default. The array is that of a
 *  plan whose widest layer has `hardware_weight_bits`, whatever the layers use. base + one energy a layer = erg_run of that plan on that hardware,
 *  up to the rounding of sums (a test: 1e-12). ERG_ERR_UNSUPPORTED: fusion `depth`, whose chains hold the weights of
 *  several layers at once, so that energies do not add up; no width is covered (with the reason); a floating format. */
erg_status erg_energy_table_make(const erg_point *point, const int *bits, int count, int hardware_weight_bits,
                                 erg_energy_table *out, erg_error *error);
void erg_energy_table_free(erg_energy_table *table);

/** The precision plan of a choice, as a file (docs/precision.md): weight_bits [node_count], by array node. */
char *erg_plan_text(erg_arena *arena, const erg_graph *graph, const char *name, const char *help,
                    const erg_precision *base, const int *weight_bits);

/** A choice on the machine it is made for. */
typedef struct {
  int *weight_bits;         /**< [node_count] of array nodes, 0 of others */
  double energy_pj, loss;   /**< sums of the tables, base included */
  double run_pj;            /**< erg_run of the plan: on a native array built for what the plan needs */
  int hardware_weight_bits; /**< of the table it was chosen by */
} erg_bit_choice;

typedef struct {
  bool by_loss;        /**< the budget is of loss, and energy is least; else the other way round */
  double budget;       /**< pJ of the whole network, or loss */
} erg_bit_budget;

/** Least loss of any plan within the budget (or least energy). loss [layers * count] by array node in the order of the
 *  graph. The hardware is as wide as the widest layer (MACs of a native array, accumulator memory of any), so its width is
 *  part of the choice: every width is solved as a cap of its own, and the best of them is the best of all. The plan is then
 *  run: `run_pj` is what it costs, equal to `energy_pj` up to rounding, or less where the plan stays below its cap.
 *  ERG_ERR_DATA: no plan keeps the budget (with the nearest that can be kept). */
erg_status erg_assign_bits(const erg_point *point, const int *bits, int count, const double *loss, erg_bit_budget budget,
                           erg_arena *arena, erg_bit_choice *out, erg_error *error);
/** Energy of the plan `weight_bits` by erg_run. ERG_ERR_UNSUPPORTED where the machine does not cover it. */
erg_status erg_bits_run(const erg_point *point, const int *weight_bits, double *pj, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
