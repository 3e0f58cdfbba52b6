// SPDX-License-Identifier: GPL-3.0-or-later
// Sensitivities against losses computed another way: the plain float reference for second differences and slopes, the
// Hessian of a softmax layer in closed form for the diagonals, the integer kernels for the scan.
#include "ergon/quant.h"
#include "support.hpp"
#include <cmath>

namespace {

const char *const one_layer =
    "name: linear\ninput: {height: 1, width: 1, channels: 5}\nnodes:\n  - {name: fc, op: fc, K: 3, bias: yes}\n";
const char *const deep =
    "name: deep\ninput: {height: 4, width: 4, channels: 2}\nnodes:\n"
    "  - {name: a, op: conv2d, K: 6, kernel: 3, pad: 1, bias: yes}\n  - {name: n, op: batch_norm}\n"
    "  - {name: r, op: relu}\n  - {name: b, op: conv2d, K: 6, kernel: 3, pad: 1, bias: yes}\n"
    "  - {name: s, op: add, inputs: [b, r]}\n  - {name: p, op: global_avg_pool}\n  - {name: fc, op: fc, K: 3, bias: "
    "yes}\n";

struct Job {
  erg_graph graph{};
  erg_weights weights{};
  erg_dataset data{};
  erg_calibration calibration{};
  test::Error error;
  std::vector<double> inputs;
  std::vector<int> labels;
  Job(const char *net, int count, uint64_t seed) {
    EXPECT_EQ(erg_graph_parse("n.yaml", net, 1, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_weights_new(&graph, &weights, &error), ERG_OK) << error.message();
    erg_weights_initialize(&weights, seed);
    test::Random r(seed);
    data.name = "random";
    data.shape = graph.nodes[0].out;
    data.count = count;
    data.classes = 3;
    data.labels_each = 1;
    inputs.resize(static_cast<size_t>(count) * static_cast<size_t>(erg_shape_elements(data.shape)));
    for (auto &x : inputs) x = erg_random_normal(&r);
    for (int i = 0; i < count; i++) labels.push_back(r.range(0, 2));
    data.inputs = inputs.data();
    data.labels = labels.data();
    EXPECT_EQ(erg_calibrate(&graph, &weights, &data, &calibration, &error), ERG_OK) << error.message();
  }
  ~Job() {
    erg_calibration_free(&calibration);
    erg_weights_free(&weights);
    erg_graph_free(&graph);
  }
  double float_loss() {
    erg_evaluation v{};
    EXPECT_EQ(erg_evaluate_float(&graph, &weights, &data, &v, &error), ERG_OK) << error.message();
    double loss = v.loss;
    erg_evaluation_free(&v);
    return loss;
  }
};

struct Sens : erg_sens {
  test::Error error;
  erg_status status;
  Sens(Job &j, std::vector<int> bits, int probes = 12, unsigned skip = 0) : erg_sens{} {
    erg_sens_options o{
        bits.data(), static_cast<int>(bits.size()), probes, 3, test::precision("int8"), ERG_CALIBRATE_MSE, skip};
    status = erg_sens_measure(&j.graph, &j.weights, &j.calibration, &j.data, &o, this, &error);
  }
  ~Sens() {
    if (status == ERG_OK) erg_sens_free(this);
  }
};

std::vector<double> delta_of(const erg_parameter *w, int bits) {
  const int filters = static_cast<int>(w->extents[0]);
  const int64_t reduction = w->elements / filters;
  std::vector<double> scale(static_cast<size_t>(filters)), delta;
  std::vector<int16_t> codes(static_cast<size_t>(w->elements));
  erg_weight_scales(filters, reduction, w->values, bits, {}, scale.data());
  erg_weight_codes(filters, reduction, w->values, bits, scale.data(), codes.data());
  for (int64_t i = 0; i < w->elements; i++)
    delta.push_back(codes[static_cast<size_t>(i)] * scale[static_cast<size_t>(i / reduction)] - w->values[i]);
  return delta;
}

} // namespace

TEST(Sens, SecondDifferencesAndSlopesAreThoseOfTheFloatReference) {
  Job j(deep, 60, 701);
  std::vector<double> before;
  for (int i = 0; i < j.weights.count; i++)
    before.insert(before.end(), j.weights.items[i].values, j.weights.items[i].values + j.weights.items[i].elements);
  const std::vector<int> bits = {2, 4, 8};
  Sens s(j, bits);
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  ASSERT_EQ(s.layers, 3);
  size_t at = 0;
  for (int i = 0; i < j.weights.count; i++)
    for (int64_t e = 0; e < j.weights.items[i].elements; e++)
      ASSERT_EQ(j.weights.items[i].values[e], before[at++]) << "the caller's";
  const double middle = j.float_loss();
  EXPECT_NEAR(s.float_loss, middle, 1e-12);
  for (int l = 0; l < s.layers; l++) {
    erg_parameter *w = erg_weights_find(&j.weights, s.nodes[l], "weight");
    const std::vector<double> kept(w->values, w->values + w->elements);
    for (size_t o = 0; o < bits.size(); o++) {
      const std::vector<double> delta = delta_of(w, bits[o]);
      double norm = 0;
      for (double x : delta) norm += x * x;
      auto along = [&](double step) {
        for (size_t i = 0; i < kept.size(); i++) w->values[i] = kept[i] + step * delta[i];
        double loss = j.float_loss();
        std::copy(kept.begin(), kept.end(), w->values);
        return loss;
      };
      const size_t cell = static_cast<size_t>(l) * bits.size() + o;
      EXPECT_NEAR(s.loss[ERG_SENS_QUAD][cell], 0.5 * (along(1) + along(-1) - 2 * middle), 1e-12) << l << " " << o;
      EXPECT_NEAR(s.loss[ERG_SENS_NORM][cell], norm, 1e-12 * norm);
      const double h = 1e-5, slope = std::fabs(along(h) - along(-h)) / (2 * h);
      EXPECT_NEAR(s.slope[cell], slope, 1e-6 + 1e-4 * slope) << l << " " << o;
    }
  }
}

// H of mean cross entropy of a linear layer: over examples the mean of (p_k [k = m] - p_k p_m) x_j x_i.
TEST(Sens, DiagonalsOfASoftmaxLayerAreThoseInClosedForm) {
  Job j(one_layer, 500, 702);
  const erg_parameter *w = erg_weights_find(&j.weights, 1, "weight"), *bias = erg_weights_find(&j.weights, 1, "bias");
  std::vector<double> h(15, 0);
  for (int n = 0; n < j.data.count; n++) {
    const double *x = &j.inputs[static_cast<size_t>(n) * 5];
    double logits[3], sum = 0;
    for (int k = 0; k < 3; k++) {
      logits[k] = bias->values[k];
      for (int i = 0; i < 5; i++) logits[k] += w->values[k * 5 + i] * x[i];
      sum += std::exp(logits[k]);
    }
    for (int k = 0; k < 3; k++) {
      const double p = std::exp(logits[k]) / sum;
      for (int i = 0; i < 5; i++) h[static_cast<size_t>(k * 5 + i)] += p * (1 - p) * x[i] * x[i] / j.data.count;
    }
  }
  Sens s(j, {3, 5}, 400);
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  double mean = 0;
  for (double x : h) mean += x / 15;
  EXPECT_NEAR(s.trace_mean[0] / mean, 1, 0.1);
  for (size_t o = 0; o < 2; o++) {
    const std::vector<double> delta = delta_of(w, o ? 5 : 3);
    double exact = 0, norm = 0;
    for (size_t i = 0; i < 15; i++) exact += 0.5 * h[i] * delta[i] * delta[i], norm += delta[i] * delta[i];
    EXPECT_NEAR(s.loss[ERG_SENS_HUTCHINSON][o] / exact, 1, 0.1) << o;
    EXPECT_NEAR(s.loss[ERG_SENS_FISHER][o] / exact, 1, 0.15) << o << ": 500 drawn labels";
    EXPECT_NEAR(s.loss[ERG_SENS_TRACE][o], 0.5 * s.trace_mean[0] * norm, 1e-12) << o;
  }
}

TEST(Sens, TheScanIsTheIntegerNetworksOwnLoss) {
  Job j(deep, 40, 703);
  const std::vector<int> bits = {2, 5, 8};
  Sens s(j, bits);
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  auto loss = [&](int layer, int width) {
    std::vector<erg_precision> layers(static_cast<size_t>(j.graph.node_count), test::precision("int8"));
    if (layer >= 0)
      layers[static_cast<size_t>(s.nodes[layer])] = test::precision(("w" + std::to_string(width) + "a8").c_str());
    erg_quantize_options o{};
    o.precision = test::precision("int8");
    o.layers = layers.data();
    o.calibration = ERG_CALIBRATE_MSE;
    erg_quantized q{};
    erg_evaluation v{};
    EXPECT_EQ(erg_quantize(&j.graph, &j.weights, &j.calibration, &o, &q, &j.error), ERG_OK) << j.error.message();
    EXPECT_EQ(erg_evaluate(&q, nullptr, &j.data, ERG_INTEGER_GOLDEN, nullptr, &v, &j.error), ERG_OK)
        << j.error.message();
    const double x = v.loss;
    erg_evaluation_free(&v);
    erg_quantized_free(&q);
    return x;
  };
  const double base = loss(-1, 0);
  EXPECT_EQ(s.scan_loss, base);
  for (int l = 0; l < s.layers; l++)
    for (size_t o = 0; o < bits.size(); o++)
      EXPECT_EQ(s.loss[ERG_SENS_SCAN][static_cast<size_t>(l) * bits.size() + o], loss(l, bits[o]) - base)
          << l << " " << o;
}

TEST(Sens, WhatIsSkippedIsZeroAndChangesNothingElse) {
  Job j(deep, 30, 704);
  Sens all(j, {3, 8}), some(j, {3, 8}, 12, ~(1u << ERG_SENS_QUAD | 1u << ERG_SENS_FISHER));
  ASSERT_EQ(some.status, ERG_OK) << some.error.message();
  for (int i = 0; i < all.layers * 2; i++) {
    EXPECT_EQ(some.loss[ERG_SENS_QUAD][i], all.loss[ERG_SENS_QUAD][i]);
    EXPECT_EQ(some.loss[ERG_SENS_FISHER][i], all.loss[ERG_SENS_FISHER][i]);
    EXPECT_EQ(some.loss[ERG_SENS_HUTCHINSON][i], 0);
    EXPECT_EQ(some.loss[ERG_SENS_SCAN][i], 0);
    EXPECT_GE(all.loss[ERG_SENS_HUTCHINSON][i], 0) << "clipped";
    EXPECT_GE(all.loss[ERG_SENS_TRACE][i], 0);
  }
}

TEST(Sens, RefusesWhatMeansNothing) {
  Job j(deep, 10, 705);
  EXPECT_EQ(Sens(j, {8, 4}).status, ERG_ERR_USAGE);
  EXPECT_EQ(Sens(j, {1, 4}).status, ERG_ERR_USAGE);
  EXPECT_EQ(Sens(j, {4, 8}, 0).status, ERG_ERR_USAGE);
  j.data.labels = nullptr;
  EXPECT_EQ(Sens(j, {4, 8}).status, ERG_ERR_DATA);
}

TEST(Sens, SpreadIsPerJoule) {
  erg_sens s{};
  double loss[] = {8, 0, 1, 0, -1, 0}, energy[] = {1, 2, 1, 5, 1, 2};
  s.layers = 3;
  s.options = 2;
  s.loss[ERG_SENS_SCAN] = loss;
  EXPECT_EQ(erg_sens_spread(&s, ERG_SENS_SCAN, 0, energy), 32)
      << "8 over 1, and a quarter of it per joule; the third is left out";
  EXPECT_TRUE(std::isnan(erg_sens_spread(&s, ERG_SENS_SCAN, 1, energy))) << "no width above";
}
