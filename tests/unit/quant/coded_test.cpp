// SPDX-License-Identifier: GPL-3.0-or-later
// Activations coded for backward: what codes decode to, and that the forward step never sees them.
#include "support.hpp"
#include <cmath>
extern "C" {
#include "ergon/coded.h"
#include "ergon/training_memory.h"
}

namespace {

struct Coded {
  erg_graph graph{};
  erg_weights weights{}, gradients{};
  erg_coded *coded = nullptr;
  test::Error error;
  erg_status status;
  Coded(const char *net, erg_coded_options options) {
    EXPECT_EQ(erg_graph_load(net, 1, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_weights_new(&graph, &weights, &error), ERG_OK);
    erg_weights_initialize(&weights, 1);
    EXPECT_EQ(erg_weights_copy(&weights, &gradients, &error), ERG_OK);
    status = erg_coded_open(&graph, &options, &coded, &error);
  }
  ~Coded() {
    erg_coded_close(coded);
    erg_weights_free(&gradients);
    erg_weights_free(&weights);
    erg_graph_free(&graph);
  }
  // Logits, and the gradients of a mean over them; without a model as they are.
  std::vector<double> step(const std::vector<double> &inputs, int count, bool own) {
    erg_tape *tape = erg_tape_new();
    int output = -1;
    std::vector<int> labels(static_cast<size_t>(count), 3);
    for (int i = 0; i < gradients.count; i++) std::fill_n(gradients.items[i].values, gradients.items[i].elements, 0.0);
    const erg_train_model *model = own ? erg_coded_model(coded) : nullptr;
    EXPECT_EQ(
        model ? model->forward(model->context, tape, &weights, &gradients, inputs.data(), count, true, &output, &error)
              : erg_network_forward(tape, &graph, &weights, &gradients, inputs.data(), count, true, nullptr, &output,
                                    &error),
        ERG_OK)
        << error.message();
    const double *y = erg_tape_value(tape, output);
    std::vector<double> logits(y, y + erg_shape_elements(erg_tape_shape(tape, output)));
    erg_tape_attrs attrs{};
    attrs.labels = labels.data();
    const int inputs_of[] = {output, -1, -1};
    const int loss = erg_tape_apply(tape, erg_tape_op_find("cross_entropy"), &attrs, inputs_of, &error);
    EXPECT_EQ(erg_tape_backward(tape, loss, &error), ERG_OK) << error.message();
    erg_tape_free(tape);
    return logits;
  }
  std::vector<double> gradient(const char *name) const {
    for (int i = 0; i < gradients.count; i++)
      if (std::string(gradients.items[i].name) == name)
        return {gradients.items[i].values, gradients.items[i].values + gradients.items[i].elements};
    ADD_FAILURE() << name;
    return {};
  }
};

double distance(const std::vector<double> &a, const std::vector<double> &b) {
  double squares = 0, length = 0;
  for (size_t i = 0; i < a.size(); i++) squares += (a[i] - b[i]) * (a[i] - b[i]), length += b[i] * b[i];
  return std::sqrt(squares / length);
}

} // namespace

TEST(Coded, CodesAreWithinAStepAndZerosStay) {
  test::Random random(61);
  for (int trial = 0; trial < 200; trial++) {
    const int count = random.range(1, 700), bits = random.range(1, 16);
    const double size = std::pow(10, random.range(-4, 3));
    const bool relu = random.coin(), constant = trial % 17 == 0;
    const erg_stored_rounding rounding = random.coin() ? ERG_ROUND_STOCHASTIC : ERG_ROUND_NEAREST;
    std::vector<double> exact(static_cast<size_t>(count));
    for (double &v : exact) {
      v = constant ? size : size * (random.unit() - 0.5);
      if (relu) v = std::max(v, 0.0);
    }
    std::vector<double> decoded = exact;
    erg_stored_code(decoded.data(), count, bits, rounding, &random);
    for (int at = 0; at < count; at += ERG_STORED_GROUP) {
      const int end = std::min(count, at + ERG_STORED_GROUP);
      const auto [low, high] = std::minmax_element(exact.begin() + at, exact.begin() + end);
      // Offset and scale are rounded outwards to eleven bits; no less than the least fp16.
      const double outward = 2e-3 * (std::fabs(*low) + std::fabs(*high)) + 1.3e-7,
                   step = (*high - *low + outward) / (std::ldexp(1, bits) - 1) * 1.002 + 1.3e-7;
      for (int i = at; i < end; i++) {
        const double difference = std::fabs(decoded[static_cast<size_t>(i)] - exact[static_cast<size_t>(i)]);
        EXPECT_LE(difference, rounding == ERG_ROUND_NEAREST ? 0.5 * step + 1e-12 : step)
            << bits << " bits, trial " << trial;
        if (*low == 0 && exact[static_cast<size_t>(i)] == 0) EXPECT_EQ(decoded[static_cast<size_t>(i)], 0);
      }
    }
  }
}

// The mean of n draws nears the value as 1 / sqrt(n); rounding to nearest stays where it is.
TEST(Coded, StochasticRoundingIsUnbiased) {
  test::Random random(62);
  std::vector<double> exact(256), mean(256), single;
  for (double &v : exact) v = random.unit() * 3 - 1;
  for (erg_stored_rounding rounding : {ERG_ROUND_STOCHASTIC, ERG_ROUND_NEAREST}) {
    double one = 0;
    std::fill(mean.begin(), mean.end(), 0);
    const int draws = 400;
    for (int d = 0; d < draws; d++) {
      single = exact;
      erg_stored_code(single.data(), 256, 3, rounding, &random);
      one += distance(single, exact) / draws;
      for (size_t i = 0; i < 256; i++) mean[i] += single[i] / draws;
    }
    const double ratio = one / distance(mean, exact);
    std::printf("%s: %.4f to %.4f, %.1f times\n", erg_stored_rounding_names[rounding], one, distance(mean, exact),
                ratio);
    if (rounding == ERG_ROUND_STOCHASTIC)
      EXPECT_NEAR(ratio, 20, 3);
    else
      EXPECT_NEAR(ratio, 1, 1e-9);
  }
}

TEST(Coded, ForwardIsExactAndBackwardIsNot) {
  test::Random random(63);
  for (const char *net : {"manifold-mlp-relu", "shapes-cnn"}) {
    const int count = 8;
    const char *last = std::string(net) == "shapes-cnn" ? "fc.weight" : "fc3.weight",
               *first = std::string(net) == "shapes-cnn" ? "conv1.weight" : "fc1.weight";
    Coded fine(net, {16, ERG_ROUND_NEAREST, true, 1}), coarse(net, {2, ERG_ROUND_NEAREST, true, 1}),
        shared(net, {2, ERG_ROUND_NEAREST, false, 1});
    std::vector<double> inputs(static_cast<size_t>(count * erg_shape_elements(fine.graph.nodes[0].out)));
    for (double &v : inputs) v = random.unit() * 2 - 1;
    const std::vector<double> logits = fine.step(inputs, count, false), exact = fine.gradient(last),
                              exact_first = fine.gradient(first);
    for (Coded *c : {&fine, &coarse, &shared}) EXPECT_EQ(c->step(inputs, count, true), logits) << net;
    EXPECT_LT(distance(fine.gradient(last), exact), 1e-3) << net;
    EXPECT_GT(distance(coarse.gradient(last), exact), 1e-2) << net;
    // The first layer reads the batch, and with masks its gradient comes through exact ones.
    EXPECT_LT(distance(coarse.gradient(first), exact_first), 1e-12) << net;
    EXPECT_GT(distance(shared.gradient(first), exact_first), 1e-2) << net;
  }
}

TEST(Coded, WhatItDoesNotTrainIsAMessage) {
  const struct {
    const char *net;
    int bits;
    erg_status status;
    const char *message;
  } cases[] = {{"manifold-mlp", 8, ERG_ERR_UNSUPPORTED, "node tanh1: tanh is not trained on coded copies"},
               {"style-residual", 8, ERG_ERR_UNSUPPORTED, "instance_norm is not trained"},
               {"shapes-cnn", 0, ERG_ERR_USAGE, "found 0 bits"},
               {"shapes-cnn", 17, ERG_ERR_USAGE, "found 17 bits"}};
  for (const auto &c : cases) {
    Coded n(c.net, {c.bits, ERG_ROUND_NEAREST, true, 1});
    EXPECT_EQ(n.status, c.status);
    EXPECT_NE(n.error.message().find(c.message), std::string::npos) << n.error.message();
  }
}
