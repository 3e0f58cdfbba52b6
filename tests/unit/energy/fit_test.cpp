// SPDX-License-Identifier: GPL-3.0-or-later
// The fit against closed forms and against refitting by hand; what it refuses; the reader of measurements.
#include "ergon/fit.h"
#include "technology.hpp"
#include <cmath>

namespace {

struct Fit : erg_fit_result {
  test::Error error;
  erg_status status;
  explicit Fit(const erg_fit_input &in) : erg_fit_result{} { status = erg_fit(&in, this, &error); }
  ~Fit() {
    if (status == ERG_OK) erg_fit_free(this);
  }
};

struct Data {
  std::vector<double> x, y;
  erg_fit_input in{};
  Data(int rows, int terms, uint64_t seed, std::vector<double> truth, double noise) {
    test::Random random(seed);
    for (int i = 0; i < rows; i++) {
      double sum = 0;
      for (int k = 0; k < terms; k++) {
        x.push_back(1 + 9 * random.unit());
        sum += truth[static_cast<size_t>(k)] * x.back();
      }
      y.push_back(sum * std::exp(noise * erg_random_normal(&random)));
    }
    in.rows = rows;
    in.terms = terms;
    in.x = x.data();
    in.y = y.data();
    const char *names[] = {"a", "b", "d", "p0"};
    for (int k = 0; k < 4; k++) in.names[k] = names[k];
  }
};

} // namespace

TEST(Fit, RecoversWhatWasPlanted) {
  Data d(12, 3, 5, {2, 0.5, 7}, 0);
  Fit f(d.in);
  ASSERT_EQ(f.status, ERG_OK) << f.error.message();
  EXPECT_NEAR(f.coefficients[0].value, 2, 1e-9);
  EXPECT_NEAR(f.coefficients[1].value, 0.5, 1e-9);
  EXPECT_NEAR(f.coefficients[2].value, 7, 1e-9);
  for (int k = 0; k < 3; k++) EXPECT_TRUE(f.coefficients[k].identified);
}

// One coefficient: c = mean of y/x-like terms in closed form, and t(0.975, 9) = 2.262157 by the tables.
TEST(Fit, OneCoefficientIsItsClosedFormWithItsTInterval) {
  Data d(10, 1, 6, {3}, 0.1);
  Fit f(d.in);
  ASSERT_EQ(f.status, ERG_OK);
  double xx = 0, xy = 0, ss = 0;
  for (size_t i = 0; i < 10; i++) xx += std::pow(d.x[i] / d.y[i], 2), xy += d.x[i] / d.y[i];
  double c = xy / xx;
  for (size_t i = 0; i < 10; i++) ss += std::pow(c * d.x[i] / d.y[i] - 1, 2);
  EXPECT_NEAR(f.coefficients[0].value, c, 1e-12);
  EXPECT_NEAR(f.coefficients[0].half_width, 2.262157 * std::sqrt(ss / 9 / xx), 1e-6);
  EXPECT_NEAR(f.rms_relative_error, std::sqrt(ss / 9), 1e-12);
}

// Of many data sets, 95 % of the intervals hold the truth.
TEST(Fit, IntervalsHoldTheTruthAsOftenAsTheySay) {
  int held = 0;
  for (uint64_t seed = 0; seed < 400; seed++) {
    Data d(8, 2, 1000 + seed, {4, 3}, 0.05);
    Fit f(d.in);
    held += std::fabs(f.coefficients[0].value - 4) < f.coefficients[0].half_width;
  }
  EXPECT_NEAR(held / 400.0, 0.95, 0.035);
}

TEST(Fit, LeftOutResidualsAreThoseOfLeavingOut) {
  Data d(9, 2, 8, {4, 3}, 0.1);
  Fit f(d.in);
  ASSERT_EQ(f.status, ERG_OK);
  for (size_t out = 0; out < 9; out++) {
    Data less = d;
    less.x.erase(less.x.begin() + static_cast<long>(2 * out), less.x.begin() + static_cast<long>(2 * out) + 2);
    less.y.erase(less.y.begin() + static_cast<long>(out));
    less.in.rows = 8;
    less.in.x = less.x.data();
    less.in.y = less.y.data();
    Fit g(less.in);
    double guess = g.coefficients[0].value * d.x[2 * out] + g.coefficients[1].value * d.x[2 * out + 1];
    EXPECT_NEAR(f.left_out[out], guess / d.y[out] - 1, 1e-10);
  }
}

// y = c x with one prior: the mean of both weighted by their variances.
TEST(Fit, APriorIsOneMoreRow) {
  Data d(4, 1, 9, {3}, 0.02);
  d.in.relative_error = 0.1;
  d.in.prior[0] = 5;
  d.in.prior_sigma[0] = 0.2;
  Fit f(d.in);
  ASSERT_EQ(f.status, ERG_OK);
  double above = 5 / 0.04, below = 1 / 0.04;
  for (size_t i = 0; i < 4; i++) above += d.x[i] / d.y[i] / 0.01, below += std::pow(d.x[i] / d.y[i] / 0.1, 2);
  EXPECT_NEAR(f.coefficients[0].value, above / below, 1e-12);
}

TEST(Fit, WhatOnlyThePriorSaysIsNotIdentified) {
  Data d(6, 2, 10, {3, 1}, 0.02);
  for (size_t i = 0; i < 6; i++) d.x[2 * i + 1] = 1e-9; // the second term moves nothing
  for (size_t i = 0; i < 6; i++) d.y[i] = 3 * d.x[2 * i];
  d.in.prior[1] = 8;
  d.in.prior_sigma[1] = 2;
  Fit f(d.in);
  ASSERT_EQ(f.status, ERG_OK) << f.error.message();
  EXPECT_NEAR(f.coefficients[1].value, 8, 1e-6);
  EXPECT_TRUE(f.coefficients[1].rests_on_prior);
  EXPECT_FALSE(f.coefficients[1].identified);
}

TEST(Fit, ANegativeCoefficientIsHeldAndSaid) {
  Data d(10, 2, 11, {5, 1}, 0);
  for (size_t i = 0; i < 10; i++) d.y[i] = 5 * d.x[2 * i] - 0.3 * d.x[2 * i + 1];
  Fit f(d.in);
  ASSERT_EQ(f.status, ERG_OK);
  const bool negative = f.coefficients[1].raw < 0;
  ASSERT_TRUE(negative) << f.coefficients[1].raw;
  EXPECT_TRUE(f.coefficients[1].held);
  EXPECT_FALSE(f.coefficients[1].identified);
  EXPECT_EQ(f.coefficients[1].value, 0);
  Data alone = d;
  std::vector<double> x;
  for (size_t i = 0; i < 10; i++) x.push_back(d.x[2 * i]);
  alone.in.terms = 1;
  alone.in.x = x.data();
  Fit g(alone.in);
  EXPECT_NEAR(f.coefficients[0].value, g.coefficients[0].value, 1e-12) << "the others were fitted again";
  d.in.prior[1] = 0.1;
  d.in.prior_sigma[1] = 100;
  Fit h(d.in);
  EXPECT_EQ(h.coefficients[1].value, 0.1) << "held at its prior";
}

TEST(Fit, RefusesTooFewCollinearNegativeAndNan) {
  Data few(2, 2, 12, {1, 1}, 0);
  Fit a(few.in);
  EXPECT_EQ(a.status, ERG_ERR_DATA);
  EXPECT_NE(a.error.message().find("at least one more"), std::string::npos);
  Data together(8, 2, 13, {1, 1}, 0);
  for (size_t i = 0; i < 8; i++) together.x[2 * i + 1] = 2 * together.x[2 * i];
  Fit b(together.in);
  EXPECT_EQ(b.status, ERG_ERR_DATA);
  EXPECT_NE(b.error.message().find("cannot be told apart"), std::string::npos) << b.error.message();
  for (double bad : {-1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    Data d(8, 2, 14, {1, 1}, 0);
    d.x[5] = bad;
    Fit c(d.in);
    EXPECT_EQ(c.status, ERG_ERR_DATA) << bad;
    d.x[5] = 1;
    d.y[3] = bad;
    Fit e(d.in);
    EXPECT_EQ(e.status, ERG_ERR_DATA) << bad;
  }
  Data zero(8, 1, 15, {1}, 0);
  zero.y[0] = 0;
  Fit z(zero.in);
  EXPECT_EQ(z.status, ERG_ERR_DATA);
}

TEST(Csv, QuotesCommentsAndFaultsWithTheirLine) {
  test::Error error;
  erg_csv csv{};
  ASSERT_EQ(erg_csv_parse("t.csv", "# a\nname,macs\r\n\"a, \"\"b\"\"\",3e9\r\n\nc,4\n", &csv, &error), ERG_OK)
      << error.message();
  EXPECT_EQ(csv.rows, 2);
  EXPECT_STREQ(csv.cells[0][0], "a, \"b\"");
  EXPECT_EQ(csv.lines[1], 5);
  double value;
  EXPECT_EQ(erg_csv_number(&csv, 0, 1, 0, &value, &error), ERG_OK);
  EXPECT_EQ(value, 3e9);
  EXPECT_EQ(erg_csv_number(&csv, 1, 0, 0, &value, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("t.csv:5: name: found 'c'"), std::string::npos) << error.message();
  erg_csv_free(&csv);
  for (const char *bad : {"", "a,b\n", "a,b\n1\n", "a\n\"x\n", "# only\n"}) {
    test::Error fault;
    EXPECT_EQ(erg_csv_parse("t.csv", bad, &csv, &fault), ERG_ERR_DATA) << bad;
  }
}

TEST(Measured, UnitsAndZerosAndMissingColumns) {
  test::Error error;
  erg_csv csv{};
  ASSERT_EQ(erg_csv_parse("t.csv", "layer,power_mw,time_ms,macs,zeros_pct\nx,100,2,1000,25\n", &csv, &error), ERG_OK);
  erg_measured m{};
  ASSERT_EQ(erg_measured_of(&csv, nullptr, nullptr, nullptr, &m, &error), ERG_OK) << error.message();
  EXPECT_EQ(m.input.terms, 2);
  EXPECT_DOUBLE_EQ(m.input.y[0], 100e-3 * 2e-3 * 1e12);
  EXPECT_DOUBLE_EQ(m.input.x[0], 750);
  EXPECT_DOUBLE_EQ(m.input.x[1], 2e6) << "pJ of one mW in 2 ms";
  erg_measured_free(&m);
  EXPECT_EQ(erg_measured_of(&csv, "a,b", nullptr, nullptr, &m, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("no column bytes"), std::string::npos);
  EXPECT_EQ(erg_measured_of(&csv, "a,a", nullptr, nullptr, &m, &error), ERG_ERR_USAGE);
  EXPECT_EQ(erg_measured_of(&csv, "a", "layer", "y", &m, &error), ERG_ERR_DATA);
  erg_csv_free(&csv);
  ASSERT_EQ(erg_csv_parse("t.csv", "layer,macs\nx,1\n", &csv, &error), ERG_OK);
  EXPECT_EQ(erg_measured_of(&csv, "a", nullptr, nullptr, &m, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("energy_pj, energy_mj, or power_mw and time_ms"), std::string::npos);
  erg_csv_free(&csv);
}

TEST(Extends, TakesWhatTheFileDoesNotStateWithItsOwnNode) {
  const std::string text = "name: t\nnode_nm: 65\nextends: horowitz-45nm\nmac_includes_registers: yes\noperations:\n"
                           "  - {op: mac, format: int, weight_bits: 8, activation_bits: 8, pj: 2, source: s, table: t, "
                           "year: 2020, confirmed: yes}\nmemories: []\n";
  energy_test::Technology t(text, 0);
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  EXPECT_EQ(t.mac("int8"), 2);
  EXPECT_NEAR(t.mac("int4"), 2 * 82.26 / 203.94, 2e-4 * 2)
      << "the base's law scales the own int8 MAC, not its int4 constant";
  EXPECT_NEAR(t.mac("fp32"), 4.6, 1e-12);
  EXPECT_NEAR(t.sram(8192), 0.16, 1e-12);
  bool seen = false;
  auto look = [](void *context, const char *label, const char *, const erg_provenance *p) {
    if (std::string(label) == "mac fp32") *static_cast<bool *>(context) = p->node_nm == 45;
  };
  erg_technology_constants(&t, look, &seen);
  EXPECT_TRUE(seen) << "borrowed from 45 nm, and says so";
  energy_test::Technology none(
      "name: t\nnode_nm: 65\nextends: nowhere\nmac_includes_registers: yes\noperations: []\nmemories: []\n", 0);
  EXPECT_NE(none.status, ERG_OK);
}
