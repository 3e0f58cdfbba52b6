// SPDX-License-Identifier: GPL-3.0-or-later
// Norms, gates and softmax in float32. ONNX's outputs were made in float32 by NumPy and PyTorch.
#include "ergon/gates.h"
#include "ergon/norms.h"
#include "ergon/softmax.h"
#include "onnx_layout.hpp"
#include <cmath>

namespace oracle {
namespace {

std::vector<double> close_to(const std::vector<double> &expected, double ulps, double floor) {
  std::vector<double> out;
  for (double y : expected) out.push_back(ulps * kUlp * std::max(std::fabs(y), floor));
  return out;
}

Result batch_norm(const OnnxCase &test) {
  if (test.integer("training_mode", 0)) return {"training mode", {}, {}};
  const Tensor &x = test.inputs[0];
  const int64_t n = x.dims[0], inner = x.extent(2, x.rank());
  const int c = static_cast<int>(x.dims[1]);
  const auto &gamma = test.inputs[1].values, &beta = test.inputs[2].values, &mean = test.inputs[3].values,
             &variance = test.inputs[4].values;
  const erg_batch_norm_stats stats{gamma.data(), beta.data(), mean.data(), variance.data(), test.real("epsilon", 1e-5)};
  const auto in = channels_last(x.floats(), n, c, inner);
  std::vector<float> out(in.size()), size;
  ONNX_RUN(erg_batch_norm_f32(n * inner, c, in.data(), &stats, out.data(), &error));
  // In float32: sum, root, division, difference, product, sum, each on a term of this size.
  for (size_t i = 0; i < in.size(); i++) {
    const size_t k = i % static_cast<size_t>(c);
    const double a = std::fabs(gamma[k]) / std::sqrt(variance[k] + stats.epsilon);
    size.push_back(
        static_cast<float>(a * (std::fabs(static_cast<double>(in[i])) + std::fabs(mean[k])) + std::fabs(beta[k])));
  }
  return {"", reals(channels_first(out, n, c, inner)), bound(6, channels_first(size, n, c, inner))};
}

} // namespace

// The mean's error is amplified by the deviation's inverse: values of a few units, N terms of them.
static Result dynamic_norm(const OnnxCase &test) {
  const Tensor &x = test.inputs[0];
  const auto gamma = test.inputs[1].floats(), beta = test.has(2) ? test.inputs[2].floats() : std::vector<float>();
  const float epsilon = static_cast<float>(test.real("epsilon", 1e-5));
  if (test.op == "LayerNormalization") {
    int axis = static_cast<int>(test.integer("axis", -1));
    if (axis < 0) axis += x.rank();
    const int64_t rows = x.extent(0, axis), channels = x.extent(axis, x.rank());
    if (test.inputs[1].count() != channels) return {"broadcasting", {}, {}};
    const auto in = x.floats();
    std::vector<float> out(in.size());
    ONNX_RUN(erg_layer_norm_f32(rows, static_cast<int>(channels), in.data(), gamma.data(),
                                beta.empty() ? nullptr : beta.data(), epsilon, out.data(), &error));
    return {"", reals(out), close_to(test.outputs[0].values, 8, 1)};
  }
  if (x.rank() != 4 && x.rank() != 3) return {"rank " + std::to_string(x.rank()), {}, {}};
  const int n = static_cast<int>(x.dims[0]), c = static_cast<int>(x.dims[1]);
  const int64_t inner = x.extent(2, x.rank());
  const auto in = channels_last(x.floats(), n, c, inner);
  std::vector<float> out(in.size());
  ONNX_RUN(erg_instance_norm_f32({n, 1, static_cast<int>(inner), c}, in.data(), gamma.data(), beta.data(), epsilon,
                                 out.data(), &error));
  return {"", reals(channels_first(out, n, c, inner)), close_to(test.outputs[0].values, 8, 1)};
}

static Result softmax(const OnnxCase &test) {
  const Tensor &x = test.inputs[0];
  int axis = static_cast<int>(test.integer("axis", test.opset < 13 ? 1 : -1));
  if (axis < 0) axis += x.rank();
  // Before opset 13 everything from the axis on is one row.
  const int64_t outer = x.extent(0, axis),
                n = test.opset < 13 ? x.extent(axis, x.rank()) : x.dims[static_cast<size_t>(axis)];
  const int64_t inner = x.count() / (outer * n);
  const auto in = channels_last(x.floats(), outer, n, inner);
  std::vector<float> out(in.size());
  ONNX_RUN(erg_softmax_f32(outer * inner, n, in.data(), out.data(), &error));
  // Two exponentials of 2 ulp, the sum of n, a division.
  return {"", reals(channels_first(out, outer, n, inner)),
          close_to(test.outputs[0].values, static_cast<double>(n + 6), 0)};
}

Result onnx_gate(const OnnxCase &test) {
  if (test.op == "Softmax") return softmax(test);
  const char *name = test.op == "Sigmoid"     ? "sigmoid"
                     : test.op == "Tanh"      ? "tanh"
                     : test.op == "HardSwish" ? "hard_swish"
                                              : nullptr;
  if (test.op == "HardSigmoid") {
    // alpha and beta are attributes there, two functions here.
    if (std::fabs(test.real("alpha", 0.2) - 0.2) > 1e-7 || test.real("beta", 0.5) != 0.5)
      return {"alpha and beta of no gate", {}, {}};
    name = "hard_sigmoid_onnx";
  }
  const erg_gate *gate = name ? erg_gate_find(name) : nullptr;
  if (!gate) return {"no kernel", {}, {}};
  const auto in = test.inputs[0].floats();
  std::vector<float> out(in.size());
  ONNX_RUN(erg_gate_f32(gate, test.inputs[0].count(), in.data(), out.data(), &error));
  // Ours is rounded once; theirs has an exponential, a sum and a division, near 0 of absolute error.
  return {"", reals(out), close_to(test.outputs[0].values, 4, test.op.rfind("Hard", 0) == 0 ? 1 : 0)};
}
Result onnx_norm(const OnnxCase &test) {
  return test.op == "BatchNormalization" ? batch_norm(test) : dynamic_norm(test);
}

} // namespace oracle
