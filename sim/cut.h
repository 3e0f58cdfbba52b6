/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file cut.h
 *  Inside sim: a pass cut into tiles of so many channels and so much of K, whatever their rows. */
#ifndef ERGON_SIM_CUT_H
#define ERGON_SIM_CUT_H

#include "rows.h"

/** A pass on an architecture, with what all of its cuts share. */
typedef struct {
  const erg_arch *arch;
  const erg_geometry *geometry;
  erg_rows *rows;                     /**< of this geometry */
  bool no_memory;                     /**< for the table of rows */
  bool alike;                         /**< cuts of channels, K whole, move as many bits as no cut: see cuts_alike */
  uint64_t channel_bits, map_bits;    /**< of the pass uncut, as in erg_cut */
  uint64_t half_bits[ERG_MAX_LEVELS]; /**< of a level: what a tile may fill */
} erg_cutting;

/** Cuts of channels are multiples of the columns; groups and vector passes take all channels at once. */
void erg_cutting_begin(const erg_arch *arch, const erg_geometry *geometry, erg_rows *rows, erg_cutting *out);

typedef struct {
  int channels, n_tiles, k_chunks;
  int64_t reduction;
  int most_rows;                   /**< tiles of 1..most_rows rows fit; 0: none do */
  uint64_t channel_bits, map_bits; /**< of weights and constants, of outputs and residuals; off chip, each once */
  bool first_of_count;             /**< no narrower cut has as few tiles */
} erg_cut;

/** `most`: rows that no tile of this cut can have more of. first_of_count is the caller's. */
erg_cut erg_cut_of(erg_cutting *cutting, int channels, int64_t reduction, int most);
/** Longest stretch of K, in whole folds but not all of them, whose weights for `channels` fit beside one row's tile. */
int64_t erg_cut_streaming(const erg_cutting *cutting, int channels);
/** The tile of so many rows, with its off-chip bits and residents. */
erg_mapping erg_cut_mapping(const erg_cutting *cutting, const erg_cut *cut, int rows, erg_loop_order order);
/** Off-chip bits of that tile alone; the least of all tiles of the cut, or more than `most` if that is clear at once. */
uint64_t erg_cut_bits(const erg_cutting *cutting, const erg_cut *cut, int rows, erg_loop_order order);
uint64_t erg_cut_least_bits(const erg_cutting *cutting, const erg_cut *cut, uint64_t most);
/** Tiles of the cut with fewer rows move more than `bits`; more than most_rows: all do. */
int erg_cut_first_rows(const erg_cutting *cutting, const erg_cut *cut, uint64_t bits);

/** Whether the array can work on such a tile. */
bool erg_cut_array_fits(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping);

#endif
