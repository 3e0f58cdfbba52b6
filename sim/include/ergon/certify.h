/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file certify.h
 *  Accumulator certificates of a network, a row an array pass (`ergon run NET --certify`). */
#ifndef ERGON_CERTIFY_H
#define ERGON_CERTIFY_H

#include "ergon/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

/** `worst`: any codes, any zero point, any weights of the precision, no bias. The other two are by weights and bias
 *  that are synthetic (seeded and calibrated on a synthetic input of the layer, not trained): `golden` accumulates
 *  x - zero point, `array` raw codes and takes -zero_point*sum(w) with the bias, as the array does. */
typedef struct {
  const erg_pass *pass;
  int64_t reduction; /**< K: terms of a sum */
  erg_certificate worst, golden, array;
} erg_certify_row;

/** Certifies one array pass. Parameters come from (seed, pass name); the memory of its weights is needed meanwhile.
 *  ERG_ERR_UNSUPPORTED: a vector pass, or a floating-point precision, which has no integer accumulator. */
erg_status erg_certify(const erg_pass *pass, const erg_precision *precision, uint64_t seed, erg_certify_row *out,
                       erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
