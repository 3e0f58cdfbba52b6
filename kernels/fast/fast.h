/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the fast path. */
#ifndef ERGON_KERNELS_FAST_H
#define ERGON_KERNELS_FAST_H
#include "ergon/fast.h"

/* The same C for every width of vector registers; the widest that the machine has is chosen when the program loads. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define ERG_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ERG_VECTOR_CLONES
#endif

/* ---- oneDNN (onednn.c, onednn_conv2d.c) */

const char *erg_onednn_unavailable(void);
/* sums [rows][columns] = a [rows][depth] * b [depth][columns]. False: the library said no. */
bool erg_onednn_gemm(int64_t rows, int64_t columns, int64_t depth, const uint8_t *a, const int8_t *b, uint32_t *sums);
typedef struct erg_onednn_conv2d erg_onednn_conv2d;
/* Input of bytes with a zero point, weights of a filter after the other. NULL: the library said no. */
erg_onednn_conv2d *erg_onednn_conv2d_new(const erg_conv2d_shape *shape, int32_t zero_point, const int8_t *weight);
bool erg_onednn_conv2d_run(erg_onednn_conv2d *convolution, const uint8_t *input, uint32_t *sums);
void erg_onednn_conv2d_free(erg_onednn_conv2d *convolution);

/* ---- the portable GEMM (blocked.c): operands in pairs along the depth, b in panels of columns */

int64_t erg_blocked_depth(int64_t depth);                                   /* padded: a row of `a` has that many codes */
int64_t erg_blocked_panel_codes(int64_t depth, int64_t columns);            /* codes of a packed b; depth is padded */
/* b [columns][depth] (by_column) or [depth][columns]; `padded` is erg_blocked_depth(depth). */
void erg_blocked_pack(const int16_t *b, int64_t depth, int64_t columns, bool by_column, int16_t *panels);
/* sums [rows][columns] = a [rows][depth] * b, modulo 2^32. */
void erg_blocked_gemm(int64_t rows, int64_t columns, int64_t depth, const int16_t *a, const int16_t *panels,
                      uint32_t *sums);

/* ---- ways in and out */

/* Why a path is not for these operands; NULL: it is. `bytes`: they fit oneDNN's types. */
const char *erg_fast_no_onednn(bool bytes, int accumulator_bits, int64_t depth);
const char *erg_fast_no_blocked(int accumulator_bits);
/* ERG_ERR_UNSUPPORTED with the reason for a path asked for by name. */
erg_status erg_fast_choose(const char *what, erg_fast_path asked, const char *no_onednn, const char *no_blocked,
                           erg_fast_path *path, erg_error *error);
erg_status erg_fast_no_memory(const char *what, erg_error *error);
/* Least and greatest of `count` codes. */
void erg_fast_range(const int16_t *codes, int64_t count, int *least, int *greatest);
/* out[i] = codes[i] + offset, which fit; the same with the question whether all are within 0..most (else `out` is of no
 * use): one pass instead of two over a map. */
void erg_fast_to_bytes(const int16_t *codes, int64_t count, int offset, uint8_t *out);
bool erg_fast_into_bytes(const int16_t *codes, int64_t count, int offset, int most, uint8_t *out);

/* Where finished rows of sums go: to accumulators or through the epilogue. Channels are columns. The caller fills what
 * stands above the line, opens, stores, closes. */
typedef struct {
  int accumulator_bits; /* up to 32 */
  int64_t columns;
  int64_t *accumulator; /* the whole tensor, or NULL */
  int32_t *accumulator_s32;
  const erg_epilogue *epilogue;
  int16_t *output;
  /* ---- */
  bool rule_s;         /* in vectors */
  uint32_t *offset;    /* [columns]: what is added to each sum */
  int32_t *multiplier; /* [columns] */
  int64_t *t, *half;   /* [columns]: shift, half a unit before it */
} erg_fast_sink;
/* `correction` [columns] (or NULL) is taken off each sum. */
erg_status erg_fast_sink_open(erg_fast_sink *sink, const char *what, const uint32_t *correction, erg_error *error);
void erg_fast_sink_close(erg_fast_sink *sink);
void erg_fast_store(const erg_fast_sink *sink, int64_t first_row, int64_t rows, const uint32_t *sums);

/* ---- what an output pixel sees of the map (windows.c), in 16-bit codes */

/* The window of output pixel `pixel` (n, p, q in NHWC order), padding filled with the zero point. */
void erg_fast_gather(const erg_conv2d_shape *shape, const int16_t *input, int16_t zero_point, int64_t pixel,
                     int16_t *window);
/* by_tap [R][S][C] from weights [C][R][S]. */
void erg_fast_by_tap(const erg_conv2d_shape *shape, const int16_t *weight, int16_t *by_tap);
/* Sums of an output pixel: [C]. */
void erg_fast_depthwise(const erg_conv2d_shape *shape, const int16_t *input, int32_t zero_point, const int16_t *by_tap,
                        int64_t pixel, uint32_t *sums);
#endif
