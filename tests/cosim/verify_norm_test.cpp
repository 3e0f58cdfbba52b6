// SPDX-License-Identifier: GPL-3.0-or-later
// Whole networks with dynamic norms and tables through the Verilated array and the unit behind it.
#include "ergon/sim.h"
#include "support.hpp"
#include <cstring>

namespace {

// Every norm and a table as passes and behind the array, maps of several tiles and edges.
const char *const kNet =
    "name: t\ninput: {height: 9, width: 7, channels: 10}\nnodes:\n"
    "  - {name: c1, op: conv2d, K: 21, kernel: 3, pad: 1, bias: yes}\n  - {name: n1, op: instance_norm}\n"
    "  - {name: r1, op: relu}\n  - {name: c2, op: conv2d, K: 13, kernel: 3, pad: 1}\n  - {name: n2, op: layer_norm}\n"
    "  - {name: g2, op: silu}\n  - {name: c3, op: conv2d, K: 13, kernel: 1}\n  - {name: g3, op: sigmoid}\n"
    "  - {name: m, op: mul, inputs: [g3, g2]}\n  - {name: n3, op: rms_norm}\n  - {name: c4, op: gemm, K: 9}\n";

struct Session {
  erg_arch arch{};
  erg_graph graph{};
  erg_point point{};
  erg_verify_options options{};
  erg_verify_result result{};
  test::Error error;

  explicit Session(const char *precision, erg_dataflow dataflow = ERG_DATAFLOW_WS, int batch = 1) {
    const erg_override size[] = {{"rows", "4"}, {"cols", "4"}};
    EXPECT_EQ(erg_arch_load("edge", size, 2, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_graph_parse("t.yaml", kNet, batch, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    point.arch = &arch;
    point.graph = &graph;
    point.fusion = ERG_FUSION_EPILOGUE;
    point.dataflow = dataflow;
    point.batch = batch;
    point.seed = 3;
    options.quiet = true;
    EXPECT_EQ(erg_precision_parse(precision, &point.precision, &error), ERG_OK) << error.message();
  }
  ~Session() {
    erg_verify_result_free(&result);
    erg_graph_free(&graph);
    erg_arch_free(&arch);
  }
  erg_status run() { return erg_verify(&point, &options, &result, &error); }
  const erg_verify_row *row(const char *name) const {
    for (int i = 0; i < result.row_count; i++)
      if (std::strcmp(result.rows[i].name, name) == 0) return &result.rows[i];
    return nullptr;
  }
};

} // namespace

TEST(VerifyNorm, EveryNormAndTableEqualsItsGoldenKernel) {
  for (const char *precision : {"int8", "w4a6", "int16"})
    for (erg_dataflow dataflow : {ERG_DATAFLOW_WS, ERG_DATAFLOW_OS}) {
      SCOPED_TRACE(std::string(precision) + " " + erg_dataflow_names[dataflow]);
      Session s(precision, dataflow, 2);
      ASSERT_EQ(s.run(), ERG_OK) << s.error.message();
      EXPECT_EQ(s.result.mismatches, 0u);
      for (const char *name : {"n1", "n2", "g2", "c3", "c3/sigmoid", "n3"}) {
        ASSERT_TRUE(s.row(name)) << name;
        EXPECT_STREQ(s.row(name)->status, "ok") << name;
        EXPECT_EQ(s.row(name)->unit, std::strcmp(name, "c3") != 0) << name;
      }
      EXPECT_EQ(s.row("n1")->outputs, 2u * 9 * 7 * 21);
      EXPECT_EQ(s.result.checked_outputs, 2u * 9 * 7 * (21 * 2 + 13 * 6 + 9));
    }
}

TEST(VerifyNorm, GapsChangeNothing) {
  Session s("int8");
  s.options.gap_probability = 0.3;
  ASSERT_EQ(s.run(), ERG_OK) << s.error.message();
  EXPECT_EQ(s.result.mismatches, 0u);
}

TEST(VerifyNorm, AFaultOfTheUnitIsFound) {
  Session s("int8");
  s.options.mutant = "ROUNDING";
  EXPECT_EQ(s.run(), ERG_ERR_MISMATCH);
  ASSERT_TRUE(s.row("n1"));
  EXPECT_STREQ(s.row("n1")->status, "mismatch");
  EXPECT_GT(s.row("n1")->mismatches, 0u);
  EXPECT_STREQ(s.row("g2")->status, "ok") << "a table rounds nothing, and its input is the unit's own output";
}

TEST(VerifyNorm, ANormAlone) {
  Session s("int8");
  s.options.only_layer = "n2";
  ASSERT_EQ(s.run(), ERG_OK) << s.error.message();
  ASSERT_EQ(s.result.row_count, 1);
  EXPECT_STREQ(s.result.rows[0].name, "n2");
  Session both("int8");
  both.options.only_layer = "c3";
  ASSERT_EQ(both.run(), ERG_OK) << both.error.message();
  EXPECT_EQ(both.result.row_count, 2) << "the array's codes and the table's";
  int tile = 0;
  Session tiled("int8");
  tiled.options.only_layer = "n2";
  tiled.options.only_tile = &tile;
  EXPECT_EQ(tiled.run(), ERG_ERR_USAGE);
  EXPECT_NE(tiled.error.message().find("has no tiles"), std::string::npos) << tiled.error.message();
}
