// SPDX-License-Identifier: GPL-3.0-or-later
#include "support.hpp"
#include <cmath>

TEST(Law, RecoversPlantedConstants) {
  test::Random random(71);
  std::vector<double> flops, bytes, arithmetic, memory;
  for (int i = 0; i < 40; i++) {
    flops.push_back(1e6 * (1 + random.unit() * 100));
    bytes.push_back(1e5 * (1 + random.unit() * 100));
    arithmetic.push_back(0.25 * flops.back());
    memory.push_back(160 * bytes.back());
  }
  erg_law law;
  test::Error error;
  ASSERT_EQ(erg_law_test(40, flops.data(), bytes.data(), arithmetic.data(), memory.data(), &law, &error), ERG_OK);
  ASSERT_TRUE(law.fitted);
  EXPECT_NEAR(law.a_pj_per_flop, 0.25, 1e-9);
  EXPECT_NEAR(law.b_pj_per_byte, 160, 1e-6);
  EXPECT_LT(law.rms_relative_error, 1e-9);
  EXPECT_NEAR(law.a_effective_pj_per_flop, 0.25, 1e-12);
  EXPECT_NEAR(law.b_effective_pj_per_byte, 160, 1e-9);
  arithmetic[17] *= 3; // one layer that the law does not hold for is named
  ASSERT_EQ(erg_law_test(40, flops.data(), bytes.data(), arithmetic.data(), memory.data(), &law, &error), ERG_OK);
  EXPECT_GT(law.rms_relative_error, 1e-6);
  EXPECT_EQ(law.worst_layer, 17);
}

TEST(Law, SaysWhenItCannotBeTested) {
  const double flops[] = {1, 2, 3, 4}, bytes[] = {10, 20, 30, 40}, ones[] = {1, 2, 3, 4}, zeros[] = {0, 0, 0, 0};
  erg_law law;
  test::Error error;
  ASSERT_EQ(erg_law_test(2, flops, bytes, ones, ones, &law, &error), ERG_OK);
  EXPECT_FALSE(law.fitted);
  EXPECT_NE(std::string(law.reason).find("fewer than 3"), std::string::npos);
  ASSERT_EQ(erg_law_test(4, flops, bytes, ones, ones, &law, &error), ERG_OK);
  EXPECT_FALSE(law.fitted);
  EXPECT_NE(std::string(law.reason).find("cannot be told apart"), std::string::npos);
  ASSERT_EQ(erg_law_test(4, zeros, bytes, zeros, ones, &law, &error), ERG_OK);
  EXPECT_FALSE(law.fitted);
  EXPECT_TRUE(std::isnan(law.a_effective_pj_per_flop)) << "no FLOPs, no price of one";
  EXPECT_NEAR(law.b_effective_pj_per_byte, 0.1, 1e-15);
  const double nan[] = {1, 2, NAN, 4};
  EXPECT_EQ(erg_law_test(4, flops, bytes, nan, ones, &law, &error), ERG_ERR_INTERNAL);
  EXPECT_NE(error.message().find("layer 2"), std::string::npos);
}

TEST(Law, LayersWithoutEnergyDoNotCount) {
  const double flops[] = {5, 1, 0, 2, 7}, bytes[] = {3, 0, 9, 4, 1};
  double arithmetic[5], memory[5];
  for (int i = 0; i < 5; i++) arithmetic[i] = i == 1 ? 0 : 0.5 * flops[i], memory[i] = i == 1 ? 0 : 20 * bytes[i];
  erg_law law;
  test::Error error;
  ASSERT_EQ(erg_law_test(5, flops, bytes, arithmetic, memory, &law, &error), ERG_OK);
  ASSERT_TRUE(law.fitted);
  EXPECT_NEAR(law.a_pj_per_flop, 0.5, 1e-12);
  EXPECT_NEAR(law.b_pj_per_byte, 20, 1e-10);
  EXPECT_EQ(law.worst_layer < 0 || law.worst_layer == 1, false) << "a layer without energy is never the worst";
}

// The identity holds whatever the layers are; the fit is the least sum of squared relative errors: no neighbour is
// less.
TEST(Law, IdentityIsExactAndTheFitIsLeast) {
  test::Random random(72);
  for (int round = 0; round < 20; round++) {
    std::vector<double> flops, bytes, arithmetic, memory;
    double all_arithmetic = 0, all_memory = 0, all_flops = 0, all_bytes = 0;
    for (int i = 0; i < 12; i++) {
      flops.push_back(1e8 * (0.1 + random.unit()));
      bytes.push_back(1e6 * (0.1 + random.unit()));
      arithmetic.push_back(flops.back() * (0.2 + 0.1 * random.unit()));
      memory.push_back(bytes.back() * (150 + 50 * random.unit()));
      all_flops += flops.back(), all_bytes += bytes.back(), all_arithmetic += arithmetic.back(),
          all_memory += memory.back();
    }
    erg_law law;
    test::Error error;
    ASSERT_EQ(erg_law_test(12, flops.data(), bytes.data(), arithmetic.data(), memory.data(), &law, &error), ERG_OK);
    ASSERT_TRUE(law.fitted);
    EXPECT_EQ(law.reason, nullptr);
    EXPECT_NEAR((law.a_effective_pj_per_flop * all_flops + law.b_effective_pj_per_byte * all_bytes) /
                    (all_arithmetic + all_memory),
                1, 1e-14);
    int worst = -1;
    auto squares = [&](double a, double b, bool find_worst) {
      double sum = 0, most = -1;
      for (size_t i = 0; i < flops.size(); i++) {
        double r = (a * flops[i] + b * bytes[i]) / (arithmetic[i] + memory[i]) - 1;
        sum += r * r;
        if (find_worst && std::fabs(r) > most) most = std::fabs(r), worst = static_cast<int>(i);
      }
      return sum;
    };
    double least = squares(law.a_pj_per_flop, law.b_pj_per_byte, true);
    EXPECT_NEAR(law.rms_relative_error, std::sqrt(least / 12), 1e-12);
    EXPECT_EQ(law.worst_layer, worst);
    for (double da : {-1e-3, 0.0, 1e-3})
      for (double db : {-1e-3, 0.0, 1e-3})
        EXPECT_LE(least, squares(law.a_pj_per_flop * (1 + da), law.b_pj_per_byte * (1 + db), false) + 1e-15);
  }
}

// Energy that falls where bytes rise would price a byte below nothing.
TEST(Law, ANegativeCoefficientIsHeldAtZeroAndSaid) {
  const double flops[] = {10, 10, 10, 10}, bytes[] = {1, 2, 3, 4}, arithmetic[] = {9, 8, 7, 6}, memory[] = {1, 1, 1, 1};
  erg_law law;
  test::Error error;
  ASSERT_EQ(erg_law_test(4, flops, bytes, arithmetic, memory, &law, &error), ERG_OK);
  ASSERT_TRUE(law.fitted);
  EXPECT_EQ(law.b_pj_per_byte, 0);
  ASSERT_NE(law.reason, nullptr);
  EXPECT_NE(std::string(law.reason).find("b came out negative"), std::string::npos);
  double xy = 0, xx = 0; // least relative squares of E = a * FLOPs alone
  for (int i = 0; i < 4; i++) {
    double x = flops[i] / (arithmetic[i] + memory[i]);
    xy += x;
    xx += x * x;
  }
  EXPECT_NEAR(law.a_pj_per_flop, xy / xx, 1e-15);
  ASSERT_EQ(erg_law_test(4, bytes, flops, arithmetic, memory, &law, &error), ERG_OK);
  EXPECT_EQ(law.a_pj_per_flop, 0);
  EXPECT_GT(law.b_pj_per_byte, 0);
}
