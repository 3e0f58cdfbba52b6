/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/norms.h"
#include <math.h>

static void group(const float *input, int64_t count, int64_t stride, bool centred, float epsilon, const float *gamma,
                  const float *beta, int64_t channel, int channel_step, float *output) {
  float mean = 0, squares = 0;
  for (int64_t i = 0; i < count && centred; i++) mean += input[i * stride];
  mean /= (float)count;
  for (int64_t i = 0; i < count; i++) squares += (input[i * stride] - mean) * (input[i * stride] - mean);
  float deviation = sqrtf(squares / (float)count + epsilon), inverse = deviation > 0 ? 1 / deviation : 0;
  for (int64_t i = 0; i < count; i++, channel += channel_step) {
    float xhat = (input[i * stride] - mean) * inverse;
    output[i * stride] = (gamma ? gamma[channel] : 1) * xhat + (beta ? beta[channel] : 0);
  }
}

static erg_status check(int64_t groups, int64_t count, const void *input, float epsilon, const void *output,
                        erg_error *error) {
  if (groups >= 1 && count >= 1 && groups <= INT64_MAX / count && input && output && epsilon >= 0 && isfinite(epsilon))
    return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA,
                  "norm: found %lld groups of %lld, epsilon %g or a NULL; allowed: at least 1, finite and at least 0, "
                  "no NULL",
                  (long long)groups, (long long)count, (double)epsilon);
}

erg_status erg_instance_norm_f32(erg_shape s, const float *input, const float *gamma, const float *beta, float epsilon,
                                 float *output, erg_error *error) {
  if (s.n < 1 || s.h < 1 || s.w < 1 || s.c < 1) return erg_fail(error, ERG_ERR_DATA, "norm: found extents below 1");
  int64_t map = (int64_t)s.h * s.w;
  erg_status status = check((int64_t)s.n * s.c, map, input, epsilon, output, error);
  for (int64_t n = 0; n < s.n && status == ERG_OK; n++)
    for (int c = 0; c < s.c; c++)
      group(input + n * map * s.c + c, map, s.c, true, epsilon, gamma, beta, c, 0, output + n * map * s.c + c);
  return status;
}

static erg_status rows_f32(int64_t rows, int channels, const float *input, bool centred, const float *gamma,
                           const float *beta, float epsilon, float *output, erg_error *error) {
  erg_status status = check(rows, channels, input, epsilon, output, error);
  for (int64_t r = 0; r < rows && status == ERG_OK; r++)
    group(input + r * channels, channels, 1, centred, epsilon, gamma, beta, 0, 1, output + r * channels);
  return status;
}

erg_status erg_layer_norm_f32(int64_t rows, int channels, const float *input, const float *gamma, const float *beta,
                              float epsilon, float *output, erg_error *error) {
  return rows_f32(rows, channels, input, true, gamma, beta, epsilon, output, error);
}

erg_status erg_rms_norm_f32(int64_t rows, int channels, const float *input, const float *gamma, const float *beta,
                            float epsilon, float *output, erg_error *error) {
  return rows_f32(rows, channels, input, false, gamma, beta, epsilon, output, error);
}
