/* SPDX-License-Identifier: Apache-2.0 */
/* Static statistics fold into constants; a dynamic norm has only a best static approximation. */
#include "ergon/norms.h"
#include <math.h>

/* Sums over one channel of all calibration images, of x and of its instance norm y. */
typedef struct {
  double n, x, y, xx, xy;
} moments;

static void add_image(const float *x, int64_t map, int64_t stride, double gamma, double beta, double epsilon,
                      moments *m) {
  double mean = 0, squares = 0;
  for (int64_t i = 0; i < map; i++) mean += (double)x[i * stride];
  mean /= (double)map;
  for (int64_t i = 0; i < map; i++) squares += ((double)x[i * stride] - mean) * ((double)x[i * stride] - mean);
  double deviation = sqrt(squares / (double)map + epsilon), a = deviation > 0 ? gamma / deviation : 0;
  for (int64_t i = 0; i < map; i++) {
    double v = (double)x[i * stride], y = a * (v - mean) + beta;
    m->n++;
    m->x += v;
    m->y += y;
    m->xx += v * v;
    m->xy += v * y;
  }
}

erg_status erg_instance_norm_static_fit(erg_shape s, const float *input, const float *gamma, const float *beta,
                                        float epsilon, double *scale, double *shift, erg_error *error) {
  if (s.n < 1 || s.h < 1 || s.w < 1 || s.c < 1 || !input || !scale || !shift || !(epsilon >= 0) || !isfinite(epsilon))
    return erg_fail(error, ERG_ERR_DATA,
                    "instance norm: found [%d, %d, %d, %d], epsilon %g or a NULL; allowed: extents of at least 1, "
                    "finite and at least 0, no NULL",
                    s.n, s.h, s.w, s.c, (double)epsilon);
  int64_t map = (int64_t)s.h * s.w;
  for (int c = 0; c < s.c; c++) {
    moments m = {0};
    for (int64_t n = 0; n < s.n; n++)
      add_image(input + n * map * s.c + c, map, s.c, gamma ? (double)gamma[c] : 1, beta ? (double)beta[c] : 0,
                (double)epsilon, &m);
    double spread = m.n * m.xx - m.x * m.x;
    scale[c] = spread > 1e-12 * m.n * m.xx ? (m.n * m.xy - m.x * m.y) / spread : 0;
    shift[c] = (m.y - scale[c] * m.x) / m.n;
  }
  return ERG_OK;
}

static bool all_finite(const double *values, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (!isfinite(values[i])) return false;
  return true;
}

erg_status erg_batch_norm_fold(int filters, int64_t reduction, const double *weight, const double *bias,
                               const erg_batch_norm_stats *bn, double *folded_weight, double *folded_bias,
                               erg_error *error) {
  if (filters < 1 || reduction < 1 || reduction > INT64_MAX / filters || !weight || !folded_weight || !folded_bias ||
      !bn || !bn->gamma || !bn->beta || !bn->mean || !bn->variance)
    return erg_fail(error, ERG_ERR_DATA, "batch norm: found %d filters of %lld or a NULL; allowed: at least 1, no NULL",
                    filters, (long long)reduction);
  if (!all_finite(weight, filters * reduction) || (bias && !all_finite(bias, filters)) ||
      !all_finite(bn->gamma, filters) || !all_finite(bn->beta, filters) || !all_finite(bn->mean, filters))
    return erg_fail(error, ERG_ERR_DATA, "batch norm: found a value that is not finite");
  for (int k = 0; k < filters; k++) {
    double spread = bn->variance[k] + bn->epsilon;
    if (!(spread > 0) || !isfinite(spread))
      return erg_fail(error, ERG_ERR_DATA, "batch norm: channel %d: found variance + epsilon %g; allowed: above 0", k,
                      spread);
  }
  for (int k = 0; k < filters; k++) {
    double a = bn->gamma[k] / sqrt(bn->variance[k] + bn->epsilon);
    for (int64_t i = 0; i < reduction; i++) folded_weight[k * reduction + i] = a * weight[k * reduction + i] + 0.0;
    folded_bias[k] = bn->beta[k] + ((bias ? bias[k] : 0) - bn->mean[k]) * a;
  }
  return ERG_OK;
}

erg_status erg_weights_quantize(int filters, int64_t reduction, const double *weight, int bits, int16_t *codes,
                                double *scale, erg_error *error) {
  if (filters < 1 || reduction < 1 || reduction > INT64_MAX / filters || !weight || !codes || !scale || bits < 2 ||
      bits > 16)
    return erg_fail(
        error, ERG_ERR_DATA,
        "weights: found %d filters of %lld at %d bits or a NULL; allowed: at least 1, 2 to 16 bits, no NULL", filters,
        (long long)reduction, bits);
  if (!all_finite(weight, filters * reduction))
    return erg_fail(error, ERG_ERR_DATA, "weights: found a value that is not finite");
  double top = (double)((1 << (bits - 1)) - 1);
  for (int k = 0; k < filters; k++) {
    double most = 0;
    for (int64_t i = 0; i < reduction; i++) most = fmax(most, fabs(weight[k * reduction + i]));
    double step = most / top;
    scale[k] = step > 0 ? step : 1; /* a channel of zeros, or of values whose step is no double */
    for (int64_t i = 0; i < reduction; i++) {
      double q = rint(weight[k * reduction + i] / scale[k]);
      codes[k * reduction + i] = (int16_t)fmax(-top, fmin(top, q));
    }
  }
  return ERG_OK;
}
