/* SPDX-License-Identifier: Apache-2.0 */
/* Inside kernels: argument checks that all kernels share. */
#ifndef ERGON_KERNELS_CHECK_H
#define ERGON_KERNELS_CHECK_H
#include "ergon/kernels.h"
#define ERG_MOST_ELEMENTS ((int64_t)1 << 40)
erg_status erg_check_conv2d(const erg_conv2d_shape *shape, erg_error *error);
/** The same, its tensors and its accumulator. */
erg_status erg_check_conv2d_call(const erg_conv2d_shape *shape, const void *input, const void *weight,
                                 const void *output, int accumulator_bits, erg_error *error);
erg_status erg_check_matmul(const erg_matmul_shape *shape, const void *a, const void *b, const void *output,
                            int accumulator_bits, erg_error *error);
erg_status erg_check_pool(const erg_pool_shape *shape, erg_error *error);
erg_status erg_check_requant(const char *what, erg_requant scale, erg_error *error);
/** A legal rule with a scale that rule can use (F: a float32 scale that is set). */
erg_status erg_check_rule(const char *what, erg_rule rule, erg_requant scale, erg_error *error);
/** low <= high, both within 16 bits. */
erg_status erg_check_clamp(const char *what, int32_t low, int32_t high, erg_error *error);
/** Scales of `channels` channels, clamp, residual, rule. */
erg_status erg_check_epilogue(const char *what, const erg_epilogue *epilogue, int channels, erg_error *error);
/** rows*columns elements, both at least 1, at most 2^40. */
erg_status erg_check_elements(const char *what, int64_t rows, int64_t columns, erg_error *error);
erg_status erg_check_shape(const char *what, erg_shape shape, erg_error *error);
/** All extents at least 1, their product at most 2^40. */
bool erg_extents_ok(const int *extents, int count);
/** What an erg_kernel's attempt says where there is no kernel. */
erg_status erg_no_kernel(const char *what, erg_format format, erg_error *error);
/** The same where the case gave `got`: ERG_OK when that is `expected`. */
erg_status erg_attempted(const char *what, erg_status status, double got, double expected, erg_error *error);
/** Codes of 8 bits and a scale of 1, for attempts. */
#define ERG_PLAIN_CODES ((erg_codes){.low = -128, .high = 127})
#define ERG_UNIT_SCALE ((erg_requant){.multiplier = 1 << 30, .shift = 1, .real = 1})
/** clamp(codes->zero_point + y, codes->low, codes->high). */
static inline int16_t erg_to_code(__int128 y, const erg_codes *codes) {
  y += codes->zero_point;
  return (int16_t)(y < codes->low ? codes->low : y > codes->high ? codes->high : (int32_t)y);
}
/** Taps of an output's window inside the map, along one axis: [first, last), empty when first >= last. */
static inline void erg_taps(int output, int stride, int pad, int kernel, int dilation, int extent, int *first,
                            int *last) {
  int64_t start = (int64_t)output * stride - pad, step = dilation > 1 ? dilation : 1;
  int64_t inside = start < extent ? (extent - start + step - 1) / step : 0;
  *first = start < 0 ? (int)((-start + step - 1) / step) : 0;
  *last = inside > kernel ? kernel : (int)inside;
}
/** The same without dilation. */
static inline void erg_window(int output, int stride, int pad, int kernel, int extent, int *first, int *last) {
  erg_taps(output, stride, pad, kernel, 1, extent, first, last);
}
#endif
