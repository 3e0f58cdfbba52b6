/* SPDX-License-Identifier: Apache-2.0 */
/* Inside ops: counts of the dynamic norms, element by element as norms.h defines them. */
#ifndef ERGON_KERNELS_OPS_NORM_SHARED_H
#define ERGON_KERNELS_OPS_NORM_SHARED_H
#include "shared.h"

/** Groups of the map that have statistics of their own. */
static inline uint64_t erg_norm_groups(erg_norm_kind kind, erg_shape s) {
  return (uint64_t)s.n * (kind == ERG_NORM_INSTANCE ? (uint64_t)s.c : (uint64_t)s.h * (uint64_t)s.w);
}

/** Q: a square and its sum; S: a sum, where the mean counts. */
static inline void erg_count_norm_gather(erg_norm_kind kind, erg_shape s, erg_op_counts *n) {
  uint64_t elements = (uint64_t)erg_shape_elements(s);
  n->multiply += elements;
  n->add += (kind == ERG_NORM_RMS ? 1 : 2) * elements;
}

/** Integers: N q' (- S), times 1/sigma and times gamma, each with its rounding shift. Floats: x (- mean), times 1/sigma,
 *  times gamma (+ beta). RMS norm has neither mean nor beta. */
static inline void erg_count_norm_apply(erg_norm_kind kind, erg_shape s, bool integer, erg_op_counts *n) {
  uint64_t elements = (uint64_t)erg_shape_elements(s), terms = kind == ERG_NORM_RMS ? 0 : elements;
  n->rsqrt += erg_norm_groups(kind, s);
  n->multiply += (integer ? 1 : 2) * elements;
  n->add += (integer ? 1 : 2) * terms;
  if (integer) n->requantize += 2 * elements;
}
#endif
