/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file legs.h
 *  Inside sim: the steps of a loop nest in their order, each with what it moves and how long it computes (for stalls.c). */
#ifndef ERGON_SIM_LEGS_H
#define ERGON_SIM_LEGS_H

#include "traffic.h"

/** All steps of a kind have this in common. */
typedef struct {
  double weight, constant, residual, output; /**< bits of tiles, off chip */
  double work_cycles;                        /**< in the middle of others */
  bool known;
} erg_leg_kind;

/** A step; of a tensor that it does not need the bits mean nothing. */
typedef struct {
  const erg_leg_kind *kind;
  double input;
  double fresh; /**< of the input's bits, in rows that no tile before has brought; 0 where no level keeps inputs */
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
  bool n_outside;            /* the outer loop is over tiles of channels, else over tiles of rows */
  int64_t period;            /* steps of one of its iterations */
  int tiles_per_image;
  int n, m, in_image;        /* of the leg to be made next: tile of channels, of rows, of rows within its image */
  int64_t k;
  bool changed_n, changed_m; /* since the leg before */
  bool has_weights, has_residuals, keeps_inputs;
  erg_leg_kind kinds[8];
  erg_leg legs[ERG_LEGS];
} erg_legs;

void erg_legs_begin(erg_legs *legs, const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping);
/** Leg `index`: asked for in order, and none further back than ERG_LEGS - 1. */
const erg_leg *erg_legs_make(erg_legs *legs, int64_t index);
static inline const erg_leg *erg_legs_at(erg_legs *legs, int64_t index) {
  return index < legs->made ? &legs->legs[index % ERG_LEGS] : erg_legs_make(legs, index);
}
/** Step before which all are like the one a period earlier, from `index` on, the begin of an iteration, and in the iteration
 *  before it; 0: these are not alike. */
int64_t erg_legs_alike(const erg_legs *legs, int64_t index);
/** On to leg `index`, the begin of an iteration but the first. */
void erg_legs_skip(erg_legs *legs, int64_t index);

#endif
