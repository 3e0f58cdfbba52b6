/* SPDX-License-Identifier: Apache-2.0 */
/** \file npy.h
 *  Tensors out of NumPy files (format 1.0, 2.0 or 3.0, little-endian, rows first).
 *  https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef ERGON_NPY_H
#define ERGON_NPY_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ERG_NPY_DIMS 4

typedef struct {
  int dims;                      /**< as asked for */
  int64_t extents[ERG_NPY_DIMS]; /**< each >= 1; their product at most 2^26 */
  int64_t *elements;             /**< rows first */
} erg_npy;

/** Integers of 1, 2, 4 or 8 bytes, signed or not, in exactly `dims` dimensions. ERG_ERR_NO_INPUT where the file cannot be
 *  opened, ERG_ERR_DATA with what was found and what is allowed, all faults of the header at once. */
erg_status erg_npy_read(erg_arena *arena, const char *path, int dims, erg_npy *out, erg_error *error);

typedef struct {
  int dims;
  int64_t extents[ERG_NPY_DIMS];
  double *elements; /**< NaN and infinity as they are in the file */
} erg_npy_reals;

/** Floats of 4 or 8 bytes, or integers, in `least`..`most` dimensions; faults as above. */
erg_status erg_npy_read_reals(erg_arena *arena, const char *path, int least, int most, erg_npy_reals *out,
                              erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
