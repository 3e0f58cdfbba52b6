// SPDX-License-Identifier: GPL-3.0-or-later
// DRAM parts, the CACTI table, wires, gating, accumulator width, scaling: values by this test's own arithmetic, and
// refusals.
#include "technology.hpp"
#include <algorithm>
#include <cmath>
#include <map>

using namespace energy_test;

namespace {

struct Loaded : erg_technology {
  test::Error error;
  erg_status status;
  Loaded(const char *name, std::vector<erg_override> sets) : erg_technology{} {
    status = erg_technology_load(name, sets.data(), static_cast<int>(sets.size()), this, &error);
  }
  ~Loaded() {
    if (status == ERG_OK) erg_technology_free(this);
  }
  double sram(erg_sram_quantity quantity, double bytes, double bits) {
    double value = -1;
    erg_sram_lookup(this, quantity, bytes, bits, &value, &error);
    return value;
  }
};

// The table as this test reads it: node, cell, capacity, word -> read, write, leakage, area.
using Key = std::tuple<int, std::string, int, int>;
std::map<Key, std::array<double, 4>> read_table() {
  std::map<Key, std::array<double, 4>> table;
  std::istringstream lines(test::read_file(ERGON_TEST_SOURCE_DIR "/energy/tech/parts/cacti7-sram.csv"));
  for (std::string line; std::getline(lines, line);) {
    if (line[0] < '0' || line[0] > '9') continue;
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream cells(line);
    int node, bytes, bits;
    std::string cell;
    std::array<double, 4> v{};
    cells >> node >> cell >> bytes >> bits >> v[0] >> v[1] >> v[2] >> v[3];
    table[{node, cell, bytes, bits}] = v;
  }
  return table;
}

} // namespace

TEST(Sram, GridPointsAreTheTablesAndBetweenThemLiesBetween) {
  auto table = read_table();
  EXPECT_EQ(table.size(), 1260u);
  for (const char *cell : {"hp", "lop", "lstp"}) {
    Loaded t("horowitz-45nm", {{"sram", cell}});
    ASSERT_EQ(t.status, ERG_OK) << t.error.message();
    for (int bytes : {1024, 32768, 8388608})
      for (int bits : {8, 64, 256})
        for (int q = 0; q < 4; q++) {
          double at = table.at({45, cell, bytes, bits})[static_cast<size_t>(q)];
          EXPECT_NEAR(t.sram(static_cast<erg_sram_quantity>(q), bytes, bits) / at, 1, 1e-9);
        }
    double low = table.at({45, cell, 32768, 64})[0], high = table.at({45, cell, 65536, 64})[0];
    EXPECT_NEAR(t.sram(ERG_SRAM_READ_PJ_PER_BIT, 32768 * std::sqrt(2.0), 64), std::sqrt(low * high), 1e-9);
  }
}

// What docs/energy.md says about leaving a capacity out.
TEST(Sram, LeaveOneOutErrorIsWhatThePageStates) {
  auto table = read_table();
  const double stated[4][3] = {{0.06, 0.24, 0.42}, {0.05, 0.15, 0.27}, {0.02, 0.08, 0.18}, {0.03, 0.10, 0.23}};
  for (size_t q = 0; q < 4; q++) {
    std::vector<double> errors;
    for (const auto &[key, value] : table) {
      auto [node, cell, bytes, bits] = key;
      if (bytes == 1024 || bytes == 8388608) continue;
      double guess = std::sqrt(table.at({node, cell, bytes / 2, bits})[q] * table.at({node, cell, bytes * 2, bits})[q]);
      errors.push_back(std::fabs(guess / value[q] - 1));
    }
    std::sort(errors.begin(), errors.end());
    const double found[3] = {errors[errors.size() / 2], errors[errors.size() * 95 / 100], errors.back()};
    for (int i = 0; i < 3; i++) EXPECT_NEAR(found[i], stated[q][i], 0.0051) << "quantity " << q << " rank " << i;
  }
}

TEST(Sram, RefusesWhatTheTableDoesNotHold) {
  Loaded t("horowitz-45nm", {{"sram", "hp"}});
  double value;
  EXPECT_EQ(erg_sram_lookup(&t, ERG_SRAM_READ_PJ_PER_BIT, 512, 64, &value, &t.error), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(t.error.message().find("1024 to 8388608 bytes, not of 512"), std::string::npos);
  EXPECT_EQ(erg_sram_lookup(&t, ERG_SRAM_READ_PJ_PER_BIT, 4096, 512, &value, &t.error), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(erg_sram_lookup(&t, ERG_SRAM_READ_PJ_PER_BIT, NAN, 64, &value, nullptr), ERG_ERR_UNSUPPORTED);
  Loaded seven("jouppi-7nm", {{"sram", "hp"}});
  EXPECT_EQ(seven.status, ERG_ERR_DATA);
  EXPECT_NE(seven.error.message().find("22, 32, 45, 65 and 90 nm"), std::string::npos) << seven.error.message();
  Loaded cell("horowitz-45nm", {{"sram", "finfet"}});
  EXPECT_EQ(cell.status, ERG_ERR_DATA);
  Loaded none("horowitz-45nm", {});
  EXPECT_EQ(erg_sram_lookup(&none, ERG_SRAM_AREA_UM2, 4096, 64, &value, &none.error), ERG_ERR_UNSUPPORTED);
}

TEST(Dram, PartsReplaceTheFilesOwnAndBringBackgroundByDevices) {
  Loaded t("horowitz-45nm", {{"dram", "ddr4"}});
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  erg_price_machine m = machine();
  m.levels[0].bandwidth_bits_per_cycle = 384; // 38.4 Gbit/s at 100 MHz: two devices of 19.2
  erg_activity a{};
  a.cycles = 1000; // 10 us
  a.read_bits[0][ERG_TENSOR_WEIGHT] = 100;
  erg_precision p = test::precision("int8");
  erg_energy e{};
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &t.error), ERG_OK) << t.error.message();
  EXPECT_NEAR(e.level_pj[0], 100 * 7.0072, 1e-9);
  EXPECT_NEAR(e.static_part_pj[ERG_STATIC_DRAM], 2 * 73.5e-3 * 10e-6 * 1e12, 1e-3);
  m.levels[0].bandwidth_bits_per_cycle = 385;
  erg_energy three{};
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &three, &t.error), ERG_OK);
  EXPECT_NEAR(three.static_pj / e.static_pj, 1.5, 1e-12);
  Loaded unknown("horowitz-45nm", {{"dram", "lpddr5"}});
  EXPECT_EQ(unknown.status, ERG_ERR_DATA);
  EXPECT_NE(unknown.error.message().find("lpddr4, gddr6, hbm2, hbm2e"), std::string::npos) << unknown.error.message();
}

TEST(Sram, LeakageFollowsBanksAndTime) {
  Loaded t("horowitz-45nm", {{"sram", "lop"}});
  erg_price_machine m = machine();
  m.levels[1].banks = 3;
  erg_activity a{};
  a.cycles = 100; // 1 us
  erg_precision p = test::precision("int8");
  erg_energy e{};
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &t.error), ERG_OK) << t.error.message();
  double mw = t.sram(ERG_SRAM_LEAKAGE_MW, 8192, 64);
  EXPECT_NEAR(e.static_part_pj[ERG_STATIC_SRAM] / (4 * mw * 1e3), 1, 1e-12) << "three banks and the accumulator's";
}

TEST(Mac, AWiderAccumulatorCostsANarrowerIsNotCredited) {
  Technology t("horowitz-45nm");
  EXPECT_NEAR(t.mac("w8a8p48"), 0.3 + 16 * 3.125e-3, 1e-12);
  EXPECT_EQ(t.mac("w8a8p24"), t.mac("int8"));
  EXPECT_NEAR(t.mac("int16"), 0.888756, 1e-12) << "its 48 bits are in the constant";
  EXPECT_GT(t.mac("w3a5p33"), t.mac("w3a5"));
}

TEST(Mac, AGatedOneCostsItsShare) {
  Technology t("horowitz-45nm");
  erg_price_machine m = machine();
  erg_activity a{};
  a.ops[ERG_OP_MAC] = 1000;
  a.gated_macs = 400;
  erg_precision p = test::precision("int8");
  erg_energy e{};
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &t.error), ERG_OK);
  EXPECT_NEAR(e.mac_pj, 0.3 * (600 + 400 * 0.0467), 1e-9);
  a.gated_macs = 1001;
  EXPECT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &t.error), ERG_ERR_INTERNAL);
  a.gated_macs = 1;
  Technology book("book");
  EXPECT_EQ(erg_price(&book, &m, &a, &p, &p, &e, &book.error), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(book.error.message().find("gated_mac"), std::string::npos);
}

TEST(Wire, ChargedByLengthAndRefusedWithoutAConstant) {
  Technology t("horowitz-45nm");
  erg_price_machine m = machine();
  erg_activity a{};
  a.read_bits[1][ERG_TENSOR_INPUT] = 1000;
  erg_precision p = test::precision("int8");
  erg_energy none{}, two{};
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &none, &t.error), ERG_OK);
  m.levels[1].wire_mm = 2;
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &two, &t.error), ERG_OK);
  EXPECT_NEAR(two.total_pj - none.total_pj, 1000 * 2 * 0.0405, 1e-9);
  Technology seven("jouppi-7nm");
  EXPECT_EQ(erg_price(&seven, &m, &a, &p, &p, &two, &seven.error), ERG_ERR_UNSUPPORTED);
}

TEST(Scaling, IsARatioOfPolynomialsWithinItsBounds) {
  Loaded t("horowitz-45nm", {{"scale_to_node_nm", "65"}, {"scale_to_voltage_v", "1.0"}});
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  double e65 = 3.755 - 4.398 + 1.975;
  double hp = 1.018 * 0.81 - 0.3107 * 0.9 + 0.1539, lp = 1.103 * 0.81 - 0.362 * 0.9 + 0.2767;
  EXPECT_NEAR(t.scale, e65 / std::sqrt(hp * lp), 1e-12);
  const struct {
    const char *name;
    std::vector<erg_override> sets;
    const char *reason;
  } refused[] = {
      {"horowitz-45nm", {{"scale_to_node_nm", "7"}}, "at most 2 nodes"},
      {"horowitz-45nm", {{"scale_to_node_nm", "28"}}, "180, 130, 90"},
      {"horowitz-45nm", {{"scale_to_voltage_v", "0.5"}}, "0.675 to 1.125 V"},
      {"jouppi-7nm", {{"scale_to_node_nm", "10"}}, "voltage_v is not stated"},
      {"horowitz-45nm", {{"scale_to_node_nm", "32"}, {"static_pw_per_pe", "1"}}, "do not follow"},
      {"horowitz-45nm", {{"scale_to_voltage_v", "0.8"}, {"sram", "hp"}}, "own voltages"},
      {"horowitz-45nm", {{"node_nm", "180"}, {"scale_to_voltage_v", "0.72"}}, "does not hold at 0.72 V"},
  };
  for (const auto &r : refused) {
    Loaded bad(r.name, r.sets);
    EXPECT_EQ(bad.status, ERG_ERR_DATA) << r.reason;
    EXPECT_NE(bad.error.message().find(r.reason), std::string::npos) << bad.error.message();
  }
}

TEST(Technology, NegativeOrNanConstantsAreRefused) {
  for (const char *value : {"-0.1", ".nan", "nan", "inf"}) {
    std::string text = minimal;
    text.replace(text.find("0.3"), 3, value);
    Technology t(text, 0);
    EXPECT_EQ(t.status, ERG_ERR_DATA) << value;
  }
  Technology share(std::string(minimal) + "gated_mac: {value: 1.5, source: s, table: t, year: 2014, confirmed: yes}\n",
                   0);
  EXPECT_EQ(share.status, ERG_ERR_DATA);
}
