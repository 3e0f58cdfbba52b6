/* SPDX-License-Identifier: Apache-2.0 */
/** \file norms.h
 *  Dynamic norms in integers: instance norm (a channel over H*W), layer norm and RMS norm (a row over C). Their
 *  statistics depend on the input, so nothing folds. Pass one gathers, of q' = q - zero point over the N elements of a
 *  group, S = sum q' (RMS: 0) and Q = sum q'^2. Pass two computes
 *      xhat = (N q' - S) / sqrt(N Q - S^2 + N^2 eps / s^2),  y = gamma xhat + beta
 *  for RMS too, since q' sqrt(N) / sqrt(Q + N eps/s^2) is the same with S = 0. The input's scale s matters only beside
 *  eps. The static affine gamma/s_out, beta/s_out goes into one requantization.
 *
 *  Exactly, with 16 fraction bits in the radicand, 20 in xhat and a root scaled up by 2^j so that it keeps 32 bits:
 *      V = (N Q - S^2) 2^16 + epsilon                                   V = 0: xhat = 0
 *      W = V 4^j, floor for j < 0, 2^62 <= W < 2^64                     root = floor(sqrt W), 2^31 <= root < 2^32
 *      inverse = floor(2^62 / root)                                     2^30 < inverse <= 2^31
 *      X = ((N q' - S) inverse + 2^(33-j)) >> (34-j)                    Q11.20, |X| <= 2^30 + 2 for N <= 2^20
 *      y = clamp(zero_point + ((X multiplier[c] + bias[c] + 2^(t-1)) >> t))
 *  Legal: N <= 2^20, codes of 16 bits, zero points of 16 bits. The golden kernel holds N Q in 128 bits; int8 and N <=
 *  2^16 need 2^48 for it, V 64 bits and the product in X 57. */
#include "ergon/kernels.h" /* before the guard: whichever is named first, kernels.h sets the order */
#ifndef ERGON_NORMS_H
#define ERGON_NORMS_H

#ifdef __cplusplus
extern "C" {
#endif

/** Statistics of one group in 64 bits, as an epilogue gathers them. */
typedef struct { int64_t count, sum, squares; } erg_norm_sums;
/** Adds `count` codes, `stride` apart, to *sums. */
void erg_norm_gather(const int16_t *input, int64_t count, int64_t stride, int32_t zero_point, erg_norm_sums *sums);

/** floor(sqrt(x)), bit by bit. */
uint32_t erg_root_u64(uint64_t x);

/** What pass two needs of a group: X = ((count q' - sum) inverse + 2^(shift-1)) >> shift. */
typedef struct { int64_t count, sum, inverse; int shift; } erg_norm_scale;
/** `centred`: instance and layer norm; else RMS (the sum is dropped). epsilon: erg_norm_epsilon. */
erg_norm_scale erg_norm_scale_of(erg_norm_sums sums, bool centred, uint64_t epsilon);
/** xhat in Q11.20. */
int64_t erg_norm_apply(erg_norm_scale scale, int32_t centred_code);

/** rint(N^2 eps / s^2 * 2^16). Legal: N 1..2^20, eps finite and >= 0, s finite and > 0, result below 2^63. */
erg_status erg_norm_epsilon(int64_t count, double epsilon, double input_scale, uint64_t *out, erg_error *error);

/** The static affine and the output's clamp. One shift for all channels, signed multipliers: gamma may be 0 or
 *  negative. */
typedef struct {
  int channels, shift; /**< t, 33..46 */
  const int32_t *multiplier; /**< [C] gamma / s_out * 2^(t-20) */
  const int64_t *bias;       /**< [C] beta / s_out * 2^t */
  int32_t zero_point, low, high;
} erg_norm_affine;
/** Largest t with every |multiplier| < 2^31; 46 at most, so that the sum fits 64 bits. gamma NULL: 1; beta NULL: 0.
 *  Legal: |gamma| / s_out < 2^17, |beta| / s_out <= 2^16. multiplier, bias [channels]. */
erg_status erg_norm_affine_build(int channels, const double *gamma, const double *beta, double output_scale,
                                 int32_t *multiplier, int64_t *bias, int *shift, erg_error *error);
/** One element of the second requantization. */
int16_t erg_norm_affine_apply(const erg_norm_affine *affine, int64_t xhat, int channel);

/** input, output [N, H, W, C], statistics over H*W of each image and channel. affine->channels = C. */
erg_status erg_instance_norm_s16(erg_shape shape, const int16_t *input, int32_t zero_point, uint64_t epsilon,
                                 const erg_norm_affine *affine, int16_t *output, erg_error *error);
/** input, output [rows, C], statistics over C of each row. affine->channels = C. */
erg_status erg_layer_norm_s16(int64_t rows, const int16_t *input, int32_t zero_point, uint64_t epsilon,
                              const erg_norm_affine *affine, int16_t *output, erg_error *error);
erg_status erg_rms_norm_s16(int64_t rows, const int16_t *input, int32_t zero_point, uint64_t epsilon,
                            const erg_norm_affine *affine, int16_t *output, erg_error *error);

/** The same in fp32, ascending order, mean first, then the squares of differences (RMS: squares). gamma, beta [C] or
 *  NULL. Legal: epsilon finite and >= 0. A group without spread gives 0 for xhat when epsilon is 0. */
erg_status erg_instance_norm_f32(erg_shape shape, const float *input, const float *gamma, const float *beta,
                                 float epsilon, float *output, erg_error *error);
erg_status erg_layer_norm_f32(int64_t rows, int channels, const float *input, const float *gamma, const float *beta,
                              float epsilon, float *output, erg_error *error);
erg_status erg_rms_norm_f32(int64_t rows, int channels, const float *input, const float *gamma, const float *beta,
                            float epsilon, float *output, erg_error *error);

/* ---------------------------------------------------------------- what folds and what does not (norm_fold.c) */

/** The best static stand-in for an instance norm: per channel, scale[c] x + shift[c] nearest to the instance norm's
 *  output in the least-squares sense over calibration inputs [N, H, W, C]. It is right only while statistics do not
 *  move. A channel without spread gets scale 0. */
erg_status erg_instance_norm_static_fit(erg_shape shape, const float *input, const float *gamma, const float *beta,
                                        float epsilon, double *scale, double *shift, erg_error *error);

/** Batch norm has constants for statistics, so it folds into the weights before it, in double:
 *      a = gamma / sqrt(variance + epsilon), w' = a w, b' = beta + (b - mean) a
 *  gamma = 0 gives w' = 0 exactly and b' = beta, whatever mean is; gamma < 0 is nothing special. Legal only where
 *  nothing stands between them (no clamp, no padding of the norm's own). weight, folded_weight [K, reduction] (may be
 *  the same); bias [K] or NULL, folded_bias [K] (may be the same). ERG_ERR_DATA, nothing written: variance + epsilon
 *  not above 0, or anything not finite. */
erg_status erg_batch_norm_fold(int filters, int64_t reduction, const double *weight, const double *bias,
                               const erg_batch_norm_stats *norm, double *folded_weight, double *folded_bias,
                               erg_error *error);
/** Per-channel symmetric codes of folded weights, range [-(2^(bits-1)-1), 2^(bits-1)-1]: scale[k] = max|w| /
 *  (2^(bits-1)-1), 1 for a channel of zeros (gamma = 0). Ties to even. bits 2..16. weight, codes [K, reduction], scale
 *  [K]. */
erg_status erg_weights_quantize(int filters, int64_t reduction, const double *weight, int bits, int16_t *codes,
                                double *scale, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
