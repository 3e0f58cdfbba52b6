/* SPDX-License-Identifier: Apache-2.0 */
/** \file vector.h
 *  Golden kernels of operators that are not matrix products, each with its float32 reference. Included by kernels.h.
 *  All: ERG_ERR_DATA for a NULL, a size below 1 or above 2^40, an illegal rule, scale, width or clamp; then nothing is
 *  written. rq(x, scale) is the requantization of requant.h under the rule given. */
#include "ergon/kernels.h" /* before the guard: whichever is named first, kernels.h sets the order */
#ifndef ERGON_VECTOR_H
#define ERGON_VECTOR_H

#include "ergon/requantize.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- multiply (mul.c) */

/** y = clamp(zero_point + rq((a - a_zero_point)*(b - b_zero_point), scale)), M = s_a*s_b/s_y. The product is wrapped to
 *  accumulator_bits (8..48), as every accumulator is: 32 holds the products of codes up to 15 bits, 16-bit codes need
 *  34 (take 48). */
typedef struct {
  int32_t a_zero_point, b_zero_point;
  int accumulator_bits;
  erg_requant_tensor scale;
  erg_codes codes;
} erg_mul_params;
/** a, b, output [elements]. */
erg_status erg_mul_s16(int64_t elements, const int16_t *a, const int16_t *b, const erg_mul_params *params,
                       int16_t *output, erg_error *error);
/** The gate of squeeze-and-excitation: a, output [N, H, W, C], b [N, C]. */
erg_status erg_channel_mul_s16(erg_shape shape, const int16_t *a, const int16_t *b, const erg_mul_params *params,
                               int16_t *output, erg_error *error);
erg_status erg_mul_f32(int64_t elements, const float *a, const float *b, float *output, erg_error *error);
erg_status erg_channel_mul_f32(erg_shape shape, const float *a, const float *b, float *output, erg_error *error);

/* ---------------------------------------------------------------- concatenation, padding (concat.c, pad.c) */

/** One input: codes [rows, channels], y = clamp(zero_point + rq(x - its zero point, scale)), M = s_x/s_y. */
typedef struct {
  const int16_t *codes;
  int channels;
  int32_t zero_point;
  erg_requant scale;
} erg_concat_input;
/** Along channels: output [rows, sum of channels], inputs in order. rows = N*H*W. At least one input. */
erg_status erg_concat_s16(int64_t rows, int count, const erg_concat_input *inputs, erg_rule rule,
                          const erg_codes *codes, int16_t *output, erg_error *error);
/** inputs[i] [rows, channels[i]]. */
erg_status erg_concat_f32(int64_t rows, int count, const float *const *inputs, const int *channels, float *output,
                          erg_error *error);

typedef struct { int top, left, bottom, right; } erg_padding; /**< each >= 0 */
/** input [N, H, W, C] to output [N, top+H+bottom, left+W+right, C]; the frame holds the zero point, i.e. real 0. */
erg_status erg_pad_s16(erg_shape shape, const erg_padding *padding, const int16_t *input, int16_t zero_point,
                       int16_t *output, erg_error *error);
/** The frame holds 0. */
erg_status erg_pad_f32(erg_shape shape, const erg_padding *padding, const float *input, float *output,
                       erg_error *error);

/* ---------------------------------------------------------------- to and from codes (quantize.c) */

/** y = clamp(rint(x / scale) + zero_point), float32 division, ties to even, rounded before the zero point is added (ONNX
 *  QuantizeLinear, opset 10 on). Infinities saturate; NaN is ERG_ERR_DATA with its index. scale finite and > 0. */
erg_status erg_quantize_f32(int64_t elements, const float *input, float scale, const erg_codes *codes, int16_t *output,
                            erg_error *error);
/** y = (float)(x - zero_point) * scale in float32 (ONNX DequantizeLinear). */
erg_status erg_dequantize_s16(int64_t elements, const int16_t *input, float scale, int32_t zero_point, float *output,
                              erg_error *error);

/* ---------------------------------------------------------------- batch norm with static statistics (batch_norm.c) */

/** y = clamp(zero_point + rq((x - input_zero_point)*weight[c] + bias[c], scale[c])), the sum wrapped to 32 bits.
 *  weight[c] is 0 or +-2^f: its sign is gamma's (multipliers are not negative), its f the fraction bits that the bias
 *  has in units of an input step. */
typedef struct {
  int32_t input_zero_point;
  const int32_t *weight;      /**< [C] */
  const int64_t *bias;        /**< [C] */
  erg_requant_channels scale; /**< C = scale.channels */
  erg_codes codes;
} erg_batch_norm_params;
/** Real statistics, all [C]; variance + epsilon > 0. */
typedef struct {
  const double *gamma, *beta, *mean, *variance;
  double epsilon;
} erg_batch_norm_stats;
/** Integers from statistics, in double. With a = gamma/sqrt(variance + epsilon), y = a*(x - mean) + beta becomes
 *  weight = sign(a)*2^f, bias = round(2^f*(beta - a*mean)/(|a|*input_scale)), M = |a|*input_scale/(output_scale*2^f),
 *  with the largest f in 0..12 for which 2^16*2^f + |bias| < 2^31. Where even f = 0 is too much (gamma = 0 above all)
 *  the channel is the constant beta - a*mean: weight 0, exact to 2^-12 of an output step for gamma = 0, else off by at
 *  most 2^-15 of its value. Outputs weight, bias, scale [channels]. ERG_ERR_DATA: a NULL, channels < 1, scales not
 *  positive and finite, statistics not finite. */
erg_status erg_batch_norm_quantize(int channels, const erg_batch_norm_stats *stats, double input_scale,
                                   double output_scale, int32_t *weight, int64_t *bias, erg_requant *scale,
                                   erg_error *error);
/** input, output [rows, C]. */
erg_status erg_batch_norm_s16(int64_t rows, const int16_t *input, const erg_batch_norm_params *params, int16_t *output,
                              erg_error *error);
/** float32 in and out; each element is computed in double and rounded once. */
erg_status erg_batch_norm_f32(int64_t rows, int channels, const float *input, const erg_batch_norm_stats *stats,
                              float *output, erg_error *error);

/* ---------------------------------------------------------------- global average pooling (global_avg_pool.c) */

/** y = clamp(zero_point + rq(sum over h, w of (x - input_zero_point), scale)), M = s_in/(s_out*H*W): the division is in
 *  the multiplier, so there is one rounding, by the rule. The sum is wrapped to accumulator_bits (8..48).
 *  input [N, H, W, C], output [N, C]. The float32 reference is erg_avg_pool_f32 with the map as its window. */
erg_status erg_global_avg_pool_s16(erg_shape shape, const int16_t *input, int32_t input_zero_point,
                                   int accumulator_bits, const erg_requant_tensor *scale, const erg_codes *codes,
                                   int16_t *output, erg_error *error);

/* ---------------------------------------------------------------- accumulation policy (accumulate.c) */

/** What an accumulator does at its rails. Wrapping is independent of the order of the terms; saturating is not, so it
 *  exists only in this plain kernel: terms (x - input_zero_point)*w in ascending r, s, c, each sum clamped to
 *  accumulator_bits. Padding adds nothing. */
typedef enum { ERG_ACCUMULATE_WRAP, ERG_ACCUMULATE_SATURATE, ERG_ACCUMULATE_COUNT } erg_accumulation;
/** As erg_conv2d_accumulate_s16, which is the policy WRAP. `clamped` (may be NULL): how many sums met a rail. */
erg_status erg_conv2d_accumulate_policy_s16(const erg_conv2d_shape *shape, const int16_t *input,
                                            int32_t input_zero_point, const int16_t *weight, int accumulator_bits,
                                            erg_accumulation policy, int64_t *accumulator, int64_t *clamped,
                                            erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
