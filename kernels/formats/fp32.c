/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"

static float round_fp32(float value) {
  return value;
}

static const erg_float_format fp32 = {ERG_FORMAT_FP32, "fp32", "IEEE 754 binary32", 32, round_fp32};
ERG_REGISTER(erg_float_format, fp32);
