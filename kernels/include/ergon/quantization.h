/* SPDX-License-Identifier: Apache-2.0 */
/** \file quantization.h
 *  Affine codes of a tensor: real = (q - zero_point) * scale, q signed, in [-2^(bits-1), 2^(bits-1) - 1]. */
#ifndef ERGON_QUANTIZATION_H
#define ERGON_QUANTIZATION_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a tensor's codes mean. Legal: scale finite and > 0, bits 2..16, zero_point one of the codes. */
typedef struct { double scale; int32_t zero_point; int bits; } erg_quantization;

/** The code nearest to a real value: clamp(rint_even(real / scale) + zero_point), rounded before the zero point is
 *  added, as ONNX QuantizeLinear does. `real` may be infinite. */
int16_t erg_quantization_round(erg_quantization codes, long double real);
/** ERG_ERR_DATA when `codes` is not legal; `what` names it in the message. */
erg_status erg_quantization_check(const char *what, erg_quantization codes, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
