/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file data.h
 *  Data sets: procedural ones, seeded, one a file in data/, and a user's own .npy files. Included by quant.h. */
#ifndef ERGON_DATA_H
#define ERGON_DATA_H

#include "ergon/base.h"
#include "ergon/kernels.h"
#include "ergon/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { ERG_SPLIT_TRAIN, ERG_SPLIT_CALIBRATION, ERG_SPLIT_TEST } erg_split;

typedef struct {
  erg_arena arena;
  const char *name;
  erg_shape shape;  /**< of one example, n = 1 */
  int count;        /**< examples */
  int classes;
  int labels_each;  /**< labels an example: 1, or H * W (a label a position, ascending h, w) */
  double *inputs;   /**< [count, H, W, C] */
  int *labels;      /**< [count, labels_each], 0 .. classes-1; NULL where calibration.npy gave inputs alone */
} erg_dataset;

/** A procedural data set: one file in data/. Splits never share an example: each draws from a stream of its own. */
typedef struct {
  const char *name, *help;
  int train_count, test_count; /**< examples by default */
  erg_status (*make)(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error);
} erg_data_source;
ERG_REGISTRY(erg_data_source)
const erg_data_source *erg_data_source_find(const char *name);

/** `name` is a built-in data set or a folder with train-inputs.npy [count, H, W, C] or [count, C] (floats or integers),
 *  train-labels.npy [count] or [count, H * W] and test-inputs.npy, test-labels.npy (calibration.npy inputs are optional:
 *  the training ones serve). There are as many classes as train-labels.npy names. count 0: the default, or all of a
 *  folder. ERG_ERR_NO_INPUT, ERG_ERR_DATA (empty, shapes, labels out of range, NaN with its index), ERG_ERR_USAGE. */
erg_status erg_dataset_load(const char *name, uint64_t seed, erg_split split, int count, erg_dataset *out,
                            erg_error *error);
void erg_dataset_free(erg_dataset *dataset);

/** The sequences of `tokens` and `sentences` (length 16, amplitude 0.6) of any length, with what the tokens of a sequence
 *  share times any amplitude. A label a token in `out`; `sentences` [count] takes a label a sequence, or NULL. The
 *  directions depend on the seed alone. ERG_ERR_DATA: length or count below 1. */
erg_status erg_sequences(uint64_t seed, erg_split split, int length, double amplitude, int count, int *sentences,
                         erg_dataset *out, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
