/* SPDX-License-Identifier: Apache-2.0 */
/** \file rule_vectors.h
 *  Vectors that tell the four requantization rules apart. Random multipliers almost never meet a tie: S, A and half-even
 *  then agree in millions of trials. These few-bit multipliers do meet them, and each pair of rules differs in at
 *  least one vector. Included by kernels.h. */
#ifndef ERGON_RULE_VECTORS_H
#define ERGON_RULE_VECTORS_H

#include "ergon/requant.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Worked out by hand from the definitions in requant.h, not with its code. */
typedef struct {
  int64_t x;
  erg_requant scale;
  int accumulator_bits;
  int64_t expected[ERG_RULE_COUNT];
  const char *why;
} erg_rule_vector;
extern const erg_rule_vector erg_rule_vectors[];
extern const int erg_rule_vector_count;

#ifdef __cplusplus
}
#endif
#endif
