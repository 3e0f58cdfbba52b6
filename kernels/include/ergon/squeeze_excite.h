/* SPDX-License-Identifier: Apache-2.0 */
/** \file squeeze_excite.h
 *  Squeeze-and-excitation, composed of golden kernels: the mean of each channel, two fully connected layers, a gate,
 *  and each channel times its gate. The gate needs the whole map before the first product, so the multiply is a second
 *  pass over it. MobileNetV3: M = C/4 rounded to 8, ReLU, hard sigmoid; EfficientNet: M = a quarter of the block's
 *  input, SiLU (a table), sigmoid. */
#include "ergon/kernels.h" /* before the guard: whichever is named first, kernels.h sets the order */
#ifndef ERGON_SQUEEZE_EXCITE_H
#define ERGON_SQUEEZE_EXCITE_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  erg_shape shape;      /**< of the map */
  int squeezed;         /**< M, >= 1 */
  int accumulator_bits; /**< of the mean and both layers, 8..48 */
  erg_requant_tensor mean_scale; /**< s_x / (H W s_mean) */
  erg_codes mean;                /**< codes of the means */
  const int16_t *reduce_weight;  /**< [M, C] */
  const erg_epilogue *reduce;    /**< [M]; ReLU: low = zero_point */
  const int16_t *hidden_table;   /**< [2^hidden_bits] applied to reduce's codes; NULL: none */
  int hidden_bits;
  int32_t hidden_zero_point;     /**< of what expand reads: reduce's, or the table's */
  const int16_t *expand_weight;  /**< [C, M] */
  const erg_epilogue *expand;    /**< [C] */
  const int16_t *gate_table;     /**< [2^gate_bits] of expand's codes */
  int gate_bits;
  erg_mul_params multiply;       /**< a: the map, its zero point is the input's; b: the gate; M = s_x s_g / s_y */
} erg_squeeze_excite;

/** input, output [N, H, W, C]; scratch N * (2 C + M) codes. The output is written last: untouched on error. */
erg_status erg_squeeze_excite_s16(const erg_squeeze_excite *se, const int16_t *input, int16_t *scratch, int16_t *output,
                                  erg_error *error);

/** The same over fp32: `hidden` and `gate` are exact functions (hidden NULL: ReLU). reduce [M, C], expand [C, M];
 *  biases or NULL; scratch N * (2 C + M). */
erg_status erg_squeeze_excite_f32(erg_shape shape, int squeezed, const float *input, const float *reduce,
                                  const float *reduce_bias, const erg_gate *hidden, const float *expand,
                                  const float *expand_bias, const erg_gate *gate, float *scratch, float *output,
                                  erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
