// SPDX-License-Identifier: GPL-3.0-or-later
// What a width moves, and what it leaves alone: rows of sweeps against each other, and against a run of the same point.
#include "sweep.hpp"
#include <cstring>
#include <map>

namespace {

// Rows of a sweep by precision, evaluated in this process.
struct Rows {
  test::Error error;
  test::Arena arena;
  std::map<std::string, erg_sweep_row> by_precision;
  std::map<std::string, erg_stored_run> counts;
  explicit Rows(const std::string &text) {
    sweep::Sweep s(text);
    EXPECT_EQ(s.status, ERG_OK) << s.error.message();
    erg_sweep_inputs inputs{};
    for (int64_t i = 0; s.status == ERG_OK && i < erg_sweep_size(&s); i++) {
      erg_sweep_row row;
      erg_sweep_evaluate(&s, i, &inputs, &arena, &row);
      EXPECT_STREQ(row.cells[ERG_SWEEP_STATUS].text, "ok") << row.cells[ERG_SWEEP_REASON].text;
      by_precision[row.cells[ERG_SWEEP_PRECISION].text] = row;
      EXPECT_EQ(erg_stored_parse(row.cells[ERG_SWEEP_COUNTS].text, "row", &counts[row.cells[ERG_SWEEP_PRECISION].text],
                                 &error),
                ERG_OK)
          << error.message();
    }
    erg_sweep_inputs_free(&inputs);
  }
  ~Rows() {
    for (auto &[name, run] : counts) erg_stored_free(&run);
  }
  const erg_activity &activity(const std::string &precision) {
    return counts.at(precision).results[0].layers[0].activity;
  }
  double real(const std::string &precision, int column) { return by_precision.at(precision).cells[column].real; }
  int64_t integer(const std::string &precision, int column) { return by_precision.at(precision).cells[column].integer; }
};

// A layer whose tile is the same at every width used here: everything fits at once.
const char *const kOne = "name: one\nworkloads: [hand-worked]\narchs: [tiny]\n";

uint64_t moved(const erg_activity &a, int level, erg_tensor tensor) {
  return a.read_bits[level][tensor] + a.write_bits[level][tensor];
}

} // namespace

TEST(SweepStudy, HalvingWeightBitsHalvesTheWeightsBitsAtEveryLevelAndNothingElse) {
  Rows r(std::string(kOne) + "widths: {weight: [4, 8], activation: [8], accumulator: [32], output: [8]}\n");
  const erg_activity &narrow = r.activity("w4a8"), &wide = r.activity("int8");
  int levels = r.counts.at("int8").results[0].machine.level_count + 2;
  for (int level = 0; level < levels; level++)
    for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
      SCOPED_TRACE(std::to_string(level) + " " + erg_tensor_names[t]);
      const uint64_t a = moved(narrow, level, static_cast<erg_tensor>(t)),
                     b = moved(wide, level, static_cast<erg_tensor>(t));
      if (t == ERG_TENSOR_WEIGHT) {
        if (b) EXPECT_GT(b, 0u);
        EXPECT_NEAR(static_cast<double>(2 * a), static_cast<double>(b), 16) << "packing rounds a tile up to a byte";
      } else {
        EXPECT_EQ(a, b);
      }
    }
  EXPECT_GT(moved(wide, 0, ERG_TENSOR_WEIGHT), 64u);
  EXPECT_LT(r.real("w4a8", ERG_SWEEP_MAC_PJ), r.real("int8", ERG_SWEEP_MAC_PJ));
}

TEST(SweepStudy, ActivationBitsMoveActivations) {
  Rows r(std::string(kOne) + "widths: {weight: [8], activation: [4, 8], accumulator: [32]}\n");
  const erg_activity &narrow = r.activity("w8a4"), &wide = r.activity("int8");
  EXPECT_EQ(moved(narrow, 0, ERG_TENSOR_WEIGHT), moved(wide, 0, ERG_TENSOR_WEIGHT));
  EXPECT_LT(moved(narrow, 0, ERG_TENSOR_INPUT), moved(wide, 0, ERG_TENSOR_INPUT));
  EXPECT_LT(moved(narrow, 0, ERG_TENSOR_OUTPUT), moved(wide, 0, ERG_TENSOR_OUTPUT));
  int registers = r.counts.at("int8").results[0].machine.level_count + 1;
  EXPECT_EQ(2 * moved(narrow, registers, ERG_TENSOR_INPUT), moved(wide, registers, ERG_TENSOR_INPUT));
  EXPECT_LT(r.real("w8a4", ERG_SWEEP_MAC_PJ), r.real("int8", ERG_SWEEP_MAC_PJ));
}

TEST(SweepStudy, AccumulatorBitsMovePartialSumsAndConstantsOnly) {
  Rows r(std::string(kOne) + "precisions: [int8, w8a8p40]\n");
  const erg_activity &narrow = r.activity("int8"), &wide = r.activity("w8a8p40");
  int levels = r.counts.at("int8").results[0].machine.level_count + 2;
  uint64_t sums = 0;
  for (int level = 0; level < levels; level++)
    for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
      const uint64_t a = moved(narrow, level, static_cast<erg_tensor>(t)),
                     b = moved(wide, level, static_cast<erg_tensor>(t));
      if (t == ERG_TENSOR_PSUM) {
        EXPECT_EQ(5 * a, 4 * b) << "32 of 40 bits, level " << level;
        sums += b;
      } else if (t == ERG_TENSOR_CONSTANT) {
        EXPECT_LE(a, b);
      } else {
        EXPECT_EQ(a, b) << level << " " << erg_tensor_names[t];
      }
    }
  EXPECT_GT(sums, 0u);
}

TEST(SweepStudy, CyclesFollowWidthsOnAScalableArrayAndWhereBandwidthBinds) {
  auto spec = [](const char *mac, const char *bandwidth) {
    return std::string("name: x\nworkloads: [resnet18]\nprecisions: [int4, int8]\naxes:\n  - {set: [arch.mac, "
                       "arch.levels.0.bandwidth_bits_per_cycle], values: [") +
           mac + " " + bandwidth + "]}\n";
  };
  Rows native(spec("native", "100000")), scalable(spec("scalable", "100000")), bound(spec("native", "4"));
  EXPECT_EQ(native.integer("int4", ERG_SWEEP_ARRAY_CYCLES), native.integer("int8", ERG_SWEEP_ARRAY_CYCLES));
  EXPECT_STREQ(native.by_precision.at("int8").cells[ERG_SWEEP_CYCLES_BOUND].text, "array");
  EXPECT_LT(scalable.integer("int4", ERG_SWEEP_ARRAY_CYCLES), scalable.integer("int8", ERG_SWEEP_ARRAY_CYCLES) / 2);
  EXPECT_STREQ(scalable.by_precision.at("int4").cells[ERG_SWEEP_CYCLES_BOUND].text, "scalable array");
  EXPECT_LT(bound.integer("int4", ERG_SWEEP_CYCLES), bound.integer("int8", ERG_SWEEP_CYCLES));
  EXPECT_STREQ(bound.by_precision.at("int8").cells[ERG_SWEEP_CYCLES_BOUND].text, "bandwidth");
}

TEST(SweepStudy, ARowIsTheRunOfItsPoint) {
  sweep::Sweep s("name: x\nworkloads: [resnet18]\nprecisions: [w4a8, fp32]\nfusions: [none, epilogue]\n");
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  erg_sweep_inputs inputs{};
  for (int64_t i = 0; i < erg_sweep_size(&s); i++) {
    test::Arena arena;
    erg_sweep_row row, named;
    erg_point point;
    erg_result result;
    erg_sweep_evaluate(&s, i, &inputs, &arena, &row);
    ASSERT_EQ(erg_sweep_point(&s, i, &inputs, &arena, &point, &named, &s.error), ERG_OK);
    point.memo = nullptr, point.totals_only = false; // layer by layer, as `ergon run` does
    ASSERT_EQ(erg_run(&point, nullptr, &result, &s.error), ERG_OK);
    const erg_cell *c = row.cells;
    EXPECT_EQ(static_cast<uint64_t>(c[ERG_SWEEP_CYCLES].integer), result.activity.cycles);
    EXPECT_NEAR(c[ERG_SWEEP_ENERGY_PJ].real, result.energy.total_pj, 1e-12 * result.energy.total_pj)
        << "one sum, two orders";
    double parts = c[ERG_SWEEP_MAC_PJ].real + c[ERG_SWEEP_OTHER_OPS_PJ].real + c[ERG_SWEEP_REGISTERS_PJ].real +
                   c[ERG_SWEEP_PARTIAL_SUMS_PJ].real + c[ERG_SWEEP_SCRATCHPADS_PJ].real + c[ERG_SWEEP_DRAM_PJ].real;
    EXPECT_NEAR(parts, result.energy.total_pj, 1e-9 * parts);
    // Counts priced again under the same technology give the same joules.
    erg_stored_run stored;
    erg_energy energy;
    ASSERT_EQ(erg_stored_parse(c[ERG_SWEEP_COUNTS].text, "row", &stored, &s.error), ERG_OK) << s.error.message();
    ASSERT_EQ(erg_stored_price(point.technology, &stored.results[0], nullptr, nullptr, &energy, &s.error), ERG_OK);
    EXPECT_NEAR(energy.total_pj, result.energy.total_pj, 1e-9 * parts);
    erg_stored_free(&stored);
    erg_result_free(&result);
  }
  erg_sweep_inputs_free(&inputs);
}

TEST(SweepStudy, LimitsSkipWithTheFigures) {
  Rows equal("name: x\nworkloads: [hand-worked]\nprecisions: [int8, fp32]\naxes:\n  - {set: [arch.rows, arch.cols], "
             "values: [32 32]}\nlimits: {equal_area: int8}\n");
  EXPECT_EQ(equal.integer("int8", ERG_SWEEP_ROWS), 32);
  EXPECT_LT(equal.integer("fp32", ERG_SWEEP_ROWS), 10);
  EXPECT_LE(equal.real("fp32", ERG_SWEEP_MAC_AREA_MM2), equal.real("int8", ERG_SWEEP_MAC_AREA_MM2));
  sweep::Sweep s("name: x\nworkloads: [hand-worked]\nlimits: {max_buffer_kib: 0.5}\n");
  erg_sweep_inputs inputs{};
  test::Arena arena;
  erg_sweep_row row;
  erg_sweep_evaluate(&s, 0, &inputs, &arena, &row);
  EXPECT_STREQ(row.cells[ERG_SWEEP_STATUS].text, "skipped");
  EXPECT_NE(std::strstr(row.cells[ERG_SWEEP_REASON].text, "KiB"), nullptr) << row.cells[ERG_SWEEP_REASON].text;
  erg_sweep_inputs_free(&inputs);
}
