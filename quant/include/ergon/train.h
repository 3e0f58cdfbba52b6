/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file train.h
 *  Training of small networks in double precision: optimizers, epochs, the loss curve. Included by quant.h. */
#ifndef ERGON_TRAIN_H
#define ERGON_TRAIN_H

#include "ergon/data.h"
#include "ergon/tape.h"
#include "ergon/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- optimizers (optimizer.c) */

typedef struct {
  const char *name, *help;
  int moments; /**< tensors of state a parameter, at most 2 */
  /** Moves `values` [count] along `gradient`; `moment` are the state tensors, zero at first; `step` counts from 1. */
  void (*move)(int64_t count, double learning_rate, int64_t step, const double *gradient, double *const *moment,
               double *values);
} erg_optimizer_kind;
ERG_REGISTRY(erg_optimizer_kind)
const erg_optimizer_kind *erg_optimizer_find(const char *name); /**< NULL when there is none */

typedef struct {
  const erg_optimizer_kind *kind;
  erg_weights moments[2];
  int64_t step;
} erg_optimizer;
erg_status erg_optimizer_new(const erg_optimizer_kind *kind, const erg_weights *weights, erg_optimizer *out,
                             erg_error *error);
/** One step of all trained tensors. */
void erg_optimizer_step(erg_optimizer *optimizer, double learning_rate, const erg_weights *gradients,
                        erg_weights *weights);
void erg_optimizer_free(erg_optimizer *optimizer);

/** Half a cosine from `initial` at step 0 to 0 at step `steps`. */
double erg_cosine_rate(double initial, int64_t step, int64_t steps);

/* ---------------------------------------------------------------- training (train.c) */

/** How a network is written on the tape, where it is not erg_network_forward: fake quantization (qat.h). */
typedef struct {
  /** Called before each epoch and before scores of the result are taken; may be NULL. */
  erg_status (*prepare)(void *context, const erg_weights *weights, erg_error *error);
  erg_status (*forward)(void *context, erg_tape *tape, const erg_weights *weights, const erg_weights *gradients,
                        const double *inputs, int count, bool training, int *output, erg_error *error);
  void *context;
} erg_train_model;

typedef struct {
  int epochs, batch;         /**< >= 1 */
  double learning_rate;      /**< > 0, of the first step; a cosine takes it to 0 */
  const char *optimizer;     /**< erg_optimizer_find */
  double label_smoothing;    /**< 0 to 1 */
  uint64_t seed;             /**< of the order of examples */
  int patience;              /**< stop when the validation loss has not fallen for so many epochs and keep the best
                              *   weights; 0: all epochs */
  const erg_train_model *model; /**< NULL: the graph in float */
  void (*progress)(void *context, int64_t step, int64_t steps);
  void *context;
} erg_train_options;

/** Examples judged: mean cross entropy without smoothing, and the share of labels that the largest logit names (of
 *  n that tie with the label among them, 1/n). */
typedef struct { double loss, accuracy; } erg_score;

typedef struct {
  double learning_rate;  /**< of the first step of the epoch */
  double loss;           /**< mean over the epoch's batches as they were trained on, smoothing included */
  erg_score validation;  /**< NaN without validation */
} erg_train_epoch;

typedef struct {
  erg_arena arena;
  erg_train_epoch *epochs;
  int epoch_count;        /**< run */
  int best_epoch;         /**< whose weights were kept: the last, or the best on validation */
  int train_count, validation_count;
  int64_t steps;
  erg_score train, test;  /**< of the kept weights as the file holds them (float32); test NaN when `test` was NULL */
} erg_train_result;

/** Trains `weights` in place. With patience the last tenth of `train` is held out for validation. `test` may be NULL.
 *  ERG_ERR_USAGE (options), ERG_ERR_DATA (shapes, classes; a loss that is not finite, with epoch, step and rate),
 *  ERG_ERR_UNSUPPORTED (operators). */
erg_status erg_train(const erg_graph *graph, const erg_dataset *train, const erg_dataset *test,
                     const erg_train_options *options, erg_weights *weights, erg_train_result *out, erg_error *error);
void erg_train_result_free(erg_train_result *result);

/** The score of examples first .. first + count - 1; `model` as in the options. */
erg_status erg_train_score(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                           const erg_train_model *model, const erg_dataset *data, int first, int count, erg_score *out,
                           erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
