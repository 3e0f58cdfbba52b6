// SPDX-License-Identifier: GPL-3.0-or-later
// Quantization-aware training: its forward is the golden kernels' to the last bit, its backward is what each rule says.
#include "integer_net.hpp"
#include <algorithm>
#include <cstring>

namespace {

struct Qat {
  erg_qat *qat = nullptr;
  erg_tape *tape = erg_tape_new();
  Qat(const erg_graph &graph, const erg_weights &w, const erg_dataset &data, const erg_quantize_options &o,
      erg_qat_rule rule) {
    test::Error error;
    EXPECT_EQ(erg_qat_open(&graph, &w, &data, &o, rule, &qat, &error), ERG_OK) << error.message();
  }
  ~Qat() {
    erg_qat_close(qat);
    erg_tape_free(tape);
  }
};

// Every tensor in memory, as codes, against the golden kernels' plain loops.
void compare(uint64_t seed, const char *precision, erg_calibration_method method) {
  test::Random random(seed);
  int h = random.range(1, 9), w = random.range(1, 9), c = random.range(1, 4);
  std::vector<std::string> nodes = test::random_nodes(random, h, w, c);
  if (random.coin()) nodes.push_back("{name: last, op: tanh}"); // a gate as the last word
  test::SmallNet net(h, w, c, nodes, 3);
  test::Weights weights(net);
  test::fill(net, &weights, seed);
  test::Examples data(net, 6, seed);
  erg_quantize_options o = test::options(precision);
  o.calibration = method;
  Qat q(net, weights, data, o, ERG_QAT_STE);
  ASSERT_NE(q.qat, nullptr);
  std::vector<int> variables(static_cast<size_t>(net.node_count));
  test::Error error;
  int output = -1;
  ASSERT_EQ(erg_qat_forward(q.qat, q.tape, &weights, nullptr, data.inputs, 3, variables.data(), &output, &error),
            ERG_OK)
      << error.message() << " seed " << seed;
  const erg_quantized *integers = erg_qat_quantized(q.qat);
  test::IntegerRun run(*integers, ERG_INTEGER_GOLDEN);
  run.forward(data.inputs);
  for (int id = 0; id < net.node_count; id++) {
    if (!integers->stored[id]) continue;
    ASSERT_GE(variables[static_cast<size_t>(id)], 0) << net.nodes[id].name;
    const double *real = erg_tape_value(q.tape, variables[static_cast<size_t>(id)]);
    const int16_t *golden = run.at(id);
    for (int64_t i = 0; i < erg_shape_elements(net.nodes[id].out); i++) {
      double code = real[i] / integers->grids[id].scale + integers->grids[id].zero_point;
      ASSERT_NEAR(code, golden[i], 1e-6) << "seed " << seed << ", " << precision << ", node " << net.nodes[id].name
                                         << " at " << i;
    }
  }
}

TEST(Qat, ForwardIsTheGoldenKernels) {
  for (const char *precision : {"int8", "w4a8", "int4", "int2", "w2a2o8", "w8a4o5", "w3a6p20", "w8a8p40"})
    for (uint64_t seed = 1; seed <= 40; seed++)
      compare(seed, precision, seed % 2 ? ERG_CALIBRATE_MSE : ERG_CALIBRATE_MIN_MAX);
}

TEST(Qat, WideCodesAndNarrowAccumulators) { // above 32 bits multipliers have 16; at 12 bits sums wrap
  for (uint64_t seed = 1; seed <= 25; seed++) {
    compare(seed, "int16", ERG_CALIBRATE_MIN_MAX);
    compare(seed, "w4a4p12", ERG_CALIBRATE_MIN_MAX);
    compare(seed, "w8a8p12", ERG_CALIBRATE_MIN_MAX);
  }
}

// One hidden layer; the gradient of a weight through the ReLU6's clamp, by hand.
struct Gradients {
  test::SmallNet net{1, 1, 2, {"{name: a, op: fc, K: 3, bias: yes}", "{name: r, op: relu}", "{name: b, op: fc, K: 2}"}};
  test::Weights w{net}, g{net};
  test::Examples data{net, 40, 5};
  int label = 1;
  Gradients() {
    erg_weights_initialize(&w, 2);
    std::memcpy(w.named("a.weight")->values, std::vector<double>{1, 0.5, -1, -1, 0.25, -0.75}.data(), 48);
    std::memcpy(w.named("b.weight")->values, std::vector<double>{0.5, 1, -1, -0.5, 1, 0.25}.data(), 48);
  }
  void run(erg_qat_rule rule, const double *x) {
    Qat q(net, w, data, test::options("int8"), rule);
    test::Error error;
    int out = -1;
    for (int i = 0; i < g.count; i++) std::fill(g.items[i].values, g.items[i].values + g.items[i].elements, 0.0);
    ASSERT_EQ(erg_qat_forward(q.qat, q.tape, &w, &g, x, 1, nullptr, &out, &error), ERG_OK) << error.message();
    erg_tape_attrs attrs{};
    attrs.labels = &label;
    int loss = erg_tape_apply(q.tape, erg_tape_op_find("cross_entropy"), &attrs, &out, &error);
    ASSERT_EQ(erg_tape_backward(q.tape, loss, &error), ERG_OK);
  }
  double sum(const char *name) const {
    double total = 0;
    for (int64_t i = 0; i < g.named(name)->elements; i++) total += std::fabs(g.named(name)->values[i]);
    return total;
  }
};

TEST(Qat, RulesBackward) {
  Gradients c;
  const double x[] = {1, 0.5}; // hidden: 1.25, -1.5 (clamped), -0.125 (clamped)
  c.run(ERG_QAT_STE, x);
  const double *a = c.g.named("a.weight")->values, *bias = c.g.named("a.bias")->values;
  EXPECT_NE(a[0], 0);
  EXPECT_EQ(a[2], 0); // behind a clamp
  EXPECT_EQ(a[4], 0);
  EXPECT_EQ(bias[1], 0);
  EXPECT_NEAR(a[1] / a[0], 0.5, 0.02); // the input
  // Logits are 0.625, -0.625 but for rounding: p0 = 1/(1 + exp(-1.25)); the gradient is p0 (w_00 - w_10) x.
  double p0 = 1 / (1 + std::exp(-1.25));
  EXPECT_NEAR(a[0], p0 * (0.5 + 0.5), 0.02);
  double last = c.sum("b.weight");
  c.run(ERG_QAT_IDENTITY, x);
  EXPECT_NE(c.g.named("a.weight")->values[2], 0);
  EXPECT_NEAR(c.g.named("a.weight")->values[2], p0 * (1 - 1), 1); // 0 + rounding of weights: only that it flows
  EXPECT_NEAR(c.g.named("a.bias")->values[2], p0 * (-1 - 0.25), 0.03);
  EXPECT_DOUBLE_EQ(c.sum("b.weight"), last);
  c.run(ERG_QAT_ZERO, x);
  EXPECT_EQ(c.sum("a.weight"), 0);
  EXPECT_EQ(c.sum("a.bias"), 0);
  EXPECT_DOUBLE_EQ(c.sum("b.weight"), last);
}

TEST(Qat, AMeanBeyondItsGridIsAClamp) { // means span less than pixels do: a map of one large value saturates
  test::SmallNet net(4, 4, 1,
                     {"{name: a, op: gemm, K: 1}", "{name: p, op: global_avg_pool}", "{name: f, op: fc, K: 2}"});
  test::Weights w(net), g(net);
  test::Examples data(net, 40, 8);
  *w.named("a.weight")->values = 1;
  w.named("f.weight")->values[0] = 0.5;
  w.named("f.weight")->values[1] = -0.25;
  const std::vector<double> flat(16, *std::max_element(data.values.begin(), data.values.end()));
  const int label = 0;
  for (erg_qat_rule rule : {ERG_QAT_STE, ERG_QAT_IDENTITY}) {
    erg_quantize_options o = test::options("int8");
    Qat q(net, w, data, o, rule);
    test::Error error;
    int out = -1;
    *g.named("a.weight")->values = 0;
    ASSERT_EQ(erg_qat_forward(q.qat, q.tape, &w, &g, flat.data(), 1, nullptr, &out, &error), ERG_OK) << error.message();
    erg_tape_attrs attrs{};
    attrs.labels = &label;
    int loss = erg_tape_apply(q.tape, erg_tape_op_find("cross_entropy"), &attrs, &out, &error);
    ASSERT_EQ(erg_tape_backward(q.tape, loss, &error), ERG_OK);
    double gradient = *g.named("a.weight")->values;
    EXPECT_EQ(gradient == 0, rule == ERG_QAT_STE) << gradient;
  }
}

TEST(Qat,
     StraightThroughIsTheGradientOfTheSmoothNetwork) { // at 16 bits roundings are small: STE nears the float gradient
  test::SmallNet net(5, 5, 2,
                     {"{name: c, op: conv2d, K: 4, kernel: 3, pad: 1}", "{name: n, op: batch_norm}",
                      "{name: t, op: tanh}", "{name: d, op: conv2d, K: 4, kernel: 1, bias: yes}",
                      "{name: s, op: add, inputs: [d, t]}", "{name: r, op: relu}", "{name: p, op: global_avg_pool}",
                      "{name: f, op: fc, K: 3, bias: yes}"});
  test::Weights w(net), exact(net), ste(net);
  test::fill(net, &w, 3);
  test::Examples data(net, 30, 4);
  Qat q(net, w, data, test::options("int16"), ERG_QAT_STE);
  test::Error error;
  const int labels[] = {0, 1, 2, 1};
  erg_tape_attrs attrs{};
  attrs.labels = labels;
  for (erg_weights *g : {static_cast<erg_weights *>(&exact), static_cast<erg_weights *>(&ste)}) {
    int out = -1;
    for (int i = 0; i < g->count; i++) std::fill(g->items[i].values, g->items[i].values + g->items[i].elements, 0.0);
    erg_tape_reset(q.tape);
    erg_status status = g == &exact
                            ? erg_network_forward(q.tape, &net, &w, g, data.inputs, 4, false, nullptr, &out, &error)
                            : erg_qat_forward(q.qat, q.tape, &w, g, data.inputs, 4, nullptr, &out, &error);
    ASSERT_EQ(status, ERG_OK) << error.message();
    int loss = erg_tape_apply(q.tape, erg_tape_op_find("cross_entropy"), &attrs, &out, &error);
    ASSERT_EQ(erg_tape_backward(q.tape, loss, &error), ERG_OK);
  }
  for (int i = 0; i < w.count; i++) {
    if (!w.items[i].trained) continue;
    double difference = 0, size = 0;
    for (int64_t at = 0; at < w.items[i].elements; at++) {
      difference += std::pow(ste.items[i].values[at] - exact.items[i].values[at], 2);
      size += std::pow(exact.items[i].values[at], 2);
    }
    EXPECT_GT(size, 0) << w.items[i].name;
    EXPECT_LT(std::sqrt(difference), 0.02 * std::sqrt(size)) << w.items[i].name;
  }
}

TEST(Qat, WhatItCannotTrainIsSaid) {
  test::SmallNet net(
      4, 4, 2,
      {"{name: c, op: conv2d, K: 4, kernel: 1}", "{name: n, op: instance_norm}", "{name: m, op: mul, inputs: [n, c]}"});
  test::Weights w(net);
  test::fill(net, &w, 1);
  test::Examples data(net, 4, 1);
  erg_qat *qat = nullptr;
  test::Error error, floating;
  erg_quantize_options o = test::options("int8"), f = test::options("fp16");
  EXPECT_EQ(erg_qat_open(&net, &w, &data, &o, ERG_QAT_STE, &qat, &error), ERG_ERR_UNSUPPORTED);
  for (const char *part :
       {"node c: conv2d cannot be trained in integers: a dynamic norm", "node n: instance_norm", "node m: mul"})
    EXPECT_NE(error.message().find(part), std::string::npos) << error.message();
  EXPECT_EQ(erg_qat_open(&net, &w, &data, &f, ERG_QAT_STE, &qat, &floating), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(qat, nullptr);
}

// Three seeds at two bits of weights: trained in integers beats rounded afterwards, and beats training the last layer
// alone.
TEST(Qat, Smoke) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    erg_graph net;
    test::Error error;
    ASSERT_EQ(erg_graph_load("manifold-mlp", 8, nullptr, 0, &net, &error), ERG_OK) << error.message();
    test::Weights w(net);
    test::Dataset train("manifold", seed, ERG_SPLIT_TRAIN, 1500), held("manifold", seed, ERG_SPLIT_TEST);
    test::Dataset calibration("manifold", seed, ERG_SPLIT_CALIBRATION, 100);
    erg_weights_initialize(&w, seed);
    erg_train_options o{};
    o.epochs = 12;
    o.batch = 32;
    o.learning_rate = 3e-3;
    o.optimizer = "adam";
    o.seed = seed;
    erg_train_result result{};
    ASSERT_EQ(erg_train(&net, &train, &held, &o, &w, &result, &error), ERG_OK) << error.message();
    erg_train_result_free(&result);
    double accuracy[3] = {};
    erg_quantize_options narrow = test::options("w2a3o8");
    narrow.calibration = ERG_CALIBRATE_MSE;
    for (int rule = -1; rule < 2; rule++) { // none, STE, zero
      test::Weights own;
      ASSERT_EQ(erg_weights_copy(&w, &own, &error), ERG_OK);
      Qat q(net, own, calibration, narrow, rule == 1 ? ERG_QAT_ZERO : ERG_QAT_STE);
      if (rule >= 0) {
        o.model = erg_qat_model(q.qat);
        ASSERT_EQ(erg_train(&net, &train, &held, &o, &own, &result, &error), ERG_OK) << error.message();
      }
      test::Evaluation integers; // by the golden kernels
      ASSERT_EQ(erg_evaluate(erg_qat_quantized(q.qat), nullptr, &held, ERG_INTEGER_FAST, nullptr, &integers, &error),
                ERG_OK);
      accuracy[rule + 1] = integers.accuracy;
      if (rule >= 0) {
        EXPECT_DOUBLE_EQ(result.test.accuracy, integers.accuracy) << "seed " << seed;
        EXPECT_NEAR(result.test.loss, integers.loss, 1e-9);
        erg_train_result_free(&result);
      }
    }
    o.model = nullptr;
    EXPECT_GT(accuracy[1], accuracy[0]) << "seed " << seed;
    EXPECT_GT(accuracy[1], accuracy[2]) << "seed " << seed;
    printf("seed %d, w2a3o8: rounded afterwards %.3f, straight through %.3f, last layer alone %.3f\n", (int)seed,
           accuracy[0], accuracy[1], accuracy[2]);
    erg_graph_free(&net);
  }
}

} // namespace
