/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

ERG_LAYOUT_FUNCTIONS(fp8e4m3, 4, 3, false)

static const erg_float_format fp8e4m3 = {.format = ERG_FORMAT_FP8E4M3,
                                         .name = "fp8e4m3",
                                         .help = "OCP FP8 E4M3: no infinity, largest value 448",
                                         .bits = 8,
                                         .round = round_fp8e4m3,
                                         .encode = encode_fp8e4m3,
                                         .decode = decode_fp8e4m3,
                                         .max = 448};
ERG_REGISTER(erg_float_format, fp8e4m3);
