/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

erg_status erg_global_avg_pool_s16(erg_shape shape, const int16_t *input, int32_t input_zero_point,
                                   int accumulator_bits, const erg_requant_tensor *scale, const erg_codes *codes,
                                   int16_t *output, erg_error *error) {
  if (!input || !scale || !codes || !output)
    return erg_fail(error, ERG_ERR_DATA, "global average: an argument is NULL");
  if (accumulator_bits < 8 || accumulator_bits > 48)
    return erg_fail(error, ERG_ERR_DATA, "global average: found %d accumulator bits; allowed: 8 to 48",
                    accumulator_bits);
  erg_status status = erg_check_shape("global average", shape, error);
  if (status == ERG_OK) status = erg_check_clamp("global average", codes->low, codes->high, error);
  if (status == ERG_OK) status = erg_check_rule("global average: scale", scale->rule, scale->scale, error);
  if (status != ERG_OK) return status;
  int64_t map = (int64_t)shape.h * shape.w;
  for (int n = 0; n < shape.n; n++)
    for (int c = 0; c < shape.c; c++) {
      int64_t sum =
          0; /* at most 2^40 terms of 33 bits, whose sum 64 bits may not hold: modulo, as it is wrapped after */
      for (int64_t i = 0; i < map; i++)
        sum = erg_wrap(sum + ((int64_t)input[(n * map + i) * shape.c + c] - input_zero_point), accumulator_bits);
      *output++ = erg_to_code(erg_requantize_rule(sum, scale->scale, accumulator_bits, scale->rule), codes);
    }
  return ERG_OK;
}

static erg_status attempt(erg_format format, erg_error *error) {
  if (format != ERG_FORMAT_INT) return erg_no_kernel("global average, rescaled", format, error);
  const erg_requant_tensor half = {.scale = {.multiplier = 1 << 30, .real = 0.5F}};
  int16_t y = 0;
  erg_status status =
      erg_global_avg_pool_s16((erg_shape){1, 1, 2, 1}, (int16_t[]){2, 4}, 0, 32, &half, &ERG_PLAIN_CODES, &y, error);
  return erg_attempted("global average, rescaled", status, y, 3, error);
}
static const erg_kernel global_average = {"global average, rescaled", "one rounding, by the rule", attempt};
ERG_REGISTER(erg_kernel, global_average);
