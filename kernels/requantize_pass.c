/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

static erg_status check(int64_t rows, int64_t channels, const void *input, const void *scale, const erg_codes *codes,
                        const void *output, int accumulator_bits, erg_error *error) {
  if (!input || !scale || !codes || !output) return erg_fail(error, ERG_ERR_DATA, "requantize: an argument is NULL");
  erg_status status = erg_check_elements("requantize", rows, channels, error);
  if (status != ERG_OK) return status;
  if (accumulator_bits < 8 || accumulator_bits > 48)
    return erg_fail(error, ERG_ERR_DATA, "requantize: found %d accumulator bits; allowed: 8 to 48", accumulator_bits);
  return erg_check_clamp("requantize", codes->low, codes->high, error);
}

static erg_status check_channels(int64_t rows, const void *input, const erg_requant_channels *scale,
                                 const erg_codes *codes, const void *output, int accumulator_bits, erg_error *error) {
  if (!scale) return erg_fail(error, ERG_ERR_DATA, "requantize: an argument is NULL");
  erg_status status = check(rows, scale->channels, input, scale->scale, codes, output, accumulator_bits, error);
  for (int c = 0; c < scale->channels && status == ERG_OK; c++)
    status = erg_check_rule("requantize: scale", scale->rule, scale->scale[c], error);
  return status;
}

erg_status erg_requantize_tensor_s16(int64_t elements, const int16_t *input, int32_t input_zero_point,
                                     const erg_requant_tensor *scale, const erg_codes *codes, int16_t *output,
                                     erg_error *error) {
  erg_status status = check(elements, 1, input, scale, codes, output, 32, error);
  if (status == ERG_OK) status = erg_check_rule("requantize: scale", scale->rule, scale->scale, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++)
    output[i] =
        erg_to_code(erg_requantize_rule((int64_t)input[i] - input_zero_point, scale->scale, 32, scale->rule), codes);
  return status;
}

erg_status erg_requantize_channels_s16(int64_t rows, const int16_t *input, int32_t input_zero_point,
                                       const erg_requant_channels *scale, const erg_codes *codes, int16_t *output,
                                       erg_error *error) {
  erg_status status = check_channels(rows, input, scale, codes, output, 32, error);
  if (status != ERG_OK) return status;
  for (int64_t row = 0; row < rows; row++)
    for (int c = 0; c < scale->channels; c++)
      *output++ = erg_to_code(
          erg_requantize_rule((int64_t)*input++ - input_zero_point, scale->scale[c], 32, scale->rule), codes);
  return ERG_OK;
}

erg_status erg_requantize_tensor_s64(int64_t elements, const int64_t *accumulator, int accumulator_bits,
                                     const erg_requant_tensor *scale, const erg_codes *codes, int16_t *output,
                                     erg_error *error) {
  erg_status status = check(elements, 1, accumulator, scale, codes, output, accumulator_bits, error);
  if (status == ERG_OK) status = erg_check_rule("requantize: scale", scale->rule, scale->scale, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++)
    output[i] = erg_to_code(erg_requantize_rule(accumulator[i], scale->scale, accumulator_bits, scale->rule), codes);
  return status;
}

erg_status erg_requantize_channels_s64(int64_t rows, const int64_t *accumulator, int accumulator_bits,
                                       const erg_requant_channels *scale, const erg_codes *codes, int16_t *output,
                                       erg_error *error) {
  erg_status status = check_channels(rows, accumulator, scale, codes, output, accumulator_bits, error);
  if (status != ERG_OK) return status;
  for (int64_t row = 0; row < rows; row++)
    for (int c = 0; c < scale->channels; c++)
      *output++ =
          erg_to_code(erg_requantize_rule(*accumulator++, scale->scale[c], accumulator_bits, scale->rule), codes);
  return ERG_OK;
}

static erg_status attempt(erg_format format, erg_error *error) {
  if (format != ERG_FORMAT_INT) return erg_no_kernel("requantize", format, error);
  const erg_requant_tensor scale = {.scale = ERG_UNIT_SCALE};
  int16_t y = 0;
  erg_status status = erg_requantize_tensor_s16(1, (int16_t[]){2}, 0, &scale, &ERG_PLAIN_CODES, &y, error);
  return erg_attempted("requantize", status, y, 2, error);
}
static const erg_kernel requantize = {"requantize", "between widths, by rule S, D, F or A, per tensor or channel",
                                      attempt};
ERG_REGISTER(erg_kernel, requantize);
