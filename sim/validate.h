/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the room: the two halves of the validation. */
#ifndef ERGON_SIM_VALIDATE_H
#define ERGON_SIM_VALIDATE_H

#include "ergon/validate.h"

void erg_check_add(erg_validation *v, erg_check check);
/** Eyeriss, NVDLA, UNPU: numbers of others, fitted or added up (validate_published.c). */
erg_status erg_validate_published(erg_validation *v, erg_error *error);
/** Counts and constants of this program (validate_model.c). */
erg_status erg_validate_model(erg_validation *v, erg_error *error);
erg_status erg_validate_fusion(erg_validation *v, erg_error *error);
/** AlexNet on an architecture like Eyeriss, nothing fitted (validate_chip.c). */
erg_status erg_validate_chip(erg_validation *v, erg_error *error);
/** Whether intervals hold what was left out (validate_coverage.c). */
erg_status erg_validate_coverage(erg_validation *v, erg_error *error);
/** A number of measurements/published.csv. */
erg_status erg_published(const char *name, double *value, erg_error *error);

#endif
