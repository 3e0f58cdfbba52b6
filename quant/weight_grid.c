/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Symmetric grids of weights. A channel's scale is free (the requantization multiplies it back), so the least squared
 * error is worth a search: at few bits the largest magnitude wastes most codes on one weight. */
#include "ergon/quantized.h"
#include <math.h>

static double top_of(int bits) {
  return (double)((1 << (bits - 1)) - 1);
}

static double code_of(double w, double scale, double top) {
  double q = rint(w / scale);
  return q > top ? top : q < -top ? -top : q;
}

/* Squared error of a scale, and the scale that is best for the codes it gives. */
static double error_of(const double *w, int64_t count, double scale, double top, double *refit) {
  double error = 0, cross = 0, squares = 0;
  for (int64_t i = 0; i < count; i++) {
    double q = code_of(w[i], scale, top), e = w[i] - q * scale;
    error += e * e;
    cross += w[i] * q;
    squares += q * q;
  }
  *refit = squares > 0 ? cross / squares : scale;
  return error;
}

static double search(const double *w, int64_t count, int bits, bool min_max) {
  double most = 0, top = top_of(bits);
  for (int64_t i = 0; i < count; i++) most = fmax(most, fabs(w[i]));
  double widest = most / top;
  if (!(widest > 0) || min_max) return widest; /* 0, or too small to have a step */
  double best = widest, refit = widest, least = INFINITY;
  for (int i = 20; i >= 4; i--) {
    double scale = widest * i / 20, next, error = error_of(w, count, scale, top, &next);
    if (error < least) least = error, best = scale, refit = next;
  }
  for (int i = 0; i < 20 && refit > 0; i++) {
    double scale = refit, error = error_of(w, count, scale, top, &refit);
    if (!(error < least)) break;
    least = error, best = scale;
  }
  return best;
}

void erg_weight_scales(int filters, int64_t reduction, const double *weight, int bits, erg_weight_grid kind,
                       double *scale) {
  if (kind.per_tensor) {
    double one = search(weight, filters * reduction, bits, kind.min_max);
    for (int k = 0; k < filters; k++) scale[k] = one;
    return;
  }
  for (int k = 0; k < filters; k++) scale[k] = search(weight + k * reduction, reduction, bits, kind.min_max);
}

void erg_weight_codes(int filters, int64_t reduction, const double *weight, int bits, const double *scale,
                      int16_t *codes) {
  for (int k = 0; k < filters; k++)
    for (int64_t i = k * reduction; i < (k + 1) * reduction; i++)
      codes[i] = (int16_t)(scale[k] > 0 ? code_of(weight[i], scale[k], top_of(bits)) : 0);
}
