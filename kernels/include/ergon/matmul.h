/* SPDX-License-Identifier: Apache-2.0 */
/** \file matmul.h
 *  Matrix products of two activations, both with a zero point (attention: Q K^T and P V). Included by kernels.h. */
#ifndef ERGON_MATMUL_H
#define ERGON_MATMUL_H

#include "ergon/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** a [batch, M, K], b [batch, K, N], output [batch, M, N]; all extents >= 1, no tensor above 2^40 elements. */
typedef struct { int batch, m, k, n; } erg_matmul_shape;

/** accumulator [batch, M, N] = sum over k of (a - a_zero_point)*(b - b_zero_point), wrapped to accumulator_bits (8..48).
 *  Codes of 2..16 bits. ERG_ERR_DATA: a NULL, a zero size, an illegal width. */
erg_status erg_matmul_accumulate_s16(const erg_matmul_shape *shape, const int16_t *a, int32_t a_zero_point,
                                     const int16_t *b, int32_t b_zero_point, int accumulator_bits, int64_t *accumulator,
                                     erg_error *error);
/** The same, then the epilogue, whose channels are the N columns: bias [N], scale [N], residual [batch, M, N]. */
erg_status erg_matmul_s16(const erg_matmul_shape *shape, const int16_t *a, int32_t a_zero_point, const int16_t *b,
                          int32_t b_zero_point, int accumulator_bits, const erg_epilogue *epilogue, int16_t *output,
                          erg_error *error);
/** The float32 reference: output [batch, M, N] = sum over k, ascending, of a*b, plus bias [N] (may be NULL). */
erg_status erg_matmul_f32(const erg_matmul_shape *shape, const float *a, const float *b, const float *bias,
                          float *output, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
