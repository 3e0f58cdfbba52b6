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
}
