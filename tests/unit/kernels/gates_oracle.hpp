// SPDX-License-Identifier: GPL-3.0-or-later
// What the exact tables are held to: the same functions by other identities, and half-even rounding by hand.
#pragma once
#include "ergon/gates.h"
#include <cmath>
#include <string>

namespace oracle {

inline long double value(const std::string &gate, long double x) {
  auto sigmoid = [](long double v) { return 0.5L + 0.5L * std::tanh(v / 2); };
  auto ramp = [](long double v, long double low, long double high) { return v < low ? low : v > high ? high : v; };
  if (gate == "sigmoid") return sigmoid(x);
  if (gate == "silu") return x * sigmoid(x);
  if (gate == "tanh") return x > 5000 ? 1 : 1 - 2 / (std::exp(2 * x) + 1);
  if (gate == "gelu") return x * (0.5L + 0.5L * std::erf(x / std::sqrt(2.0L)));
  if (gate == "exp") return x > 0 ? 1 : std::exp2(x / std::log(2.0L));
  if (gate == "hard_sigmoid") return ramp(x, -3, 3) / 6 + 0.5L;
  if (gate == "hard_sigmoid_onnx") return ramp(2 * x, -5, 5) / 10 + 0.5L;
  if (gate == "hard_swish") return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
  return NAN;
}

// What lies between x and f(x) for large x, to full relative precision: f(x) = x - gap(x).
inline long double gap(const std::string &gate, long double x) {
  if (gate == "silu" && x > 0) return x / (1 + std::exp(x));
  if (gate == "gelu" && x > 0) return x / 2 * std::erfc(x / std::sqrt(2.0L));
  return 0;
}

struct Code {
  int value;
  bool tie;    // real / scale is exactly half way between two codes
  bool judged; // or so far from it that this computation knows the side
};

inline Code code(const std::string &gate, erg_quantization in, erg_quantization out, int q) {
  using Wide = __float128; // the rational functions are computed in it, the others are widened
  Wide x = (Wide)(q - in.zero_point) * in.scale, y = value(gate, (long double)x);
  if (gate == "hard_sigmoid") y = (x < -3 ? 0 : x > 3 ? 6 : x + 3) / 6;
  if (gate == "hard_sigmoid_onnx") y = (2 * x < -5 ? 0 : 2 * x > 5 ? 10 : 2 * x + 5) / 10;
  if (gate == "hard_swish") y = x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
  bool rational = gate.compare(0, 4, "hard") == 0;
  if (gap(gate, (long double)x) > 0) y = x - gap(gate, (long double)x);
  y /= out.scale;
  const Wide least = rational ? 0x1p-100L : 0x1p-58L, size = y > 1 ? y : y < -1 ? -y : 1;
  if (y > 1e9) y = 1e9;
  if (y < -1e9) y = -1e9;
  int64_t down = (int64_t)y - (y < (int64_t)y);
  Wide part = y - down - 0.5, distance = part < 0 ? -part : part;
  bool tie = distance == 0 || (rational && distance < least * size);
  bool judged = tie || distance > least * size || gap(gate, (long double)x) > 0;
  int64_t code = down + (tie ? down & 1 : part > 0) + out.zero_point, most = (1 << (out.bits - 1)) - 1;
  if (gap(gate, (long double)x) > 0 && (x / out.scale) - (int64_t)(x / out.scale) == (Wide)0.5 &&
      gap(gate, (long double)x) < out.scale / 2)
    code = (int64_t)(x / out.scale) + out.zero_point, tie = false; // just below a half, by whatever little
  code = code > most ? most : code < -most - 1 ? -most - 1 : code;
  return {static_cast<int>(code), tie, judged};
}

} // namespace oracle
