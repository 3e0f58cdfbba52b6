/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"

int16_t erg_epilogue_apply(const erg_epilogue *epilogue, int64_t accumulator, int k, int16_t residual,
                           int accumulator_bits) {
  int64_t sum = accumulator;
  if (epilogue->bias) sum = erg_wrap((int64_t)((uint64_t)sum + (uint64_t)epilogue->bias[k]), accumulator_bits);
  /* No clamp between the terms: a 128-bit sum cannot overflow, and the RTL's 64 bits hold every legal case. */
  __int128 y =
      (__int128)epilogue->zero_point + erg_requantize_rule(sum, epilogue->scale[k], accumulator_bits, epilogue->rule);
  if (epilogue->residual)
    y += erg_requantize_rule((int64_t)residual - epilogue->residual_zero_point, epilogue->residual_scale, 32,
                             epilogue->rule);
  if (y < epilogue->low) return (int16_t)epilogue->low;
  if (y > epilogue->high) return (int16_t)epilogue->high;
  return (int16_t)y;
}
