/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"
#include <stddef.h>

const erg_float_format *erg_float_format_find(erg_format format) {
  ERG_EACH(erg_float_format, item)
  if ((*item)->format == format) return *item;
  return NULL;
}
