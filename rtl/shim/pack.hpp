// SPDX-License-Identifier: Apache-2.0
// Elements in a port: next to each other from bit 0. Verilated ports of any width are little-endian in memory.
#pragma once
#include <cstdint>
#include <cstring>

namespace ergon {

template <int Bits, typename Port, typename Value> void put(Port &port, const Value *values, int count) {
  auto *bytes = reinterpret_cast<uint8_t *>(&port);
  if constexpr (Bits == 8) {
    for (int i = 0; i < count; i++) bytes[i] = static_cast<uint8_t>(values[i]);
  } else if constexpr (Bits == 8 * sizeof(Value)) {
    std::memcpy(bytes, values, static_cast<size_t>(count) * sizeof(Value));
  } else {
    std::memset(bytes, 0, sizeof port);
    for (int i = 0; i < count; i++)
      for (int b = 0; b < Bits; b++) {
        int bit = i * Bits + b;
        bytes[bit >> 3] = static_cast<uint8_t>(bytes[bit >> 3] | (values[i] >> b & 1) << (bit & 7));
      }
  }
}

// Two's complement, sign-extended.
template <int Bits, typename Port, typename Value> void get(const Port &port, Value *values, int count) {
  auto *bytes = reinterpret_cast<const uint8_t *>(&port);
  for (int i = 0; i < count; i++) {
    uint64_t value = 0;
    for (int b = 0; b < Bits; b++)
      value |= static_cast<uint64_t>(bytes[(i * Bits + b) >> 3] >> ((i * Bits + b) & 7) & 1) << b;
    values[i] = static_cast<Value>(static_cast<int64_t>(value << (64 - Bits)) >> (64 - Bits));
  }
}

} // namespace ergon
