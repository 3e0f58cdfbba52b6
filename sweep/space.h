/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sweep: points by number. Digits of a number in a mixed radix, the last dimension changing fastest, so that
 * neighbours share the inputs that take longest to load. */
#ifndef ERGON_SWEEP_SPACE_H
#define ERGON_SWEEP_SPACE_H
#include "ergon/sweep.h"

/* Before and behind the axes of the specification. */
enum { ERG_DIM_WORKLOAD, ERG_DIM_BATCH, ERG_DIM_ARCH, ERG_DIM_AXES };
enum { ERG_DIM_TECH, ERG_DIM_MODEL, ERG_DIM_DATAFLOW, ERG_DIM_FUSION, ERG_DIM_PRECISION, ERG_DIM_BEHIND };

int erg_space_dimensions(const erg_sweep *sweep);
int64_t erg_space_extent(const erg_sweep *sweep, int dimension);
int64_t erg_space_stride(const erg_sweep *sweep, int dimension);
/* The digit of point `index`. `erg_space_behind`: the dimension behind the axes. */
int erg_space_digit(const erg_sweep *sweep, int64_t index, int dimension);
int erg_space_behind(const erg_sweep *sweep, int which);
const char *erg_space_name(const erg_sweep *sweep, int dimension);
int erg_space_words(const char *text); /* words between blanks */
#endif
