/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what a tensor was to what its grid spans. Clipping trades a few large errors against a finer step for the rest.
 */
#include "ergon/quantized.h"
#include <math.h>

const char *const erg_calibration_names[] = {"min-max", "percentile", "mse", NULL};

#define SHRINKINGS 64
#define TAIL 2048     /* values at either end that count each for itself: what is clipped */
#define INTERIOR 4096 /* of the others about so many, evenly spaced: their error is rounding's */

/* Index, from either end of a sorted sample, of the value that a share of it lies at or inside of: the nearest rank. */
static int64_t rank_of(int64_t count, double share) {
  int64_t index = (int64_t)ceil(share * (double)count - 1e-9) - 1; /* 99.9 % of 1000 is 999, whatever 0.999 is */
  return index < 0 ? 0 : index >= count ? count - 1 : index;
}

/* Of every step-th value. In steps from the zero point, so that the limits come before rounding; adding 3 * 2^51 rounds
 * as rint does. */
static double squared_error(const double *sample, int64_t count, int64_t step, erg_grid grid) {
  const double shift = 6755399441055744.0;
  double bottom = -ldexp(1, grid.bits - 1) - grid.zero_point, top = bottom + ldexp(1, grid.bits) - 1, error = 0;
  for (int64_t i = 0; i < count; i += step) {
    double steps = sample[i] / grid.scale;
    steps = steps < bottom ? bottom : steps > top ? top : steps;
    double e = sample[i] - ((steps + shift) - shift) * grid.scale;
    error += e * e;
  }
  return error;
}

static double sample_error(const double *sample, int64_t count, erg_grid grid) {
  int64_t inside = count - 2 * TAIL, step = inside / INTERIOR;
  if (step < 2) return squared_error(sample, count, 1, grid);
  return squared_error(sample, TAIL, 1, grid) + squared_error(sample + count - TAIL, TAIL, 1, grid) +
         (double)step * squared_error(sample + TAIL, inside, step, grid);
}

static erg_range least_error(const double *sample, int64_t count, erg_range widest, int bits) {
  erg_range best = widest;
  double least = INFINITY;
  for (int i = SHRINKINGS; i > 0; i--) {
    double part = (double)i / SHRINKINGS;
    erg_range range = {widest.low * part, widest.high * part};
    double error = sample_error(sample, count, erg_grid_over(range, bits));
    if (error < least) least = error, best = range;
  }
  return best;
}

erg_range erg_calibration_range(const erg_calibration *c, int node, erg_calibration_method method, double percent,
                                int bits) {
  const double *sample = c->sample[node];
  int64_t count = c->sample_count[node];
  erg_range range = {fmin(c->low[node], 0), fmax(c->high[node], 0)};
  if (method == ERG_CALIBRATE_PERCENTILE) {
    int64_t index = rank_of(count, (percent > 0 ? percent : 99.9) / 100);
    range.low = fmin(sample[count - 1 - index], 0);
    range.high = fmax(sample[index], 0);
  }
  return method == ERG_CALIBRATE_MSE ? least_error(sample, count, range, bits) : range;
}
