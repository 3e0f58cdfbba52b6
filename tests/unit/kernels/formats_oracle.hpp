// SPDX-License-Identifier: GPL-3.0-or-later
// Floating formats by their definition: all values, sorted, and the nearest of them by comparison in double. Shares
// nothing with kernels/formats.
#pragma once
#include "ergon/base.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace oracle_format {

inline float float_of(uint32_t bits) {
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
inline uint32_t bits_of(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return bits;
}

class Table {
public:
  explicit Table(erg_format id) {
    switch (id) {
    case ERG_FORMAT_FP16: exponent_ = 5, fraction_ = 10; break;
    case ERG_FORMAT_BF16: exponent_ = 8, fraction_ = 7; break;
    case ERG_FORMAT_FP8E5M2: exponent_ = 5, fraction_ = 2; break;
    default: exponent_ = 4, fraction_ = 3, infinity_ = false; break; // OCP E4M3
    }
    for (uint32_t code = 0; std::isfinite(value(code)); code++) finite_.push_back(value(code)); // magnitudes ascend
  }
  // IEEE 754 fields; E4M3 spends the top exponent on numbers, and its last code on NaN.
  double value(uint32_t code) const {
    uint32_t ones = (1u << exponent_) - 1, fraction = code & ((1u << fraction_) - 1), exponent = code >> fraction_ & ones;
    double sign = code >> (exponent_ + fraction_) & 1 ? -1 : 1, unit = std::exp2(-fraction_);
    int bias = (1 << (exponent_ - 1)) - 1;
    if (infinity_ && exponent == ones) return fraction ? NAN : sign * INFINITY;
    if (!infinity_ && exponent == ones && fraction == (1u << fraction_) - 1) return NAN;
    if (!exponent) return sign * fraction * unit * std::exp2(1 - bias);
    return sign * (1 + fraction * unit) * std::exp2(static_cast<int>(exponent) - bias);
  }
  double max() const { return finite_.back(); }
  const std::vector<double> &values() const { return finite_; } // 0 and the positive ones, by code

  // Nearest value to x; a tie goes to the even code. Beyond max the next code counts as a value one step further.
  float nearest(double x) const {
    if (std::isnan(x)) return NAN;
    double magnitude = std::fabs(x), step = finite_.back() - finite_[finite_.size() - 2];
    size_t above = static_cast<size_t>(std::lower_bound(finite_.begin(), finite_.end(), magnitude) - finite_.begin());
    size_t code = above;
    if (above && (above == finite_.size() || finite_[above] != magnitude)) {
      double high = above == finite_.size() ? finite_.back() + step : finite_[above], low = finite_[above - 1];
      double up = high - magnitude, down = magnitude - low; // exact: differences of neighbours' multiples
      code = up < down || (up == down && above % 2 == 0) ? above : above - 1;
      if (magnitude > high) code = above;
    }
    double result = code < finite_.size() ? finite_[code] : infinity_ ? INFINITY : NAN;
    return static_cast<float>(std::copysign(result, x));
  }

private:
  int exponent_, fraction_;
  bool infinity_ = true;
  std::vector<double> finite_;
};

} // namespace oracle_format
