/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file legs.h
 *  Inside sim: the steps of a loop nest in their order, each with what it moves and how long it computes (for stalls.c). */
#ifndef ERGON_SIM_LEGS_H
#define ERGON_SIM_LEGS_H

#include "traffic.h"

/** A step. Bits are those of tiles, off chip; of a tensor that the step does not need they mean nothing. */
typedef struct {
  double input, fresh; /**< fresh: of these, in rows that no tile before has brought */
  double weight, constant, residual, output;
  double work_cycles;
  bool first_n, first_m, last_k; /**< first tile of channels, of rows; last stretch of K */
  bool needs_input, needs_weight, needs_residual;
} erg_leg;

#define ERG_LEGS 16 /* kept at once: more than the eight that are loaded ahead, and the next */

typedef struct {
  const erg_arch *arch;
  const erg_geometry *geometry;
  const erg_mapping *mapping;
  int64_t steps, made;
  int tiles_per_image;
  int n, m, in_image;        /* of the leg to be made next: tile of channels, of rows, of rows within its image */
  int64_t k;
  int changed_n, changed_m;  /* 1: since the leg before */
  double work_cycles[8];     /* by kind of step; < 0: not asked for yet */
  erg_leg legs[ERG_LEGS];
} erg_legs;

void erg_legs_begin(erg_legs *legs, const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping);
/** Leg `index`: asked for in order, and none further back than ERG_LEGS - 1. */
const erg_leg *erg_legs_make(erg_legs *legs, int64_t index);
static inline const erg_leg *erg_legs_at(erg_legs *legs, int64_t index) {
  return index < legs->made ? &legs->legs[index % ERG_LEGS] : erg_legs_make(legs, index);
}
/** The last leg, for its output and work. */
void erg_legs_last(const erg_legs *legs, erg_leg *out);

#endif
