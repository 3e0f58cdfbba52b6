/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"
#include <math.h>

/* Adding and subtracting a power of two whose last place is the format's last place rounds to nearest, ties to even,
 * in the host's own arithmetic; below 2^-14 the last place stays at 2^-24 (subnormals). */
static float round_fp16(float value) {
  if (!isfinite(value) || value == 0) return value;
  int exponent;
  frexpf(value, &exponent);
  if (exponent < -13) exponent = -13;
  double last_place = ldexp(1.0, exponent - 11);
  double rounded = nearbyint((double)value / last_place) * last_place;
  if (fabs(rounded) > 65504) return copysignf(INFINITY, value);
  return (float)copysign(rounded, (double)value);
}

static const erg_float_format fp16 = {ERG_FORMAT_FP16, "fp16", "IEEE 754 binary16", 16, round_fp16};
ERG_REGISTER(erg_float_format, fp16);
