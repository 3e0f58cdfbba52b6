/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file training.h
 *  What a training step costs on the machine: forward, gradients of inputs, gradients of weights, update, as passes that the
 *  analytic model knows (docs/training-memory.md says what is approximated). Nothing folds or fuses: statistics of a batch are no
 *  constants, and backward wants the maps in between. */
#ifndef ERGON_TRAINING_H
#define ERGON_TRAINING_H

#include "ergon/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  ERG_TRAINING_FORWARD,
  ERG_TRAINING_INPUTS,  /**< gradients of a node's inputs, and their sum where several nodes read its output */
  ERG_TRAINING_WEIGHTS, /**< gradients of its weights */
  ERG_TRAINING_UPDATE,  /**< w -= rate * gradient, in fp32 */
  ERG_TRAINING_STORE,   /**< one coded copy of its output, where copies are narrower than the step computes in */
  ERG_TRAINING_PARTS
} erg_training_part;
extern const char *const erg_training_part_names[]; /**< "forward", "inputs", "weights", "update", "store" */

typedef struct {
  uint64_t macs, cycles, dram_bits; /**< dram_bits: reads and writes of the outermost level */
  double energy_pj;
} erg_training_cost;

typedef struct {
  erg_arena arena;
  erg_training_cost (*nodes)[ERG_TRAINING_PARTS]; /**< [node_count] */
  erg_training_cost parts[ERG_TRAINING_PARTS];    /**< sums; of the store: of all nodes, not of those that a schedule keeps */
} erg_training_step;

/** Whether the backward of an operator reads what it read, what it wrote. Of neither: sums and means. */
bool erg_training_reads_inputs(const erg_op *op);
bool erg_training_reads_output(const erg_op *op);
/** Whether anything before or in the node learns: then its output has a gradient. `learns` [node_count]. */
void erg_training_learns(const erg_graph *graph, bool *learns);

/** Counts and prices one step of point->graph in point->precision, any but a plan, on its machine. `stored_bits`: width of the
 *  activations that backward reads; 0, or the width of the precision's activations: as they were computed. Gradients are as wide as
 *  activations, those of weights as wide as accumulators. The point's fusion and model are not read. ERG_ERR_UNSUPPORTED: the
 *  technology or the array does not cover it; ERG_ERR_DATA: a pass fits no tile, by name. */
erg_status erg_training_run(const erg_point *point, int stored_bits, erg_training_step *out, erg_error *error);
void erg_training_free(erg_training_step *training);
void erg_training_add(erg_training_cost *sum, const erg_training_cost *part);

#ifdef __cplusplus
}
#endif
#endif
