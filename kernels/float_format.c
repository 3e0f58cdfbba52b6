/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"
#include <math.h>
#include <stddef.h>

const erg_float_format *erg_float_format_find(erg_format format) {
  ERG_EACH(erg_float_format, item)
  if ((*item)->format == format) return *item;
  return NULL;
}

/* Whatever rounds to the largest value or beyond it becomes that value, so clamping first changes nothing else. */
float erg_float_saturate(const erg_float_format *format, float value) {
  if (isnan(value)) return format->round(value);
  if (value > format->max) return format->max;
  if (value < -format->max) return -format->max;
  return format->round(value);
}
