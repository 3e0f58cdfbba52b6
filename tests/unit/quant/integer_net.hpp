// SPDX-License-Identifier: GPL-3.0-or-later
// Random small networks with weights and data, and the way from them to integers.
#pragma once
#include "small_net.hpp"
#include <cmath>
#include <memory>

namespace test {

// Examples with values and labels of their own.
struct Examples : erg_dataset {
  std::vector<double> values;
  std::vector<int> classes_of;
  Examples(const erg_graph &graph, int n, uint64_t seed) : erg_dataset{} {
    erg_shape in = graph.nodes[0].out, out = graph.nodes[graph.node_count - 1].out;
    name = "random";
    shape = {1, in.h, in.w, in.c};
    count = n;
    classes = out.c;
    labels_each = out.h * out.w;
    Random random(seed);
    values.resize(static_cast<size_t>(n) * static_cast<size_t>(erg_shape_elements(shape)));
    for (double &v : values) v = erg_random_normal(&random) + 0.3;
    classes_of.resize(static_cast<size_t>(n * labels_each));
    for (int &l : classes_of) l = random.range(0, classes - 1);
    inputs = values.data();
    labels = classes_of.data();
  }
};

// Weights as training would leave them: some channels loud, some of zeros, batch norms of either sign.
inline void fill(const erg_graph &graph, erg_weights *weights, uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < weights->count; i++) {
    erg_parameter &p = weights->items[i];
    std::string role = p.role;
    double fan = p.rank == 4 ? std::sqrt(2.0 * static_cast<double>(p.extents[0]) / static_cast<double>(p.elements)) : 0.4;
    for (int64_t at = 0; at < p.elements; at++) {
      double z = erg_random_normal(&random);
      p.values[at] = role == "running_var" ? 0.2 + z * z : p.rank == 4 ? fan * z : role == "weight" ? z : fan * z;
    }
    if (p.rank == 4 && random.range(0, 3) == 0) /* a dead channel */
      std::fill(p.values, p.values + p.elements / p.extents[0], 0.0);
  }
  (void)graph;
}

// A chain of convolutions with what may stand between them; every kind of pass comes over many seeds.
inline std::vector<std::string> random_nodes(Random &random, int height, int width, int channels) {
  std::vector<std::string> nodes;
  std::string last = "input", same_shape; /* a map that the next stride-1 convolution may be added to */
  int id = 0, h = height, w = width, c = channels;
  auto add = [&](const std::string &op, const std::string &rest) {
    std::string name = op + std::to_string(id++);
    nodes.push_back("{name: " + name + ", op: " + op + rest + "}");
    last = name;
  };
  for (int block = random.range(1, 3); block > 0; block--) {
    bool residual = random.coin() && !nodes.empty(), depthwise = random.range(0, 3) == 0;
    int k = residual || depthwise ? c : random.range(1, 6), kernel = random.range(0, 2) * 2 + 1;
    while (kernel > h || kernel > w) kernel -= 2;
    int stride = residual ? 1 : random.range(1, 2);
    std::string from = last;
    add("conv2d", ", K: " + std::to_string(k) + ", kernel: " + std::to_string(kernel) + ", stride: " + std::to_string(stride) +
                      ", pad: " + std::to_string(kernel / 2) + (random.coin() ? ", bias: yes" : "") +
                      (depthwise ? ", groups: " + std::to_string(c) : ""));
    h = (h - 1) / stride + 1, w = (w - 1) / stride + 1, c = k;
    if (random.coin()) add("batch_norm", "");
    if (residual) {
      std::string now = last;
      add("add", ", inputs: [" + now + ", " + from + "]");
    }
    int act = random.range(0, 4);
    if (act < 4) add(act < 2 ? "relu" : act == 2 ? "relu6" : "sigmoid", "");
    if (h > 1 && w > 1 && random.range(0, 2) == 0) {
      add(random.coin() ? "max_pool" : "avg_pool", ", kernel: 2, stride: 2");
      h /= 2, w /= 2;
    }
  }
  if (random.coin()) add("global_avg_pool", "");
  add("fc", ", K: " + std::to_string(random.range(2, 5)) + (random.coin() ? ", bias: yes" : ""));
  return nodes;
}

struct Quantized : erg_quantized {
  Quantized(const erg_graph &graph, const erg_weights &w, const erg_calibration &c, const erg_quantize_options &o)
      : erg_quantized{} {
    Error error;
    EXPECT_EQ(erg_quantize(&graph, &w, &c, &o, this, &error), ERG_OK) << error.message();
  }
  ~Quantized() { erg_quantized_free(this); }
};

struct Calibration : erg_calibration {
  Calibration(const erg_graph &graph, const erg_weights &w, const erg_dataset &data) : erg_calibration{} {
    Error error;
    EXPECT_EQ(erg_calibrate(&graph, &w, &data, this, &error), ERG_OK) << error.message();
  }
  ~Calibration() { erg_calibration_free(this); }
};

struct IntegerRun {
  erg_integer_run *run = nullptr;
  IntegerRun(const erg_quantized &q, erg_integer_model model) {
    Error error;
    EXPECT_EQ(erg_integer_open(&q, model, nullptr, &run, &error), ERG_OK) << error.message();
  }
  ~IntegerRun() { erg_integer_close(run); }
  void forward(const double *input) {
    Error error;
    ASSERT_EQ(erg_integer_forward(run, input, &error), ERG_OK) << error.message();
  }
  const int16_t *at(int node) const { return erg_integer_tensor(run, node); }
};

struct FloatRun {
  erg_float_run *run = nullptr;
  FloatRun(const erg_graph &graph, const erg_weights &w) {
    Error error;
    EXPECT_EQ(erg_float_open(&graph, &w, &run, &error), ERG_OK) << error.message();
  }
  ~FloatRun() { erg_float_close(run); }
  const double *forward(const double *input, int node) {
    erg_float_forward(run, input);
    return erg_float_tensor(run, node);
  }
};

struct Evaluation : erg_evaluation {
  Evaluation() : erg_evaluation{} {}
  ~Evaluation() { erg_evaluation_free(this); }
};

inline erg_quantize_options options(const char *p) {
  erg_quantize_options o{};
  o.precision = precision(p);
  return o;
}

} // namespace test
