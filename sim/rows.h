/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file rows.h
 *  Inside sim: what cutting a map into tiles of so many output rows comes to. Widths, channels and the machine play no
 *  part in it, so one table serves every point of a sweep. */
#ifndef ERGON_SIM_ROWS_H
#define ERGON_SIM_ROWS_H

#include "traffic.h"

/** Tiles of `rows` output rows, rows being the place in the table. */
typedef struct {
  int tiles;       /**< of an image */
  int first, last; /**< fewest and most rows that cut it into as many */
  int most;        /**< input rows of the largest tile */
  int most_before; /**< of the largest tile of 1..rows rows: of few maps, fewer rows need more */
  int64_t touched; /**< input rows of all tiles of an image */
  int64_t least_of_count, least; /**< touched, the least of first..rows rows and of 1..rows rows */
} erg_row_cut;

/** Start with {0}. */
typedef struct {
  int out_h, in_h, kernel_h, stride_h, pad_top; /**< all that the table depends on */
  erg_row_cut *cuts;                            /**< [known], of 1 row on; filled as far as it was asked for */
  int known, room;
} erg_rows;

/** Whether the table is of this geometry's rows. */
bool erg_rows_are_of(const erg_rows *rows, const erg_geometry *geometry);
void erg_rows_begin(erg_rows *rows, const erg_geometry *geometry);
/** Fills it up to tiles of `most` rows; false: no memory. */
bool erg_rows_fill(erg_rows *rows, int most);
static inline const erg_row_cut *erg_rows_at(const erg_rows *rows, int count) { return &rows->cuts[count - 1]; }
void erg_rows_free(erg_rows *rows);

/** erg_map and erg_map_bits with a table to keep; one of another geometry is begun anew. Of `walk` the cycles are filled. */
erg_status erg_map_by_rows(const erg_arch *arch, const erg_geometry *geometry, erg_rows *rows, erg_mapping *out,
                           erg_activity *walk, erg_error *error);
erg_status erg_map_bits_by_rows(const erg_arch *arch, const erg_geometry *geometry, erg_rows *rows, uint64_t *bits,
                                erg_error *error);

#endif
