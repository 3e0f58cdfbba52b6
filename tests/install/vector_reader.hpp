// SPDX-License-Identifier: GPL-3.0-or-later
// A reader of vector files that shares nothing with their writer.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace test {

struct Tensor {
  std::string descr;
  std::vector<int64_t> shape, values;
  int64_t at(size_t i) const { return values.at(i); }
  std::vector<int16_t> codes() const { return {values.begin(), values.end()}; }
};

// Signed values of `bits`-bit words, one a line; throws std::runtime_error on anything else.
std::vector<int64_t> parse_hex(const std::string &text, int bits);
// A NumPy 1.0 file of a signed integer type.
Tensor parse_npy(const std::string &bytes);

} // namespace test
