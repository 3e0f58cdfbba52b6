/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file vectors.h
 *  Stimulus and expected results of one layer as files, for a testbench in any language: `$readmemh` (.hex) and NumPy
 *  (.npy, format 1.0). What is in each file: docs/rtl-kernels.md. */
#ifndef ERGON_VECTORS_H
#define ERGON_VECTORS_H

#include "ergon/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- a tensor as files (vector_file.c) */

/** A tensor to write. Elements of `stride_bytes` 2, 4 or 8 (signed); the .hex file holds the low `bits` of each in two's
 *  complement, ceil(bits/4) digits, one element a line; the .npy file the smallest of int8, int16, int32, int64 that
 *  holds `bits`, little-endian, C order. */
typedef struct {
  const char *name, *layout; /**< file name without ending; e.g. "N, H, W, C" */
  const void *elements;
  int stride_bytes, bits; /**< bits 1..64 */
  int dims;               /**< 1..4 */
  int64_t extents[4];
} erg_vector_file;

/** Writes `folder`/name.hex and name.npy (the folder must exist). *entry: an object with name, layout, shape, bits,
 *  and name and sha256 of each file, owned by the caller. ERG_ERR_CREATE, ERG_ERR_IO, ERG_ERR_INTERNAL (memory, or
 *  bits and dims outside the ranges above). */
erg_status erg_vector_write(const char *folder, const erg_vector_file *file, json_t **entry, erg_error *error);

/* ---------------------------------------------------------------- a layer (vectors.c) */

/** One array pass with all that it reads and what the golden kernel makes of it. */
typedef struct {
  erg_arena arena;
  erg_conv2d_shape conv;
  const char *name;
  erg_precision precision;
  erg_rule rule;
  uint64_t seed;
  int16_t *input, *residual; /**< residual: NULL when there is none */
  int32_t input_zero_point;
  erg_synth_layer layer;
  int64_t *accumulator; /**< before the bias, wrapped */
  int16_t *expected;
} erg_vectors;

/** The layer `name` of the point's network: the input is the seeded input of the network, carried there by the golden
 *  kernels. ERG_ERR_USAGE: no such layer (with what exists), or the layer is not one of the array;
 *  ERG_ERR_UNSUPPORTED: floating precision, another fusion than `epilogue`, a layer before it without integer kernel. */
erg_status erg_vectors_layer(const erg_point *point, const char *name, erg_rule rule, erg_vectors *out,
                             erg_error *error);
/** A random convolution: every extent, stride, pad, dilation, group, clamp and residual from `seed`. */
erg_status erg_vectors_random(const erg_precision *precision, uint64_t seed, erg_rule rule, erg_vectors *out,
                              erg_error *error);
void erg_vectors_free(erg_vectors *vectors);
/** Writes all files into `folder` (which must exist) and their descriptions into `envelope` (the manifest). */
erg_status erg_vectors_write(const erg_vectors *vectors, const char *folder, json_t *envelope, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
