// SPDX-License-Identifier: GPL-3.0-or-later
// One test directory of libonnx-testdata: a model of a single node, its tensors and what it shall give.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace oracle {

// Elements in double: exact for every type that is read (float32, integers of at most 32 bits, int64 below 2^53).
struct Tensor {
  bool present = false, is_float = false;
  int type = 0; // TensorProto.DataType
  std::vector<int64_t> dims;
  std::vector<double> values;

  int64_t count() const { return static_cast<int64_t>(values.size()); }
  int rank() const { return static_cast<int>(dims.size()); }
  // Product of the extents in [first, last).
  int64_t extent(int first, int last) const {
    int64_t product = 1;
    for (int i = first; i < last; i++) product *= dims[static_cast<size_t>(i)];
    return product;
  }
  std::vector<float> floats() const { return {values.begin(), values.end()}; }
  std::vector<int16_t> codes() const { return {values.begin(), values.end()}; }
};

struct OnnxCase {
  std::string name, op;
  std::vector<std::string> ops; // of all nodes; transpositions of a matrix before the last node are done while reading
  int nodes = 0;                // without these
  int64_t opset = 0;
  std::map<std::string, std::vector<int64_t>> ints; // INT (one element) and INTS
  std::map<std::string, double> reals;
  std::map<std::string, std::string> strings;
  std::vector<Tensor> inputs; // of the node; an omitted one is not present
  std::vector<Tensor> outputs;

  int64_t integer(const std::string &key, int64_t otherwise) const {
    const auto it = ints.find(key);
    return it == ints.end() || it->second.empty() ? otherwise : it->second[0];
  }
  double real(const std::string &key, double otherwise) const {
    const auto it = reals.find(key);
    return it == reals.end() ? otherwise : it->second;
  }
  std::string text(const std::string &key, const std::string &otherwise) const {
    const auto it = strings.find(key);
    return it == strings.end() ? otherwise : it->second;
  }
  bool has(size_t input) const { return input < inputs.size() && inputs[input].present; }
};

// Reads model.onnx; the operators of its nodes are known then. False with `why`.
bool onnx_read_model(const std::string &folder, OnnxCase &out, std::string &why);
// Reads the tensors of test_data_set_0 as well.
bool onnx_read_case(const std::string &folder, OnnxCase &out, std::string &why);

// Evaluates a case with Ergon's kernels into `got`, in the layout of the test's output. Otherwise says why not.
struct Result {
  std::string skip;            // not empty: not evaluated, because
  std::vector<double> got;
  std::vector<double> allowed; // largest difference an element may show; empty: exact
};
bool onnx_is_ours(const OnnxCase &test); // some node is an operator of ours
Result onnx_evaluate(const OnnxCase &test);

} // namespace oracle
