// SPDX-License-Identifier: GPL-3.0-or-later
// Networks with a precision of its own for each layer through the Verilated array: every layer in its own widths, on
// the codes of the layer before, bit for bit and cycle for cycle.
#include "../unit/sim/bench.hpp"
#include <cstring>
#include <set>

namespace {

struct Verified {
  erg_verify_result result{};
  erg_widths widths{};
  test::Error error;
  erg_status status;
  Verified(Bench &bench, const char *plan, erg_verify_options options = {}) {
    options.quiet = true;
    erg_point point = bench.point("int8", ERG_FUSION_EPILOGUE, ERG_MODEL_RTL);
    EXPECT_EQ(erg_widths_parse("p.yaml", plan, &bench.graph, &widths, &error), ERG_OK) << error.message();
    erg_point_widths(&point, &widths);
    status = erg_verify(&point, &options, &result, &error);
  }
  ~Verified() {
    erg_verify_result_free(&result);
    erg_widths_free(&widths);
  }
  int count(const char *what) const {
    int n = 0;
    for (int i = 0; i < result.row_count; i++) n += std::strcmp(result.rows[i].status, what) == 0;
    return n;
  }
};

struct Net : test::Folder {
  explicit Net(const char *nodes) {
    test::write_file(*this / "n.yaml",
                     std::string("name: n\ninput: {height: 8, width: 7, channels: 6}\nnodes:\n") + nodes);
  }
  std::string file() const { return *this / "n.yaml"; }
};

const char *const residual = "  - {name: a, op: conv2d, K: 12, kernel: 3, pad: 1, bias: yes}\n  - {name: r, op: relu}\n"
                             "  - {name: b, op: conv2d, K: 12, kernel: 3, pad: 1, groups: 12}\n"
                             "  - {name: c, op: conv2d, K: 12, kernel: 1}\n  - {name: s, op: add, inputs: [c, r]}\n"
                             "  - {name: t, op: relu}\n  - {name: p, op: max_pool, kernel: 2, stride: 2}\n"
                             "  - {name: fc, op: fc, K: 40}\n";

} // namespace

// One scalable array has all modes; layers read 8 and 4 bits, multiply by 2, 4 and 8, and write 8.
TEST(VerifyPlan, AScalableArrayChangesItsModeLayerByLayer) {
  Net net(residual);
  Bench bench("tiny", net.file().c_str());
  bench.arch.mac = ERG_MAC_SCALABLE;
  Verified v(bench, "name: p\ndefault: w8a8\nlayers: {a: w2a8, b: w4a8, fc: w3a8}\n");
  EXPECT_EQ(v.status, ERG_OK) << v.error.message();
  EXPECT_EQ(v.count("ok"), 4);
  EXPECT_EQ(v.result.mismatches, 0u);
  EXPECT_EQ(v.result.macs_checked, static_cast<uint64_t>(erg_graph_macs(&bench.graph)));
}

TEST(VerifyPlan, RtlAsAModelCountsWhatTheFormulasDo) {
  Net net(residual);
  Bench bench("tiny", net.file().c_str());
  bench.arch.mac = ERG_MAC_SCALABLE;
  test::Error error;
  erg_widths widths{};
  ASSERT_EQ(erg_widths_parse("p.yaml", "name: p\ndefault: w8a8\nlayers: {a: w2a8, b: w4a8, fc: w3a8}\n", &bench.graph,
                             &widths, &error),
            ERG_OK)
      << error.message();
  erg_point points[] = {bench.point("int8"), bench.point("int8", ERG_FUSION_EPILOGUE, ERG_MODEL_RTL)};
  for (erg_point &p : points) erg_point_widths(&p, &widths);
  {
    Result formula(points[0]), rtl(points[1]);
    ASSERT_EQ(rtl.status, ERG_OK) << rtl.error.message();
    ASSERT_FALSE(rtl.skipped) << rtl.reason;
    ASSERT_EQ(formula.layer_count, rtl.layer_count);
    for (int i = 0; i < rtl.layer_count; i++) {
      const erg_activity &x = formula.layers[i].activity, &y = rtl.layers[i].activity;
      EXPECT_EQ(x.array_cycles, y.array_cycles) << rtl.layers[i].pass->name;
      EXPECT_EQ(std::memcmp(x.read_bits, y.read_bits, sizeof x.read_bits), 0) << rtl.layers[i].pass->name;
      EXPECT_EQ(std::memcmp(x.write_bits, y.write_bits, sizeof x.write_bits), 0) << rtl.layers[i].pass->name;
    }
  }
  erg_widths_free(&widths);
}

TEST(VerifyPlan, CoverageAndWidthsThatTheArrayCannotDoAreRefused) {
  Net net(residual);
  Bench bench("tiny", net.file().c_str());
  erg_verify_options options{};
  options.coverage = "never-written.dat";
  Verified covered(bench, "name: p\ndefault: int8\n", options);
  EXPECT_EQ(covered.status, ERG_ERR_UNSUPPORTED);
  bench.arch.mac = ERG_MAC_SCALABLE;
  Verified wide(bench, "name: p\ndefault: int8\nlayers: {b: w9a8}\n");
  EXPECT_EQ(wide.status, ERG_ERR_UNSUPPORTED);
  EXPECT_NE(wide.error.message().find("p.yaml:3:13: layer b"), std::string::npos) << wide.error.message();
  EXPECT_EQ(wide.result.checked_outputs, 0u);
}
