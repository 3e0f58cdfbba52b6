/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file encoder.h
 *  One block of a transformer encoder without positions, with a head for each token and one for their mean:
 *
 *      m = x + Wo attention(Wq n, Wk n, Wv n), n = RMSNorm(x)         one head; the 1/sqrt(width) is in Wq's first values
 *      f = m + Wd relu(Wu RMSNorm(m) + bu) + bd                       the features
 *      token logits Wt f + bt a token, sentence logits Ws mean(f) + bs
 *
 *  Learned on the tape, run in integers by golden kernels. It stands beside the graph, which has no products of two
 *  activations: no pass, no energy. Included by quant.h. */
#ifndef ERGON_ENCODER_H
#define ERGON_ENCODER_H

#include "ergon/data.h"
#include "ergon/quantized.h"
#include "ergon/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct { int width, hidden, classes; } erg_encoder_shape; /**< each >= 1 */

/** Every tensor, in order of computation. [N, T, width] but: scores and probabilities [N, T, T], hidden [N, T, hidden],
 *  pooled [N, width], token logits [N, T, classes], sentence logits [N, classes]. */
typedef enum { ERG_ENCODER_INPUT, ERG_ENCODER_NORM1, ERG_ENCODER_QUERY, ERG_ENCODER_KEY, ERG_ENCODER_VALUE,
               ERG_ENCODER_SCORES, ERG_ENCODER_PROBABILITIES, ERG_ENCODER_MIX, ERG_ENCODER_MIDDLE, ERG_ENCODER_NORM2,
               ERG_ENCODER_HIDDEN, ERG_ENCODER_FEATURES, ERG_ENCODER_POOLED, ERG_ENCODER_TOKEN, ERG_ENCODER_SENTENCE,
               ERG_ENCODER_TENSORS } erg_encoder_tensor;
/** Elements of a tensor of `count` sequences of `length`. */
int64_t erg_encoder_elements(const erg_encoder_shape *shape, int tensor, int count, int length);

/* ---------------------------------------------------------------- in float (encoder.c, encoder_train.c) */

/** First values as erg_weights_initialize; norms 1, biases 0. */
erg_status erg_encoder_weights(const erg_encoder_shape *shape, uint64_t seed, erg_weights *out, erg_error *error);
/** Writes `count` sequences [count, length, width] on the tape; `variables` receives every tensor's variable. `gradients`
 *  as erg_network_forward's. */
erg_status erg_encoder_forward(erg_tape *tape, const erg_encoder_shape *shape, const erg_weights *weights,
                               const erg_weights *gradients, const double *inputs, int count, int length,
                               int variables[ERG_ENCODER_TENSORS], erg_error *error);
/** The tensors of a data set: `values[i]`, where it is not NULL, takes tensor i of all sequences; `ranges`
 *  [ERG_ENCODER_TENSORS], where it is not NULL, what each spans. */
erg_status erg_encoder_float(const erg_encoder_shape *shape, const erg_weights *weights, const erg_dataset *data,
                             double *const values[ERG_ENCODER_TENSORS], erg_range *ranges, erg_error *error);
/** Trains both heads together: the sum of their mean cross entropies, Adam, a cosine from `learning_rate` to 0. Labels
 *  of tokens are the data set's, `sentences` [count] the other. ERG_ERR_DATA: a loss that is not finite. */
erg_status erg_encoder_train(const erg_encoder_shape *shape, const erg_dataset *data, const int *sentences, int epochs,
                             int batch, double learning_rate, uint64_t seed, erg_weights *weights, erg_error *error);

/* ---------------------------------------------------------------- in integers (encoder_integer.c) */

/** Bits of all weights; of what goes from operator to operator; of the scores, which feed the softmax's table; of the
 *  probabilities, whose grid is all of [0, 1) whatever the calibration; of the features; of their mean. Each 2 to 16. The
 *  logits have 16. */
typedef struct { int weights, activations, scores, probabilities, features, mean; } erg_encoder_widths;

typedef struct {
  erg_arena arena;
  erg_encoder_shape shape;
  int length;
  erg_grid grids[ERG_ENCODER_TENSORS];
  struct erg_encoder_parts *parts;
} erg_encoder;
/** Weights of a scale a channel and of least squared error; grids over `ranges` (erg_encoder_float's), rules and
 *  accumulators as erg_quantize's. ERG_ERR_DATA: widths or weights that are not legal. */
erg_status erg_encoder_quantize(const erg_encoder_shape *shape, const erg_weights *weights, const erg_range *ranges,
                                const erg_encoder_widths *widths, int length, erg_encoder *out, erg_error *error);
/** Codes of every tensor but the scores, which the probabilities replace: codes[i] holds erg_encoder_elements. Inputs are
 *  rounded to their grid; everything behind is the golden kernels'. */
erg_status erg_encoder_run(const erg_encoder *encoder, const double *inputs, int count,
                           int16_t *const codes[ERG_ENCODER_TENSORS], erg_error *error);
void erg_encoder_free(erg_encoder *encoder);

#ifdef __cplusplus
}
#endif
#endif
