/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
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

/* Every gate at 0, by its table and in fp32. */
static erg_status attempt(erg_format format, erg_error *error) {
  if (format != ERG_FORMAT_INT && format != ERG_FORMAT_FP32) return erg_no_kernel("gates", format, error);
  erg_status status = ERG_OK;
  ERG_EACH(erg_gate, gate) {
    float real = 0;
    status = erg_gate_f32(*gate, 1, (float[]){0}, &real, error);
    if (status == ERG_OK && format == ERG_FORMAT_INT) {
      int16_t table[4] = {0}, y = 0;
      status = erg_gate_table_build(*gate, (erg_quantization){1, 0, 2}, (erg_quantization){0.125, 0, 8}, table, error);
      if (status == ERG_OK) status = erg_gate_s16(1, (int16_t[]){0}, 2, table, &y, error);
      status = erg_attempted((*gate)->name, status, y, 8 * (double)real, error);
    }
    if (status != ERG_OK) break;
  }
  return status;
}
static const erg_kernel gates = {"gates", "sigmoid, tanh, GELU and others: `ergon list gates`", attempt};
ERG_REGISTER(erg_kernel, gates);
