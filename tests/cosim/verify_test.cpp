// SPDX-License-Identifier: GPL-3.0-or-later
// `verify` on a small network that has everything: strides, padding, groups, depthwise, residuals, ReLU6, pools, FC,
// several tiles. It agrees; and every deliberate fault of array or driver turns it red.
#include "support.hpp"
#include <cstring>

namespace {

const char *const small_net =
    "name: small\ninput: {height: 13, width: 11, channels: 3}\nnodes:\n"
    "  - {name: c1, op: conv2d, K: 10, kernel: 3, stride: 2, pad: 1}\n  - {name: b1, op: batch_norm}\n  - {name: r1, "
    "op: relu6}\n"
    "  - {name: dw, op: conv2d, K: 10, kernel: 3, pad: 1, groups: 10}\n  - {name: b2, op: batch_norm}\n  - {name: r2, "
    "op: relu}\n"
    "  - {name: pw, op: conv2d, K: 10, kernel: 1}\n  - {name: b3, op: batch_norm}\n  - {name: sum, op: add, inputs: "
    "[b3, r1]}\n  - {name: r3, op: relu}\n"
    "  - {name: g, op: conv2d, K: 12, kernel: [3, 2], groups: 2, pad: [1, 0, 0, 1], bias: yes}\n"
    "  - {name: p, op: max_pool, kernel: 2, stride: 2}\n"
    "  - {name: big, op: conv2d, K: 37, kernel: 3, pad: 1}\n  - {name: r4, op: relu}\n"
    "  - {name: skip, op: conv2d, K: 18, kernel: 1, stride: 2}\n"
    "  - {name: gap, op: global_avg_pool}\n  - {name: fc, op: fc, K: 40, bias: yes}\n";

const char *const small_arch = "name: small\nrows: 4\ncols: 4\nclock_mhz: 100\naccumulator_depth: 12\nlevels:\n"
                               "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 64, latency_cycles: 7}\n"
                               "  - {name: in, kind: sram, capacity_kib: 4, holds: [input, residual]}\n"
                               "  - {name: w, kind: sram, capacity_kib: 1, holds: [weight, constant]}\n"
                               "  - {name: out, kind: sram, capacity_kib: 0.25, holds: [output]}\n";

struct Bench {
  erg_arch arch{};
  erg_technology tech{};
  erg_graph graph{};
  erg_point point{};
  test::Error error;
  explicit Bench(const char *arch_text = small_arch, int batch = 1, const char *net = small_net) {
    EXPECT_EQ(erg_arch_parse("a.yaml", arch_text, nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_technology_load("book", nullptr, 0, &tech, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_graph_parse("n.yaml", net, batch, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    point = {&arch,         &tech, &graph, test::precision("int8"), ERG_FUSION_EPILOGUE, ERG_DATAFLOW_WS,
             ERG_MODEL_RTL, batch, 5};
  }
  ~Bench() {
    erg_arch_free(&arch);
    erg_technology_free(&tech);
    erg_graph_free(&graph);
  }
};

struct Verified {
  erg_verify_result result{};
  test::Error error;
  erg_status status;
  Verified(const Bench &bench, erg_verify_options options = {}) {
    options.quiet = true;
    status = erg_verify(&bench.point, &options, &result, &error);
  }
  ~Verified() { erg_verify_result_free(&result); }
  int count(const char *what) const {
    int n = 0;
    for (int i = 0; i < result.row_count; i++) n += std::strcmp(result.rows[i].status, what) == 0;
    return n;
  }
};

} // namespace

TEST(Verify, AgreesBitForBitAndCycleForCycle) {
  Bench bench;
  Verified v(bench);
  EXPECT_EQ(v.status, ERG_OK) << v.error.message();
  EXPECT_EQ(v.result.row_count, 7);
  EXPECT_EQ(v.count("ok"), 7);
  EXPECT_EQ(v.result.macs_checked, static_cast<uint64_t>(erg_graph_macs(&bench.graph)));
  EXPECT_GT(v.result.checked_outputs, 1000u);
}

TEST(Verify, AgreesOverABatch) {
  Bench bench(small_arch, 3);
  Verified v(bench);
  EXPECT_EQ(v.status, ERG_OK) << v.error.message();
}

TEST(Verify, AgreesThroughAnIntermediateLevel) {
  std::string arch = small_arch;
  arch.insert(arch.find("  - {name: in"),
              "  - {name: l2, kind: sram, capacity_kib: 64, bandwidth_bits_per_cycle: 128, latency_cycles: 2, "
              "holds: [input, weight, residual, constant, output]}\n");
  Bench bench(arch.c_str());
  Verified v(bench);
  EXPECT_EQ(v.status, ERG_OK) << v.error.message();
}

TEST(Verify, RandomGapsChangeNothingButTheGaps) {
  Bench bench;
  erg_verify_options options{};
  options.gap_probability = 0.2;
  Verified v(bench, options), plain(bench);
  EXPECT_EQ(v.status, ERG_OK) << v.error.message();
  for (int i = 0; i < v.result.row_count; i++) {
    EXPECT_GT(v.result.rows[i].gap_cycles, 0u);
    EXPECT_EQ(v.result.rows[i].cycles_rtl, plain.result.rows[i].cycles_rtl);
    EXPECT_EQ(v.result.rows[i].distinct_codes, plain.result.rows[i].distinct_codes);
  }
}

TEST(Verify, AWrongArrayIsNamedWithLayerIndexExpectedAndGot) {
  Bench bench;
  for (const char *mutant : {"ROUNDING", "SKEW", "CLAMP", "WEIGHT_ORDER"}) {
    erg_verify_options options{};
    options.mutant = mutant;
    Verified v(bench, options);
    EXPECT_EQ(v.status, ERG_ERR_MISMATCH) << mutant;
    EXPECT_GT(v.count("mismatch"), 0) << mutant;
    EXPECT_NE(v.error.message().find("layer c1: mismatch:"), std::string::npos) << mutant << ": " << v.error.message();
    EXPECT_NE(v.error.message().find("channel"), std::string::npos);
    EXPECT_NE(v.error.message().find("expected"), std::string::npos);
    EXPECT_NE(v.error.message().find("got"), std::string::npos);
  }
}

TEST(Verify, AnExtraPipelineRegisterTurnsItRed) {
  Bench bench;
  erg_verify_options options{};
  options.mutant = "EXTRA_REGISTER";
  Verified v(bench, options);
  EXPECT_EQ(v.status, ERG_ERR_MISMATCH);
  EXPECT_EQ(v.result.mismatches, 0u);
  EXPECT_EQ(v.count("cycles differ"), v.result.row_count);
}

TEST(Verify, AWrongPackingIndexTurnsItRed) {
  Bench bench;
  erg_verify_options options{};
  options.fault_packing = true;
  Verified v(bench, options);
  EXPECT_EQ(v.status, ERG_ERR_MISMATCH);
  EXPECT_GT(v.count("mismatch"), 0);
}

TEST(Verify, ATileOfAnotherSizeTurnsItRed) {
  Bench bench;
  erg_verify_options options{};
  options.fault_tile = true;
  Verified v(bench, options);
  EXPECT_EQ(v.status, ERG_ERR_MISMATCH);
  EXPECT_GT(v.count("cycles differ"), 0);
}

TEST(Verify, UnsupportedPointsAreSkippedWithTheReason) {
  Bench bench;
  bench.point.precision = test::precision("fp32");
  Verified v(bench);
  EXPECT_EQ(v.status, ERG_ERR_UNSUPPORTED);
  EXPECT_NE(v.error.message().find("integers with accumulators of 16 to 48 bits"), std::string::npos);
  bench.point.precision = test::precision("int8");
  bench.point.fusion = ERG_FUSION_NONE;
  EXPECT_EQ(Verified(bench).status, ERG_ERR_UNSUPPORTED);
}

TEST(Verify, AnUninformativeLayerFails) { // three outputs, one or more on a rail: equal, and no evidence
  Bench bench(
      small_arch, 1,
      "name: t\ninput: {height: 1, width: 1, channels: 2}\nnodes:\n  - {name: c, op: conv2d, K: 3, kernel: 1}\n");
  bench.point.precision = test::precision("int3");
  Verified v(bench);
  EXPECT_EQ(v.status, ERG_ERR_MISMATCH);
  EXPECT_EQ(v.count("uninformative"), 1);
  EXPECT_EQ(v.result.mismatches, 0u);
  EXPECT_GT(v.result.rows[0].rail_share, 0.25);
}
