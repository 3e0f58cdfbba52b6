/* SPDX-License-Identifier: Apache-2.0 */
/** \file certificate.h
 *  The accumulator certificate: the narrowest accumulator that no input can overflow, and why. A certified width makes
 *  wrapping and saturating accumulation the same thing, in every order of the terms: each partial sum, and the sum with
 *  the bias, lies inside. Included by kernels.h.
 *
 *  With terms (x - zero_point)*w and codes x in low..high, the largest sum gives each positive weight the largest
 *  difference and each negative one the smallest: it depends on the weights by their sums of one sign only. */
#ifndef ERGON_CERTIFICATE_H
#define ERGON_CERTIFICATE_H

#include "ergon/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Codes low <= x <= high, which stand for x - zero_point. zero_point = 0 describes an array that is fed raw codes and
 *  folds -zero_point*sum(w) into the bias. */
typedef struct { int32_t low, high, zero_point; } erg_code_range;

typedef struct {
  int64_t low, high; /**< every partial sum, and the sum with its bias, lies in low..high (low <= 0 <= high) */
  int bits;          /**< smallest two's complement width that holds low..high, at least 2 */
  int channel;       /**< the output channel that needs it; -1 for the worst case */
  char reason[256];  /**< in words */
} erg_certificate;

/** Worst case of `terms` >= 1 products of a difference in `a` and one in `b` (weights: zero point 0), plus a bias of at
 *  most bias_magnitude >= 0. Attained, so a narrower accumulator overflows for some tensors, when a and b each hold
 *  their zero point. ERG_ERR_DATA: a NULL, an empty range, bounds beyond 63 bits. */
erg_status erg_certificate_worst(int64_t terms, const erg_code_range *a, const erg_code_range *b,
                                 int64_t bias_magnitude, erg_certificate *out, erg_error *error);
/** By the layer's own weights [K, R, S, C/groups] and bias ([K] or NULL). Attained when some window lies wholly inside
 *  the map; windows that padding cuts need no more. ERG_ERR_DATA as above, and an illegal shape. */
erg_status erg_certificate_weights(const erg_conv2d_shape *shape, const int16_t *weight, const int64_t *bias,
                                   const erg_code_range *activation, erg_certificate *out, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
