// SPDX-License-Identifier: GPL-3.0-or-later
#include "vector_reader.hpp"
#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace test {

std::vector<int64_t> parse_hex(const std::string &text, int bits) {
  std::vector<int64_t> values;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    size_t used = 0;
    uint64_t word = std::stoull(line, &used, 16);
    if (used != line.size() || line.size() != static_cast<size_t>(bits + 3) / 4)
      throw std::runtime_error("hex: '" + line + "'");
    if (bits < 64 && word >> bits) throw std::runtime_error("hex: '" + line + "' is wider than its bits");
    if (bits < 64 && word >> (bits - 1)) word -= uint64_t{1} << bits;
    values.push_back(static_cast<int64_t>(word));
  }
  return values;
}

Tensor parse_npy(const std::string &bytes) {
  auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(bytes.at(i))); };
  if (bytes.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) throw std::runtime_error("npy: magic");
  size_t start = 10 + (byte(8) | byte(9) << 8);
  if (start % 64) throw std::runtime_error("npy: data are not aligned");
  std::string header = bytes.substr(10, start - 10);
  if (header.back() != '\n') throw std::runtime_error("npy: the header does not end its line");
  // {'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }, then blanks: nothing else
  const std::string head = "{'descr': '", middle = "', 'fortran_order': False, 'shape': (";
  size_t data = head.size() + 3 + middle.size(), end = header.find("), }");
  if (header.compare(0, head.size(), head) != 0 || header.compare(head.size() + 3, middle.size(), middle) != 0 ||
      end == std::string::npos || end <= data || header.find_first_not_of("0123456789, ", data) != end ||
      header.find_first_not_of(" \n", end + 4) != std::string::npos)
    throw std::runtime_error("npy: header " + header);
  Tensor tensor{header.substr(head.size(), 3), {}, {}};
  static const char *const types[] = {"|i1", "<i2", "<i4", "<i8"};
  if (std::find(std::begin(types), std::end(types), tensor.descr) == std::end(types))
    throw std::runtime_error("npy: type " + tensor.descr);
  size_t size = static_cast<size_t>(tensor.descr[2] - '0'), count = 1;
  std::string list = header.substr(data, end - data), extent;
  for (std::stringstream words(list); std::getline(words, extent, ',');)
    if (extent.find_first_not_of(' ') != std::string::npos) tensor.shape.push_back(std::stoll(extent));
  for (int64_t e : tensor.shape) count *= static_cast<size_t>(e);
  if (bytes.size() != start + size * count) throw std::runtime_error("npy: length");
  for (size_t i = 0; i < count; i++) {
    uint64_t word = 0;
    for (size_t b = 0; b < size; b++) word |= byte(start + i * size + b) << 8 * b;
    int spare = static_cast<int>(64 - 8 * size);
    tensor.values.push_back(static_cast<int64_t>(word << spare) >> spare);
  }
  return tensor;
}

} // namespace test
