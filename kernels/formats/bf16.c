/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"
#include <math.h>
#include <string.h>

/* The upper half of a binary32, rounded to nearest, ties to even; a carry into the exponent is right, also to infinity.
 */
static float round_bf16(float value) {
  if (isnan(value)) return value;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits += 0x7fff + (bits >> 16 & 1);
  bits &= 0xffff0000u;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

static const erg_float_format bf16 = {ERG_FORMAT_BF16, "bf16", "bfloat16: 8 exponent, 7 fraction bits", 16, round_bf16};
ERG_REGISTER(erg_float_format, bf16);
