// SPDX-License-Identifier: GPL-3.0-or-later
// From real weights to integers: folding, refreshing, widths, what is refused.
#include "integer_net.hpp"

namespace {

std::vector<std::string> conv_bn() {
  return {"{name: conv, op: conv2d, K: 6, kernel: 3, pad: 1, bias: yes}", "{name: bn, op: batch_norm}",
          "{name: relu, op: relu}", "{name: fc, op: fc, K: 4, bias: yes}"};
}
std::vector<std::string> conv_alone() {
  return {"{name: conv, op: conv2d, K: 6, kernel: 3, pad: 1, bias: yes}", "{name: relu, op: relu}",
          "{name: fc, op: fc, K: 4, bias: yes}"};
}

void copy(const test::Weights &from, test::Weights &to, const std::string &name) {
  const erg_parameter *a = from.named(name), *b = to.named(name);
  std::copy(a->values, a->values + a->elements, b->values);
}

// A batch norm by hand into the convolution before it.
void fold(const test::Weights &w, test::Weights &folded) {
  const erg_parameter *conv = w.named("conv.weight");
  int64_t reduction = conv->elements / conv->extents[0];
  for (int64_t k = 0; k < conv->extents[0]; k++) {
    double a = w.named("bn.weight")->values[k] / std::sqrt(w.named("bn.running_var")->values[k] + 1e-5);
    for (int64_t i = 0; i < reduction; i++)
      folded.named("conv.weight")->values[k * reduction + i] = a * conv->values[k * reduction + i];
    folded.named("conv.bias")->values[k] =
        w.named("bn.bias")->values[k] + (w.named("conv.bias")->values[k] - w.named("bn.running_mean")->values[k]) * a;
  }
  copy(w, folded, "fc.weight");
  copy(w, folded, "fc.bias");
}

struct Folded {
  test::SmallNet net{6, 5, 3, conv_bn()}, alone{6, 5, 3, conv_alone()};
  test::Weights weights{net}, folded{alone};
  test::Examples data{net, 16, 7};
  Folded() {
    test::fill(net, &weights, 11);
    fold(weights, folded);
  }
};

TEST(QuantFold, TheFloatFunctionStays) {
  Folded f;
  test::FloatRun a(f.net, f.weights), b(f.alone, f.folded);
  double most = 0, apart = 0;
  for (int i = 0; i < f.data.count; i++) {
    const double *x = f.data.values.data() + i * 90, *ya = a.forward(x, 4), *yb = b.forward(x, 3);
    for (int k = 0; k < 4; k++)
      most = std::max(most, std::fabs(ya[k])), apart = std::max(apart, std::fabs(ya[k] - yb[k]));
  }
  EXPECT_GT(most, 0.1);
  EXPECT_LE(apart, 1e-5 * most);
}

TEST(QuantFold, TheIntegersAreThoseOfTheFoldedNetwork) {
  Folded f;
  test::Calibration ca(f.net, f.weights, f.data);
  for (const char *p : {"int8", "w4a8", "w2a3"}) {
    /* the same grids on both sides: floats of the two differ in their last bits */
    test::Calibration cb(f.alone, f.folded, f.data);
    for (auto [to, from] : {std::pair{0, 0}, {1, 2}, {2, 3}, {3, 4}}) {
      cb.low[to] = ca.low[from], cb.high[to] = ca.high[from];
    }
    test::Quantized a(f.net, f.weights, ca, test::options(p)), b(f.alone, f.folded, cb, test::options(p));
    ASSERT_EQ(a.plan.pass_count, 2);
    ASSERT_EQ(b.plan.pass_count, 2);
    test::IntegerRun ra(a, ERG_INTEGER_GOLDEN), rb(b, ERG_INTEGER_GOLDEN);
    for (int i = 0; i < f.data.count; i++) {
      ra.forward(f.data.values.data() + i * 90);
      rb.forward(f.data.values.data() + i * 90);
      for (int k = 0; k < 6 * 5 * 6; k++) ASSERT_EQ(ra.at(3)[k], rb.at(2)[k]) << p << " element " << k;
      for (int k = 0; k < 4; k++) ASSERT_EQ(ra.at(4)[k], rb.at(3)[k]) << p;
    }
  }
}

TEST(QuantRefresh, ChangedWeightsGiveTheSameAsQuantizingAgain) {
  Folded f;
  test::Calibration c(f.net, f.weights, f.data);
  test::Quantized changed(f.net, f.weights, c, test::options("w5a8"));
  f.weights.named("conv.weight")->values[7] += 2;
  f.weights.named("bn.bias")->values[2] -= 1;
  f.weights.named("fc.weight")->values[3] *= -3;
  test::Quantized anew(f.net, f.weights, c, test::options("w5a8"));
  EXPECT_NE(changed.layers[0].codes.bias[2], anew.layers[0].codes.bias[2]);
  test::Error error;
  ASSERT_EQ(erg_quantized_refresh(&changed, &f.weights, &error), ERG_OK) << error.message();
  for (int i = 0; i < anew.plan.pass_count; i++) {
    const erg_quantized_layer &a = changed.layers[i], &b = anew.layers[i];
    for (int k = 0; k < anew.plan.passes[i].conv.filters; k++) {
      EXPECT_EQ(a.codes.bias[k], b.codes.bias[k]);
      EXPECT_EQ(a.codes.scale[k].multiplier, b.codes.scale[k].multiplier);
      EXPECT_EQ(a.codes.scale[k].shift, b.codes.scale[k].shift);
      for (int64_t j = 0; j < a.reduction; j++)
        EXPECT_EQ(a.codes.weight[k * a.reduction + j], b.codes.weight[k * a.reduction + j]);
    }
  }
}

// A filter of zeros (gamma = 0) is the constant beta, and comes out as its code.
TEST(QuantFold, AChannelOfZerosKeepsItsBias) {
  Folded f;
  f.weights.named("bn.weight")->values[1] = 0;
  f.weights.named("bn.bias")->values[1] = 0.7;
  test::Calibration c(f.net, f.weights, f.data);
  test::Quantized q(f.net, f.weights, c, test::options("int8"));
  test::IntegerRun run(q, ERG_INTEGER_FAST);
  run.forward(f.data.values.data());
  for (int i = 0; i < 30; i++)
    EXPECT_NEAR(erg_grid_real(q.grids[3], run.at(3)[i * 6 + 1]), 0.7, 0.51 * q.grids[3].scale);
}

// A bias that is huge beside its weights widens the weights' step instead of wrapping the accumulator.
TEST(QuantFold, AHugeBiasDoesNotWrap) {
  Folded f;
  for (int i = 0; i < 27; i++) f.weights.named("conv.weight")->values[i] = 1e-9 * (i - 13);
  f.weights.named("bn.bias")->values[0] = 5;
  f.weights.named("bn.running_mean")->values[0] = f.weights.named("conv.bias")->values[0] = 0;
  test::Calibration c(f.net, f.weights, f.data);
  test::Quantized q(f.net, f.weights, c, test::options("int8"));
  EXPECT_LE(std::llabs(q.layers[0].codes.bias[0]), int64_t{1} << 30);
  test::IntegerRun run(q, ERG_INTEGER_GOLDEN);
  run.forward(f.data.values.data());
  EXPECT_NEAR(erg_grid_real(q.grids[3], run.at(3)[0]), 5, 0.51 * q.grids[3].scale);
}

TEST(QuantWidths, ATensorIsAsNarrowAsItsProducerAndReadersSay) {
  test::SmallNet net(4, 4, 2,
                     {"{name: a, op: conv2d, K: 3, kernel: 1, bias: yes}",
                      "{name: pool, op: max_pool, kernel: 2, stride: 2}",
                      "{name: b, op: conv2d, K: 3, kernel: 1, bias: yes}", "{name: c, op: fc, K: 2, bias: yes}"});
  test::Weights weights(net);
  test::fill(net, &weights, 2);
  test::Examples data(net, 4, 3);
  test::Calibration calibration(net, weights, data);
  std::vector<erg_precision> layers(static_cast<size_t>(net.node_count));
  layers[1] = test::precision("w8a6"), layers[3] = test::precision("w3a4o7"), layers[4] = test::precision("w5a8o5");
  erg_quantize_options o = test::options("int8");
  o.layers = layers.data();
  test::Quantized q(net, weights, calibration, o);
  EXPECT_EQ(q.grids[0].bits, 6); /* a reads it */
  EXPECT_EQ(q.grids[1].bits, 4); /* a writes 6, the pool keeps, b reads 4 */
  EXPECT_EQ(q.grids[2].bits, 4);
  EXPECT_EQ(q.grids[2].scale, q.grids[1].scale);
  EXPECT_EQ(q.grids[3].bits, 7); /* b writes 7, c reads 8 */
  EXPECT_EQ(q.grids[4].bits, 5); /* nobody reads it */
  EXPECT_EQ(q.layers[2].precision.weight_bits, 3);
}

TEST(QuantErrors, SaysWhatIsMissingAllAtOnce) {
  Folded f;
  test::Calibration c(f.net, f.weights, f.data);
  f.weights.named("conv.weight")->node = 99;
  f.weights.named("fc.bias")->elements = 3;
  f.weights.named("bn.running_var")->values[1] = -1;
  erg_quantized q{};
  erg_quantize_options o = test::options("int8");
  test::Error error, unsupported;
  EXPECT_EQ(erg_quantize(&f.net, &f.weights, &c, &o, &q, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("conv.weight is missing"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("fc.bias: found 3 values; wanted 4"), std::string::npos) << error.message();
  o = test::options("fp16");
  EXPECT_EQ(erg_quantize(&f.net, &f.weights, &c, &o, &q, &unsupported), ERG_ERR_UNSUPPORTED);
}

} // namespace
