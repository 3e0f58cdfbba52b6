/* SPDX-License-Identifier: Apache-2.0 */
/* y/s_out = (a*(s_in*x' - mean) + beta)/s_out = |a|*s_in/s_out * (sign(a)*x' + (beta - a*mean)/(|a|*s_in)), x' = x -
 * zp: the multiplier in front, the bracket in integers with f fraction bits. */
#include "check.h"
#include <math.h>

#define FRACTION_BITS 12
#define LARGEST_CONSTANT 0x1p18 /* output steps: beyond every rail of 16-bit codes, whatever their zero point */

static erg_status check_stats(int channels, const erg_batch_norm_stats *s, erg_error *error) {
  if (!s || !s->gamma || !s->beta || !s->mean || !s->variance)
    return erg_fail(error, ERG_ERR_DATA, "batch norm: a statistic is NULL");
  if (channels < 1)
    return erg_fail(error, ERG_ERR_DATA, "batch norm: found %d channels; allowed: at least 1", channels);
  for (int c = 0; c < channels; c++) {
    double a = s->gamma[c] / sqrt(s->variance[c] + s->epsilon);
    if (!(s->variance[c] + s->epsilon > 0) || !isfinite(a) || !isfinite(s->beta[c] - a * s->mean[c]))
      return erg_fail(
          error, ERG_ERR_DATA,
          "batch norm: channel %d: found gamma %g, beta %g, mean %g, variance %g; allowed: finite, variance + "
          "epsilon above 0",
          c, s->gamma[c], s->beta[c], s->mean[c], s->variance[c]);
  }
  return ERG_OK;
}

erg_status erg_batch_norm_quantize(int channels, const erg_batch_norm_stats *s, double input_scale, double output_scale,
                                   int32_t *weight, int64_t *bias, erg_requant *scale, erg_error *error) {
  if (!weight || !bias || !scale) return erg_fail(error, ERG_ERR_DATA, "batch norm: an output is NULL");
  if (!(input_scale > 0 && isfinite(input_scale) && output_scale > 0 && isfinite(output_scale)))
    return erg_fail(error, ERG_ERR_DATA, "batch norm: found scales %g and %g; allowed: finite and above 0", input_scale,
                    output_scale);
  erg_status status = check_stats(channels, s, error);
  for (int c = 0; c < channels && status == ERG_OK; c++) {
    double a = s->gamma[c] / sqrt(s->variance[c] + s->epsilon), constant = s->beta[c] - a * s->mean[c];
    double steps = constant / (fabs(a) * input_scale); /* in input steps; infinite or NaN when a is 0 */
    int f = FRACTION_BITS;
    while (f >= 0 && !(ldexp(fabs(steps) + 0x1p16, f) < 0x1p31 - 1)) f--;
    if (f >= 0) {
      weight[c] = (a < 0 ? -1 : 1) * (1 << f);
      bias[c] = llround(ldexp(steps, f));
      scale[c] = erg_requant_from_real(ldexp(fabs(a) * input_scale / output_scale, -f));
    } else {
      weight[c] = 0;
      bias[c] =
          llround(fmax(-LARGEST_CONSTANT, fmin(LARGEST_CONSTANT, constant / output_scale)) * (1 << FRACTION_BITS));
      scale[c] = erg_requant_from_real(ldexp(1, -FRACTION_BITS));
    }
  }
  return status;
}

erg_status erg_batch_norm_s16(int64_t rows, const int16_t *input, const erg_batch_norm_params *p, int16_t *output,
                              erg_error *error) {
  if (!input || !p || !p->weight || !p->bias || !p->scale.scale || !output)
    return erg_fail(error, ERG_ERR_DATA, "batch norm: an argument is NULL");
  erg_status status = erg_check_elements("batch norm", rows, p->scale.channels, error);
  if (status == ERG_OK) status = erg_check_clamp("batch norm", p->codes.low, p->codes.high, error);
  for (int c = 0; c < p->scale.channels && status == ERG_OK; c++)
    status = erg_check_rule("batch norm: scale", p->scale.rule, p->scale.scale[c], error);
  if (status != ERG_OK) return status;
  for (int64_t row = 0; row < rows; row++)
    for (int c = 0; c < p->scale.channels; c++) {
      int64_t x = (int64_t)*input++ - p->input_zero_point;
      int64_t sum = erg_wrap((int64_t)((uint64_t)(x * p->weight[c]) + (uint64_t)p->bias[c]), 32);
      *output++ = erg_to_code(erg_requantize_rule(sum, p->scale.scale[c], 32, p->scale.rule), &p->codes);
    }
  return ERG_OK;
}

erg_status erg_batch_norm_f32(int64_t rows, int channels, const float *input, const erg_batch_norm_stats *s,
                              float *output, erg_error *error) {
  if (!input || !output) return erg_fail(error, ERG_ERR_DATA, "batch norm: a tensor is NULL");
  erg_status status = check_stats(channels, s, error);
  if (status == ERG_OK) status = erg_check_elements("batch norm", rows, channels, error);
  for (int64_t row = 0; row < rows && status == ERG_OK; row++)
    for (int c = 0; c < channels; c++) {
      double a = s->gamma[c] / sqrt(s->variance[c] + s->epsilon);
      *output++ = (float)(a * ((double)*input++ - s->mean[c]) + s->beta[c]);
    }
  return status;
}

static erg_status attempt(erg_format format, erg_error *error) {
  if (format == ERG_FORMAT_INT) {
    const erg_batch_norm_params p = {.weight = (int32_t[]){1},
                                     .bias = (int64_t[]){3},
                                     .scale = {.channels = 1, .scale = &ERG_UNIT_SCALE},
                                     .codes = ERG_PLAIN_CODES};
    int16_t y = 0;
    erg_status status = erg_batch_norm_s16(1, (int16_t[]){2}, &p, &y, error);
    return erg_attempted("batch norm", status, y, 5, error);
  }
  if (format != ERG_FORMAT_FP32) return erg_no_kernel("batch norm", format, error);
  const erg_batch_norm_stats stats = {(double[]){1}, (double[]){3}, (double[]){0}, (double[]){1}, 0};
  float y = 0;
  erg_status status = erg_batch_norm_f32(1, 1, (float[]){2}, &stats, &y, error);
  return erg_attempted("batch norm", status, (double)y, 5, error);
}
static const erg_kernel batch_norm = {"batch norm", "static statistics; folds into weights, or a pass of its own",
                                      attempt};
ERG_REGISTER(erg_kernel, batch_norm);
