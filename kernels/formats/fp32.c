/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"
#include <float.h>

static float round_fp32(float value) {
  return value;
}

static const erg_float_format fp32 = {.format = ERG_FORMAT_FP32,
                                      .name = "fp32",
                                      .help = "IEEE 754 binary32",
                                      .bits = 32,
                                      .round = round_fp32,
                                      .encode = erg_float_bits,
                                      .decode = erg_float_of,
                                      .max = FLT_MAX};
ERG_REGISTER(erg_float_format, fp32);
