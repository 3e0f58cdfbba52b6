// SPDX-License-Identifier: GPL-3.0-or-later
// Pools, and operators that work element by element or move data.
#include "onnx_layout.hpp"

namespace oracle {

Result onnx_pool(const OnnxCase &test) {
  const Tensor &x = test.inputs[0];
  const bool global = test.op.rfind("Global", 0) == 0, max = test.op.find("Max") != std::string::npos;
  std::vector<int64_t> kernel;
  if (global)
    kernel.assign(x.dims.begin() + 2, x.dims.end());
  else
    kernel = test.ints.at("kernel_shape");
  const Window v = window(test, x, kernel);
  if (!v.skip.empty()) return {v.skip, {}, {}};
  if (v.dilation_h != 1 || v.dilation_w != 1) return {"a dilated pool", {}, {}};
  if (!max && v.padded() && test.integer("count_include_pad", 0)) return {"an average that counts padding", {}, {}};
  const erg_pool_shape s = pool_shape(v);
  const int64_t area = int64_t{v.out_h} * v.out_w;
  const size_t outputs = static_cast<size_t>(int64_t{v.n} * v.c * area);
  if (!x.is_float) {
    if (!max) return {"an average of integers", {}, {}};
    const auto in = channels_last(x.codes(), v.n, v.c, int64_t{v.h} * v.w);
    std::vector<int16_t> out(outputs);
    ONNX_RUN(erg_max_pool_s16(&s, in.data(), out.data(), &error));
    return {"", reals(channels_first(out, v.n, v.c, area)), {}};
  }
  const auto in = channels_last(x.floats(), v.n, v.c, int64_t{v.h} * v.w), in_size = magnitudes(in);
  std::vector<float> out(outputs), size(outputs);
  if (max) {
    ONNX_RUN(erg_max_pool_f32(&s, in.data(), out.data(), &error));
    return {"", reals(channels_first(out, v.n, v.c, area)), {}};
  }
  ONNX_RUN(erg_avg_pool_f32(&s, in.data(), out.data(), &error));
  ONNX_RUN(erg_avg_pool_f32(&s, in_size.data(), size.data(), &error));
  return {"", reals(channels_first(out, v.n, v.c, area)),
          bound(int64_t{v.kernel_h} * v.kernel_w + 1, channels_first(size, v.n, v.c, area))};
}

// uint8 tests stay within the codes; their sum or product is exact with M = 1.
static Result pointwise(const OnnxCase &test) {
  const Tensor &a = test.inputs[0], &b = test.inputs[1], &y = test.outputs[0];
  const bool add = test.op == "Add";
  if (a.is_float && add) return {"no float32 addition", {}, {}};
  if (a.dims != b.dims) {
    // A vector along the last axis is the channel multiplication of NHWC.
    if (!a.is_float || b.rank() != 1 || a.rank() > 4 || b.dims[0] != a.dims.back()) return {"broadcasting", {}, {}};
    const erg_shape s{1, 1, static_cast<int>(a.extent(0, a.rank() - 1)), static_cast<int>(a.dims.back())};
    const auto left = a.floats(), right = b.floats();
    std::vector<float> out(left.size());
    ONNX_RUN(erg_channel_mul_f32(s, left.data(), right.data(), out.data(), &error));
    return {"", reals(out), {}};
  }
  if (a.is_float) {
    const auto left = a.floats(), right = b.floats();
    std::vector<float> out(left.size());
    ONNX_RUN(erg_mul_f32(a.count(), left.data(), right.data(), out.data(), &error));
    return {"", reals(out), {}};
  }
  if (a.type != 2 || y.type != 2) return {"element type", {}, {}};
  const auto left = a.codes(), right = b.codes();
  std::vector<int16_t> out(left.size());
  const erg_requant one = erg_requant_from_real(1);
  for (size_t i = 0; i < left.size(); i++)
    if ((add ? left[i] + right[i] : left[i] * right[i]) > 255) return {"a result that wraps", {}, {}};
  if (add) {
    erg_add_params p{};
    p.high = 255, p.a_scale = p.b_scale = one;
    ONNX_RUN(erg_add_s16(a.count(), left.data(), right.data(), &p, out.data(), &error));
  } else {
    erg_mul_params p{};
    p.accumulator_bits = 32, p.scale.scale = one, p.codes.high = 255;
    ONNX_RUN(erg_mul_s16(a.count(), left.data(), right.data(), &p, out.data(), &error));
  }
  return {"", reals(out), {}};
}

static Result pad(const OnnxCase &test) {
  const Tensor &x = test.inputs[0];
  if (test.text("mode", "constant") != "constant") return {"mode " + test.text("mode", ""), {}, {}};
  const double value = test.has(2) ? test.inputs[2].values[0] : test.real("value", 0);
  if (value != 0) return {"padding with a value that is not 0", {}, {}};
  if (x.rank() != 4) return {"rank " + std::to_string(x.rank()), {}, {}};
  std::vector<int64_t> pads;
  if (test.has(1))
    pads.assign(test.inputs[1].values.begin(), test.inputs[1].values.end());
  else
    pads = test.ints.at("pads");
  if (pads[0] || pads[1] || pads[4] || pads[5]) return {"padding of the batch or the channels", {}, {}};
  const erg_padding p{static_cast<int>(pads[2]), static_cast<int>(pads[3]), static_cast<int>(pads[6]),
                      static_cast<int>(pads[7])};
  const int n = static_cast<int>(x.dims[0]), c = static_cast<int>(x.dims[1]), h = static_cast<int>(x.dims[2]),
            w = static_cast<int>(x.dims[3]);
  if (p.top < 0 || p.left < 0 || p.bottom < 0 || p.right < 0) return {"negative padding", {}, {}};
  const int64_t area = int64_t{p.top + h + p.bottom} * (p.left + w + p.right);
  const auto in = channels_last(x.floats(), n, c, int64_t{h} * w);
  std::vector<float> out(static_cast<size_t>(n * c * area));
  ONNX_RUN(erg_pad_f32({n, h, w, c}, &p, in.data(), out.data(), &error));
  return {"", reals(channels_first(out, n, c, area)), {}};
}

// Along any axis: what lies behind it belongs to the channels.
static Result concat(const OnnxCase &test) {
  const int rank = test.inputs[0].rank();
  int axis = static_cast<int>(test.integer("axis", 1));
  if (axis < 0) axis += rank;
  std::vector<std::vector<float>> parts;
  std::vector<const float *> pointers;
  std::vector<int> channels;
  for (const Tensor &t : test.inputs)
    parts.push_back(t.floats()), channels.push_back(static_cast<int>(t.extent(axis, rank)));
  for (const auto &part : parts) pointers.push_back(part.data());
  std::vector<float> out(static_cast<size_t>(test.outputs[0].count()));
  ONNX_RUN(erg_concat_f32(test.inputs[0].extent(0, axis), static_cast<int>(parts.size()), pointers.data(),
                          channels.data(), out.data(), &error));
  return {"", reals(out), {}};
}

// Per tensor, or per slice of an axis: one call a run of equal scale.
static Result linear(const OnnxCase &test) {
  const bool quantize = test.op == "QuantizeLinear";
  const Tensor &x = test.inputs[0], &scale = test.inputs[1];
  const int type = quantize ? test.outputs[0].type : x.type;
  if (type != 2 && type != 3) return {"element type", {}, {}};
  int axis = static_cast<int>(test.integer("axis", 1));
  if (axis < 0) axis += x.rank();
  const bool tensor = scale.count() == 1;
  const int64_t channels = tensor ? 1 : x.dims[static_cast<size_t>(axis)],
                inner = tensor ? x.count() : x.extent(axis + 1, x.rank());
  if (scale.count() != channels) return {"blocked scales", {}, {}};
  std::vector<double> out;
  for (int64_t at = 0; at < x.count(); at += inner) {
    const size_t c = static_cast<size_t>(at / inner % channels);
    const float s = static_cast<float>(scale.values[c]);
    const int zero = test.has(2) ? static_cast<int>(test.inputs[2].values[c]) : 0;
    if (quantize) {
      erg_codes codes{};
      codes.zero_point = zero, codes.low = type == 2 ? 0 : -128, codes.high = type == 2 ? 255 : 127;
      const auto in = x.floats();
      std::vector<int16_t> part(static_cast<size_t>(inner));
      ONNX_RUN(erg_quantize_f32(inner, &in[static_cast<size_t>(at)], s, &codes, part.data(), &error));
      out.insert(out.end(), part.begin(), part.end());
    } else {
      const auto in = x.codes();
      std::vector<float> part(static_cast<size_t>(inner));
      ONNX_RUN(erg_dequantize_s16(inner, &in[static_cast<size_t>(at)], s, zero, part.data(), &error));
      out.insert(out.end(), part.begin(), part.end());
    }
  }
  return {"", out, {}};
}

Result onnx_elements(const OnnxCase &test) {
  if (test.op == "Pad") return pad(test);
  if (test.op == "Concat") return concat(test);
  return test.op == "Add" || test.op == "Mul" ? pointwise(test) : linear(test);
}

} // namespace oracle
