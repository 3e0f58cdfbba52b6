// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench.hpp"

namespace {

const std::string good =
    "name: t\nrows: 4\ncols: 4\nclock_mhz: 100\naccumulator_depth: 16\nlevels:\n"
    "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 64}\n"
    "  - {name: spad, kind: sram, capacity_kib: 8, holds: [input, weight, residual, constant, output]}\n";

std::string fault(const std::string &text) {
  erg_arch arch{};
  test::Error error;
  EXPECT_EQ(erg_arch_parse("a.yaml", text.c_str(), nullptr, 0, &arch, &error), ERG_ERR_DATA) << text;
  return error.message();
}

std::string with(const std::string &from, const std::string &to) {
  std::string text = good;
  return text.replace(text.find(from), from.size(), to);
}

} // namespace

TEST(Arch, BuiltInsLoadAndAreNamedAfterTheirFile) {
  test::Arena arena;
  test::Error error;
  char **names;
  int count;
  ASSERT_EQ(erg_data_list(&arena, "archs", ".yaml", &names, &count, &error), ERG_OK);
  EXPECT_GE(count, 3);
  for (int i = 0; i < count; i++) {
    erg_arch arch{};
    ASSERT_EQ(erg_arch_load(names[i], nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_STREQ(arch.name, names[i]);
    EXPECT_STREQ(arch.levels[0].name, "dram");
    erg_arch_free(&arch);
  }
}

TEST(Arch, FaultsNameThePlace) {
  const std::pair<std::string, const char *> cases[] = {
      {with("rows: 4", "rows: 1"), "a.yaml:2:7: rows: found 1; allowed: a whole number from 2 to 1024"},
      {with("rows: 4", "row: 4"), "a.yaml:2:1: row: unknown key (did you mean rows?)"},
      {with("capacity_kib: 8", "capacity_kb: 8"), "unknown key (did you mean capacity_kib?)"},
      {with("capacity_kib: 8", "capacity_kib: -8"), "capacity_kib: found -8"},
      {with("capacity_kib: 8, ", ""), "an on-chip level has kind sram and capacity_kib above 0"},
      {with("output]", "outputs]"), "levels[1].holds: found outputs; allowed: input, weight"},
      {with(", output]", "]"), "no on-chip level holds output"},
      {with("name: dram", "name: main"), "the first level, and only it, is named dram"},
      {with("bandwidth_bits_per_cycle: 64", "latency_cycles: 1"), "dram needs a bandwidth above 0"},
      {good.substr(0, good.find("  - {name: spad")), "at least dram and one scratchpad"},
      {good + "  - {name: spad, kind: sram, capacity_kib: 1, holds: [input]}\n", "spad is the name of levels[1] too"},
      {good + "  - {name: inner, kind: sram, capacity_kib: 1, holds: [input]}\n",
       "spad feeds a level inward and needs a bandwidth"},
      {with("clock_mhz: 100", "clock_mhz: 1e99"), "clock_mhz: found 1e99"},
  };
  for (const auto &[text, expected] : cases)
    EXPECT_NE(fault(text).find(expected), std::string::npos) << expected << "\n  got: " << fault(text);
}

TEST(Arch, ScratchpadIsTheInnermostHolder) {
  erg_arch arch{};
  test::Error error;
  ASSERT_EQ(erg_arch_load("cloud", nullptr, 0, &arch, &error), ERG_OK);
  EXPECT_STREQ(arch.levels[erg_arch_scratchpad(&arch, ERG_TENSOR_WEIGHT)].name, "weight_scratchpad");
  EXPECT_STREQ(arch.levels[erg_arch_scratchpad(&arch, ERG_TENSOR_OUTPUT)].name, "output_scratchpad");
  erg_arch_free(&arch);
}

TEST(Arch, FixedHardwareTakesNarrowerDataOnly) {
  erg_arch arch{};
  test::Error error;
  const erg_override fixed = {"mac", "fixed"};
  ASSERT_EQ(erg_arch_load("edge", &fixed, 1, &arch, &error), ERG_OK) << error.message();
  erg_precision hardware;
  for (auto [name, status] : {std::pair{"int4", ERG_OK},
                              {"int8", ERG_OK},
                              {"w4a8", ERG_OK},
                              {"w8a9", ERG_ERR_UNSUPPORTED},
                              {"int16", ERG_ERR_UNSUPPORTED},
                              {"fp16", ERG_ERR_UNSUPPORTED}}) {
    erg_precision p = test::precision(name);
    test::Error fault;
    EXPECT_EQ(erg_arch_hardware(&arch, &p, &hardware, &fault), status) << name;
    if (status == ERG_OK) EXPECT_EQ(hardware.weight_bits, 8) << name;
  }
  erg_arch_free(&arch);
}
