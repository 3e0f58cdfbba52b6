// SPDX-License-Identifier: GPL-3.0-or-later
#include "onnx_layout.hpp"

namespace oracle {
namespace {

struct Evaluator {
  const char *op;
  Result (*run)(const OnnxCase &);
};
constexpr Evaluator kEvaluators[] = {
    {"Conv", onnx_convolution},
    {"ConvInteger", onnx_convolution},
    {"QLinearConv", onnx_convolution},
    {"Gemm", onnx_product},
    {"MatMul", onnx_product},
    {"MatMulInteger", onnx_product},
    {"QLinearMatMul", onnx_product},
    {"MaxPool", onnx_pool},
    {"AveragePool", onnx_pool},
    {"GlobalMaxPool", onnx_pool},
    {"GlobalAveragePool", onnx_pool},
    {"Add", onnx_elements},
    {"Mul", onnx_elements},
    {"Pad", onnx_elements},
    {"Concat", onnx_elements},
    {"QuantizeLinear", onnx_elements},
    {"DequantizeLinear", onnx_elements},
    {"BatchNormalization", onnx_norm},
    {"InstanceNormalization", onnx_norm},
    {"LayerNormalization", onnx_norm},
    {"Sigmoid", onnx_gate},
    {"Tanh", onnx_gate},
    {"HardSigmoid", onnx_gate},
    {"HardSwish", onnx_gate},
    {"Erf", onnx_gate},
    {"Softmax", onnx_gate},
};

} // namespace

bool onnx_is_ours(const OnnxCase &test) {
  return std::any_of(test.ops.begin(), test.ops.end(), [](const std::string &op) {
    return std::any_of(std::begin(kEvaluators), std::end(kEvaluators), [&](const Evaluator &e) { return op == e.op; });
  });
}

Result onnx_evaluate(const OnnxCase &test) {
  for (const Evaluator &e : kEvaluators)
    if (test.op == e.op) return e.run(test);
  return {"no kernel", {}, {}};
}

} // namespace oracle
