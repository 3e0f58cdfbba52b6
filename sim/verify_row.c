/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of the ledger: two maps compared, and whether equality says anything. */
#include "verify_row.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define LEAST_CODES 32
#define MOST_RAIL 0.25
#define MOST_RELU_RAIL 0.75

/* Spread and rails of an output map: a map of equal codes would agree with anything. */
void erg_row_measure(bool clamped, int32_t least, int32_t most, const int16_t *codes, erg_verify_row *row) {
  bool *seen = calloc(65536, sizeof *seen);
  uint64_t low = 0, high = 0;
  for (uint64_t i = 0; i < row->outputs; i++) {
    if (seen) seen[codes[i] + 32768] = true;
    low += codes[i] == least;
    high += codes[i] == most;
  }
  for (int code = 0; seen && code < 65536; code++) row->distinct_codes += seen[code];
  free(seen);
  row->low_rail_share = (double)low / (double)row->outputs;
  row->rail_share = (double)(clamped ? high : low + high) / (double)row->outputs;
}

static bool informative(bool clamped, const erg_precision *precision, const erg_verify_row *row) {
  int codes = precision->output_bits >= 6 ? LEAST_CODES : 1 << (precision->output_bits - 1);
  if ((uint64_t)codes > row->outputs / 2) codes = (int)(row->outputs / 2);
  /* Of four codes two are rails: no map of 2-bit codes can do better than to use all alike. */
  double most_rail = fmax(MOST_RAIL, 2.0 / (1 << precision->output_bits));
  return row->distinct_codes >= codes && row->rail_share <= most_rail &&
         (!clamped || row->low_rail_share <= MOST_RELU_RAIL);
}

static void note_first(erg_shape shape, uint64_t index, int expected, int got, erg_verify_row *row) {
  row->first_channel = (int)(index % (uint64_t)shape.c);
  index /= (uint64_t)shape.c;
  row->first_col = (int)(index % (uint64_t)shape.w);
  index /= (uint64_t)shape.w;
  row->first_row = (int)(index % (uint64_t)shape.h);
  row->first_image = (int)(index / (uint64_t)shape.h);
  row->first_expected = expected;
  row->first_got = got;
}

void erg_row_compare(erg_shape shape, const int16_t *expected, const int16_t *got, erg_verify_row *row) {
  for (uint64_t i = 0; i < row->outputs; i++)
    if (expected[i] != got[i] && row->mismatches++ == 0) note_first(shape, i, expected[i], got[i], row);
}

/* Outputs of one array begun from two random states. */
void erg_row_compare_starts(erg_shape shape, const int16_t *one, const int16_t *other, erg_verify_row *row) {
  for (uint64_t i = 0; i < row->outputs; i++) {
    if (one[i] == other[i]) continue;
    note_first(shape, i, one[i], other[i], row);
    row->status = "uninitialised";
    snprintf(row->reason, sizeof row->reason,
             "output depends on state that reset does not set: image %d, row %d, column %d, channel %d is %d from one "
             "random start and %d from another",
             row->first_image, row->first_row, row->first_col, row->first_channel, one[i], other[i]);
    return;
  }
}

void erg_row_judge(bool clamped, const erg_precision *precision, bool cycles_count, erg_verify_row *row) {
  if (row->status) return; /* uninitialised: what it gives is chance */
  if (row->mismatches) {
    row->status = "mismatch";
    snprintf(row->reason, sizeof row->reason,
             "%" PRIu64 " of %" PRIu64
             " outputs differ; first at image %d, row %d, column %d, channel %d: expected %d, got %d",
             row->mismatches, row->outputs, row->first_image, row->first_row, row->first_col, row->first_channel,
             row->first_expected, row->first_got);
  } else if (cycles_count && (row->cycles_formula != row->cycles_rtl || row->cycles_systemc != row->cycles_rtl)) {
    row->status = "cycles differ";
    snprintf(row->reason, sizeof row->reason, "array cycles: formula %" PRIu64 ", SystemC %" PRIu64 ", RTL %" PRIu64,
             row->cycles_formula, row->cycles_systemc, row->cycles_rtl);
  } else if (!informative(clamped, precision, row)) {
    row->status = "uninformative";
    snprintf(row->reason, sizeof row->reason, "%d distinct codes, %.0f %% on a rail, %.0f %% on the lower limit",
             row->distinct_codes, 100 * row->rail_share, 100 * row->low_rail_share);
  } else {
    row->status = "ok";
  }
}
