/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

ERG_LAYOUT_FUNCTIONS(fp8e5m2, 5, 2, true)

static const erg_float_format fp8e5m2 = {.format = ERG_FORMAT_FP8E5M2,
                                         .name = "fp8e5m2",
                                         .help = "OCP FP8 E5M2: with infinity, largest value 57344",
                                         .bits = 8,
                                         .round = round_fp8e5m2,
                                         .encode = encode_fp8e5m2,
                                         .decode = decode_fp8e5m2,
                                         .max = 57344};
ERG_REGISTER(erg_float_format, fp8e5m2);
