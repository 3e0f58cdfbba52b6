/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Symmetric grids of weights. A channel's scale is free (the requantization multiplies it back), so the least squared
 * error is worth a search: at few bits the largest magnitude wastes most codes on one weight. */
#include "ergon/quantized.h"
#include <math.h>

static double top_of(int bits) {
  return (double)((1 << (bits - 1)) - 1);
}

/* rint without a call: 3 * 2^51 leaves no bits behind the point. Clamping first changes nothing and keeps it small. */
static double code_of(double w, double scale, double top) {
  const double shift = 6755399441055744.0;
  double q = w / scale;
  q = q > top ? top : q < -top ? -top : q;
  return (q + shift) - shift;
}

/* The best scale so far, its squared error, and the scale that fits its codes best. */
typedef struct {
  const double *w;
  int64_t count;
  double top, best, least, refit;
} search;

static bool try_scale(search *s, double scale) {
  double error = 0, cross = 0, squares = 0;
  for (int64_t i = 0; i < s->count; i++) {
    double q = code_of(s->w[i], scale, s->top), e = s->w[i] - q * scale;
    error += e * e;
    cross += s->w[i] * q;
    squares += q * q;
  }
  if (!(error < s->least)) return false;
  s->least = error, s->best = scale;
  s->refit = squares > 0 ? cross / squares : scale;
  return true;
}

static void try_around(search *s, double step, double widest) {
  double middle = s->best;
  for (int i = -4; i <= 4; i++)
    if (middle + i * step <= widest) try_scale(s, middle + i * step);
}

static double find_scale(const double *w, int64_t count, int bits, bool min_max) {
  double most = 0, top = top_of(bits);
  for (int64_t i = 0; i < count; i++) most = fmax(most, fabs(w[i]));
  double widest = most / top;
  if (!(widest > 0) || min_max) return widest; /* 0, or too small to have a step */
  search s = {w, count, top, widest, INFINITY, widest};
  for (int i = 20; i >= 4; i--) try_scale(&s, widest * i / 20);
  try_around(&s, 0.01 * widest, widest);
  try_around(&s, 0.002 * widest, widest);
  for (int i = 0; i < 20 && try_scale(&s, s.refit); i++) {
  }
  return s.best;
}

void erg_weight_scales(int filters, int64_t reduction, const double *weight, int bits, erg_weight_grid kind,
                       double *scale) {
  if (kind.per_tensor) {
    double one = find_scale(weight, filters * reduction, bits, kind.min_max);
    for (int k = 0; k < filters; k++) scale[k] = one;
    return;
  }
  for (int k = 0; k < filters; k++) scale[k] = find_scale(weight + k * reduction, reduction, bits, kind.min_max);
}

void erg_weight_codes(int filters, int64_t reduction, const double *weight, int bits, const double *scale,
                      int16_t *codes) {
  for (int k = 0; k < filters; k++)
    for (int64_t i = k * reduction; i < (k + 1) * reduction; i++)
      codes[i] = (int16_t)(scale[k] > 0 ? code_of(weight[i], scale[k], top_of(bits)) : 0);
}
