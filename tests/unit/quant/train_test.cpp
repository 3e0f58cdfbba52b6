// SPDX-License-Identifier: GPL-3.0-or-later
#include "small_net.hpp"
#include <cmath>
#include <cstring>

namespace {

erg_train_options usual(int epochs, uint64_t seed) {
  erg_train_options o{};
  o.epochs = epochs;
  o.batch = 32;
  o.learning_rate = 3e-3;
  o.optimizer = "adam";
  o.seed = seed;
  return o;
}

struct Result : erg_train_result {
  Result() : erg_train_result{} {}
  ~Result() { erg_train_result_free(this); }
};

struct Net : erg_graph {
  explicit Net(const char *name) : erg_graph{} {
    test::Error error;
    EXPECT_EQ(erg_graph_load(name, 1, nullptr, 0, this, &error), ERG_OK) << error.message();
  }
  ~Net() { erg_graph_free(this); }
};

TEST(Optimizer, StepsByHand) {
  test::SmallNet net(1, 1, 1, {"{name: f, op: fc, K: 1}"});
  test::Weights w(net), g(net);
  erg_optimizer sgd, adam;
  test::Error error;
  double *x = w.named("f.weight")->values, *slope = g.named("f.weight")->values;
  ASSERT_EQ(erg_optimizer_new(erg_optimizer_find("sgd"), &w, &sgd, &error), ERG_OK);
  ASSERT_EQ(erg_optimizer_new(erg_optimizer_find("adam"), &w, &adam, &error), ERG_OK);
  *x = 1;
  *slope = 0.5;
  erg_optimizer_step(&sgd, 0.1, &g, &w); // moment 0.5
  EXPECT_DOUBLE_EQ(*x, 1 - 0.05);
  *slope = -1;
  erg_optimizer_step(&sgd, 0.1, &g, &w); // moment 0.45 - 1
  EXPECT_DOUBLE_EQ(*x, 0.95 + 0.055);
  *x = 1;
  *slope = 4;
  erg_optimizer_step(&adam, 0.1, &g, &w); // the first step is the rate, whatever the gradient
  EXPECT_NEAR(*x, 0.9, 1e-9);
  *slope = -2;
  erg_optimizer_step(&adam, 0.1, &g, &w);
  double m = (0.9 * 0.4 - 0.2) / (1 - 0.81), v = (0.999 * 0.016 + 0.004) / (1 - 0.999 * 0.999);
  EXPECT_NEAR(*x, 0.9 - 0.1 * m / std::sqrt(v), 1e-8);
  erg_optimizer_free(&sgd);
  erg_optimizer_free(&adam);
}

TEST(Optimizer, RunningStatisticsAreNotMoved) {
  test::SmallNet net(1, 1, 1, {"{name: n, op: batch_norm}"});
  test::Weights w(net), g(net);
  erg_optimizer sgd;
  test::Error error;
  ASSERT_EQ(erg_optimizer_new(erg_optimizer_find("sgd"), &w, &sgd, &error), ERG_OK);
  erg_optimizer_step(&sgd, 0.1, &g, &w); // gradients: those of the copy, 1 for weights and variances
  EXPECT_DOUBLE_EQ(w.named("n.weight")->values[0], 0.9);
  EXPECT_EQ(w.named("n.running_var")->values[0], 1);
  erg_optimizer_free(&sgd);
}

TEST(Optimizer, CosineEnds) {
  EXPECT_DOUBLE_EQ(erg_cosine_rate(0.3, 0, 10), 0.3);
  EXPECT_NEAR(erg_cosine_rate(0.3, 5, 10), 0.15, 1e-15);
  EXPECT_NEAR(erg_cosine_rate(0.3, 10, 10), 0, 1e-15);
}

TEST(Train, ALineIsFound) { // two classes apart along (1, -2): logistic regression reaches every example
  test::SmallNet net(1, 1, 2, {"{name: f, op: fc, K: 2, bias: yes}"});
  test::Folder folder;
  test::Weights w(net);
  test::Error error;
  double inputs[200];
  int labels[100];
  test::Random random(2);
  for (int i = 0; i < 100; i++) {
    do {
      inputs[2 * i] = erg_random_normal(&random);
      inputs[2 * i + 1] = erg_random_normal(&random);
    } while (std::fabs(inputs[2 * i] - 2 * inputs[2 * i + 1]) < 0.2);
    labels[i] = inputs[2 * i] > 2 * inputs[2 * i + 1];
  }
  erg_dataset data{};
  data.name = "line";
  data.shape = {1, 1, 1, 2};
  data.count = 100;
  data.classes = 2;
  data.labels_each = 1;
  data.inputs = inputs;
  data.labels = labels;
  for (const char *optimizer : {"sgd", "adam"}) {
    Result result;
    erg_train_options o = usual(60, 1);
    o.optimizer = optimizer;
    o.learning_rate = 0.1;
    erg_weights_initialize(&w, 1);
    ASSERT_EQ(erg_train(&net, &data, &data, &o, &w, &result, &error), ERG_OK) << error.message();
    EXPECT_EQ(result.train.accuracy, 1) << optimizer;
    EXPECT_EQ(result.test.accuracy, 1) << optimizer;
    EXPECT_LT(result.epochs[59].loss, 0.1) << optimizer;
    const double *f = w.named("f.weight")->values; // the difference of the two rows points along (1, -2)
    EXPECT_LT(std::fabs(std::atan2(f[3] - f[1], f[2] - f[0]) - std::atan2(-2, 1)), 0.15) << optimizer;
    EXPECT_EQ(f[0], (float)f[0]) << "judged as a file holds them";
  }
}

// Three seeds of the networks that ship, far shorter than usual. Accuracy at full length: docs/training.md.
TEST(Train, Smoke) {
  const struct {
    const char *net, *data;
    int examples, epochs;
    double least;
  } cases[] = {
      {"manifold-mlp", "manifold", 1000, 10, 0.55},
      {"manifold-mlp-relu", "manifold", 1000, 5, 0.55},
      {"shapes-cnn", "shapes", 600, 6, 0.2},
  };
  for (const auto &c : cases)
    for (uint64_t seed = 1; seed <= 3; seed++) {
      Net net(c.net);
      test::Weights w(net);
      test::Dataset train(c.data, seed, ERG_SPLIT_TRAIN, c.examples), held(c.data, seed, ERG_SPLIT_TEST, 500);
      test::Error error;
      Result result;
      erg_train_options o = usual(c.epochs, seed);
      if (c.examples == 600) o.batch = 16, o.learning_rate = 6e-3;
      erg_weights_initialize(&w, seed);
      ASSERT_EQ(erg_train(&net, &train, &held, &o, &w, &result, &error), ERG_OK) << error.message();
      EXPECT_GT(result.test.accuracy, c.least) << c.net << ", seed " << seed; // chance is 0.1
      EXPECT_LT(result.epochs[c.epochs - 1].loss, result.epochs[0].loss) << c.net << ", seed " << seed;
      EXPECT_EQ(result.steps, c.epochs * ((c.examples + o.batch - 1) / o.batch));
    }
}

TEST(Train, TheSameSeedIsTheSameRun) {
  Net net("manifold-mlp");
  test::Weights a(net), b(net), other(net);
  test::Dataset data("manifold", 1, ERG_SPLIT_TRAIN, 300);
  test::Error error;
  Result first, second, third;
  erg_train_options o = usual(2, 7);
  for (test::Weights *w : {&a, &b, &other}) erg_weights_initialize(w, 1);
  ASSERT_EQ(erg_train(&net, &data, nullptr, &o, &a, &first, &error), ERG_OK);
  ASSERT_EQ(erg_train(&net, &data, nullptr, &o, &b, &second, &error), ERG_OK);
  o.seed = 8; // another order of the same examples
  ASSERT_EQ(erg_train(&net, &data, nullptr, &o, &other, &third, &error), ERG_OK);
  size_t bytes = sizeof(double) * (size_t)a.items[0].elements;
  EXPECT_EQ(std::memcmp(a.items[0].values, b.items[0].values, bytes), 0);
  EXPECT_NE(std::memcmp(a.items[0].values, other.items[0].values, bytes), 0);
  EXPECT_EQ(first.epochs[1].loss, second.epochs[1].loss);
  EXPECT_TRUE(std::isnan(first.test.loss));
}

TEST(Train, PatienceKeepsTheBest) { // 40 noisy examples: training goes on, validation turns round
  Net net("manifold-mlp-relu");
  test::Weights w(net);
  test::Dataset data("manifold", 3, ERG_SPLIT_TRAIN, 60);
  test::Error error;
  Result result;
  erg_train_options o = usual(200, 1);
  o.patience = 5;
  erg_weights_initialize(&w, 1);
  ASSERT_EQ(erg_train(&net, &data, nullptr, &o, &w, &result, &error), ERG_OK) << error.message();
  EXPECT_EQ(result.train_count, 54);
  EXPECT_EQ(result.validation_count, 6);
  EXPECT_LT(result.epoch_count, 200);
  EXPECT_EQ(result.epoch_count, result.best_epoch + 5);
  for (int i = 0; i < result.epoch_count; i++)
    EXPECT_GE(result.epochs[i].validation.loss, result.epochs[result.best_epoch - 1].validation.loss);
  erg_tape *tape = erg_tape_new();
  erg_score score;
  ASSERT_EQ(erg_train_score(tape, &net, &w, nullptr, &data, 54, 6, &score, &error), ERG_OK);
  EXPECT_NEAR(score.loss, result.epochs[result.best_epoch - 1].validation.loss,
              1e-5); // the weights that were kept, in float32
  erg_tape_free(tape);
}

TEST(Train, SmoothingRaisesTheLeastLoss) {
  Net net("manifold-mlp");
  test::Dataset data("manifold", 1, ERG_SPLIT_TRAIN, 200);
  test::Error error;
  double logits[2];
  for (int smooth = 0; smooth < 2; smooth++) {
    test::Weights w(net);
    Result result;
    erg_train_options o = usual(60, 1);
    o.label_smoothing = smooth ? 0.1 : 0;
    erg_weights_initialize(&w, 1);
    ASSERT_EQ(erg_train(&net, &data, nullptr, &o, &w, &result, &error), ERG_OK);
    double entropy = -(0.91 * std::log(0.91) + 9 * 0.01 * std::log(0.01)); // of the target: no loss is below
    if (smooth)
      EXPECT_GT(result.epochs[59].loss, entropy);
    else
      EXPECT_LT(result.epochs[59].loss, entropy);
    double most = 0;
    for (int64_t i = 0; i < w.named("fc3.weight")->elements; i++)
      most = std::fmax(most, std::fabs(w.named("fc3.weight")->values[i]));
    logits[smooth] = most;
  }
  EXPECT_LT(logits[1], logits[0]);
}

TEST(Train, ALossThatIsNotFiniteStops) {
  Net net("manifold-mlp-relu");
  test::Weights w(net);
  test::Dataset data("manifold", 1, ERG_SPLIT_TRAIN, 100);
  test::Error error;
  Result result;
  erg_train_options o = usual(20, 1);
  o.optimizer = "sgd";
  o.learning_rate = 1e30;
  erg_weights_initialize(&w, 1);
  EXPECT_EQ(erg_train(&net, &data, nullptr, &o, &w, &result, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("the loss is not finite at learning rate"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("try --learning-rate 1e+29"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("epoch 1, step "), std::string::npos) << error.message();
}

TEST(Train, AllFaultsAtOnce) {
  Net net("manifold-mlp");
  test::Weights w(net);
  test::Dataset data("shapes", 1, ERG_SPLIT_TRAIN, 20), tokens("tokens", 1, ERG_SPLIT_TRAIN, 20);
  test::Error error, places;
  Result result;
  erg_train_options o = usual(0, 1);
  o.batch = 0;
  o.learning_rate = -1;
  o.label_smoothing = 2;
  o.optimizer = "adamw";
  EXPECT_EQ(erg_train(&net, &data, nullptr, &o, &w, &result, &error), ERG_ERR_USAGE);
  for (const char *text :
       {"epochs: found 0", "batch: found 0", "learning rate: found -1", "label smoothing: found 2",
        "optimizer: found adamw; allowed: ", "manifold-mlp takes maps of 1 x 1 x 32; shapes has 16 x 16 x 1"})
    EXPECT_NE(error.message().find(text), std::string::npos) << text << "\nin\n" << error.message();
  o = usual(1, 1);
  EXPECT_EQ(erg_train(&net, &tokens, nullptr, &o, &w, &result, &places), ERG_ERR_DATA);
  EXPECT_NE(places.message().find("tokens asks for 4 classes at 16 places"), std::string::npos) << places.message();
}

TEST(Train, LabelsAtEveryPosition) { // a gemm over the channels of every token
  test::SmallNet net(16, 1, 32, {"{name: f, op: gemm, K: 4, bias: yes}"});
  test::Weights w(net);
  test::Dataset train("tokens", 1, ERG_SPLIT_TRAIN, 200), held("tokens", 1, ERG_SPLIT_TEST, 100);
  test::Error error;
  Result result;
  erg_train_options o = usual(5, 1);
  o.learning_rate = 0.01;
  erg_weights_initialize(&w, 1);
  ASSERT_EQ(erg_train(&net, &train, &held, &o, &w, &result, &error), ERG_OK) << error.message();
  EXPECT_GT(result.test.accuracy, 0.6); // chance is 0.25
}

TEST(Train, EqualLogitsShareTheScore) {
  test::SmallNet net(1, 1, 2, {"{name: f, op: fc, K: 4}"});
  test::Weights w(net); // zeros: four equal logits
  double inputs[] = {1, 2};
  int labels[] = {3};
  erg_dataset data{};
  data.name = "one";
  data.shape = {1, 1, 1, 2};
  data.count = data.labels_each = 1;
  data.classes = 4;
  data.inputs = inputs;
  data.labels = labels;
  erg_tape *tape = erg_tape_new();
  erg_score score;
  test::Error error;
  ASSERT_EQ(erg_train_score(tape, &net, &w, nullptr, &data, 0, 1, &score, &error), ERG_OK);
  EXPECT_EQ(score.accuracy, 0.25);
  EXPECT_DOUBLE_EQ(score.loss, std::log(4));
  erg_tape_free(tape);
}

} // namespace
