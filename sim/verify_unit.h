/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: dynamic norms and tables through the Verilated unit behind the epilogue. */
#ifndef ERGON_SIM_VERIFY_UNIT_H
#define ERGON_SIM_VERIFY_UNIT_H
#include "ergon/sim.h"

typedef struct {
  const erg_pass *pass; /* a norm pass, or one with a gate */
  const erg_precision *precision;
  uint64_t seed;
  const int16_t *input;
  int32_t zero_point;
  double gap_probability;
} erg_unit_data;

/* Fills `output` (may be the input) by the unit and the row by its comparison with the golden kernel. */
erg_status erg_verify_unit(erg_rtl_norm *unit, const erg_unit_data *data, int16_t *output, int32_t *zero_point,
                           erg_verify_row *row, erg_error *error);
#endif
