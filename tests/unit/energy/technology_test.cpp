// SPDX-License-Identifier: GPL-3.0-or-later
#include "support.hpp"
#include <cmath>

namespace {

struct Technology : erg_technology {
  test::Error error;
  erg_status status;
  explicit Technology(const char *name) : erg_technology{} { status = erg_technology_load(name, nullptr, 0, this, &error); }
  Technology(const std::string &text, int) : erg_technology{} { status = erg_technology_parse("t.yaml", text.c_str(), nullptr, 0, this, &error); }
  ~Technology() { if (status == ERG_OK) erg_technology_free(this); }
  double mac(const char *precision) {
    erg_precision p = test::precision(precision);
    double pj = -1;
    erg_technology_op_pj(this, ERG_OP_MAC, &p, &pj, nullptr, nullptr, &error);
    return pj;
  }
  double sram(double bytes) {
    double pj = -1;
    erg_technology_bit_pj(this, ERG_MEMORY_SRAM, bytes, &pj, nullptr, &error);
    return pj;
  }
};

const char *const minimal =
    "name: t\nnode_nm: 45\nmac_includes_registers: yes\noperations:\n"
    "  - {op: mac, format: int, pj: 0.3, source: s, table: t, year: 2014, confirmed: yes}\nmemories:\n"
    "  - {kind: dram, pj_per_bit: 20, source: s, table: t, year: 2014, confirmed: yes}\n";

erg_price_machine machine() {
  erg_price_machine m{};
  m.level_count = 2;
  m.levels[0] = {"dram", ERG_MEMORY_DRAM, 0};
  m.levels[1] = {"spad", ERG_MEMORY_SRAM, 8192};
  m.levels[2] = {"accumulator", ERG_MEMORY_SRAM, 8192};
  m.levels[3] = {"registers", ERG_MEMORY_REGISTER, 0};
  m.pe_count = 16;
  m.clock_mhz = 100;
  return m;
}

erg_activity activity(test::Random &r) {
  erg_activity a{};
  for (int op = 0; op < ERG_OP_COUNT; op++) a.ops[op] = static_cast<uint64_t>(r.range(0, 1 << 20));
  for (int l = 0; l < 4; l++)
    for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
      a.read_bits[l][t] = static_cast<uint64_t>(r.range(0, 1 << 20));
      a.write_bits[l][t] = static_cast<uint64_t>(r.range(0, 1 << 20));
    }
  a.cycles = static_cast<uint64_t>(r.range(1, 1 << 20));
  return a;
}

} // namespace

TEST(Technology, HorowitzAnchors) {
  Technology t("horowitz-45nm");
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  EXPECT_DOUBLE_EQ(t.mac("int8"), 0.3);
  EXPECT_DOUBLE_EQ(t.mac("fp32"), 4.6);
  EXPECT_NEAR(t.mac("fp32") / t.mac("int8"), 15.33, 0.005);
  EXPECT_NEAR(t.mac("int8") / t.mac("int4"), 2.47, 0.01);
  EXPECT_NEAR(t.mac("int16") / t.mac("int8"), 2.96, 0.01);
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
  EXPECT_NEAR(t.mac("int2") / 0.0407, 1, 0.004);
  EXPECT_NEAR(t.mac("int4") / 0.0824, 1, 0.004);
  EXPECT_NEAR(t.mac("int8") / 0.2034, 1, 0.004);
  EXPECT_NEAR(t.mac("int16") / 0.6027, 1, 0.004);
}

TEST(Technology, WhatIsNotCoveredIsRefusedWithTheReason) {
  Technology t("bitfusion-45nm");
  erg_precision fp32 = test::precision("fp32");
  double pj;
  test::Error none, small, large, area;
  EXPECT_EQ(erg_technology_op_pj(&t, ERG_OP_MAC, &fp32, &pj, nullptr, nullptr, &none), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(none.message().find("bitfusion-45nm has no constant for mac in fp32"), std::string::npos);
  EXPECT_EQ(erg_technology_bit_pj(&t, ERG_MEMORY_SRAM, 64, &pj, nullptr, &small), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(erg_technology_bit_pj(&t, ERG_MEMORY_SRAM, 2 << 20, &pj, nullptr, &large), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(large.message().find("128 to 1.04858e+06 bytes"), std::string::npos);
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
    for (int i = 0; i < t.operations.count; i++) sourced(static_cast<const erg_op_constant *>(t.operations.items)[i].provenance);
    for (int i = 0; i < t.memories.count; i++) sourced(static_cast<const erg_memory_constant *>(t.memories.items)[i].provenance);
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
      {with("kind: dram", "kind: sram"), "memories[0]: an sram needs reference_bytes"},
      {with("node_nm: 45", "node: 45"), "t.yaml:2:1: node: unknown key"},
      {with("memories:", "  - {op: mac, format: int, pj: 1, source: s, table: t, year: 2014, confirmed: yes}\nmemories:"), "operations[1]: mac in int stands in operations[0] too"},
  };
  for (const auto &[text, expected] : cases) {
    Technology t(text, 0);
    EXPECT_EQ(t.status, ERG_ERR_DATA);
    EXPECT_NE(t.error.message().find(expected), std::string::npos) << expected << "\n  got: " << t.error.message();
  }
}

TEST(Price, PartsSumToTheTotalAndAddUpOverPasses) {
  Technology t("horowitz-45nm");
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  test::Random random(61);
  erg_energy sum{};
  erg_activity all{};
  test::Error error;
  for (int round = 0; round < 50; round++) {
    erg_activity a = activity(random);
    erg_energy one{};
    ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &one, &error), ERG_OK) << error.message();
    double parts = one.mac_pj + one.other_ops_pj + one.static_pj;
    for (double level : one.level_pj) parts += level;
    EXPECT_NEAR(parts, one.total_pj, 1e-9 * one.total_pj);
    for (int l = 0; l < ERG_ALL_LEVELS; l++) {
      double tensors = 0;
      for (double x : one.level_tensor_pj[l]) tensors += x;
      EXPECT_NEAR(tensors, one.level_pj[l], 1e-9 * (one.level_pj[l] + 1));
    }
    erg_energy_add(&sum, &one);
    erg_activity_add(&all, &a);
  }
  erg_energy at_once{};
  ASSERT_EQ(erg_price(&t, &m, &all, &p, &p, &at_once, &error), ERG_OK);
  EXPECT_NEAR(at_once.total_pj, sum.total_pj, 1e-9 * sum.total_pj);
}

TEST(Price, BookPricesMacsAndOffChipElementsOnly) {
  Technology t("book");
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  test::Random random(62);
  erg_activity a = activity(random);
  erg_energy e{};
  test::Error error;
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_OK) << error.message();
  double bits = 0;
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
    if (tensor != ERG_TENSOR_CONSTANT) bits += static_cast<double>(a.read_bits[0][tensor] + a.write_bits[0][tensor]);
  EXPECT_NEAR(e.total_pj, 0.3 * static_cast<double>(a.ops[ERG_OP_MAC]) + 20.3125 * bits, 1e-6 * e.total_pj);
}

TEST(Price, RegistersArePricedWhereTheMacDoesNotHoldThem) {
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  erg_activity a{};
  a.write_bits[ERG_LEVEL_REGISTERS(2)][ERG_TENSOR_PSUM] = 1000;
  test::Error error;
  erg_energy with{}, without{};
  Technology horowitz("horowitz-45nm"), bitfusion("bitfusion-45nm");
  ASSERT_EQ(erg_price(&horowitz, &m, &a, &p, &p, &with, &error), ERG_OK);
  ASSERT_EQ(erg_price(&bitfusion, &m, &a, &p, &p, &without, &error), ERG_OK);
  EXPECT_NEAR(with.total_pj, 9, 1e-9);
  EXPECT_EQ(without.total_pj, 0);
}

TEST(Price, StaticIsPowerTimesTime) {
  Technology t(std::string(minimal) + "static_pw_per_pe: 1e6\n", 0);
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  erg_activity a{};
  a.cycles = 100; // 1 us at 100 MHz; 16 PEs of 1 uW: 16 pJ
  erg_energy e{};
  test::Error error;
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_OK) << error.message();
  EXPECT_NEAR(e.static_pj, 16, 1e-9);
}

TEST(Price, NothingIsWrittenOnAFault) {
  Technology t("bitfusion-45nm");
  erg_precision p = test::precision("fp32");
  erg_price_machine m = machine();
  test::Random random(63);
  erg_activity a = activity(random);
  erg_energy e{};
  e.total_pj = 7;
  test::Error error;
  EXPECT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(e.total_pj, 7);
}
