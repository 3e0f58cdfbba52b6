/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the energy room: what the reader of technology files and its checks share. */
#ifndef ERGON_ENERGY_TECHNOLOGY_H
#define ERGON_ENERGY_TECHNOLOGY_H

#include "ergon/energy.h"

/** Faults that single fields cannot show: contradictions, duplicates, constants without an explanation. */
void erg_technology_check(const erg_technology *technology, erg_error *error);

#endif
