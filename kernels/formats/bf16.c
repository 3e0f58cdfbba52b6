/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

ERG_LAYOUT_FUNCTIONS(bf16, 8, 7, true)

static const erg_float_format bf16 = {.format = ERG_FORMAT_BF16,
                                      .name = "bf16",
                                      .help = "bfloat16: 8 exponent, 7 fraction bits",
                                      .bits = 16,
                                      .round = round_bf16,
                                      .encode = encode_bf16,
                                      .decode = decode_bf16,
                                      .max = 0x1.fep127f};
ERG_REGISTER(erg_float_format, bf16);
