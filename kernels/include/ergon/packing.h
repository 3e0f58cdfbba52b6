/* SPDX-License-Identifier: Apache-2.0 */
/** \file packing.h
 *  Packed storage. Layout: a run is a sequence of `elements` codes of `bits` bits in two's complement, back to back,
 *  little-endian, the first code in the lowest bits of the first byte: bit i of code e is bit (e*bits + i) % 8 of byte
 *  (e*bits + i) / 8 of its run. Each run starts on a byte; the bits behind its last code are zero. A run is what is
 *  moved as one: an activation's channel vector, a filter's (r, s) tap vector. Included by kernels.h. */
#ifndef ERGON_PACKING_H
#define ERGON_PACKING_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of `runs` runs: runs * ceil(elements*bits / 8). 0 where erg_pack_s16 would refuse the sizes. */
int64_t erg_packed_bytes(int64_t runs, int64_t elements, int bits);
/** codes [runs, elements] to bytes [erg_packed_bytes]. bits 2..16, runs and elements >= 1, runs*elements at most 2^40.
 *  ERG_ERR_DATA: a NULL, an illegal size, or a code outside [-2^(bits-1), 2^(bits-1)-1]; then nothing is written. */
erg_status erg_pack_s16(int64_t runs, int64_t elements, int bits, const int16_t *codes, uint8_t *bytes,
                        erg_error *error);
/** The way back; the padding bits are not looked at. */
erg_status erg_unpack_s16(int64_t runs, int64_t elements, int bits, const uint8_t *bytes, int16_t *codes,
                          erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
