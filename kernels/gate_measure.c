/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/gates.h"
#include <math.h>

typedef struct {
  long double most, at, squares;
  int64_t points;
} tally;

static void note(tally *t, long double x, long double difference) {
  if (fabsl(difference) > t->most) {
    t->most = fabsl(difference);
    t->at = x;
  }
  t->squares += difference * difference;
  t->points++;
}

static erg_gate_error result(const tally *t) {
  return (erg_gate_error){(double)t->most, (double)t->at, (double)sqrtl(t->squares / (long double)t->points)};
}

erg_status erg_gate_measure(const erg_gate *gate, const erg_gate_form *form, bool integer, double low, double high,
                            double step, erg_gate_error *out, erg_error *error) {
  if (!out) return erg_fail(error, ERG_ERR_DATA, "gate: nowhere to put the result");
  if (!(low >= -1024 && high <= 1024 && low < high && step >= 0x1p-20 && (high - low) / step <= 0x1p24))
    return erg_fail(error, ERG_ERR_DATA,
                    "gate: found %g to %g by %g; allowed: within -1024 to 1024, low below high, at most 2^24 steps of "
                    "at least 2^-20",
                    low, high, step);
  erg_gate_unit unit;
  erg_status status = erg_gate_unit_init(gate, form, &unit, error);
  if (status != ERG_OK) return status;
  tally t = {0};
  int64_t steps = (int64_t)floor((high - low) / step + 0x1p-20);
  for (int64_t i = 0; i <= steps; i++) {
    long double x = low + (long double)i * step, y;
    if (integer) {
      int32_t q = (int32_t)lrintl(x * 0x1p20L);
      x = q / 0x1p20L;
      y = erg_gate_unit_q20(&unit, q) / 0x1p20L;
    } else {
      y = erg_gate_form_real(gate, form, x);
    }
    note(&t, x, y - gate->exact(x));
  }
  *out = result(&t);
  return ERG_OK;
}

erg_status erg_gate_measure_table(const erg_gate *gate, erg_quantization in, erg_quantization out,
                                  erg_gate_error *measured, erg_error *error) {
  if (!measured) return erg_fail(error, ERG_ERR_DATA, "gate: nowhere to put the result");
  erg_arena arena = {0};
  int16_t *table = erg_arena_alloc(&arena, sizeof *table << 16);
  if (!table) return erg_fail(error, ERG_ERR_INTERNAL, "gate: memory ran out");
  erg_status status = erg_gate_table_build(gate, in, out, table, error);
  if (status == ERG_OK) {
    tally t = {0};
    int32_t half = 1 << (in.bits - 1);
    for (int32_t q = -half; q < half; q++) {
      long double x = (long double)(q - in.zero_point) * in.scale;
      note(&t, x, (long double)(table[q + half] - out.zero_point) * out.scale - gate->exact(x));
    }
    *measured = result(&t);
  }
  erg_arena_free(&arena);
  return status;
}
