// SPDX-License-Identifier: GPL-3.0-or-later
// Codes of 1..16 bits in byte images: packed little-endian, the first element in the lowest bits.
#pragma once
#include <cstdint>

namespace ergon {

inline int16_t get_code(const uint8_t *bytes, uint64_t bit, int bits) {
  if (bits == 8) return static_cast<int8_t>(bytes[bit >> 3]);
  uint32_t word = 0;
  for (uint64_t byte = bit >> 3, shift = 0; byte <= (bit + bits - 1) >> 3; byte++, shift += 8)
    word |= static_cast<uint32_t>(bytes[byte]) << shift;
  word >>= bit & 7;
  uint32_t sign = 1u << (bits - 1);
  return static_cast<int16_t>(static_cast<int32_t>(((word & ((sign << 1) - 1)) ^ sign)) - static_cast<int32_t>(sign));
}

inline void put_code(uint8_t *bytes, uint64_t bit, int bits, int32_t code) {
  if (bits == 8) {
    bytes[bit >> 3] = static_cast<uint8_t>(code);
    return;
  }
  for (int i = 0; i < bits; i++) {
    uint8_t mask = static_cast<uint8_t>(1u << ((bit + i) & 7));
    uint8_t &byte = bytes[(bit + i) >> 3];
    byte = static_cast<uint8_t>((code >> i & 1) ? byte | mask : byte & ~mask);
  }
}

inline uint64_t run_bytes(uint64_t elements, int bits) { return (elements * static_cast<uint64_t>(bits) + 7) / 8; }

} // namespace ergon
