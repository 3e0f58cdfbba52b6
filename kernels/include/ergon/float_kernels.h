/* SPDX-License-Identifier: Apache-2.0 */
/** \file float_kernels.h
 *  Operators in a floating format narrower than fp32, as accelerators compute them: operands rounded to the format,
 *  multiplied in the format, summed in fp32, the result rounded to the format. In and out are float32 that hold values of
 *  the format (what comes in is rounded first). In fp32 every kernel equals its _f32 twin bit for bit. Included by no
 *  other header.
 *
 *  Rounding is to nearest, ties to even, with subnormals; overflow gives infinity, or NaN in fp8e4m3 (OCP 8-bit Floating
 *  Point Specification, revision 1.0, non-saturating). NaN and infinity pass through as IEEE 754 has it. All return
 *  ERG_ERR_DATA for a NULL, no format, or a shape that the _f32 twin refuses, ERG_ERR_INTERNAL when memory ends. */
#ifndef ERGON_FLOAT_KERNELS_H
#define ERGON_FLOAT_KERNELS_H

#include "ergon/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The multiplier of a machine. */
typedef struct {
  const erg_float_format *format; /**< erg_float_format_find */
  bool exact_products;            /**< products enter the fp32 sum as they are, instead of rounded to the format */
} erg_float_arithmetic;

/** The exact product of two values of the format, rounded once to the format; with exact_products to fp32, which holds all
 *  of them but some of bf16's below 2^-126. */
float erg_float_product(const erg_float_arithmetic *arithmetic, float a, float b);
/** output[i] = format->round(input[i]); the arrays may be the same. */
erg_status erg_float_round(const erg_float_format *format, int64_t elements, const float *input, float *output,
                           erg_error *error);

/** output [N, P, Q, K] = round(bias[k] + sum of products over r, s, c, ascending). bias fp32 or NULL. */
erg_status erg_conv2d_float(const erg_float_arithmetic *arithmetic, const erg_conv2d_shape *shape, const float *input,
                            const float *weight, const float *bias, float *output, erg_error *error);
/** output [batch, M, N] = round(bias[n] + sum of products over k, ascending). */
erg_status erg_matmul_float(const erg_float_arithmetic *arithmetic, const erg_matmul_shape *shape, const float *a,
                            const float *b, const float *bias, float *output, erg_error *error);
/** round(a + b): one rounding of the exact sum. */
erg_status erg_add_float(const erg_float_format *format, int64_t elements, const float *a, const float *b,
                         float *output, erg_error *error);
/** round(a * b). */
erg_status erg_mul_float(const erg_float_format *format, int64_t elements, const float *a, const float *b,
                         float *output, erg_error *error);
erg_status erg_max_pool_float(const erg_float_format *format, const erg_pool_shape *shape, const float *input,
                              float *output, erg_error *error);
/** round of the fp32 mean. */
erg_status erg_avg_pool_float(const erg_float_format *format, const erg_pool_shape *shape, const float *input,
                              float *output, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
