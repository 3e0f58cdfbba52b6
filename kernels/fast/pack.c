/* SPDX-License-Identifier: Apache-2.0 */
#include "fast.h"

ERG_VECTOR_CLONES void erg_fast_range(const int16_t *codes, int64_t count, int *least, int *greatest) {
  int16_t low = codes[0], high = codes[0];
  for (int64_t i = 1; i < count; i++) {
    low = codes[i] < low ? codes[i] : low;
    high = codes[i] > high ? codes[i] : high;
  }
  *least = low;
  *greatest = high;
}

ERG_VECTOR_CLONES void erg_fast_to_bytes(const int16_t *restrict codes, int64_t count, int offset,
                                         uint8_t *restrict out) {
  for (int64_t i = 0; i < count; i++) out[i] = (uint8_t)(codes[i] + offset);
}

ERG_VECTOR_CLONES bool erg_fast_into_bytes(const int16_t *restrict codes, int64_t count, int offset, int most,
                                           uint8_t *restrict out) {
  uint16_t shift = (uint16_t)offset, greatest = 0; /* below 0 wraps to far above `most` */
  for (int64_t i = 0; i < count; i++) {
    uint16_t x = (uint16_t)((uint16_t)codes[i] + shift);
    greatest = x > greatest ? x : greatest;
    out[i] = (uint8_t)x;
  }
  return greatest <= most;
}
