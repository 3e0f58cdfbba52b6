/* SPDX-License-Identifier: Apache-2.0 */
/** \file fast.h
 *  The same results as the golden loops, sooner: convolution and matrix product through an integer GEMM. Equal bit for
 *  bit, because sums of integers modulo 2^32 do not depend on their order. For evaluation over many images; evidence
 *  (`ergon verify`, the oracles) calls the plain loops. docs/kernels-fast.md has the measured speeds. Included by no
 *  other header. */
#ifndef ERGON_FAST_H
#define ERGON_FAST_H

#include "ergon/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a product is computed.
 *  - AUTO: the first of the others, in this order, that this machine has and these operands fit.
 *  - ONEDNN: libdnnl.so.2, opened at run time, for operands of 8 bits and accumulators of up to 32. Only where the
 *    machine has AVX512-VNNI: without it oneDNN adds pairs of products in 16 bits, which saturates. What it does is held
 *    against the golden loops on both rails before it is believed, once a process.
 *  - BLOCKED: C in vector registers, for codes of up to 16 bits and accumulators of up to 32; no groups but depthwise.
 *  - PLAIN: the golden loops themselves. */
typedef enum { ERG_FAST_AUTO, ERG_FAST_ONEDNN, ERG_FAST_BLOCKED, ERG_FAST_PLAIN, ERG_FAST_COUNT } erg_fast_path;
extern const char *const erg_fast_names[ERG_FAST_COUNT]; /**< "auto", "onednn", "blocked", "plain" */

/** NULL when this machine can take `path`, else why it cannot. */
const char *erg_fast_unavailable(erg_fast_path path);

/** A convolution whose weights are packed and whose memory is there: prepared once, run on map after map. It is one
 *  thread's at a time. */
typedef struct erg_fast_conv2d erg_fast_conv2d;

/** Arguments as erg_conv2d_s16; input codes will lie in input_low..input_high (16 bits), weights are copied.
 *  ERG_ERR_UNSUPPORTED with the reason when a path asked for by name cannot do it; ERG_ERR_DATA as the golden kernel;
 *  ERG_ERR_INTERNAL when memory ends. `*prepared` is NULL unless ERG_OK; free with erg_fast_conv2d_free. */
erg_status erg_fast_conv2d_prepare(const erg_conv2d_shape *shape, int32_t input_zero_point, int input_low,
                                   int input_high, const int16_t *weight, int accumulator_bits, erg_fast_path path,
                                   erg_fast_conv2d **prepared, erg_error *error);
/** What was chosen: never AUTO. */
erg_fast_path erg_fast_conv2d_path(const erg_fast_conv2d *prepared);
/** = erg_conv2d_s16. ERG_ERR_DATA also for a code outside input_low..input_high. */
erg_status erg_fast_conv2d_run(erg_fast_conv2d *prepared, const int16_t *input, const erg_epilogue *epilogue,
                               int16_t *output, erg_error *error);
/** = erg_conv2d_accumulate_s16. */
erg_status erg_fast_conv2d_accumulate(erg_fast_conv2d *prepared, const int16_t *input, int64_t *accumulator,
                                      erg_error *error);
/** The same in 32 bits, for accumulators of up to 32. ERG_ERR_UNSUPPORTED for wider ones and for PLAIN. */
erg_status erg_fast_conv2d_accumulate_s32(erg_fast_conv2d *prepared, const int16_t *input, int32_t *accumulator,
                                          erg_error *error);
void erg_fast_conv2d_free(erg_fast_conv2d *prepared); /**< NULL is nothing */

/** erg_matmul_s16 and erg_matmul_accumulate_s16 by `path`. `taken` (may be NULL) tells which it was. Errors as above. */
erg_status erg_fast_matmul_s16(const erg_matmul_shape *shape, const int16_t *a, int32_t a_zero_point, const int16_t *b,
                               int32_t b_zero_point, int accumulator_bits, const erg_epilogue *epilogue,
                               int16_t *output, erg_fast_path path, erg_fast_path *taken, erg_error *error);
erg_status erg_fast_matmul_accumulate_s16(const erg_matmul_shape *shape, const int16_t *a, int32_t a_zero_point,
                                          const int16_t *b, int32_t b_zero_point, int accumulator_bits,
                                          int64_t *accumulator, erg_fast_path path, erg_fast_path *taken,
                                          erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
