// SPDX-License-Identifier: GPL-3.0-or-later
// Accuracy, loss and noise against values worked by hand; batches and kernels that must not matter.
#include "integer_net.hpp"

namespace {

// Logits are the inputs themselves: an FC with the identity for weights.
struct Identity {
  test::SmallNet net;
  test::Weights weights{net};
  test::Examples data;
  explicit Identity(int n, int batch = 1) : net(1, 1, 3, {"{name: fc, op: fc, K: 3}"}, batch), data(net, n, 1) {
    for (int i = 0; i < 3; i++) weights.named("fc.weight")->values[i * 4] = 1;
  }
};

TEST(QuantEvaluate, TiesScoreTheirShareAndLossIsCrossEntropy) {
  Identity i(4);
  i.data.values = {2, 0, 1, /**/ 1, 1, 0, /**/ 0, 0, 0, /**/ -1, 3, 3};
  i.data.inputs = i.data.values.data();
  i.data.classes_of = {0, 1, 2, 0};
  i.data.labels = i.data.classes_of.data();
  test::Evaluation e;
  test::Error error;
  ASSERT_EQ(erg_evaluate_float(&i.net, &i.weights, &i.data, &e, &error), ERG_OK) << error.message();
  EXPECT_DOUBLE_EQ(e.accuracy, (1 + 1.0 / 2 + 1.0 / 3 + 0) / 4);
  EXPECT_EQ(e.tied, 3);
  EXPECT_EQ(e.labels, 4);
  double loss = std::log(1 + std::exp(-2) + std::exp(-1)) + std::log(2 + std::exp(-1)) + std::log(3) +
                std::log(2 + std::exp(-4)) + 4;
  EXPECT_NEAR(e.loss, loss / 4, 1e-12);
}

TEST(QuantEvaluate, AccuracyOfCodesOnAGridOfOneBitMoreThanASign) {
  Identity i(2);
  i.data.values = {-2, 1, 0.6, /**/ 1, 0.4, -2}; /* int2 over [-2, 1]: steps of 1, so 0.6 becomes 1: a tie of two */
  i.data.inputs = i.data.values.data();
  i.data.classes_of = {1, 0};
  i.data.labels = i.data.classes_of.data();
  test::Calibration c(i.net, i.weights, i.data);
  test::Quantized q(i.net, i.weights, c, test::options("int2"));
  test::Evaluation e;
  test::Error error;
  ASSERT_EQ(erg_evaluate(&q, &i.weights, &i.data, ERG_INTEGER_FAST, nullptr, &e, &error), ERG_OK) << error.message();
  EXPECT_DOUBLE_EQ(e.accuracy, 0.75);
  EXPECT_EQ(e.tied, 1);
  double noise = 0.4 * 0.4 + 0.4 * 0.4, signal = 4 + 1 + 0.36 + 1 + 0.16 + 4;
  EXPECT_NEAR(e.sqnr_db[0], 10 * std::log10(signal / noise), 1e-9);
  EXPECT_NEAR(e.sqnr_db[1], 10 * std::log10(signal / noise), 1e-9); /* weights are exact: nothing is added */
}

struct Trained {
  test::SmallNet net;
  test::Weights weights{net};
  explicit Trained(int batch)
      : net(6, 6, 2,
            {"{name: c1, op: conv2d, K: 5, kernel: 3, pad: 1}", "{name: bn, op: batch_norm}", "{name: r1, op: relu}",
             "{name: c2, op: conv2d, K: 5, kernel: 3, pad: 1, bias: yes}", "{name: add, op: add, inputs: [c2, r1]}",
             "{name: r2, op: relu}", "{name: pool, op: global_avg_pool}", "{name: fc, op: fc, K: 4, bias: yes}"},
            batch) {
    test::fill(net, &weights, 21);
  }
};

TEST(QuantEvaluate, BatchesAndKernelsDoNotMatter) {
  Trained one(1);
  test::Examples data(one.net, 11, 5);
  test::Calibration c(one.net, one.weights, data);
  test::Quantized q(one.net, one.weights, c, test::options("w4a5"));
  test::Evaluation first, golden;
  test::Error error;
  ASSERT_EQ(erg_evaluate(&q, &one.weights, &data, ERG_INTEGER_FAST, nullptr, &first, &error), ERG_OK)
      << error.message();
  ASSERT_EQ(erg_evaluate(&q, &one.weights, &data, ERG_INTEGER_GOLDEN, nullptr, &golden, &error), ERG_OK);
  EXPECT_EQ(first.loss, golden.loss);
  EXPECT_EQ(first.labels, 11);
  for (int batch : {3, 11, 16}) {
    Trained many(batch);
    test::Calibration cm(many.net, many.weights, data);
    test::Quantized qm(many.net, many.weights, cm, test::options("w4a5"));
    test::Evaluation e;
    ASSERT_EQ(erg_evaluate(&qm, &many.weights, &data, ERG_INTEGER_FAST, nullptr, &e, &error), ERG_OK)
        << error.message();
    EXPECT_EQ(e.labels, 11);
    EXPECT_DOUBLE_EQ(e.loss, first.loss) << batch;
    EXPECT_DOUBLE_EQ(e.accuracy, first.accuracy) << batch;
    EXPECT_NEAR(e.sqnr_db[8], first.sqnr_db[8], 1e-9) << batch;
  }
}

// Six decibels a bit, down to where clipping and few codes rule.
TEST(QuantEvaluate, NoiseFallsBySixDecibelsABit) {
  Trained net(1);
  test::Examples data(net.net, 40, 6);
  test::Calibration c(net.net, net.weights, data);
  double before = 0;
  for (int bits : {4, 6, 8, 10}) {
    test::Quantized q(net.net, net.weights, c, test::options(("int" + std::to_string(bits)).c_str()));
    test::Evaluation e;
    test::Error error;
    ASSERT_EQ(erg_evaluate(&q, &net.weights, &data, ERG_INTEGER_FAST, nullptr, &e, &error), ERG_OK) << error.message();
    if (bits > 4) EXPECT_NEAR(e.sqnr_db[8] - before, 12, 3.5) << bits;
    EXPECT_TRUE(std::isnan(e.sqnr_db[1])); /* inside the epilogue: never a tensor */
    before = e.sqnr_db[8];
  }
  EXPECT_GT(before, 40);
}

TEST(QuantEvaluate, LabelsThatDoNotFitAreRefused) {
  Identity i(2);
  erg_evaluation e{};
  test::Error classes, none;
  i.data.classes = 4;
  EXPECT_EQ(erg_evaluate_float(&i.net, &i.weights, &i.data, &e, &classes), ERG_ERR_DATA);
  EXPECT_NE(classes.message().find("4 classes"), std::string::npos) << classes.message();
  i.data.classes = 3;
  i.data.labels = nullptr;
  EXPECT_EQ(erg_evaluate_float(&i.net, &i.weights, &i.data, &e, &none), ERG_ERR_DATA);
}

// A label a position: two positions, three classes.
TEST(QuantEvaluate, ALabelAPosition) {
  test::SmallNet net(1, 2, 3, {"{name: c, op: conv2d, K: 3, kernel: 1}"});
  test::Weights weights(net);
  for (int i = 0; i < 3; i++) weights.named("c.weight")->values[i * 4] = 1;
  test::Examples data(net, 2, 1);
  data.values = {5, 0, 0, /**/ 0, 5, 0, /**/ 0, 0, 5, /**/ 5, 0, 0};
  data.inputs = data.values.data();
  data.classes_of = {0, 1, 2, 1};
  data.labels = data.classes_of.data();
  test::Evaluation e;
  test::Error error;
  ASSERT_EQ(erg_evaluate_float(&net, &weights, &data, &e, &error), ERG_OK) << error.message();
  EXPECT_EQ(e.labels, 4);
  EXPECT_DOUBLE_EQ(e.accuracy, 0.75);
}

} // namespace
