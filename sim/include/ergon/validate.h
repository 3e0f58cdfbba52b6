/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file validate.h
 *  The model against published numbers: each check states its claim, source, bound and what was measured. A calibrated check
 *  was fitted to the data it is held against and says so. */
#ifndef ERGON_VALIDATE_H
#define ERGON_VALIDATE_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char *name, *claim, *source;
  const char *inputs; /**< "published": only published numbers; "ergon": counts or constants of this program */
  bool calibrated;
  double measured, low, high; /**< holds where low <= measured <= high */
  const char *unit;
  const char *skipped;  /**< why it was not done, or NULL */
  bool recorded_holds;  /**< the verdict on record: a change for the worse is a regression */
} erg_check;

/** One layer of a chip that was measured, this program's figures beside it. */
#define ERG_CHIP_LAYERS 5
typedef struct {
  char name[16];
  double time_ms, offchip_mb, energy_mj, published_time_ms, published_offchip_mb, published_energy_mj;
} erg_chip_layer;

/** Measurements left out of their fits, each predicted with an interval of 5 to 95 %. */
typedef struct {
  int n, inside, inside_half; /**< all, those in the interval, those in one of half the width (on a log scale) */
  int least, most;            /**< central 95 % of a binomial of n at 0.9 */
  double mean_width;          /**< of p95 / p5 */
} erg_coverage;

#define ERG_MOST_CHECKS 40
typedef struct {
  erg_check checks[ERG_MOST_CHECKS];
  int count;
  double eyeriss_a_pj; /**< energy of a MAC fitted to Eyeriss: what the uncalibrated level is held against */
  erg_chip_layer chip[ERG_CHIP_LAYERS + 1]; /**< AlexNet on arch eyeriss, and the total */
  erg_coverage coverage;
  char coverage_claim[200];
} erg_validation;

erg_status erg_validate(erg_validation *out, erg_error *error);
bool erg_check_holds(const erg_check *check);
/** A check that held when its verdict was recorded and does not now. */
bool erg_check_regressed(const erg_check *check);

#ifdef __cplusplus
}
#endif
#endif
