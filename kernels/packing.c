/* SPDX-License-Identifier: Apache-2.0 */
/* Bits pass through a window of up to 23: what is left of the last byte, and the next code. */
#include "ergon/packing.h"
#include "check.h"

static bool sizes_ok(int64_t runs, int64_t elements, int bits) {
  return bits >= 2 && bits <= 16 && runs >= 1 && elements >= 1 && runs <= ERG_MOST_ELEMENTS / elements;
}

static erg_status check(int64_t runs, int64_t elements, int bits, const void *codes, const void *bytes,
                        erg_error *error) {
  if (!codes || !bytes) return erg_fail(error, ERG_ERR_DATA, "packing: an array is NULL");
  if (sizes_ok(runs, elements, bits)) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA,
                  "packing: found %lld runs of %lld codes of %d bits; allowed: 1 to 2^40 codes of 2 to 16 bits",
                  (long long)runs, (long long)elements, bits);
}

int64_t erg_packed_bytes(int64_t runs, int64_t elements, int bits) {
  return sizes_ok(runs, elements, bits) ? runs * ((elements * bits + 7) / 8) : 0;
}

erg_status erg_pack_s16(int64_t runs, int64_t elements, int bits, const int16_t *codes, uint8_t *bytes,
                        erg_error *error) {
  erg_status status = check(runs, elements, bits, codes, bytes, error);
  if (status != ERG_OK) return status;
  int32_t most = (1 << (bits - 1)) - 1;
  for (int64_t i = 0; i < runs * elements; i++)
    if (codes[i] > most || codes[i] < -most - 1)
      return erg_fail(error, ERG_ERR_DATA, "packing: found code %d at %lld; allowed with %d bits: %d..%d", codes[i],
                      (long long)i, bits, -most - 1, most);
  for (int64_t run = 0; run < runs; run++) {
    uint32_t window = 0;
    int held = 0;
    for (int64_t e = 0; e < elements; e++) {
      window |= ((uint32_t)*codes++ & ((1u << bits) - 1)) << held;
      for (held += bits; held >= 8; held -= 8, window >>= 8) *bytes++ = (uint8_t)window;
    }
    if (held > 0) *bytes++ = (uint8_t)window;
  }
  return ERG_OK;
}

erg_status erg_unpack_s16(int64_t runs, int64_t elements, int bits, const uint8_t *bytes, int16_t *codes,
                          erg_error *error) {
  erg_status status = check(runs, elements, bits, codes, bytes, error);
  if (status != ERG_OK) return status;
  for (int64_t run = 0; run < runs; run++) {
    uint32_t window = 0;
    int held = 0;
    for (int64_t e = 0; e < elements; e++) {
      for (; held < bits; held += 8) window |= (uint32_t)*bytes++ << held;
      *codes++ = (int16_t)erg_wrap(window, bits);
      window >>= bits;
      held -= bits;
    }
  }
  return ERG_OK;
}
