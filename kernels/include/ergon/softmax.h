/* SPDX-License-Identifier: Apache-2.0 */
/** \file softmax.h
 *  Softmax over rows: p[i] = exp(x[i] - max x) / sum over j of exp(x[j] - max x). The exact reference on codes, one
 *  form of integers only, and the fp32 reference. */
#include "ergon/kernels.h" /* before the guard: whichever is named first, kernels.h sets the order */
#ifndef ERGON_SOFTMAX_H
#define ERGON_SOFTMAX_H

#include "ergon/quantization.h"

#ifdef __cplusplus
extern "C" {
#endif

/** input, output [rows, n]; codes of in.bits and out.bits (signed). The output is erg_quantization_round(out, p) of the
 *  softmax of the dequantized row: correctly rounded, ties to even (equal codes give rational values, computed exactly;
 *  any other value would have to lie within n * 2^-60, relative, of a tie to be misjudged). The input's zero point
 *  cancels. out of int8 is usually scale 1/256, zero point -128 (TensorFlow Lite); p = 1 is then 127, the last code.
 *  ERG_ERR_DATA, output untouched: rows or n below 1, a NULL, an illegal erg_quantization, a code outside in.bits. */
erg_status erg_softmax_exact_s16(int64_t rows, int64_t n, const int16_t *input, erg_quantization in,
                                 erg_quantization out, int16_t *output, erg_error *error);

/** The form of integers only: per row a maximum, a table of exp, a sum, one reciprocal; per element one multiply.
 *      d = max q - q                                 0 .. 2^in_bits - 1
 *      E[d] = rint_even(2^f exp(-d * in_scale))      the table, f = fraction bits
 *      S = sum E[d], 2^(k-1) <= S < 2^k              int64
 *      R = floor(2^(k+30) / S)                       2^30 < R <= 2^31
 *      M = (R * multiplier + 2^30) >> 31             1 / out_scale taken in, (multiplier, shift) as erg_requant
 *      y = clamp(zero_point + ((E[d] * M + 2^(t-1)) >> t)),  t = k + 30 - shift
 *  With t above 62 the product is 0. E * M fits 24 + 31 bits. */
typedef struct {
  int in_bits, fraction; /**< 2..16; 8..23 */
  erg_requant inverse_scale; /**< 1 / out.scale */
  erg_quantization out;
  const int32_t *table; /**< [2^in_bits] */
} erg_softmax_unit;
/** Fills table [2^in.bits] and the unit, which points to it. Legal: fraction 8..23, 1 <= 1 / out.scale < 2^24. */
erg_status erg_softmax_unit_init(erg_quantization in, erg_quantization out, int fraction, int32_t *table,
                                 erg_softmax_unit *unit, erg_error *error);
/** Legal: n <= 2^24. input and output may be the same array. */
erg_status erg_softmax_unit_s16(const erg_softmax_unit *unit, int64_t rows, int64_t n, const int16_t *input,
                                int16_t *output, erg_error *error);

/** The same definition in fp32, in ascending order, also in place. */
erg_status erg_softmax_f32(int64_t rows, int64_t n, const float *input, float *output, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
