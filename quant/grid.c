/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/quantized.h"
#include <math.h>

erg_grid erg_grid_over(erg_range range, int bits) {
  int32_t bottom = -(1 << (bits - 1)), top = -bottom - 1;
  double low = fmin(range.low, 0), high = fmax(range.high, 0), scale = (high - low) / (double)(top - bottom);
  if (!(scale > 0) || !isfinite(scale)) return (erg_grid){.scale = 1, .zero_point = 0, .bits = bits};
  double zero_point = rint(bottom - low / scale);
  return (erg_grid){.scale = scale, .zero_point = (int32_t)fmax(bottom, fmin(top, zero_point)), .bits = bits};
}

double erg_grid_real(erg_grid grid, int16_t code) {
  return (code - grid.zero_point) * grid.scale;
}
