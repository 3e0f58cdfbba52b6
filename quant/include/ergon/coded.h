/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file coded.h
 *  Training on activations that are kept in few bits: the forward step computes with full values, the backward step finds what the
 *  coded copies decode to. Included by quant.h. */
#ifndef ERGON_CODED_H
#define ERGON_CODED_H

#include "ergon/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  ERG_ROUND_NEAREST,
  ERG_ROUND_STOCHASTIC /**< up with the probability of the rest: the expectation is the value (Chen et al., "ActNN", ICML 2021) */
} erg_stored_rounding;
extern const char *const erg_stored_rounding_names[]; /**< "nearest", "stochastic" */

/** Replaces `values` [count] by what their codes of `bits` (1 to 16) decode to. Each ERG_STORED_GROUP (training_memory.h) of them in a
 *  row have an offset and a scale in fp16, rounded outwards, so that the codes span the group's values within +-65504. An
 *  offset of 0, as behind a ReLU, keeps zeros exactly. */
void erg_stored_code(double *values, int64_t count, int bits, erg_stored_rounding rounding, erg_random *random);

typedef struct {
  int bits; /**< 1 to 16 */
  erg_stored_rounding rounding;
  /** ReLUs keep where they let pass, a bit an element. Else they take it from the coded copy of what they wrote, in which a
   *  small value may have become zero. */
  bool masks;
  uint64_t seed; /**< of the rounding */
} erg_coded_options;

typedef struct erg_coded erg_coded;
/** A model for erg_train. Copies: what backward reads of the graph's inner tensors (erg_training_stages_of); the batch and the logits
 *  are there anyway. ERG_ERR_UNSUPPORTED names nodes that are no array, ReLU, add or mean, and graphs that are no chain. */
erg_status erg_coded_open(const erg_graph *graph, const erg_coded_options *options, erg_coded **out, erg_error *error);
const erg_train_model *erg_coded_model(erg_coded *coded);
void erg_coded_close(erg_coded *coded);

#ifdef __cplusplus
}
#endif
#endif
