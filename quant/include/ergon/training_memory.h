/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file training_memory.h
 *  A network's training step as a chain of stages (checkpoint.h), priced by the machine (training.h), and a schedule run node by
 *  node over the buffers that live. Included by quant.h.
 *
 *  A stage ends at a node whose output everything behind it comes from and that some backward reads: a residual block is one
 *  stage, a norm and the ReLU behind it too. What backward reads is kept as coded copies: `bits` an element, with a scale and an
 *  offset of 16 bits for each ERG_STORED_GROUP of them, and for a ReLU a bit an element, where it let pass: in codes a small value may
 *  have become zero (study training-memory). What is computed on, and all gradients, are held in the width of the
 *  step. The batch, weights, their gradients and the optimizer's state are not in the budget. */
#ifndef ERGON_TRAINING_MEMORY_H
#define ERGON_TRAINING_MEMORY_H

#include "ergon/checkpoint.h"
#include "ergon/training.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ERG_STORED_GROUP 256
/** Bytes of a stored tensor. `full_bits`: width of the step; bits = full_bits: as it is, without scales. */
int64_t erg_stored_bytes(int64_t elements, int bits, int full_bits);

/** Whether a node keeps a mask beside its copy: a ReLU whose copy is narrower. It takes a bit an element. */
bool erg_training_has_mask(const erg_op *op, int bits, int full_bits);
int64_t erg_mask_bytes(int64_t elements);

typedef struct {
  const char *name;  /**< of its last node */
  int first, last;   /**< nodes; x[s] is the output of the last */
} erg_training_stage;
typedef struct {
  erg_arena arena;
  const erg_graph *graph;
  erg_training_stage *stages; /**< [count] */
  int count;
  bool *kept;        /**< [node_count] in the tape of its stage */
  bool *learns;      /**< [node_count] its output has a gradient */
  int *last_reader;  /**< [node_count] node that reads the output last; its own id: none does */
  int full_bits;     /**< of the step */
} erg_training_stages;

/** ERG_ERR_UNSUPPORTED: more or less than one input, nothing to train, or nodes that nobody reads beside the last, all by name. */
erg_status erg_training_stages_of(const erg_graph *graph, const erg_precision *precision, erg_training_stages *out,
                                  erg_error *error);
void erg_training_stages_free(erg_training_stages *stages);

/** The chain with activations of `bits`; costs in pJ of `training`, which was run with them. Stages in `arena`. */
erg_status erg_training_chain(const erg_training_stages *stages, const erg_training_step *training, int bits, erg_arena *arena,
                              erg_chain *out, erg_error *error);

/** What a schedule costs: `step` is what each step must do (forward, backward, update, and coding what the tapes keep),
 *  `recompute` what comes on top. */
typedef struct {
  int64_t peak_bytes;
  erg_training_cost step, recompute;
} erg_training_execution;

/** Runs a schedule node by node: every buffer is there when it is read, written once, and gone when nobody reads it any
 *  more. Shares no formula with the search. ERG_ERR_MISMATCH names the first node that finds something missing. */
erg_status erg_training_execute(const erg_training_stages *stages, const erg_training_step *training, int bits,
                                const erg_schedule *schedule, erg_training_execution *out, erg_error *error);
/** The schedule that keeps every tape. */
erg_status erg_training_keep_all(const erg_training_stages *stages, erg_arena *arena, erg_schedule *out, erg_error *error);

/** A schedule that was run, and its figures. */
typedef struct {
  int64_t budget_bytes;   /**< that it was searched for */
  erg_schedule schedule;
  erg_training_execution run;
} erg_memory_point;
typedef struct {
  int bits;
  erg_memory_point keep_all;
  int64_t least_bytes;      /**< least budget that a schedule was found for: the front's least peak, as executed */
  erg_memory_point *points; /**< ascending peaks, descending recomputation: all that nothing beats; with a budget the one, or none */
  int point_count;
} erg_memory_width;

/** For one width: with `budget_bytes` the cheapest schedule in joules within it (no point: none fits), with 0 the frontier. Every
 *  figure is that of the execution. Points in `arena`. */
erg_status erg_training_memory(const erg_point *point, const erg_training_stages *stages, int bits, int64_t budget_bytes,
                               erg_arena *arena, erg_memory_width *out, erg_error *error);
/** Weights, their gradients, `moments` tensors of optimizer state, each in fp32. */
int64_t erg_training_resident_bytes(const erg_graph *graph, int moments);

#ifdef __cplusplus
}
#endif
#endif
