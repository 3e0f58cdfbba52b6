/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "ergon/float_kernels.h"
#include <float.h>
#include <math.h>

static erg_status check(int64_t elements, const void *input, float scale, const void *output, erg_error *error) {
  if (!input || !output) return erg_fail(error, ERG_ERR_DATA, "quantize: a tensor is NULL");
  if (!(scale > 0 && scale <= FLT_MAX))
    return erg_fail(error, ERG_ERR_DATA, "quantize: found scale %g; allowed: finite and above 0", (double)scale);
  return erg_check_elements("quantize", elements, 1, error);
}

erg_status erg_quantize_f32(int64_t elements, const float *input, float scale, const erg_codes *codes, int16_t *output,
                            erg_error *error) {
  if (!codes) return erg_fail(error, ERG_ERR_DATA, "quantize: no codes");
  erg_status status = check(elements, input, scale, output, error);
  if (status == ERG_OK) status = erg_check_clamp("quantize", codes->low, codes->high, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++)
    if (isnan(input[i])) return erg_fail(error, ERG_ERR_DATA, "quantize: found NaN at %lld", (long long)i);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++) {
    float steps = input[i] / scale;
    double y = (double)rintf(steps) + codes->zero_point;
    output[i] = (int16_t)(y < codes->low ? codes->low : y > codes->high ? codes->high : (int32_t)y);
  }
  return status;
}

erg_status erg_dequantize_s16(int64_t elements, const int16_t *input, float scale, int32_t zero_point, float *output,
                              erg_error *error) {
  erg_status status = check(elements, input, scale, output, error);
  for (int64_t i = 0; i < elements && status == ERG_OK; i++)
    output[i] = (float)((int64_t)input[i] - zero_point) * scale;
  return status;
}

static erg_status attempt(erg_format format, erg_error *error) {
  float y = 0;
  if (format != ERG_FORMAT_INT) {
    erg_status status = erg_float_round(erg_float_format_find(format), 1, (float[]){2}, &y, error);
    return erg_attempted("quantize", status, (double)y, 2, error);
  }
  int16_t code = 0;
  erg_status status = erg_quantize_f32(1, (float[]){2}, 0.5F, &ERG_PLAIN_CODES, &code, error);
  if (status == ERG_OK) status = erg_dequantize_s16(1, &code, 0.5F, 0, &y, error);
  return erg_attempted("quantize", status, (double)y, 2, error);
}
static const erg_kernel quantize = {"quantize, dequantize", "from and to fp32", attempt};
ERG_REGISTER(erg_kernel, quantize);
