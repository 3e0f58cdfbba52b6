// SPDX-License-Identifier: GPL-3.0-or-later
// What folding does to weight grids, and what equalization gives back. 64 x 72 Gaussian weights, each channel times the
// gain of a batch norm, log-normal with deviation s; mean over channels of each one's SQNR after quantizing. Scales by
// the largest magnitude, as the field's folklore has it. Noise is the weights' own.
#include "integer_net.hpp"

namespace {

const int filters = 64, reduction = 72;

double mean_sqnr(const std::vector<double> &w, int bits, bool per_tensor) {
  std::vector<double> scale(filters);
  std::vector<int16_t> codes(w.size());
  erg_weight_scales(filters, reduction, w.data(), bits, {per_tensor, true}, scale.data());
  erg_weight_codes(filters, reduction, w.data(), bits, scale.data(), codes.data());
  double total = 0;
  for (int k = 0; k < filters; k++) {
    double signal = 0, noise = 0;
    for (int i = k * reduction; i < (k + 1) * reduction; i++) {
      double e = w[static_cast<size_t>(i)] - codes[static_cast<size_t>(i)] * scale[static_cast<size_t>(k)];
      signal += w[static_cast<size_t>(i)] * w[static_cast<size_t>(i)];
      noise += e * e;
    }
    total += 10 * std::log10(signal / noise);
  }
  return total / filters;
}

std::vector<double> folded(uint64_t seed, double s) {
  test::Random random(seed);
  std::vector<double> w(filters * reduction), folded_w(w.size()), gamma(filters), zero(filters), one(filters, 1),
      bias(filters);
  for (double &x : w) x = erg_random_normal(&random);
  for (double &g : gamma) g = std::exp(s * erg_random_normal(&random)) * std::sqrt(1 + 1e-5);
  erg_batch_norm_stats norm{gamma.data(), zero.data(), zero.data(), one.data(), 1e-5};
  EXPECT_EQ(erg_batch_norm_fold(filters, reduction, w.data(), nullptr, &norm, folded_w.data(), bias.data(), nullptr),
            ERG_OK);
  return folded_w;
}

TEST(FoldingStudy, PerTensorGridsCollapsePerChannelOnesDoNot) {
  const double gains[] = {0, 0.5, 1, 1.5};
  const int seeds = 20;
  std::printf(
      "mean SQNR of a channel [dB] after folding, %d seeds\n  gain sd  W8 tensor  W8 channel  W4 tensor  W4 channel\n",
      seeds);
  double table[4][4] = {};
  for (int s = 0; s < 4; s++) {
    for (int seed = 0; seed < seeds; seed++)
      for (int i = 0; i < 4; i++)
        table[s][i] += mean_sqnr(folded(static_cast<uint64_t>(seed + 1), gains[s]), i < 2 ? 8 : 4, i % 2 == 0) / seeds;
    std::printf("  %7.1f  %9.1f  %10.1f  %9.1f  %10.1f\n", gains[s], table[s][0], table[s][1], table[s][2],
                table[s][3]);
  }
  for (int bits8 : {0, 2}) {
    double flat = table[0][bits8 + 1];
    EXPECT_LT(flat - table[0][bits8], 5); /* without gains one scale a tensor loses little: the control */
    for (int s = 0; s < 4; s++) EXPECT_NEAR(table[s][bits8 + 1], flat, 1);
  }
  EXPECT_GE(table[2][1] - table[2][0], 15); /* at deviation 1 */
  EXPECT_GE(table[2][3] - table[2][2], 15);
}

// Two convolutions with a ReLU between, and gains moved between them: the function is what it was, the grids are not.
struct Pair {
  test::SmallNet net{6,
                     6,
                     8,
                     {"{name: c1, op: conv2d, K: 32, kernel: 3, pad: 1, bias: yes}", "{name: r, op: relu}",
                      "{name: c2, op: conv2d, K: 16, kernel: 3, pad: 1, bias: yes}"}};
  test::Weights weights{net}, equal{net};
  test::Examples data{net, 12, 3};
  explicit Pair(double s) {
    test::Random random(31);
    erg_weights_initialize(&weights, 5);
    for (int k = 0; k < 32; k++) {
      double gain = std::exp(s * erg_random_normal(&random));
      for (int i = 0; i < 72; i++) weights.named("c1.weight")->values[k * 72 + i] *= gain;
      weights.named("c1.bias")->values[k] = 0.1 * gain * erg_random_normal(&random);
      for (int i = 0; i < 16 * 9; i++) weights.named("c2.weight")->values[i * 32 + k] /= gain;
    }
    for (int i = 0; i < weights.count; i++)
      std::copy(weights.items[i].values, weights.items[i].values + weights.items[i].elements, equal.items[i].values);
    int pairs = 0;
    test::Error error;
    EXPECT_EQ(erg_equalize(&net, &equal, &pairs, &error), ERG_OK) << error.message();
    EXPECT_EQ(pairs, 1);
  }
  double sqnr(const test::Weights &w, bool per_tensor) {
    test::Calibration c(net, w, data);
    erg_quantize_options o = test::options("w8a12");
    o.weight_grid = {per_tensor, true};
    test::Quantized q(net, w, c, o);
    test::FloatRun reference(net, w);
    test::IntegerRun run(q, ERG_INTEGER_FAST);
    double signal = 0, noise = 0;
    for (int n = 0; n < data.count; n++) {
      const double *x = reference.forward(data.values.data() + n * 288, 3);
      run.forward(data.values.data() + n * 288);
      for (int i = 0; i < 576; i++) {
        double e = x[i] - erg_grid_real(q.grids[3], run.at(3)[i]);
        signal += x[i] * x[i], noise += e * e;
      }
    }
    return 10 * std::log10(signal / noise);
  }
};

TEST(Equalize, RecoversTenDecibelsOfAPairWithUnequalChannels) {
  Pair pair(1);
  test::FloatRun a(pair.net, pair.weights), b(pair.net, pair.equal);
  double most = 0, apart = 0;
  for (int n = 0; n < pair.data.count; n++) {
    const double *x = a.forward(pair.data.values.data() + n * 288, 3),
                 *y = b.forward(pair.data.values.data() + n * 288, 3);
    for (int i = 0; i < 576; i++)
      most = std::max(most, std::fabs(x[i])), apart = std::max(apart, std::fabs(x[i] - y[i]));
  }
  EXPECT_GT(most, 0.5);
  EXPECT_LE(apart, 1e-9 * most); /* the float function stays */
  double before = pair.sqnr(pair.weights, true), after = pair.sqnr(pair.equal, true);
  std::printf("per-tensor weights, 8 bits: %.1f dB, equalized %.1f dB (per channel %.1f dB)\n", before, after,
              pair.sqnr(pair.weights, false));
  EXPECT_GE(after - before, 10);
  Pair flat(0); /* control: nothing to recover */
  EXPECT_LT(std::fabs(flat.sqnr(flat.equal, true) - flat.sqnr(flat.weights, true)), 3);
}

// Behind a batch norm the scale moves in its affine; pools let it through, an FC takes it.
TEST(Equalize, ThroughBatchNormsPoolsAndDepthwise) {
  test::SmallNet net(6, 6, 3,
                     {"{name: c1, op: conv2d, K: 4, kernel: 1, bias: yes}", "{name: b1, op: batch_norm}",
                      "{name: r1, op: relu}", "{name: dw, op: conv2d, K: 4, kernel: 3, pad: 1, groups: 4}",
                      "{name: b2, op: batch_norm}", "{name: r2, op: relu}",
                      "{name: p, op: avg_pool, kernel: 2, stride: 2}", "{name: fc, op: fc, K: 3}"});
  test::Weights weights(net), equal(net);
  test::fill(net, &weights, 3);
  for (int i = 0; i < weights.count; i++)
    std::copy(weights.items[i].values, weights.items[i].values + weights.items[i].elements, equal.items[i].values);
  weights.named("b1.weight")->values[2] = equal.named("b1.weight")->values[2] = 20;
  int pairs = 0;
  test::Error error;
  ASSERT_EQ(erg_equalize(&net, &equal, &pairs, &error), ERG_OK) << error.message();
  EXPECT_EQ(pairs, 2);
  EXPECT_LT(std::fabs(equal.named("b1.weight")->values[2]), 15); /* it moved */
  test::Examples data(net, 4, 2);
  test::FloatRun a(net, weights), b(net, equal);
  for (int n = 0; n < 4; n++) {
    const double *x = a.forward(data.values.data() + n * 108, 8), *y = b.forward(data.values.data() + n * 108, 8);
    for (int i = 0; i < 3; i++) EXPECT_NEAR(x[i], y[i], 1e-9 * (1 + std::fabs(x[i])));
  }
}

TEST(Equalize, ALimitAForkOrAGateStopsIt) {
  test::SmallNet net(4, 4, 2,
                     {"{name: c1, op: conv2d, K: 2, kernel: 1}", "{name: r1, op: relu6}",
                      "{name: c2, op: conv2d, K: 2, kernel: 1}", "{name: add, op: add, inputs: [c2, r1]}",
                      "{name: c3, op: conv2d, K: 2, kernel: 1}", "{name: s, op: sigmoid}", "{name: fc, op: fc, K: 2}"});
  test::Weights weights(net);
  test::fill(net, &weights, 3);
  int pairs = -1;
  test::Error error;
  ASSERT_EQ(erg_equalize(&net, &weights, &pairs, &error), ERG_OK);
  EXPECT_EQ(pairs, 0);
}

} // namespace
