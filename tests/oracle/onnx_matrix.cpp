// SPDX-License-Identifier: GPL-3.0-or-later
// Convolutions and matrix products. Integers are exact; the quantized operators use rule F with M in double, rounded
// once to float32.
#include "onnx_layout.hpp"
#include <cmath>

namespace oracle {
namespace {

double scalar(const Tensor &t, double otherwise) {
  return t.present && t.count() == 1 ? t.values[0] : otherwise;
}
int code(const OnnxCase &test, size_t input) {
  return test.has(input) ? static_cast<int>(test.inputs[input].values[0]) : 0;
}

struct Range {
  int low, high;
};
bool range_of(const Tensor &t, Range &out) {
  if (t.type != 2 && t.type != 3) return false; // UINT8, INT8
  out = t.type == 2 ? Range{0, 255} : Range{-128, 127};
  return true;
}

erg_epilogue epilogue_of(const std::vector<erg_requant> &scale, int zero_point, Range range) {
  erg_epilogue e{};
  e.scale = scale.data(), e.zero_point = zero_point, e.low = range.low, e.high = range.high, e.rule = ERG_RULE_F;
  return e;
}

// [batch, rows, columns] transposed.
std::vector<float> transposed(const Tensor &t) {
  return channels_last(t.floats(), 1, t.dims[0], t.dims[1]);
}

} // namespace

Result onnx_convolution(const OnnxCase &test) {
  const bool quantized = test.op == "QLinearConv", integer = test.op == "ConvInteger";
  const Tensor &x = test.inputs[0], &w = test.inputs[quantized ? 3 : 1];
  if (x.rank() != w.rank() || x.rank() < 3) return {"rank " + std::to_string(x.rank()), {}, {}};
  const Window v = window(test, x, {w.dims.begin() + 2, w.dims.end()});
  if (!v.skip.empty()) return {v.skip, {}, {}};
  const int filters = static_cast<int>(w.dims[0]);
  const erg_conv2d_shape s = conv_shape(v, filters, static_cast<int>(test.integer("group", 1)));
  const int64_t per_group = w.dims[1], taps = w.extent(2, w.rank()), area = int64_t{v.out_h} * v.out_w;
  const size_t outputs = static_cast<size_t>(int64_t{v.n} * area * filters);
  if (!quantized && !integer) {
    const auto in = channels_last(x.floats(), v.n, v.c, int64_t{v.h} * v.w),
               kernel = channels_last(w.floats(), filters, per_group, taps);
    const auto bias = test.has(2) ? test.inputs[2].floats() : std::vector<float>();
    const auto in_size = magnitudes(in), kernel_size = magnitudes(kernel), bias_size = magnitudes(bias);
    std::vector<float> out(outputs), size(outputs);
    ONNX_RUN(erg_conv2d_f32(&s, in.data(), kernel.data(), bias.empty() ? nullptr : bias.data(), out.data(), &error));
    ONNX_RUN(erg_conv2d_f32(&s, in_size.data(), kernel_size.data(), bias.empty() ? nullptr : bias_size.data(),
                            size.data(), &error));
    return {"", reals(channels_first(out, v.n, filters, area)),
            bound(per_group * taps + 1, channels_first(size, v.n, filters, area))};
  }
  const size_t w_zero = quantized ? 5 : 3;
  if (test.has(w_zero) && test.inputs[w_zero].count() != 1) return {"a zero point a filter", {}, {}};
  const auto in = channels_last(x.codes(), v.n, v.c, int64_t{v.h} * v.w);
  auto kernel = channels_last(w.codes(), filters, per_group, taps);
  for (int16_t &value : kernel) value = static_cast<int16_t>(value - code(test, w_zero)); // Ergon's weights have none
  if (integer) {
    std::vector<int64_t> out(outputs);
    ONNX_RUN(erg_conv2d_accumulate_s16(&s, in.data(), code(test, 2), kernel.data(), 32, out.data(), &error));
    return {"", reals(channels_first(out, v.n, filters, area)), {}};
  }
  Range range{};
  if (!range_of(test.outputs[0], range)) return {"output type", {}, {}};
  std::vector<erg_requant> scale;
  for (int k = 0; k < filters; k++) {
    const Tensor &ws = test.inputs[4];
    const double one = ws.values[ws.count() == 1 ? 0 : static_cast<size_t>(k)];
    scale.push_back(erg_requant_from_real(scalar(test.inputs[1], 1) * one / scalar(test.inputs[6], 1)));
  }
  std::vector<int64_t> bias;
  if (test.has(8)) bias.assign(test.inputs[8].values.begin(), test.inputs[8].values.end());
  erg_epilogue e = epilogue_of(scale, code(test, 7), range);
  e.bias = bias.empty() ? nullptr : bias.data();
  std::vector<int16_t> out(outputs);
  ONNX_RUN(erg_conv2d_s16(&s, in.data(), code(test, 2), kernel.data(), 32, &e, out.data(), &error));
  return {"", reals(channels_first(out, v.n, filters, area)), {}};
}

static Result gemm(const OnnxCase &test) {
  const double alpha = test.real("alpha", 1), beta = test.real("beta", 1);
  if (alpha != 1 || (test.has(2) && beta != 1)) return {"alpha or beta is not 1", {}, {}};
  const Tensor &a = test.inputs[0], &b = test.inputs[1];
  const bool ta = test.integer("transA", 0) != 0, tb = test.integer("transB", 0) != 0;
  const auto left = ta ? transposed(a) : a.floats(), right = tb ? transposed(b) : b.floats();
  const int m = static_cast<int>(a.dims[ta]), k = static_cast<int>(a.dims[!ta]), n = static_cast<int>(b.dims[!tb]);
  std::vector<float> bias;
  if (test.has(2)) {
    const Tensor &c = test.inputs[2];
    if (c.count() != 1 && (c.dims.back() != n || c.count() != n)) return {"a bias that is a matrix", {}, {}};
    for (int i = 0; i < n; i++)
      bias.push_back(static_cast<float>(c.values[c.count() == 1 ? 0 : static_cast<size_t>(i)]));
  }
  const erg_matmul_shape shape{1, m, k, n};
  std::vector<float> out(static_cast<size_t>(m * n)), size(out.size());
  const auto left_size = magnitudes(left), right_size = magnitudes(right), bias_size = magnitudes(bias);
  ONNX_RUN(erg_matmul_f32(&shape, left.data(), right.data(), bias.empty() ? nullptr : bias.data(), out.data(), &error));
  ONNX_RUN(erg_matmul_f32(&shape, left_size.data(), right_size.data(), bias.empty() ? nullptr : bias_size.data(),
                          size.data(), &error));
  return {"", reals(out), bound(k + 1, size)};
}

Result onnx_product(const OnnxCase &test) {
  if (test.op == "Gemm") return gemm(test);
  const bool quantized = test.op == "QLinearMatMul", integer = test.op == "MatMulInteger";
  const Tensor &a = test.inputs[0], &b = test.inputs[quantized ? 3 : 1];
  const int r = a.rank();
  if (r < 2 || b.rank() != r || a.extent(0, r - 2) != b.extent(0, r - 2)) return {"broadcasting", {}, {}};
  const erg_matmul_shape s{static_cast<int>(a.extent(0, r - 2)), static_cast<int>(a.dims[static_cast<size_t>(r - 2)]),
                           static_cast<int>(a.dims.back()), static_cast<int>(b.dims.back())};
  const size_t outputs = static_cast<size_t>(int64_t{s.batch} * s.m * s.n);
  if (!quantized && !integer) {
    const auto left = a.floats(), right = b.floats(), left_size = magnitudes(left), right_size = magnitudes(right);
    std::vector<float> out(outputs), size(outputs);
    ONNX_RUN(erg_matmul_f32(&s, left.data(), right.data(), nullptr, out.data(), &error));
    ONNX_RUN(erg_matmul_f32(&s, left_size.data(), right_size.data(), nullptr, size.data(), &error));
    return {"", reals(out), bound(s.k, size)};
  }
  const size_t za = 2, zb = quantized ? 5 : 3;
  if ((test.has(za) && test.inputs[za].count() != 1) || (test.has(zb) && test.inputs[zb].count() != 1))
    return {"a zero point a row or column", {}, {}};
  const auto left = a.codes(), right = b.codes();
  if (integer) {
    std::vector<int64_t> out(outputs);
    ONNX_RUN(erg_matmul_accumulate_s16(&s, left.data(), code(test, za), right.data(), code(test, zb), 32, out.data(),
                                       &error));
    return {"", reals(out), {}};
  }
  Range range{};
  if (!range_of(test.outputs[0], range)) return {"output type", {}, {}};
  if (test.inputs[1].count() != 1 || test.inputs[4].count() != 1) return {"a scale a row or column", {}, {}};
  const std::vector<erg_requant> scale(
      static_cast<size_t>(s.n),
      erg_requant_from_real(test.inputs[1].values[0] * test.inputs[4].values[0] / test.inputs[6].values[0]));
  const erg_epilogue e = epilogue_of(scale, code(test, 7), range);
  std::vector<int16_t> out(outputs);
  ONNX_RUN(erg_matmul_s16(&s, left.data(), code(test, za), right.data(), code(test, zb), 32, &e, out.data(), &error));
  return {"", reals(out), {}};
}

} // namespace oracle
