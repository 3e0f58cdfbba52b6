/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/softmax.h"
#include "check.h"
#include <math.h>

static erg_status check(int64_t rows, int64_t n, const void *input, const void *output, erg_error *error) {
  if (rows >= 1 && n >= 1 && n <= INT64_MAX / rows && input && output) return ERG_OK;
  return erg_fail(
      error, ERG_ERR_DATA,
      "softmax: found %lld rows of %lld or a NULL; allowed: at least 1, their product within 64 bits, no NULL",
      (long long)rows, (long long)n);
}

static erg_status check_codes(int64_t elements, const int16_t *input, int bits, erg_error *error) {
  int32_t half = 1 << (bits - 1);
  for (int64_t i = 0; i < elements; i++)
    if (input[i] < -half || input[i] >= half)
      return erg_fail(error, ERG_ERR_DATA, "softmax: element %lld: found %d; allowed: %d to %d", (long long)i, input[i],
                      -half, half - 1);
  return ERG_OK;
}

static int16_t most_of(int64_t n, const int16_t *row) {
  int16_t most = row[0];
  for (int64_t i = 1; i < n; i++)
    if (row[i] > most) most = row[i];
  return most;
}

erg_status erg_softmax_exact_s16(int64_t rows, int64_t n, const int16_t *input, erg_quantization in,
                                 erg_quantization out, int16_t *output, erg_error *error) {
  erg_status status = check(rows, n, input, output, error);
  if (status == ERG_OK) status = erg_quantization_check("softmax: input codes", in, error);
  if (status == ERG_OK) status = erg_quantization_check("softmax: output codes", out, error);
  if (status == ERG_OK) status = check_codes(rows * n, input, in.bits, error);
  if (status != ERG_OK) return status;
  for (int64_t r = 0; r < rows; r++, input += n, output += n) {
    int32_t most = most_of(n, input);
    long double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += expl((long double)(input[i] - most) * in.scale);
    for (int64_t i = 0; i < n; i++)
      output[i] = erg_quantization_round(out, expl((long double)(input[i] - most) * in.scale) / sum);
  }
  return ERG_OK;
}

erg_status erg_softmax_unit_init(erg_quantization in, erg_quantization out, int fraction, int32_t *table,
                                 erg_softmax_unit *unit, erg_error *error) {
  if (!table || !unit) return erg_fail(error, ERG_ERR_DATA, "softmax: no table or no unit");
  erg_status status = erg_quantization_check("softmax: input codes", in, error);
  if (status == ERG_OK) status = erg_quantization_check("softmax: output codes", out, error);
  if (status != ERG_OK) return status;
  if (fraction < 8 || fraction > 23)
    return erg_fail(error, ERG_ERR_DATA, "softmax: found %d fraction bits; allowed: 8 to 23", fraction);
  if (!(out.scale <= 1 && out.scale > 0x1p-24))
    return erg_fail(error, ERG_ERR_DATA, "softmax: found output scale %g; allowed: above 2^-24, at most 1", out.scale);
  for (int32_t d = 0; d < 1 << in.bits; d++)
    table[d] = (int32_t)lrintl(ldexpl(expl(-d * (long double)in.scale), fraction));
  *unit = (erg_softmax_unit){in.bits, fraction, erg_requant_from_real(1 / out.scale), out, table};
  return ERG_OK;
}

static void unit_row(const erg_softmax_unit *u, int64_t n, const int16_t *input, int16_t *output) {
  int32_t most = most_of(n, input), half = 1 << (u->out.bits - 1);
  int64_t sum = 0; /* at least E[0] = 2^fraction */
  for (int64_t i = 0; i < n; i++) sum += u->table[most - input[i]];
  int k = 64 - __builtin_clzll((unsigned long long)sum), t = k + 30 - u->inverse_scale.shift;
  int64_t reciprocal = (int64_t)(((__int128)1 << (k + 30)) / sum);
  int64_t scaled = (reciprocal * u->inverse_scale.multiplier + ((int64_t)1 << 30)) >> 31;
  for (int64_t i = 0; i < n; i++) {
    int64_t product = u->table[most - input[i]] * scaled;
    int64_t y = u->out.zero_point + (t > 62 ? 0 : (product + ((int64_t)1 << (t - 1))) >> t);
    output[i] = (int16_t)(y < -half ? -half : y >= half ? half - 1 : y);
  }
}

erg_status erg_softmax_unit_s16(const erg_softmax_unit *unit, int64_t rows, int64_t n, const int16_t *input,
                                int16_t *output, erg_error *error) {
  erg_status status = check(rows, n, input, output, error);
  if (status != ERG_OK) return status;
  if (!unit || !unit->table || n > 1 << 24)
    return erg_fail(error, ERG_ERR_DATA, "softmax: found no unit or rows of %lld; allowed: at most 2^24", (long long)n);
  status = check_codes(rows * n, input, unit->in_bits, error);
  for (int64_t r = 0; r < rows && status == ERG_OK; r++) unit_row(unit, n, input + r * n, output + r * n);
  return status;
}

erg_status erg_softmax_f32(int64_t rows, int64_t n, const float *input, float *output, erg_error *error) {
  erg_status status = check(rows, n, input, output, error);
  if (status != ERG_OK) return status;
  for (int64_t r = 0; r < rows; r++, input += n, output += n) {
    float most = input[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
      if (input[i] > most) most = input[i];
    for (int64_t i = 0; i < n; i++) sum += output[i] = expf(input[i] - most);
    for (int64_t i = 0; i < n; i++) output[i] /= sum;
  }
  return ERG_OK;
}

static erg_status attempt(erg_format format, erg_error *error) {
  if (format == ERG_FORMAT_INT) {
    int32_t table[4] = {0};
    erg_softmax_unit unit = {0};
    int16_t exact[2] = {0}, y[2] = {0};
    const erg_quantization in = {1, 0, 2}, out = {1.0 / 64, 0, 8};
    erg_status status = erg_softmax_exact_s16(1, 2, (int16_t[]){1, 1}, in, out, exact, error);
    if (status == ERG_OK) status = erg_softmax_unit_init(in, out, 16, table, &unit, error);
    if (status == ERG_OK) status = erg_softmax_unit_s16(&unit, 1, 2, (int16_t[]){1, 1}, y, error);
    return erg_attempted("softmax", status, exact[0] + y[0], 64, error);
  }
  if (format != ERG_FORMAT_FP32) return erg_no_kernel("softmax", format, error);
  float y[2] = {0};
  erg_status status = erg_softmax_f32(1, 2, (float[]){1, 1}, y, error);
  return erg_attempted("softmax", status, (double)y[0], 0.5, error);
}
static const erg_kernel softmax = {"softmax", "exact, and a unit of integers only", attempt};
ERG_REGISTER(erg_kernel, softmax);
