/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intervals of stored energies, computed when they are asked for: the store keeps nominal energies and counts. */
#ifndef ERGON_CLI_SWEEP_INTERVAL_H
#define ERGON_CLI_SWEEP_INTERVAL_H
#include "ergon/sweep.h"

/* The technology of the last row, and how many rows have no interval. Start with `{0}`. */
typedef struct {
  erg_technology technology;
  char id[2048]; /* name and overrides; empty: none is loaded */
  int64_t unknown;
  char why[512]; /* of the first of them */
} erg_row_pricer;
void erg_row_pricer_free(erg_row_pricer *pricer);
/* 5 and 95 % limits of the row's energy under its own technology. False: it has no energy, or its technology is not at
 * hand as it was (its hash stands in the row), or gives another energy. */
bool erg_row_interval(erg_row_pricer *pricer, const erg_sweep_row *row, erg_interval *out);
#endif
