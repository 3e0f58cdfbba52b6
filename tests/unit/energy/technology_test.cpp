// SPDX-License-Identifier: GPL-3.0-or-later
// Technologies: anchors, what is refused and how, faults by their place.
#include "technology.hpp"
#include <cstring>

using namespace energy_test;

TEST(Technology, HorowitzAnchors) {
  Technology t("horowitz-45nm");
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  EXPECT_DOUBLE_EQ(t.mac("int8"), 0.3);
  EXPECT_DOUBLE_EQ(t.mac("fp32"), 4.6);
  EXPECT_NEAR(t.mac("fp32") / t.mac("int8"), 15.33, 0.005);
  EXPECT_NEAR(t.mac("int8") / t.mac("int4"), 2.47, 0.005);
  EXPECT_NEAR(t.mac("int16") / t.mac("int8"), 2.96, 0.005);
  EXPECT_DOUBLE_EQ(t.mac("fp16"), 2.0);
  EXPECT_DOUBLE_EQ(t.mac("w4a8"), t.mac("w8a4")); // product and mean: symmetric
  EXPECT_LT(t.mac("w4a8"), t.mac("int8"));
  EXPECT_GT(t.mac("w4a8"), t.mac("int4"));
  EXPECT_NEAR(t.sram(8192), 0.16, 1e-12);
  EXPECT_NEAR(t.sram(32768), 0.32, 1e-12);
}

TEST(Technology, BitFusionLawMeetsTheSynthesis) {
  Technology t("bitfusion-45nm");
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  const std::pair<const char *, double> synthesis[] = {
      {"int2", 0.0407}, {"int4", 0.0824}, {"int8", 0.2034}, {"int16", 0.6027}};
  for (const auto &[name, pj] : synthesis) {
    EXPECT_NEAR(t.mac(name), pj, 5e-5) << "the published point itself";
    erg_precision p = test::precision(name);
    int w = p.weight_bits;
    const erg_width_law &l = t.width_law;
    EXPECT_NEAR((l.c2_fj * w * w + l.c1_fj * w + l.c0_fj) * 1e-3 / pj, 1, 0.003) << "the fit through the points";
  }
  for (int w = 3; w <= 16; w++) // points and law together still rise with the width
    EXPECT_GT(t.mac(("int" + std::to_string(w)).c_str()), t.mac(("int" + std::to_string(w - 1)).c_str()));
}

TEST(Technology, WhatIsNotCoveredIsRefusedWithTheReason) {
  Technology t("bitfusion-45nm");
  erg_precision fp32 = test::precision("fp32");
  double pj;
  test::Error none, small, large, area;
  EXPECT_EQ(erg_technology_op_pj(&t, ERG_OP_MAC, &fp32, &pj, nullptr, nullptr, &none), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(none.message().find("bitfusion-45nm has no constant for mac in fp32; it has one for int2, int4, int8, "
                                "int16, int of 2 to 16 bits"),
            std::string::npos);
  EXPECT_EQ(erg_technology_bit_pj(&t, ERG_MEMORY_SRAM, 64, &pj, nullptr, &small), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(erg_technology_bit_pj(&t, ERG_MEMORY_SRAM, 2 << 20, &pj, nullptr, &large), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(large.message().find("banks of 128 to 1048576 bytes, not of 2097152"), std::string::npos);
  Technology h("horowitz-45nm");
  erg_precision fp8 = test::precision("fp8e4m3"), int4 = test::precision("int4");
  test::Error fp8_error;
  EXPECT_EQ(erg_technology_op_pj(&h, ERG_OP_MAC, &fp8, &pj, nullptr, nullptr, &fp8_error), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(erg_technology_mac_area(&h, &int4, &pj, &area), ERG_ERR_UNSUPPORTED);
}

TEST(Technology, EveryConstantSaysWhereItComesFrom) {
  for (const char *name : {"horowitz-45nm", "bitfusion-45nm", "book"}) {
    Technology t(name);
    ASSERT_EQ(t.status, ERG_OK) << t.error.message();
    auto sourced = [&](const erg_provenance &p) {
      EXPECT_GT(strlen(p.source), 5u) << name;
      EXPECT_GT(strlen(p.table), 3u) << name;
      EXPECT_GE(p.year, 1990) << name;
      if (p.derived) EXPECT_TRUE(p.note && strlen(p.note) > 5) << name << ": a derived constant says how";
      if (!p.confirmed) EXPECT_TRUE(p.note && strlen(p.note) > 5) << name;
    };
    for (int i = 0; i < t.operations.count; i++)
      sourced(static_cast<const erg_op_constant *>(t.operations.items)[i].provenance);
    for (int i = 0; i < t.memories.count; i++)
      sourced(static_cast<const erg_memory_constant *>(t.memories.items)[i].provenance);
    if (t.has_width_law) sourced(t.width_law.provenance);
  }
}

TEST(Technology, FaultsNameThePlace) {
  auto with = [](const std::string &from, const std::string &to) {
    std::string text = minimal;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::pair<std::string, const char *> cases[] = {
      {with("pj: 0.3", "pj: -0.3"), "t.yaml:5:32: operations[0].pj: found -0.3; allowed: a number from 0"},
      {with("pj: 0.3", "pj: nan"), "operations[0].pj: found nan"},
      {with("pj: 0.3", "pj: 0.3pJ"), "operations[0].pj: found 0.3pJ"},
      {with(", source: s", ""), "operations[0].source: found no such key"},
      {with("confirmed: yes", "confirmed: perhaps"), "confirmed: found perhaps"},
      {with("op: mac", "op: max"), "operations[0].op: found max (did you mean mac?)"},
      {with("format: int", "format: int8"), "operations[0].format: found int8"},
      {with("kind: dram", "kind: flash"), "memories[0].kind: found flash; allowed: dram, sram, register"},
      {with("kind: dram", "kind: sram"), "t.yaml:7:5: memories[0].reference_bytes: found none"},
      {with("node_nm: 45", "node: 45"), "t.yaml:2:1: node: unknown key"},
      {with("node_nm: 45", "name: u"), "t.yaml:2:1: name: found twice"},
      {with("pj: 0.3", "pj: 0.3, derived: yes"), "t.yaml:5:5: operations[0].note: found nothing"},
      {with("source: s", "source: \"\""), "operations[0].source: found nothing"},
      {with("format: int", "format: fp16, weight_bits: 8"), "widths of a floating format"},
      {with("format: int", "format: int, weight_bits: 1"), "a width of 1 bit"},
      {with("op: mac, format: int", "op: requantize, format: fp32"),
       "operations[0].op: found requantize in a floating format"},
      {with("pj_per_bit: 20", "pj_per_bit: 20, exponent: 0.5"), "memories[0]: found keys of a capacity law"},
      {std::string(minimal) + "  - {kind: dram, pj_per_bit: 2, source: s, table: t, year: 2014, confirmed: yes}\n",
       "t.yaml:8:5: memories[1].kind: found dram; allowed: each kind once"},
      {std::string(minimal) + "static_pw_per_pe: 1e6\n", "static_pw_per_pe: found a number without static_source"},
      {std::string(minimal) + "static_pw_per_pe: 1e6\nstatic_source: s\nbook: yes\n", "with book: yes"},
      {with("memories:",
            "  - {op: mac, format: int, pj: 1, source: s, table: t, year: 2014, confirmed: yes}\nmemories:"),
       "t.yaml:6:5: operations[1]: found mac in int of the same widths as operations[0]"},
  };
  for (const auto &[text, expected] : cases) {
    Technology t(text, 0);
    EXPECT_EQ(t.status, ERG_ERR_DATA);
    EXPECT_NE(t.error.message().find(expected), std::string::npos) << expected << "\n  got: " << t.error.message();
  }
}

TEST(Technology, ExactWidthsGoBeforeAnyWidthAndBeforeTheLaw) {
  const std::string row = ", source: s, table: t, year: 2014, confirmed: yes}\n";
  std::string text = minimal;
  text.insert(text.find("memories:"), "  - {op: mac, format: int, weight_bits: 4, activation_bits: 8, pj: 0.1" + row +
                                          "  - {op: mac, format: int, weight_bits: 4, pj: 0.2" + row);
  Technology t(text, 0);
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  EXPECT_DOUBLE_EQ(t.mac("w4a8"), 0.1);
  EXPECT_DOUBLE_EQ(t.mac("w4a6"), 0.2);
  EXPECT_DOUBLE_EQ(t.mac("w8a4"), 0.3);
}

TEST(Technology, OverridesCountAndAStaticOneIsItsOwnSource) {
  const erg_override sets[] = {{"static_pw_per_pe", "5e5"}, {"memories.0.pj_per_bit", "7"}};
  erg_technology t{};
  test::Error error;
  ASSERT_EQ(erg_technology_parse("t.yaml", minimal, sets, 2, &t, &error), ERG_OK) << error.message();
  EXPECT_TRUE(t.has_static);
  EXPECT_STREQ(t.static_source, "set on the command line");
  double pj;
  ASSERT_EQ(erg_technology_bit_pj(&t, ERG_MEMORY_DRAM, 0, &pj, nullptr, &error), ERG_OK);
  EXPECT_EQ(pj, 7);
  erg_technology_free(&t);
}

// The capacity law against what it was drawn through: [bytes, pJ/bit].
TEST(Technology, SramLawStaysWithinItsStatedDistanceOfTheSources) {
  Technology t("horowitz-45nm");
  const double horowitz[][2] = {{8192, 10.0 / 64}, {32768, 20.0 / 64}, {1048576, 100.0 / 64}};
  for (const auto &point : horowitz) {
    EXPECT_GT(t.sram(point[0]) / point[1], 1.02) << point[0];
    EXPECT_LT(t.sram(point[0]) / point[1], 1.16) << point[0];
  }
  // CACTI, 45 nm, 32-bit port: bytes, read and write pJ per access.
  const double cacti[][3] = {{128, 0.683701, 0.925317}, {512, 1.06097, 2.33869},  {1024, 1.13324, 3.29596},
                             {2048, 1.90318, 3.63853},  {4096, 3.98324, 5.05131}, {8192, 6.39163, 5.56268},
                             {16384, 9.9817, 8.4209}};
  for (const auto &point : cacti) {
    double ratio = t.sram(point[0]) / ((point[1] + point[2]) / 64);
    EXPECT_GT(ratio, 0.745) << point[0];
    EXPECT_LT(ratio, 0.925) << point[0];
  }
}
