/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sweep: a row as bytes between a worker and its pool, both of one program. */
#ifndef ERGON_SWEEP_WIRE_H
#define ERGON_SWEEP_WIRE_H
#include "ergon/sweep.h"

typedef struct {
  char *bytes;
  size_t count, room;
} erg_bytes;
bool erg_bytes_add(erg_bytes *b, const void *data, size_t count); /* false: memory ran out */

/* Appends a message: the number of its bytes, the point's number, the row. */
bool erg_wire_put(erg_bytes *b, int64_t index, const erg_sweep_row *row);
/* A whole message at the front of `b`: true, with its texts in `arena`, and taken off. */
bool erg_wire_take(erg_bytes *b, int64_t *index, erg_sweep_row *row, erg_arena *arena);
#endif
