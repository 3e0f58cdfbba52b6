// SPDX-License-Identifier: GPL-3.0-or-later
// Rankings and their scores against hand-worked ones, and against a plain second count on random features.
#include "support.hpp"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
extern "C" {
#include "ergon/quant.h"
}

namespace {

std::vector<int> rank(const std::vector<double> &features, int count) {
  std::vector<int> order(static_cast<size_t>(count * (count - 1)));
  test::Error error;
  EXPECT_EQ(
      erg_retrieval_rank(features.data(), count, static_cast<int64_t>(features.size()) / count, order.data(), &error),
      ERG_OK);
  return order;
}

} // namespace

TEST(Retrieval, HandWorked) {
  // Two near the first axis, two near the second, of different lengths; a fifth of zeros, which is like nobody.
  const std::vector<int> order = rank({1, 0, 14, 2, 0, 0.1, -0.5, 3, 0, 0}, 5);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 4, 3, 0, 2, 4, 3, 3, 1, 0, 4, 2, 4, 1, 0, 0, 1, 2, 3}));
  const int labels[] = {0, 0, 1, 1, 2};
  const erg_retrieval_score s = erg_retrieval_judge(order.data(), 5, labels);
  EXPECT_EQ(s.queries, 4); // the fifth is alone in its class
  EXPECT_DOUBLE_EQ(s.map, 1);
  EXPECT_DOUBLE_EQ(s.recall_1, 1);
  const int crossed[] = {0, 1, 0, 1, 2};
  const erg_retrieval_score c = erg_retrieval_judge(order.data(), 5, crossed); // found second, fourth, third, third
  EXPECT_DOUBLE_EQ(c.recall_1, 0);
  EXPECT_DOUBLE_EQ(c.recall_10, 1);
  EXPECT_DOUBLE_EQ(c.map, (1.0 / 2 + 1.0 / 4 + 1.0 / 3 + 1.0 / 3) / 4);
  const int alone[] = {0, 1, 2, 3, 4};
  EXPECT_TRUE(std::isnan(erg_retrieval_judge(order.data(), 5, alone).map));
}

TEST(Retrieval, RanksAreThoseOfAPlainCount) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    SCOPED_TRACE(seed);
    test::Random random(seed);
    const int count = random.range(2, 30), width = random.range(1, 9), classes = random.range(1, 4);
    std::vector<double> features(static_cast<size_t>(count * width));
    std::vector<int> labels(static_cast<size_t>(count));
    for (double &x : features) x = random.range(-2, 2); // many ties
    for (int &l : labels) l = random.range(0, classes - 1);
    const std::vector<int> order = rank(features, count);
    double map = 0, first = 0, ten = 0;
    int queries = 0;
    for (int q = 0; q < count; q++) {
      std::vector<int> others(order.begin() + q * (count - 1), order.begin() + (q + 1) * (count - 1)), sorted = others;
      std::sort(sorted.begin(), sorted.end());
      for (int i = 0; i < count - 1; i++) ASSERT_EQ(sorted[static_cast<size_t>(i)], i + (i >= q)); // all, not itself
      auto at = [&](int row, int k) {
        return features[static_cast<size_t>(row) * static_cast<size_t>(width) + static_cast<size_t>(k)];
      };
      auto similarity = [&](int other) {
        double product = 0, a = 0, b = 0;
        for (int k = 0; k < width; k++) {
          const double x = at(q, k), y = at(other, k);
          product += x * y, a += x * x, b += y * y;
        }
        return a > 0 && b > 0 ? product / std::sqrt(a * b) : 0;
      };
      for (size_t i = 1; i < others.size(); i++) EXPECT_GE(similarity(others[i - 1]), similarity(others[i]) - 1e-12);
      // Average precision from its definition: for each of the class, those of the class at or before it, over its
      // rank.
      double precision = 0;
      int own = 0;
      for (size_t i = 0; i < others.size(); i++) {
        if (labels[static_cast<size_t>(others[i])] != labels[static_cast<size_t>(q)]) continue;
        own++;
        precision += static_cast<double>(std::count_if(
                         others.begin(), others.begin() + static_cast<long>(i) + 1,
                         [&](int o) { return labels[static_cast<size_t>(o)] == labels[static_cast<size_t>(q)]; })) /
                     static_cast<double>(i + 1);
        if (own == 1) first += i == 0, ten += i < 10;
      }
      if (!own) continue;
      queries++;
      map += precision / own;
    }
    const erg_retrieval_score s = erg_retrieval_judge(order.data(), count, labels.data());
    ASSERT_EQ(s.queries, queries);
    if (!queries) continue;
    EXPECT_NEAR(s.map, map / queries, 1e-12);
    EXPECT_NEAR(s.recall_1, first / queries, 1e-12);
    EXPECT_NEAR(s.recall_10, ten / queries, 1e-12);
  }
}

TEST(Retrieval, OverlapAndCosine) {
  const int a[] = {1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2}, b[] = {3, 2, 1, 0, 2, 3, 1, 0, 3, 2, 1, 0};
  EXPECT_DOUBLE_EQ(erg_retrieval_overlap(a, a, 4, 2), 1);
  EXPECT_DOUBLE_EQ(erg_retrieval_overlap(a, b, 4, 3), 1); // all of them
  EXPECT_DOUBLE_EQ(erg_retrieval_overlap(a, b, 4, 1), 0.25);
  EXPECT_DOUBLE_EQ(erg_retrieval_overlap(a, b, 4, 2), (1 + 2 + 2 + 1) / 8.0);
  const double x[] = {1, 0, 0, 3, 0, 0}, y[] = {2, 0, 5, 0, 1, 1};
  EXPECT_DOUBLE_EQ(erg_retrieval_cosine(x, y, 3, 2), 1.0 / 3); // the same, at right angles, of zeros
  EXPECT_DOUBLE_EQ(erg_retrieval_cosine(x, x, 2, 2), 1);
}

// A random network: its features are those of the evaluation, float and integer, whatever the batch is.
TEST(Retrieval, FeaturesAreTheTensorsOfTheRun) {
  erg_graph graph{};
  erg_weights weights{};
  erg_dataset data{};
  erg_calibration calibration{};
  erg_quantized quantized{};
  erg_quantize_options options{};
  test::Error error;
  ASSERT_EQ(erg_graph_load("shapes-cnn", 7, nullptr, 0, &graph, &error), ERG_OK) << error.message();
  ASSERT_EQ(erg_weights_new(&graph, &weights, &error), ERG_OK);
  erg_weights_initialize(&weights, 5);
  ASSERT_EQ(erg_dataset_load("shapes", 5, ERG_SPLIT_TEST, 16, &data, &error), ERG_OK); // the last batch is not full
  ASSERT_EQ(erg_calibrate(&graph, &weights, &data, &calibration, &error), ERG_OK);
  options.precision = test::precision("int6");
  ASSERT_EQ(erg_quantize(&graph, &weights, &calibration, &options, &quantized, &error), ERG_OK);
  const int last = graph.node_count - 1, nodes[] = {last, last - 1};
  const size_t labels = 10, channels = 32;
  std::vector<double> logits(16 * labels), pooled(16 * channels), wanted(16 * labels);
  double *to[] = {logits.data(), pooled.data()};
  ASSERT_EQ(erg_features_float(&graph, &weights, &data, nodes, 2, to, &error), ERG_OK) << error.message();
  erg_graph whole{}; // all examples at once
  erg_float_run *run = nullptr;
  ASSERT_EQ(erg_graph_load("shapes-cnn", 16, nullptr, 0, &whole, &error), ERG_OK);
  ASSERT_EQ(erg_float_open(&whole, &weights, &run, &error), ERG_OK) << error.message();
  erg_float_forward(run, data.inputs);
  EXPECT_EQ(0, std::memcmp(logits.data(), erg_float_tensor(run, last), sizeof(double) * logits.size()));
  EXPECT_EQ(0, std::memcmp(pooled.data(), erg_float_tensor(run, last - 1), sizeof(double) * pooled.size()));
  erg_float_close(run);
  erg_graph_free(&whole);
  ASSERT_EQ(erg_features_integer(&quantized, &data, ERG_INTEGER_FAST, nullptr, nodes, 2, to, &error), ERG_OK)
      << error.message();
  ASSERT_EQ(erg_logits_integer(&quantized, &data, ERG_INTEGER_GOLDEN, nullptr, wanted.data(), &error), ERG_OK);
  EXPECT_EQ(logits, wanted);
  const erg_grid grid = quantized.grids[last - 1];
  for (double x : pooled) EXPECT_EQ(x, erg_grid_real(grid, erg_quantization_round(grid, static_cast<long double>(x))));
  int fused = 0; // conv1, whose map leaves as relu1's
  while (std::string(graph.nodes[fused].name) != "conv1") fused++;
  EXPECT_EQ(erg_features_integer(&quantized, &data, ERG_INTEGER_FAST, nullptr, &fused, 1, to, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("conv1: not stored"), std::string::npos) << error.message();
  erg_quantized_free(&quantized);
  erg_calibration_free(&calibration);
  erg_dataset_free(&data);
  erg_weights_free(&weights);
  erg_graph_free(&graph);
}
