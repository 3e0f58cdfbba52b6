/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

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
