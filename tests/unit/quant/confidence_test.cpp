// SPDX-License-Identifier: GPL-3.0-or-later
// Calibration errors against hand-worked tables, and the temperature against one that is known.
#include "support.hpp"
#include <cmath>
extern "C" {
#include "ergon/quant.h"
}

TEST(Confidence, HandWorked) {
  // Two classes; largest probabilities 0.9 (right), 0.9 (wrong), 0.6 (right), 0.5 (a tie: half right).
  const double a = std::log(9.0), b = std::log(1.5), logits[] = {a, 0, a, 0, 0, b, 2, 2};
  const int labels[] = {0, 1, 1, 0};
  erg_confidence c = erg_confidence_of(logits, 4, 2, labels);
  EXPECT_DOUBLE_EQ(c.accuracy, 2.5 / 4);
  EXPECT_NEAR(c.confidence, (0.9 + 0.9 + 0.6 + 0.5) / 4, 1e-15);
  EXPECT_NEAR(c.nll_nat, -(std::log(0.9) + std::log(0.1) + std::log(0.6) + std::log(0.5)) / 4, 1e-15);
  // Bins of 1/15: 0.9 in the 14th (0.867, 0.933]; 0.6 in the 9th, whose upper limit it is, or the 10th; 0.5 in the 8th.
  EXPECT_NEAR(c.ece, (std::fabs(1 - 1.8) + std::fabs(1 - 0.6) + std::fabs(0.5 - 0.5)) / 4, 1e-15);
  EXPECT_DOUBLE_EQ(c.bins[13].share, 0.5);
  EXPECT_DOUBLE_EQ(c.bins[13].accuracy, 0.5);
  EXPECT_NEAR(c.bins[13].confidence, 0.9, 1e-15);
  EXPECT_DOUBLE_EQ(c.bins[7].accuracy, 0.5);
  EXPECT_EQ(c.bins[0].share, 0);
  EXPECT_TRUE(std::isnan(c.bins[0].confidence));
}

TEST(Confidence, SharesAddUpAndBinsHoldTheirConfidences) {
  erg_random random;
  erg_random_stream(&random, 3, "confidence-test");
  for (int round = 0; round < 100; round++) {
    const int classes = static_cast<int>(erg_random_range(&random, 1, 12)), rows = 50;
    std::vector<double> logits(static_cast<size_t>(rows * classes));
    std::vector<int> labels(rows);
    for (double &x : logits) x = std::exp(3 * erg_random_normal(&random));
    for (int &l : labels) l = static_cast<int>(erg_random_range(&random, 0, classes - 1));
    erg_confidence c = erg_confidence_of(logits.data(), rows, classes, labels.data());
    double share = 0, ece = 0, accuracy = 0;
    for (int i = 0; i < ERG_CONFIDENCE_BINS; i++) {
      const erg_confidence_bin &b = c.bins[i];
      share += b.share;
      if (b.share == 0) continue;
      ece += b.share * std::fabs(b.accuracy - b.confidence), accuracy += b.share * b.accuracy;
      EXPECT_GT(b.confidence * ERG_CONFIDENCE_BINS, i - 1e-9);
      EXPECT_LE(b.confidence * ERG_CONFIDENCE_BINS, i + 1 + 1e-9);
    }
    EXPECT_NEAR(share, 1, 1e-12);
    EXPECT_NEAR(ece, c.ece, 1e-12);
    EXPECT_NEAR(accuracy, c.accuracy, 1e-12);
  }
}

// Labels drawn from softmax(logits / 3): the temperature is 3, within what 20 000 draws leave.
TEST(Confidence, TemperatureIsFound) {
  const int rows = 20000, classes = 5;
  erg_random random;
  erg_random_stream(&random, 5, "temperature-test");
  std::vector<double> logits(static_cast<size_t>(rows) * classes);
  std::vector<int> labels(rows);
  for (double &x : logits) x = 4 * erg_random_normal(&random);
  for (int row = 0; row < rows; row++) {
    const double *x = &logits[static_cast<size_t>(row) * classes];
    double sum = 0, at = erg_random_unit(&random);
    for (int k = 0; k < classes; k++) sum += std::exp(x[k] / 3);
    int k = 0;
    for (double before = 0; k < classes - 1; k++)
      if ((before += std::exp(x[k] / 3) / sum) > at) break;
    labels[static_cast<size_t>(row)] = k;
  }
  double temperature = 0;
  test::Error error;
  ASSERT_EQ(erg_temperature_fit(logits.data(), rows, classes, labels.data(), &temperature, &error), ERG_OK);
  EXPECT_NEAR(temperature, 3, 0.1);
  for (double &x : logits) x /= temperature; // a second fit has nothing left to do
  ASSERT_EQ(erg_temperature_fit(logits.data(), rows, classes, labels.data(), &temperature, &error), ERG_OK);
  EXPECT_NEAR(temperature, 1, 1e-4);
}

TEST(Confidence, NoTemperatureWhereAllLabelsAreRight) {
  const double logits[] = {1, 0, 0, 1};
  const int labels[] = {0, 1};
  double temperature = 0;
  test::Error error;
  EXPECT_EQ(erg_temperature_fit(logits, 2, 2, labels, &temperature, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("no minimum"), std::string::npos) << error.message();
}
