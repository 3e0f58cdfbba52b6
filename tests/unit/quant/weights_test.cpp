// SPDX-License-Identifier: GPL-3.0-or-later
#include "small_net.hpp"
#include <cmath>
#include <cstring>

namespace {

const std::vector<std::string> all_kinds = {"{name: a, op: conv2d, K: 4, kernel: [3, 2], groups: 2, bias: yes}",
                                            "{name: b, op: batch_norm}",
                                            "{name: c, op: relu}",
                                            "{name: d, op: instance_norm}",
                                            "{name: e, op: rms_norm}",
                                            "{name: f, op: fc, K: 3}"};

TEST(Weights, EveryLearnedTensorInOrder) {
  test::SmallNet net(4, 3, 2, all_kinds);
  test::Weights w(net);
  const std::vector<std::string> names = {"a.weight",      "a.bias",   "b.weight", "b.bias",   "b.running_mean",
                                          "b.running_var", "d.weight", "d.bias",   "e.weight", "f.weight"};
  ASSERT_EQ(w.count, (int)names.size());
  int64_t learned = 0;
  for (int i = 0; i < w.count; i++) {
    EXPECT_EQ(w.items[i].name, names[i]);
    int64_t product = 1;
    for (int d = 0; d < w.items[i].rank; d++) product *= w.items[i].extents[d];
    EXPECT_EQ(product, w.items[i].elements);
    if (w.items[i].trained) learned += w.items[i].elements;
  }
  EXPECT_EQ(learned, erg_graph_parameters(&net)); // the graph counts them by another way
  EXPECT_EQ(w.named("a.weight")->extents[3], 1);  // C/groups
  EXPECT_EQ(w.named("f.weight")->extents[1], 2);  // R: the height of the map
  EXPECT_EQ(w.named("b.running_var")->values[3], 1);
  EXPECT_EQ(w.named("b.running_mean")->values[3], 0);
  EXPECT_FALSE(w.named("b.running_var")->trained);
  EXPECT_EQ(erg_weights_find(&w, w.named("b.bias")->node, "bias"), w.named("b.bias"));
  EXPECT_EQ(erg_weights_find(&w, 0, "weight"), nullptr);
}

TEST(Weights, AStreamATensor) {
  test::SmallNet net(4, 3, 2, all_kinds), shorter(4, 3, 2, {all_kinds[0]});
  test::Weights w(net), same(net), other(net), first(shorter);
  erg_weights_initialize(&w, 1);
  erg_weights_initialize(&same, 1);
  erg_weights_initialize(&other, 2);
  erg_weights_initialize(&first, 1);
  erg_parameter *a = w.named("a.weight");
  size_t bytes = sizeof(double) * (size_t)a->elements;
  EXPECT_EQ(std::memcmp(a->values, same.named("a.weight")->values, bytes), 0);
  EXPECT_EQ(std::memcmp(a->values, first.named("a.weight")->values, bytes), 0); // whatever else is in the network
  EXPECT_NE(std::memcmp(a->values, other.named("a.weight")->values, bytes), 0);
  EXPECT_EQ(w.named("a.bias")->values[0], 0);
  EXPECT_EQ(w.named("b.weight")->values[0], 1);
}

TEST(Weights, VarianceIsTwoOverTheReduction) {
  test::SmallNet net(1, 1, 400, {"{name: a, op: fc, K: 100}"});
  test::Weights w(net);
  erg_weights_initialize(&w, 3);
  double sum = 0, squares = 0;
  const erg_parameter *a = w.named("a.weight");
  for (int64_t i = 0; i < a->elements; i++) sum += a->values[i], squares += a->values[i] * a->values[i];
  double n = (double)a->elements, variance = 2.0 / 400; // 40000 draws: standard errors 0.5 % and 0.7 %
  EXPECT_LT(std::fabs(sum / n), 4 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n / variance, 1, 4 * std::sqrt(2 / n));
}

TEST(Weights, ACopyIsItsOwn) {
  test::SmallNet net(4, 3, 2, all_kinds);
  test::Weights w(net), copy;
  test::Error error;
  ASSERT_EQ(erg_weights_copy(&w, &copy, &error), ERG_OK);
  copy.named("b.weight")->values[0] = 5;
  EXPECT_EQ(w.named("b.weight")->values[0], 1);
  EXPECT_NE(copy.named("b.weight"), w.named("b.weight"));
}

} // namespace
