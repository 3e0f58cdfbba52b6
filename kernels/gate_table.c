/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/gates.h"
#include <math.h>

static bool is_tie(long double y) {
  return y - floorl(y) == 0.5L;
}

erg_status erg_gate_table_build(const erg_gate *gate, erg_quantization in, erg_quantization out, int16_t *table,
                                erg_error *error) {
  if (!gate || !table) return erg_fail(error, ERG_ERR_DATA, "gate: no gate or no table");
  erg_status status = erg_quantization_check("gate: input codes", in, error);
  if (status == ERG_OK) status = erg_quantization_check("gate: output codes", out, error);
  if (status != ERG_OK) return status;
  int32_t half = 1 << (in.bits - 1);
  for (int32_t q = -half; q < half; q++) {
    long double x = (long double)(q - in.zero_point) * in.scale;
    long double y = gate->exact(x);
    if (gate->below_argument && x > 0 && y == x && is_tie(y / out.scale)) y = nextafterl(y, 0);
    table[q + half] = erg_quantization_round(out, y);
  }
  return ERG_OK;
}

erg_status erg_gate_s16(int64_t elements, const int16_t *input, int in_bits, const int16_t *table, int16_t *output,
                        erg_error *error) {
  if (elements < 1 || !input || !table || !output)
    return erg_fail(error, ERG_ERR_DATA, "gate: found %lld elements or a NULL; allowed: at least 1, no NULL",
                    (long long)elements);
  if (in_bits < 2 || in_bits > 16)
    return erg_fail(error, ERG_ERR_DATA, "gate: found %d bits; allowed: 2 to 16", in_bits);
  int32_t half = 1 << (in_bits - 1);
  for (int64_t i = 0; i < elements; i++)
    if (input[i] < -half || input[i] >= half)
      return erg_fail(error, ERG_ERR_DATA, "gate: element %lld: found %d; allowed: %d to %d", (long long)i, input[i],
                      -half, half - 1);
  for (int64_t i = 0; i < elements; i++) output[i] = table[input[i] + half];
  return ERG_OK;
}

erg_status erg_gate_f32(const erg_gate *gate, int64_t elements, const float *input, float *output, erg_error *error) {
  if (!gate || elements < 1 || !input || !output)
    return erg_fail(error, ERG_ERR_DATA, "gate: found %lld elements or a NULL; allowed: at least 1, no NULL",
                    (long long)elements);
  for (int64_t i = 0; i < elements; i++) output[i] = (float)gate->exact((long double)input[i]);
  return ERG_OK;
}
