/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/quantization.h"
#include <math.h>

erg_status erg_quantization_check(const char *what, erg_quantization c, erg_error *error) {
  if (c.bits < 2 || c.bits > 16)
    return erg_fail(error, ERG_ERR_DATA, "%s: found %d bits; allowed: 2 to 16", what, c.bits);
  if (!isfinite(c.scale) || !(c.scale > 0))
    return erg_fail(error, ERG_ERR_DATA, "%s: found scale %g; allowed: finite, above 0", what, c.scale);
  int32_t half = 1 << (c.bits - 1);
  if (c.zero_point < -half || c.zero_point >= half)
    return erg_fail(error, ERG_ERR_DATA, "%s: found zero point %d; allowed: %d to %d", what, c.zero_point, -half,
                    half - 1);
  return ERG_OK;
}

int16_t erg_quantization_round(erg_quantization c, long double real) {
  int32_t half = 1 << (c.bits - 1);
  long double q = rintl(real / c.scale) + c.zero_point; /* the default rounding mode: ties to even */
  if (!(q > -half)) return (int16_t)-half;
  if (q > half - 1) return (int16_t)(half - 1);
  return (int16_t)q;
}
