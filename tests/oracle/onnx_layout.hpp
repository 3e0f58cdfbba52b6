// SPDX-License-Identifier: GPL-3.0-or-later
// ONNX's layouts and windows in Ergon's terms: [N, C, spatial...] to and from [N, H, W, C], auto_pad, ceil_mode.
#pragma once
#include "onnx_case.hpp"
#include "support.hpp"
#include <algorithm>

namespace oracle {

// [outer, channels, inner] to [outer, inner, channels], and back.
template <class T> std::vector<T> channels_last(const std::vector<T> &in, int64_t outer, int64_t channels, int64_t inner) {
  std::vector<T> out(in.size());
  for (int64_t o = 0; o < outer; o++)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t i = 0; i < inner; i++)
        out[static_cast<size_t>((o * inner + i) * channels + c)] = in[static_cast<size_t>((o * channels + c) * inner + i)];
  return out;
}
template <class T> std::vector<T> channels_first(const std::vector<T> &in, int64_t outer, int64_t channels, int64_t inner) {
  return channels_last(in, outer, inner, channels);
}

// What a convolution or pool moves over: 2-D, or 1-D as a map of height 1.
struct Window {
  std::string skip;
  int n, c, h, w, kernel_h, kernel_w, stride_h = 1, stride_w = 1, top = 0, left = 0, bottom = 0, right = 0;
  int dilation_h = 1, dilation_w = 1, out_h = 0, out_w = 0;
  bool padded() const { return top || left || bottom || right; }
};

inline Window window(const OnnxCase &test, const Tensor &x, const std::vector<int64_t> &kernel) {
  Window v{};
  v.stride_h = v.stride_w = v.dilation_h = v.dilation_w = 1;
  if (x.rank() != 4 && x.rank() != 3) {
    v.skip = x.rank() == 5 ? "3-D" : "rank " + std::to_string(x.rank());
    return v;
  }
  const size_t spatial = static_cast<size_t>(x.rank() - 2);
  const auto list = [&](const char *key, std::vector<int64_t> otherwise) {
    const auto it = test.ints.find(key);
    return it == test.ints.end() ? otherwise : it->second;
  };
  const auto stride = list("strides", std::vector<int64_t>(spatial, 1)), dilation = list("dilations", std::vector<int64_t>(spatial, 1));
  const auto pads = list("pads", std::vector<int64_t>(2 * spatial, 0));
  const std::string automatic = test.text("auto_pad", "NOTSET");
  const bool ceiling = test.integer("ceil_mode", 0) != 0;
  v.n = static_cast<int>(x.dims[0]), v.c = static_cast<int>(x.dims[1]);
  v.h = v.kernel_h = v.out_h = 1;
  for (size_t i = 0; i < spatial; i++) {
    const int extent = static_cast<int>(x.dims[i + 2]), k = static_cast<int>(kernel[i]), s = static_cast<int>(stride[i]), d = static_cast<int>(dilation[i]);
    int before = static_cast<int>(pads[i]), after = static_cast<int>(pads[i + spatial]);
    const int span = (k - 1) * d + 1;
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      const int total = std::max(0, ((extent + s - 1) / s - 1) * s + span - extent);
      before = automatic == "SAME_LOWER" ? total - total / 2 : total / 2;
      after = total - before;
    }
    const int room = extent + before + after - span, out = (ceiling ? (room + s - 1) / s : room / s) + 1;
    if (i + 1 == spatial) v.w = extent, v.kernel_w = k, v.stride_w = s, v.left = before, v.right = after, v.dilation_w = d, v.out_w = out;
    else v.h = extent, v.kernel_h = k, v.stride_h = s, v.top = before, v.bottom = after, v.dilation_h = d, v.out_h = out;
  }
  return v;
}

inline erg_pool_shape pool_shape(const Window &v) {
  return {{v.n, v.h, v.w, v.c}, v.kernel_h, v.kernel_w, v.stride_h, v.stride_w, v.top, v.left, v.out_h, v.out_w};
}
inline erg_conv2d_shape conv_shape(const Window &v, int filters, int groups) {
  erg_conv2d_shape s{};
  s.in = {v.n, v.h, v.w, v.c};
  s.filters = filters, s.kernel_h = v.kernel_h, s.kernel_w = v.kernel_w, s.stride_h = v.stride_h, s.stride_w = v.stride_w;
  s.pad_top = v.top, s.pad_left = v.left, s.groups = groups, s.out_h = v.out_h, s.out_w = v.out_w;
  s.dilation_h = v.dilation_h, s.dilation_w = v.dilation_w;
  return s;
}

// Runs a kernel; its refusal is the reason for a skip.
#define ONNX_RUN(call)                                                                                                 \
  do {                                                                                                                 \
    test::Error error;                                                                                                 \
    if ((call) != ERG_OK) return {"Ergon: " + error.message(), {}, {}};                                                \
  } while (0)

inline constexpr double kUlp = 1.0 / (1 << 23);
// Results of at most `roundings` float32 roundings each on both sides, on terms that add up to `magnitude` at most: two
// orders of summation lie within 2 * roundings * 2^-24 * magnitude (Higham, Accuracy and Stability, 4.2).
inline std::vector<double> bound(int64_t roundings, const std::vector<float> &magnitude) {
  std::vector<double> out;
  for (float m : magnitude) out.push_back(static_cast<double>(roundings) * kUlp * static_cast<double>(m));
  return out;
}
template <class T> std::vector<T> magnitudes(std::vector<T> values) {
  for (T &v : values) v = static_cast<T>(v < 0 ? -v : v);
  return values;
}
template <class T> std::vector<double> reals(const std::vector<T> &values) { return {values.begin(), values.end()}; }

// Evaluators by kind, each in its own file.
Result onnx_convolution(const OnnxCase &test); // Conv, ConvInteger, QLinearConv
Result onnx_product(const OnnxCase &test);     // Gemm, MatMul, MatMulInteger, QLinearMatMul
Result onnx_pool(const OnnxCase &test);        // MaxPool, AveragePool, GlobalMaxPool, GlobalAveragePool
Result onnx_elements(const OnnxCase &test);    // Add, Mul, Pad, Concat, QuantizeLinear, DequantizeLinear
Result onnx_norm(const OnnxCase &test);        // BatchNormalization, InstanceNormalization, LayerNormalization
Result onnx_gate(const OnnxCase &test);        // Sigmoid, Tanh, HardSigmoid, HardSwish, Erf, Softmax

} // namespace oracle
