/* SPDX-License-Identifier: Apache-2.0 */
/* Finished sums on their way out. Rule S with an accumulator of up to 32 bits needs 64 bits and no more (x*m lies below
 * 2^62), so it vectorizes; everything else goes through the golden epilogue, element by element. */
#include "fast.h"
#include <stdlib.h>

erg_status erg_fast_sink_open(erg_fast_sink *sink, const char *what, const uint32_t *correction, erg_error *error) {
  size_t count = (size_t)sink->columns;
  const erg_epilogue *e = sink->epilogue;
  sink->offset = malloc(count * sizeof *sink->offset);
  sink->multiplier = malloc(count * sizeof *sink->multiplier);
  sink->t = malloc(count * sizeof *sink->t);
  sink->half = malloc(count * sizeof *sink->half);
  if (!sink->offset || !sink->multiplier || !sink->t || !sink->half) {
    erg_fast_sink_close(sink);
    return erg_fast_no_memory(what, error);
  }
  /* A residual's zero point of more than 16 bits could pass 64 bits. */
  sink->rule_s =
      e && e->rule == ERG_RULE_S && e->residual_zero_point >= INT16_MIN && e->residual_zero_point <= INT16_MAX;
  for (size_t k = 0; k < count; k++) {
    sink->offset[k] = 0u - (correction ? correction[k] : 0);
    if (!sink->rule_s) continue;
    sink->offset[k] += e->bias ? (uint32_t)(uint64_t)e->bias[k] : 0;
    sink->multiplier[k] = e->scale[k].multiplier;
    sink->t[k] = 31 - e->scale[k].shift;
    sink->half[k] = (int64_t)1 << (sink->t[k] - 1);
  }
  return ERG_OK;
}

void erg_fast_sink_close(erg_fast_sink *sink) {
  free(sink->offset);
  free(sink->multiplier);
  free(sink->t);
  free(sink->half);
}

/* To the low `32 - unused` bits, with their sign. */
static int32_t wrapped(uint32_t x, int unused) {
  return (int32_t)(x << unused) >> unused;
}

/* floor(x*m / 2^t + 1/2) */
static int64_t rounded(int32_t x, int32_t multiplier, int64_t t, int64_t half) {
  return ((int64_t)x * multiplier + half) >> t;
}

ERG_VECTOR_CLONES static void store_accumulators(const erg_fast_sink *sink, const uint32_t *restrict sums,
                                                 int64_t *restrict out) {
  const uint32_t *restrict offset = sink->offset;
  int unused = 32 - sink->accumulator_bits;
  for (int64_t k = 0; k < sink->columns; k++) out[k] = wrapped(sums[k] + offset[k], unused);
}

/* Clamped before the zero point is added, which takes half the steps of clamping a choice of three. */
static int16_t code(int64_t y, int64_t low, int64_t high, int32_t zero_point) {
  y = y < low ? low : y;
  y = y > high ? high : y;
  return (int16_t)((int32_t)y + zero_point);
}

ERG_VECTOR_CLONES static void store_accumulators_s32(const erg_fast_sink *sink, const uint32_t *restrict sums,
                                                     int32_t *restrict out) {
  const uint32_t *restrict offset = sink->offset;
  int unused = 32 - sink->accumulator_bits;
  for (int64_t k = 0; k < sink->columns; k++) out[k] = wrapped(sums[k] + offset[k], unused);
}

ERG_VECTOR_CLONES static void store_rule_s(const erg_fast_sink *sink, const uint32_t *restrict sums,
                                           int16_t *restrict out) {
  const uint32_t *restrict offset = sink->offset;
  const int32_t *restrict multiplier = sink->multiplier;
  const int64_t *restrict t = sink->t, *restrict half = sink->half;
  int unused = 32 - sink->accumulator_bits, zero_point = sink->epilogue->zero_point;
  int64_t low = (int64_t)sink->epilogue->low - zero_point, high = (int64_t)sink->epilogue->high - zero_point;
  for (int64_t k = 0; k < sink->columns; k++)
    out[k] = code(rounded(wrapped(sums[k] + offset[k], unused), multiplier[k], t[k], half[k]), low, high, zero_point);
}

ERG_VECTOR_CLONES static void store_rule_s_residual(const erg_fast_sink *sink, const uint32_t *restrict sums,
                                                    const int16_t *restrict residual, int16_t *restrict out) {
  const uint32_t *restrict offset = sink->offset;
  const int32_t *restrict multiplier = sink->multiplier;
  const int64_t *restrict t = sink->t, *restrict half = sink->half;
  const erg_epilogue *e = sink->epilogue;
  int unused = 32 - sink->accumulator_bits, zero_point = e->zero_point, residual_t = 31 - e->residual_scale.shift;
  int32_t residual_zero_point = e->residual_zero_point, residual_multiplier = e->residual_scale.multiplier;
  int64_t low = (int64_t)e->low - zero_point, high = (int64_t)e->high - zero_point;
  int64_t residual_half = (int64_t)1 << (residual_t - 1);
  for (int64_t k = 0; k < sink->columns; k++) {
    int64_t y = rounded(wrapped(sums[k] + offset[k], unused), multiplier[k], t[k], half[k]) +
                rounded(residual[k] - residual_zero_point, residual_multiplier, residual_t, residual_half);
    out[k] = code(y, low, high, zero_point);
  }
}

static void store_any(const erg_fast_sink *sink, const uint32_t *sums, const int16_t *residual, int16_t *out) {
  for (int64_t k = 0; k < sink->columns; k++)
    out[k] = erg_epilogue_apply(sink->epilogue, wrapped(sums[k] + sink->offset[k], 32 - sink->accumulator_bits), (int)k,
                                residual ? residual[k] : 0, sink->accumulator_bits);
}

void erg_fast_store(const erg_fast_sink *sink, int64_t first_row, int64_t rows, const uint32_t *sums) {
  for (int64_t row = 0; row < rows; row++, sums += sink->columns) {
    int64_t at = (first_row + row) * sink->columns;
    if (sink->accumulator) {
      store_accumulators(sink, sums, sink->accumulator + at);
      continue;
    }
    if (sink->accumulator_s32) {
      store_accumulators_s32(sink, sums, sink->accumulator_s32 + at);
      continue;
    }
    const int16_t *residual = sink->epilogue->residual ? sink->epilogue->residual + at : NULL;
    if (!sink->rule_s)
      store_any(sink, sums, residual, sink->output + at);
    else if (residual)
      store_rule_s_residual(sink, sums, residual, sink->output + at);
    else
      store_rule_s(sink, sums, sink->output + at);
  }
}
