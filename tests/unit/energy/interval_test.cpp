// SPDX-License-Identifier: GPL-3.0-or-later
// Intervals against what lognormal theory says, and the cancelling of shared constants.
#include "technology.hpp"
#include <cmath>

namespace {

struct Spread : erg_spread {
  test::Arena memory;
  Spread() : erg_spread{} { arena = &memory; }
  void add(double pj, std::vector<std::pair<uint64_t, double>> factors) {
    erg_item item{};
    item.count = 1;
    item.pj = pj;
    for (auto [id, sigma] : factors) item.factors[item.factor_count++] = {id, sigma, nullptr};
    erg_spread_item(this, &item);
  }
};

const double z95 = 1.6448536;

} // namespace

TEST(Interval, OneConstantIsItsLognormal) {
  Spread s;
  s.add(100, {{42, std::log(1.3)}});
  erg_interval i{};
  test::Error error;
  ASSERT_EQ(erg_spread_interval(&s, &i, &error), ERG_OK);
  EXPECT_NEAR(i.p05 / (100 * std::pow(1.3, -z95)), 1, 0.03);
  EXPECT_NEAR(i.p95 / (100 * std::pow(1.3, z95)), 1, 0.03);
  erg_interval again{};
  ASSERT_EQ(erg_spread_interval(&s, &again, &error), ERG_OK);
  EXPECT_EQ(i.p05, again.p05) << "a fixed seed";
}

TEST(Interval, FactorsOfOneItemMultiplyAndIndependentOnesAverage) {
  test::Error error;
  Spread product, sum;
  product.add(1, {{1, 0.3}, {2, 0.4}});
  for (uint64_t k = 0; k < 100; k++) sum.add(0.01, {{1000 + k, 0.3}});
  erg_interval p{}, s{};
  ASSERT_EQ(erg_spread_interval(&product, &p, &error), ERG_OK);
  ASSERT_EQ(erg_spread_interval(&sum, &s, &error), ERG_OK);
  EXPECT_NEAR(std::log(p.p95), 0.5 * z95, 0.03) << "sqrt(0.3^2 + 0.4^2)";
  EXPECT_LT(std::log(s.p95 / s.p05), 0.12) << "a tenth of one constant's";
  EXPECT_GT(std::log(s.p95 / s.p05), 0.08);
}

TEST(Interval, WhatTwoEnergiesShareCancelsInTheirRatio) {
  test::Error error;
  Spread a, b, other;
  a.add(200, {{7, std::log(2.0)}});
  b.add(100, {{7, std::log(2.0)}});
  other.add(100, {{8, std::log(2.0)}});
  erg_interval shared{}, apart{};
  ASSERT_EQ(erg_spread_ratio(&a, &b, &shared, &error), ERG_OK);
  EXPECT_NEAR(shared.p05, 2, 1e-12);
  EXPECT_NEAR(shared.p95, 2, 1e-12);
  EXPECT_TRUE(erg_interval_resolved(&shared));
  ASSERT_EQ(erg_spread_ratio(&a, &other, &apart, &error), ERG_OK);
  EXPECT_LT(apart.p05, 1);
  EXPECT_FALSE(erg_interval_resolved(&apart)) << "twice as much, but each known up to a factor of two";
  Spread nothing;
  EXPECT_EQ(erg_spread_ratio(&a, &nothing, &apart, &error), ERG_ERR_UNSUPPORTED);
}

TEST(Interval, WidthsFollowFromProvenance) {
  erg_provenance p{};
  p.sources = 1;
  EXPECT_EQ(erg_provenance_factor(&p), 2);
  p.confirmed = true;
  EXPECT_EQ(erg_provenance_factor(&p), 1.3);
  p.sources = 2;
  EXPECT_EQ(erg_provenance_factor(&p), 1.15);
  p.conflict = true;
  EXPECT_EQ(erg_provenance_factor(&p), 2);
}

// int4 of this technology is a ratio to its int8, so what is not known of int8 does not blur their comparison.
TEST(Interval, ARatioToTheAnchorSharesItsUncertainty) {
  energy_test::Technology t("horowitz-45nm");
  auto spread_of = [&](const char *name, Spread &s) {
    erg_price_machine m = energy_test::machine();
    erg_activity a{};
    a.ops[ERG_OP_MAC] = 1000;
    erg_precision p = test::precision(name);
    ASSERT_EQ(erg_itemise(&t, &m, &a, &p, &p, erg_spread_item, &s, &t.error), ERG_OK);
  };
  Spread eight, four, odd;
  spread_of("int8", eight);
  spread_of("int4", four);
  spread_of("w3a7", odd);
  ASSERT_EQ(eight.count, 1);
  ASSERT_EQ(four.groups[0].factor_count, 2);
  EXPECT_EQ(four.groups[0].ids[0], eight.groups[0].ids[0]);
  EXPECT_EQ(odd.groups[0].ids[0], eight.groups[0].ids[0]);
  erg_interval ratio{};
  ASSERT_EQ(erg_spread_ratio(&eight, &four, &ratio, &t.error), ERG_OK);
  EXPECT_NEAR(ratio.p95 / ratio.p05, std::pow(1.3, 2 * z95), 0.06) << "the ratio's own factor alone";
}

// Two technologies that quote the same number know it equally little.
TEST(Interval, TheSameConstantHasTheSameIdInEveryTechnology) {
  auto dram_id = [](const char *name) {
    energy_test::Technology t(name);
    Spread s;
    erg_price_machine m = energy_test::machine();
    erg_activity a{};
    a.read_bits[0][0] = 1;
    erg_precision p = test::precision("int8");
    EXPECT_EQ(erg_itemise(&t, &m, &a, &p, &p, erg_spread_item, &s, &t.error), ERG_OK);
    return s.groups[0].ids[0];
  };
  EXPECT_EQ(dram_id("horowitz-45nm"), dram_id("bitfusion-45nm"));
  EXPECT_NE(dram_id("horowitz-45nm"), dram_id("jouppi-7nm"));
}
