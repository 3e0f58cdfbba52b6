/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file checkpoint.h
 *  Training in little memory: which activations of a chain of stages are kept, which are computed again. Included by
 *  quant.h.
 *
 *  Stage s = 1 .. n maps x[s-1] to x[s]. Its backward needs its tape, its input as it is kept, and the gradient of x[s], and gives
 *  that of x[s-1]. What is kept (tapes, and x as checkpoints) may be coded in fewer bits and is decoded while it is read; what is worked
 *  on (an x that was just computed, the gradients) is held in full. At any moment there are
 *
 *  - in a forward step: all that is kept, the tape or checkpoint if one is written, x[s], x[s-1] where it was just computed and is not
 *    kept, or is kept in codes (a value that is at hand is not read from its coarser copy), what the stage computes on its way, and the gradient that waits for the recomputation, once the loss has been taken;
 *  - in a backward step: all that is kept, its tape among it, the gradients of x[s] and of x[s-1], and those in between.
 *
 *  A tape is written only where its input is kept, and a tape or checkpoint stays until the backward step that needs it last:
 *  persistent schedules, as in Beaumont et al., "Optimal checkpointing for heterogeneous chains", INRIA RR-9302, 2019. (Without
 *  the first rule a step can be saved now and then.) x[0] is the training batch, which is somebody else's memory. Where copies
 *  are coded a run forward begins only after a backward step and goes on to the stage it is for: no value is dropped to be read
 *  back coarser. */
#ifndef ERGON_CHECKPOINT_H
#define ERGON_CHECKPOINT_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  double forward_cost, backward_cost; /**< seconds, joules: any unit, 0 and up */
  int64_t output_bytes;               /**< of x[s] in full, as of its gradient */
  int64_t kept_output_bytes;          /**< of x[s] as a checkpoint */
  int64_t kept_tape_bytes;            /**< of what backward needs; x[s] is in it */
  double keep_cost;                   /**< of writing the checkpoint, beyond forward_cost */
  int64_t forward_extra_bytes, backward_extra_bytes; /**< of what lives within the stage beside x[s-1] and x[s] */
} erg_stage;

typedef struct {
  int64_t input_bytes;     /**< of x[0] in full */
  const erg_stage *stages; /**< [count]; stage s is stages[s-1] */
  int count;               /**< 1 to 512 */
  bool coded;              /**< copies are not the values themselves */
} erg_chain;

typedef enum {
  ERG_STEP_FORWARD,      /**< x[s-1] to x[s]; nothing is kept */
  ERG_STEP_FORWARD_KEEP, /**< the same, x[s] is kept as a checkpoint */
  ERG_STEP_FORWARD_TAPE, /**< the same, the tape is kept */
  ERG_STEP_BACKWARD      /**< frees the tape, and the checkpoint it began from */
} erg_step_kind;
typedef struct {
  erg_step_kind kind;
  int stage;
} erg_step;

typedef struct {
  erg_step *steps;
  int count;
  double cost;           /**< of all steps */
  double recompute_cost; /**< beyond one forward and one backward of each stage */
} erg_schedule;

/** The search for all budgets up to one: the cheapest persistent schedule by dynamic programming over (first stage, last stage,
 *  memory). Memory is cut into at most `slots` (2000 when 0) equal parts, sizes rounded up: with most_bytes <= slots exact,
 *  else within stages / slots of most_bytes. */
typedef struct erg_checkpoint_search erg_checkpoint_search;
erg_status erg_checkpoint_solve(const erg_chain *chain, int64_t most_bytes, int slots, erg_checkpoint_search **out,
                                erg_error *error);
/** Least cost within a budget; infinite: no schedule fits. */
double erg_checkpoint_cost(const erg_checkpoint_search *search, int64_t budget_bytes);
/** Least budget of that search beyond `beyond_bytes` (0: of all) that costs less than what is possible there; 0: none. */
int64_t erg_checkpoint_next(const erg_checkpoint_search *search, int64_t beyond_bytes);
/** The schedule of that cost. ERG_ERR_DATA: none fits. */
erg_status erg_checkpoint_trace(erg_checkpoint_search *search, int64_t budget_bytes, erg_arena *arena, erg_schedule *out,
                                erg_error *error);
void erg_checkpoint_free(erg_checkpoint_search *search);

/** Solves for one budget. ERG_ERR_DATA: no schedule fits, with the least budget that one was found for. */
erg_status erg_checkpoint(const erg_chain *chain, int64_t budget_bytes, int slots, erg_arena *arena, erg_schedule *out,
                          erg_error *error);
/** The least budget that a schedule was found for, by a search of its own. ERG_ERR_DATA: too few slots. */
erg_status erg_checkpoint_least(const erg_chain *chain, int slots, int64_t *bytes, erg_error *error);

/** Runs a schedule step by step over what lives in memory, sharing no code with the search: every step finds its
 *  input kept or just computed, backward runs from n to 1, everything is freed at the end. ERG_ERR_MISMATCH names the first
 *  step that does not. */
erg_status erg_checkpoint_execute(const erg_chain *chain, const erg_schedule *schedule, int64_t *peak_bytes, double *cost,
                                  erg_error *error);
/** The peak when every tape is kept, with all that lives in a stage taken to live at once. */
int64_t erg_checkpoint_all_bytes(const erg_chain *chain);

#ifdef __cplusplus
}
#endif
#endif
