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

#define ERG_MOST_CHECKS 32
typedef struct {
  erg_check checks[ERG_MOST_CHECKS];
  int count;
  double eyeriss_a_pj; /**< energy of a MAC fitted to Eyeriss: what the uncalibrated level is held against */
} erg_validation;

erg_status erg_validate(erg_validation *out, erg_error *error);
bool erg_check_holds(const erg_check *check);
/** A check that held when its verdict was recorded and does not now. */
bool erg_check_regressed(const erg_check *check);

#ifdef __cplusplus
}
#endif
#endif
