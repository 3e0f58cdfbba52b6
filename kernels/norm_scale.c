/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics, the pre-scaled integer root and the affine of dynamic norms, element by element. */
#include "ergon/norms.h"
#include <math.h>

#define MOST_COUNT ((int64_t)1 << 20)

void erg_norm_gather(const int16_t *input, int64_t count, int64_t stride, int32_t zero_point, erg_norm_sums *sums) {
  for (int64_t i = 0; i < count; i++) {
    int64_t q = (int64_t)input[i * stride] - zero_point;
    sums->sum += q;
    sums->squares += q * q;
  }
  sums->count += count;
}

uint32_t erg_root_u64(uint64_t x) {
  uint64_t root = 0;
  for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1)
    if ((root | bit) * (root | bit) <= x) root |= bit;
  return (uint32_t)root;
}

erg_norm_scale erg_norm_scale_of(erg_norm_sums sums, bool centred, uint64_t epsilon) {
  int64_t sum = centred ? sums.sum : 0;
  unsigned __int128 v = (unsigned __int128)((__int128)sums.count * sums.squares - (__int128)sum * sum);
  v = (v << 16) + epsilon;
  if (v == 0) return (erg_norm_scale){sums.count, sum, 0, 1};
  int j = 0;
  for (; v >> 64; j--) v >>= 2;
  uint64_t w = (uint64_t)v;
  for (; !(w >> 62); j++) w <<= 2;
  return (erg_norm_scale){sums.count, sum, (int64_t)(((uint64_t)1 << 62) / erg_root_u64(w)), 34 - j};
}

int64_t erg_norm_apply(erg_norm_scale scale, int32_t centred_code) {
  __int128 product = ((__int128)scale.count * centred_code - scale.sum) * scale.inverse;
  return (int64_t)((product + ((__int128)1 << (scale.shift - 1))) >> scale.shift);
}

erg_status erg_norm_epsilon(int64_t count, double epsilon, double input_scale, uint64_t *out, erg_error *error) {
  if (!out) return erg_fail(error, ERG_ERR_DATA, "norm: nowhere to put epsilon");
  if (count < 1 || count > MOST_COUNT)
    return erg_fail(error, ERG_ERR_DATA, "norm: found %lld elements a group; allowed: 1 to 2^20", (long long)count);
  long double ratio = (long double)count / input_scale, value = rintl(ratio * ratio * epsilon * 0x1p16L);
  if (!isfinite(epsilon) || epsilon < 0 || !isfinite(input_scale) || !(input_scale > 0) || !(value < 0x1p63L))
    return erg_fail(
        error, ERG_ERR_DATA,
        "norm: found epsilon %g at input scale %g; allowed: both finite, epsilon at least 0, scale above 0, "
        "N^2 epsilon / scale^2 below 2^47",
        epsilon, input_scale);
  *out = (uint64_t)value;
  return ERG_OK;
}

erg_status erg_norm_affine_build(int channels, const double *gamma, const double *beta, double output_scale,
                                 int32_t *multiplier, int64_t *bias, int *shift, erg_error *error) {
  if (channels < 1 || !multiplier || !bias || !shift)
    return erg_fail(error, ERG_ERR_DATA, "norm: found %d channels or a NULL; allowed: at least 1, no NULL", channels);
  if (!isfinite(output_scale) || !(output_scale > 0))
    return erg_fail(error, ERG_ERR_DATA, "norm: found output scale %g; allowed: finite, above 0", output_scale);
  double most = 0;
  for (int c = 0; c < channels; c++) {
    double g = (gamma ? gamma[c] : 1) / output_scale, b = (beta ? beta[c] : 0) / output_scale;
    if (!(fabs(g) < 0x1p17) || !(fabs(b) <= 0x1p16))
      return erg_fail(error, ERG_ERR_DATA,
                      "norm: channel %d: found gamma / scale %g, beta / scale %g; allowed: below 2^17, at most 2^16", c,
                      g, b);
    if (fabs(g) > most) most = fabs(g);
  }
  int t = 46; /* 2^30 * 2^31 + 2^16 * 2^46 + 2^45 < 2^63 */
  while (rint(ldexp(most, t - 20)) >= 0x1p31) t--;
  for (int c = 0; c < channels; c++) {
    multiplier[c] = (int32_t)rint(ldexp((gamma ? gamma[c] : 1) / output_scale, t - 20));
    bias[c] = (int64_t)rint(ldexp((beta ? beta[c] : 0) / output_scale, t));
  }
  *shift = t;
  return ERG_OK;
}

int16_t erg_norm_affine_apply(const erg_norm_affine *a, int64_t xhat, int channel) {
  int64_t y = xhat * a->multiplier[channel] + a->bias[channel];
  y = a->zero_point + ((y + ((int64_t)1 << (a->shift - 1))) >> a->shift);
  return (int16_t)(y < a->low ? a->low : y > a->high ? a->high : y);
}
