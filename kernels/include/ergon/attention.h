/* SPDX-License-Identifier: Apache-2.0 */
/** \file attention.h
 *  Attention of one head, composed of golden kernels: scores Q K', a softmax over the keys of each query, and the mix P V
 *  (Vaswani et al., 2017). Scores, probabilities and outputs each have a width of their own. Heads are batches. */
#include "ergon/kernels.h" /* before the guard: whichever is named first, kernels.h sets the order */
#ifndef ERGON_ATTENTION_H
#define ERGON_ATTENTION_H

#include "ergon/softmax.h"

#ifdef __cplusplus
extern "C" {
#endif

/** queries [batch, queries, width]; keys and values [batch, keys, width]. */
typedef struct { int batch, queries, keys, width; } erg_attention_shape;

typedef struct {
  erg_attention_shape shape;
  int accumulator_bits; /**< of both products, 8..48 */
  int32_t query_zero_point, key_zero_point, value_zero_point;
  erg_requant_tensor score_scale;  /**< s_q s_k / s_score; a 1/sqrt(width), where it is not in the query's weights */
  erg_codes scores;                /**< within softmax->in_bits; the zero point cancels */
  const erg_softmax_unit *softmax; /**< scores to probabilities */
  erg_requant_tensor mix_scale;    /**< s_p s_v / s_y */
  erg_codes output;
} erg_attention;

/** probabilities [batch, queries, keys], codes of softmax->out; output [batch, queries, width]. ERG_ERR_DATA as the
 *  kernels it is made of, `output` then untouched; ERG_ERR_INTERNAL: no memory. */
erg_status erg_attention_s16(const erg_attention *attention, const int16_t *query, const int16_t *key,
                             const int16_t *value, int16_t *probabilities, int16_t *output, erg_error *error);
/** The float32 reference, scores times `scale`, all sums ascending. */
erg_status erg_attention_f32(const erg_attention_shape *shape, float scale, const float *query, const float *key,
                             const float *value, float *probabilities, float *output, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
