/* SPDX-License-Identifier: Apache-2.0 */
/** \file requant.h
 *  Requantization: an accumulator x times a real multiplier M, rounded to an integer, under four rules that differ in
 *  ties and in arithmetic. Included by kernels.h. Nothing here clamps to a code's range; the caller does. */
#ifndef ERGON_REQUANT_H
#define ERGON_REQUANT_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which arithmetic requantizes. m, shift and real are those of erg_requant; `A` = accumulator_bits.
 *
 *  | rule | definition for A <= 32                                    | ties           |
 *  |------|------------------------------------------------------------|----------------|
 *  | S    | (x*m + 2^(t-1)) >> t, t = 31 - shift                       | to +infinity   |
 *  | D    | RDPOT(SRDHM(sat32(x << max(shift, 0)), m), max(-shift, 0)) | mixed          |
 *  | F    | rint((float)x * real), product in float32                  | to even        |
 *  | A    | x*m / 2^t rounded to nearest, t = 31 - shift               | away from zero |
 *
 *  Who fixes which: S TOSA SINGLE_ROUND, TFLite and CMSIS-NN with single rounding; D gemmlowp, TFLite's and CMSIS-NN's
 *  default, TOSA DOUBLE_ROUND; F oneDNN (an output zero point it adds before it rounds: equal when that is
 *  0), XNNPACK, ONNX Runtime, Gemmini; A NVDLA's convertor.
 *
 *  SRDHM(a, b) = (a*b + 2^30) >> 31 (gemmlowp's saturating rounding doubling high multiply; its one saturating case
 *  needs b = -2^31, and m >= 0). RDPOT(v, e) = v / 2^e to nearest, ties away from zero (gemmlowp's
 *  RoundingDivideByPOT). sat32 clamps to [-2^31, 2^31-1]: where TFLite overflows a signed 32-bit shift (undefined in C)
 *  rule D saturates, as gemmlowp's SaturatingRoundingMultiplyByPOT does.
 *
 *  A > 32 (|x| <= 2^47): S and A reduce the multiplier to 16 bits, m16 = m >= 0x7FFF0000 ? 0x7FFF : (m + 2^15) >> 16,
 *  and take t = 15 - shift (t < 1: an exact left shift). **D is S there**: TFLite's path for 64-bit accumulators has that
 *  single-rounding form in every build. F stays as it is.
 *
 *  Rails: a result outside int64 (only possible for A > 32 and M > 2^16, or F with a large `real`) saturates to int64.
 *  F takes ties from the float32 product, whose own rounding comes first: (float)x rounds |x| > 2^24 to nearest even,
 *  the product rounds again. The floating environment must be in its default rounding mode. */
typedef enum { ERG_RULE_S, ERG_RULE_D, ERG_RULE_F, ERG_RULE_A, ERG_RULE_COUNT } erg_rule;
extern const char *const erg_rule_names[ERG_RULE_COUNT]; /**< "S", "D", "F", "A" */
extern const char *const erg_rule_help[ERG_RULE_COUNT];  /**< a line each for people */

/** Real multiplier M = multiplier * 2^(shift-31), multiplier in [2^30, 2^31) or 0, shift in [-31, 30]. */
typedef struct {
  int32_t multiplier;
  int32_t shift;
  float real; /**< M as float32, what rule F multiplies with; the other rules never read it */
} erg_requant;

/** Per tensor: one scale for every channel. */
typedef struct {
  erg_rule rule;
  erg_requant scale;
} erg_requant_tensor;

/** Per channel: `scale` holds `channels` >= 1 entries, for the innermost extent. */
typedef struct {
  erg_rule rule;
  int channels;
  const erg_requant *scale;
} erg_requant_channels;

/** M >= 0 (computed in double) to (multiplier, shift) as TFLite's QuantizeMultiplier: frexp, round to 31 bits, carry;
 *  below 2^-32 the multiplier is 0, from 2^30 on it is the largest. real = (float)M. NaN and M <= 0 give all zeros. */
erg_requant erg_requant_from_real(double real_multiplier);
/** The same for an M given in float32. Peers of rule F compute s_in*s_w/s_out in float32 (XNNPACK); a scale taken in
 *  double differs from theirs in its last bit, and then some outputs do. */
erg_requant erg_requant_from_float(float real_multiplier);

/** The constants that hardware of rule S multiplies and shifts with: erg_requantize(x, scale, accumulator_bits) =
 *  saturate((x*m + 2^(t-1)) >> t), m < 2^31, 1 <= t <= 62. Above 32 bits the multiplier has 16 (scaled up by 2^(1-t) where
 *  M >= 2^14 would make t less than 1). */
void erg_requant_hardware(erg_requant scale, int accumulator_bits, int32_t *multiplier, int32_t *t);
/** Rule S. Any int64 x for A <= 32 (meant: 32 bits), |x| <= 2^47 above; `scale` legal as erg_requant says. */
int64_t erg_requantize(int64_t x, erg_requant scale, int accumulator_bits);
/** Any rule; an illegal rule is read as S. */
int64_t erg_requantize_rule(int64_t x, erg_requant scale, int accumulator_bits, erg_rule rule);
/** Wraps to `bits`-bit two's complement (the only order-independent accumulation policy). bits 2..63. */
int64_t erg_wrap(int64_t x, int bits);

#ifdef __cplusplus
}
#endif
#endif
