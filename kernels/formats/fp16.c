/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

ERG_LAYOUT_FUNCTIONS(fp16, 5, 10, true)

static const erg_float_format fp16 = {.format = ERG_FORMAT_FP16,
                                      .name = "fp16",
                                      .help = "IEEE 754 binary16",
                                      .bits = 16,
                                      .round = round_fp16,
                                      .encode = encode_fp16,
                                      .decode = decode_fp16,
                                      .max = 65504};
ERG_REGISTER(erg_float_format, fp16);
