/* SPDX-License-Identifier: Apache-2.0 */
/** \file requantize.h
 *  Requantization as passes of their own: codes of one width, scale and zero point to another's (`_s16`), and
 *  accumulators to codes (`_s64`). Per tensor and per channel are different types and functions, so that one cannot be
 *  passed for the other. Included by kernels.h.
 *
 *  y = clamp(zero_point + rq(x - input_zero_point, scale), low, high), rq by the rule of the scale (requant.h).
 *  ERG_ERR_DATA: a NULL, a size below 1 or above 2^40, a rule or scale or clamp that is not legal, and then nothing is
 *  written. input and output of the `_s16` forms may be the same array. */
#include "ergon/kernels.h" /* before the guard: whichever is named first, kernels.h sets the order */
#ifndef ERGON_REQUANTIZE_H
#define ERGON_REQUANTIZE_H

#ifdef __cplusplus
extern "C" {
#endif

/** Where codes land: low <= high, both within 16 bits (the rails of the output width, or a clamp inside them). */
typedef struct { int32_t zero_point, low, high; } erg_codes;

/** input, output [elements]; x - input_zero_point is a 32-bit quantity (M = s_in / s_out). */
erg_status erg_requantize_tensor_s16(int64_t elements, const int16_t *input, int32_t input_zero_point,
                                     const erg_requant_tensor *scale, const erg_codes *codes, int16_t *output,
                                     erg_error *error);
/** input, output [rows, C], C = scale->channels. */
erg_status erg_requantize_channels_s16(int64_t rows, const int16_t *input, int32_t input_zero_point,
                                       const erg_requant_channels *scale, const erg_codes *codes, int16_t *output,
                                       erg_error *error);
/** accumulator [elements] of accumulator_bits (8..48), no zero point of its own (input_zero_point = 0). */
erg_status erg_requantize_tensor_s64(int64_t elements, const int64_t *accumulator, int accumulator_bits,
                                     const erg_requant_tensor *scale, const erg_codes *codes, int16_t *output,
                                     erg_error *error);
/** accumulator [rows, C]: what erg_conv2d_accumulate_s16 leaves, [N, P, Q, K]. */
erg_status erg_requantize_channels_s64(int64_t rows, const int64_t *accumulator, int accumulator_bits,
                                       const erg_requant_channels *scale, const erg_codes *codes, int16_t *output,
                                       erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
