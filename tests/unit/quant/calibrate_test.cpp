// SPDX-License-Identifier: GPL-3.0-or-later
// Grids and calibrated ranges against values worked by hand, and weight scales against an exhaustive search.
#include "integer_net.hpp"
#include <algorithm>
#include <numeric>

namespace {

TEST(QuantGrid, ZeroIsACodeAndTheEndsAreReached) {
  erg_grid g = erg_grid_over({0, 2.55}, 8); /* a ReLU's: zero is the lowest code */
  EXPECT_DOUBLE_EQ(g.scale, 0.01);
  EXPECT_EQ(g.zero_point, -128);
  g = erg_grid_over({-1, 2}, 2); /* codes -2..1 over three units: step 1, zero at -1 */
  EXPECT_DOUBLE_EQ(g.scale, 1);
  EXPECT_EQ(g.zero_point, -1);
  g = erg_grid_over({-1.7, 1.3}, 2); /* -0.3 is rounded to the nearest code */
  EXPECT_EQ(g.zero_point, 0);
  g = erg_grid_over({3, 5}, 4); /* 0 is always inside */
  EXPECT_DOUBLE_EQ(g.scale, 5.0 / 15);
  EXPECT_EQ(g.zero_point, -8);
  g = erg_grid_over({-5, -3}, 4);
  EXPECT_EQ(g.zero_point, 7);
  g = erg_grid_over({0, 0}, 8);
  EXPECT_EQ(g.scale, 1);
  EXPECT_EQ(g.zero_point, 0);
  EXPECT_DOUBLE_EQ(erg_grid_real({0.5, 3, 8}, -1), -2);
}

// A network of one ReLU, so that ranges are those of the data.
struct Line {
  test::SmallNet net{1, 1, 1, {"{name: relu, op: relu}"}};
  test::Weights weights{net};
  test::Examples data;
  std::unique_ptr<test::Calibration> calibration;
  explicit Line(const std::vector<double> &values) : data(net, static_cast<int>(values.size()), 1) {
    data.values = values;
    data.inputs = data.values.data();
    calibration = std::make_unique<test::Calibration>(net, weights, data);
  }
  erg_range range(int node, erg_calibration_method method, double percent = 0, int bits = 8) const {
    return erg_calibration_range(calibration.get(), node, method, percent, bits);
  }
};

std::vector<double> one_to(int count, double scale) {
  std::vector<double> values;
  for (int i = 1; i <= count; i++) values.push_back(i * scale);
  return values;
}

TEST(QuantCalibrate, MinMaxTakesTheExtremes) {
  Line line({-3, 7, 0.5, -1});
  erg_range input = line.range(0, ERG_CALIBRATE_MIN_MAX), relu = line.range(1, ERG_CALIBRATE_MIN_MAX);
  EXPECT_EQ(input.low, -3);
  EXPECT_EQ(input.high, 7);
  EXPECT_EQ(relu.low, 0);
  EXPECT_EQ(relu.high, 7);
}

TEST(QuantCalibrate, PercentileIsTheNearestRankOnBothSides) {
  Line line(one_to(1000, 1));
  EXPECT_EQ(line.range(0, ERG_CALIBRATE_PERCENTILE).high, 999); /* 99.9 % of 1000 lie at or below it */
  EXPECT_EQ(line.range(0, ERG_CALIBRATE_PERCENTILE).low, 0);    /* 2 is the value, and 0 is always inside */
  EXPECT_EQ(line.range(0, ERG_CALIBRATE_PERCENTILE, 99).high, 990);
  EXPECT_EQ(line.range(0, ERG_CALIBRATE_PERCENTILE, 100).high, 1000);
  Line below(one_to(1000, -1));
  EXPECT_EQ(below.range(0, ERG_CALIBRATE_PERCENTILE).low, -999);
  EXPECT_EQ(below.range(0, ERG_CALIBRATE_PERCENTILE, 99).low, -990);
  EXPECT_EQ(below.range(1, ERG_CALIBRATE_PERCENTILE).high, 0); /* the ReLU of it */
}

TEST(QuantCalibrate, ASampleOfManyValuesIsSpreadOverAll) {
  Line line(one_to(200000, 1)); /* one of four is kept */
  EXPECT_EQ(line.range(0, ERG_CALIBRATE_MIN_MAX).high, 200000);
  EXPECT_NEAR(line.range(0, ERG_CALIBRATE_PERCENTILE).high, 199800, 20);
}

// One loud channel of 16, in a tensor of 16 times as many values as are kept: no stride may miss it.
TEST(QuantCalibrate, ASampleMeetsEveryChannel) {
  for (int loud : {0, 5, 15}) {
    test::SmallNet net(16, 16, 16, {"{name: relu, op: relu}"});
    test::Weights weights(net);
    test::Examples data(net, 256, 1);
    for (size_t i = 0; i < data.values.size(); i++) data.values[i] = i % 16 == static_cast<size_t>(loud) ? 100 : 1;
    test::Calibration c(net, weights, data);
    EXPECT_NEAR(static_cast<double>(c.sample_count[1]), 65536, 100);
    int64_t found = 0;
    for (int64_t i = 0; i < c.sample_count[1]; i++) found += c.sample[1][i] == 100;
    EXPECT_NEAR(static_cast<double>(found), 4096, 100) << loud;
  }
}

double error_of(const std::vector<double> &values, double low, double high, int bits) {
  int levels = (1 << bits) - 1;
  double step = (high - low) / levels, zero = std::rint(-low / step), error = 0; /* codes 0 .. levels */
  for (double x : values) {
    double q = std::min(std::max(std::rint(x / step) + zero, 0.0), static_cast<double>(levels));
    error += std::pow(x - (q - zero) * step, 2);
  }
  return error;
}

TEST(QuantCalibrate, MseIsTheBestOfTheShrinkings) {
  test::Random random(4);
  for (int bits : {2, 3, 4, 8}) {
    std::vector<double> values;
    for (int i = 0; i < 500; i++) values.push_back(erg_random_normal(&random));
    Line line(values);
    erg_range got = line.range(0, ERG_CALIBRATE_MSE, 0, bits), most = line.range(0, ERG_CALIBRATE_MIN_MAX);
    double best = INFINITY;
    for (int i = 1; i <= 64; i++) best = std::min(best, error_of(values, most.low * i / 64, most.high * i / 64, bits));
    EXPECT_NEAR(error_of(values, got.low, got.high, bits), best, 1e-9 * best) << bits;
    if (bits < 8) EXPECT_LT(best, 0.9 * error_of(values, most.low, most.high, bits)) << bits;
  }
}

// Of many values the interior is sampled: within 1 % of the best that looking at each finds.
TEST(QuantCalibrate, MseOfManyValuesIsAsGood) {
  test::Random random(6);
  for (int bits : {3, 6, 8}) {
    std::vector<double> values;
    for (int i = 0; i < 65000; i++) values.push_back(erg_random_normal(&random) * (i % 500 ? 1 : 6));
    Line line(values);
    erg_range got = line.range(0, ERG_CALIBRATE_MSE, 0, bits), most = line.range(0, ERG_CALIBRATE_MIN_MAX);
    double best = INFINITY;
    for (int i = 1; i <= 64; i++) best = std::min(best, error_of(values, most.low * i / 64, most.high * i / 64, bits));
    EXPECT_LE(error_of(values, got.low, got.high, bits), 1.01 * best) << bits;
  }
}

TEST(QuantCalibrate, RefusesAnEmptySetAnotherShapeAndNoNumbers) {
  test::SmallNet net(2, 2, 1, {"{name: relu, op: relu}"});
  test::Weights weights(net);
  test::Examples data(net, 3, 1);
  erg_calibration c{};
  data.count = 0;
  test::Error empty, shape, nan;
  EXPECT_EQ(erg_calibrate(&net, &weights, &data, &c, &empty), ERG_ERR_DATA);
  data.count = 3;
  data.shape.c = 2;
  EXPECT_EQ(erg_calibrate(&net, &weights, &data, &c, &shape), ERG_ERR_DATA);
  EXPECT_NE(shape.message().find("[2, 2, 1]"), std::string::npos) << shape.message();
  data.shape.c = 1;
  data.values[5] = INFINITY;
  EXPECT_EQ(erg_calibrate(&net, &weights, &data, &c, &nan), ERG_ERR_DATA);
}

double weight_error(const std::vector<double> &w, double scale, int bits) {
  double top = (1 << (bits - 1)) - 1, error = 0;
  for (double x : w) error += std::pow(x - scale * std::min(std::max(std::rint(x / scale), -top), top), 2);
  return error;
}

// The search stops at a local optimum; over Gaussian and long-tailed weights it is within 6 % (0.25 dB) of the best of
// four thousand scales, and never worse than the largest magnitude's.
TEST(QuantWeights, LeastSquaresIsNearTheBestOfAllScales) {
  test::Random random(5);
  for (int bits = 2; bits <= 8; bits++)
    for (int round = 0; round < 20; round++) {
      std::vector<double> w(72);
      for (double &x : w) x = erg_random_normal(&random) * (round % 2 ? 1 : std::exp(erg_random_normal(&random)));
      double got, widest, best = INFINITY;
      erg_weight_scales(1, 72, w.data(), bits, {false, false}, &got);
      erg_weight_scales(1, 72, w.data(), bits, {false, true}, &widest);
      double most = 0;
      for (double x : w) most = std::max(most, std::fabs(x));
      EXPECT_DOUBLE_EQ(widest, most / ((1 << (bits - 1)) - 1));
      for (int i = 1; i <= 4000; i++) best = std::min(best, weight_error(w, widest * i / 4000, bits));
      EXPECT_LE(weight_error(w, got, bits), 1.06 * best) << bits << " bits, round " << round;
      EXPECT_LE(weight_error(w, got, bits), weight_error(w, widest, bits) * (1 + 1e-12));
    }
}

TEST(QuantWeights, CodesAreSymmetricTiesToEvenAndZerosHaveNoScale) {
  std::vector<double> w = {0.5, 1.5, -2.5, 9, -9, 0}, zeros(6), scale(1);
  std::vector<int16_t> codes(6);
  double one = 1;
  erg_weight_codes(1, 6, w.data(), 4, &one, codes.data());
  EXPECT_EQ(codes, (std::vector<int16_t>{0, 2, -2, 7, -7, 0}));
  erg_weight_scales(1, 6, zeros.data(), 4, {false, false}, scale.data());
  EXPECT_EQ(scale[0], 0);
  erg_weight_codes(1, 6, w.data(), 4, scale.data(), codes.data());
  EXPECT_EQ(codes, std::vector<int16_t>(6));
  std::vector<double> two = {1, 1, 4, 4}, scales(2);
  erg_weight_scales(2, 2, two.data(), 8, {true, true}, scales.data());
  EXPECT_EQ(scales[0], scales[1]);
  erg_weight_scales(2, 2, two.data(), 8, {false, true}, scales.data());
  EXPECT_DOUBLE_EQ(scales[1], 4 * scales[0]);
}

} // namespace
