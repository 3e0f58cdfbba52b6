/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: integer tensors out of NumPy files. */
#ifndef ERGON_SIM_NPY_H
#define ERGON_SIM_NPY_H
#include "ergon/base.h"

#define ERG_NPY_DIMS 2

typedef struct {
  int dims;                      /* 1 or 2 */
  int64_t extents[ERG_NPY_DIMS]; /* each >= 1; their product at most 2^26 */
  int64_t *elements;             /* rows first */
} erg_npy;

/* Reads `path`: format 1.0, 2.0 or 3.0, little-endian integers of 1, 2, 4 or 8 bytes, signed or not, `dims` dimensions,
 * rows first. ERG_ERR_NO_INPUT where it cannot be opened, ERG_ERR_DATA with what was found and what is allowed, all
 * faults of the header at once.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
erg_status erg_npy_read(erg_arena *arena, const char *path, int dims, erg_npy *out, erg_error *error);
#endif
