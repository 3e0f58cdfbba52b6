// SPDX-License-Identifier: GPL-3.0-or-later
// Native arrays, one a set of widths: residual codes wider and narrower than the activations, accumulators of 32 and 48
// bits, tables and norms behind the array in the width of their map, and a fault that shows in one layer.
#include "../unit/sim/bench.hpp"
#include <cstring>

namespace {

const char *const nodes = "name: n\ninput: {height: 6, width: 6, channels: 5}\nnodes:\n"
                          "  - {name: a, op: conv2d, K: 8, kernel: 3, pad: 1, bias: yes}\n"
                          "  - {name: b, op: conv2d, K: 8, kernel: 3, pad: 1}\n"
                          "  - {name: s, op: add, inputs: [b, a]}\n  - {name: g, op: gelu}\n"
                          "  - {name: c, op: conv2d, K: 8, kernel: 1}\n  - {name: n, op: layer_norm}\n"
                          "  - {name: d, op: conv2d, K: 8, kernel: 1}\n  - {name: t, op: add, inputs: [d, n]}\n"
                          "  - {name: fc, op: fc, K: 24, bias: yes}\n";

} // namespace

TEST(VerifyPlanWidths, EveryLayerRunsInItsOwn) {
  test::Folder f;
  test::write_file(f / "n.yaml", nodes);
  for (const char *plan : {"name: p\ndefault: int8\nlayers: {a: w4a8, b: w6a5, c: w8a6, d: w3a8, fc: w2a4}\n",
                           "name: q\ndefault: w8a4\nlayers: {a: w8a12, b: w8a4, c: w12a8, d: w5a3}\n"}) {
    Bench bench("tiny", (f / "n.yaml").c_str());
    test::Error error;
    erg_widths widths{};
    erg_verify_result result{};
    erg_verify_options options{};
    options.quiet = true;
    erg_point point = bench.point("int8", ERG_FUSION_EPILOGUE, ERG_MODEL_RTL);
    ASSERT_EQ(erg_widths_parse("p.yaml", plan, &bench.graph, &widths, &error), ERG_OK) << error.message();
    erg_point_widths(&point, &widths);
    EXPECT_EQ(erg_verify(&point, &options, &result, &error), ERG_OK) << error.message();
    EXPECT_EQ(result.mismatches, 0u);
    EXPECT_EQ(result.row_count, 7) << "five layers, a table, a norm";
    EXPECT_EQ(result.macs_checked, static_cast<uint64_t>(erg_graph_macs(&bench.graph)));
    erg_verify_result_free(&result);
    options.fault_packing = true;
    options.only_layer = "d";
    test::Error again;
    EXPECT_EQ(erg_verify(&point, &options, &result, &again), ERG_ERR_MISMATCH);
    EXPECT_GT(result.mismatches, 0u);
    EXPECT_EQ(result.row_count, 1);
    erg_verify_result_free(&result);
    erg_widths_free(&widths);
  }
}
