// SPDX-License-Identifier: GPL-3.0-or-later
// Rules S, D and A in the RTL. The vectors that separate each pair of rules go in as biases of products of zero, so the
// sum before requantization is the vector's; random cases hold the rest of the epilogue, residuals included.
#include "ergon/gemm.h"
#include "support.hpp"

namespace {

constexpr erg_rule kRules[] = {ERG_RULE_S, ERG_RULE_D, ERG_RULE_A};

// Those of accumulators of 32 bits.
std::vector<erg_rule_vector> vectors_of_32_bits() {
  std::vector<erg_rule_vector> v;
  for (int i = 0; i < erg_rule_vector_count; i++)
    if (erg_rule_vectors[i].accumulator_bits == 32) v.push_back(erg_rule_vectors[i]);
  return v;
}

// Outputs of an array built for `rule`, one vector a column.
std::vector<int16_t> outputs(erg_rule rule) {
  const auto vectors = vectors_of_32_bits();
  const int count = static_cast<int>(vectors.size());
  test::Error error;
  erg_rtl_config config{4, 4, 8, 8, 32, 8, nullptr};
  config.rule = rule, config.output_bits = 16;
  erg_rtl *rtl = nullptr;
  EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
  std::vector<int16_t> a(1, 0), w(static_cast<size_t>(count), 0), y(w.size()), residual(w.size());
  std::vector<int64_t> bias;
  std::vector<erg_requant> scale;
  for (const auto &v : vectors) bias.push_back(v.x), scale.push_back(v.scale);
  const int rows = 1;
  erg_gemm g{};
  g.m = 1, g.n = count, g.k = 1, g.tile_count = 1, g.tile_rows = &rows;
  g.a = a.data(), g.w = w.data(), g.residual = residual.data(), g.bias = bias.data(), g.scale = scale.data();
  g.layer.low = -32768, g.layer.high = 32767, g.layer.residual_t = 31;
  erg_gemm_run run{};
  run.watch = -1, run.output = y.data();
  EXPECT_EQ(erg_gemm_drive(rtl, 4, 4, &g, &run, &error), ERG_OK) << error.message();
  erg_rtl_close(rtl);
  return y;
}

} // namespace

TEST(RulesRtl, VectorsThatSeparateTheRules) {
  int apart[3][3] = {};
  const auto vectors = vectors_of_32_bits();
  ASSERT_GE(vectors.size(), 15u);
  std::vector<int16_t> got[3];
  for (int r = 0; r < 3; r++) got[r] = outputs(kRules[r]);
  for (size_t i = 0; i < vectors.size(); i++)
    for (int r = 0; r < 3; r++) {
      int64_t y = vectors[i].expected[kRules[r]];
      ASSERT_EQ(got[r][i], y < -32768  ? -32768
                           : y > 32767 ? 32767
                                       : y)
          << erg_rule_names[kRules[r]] << ", vector " << i;
      for (int other = 0; other < 3; other++) apart[r][other] += got[r][i] != got[other][i];
    }
  for (int r = 0; r < 3; r++)
    for (int other = 0; other < 3; other++)
      if (r != other) EXPECT_GT(apart[r][other], 0) << erg_rule_names[kRules[r]] << erg_rule_names[kRules[other]];
}

TEST(RulesRtl, RandomCasesAndANetworkByEachRule) {
  for (const char *rule : {"D", "A"})
    for (const char *precision : {"int8", "w8a8p48o16"}) {
      test::Output o =
          test::ergon(std::string("verify -q --arch tiny --cases 150 --rule ") + rule + " --precision " + precision);
      EXPECT_EQ(o.exit_code, 0) << rule << precision << o.err;
    }
  EXPECT_EQ(test::ergon("verify hand-worked -q --arch tiny --rule D").exit_code, 0);
  test::Output o = test::ergon("verify hand-worked -q --arch tiny --rule F");
  EXPECT_EQ(o.exit_code, 1);
  EXPECT_NE(o.err.find("rule F multiplies in float32"), std::string::npos) << o.err;
}
