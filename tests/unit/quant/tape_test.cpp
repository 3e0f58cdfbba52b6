// SPDX-License-Identifier: GPL-3.0-or-later
// Every registered operator against differences of its own forward, on random shapes.
#include "small_net.hpp"
#include <cmath>

namespace {

using Vector = std::vector<double>;

// An operator, a random case of it, and the loss sum(r y + s y^2/2): linear operators have curvature too.
struct Case {
  const erg_tape_op *op;
  test::Arena arena;
  erg_tape_attrs attrs{};
  erg_shape in[ERG_TAPE_INPUTS]{};
  std::vector<Vector> x, gradient;
  Vector r, s;
  erg_tape *tape = erg_tape_new();
  ~Case() { erg_tape_free(tape); }

  Case(const erg_tape_op *operation, uint64_t seed) : op(operation) {
    test::Random random(seed);
    op->example(&random, &arena, &attrs, in);
    for (int i = 0; i < op->inputs; i++) {
      x.emplace_back((size_t)erg_shape_elements(in[i]));
      for (double &value : x.back()) value = 1.5 * erg_random_normal(&random);
      gradient.emplace_back(x.back().size());
    }
    erg_shape out{};
    int64_t saved = 0, scratch = 0;
    test::Error error;
    EXPECT_EQ(op->infer(&attrs, in, &out, &saved, &scratch, &error), ERG_OK) << op->name << ": " << error.message();
    for (int64_t i = 0; i < erg_shape_elements(out); i++) {
      r.push_back(erg_random_normal(&random));
      s.push_back(erg_random_normal(&random));
    }
  }

  // The loss, with gradients where asked for; written with other operators of the tape.
  double loss(bool backward) {
    test::Error error;
    erg_tape_reset(tape);
    for (Vector &g : gradient) std::fill(g.begin(), g.end(), 0);
    int inputs[ERG_TAPE_INPUTS];
    for (int i = 0; i < op->inputs; i++)
      inputs[i] = erg_tape_parameter(tape, in[i], x[(size_t)i].data(), gradient[(size_t)i].data(), &error);
    int y = erg_tape_apply(tape, op, &attrs, inputs, &error);
    EXPECT_GE(y, 0) << op->name << ": " << error.message();
    const double *value = erg_tape_value(tape, y);
    erg_shape out = erg_tape_shape(tape, y);
    double sum = 0;
    for (size_t i = 0; i < r.size(); i++) sum += r[i] * value[i] + s[i] * value[i] * value[i] / 2;
    if (!backward) return sum;
    auto apply = [&](const char *name, int a, int b) {
      int pair[] = {a, b};
      return erg_tape_apply(tape, erg_tape_op_find(name), nullptr, pair, &error);
    };
    Vector half(s);
    for (double &h : half) h /= 2;
    int linear = apply("mul", y, erg_tape_constant(tape, out, r.data(), &error));
    int square = apply("mul", apply("mul", y, y), erg_tape_constant(tape, out, half.data(), &error));
    int mean = apply("mean", apply("add", linear, square), 0);
    EXPECT_EQ(erg_tape_backward(tape, mean, &error), ERG_OK) << error.message();
    for (Vector &g : gradient)
      for (double &each : g) each *= (double)r.size(); // of the sum
    return sum;
  }
};

double norm_of(const std::vector<Vector> &all) {
  double sum = 0;
  for (const Vector &v : all)
    for (double value : v) sum += value * value;
  return std::sqrt(sum);
}

constexpr int cases_each = 12;

TEST(Tape, GradientsAreCentralDifferences) {
  int ops = 0;
  ERG_EACH(erg_tape_op, item) {
    for (int seed = 1; seed <= cases_each; seed++) {
      Case c(*item, (uint64_t)seed);
      c.loss(true);
      std::vector<Vector> gradient = c.gradient, difference = c.gradient;
      const double h = 1e-5;
      for (size_t i = 0; i < c.x.size(); i++)
        for (size_t k = 0; k < c.x[i].size(); k++) {
          double kept = c.x[i][k];
          c.x[i][k] = kept + h;
          double above = c.loss(false);
          c.x[i][k] = kept - h;
          double below = c.loss(false);
          c.x[i][k] = kept;
          difference[i][k] = (above - below) / (2 * h) - gradient[i][k];
        }
      EXPECT_LT(norm_of(difference), 1e-6 * (norm_of(gradient) + 1e-3)) << (*item)->name << ", seed " << seed;
    }
    ops++;
  }
  EXPECT_GE(ops, 24);
}

TEST(Tape, HessianTimesVectorIsTheSecondDifference) {
  ERG_EACH(erg_tape_op, item) {
    for (int seed = 101; seed <= 100 + cases_each; seed++) {
      Case c(*item, (uint64_t)seed);
      test::Random random((uint64_t)seed);
      std::vector<Vector> z = c.x, kept = c.x;
      for (Vector &v : z)
        for (double &value : v) value = random.coin() ? 1 : -1;
      auto at = [&](double step) {
        for (size_t i = 0; i < z.size(); i++)
          for (size_t k = 0; k < z[i].size(); k++) c.x[i][k] = kept[i][k] + step * z[i][k];
        return c.loss(true);
      };
      const double h = 1e-4;
      double quadratic = 0, size = 0;
      double above = at(h);
      for (size_t i = 0; i < z.size(); i++)
        for (size_t k = 0; k < z[i].size(); k++) quadratic += z[i][k] * c.gradient[i][k] / (2 * h);
      double below = at(-h);
      for (size_t i = 0; i < z.size(); i++)
        for (size_t k = 0; k < z[i].size(); k++) quadratic -= z[i][k] * c.gradient[i][k] / (2 * h);
      double middle = at(0);
      size = std::fabs(above) + std::fabs(below) + 2 * std::fabs(middle);
      // What rounding leaves of a difference of losses, and the next term of their series.
      double rounding = 8e-16 * size / (h * h), second = (above - 2 * middle + below) / (h * h);
      EXPECT_NEAR(quadratic, second, rounding + 1e-5 * (1 + std::fabs(second))) << (*item)->name << ", seed " << seed;
    }
  }
}

TEST(Tape, ProductsOfMatrices) {
  test::Random random(3);
  for (int i = 0; i < 60; i++) {
    int m = random.range(1, 13), n = random.range(1, 19), k = random.range(1, i % 10 ? 20 : 600);
    bool turn_a = random.coin(), turn_b = random.coin(), add = random.coin();
    Vector a((size_t)(m * k)), b((size_t)(k * n)), c((size_t)(m * n), 2);
    for (double &value : a) value = random.range(-8, 8); // integers: every order of summation is exact
    for (double &value : b) value = random.range(-8, 8);
    erg_matrix left = {a.data(), turn_a ? 1 : k, turn_a ? m : 1}, right = {b.data(), turn_b ? 1 : n, turn_b ? k : 1};
    erg_dgemm(m, n, k, left, right, c.data(), n, add);
    for (int row = 0; row < m; row++)
      for (int column = 0; column < n; column++) {
        double sum = add ? 2 : 0;
        for (int d = 0; d < k; d++)
          sum +=
              a[(size_t)(turn_a ? d * m + row : row * k + d)] * b[(size_t)(turn_b ? column * k + d : d * n + column)];
        ASSERT_EQ(c[(size_t)(row * n + column)], sum) << m << " " << n << " " << k;
      }
  }
}

TEST(Tape, AConvolutionIsItsDefinition) { // against the golden kernel, on integers: exact in both
  for (uint64_t seed = 1; seed <= 40; seed++) {
    Case c(erg_tape_op_find("conv2d"), seed);
    test::Random random(seed);
    std::vector<float> x, w;
    for (double &value : c.x[0]) x.push_back((float)(value = random.range(-9, 9)));
    for (double &value : c.x[1]) w.push_back((float)(value = random.range(-9, 9)));
    c.loss(true);
    erg_conv2d_shape shape = c.attrs.conv;
    shape.in.n = c.in[0].n;
    std::vector<float> y(c.r.size());
    test::Error error;
    ASSERT_EQ(erg_conv2d_f32(&shape, x.data(), w.data(), nullptr, y.data(), &error), ERG_OK) << error.message();
    for (size_t i = 0; i < y.size(); i++) ASSERT_EQ(erg_tape_value(c.tape, 2)[i], y[i]) << seed;
  }
}

TEST(Tape, NaNIsNotHidden) {
  const double nan = std::nan("");
  ERG_EACH(erg_tape_op, item) {
    if ((*item)->inputs != 1 || std::string((*item)->name) == "max_pool") continue;
    Case c(*item, 5);
    c.x[0][0] = nan;
    c.loss(true);
    const double *y = erg_tape_value(c.tape, 1);
    bool found = false;
    for (size_t i = 0; i < c.r.size(); i++) found |= std::isnan(y[i]);
    if (std::string((*item)->name) != "avg_pool") EXPECT_TRUE(found) << (*item)->name;
  }
}

TEST(Tape, RunningStatistics) {
  test::SmallNet net(1, 1, 1, {"{name: norm, op: batch_norm}"});
  test::Weights w(net);
  const double x[] = {1, 2, 3, 6};
  erg_tape *tape = erg_tape_new();
  test::Error error;
  int out = -1;
  ASSERT_EQ(erg_network_forward(tape, &net, &w, nullptr, x, 4, true, nullptr, &out, &error), ERG_OK) << error.message();
  EXPECT_DOUBLE_EQ(w.named("norm.running_mean")->values[0], 0.1 * 3);
  EXPECT_DOUBLE_EQ(w.named("norm.running_var")->values[0], 0.9 + 0.1 * 14.0 / 3); // without bias
  EXPECT_NEAR(erg_tape_value(tape, out)[3], 3 / std::sqrt(3.5 + 1e-5), 1e-12);
  erg_tape_reset(tape);
  ASSERT_EQ(erg_network_forward(tape, &net, &w, nullptr, x, 1, false, nullptr, &out, &error), ERG_OK);
  EXPECT_NEAR(erg_tape_value(tape, out)[0], (1 - 0.3) / std::sqrt(0.9 + 1.4 / 3 + 1e-5), 1e-12);
  erg_tape_reset(tape);
  EXPECT_EQ(erg_network_forward(tape, &net, &w, nullptr, x, 1, true, nullptr, &out, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("node norm: batch_norm: found one value a channel"), std::string::npos)
      << error.message();
  erg_tape_free(tape);
}

TEST(Tape, ANetworkIsItsNodes) { // every kind of node, the gradient of all weights by differences
  test::SmallNet net(6, 5, 2,
                     {"{name: c1, op: conv2d, K: 4, kernel: 3, pad: [1, 0, 0, 1], stride: [2, 1], bias: yes}",
                      "{name: b1, op: batch_norm}", "{name: g1, op: gelu}",
                      "{name: c2, op: conv2d, K: 4, kernel: 1, groups: 2}", "{name: s, op: add, inputs: [c2, g1]}",
                      "{name: n1, op: layer_norm}", "{name: m, op: max_pool, kernel: 2, stride: 1}",
                      "{name: t, op: tanh}", "{name: u, op: gemm, K: 4, bias: yes}",
                      "{name: v, op: mul, inputs: [u, t]}", "{name: r, op: rms_norm}", "{name: i, op: instance_norm}",
                      "{name: a, op: avg_pool, kernel: [1, 2], stride: 1}", "{name: p, op: global_avg_pool}",
                      "{name: k, op: channel_mul, inputs: [a, p]}", "{name: f, op: fc, K: 3, bias: yes}"});
  test::Weights w(net), gradients(net);
  test::Random random(9);
  for (int i = 0; i < w.count; i++)
    for (int64_t at = 0; at < w.items[i].elements; at++) {
      w.items[i].values[at] = 0.5 * erg_random_normal(&random) + (w.items[i].trained ? 0 : 1.5);
      gradients.items[i].values[at] = 0;
    }
  Vector x(3 * 6 * 5 * 2);
  for (double &value : x) value = erg_random_normal(&random);
  const int labels[] = {2, 0, 1};
  erg_tape *tape = erg_tape_new();
  test::Error error;
  auto loss = [&](const erg_weights *into) {
    int out = -1;
    erg_tape_reset(tape);
    EXPECT_EQ(erg_network_forward(tape, &net, &w, into, x.data(), 3, false, nullptr, &out, &error), ERG_OK)
        << error.message();
    erg_tape_attrs attrs{};
    attrs.labels = labels;
    int ce = erg_tape_apply(tape, erg_tape_op_find("cross_entropy"), &attrs, &out, &error);
    EXPECT_GE(ce, 0) << error.message();
    if (into) EXPECT_EQ(erg_tape_backward(tape, ce, &error), ERG_OK);
    return erg_tape_value(tape, ce)[0];
  };
  loss(&gradients);
  for (int i = 0; i < w.count; i++) {
    if (!w.items[i].trained) continue;
    double difference = 0, size = 0;
    for (int64_t at = 0; at < w.items[i].elements; at++) {
      double kept = w.items[i].values[at], h = 1e-5;
      w.items[i].values[at] = kept + h;
      double above = loss(nullptr);
      w.items[i].values[at] = kept - h;
      double below = loss(nullptr), g = gradients.items[i].values[at];
      w.items[i].values[at] = kept;
      difference += std::pow((above - below) / (2 * h) - g, 2);
      size += g * g;
    }
    EXPECT_LT(std::sqrt(difference), 1e-6 * (std::sqrt(size) + 1e-3)) << w.items[i].name;
    EXPECT_GT(size, 0) << w.items[i].name;
  }
  erg_tape_free(tape);
}

TEST(Tape, AGramMatrixHandWorked) {
  // Two pixels of three channels, [1 2 0] and [3 -1 4]: sums of products over the pixels, by two.
  const double map[] = {1, 2, 0, 3, -1, 4}, wanted[] = {5, -0.5, 6, -0.5, 2.5, -2, 6, -2, 8};
  double gram[9];
  erg_gram(map, 2, 3, gram);
  for (int i = 0; i < 9; i++) EXPECT_EQ(gram[i], wanted[i]) << i;
  erg_tape *tape = erg_tape_new();
  test::Error error;
  const double two[] = {1, 2, 0, 3, -1, 4, 0, 0, 0, 2, 2, 2}; // an image each
  const int x = erg_tape_constant(tape, {2, 1, 2, 3}, two, &error),
            y = erg_tape_apply(tape, erg_tape_op_find("gram"), nullptr, &x, &error);
  ASSERT_GE(y, 0) << error.message();
  for (int i = 0; i < 9; i++) EXPECT_EQ(erg_tape_value(tape, y)[i], wanted[i]) << i;
  for (int i = 9; i < 18; i++) EXPECT_EQ(erg_tape_value(tape, y)[i], 2) << i;
  const Vector ones(12, 1);
  const int pair[] = {x, erg_tape_constant(tape, {2, 1, 2, 3}, ones.data(), &error)},
            e = erg_tape_apply(tape, erg_tape_op_find("squared_error"), nullptr, pair, &error);
  ASSERT_GE(e, 0) << error.message();
  EXPECT_DOUBLE_EQ(erg_tape_value(tape, e)[0], (0 + 1 + 1 + 4 + 4 + 9 + 3 + 3) / 12.0);
  erg_tape_free(tape);
}

TEST(Tape, NetworksFollowOneAnother) { // the first is trained through the second, which is not
  test::SmallNet first(4, 5, 2, {"{name: c, op: conv2d, K: 3, kernel: 3, pad: 1}", "{name: n, op: instance_norm}"}),
      second(4, 5, 3, {"{name: d, op: conv2d, K: 4, kernel: 2}", "{name: t, op: tanh}"});
  test::Weights w(first), gradients(first), fixed(second);
  erg_weights_initialize(&w, 3), erg_weights_initialize(&fixed, 4);
  test::Random random(11);
  Vector x(2 * 4 * 5 * 2), target(2 * 4 * 4);
  for (double &value : x) value = erg_random_normal(&random);
  for (double &value : target) value = erg_random_normal(&random);
  erg_tape *tape = erg_tape_new();
  test::Error error;
  auto loss = [&](const erg_weights *into) {
    int between = -1, end = -1;
    erg_tape_reset(tape);
    EXPECT_EQ(erg_network_forward(tape, &first, &w, into, x.data(), 2, true, nullptr, &between, &error), ERG_OK);
    EXPECT_EQ(erg_network_apply(tape, &second, &fixed, nullptr, between, false, nullptr, &end, &error), ERG_OK)
        << error.message();
    int pair[] = {erg_tape_apply(tape, erg_tape_op_find("gram"), nullptr, &end, &error), -1};
    pair[1] = erg_tape_constant(tape, erg_tape_shape(tape, pair[0]), target.data(), &error);
    const int sum = erg_tape_apply(tape, erg_tape_op_find("squared_error"), nullptr, pair, &error);
    EXPECT_GE(sum, 0) << error.message();
    if (into) EXPECT_EQ(erg_tape_backward(tape, sum, &error), ERG_OK) << error.message();
    return erg_tape_value(tape, sum)[0];
  };
  for (int i = 0; i < gradients.count; i++)
    std::fill(gradients.items[i].values, gradients.items[i].values + gradients.items[i].elements, 0);
  loss(&gradients);
  double difference = 0, size = 0;
  for (int i = 0; i < w.count; i++)
    for (int64_t at = 0; at < w.items[i].elements; at++) {
      double kept = w.items[i].values[at], h = 1e-5, g = gradients.items[i].values[at];
      w.items[i].values[at] = kept + h;
      double above = loss(nullptr);
      w.items[i].values[at] = kept - h;
      double below = loss(nullptr);
      w.items[i].values[at] = kept;
      difference += std::pow((above - below) / (2 * h) - g, 2);
      size += g * g;
    }
  EXPECT_GT(size, 0);
  EXPECT_LT(std::sqrt(difference), 1e-6 * std::sqrt(size));
  int end = -1;
  const int wrong = erg_tape_constant(tape, {2, 4, 5, 2}, x.data(), &error);
  EXPECT_EQ(erg_network_apply(tape, &second, &fixed, nullptr, wrong, false, nullptr, &end, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("found a map of 4 x 5 x 2; allowed: 4 x 5 x 3"), std::string::npos) << error.message();
  erg_tape_free(tape);
}

} // namespace
