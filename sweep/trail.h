/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sweep: a small file that outlives the pool that writes it, so that whoever finds a dead task can tell which
 * points it was evaluating. Kept in shared memory of the file: an entry costs one store, and a kill -9 loses none. */
#ifndef ERGON_SWEEP_TRAIL_H
#define ERGON_SWEEP_TRAIL_H
#include "ergon/sweep.h"

/* A place a worker, all -1. */
erg_status erg_trail_open(const char *path, int workers, int64_t **out, erg_error *error);
void erg_trail_close(const char *path, int workers, int64_t *trail); /* removes the file: nobody died */
/* Points that were under evaluation when the pool died; no such file: none. */
void erg_trail_read(const char *path, int64_t size, erg_index_ranges *out);
#endif
