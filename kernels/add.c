/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "ergon/float_kernels.h"

erg_status erg_add_s16(int64_t elements, const int16_t *a, const int16_t *b, const erg_add_params *params,
                       int16_t *output, erg_error *error) {
  if (elements < 1 || !a || !b || !params || !output)
    return erg_fail(error, ERG_ERR_DATA, "add: found %lld elements or a NULL; allowed: at least 1, no NULL",
                    (long long)elements);
  erg_status status = erg_check_clamp("add", params->low, params->high, error);
  if (status == ERG_OK) status = erg_check_rule("add: first scale", params->rule, params->a_scale, error);
  if (status == ERG_OK) status = erg_check_rule("add: second scale", params->rule, params->b_scale, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++) {
    __int128 y = (__int128)params->zero_point +
                 erg_requantize_rule((int64_t)a[i] - params->a_zero_point, params->a_scale, 32, params->rule) +
                 erg_requantize_rule((int64_t)b[i] - params->b_zero_point, params->b_scale, 32, params->rule);
    output[i] = (int16_t)(y < params->low ? params->low : y > params->high ? params->high : (int32_t)y);
  }
  return status;
}

static erg_status attempt(erg_format format, erg_error *error) {
  if (format == ERG_FORMAT_INT) {
    const erg_add_params p = {.low = -128, .high = 127, .a_scale = ERG_UNIT_SCALE, .b_scale = ERG_UNIT_SCALE};
    int16_t y = 0;
    erg_status status = erg_add_s16(1, (int16_t[]){2}, (int16_t[]){3}, &p, &y, error);
    return erg_attempted("add", status, y, 5, error);
  }
  float y = 0;
  erg_status status = erg_add_float(erg_float_format_find(format), 1, (float[]){2}, (float[]){3}, &y, error);
  return erg_attempted("add", status, (double)y, 5, error);
}
static const erg_kernel add = {"add", "of two tensors, each with its scale", attempt};
ERG_REGISTER(erg_kernel, add);
