// SPDX-License-Identifier: GPL-3.0-or-later
// The layer that docs/model.md works on paper, counter by counter, asserted against all three models.
#include "bench.hpp"

namespace {

void check(const erg_activity &a, const char *model) {
  SCOPED_TRACE(model);
  EXPECT_EQ(a.ops[ERG_OP_MAC], 240u);
  EXPECT_EQ(a.ops[ERG_OP_REQUANTIZE], 40u);
  EXPECT_EQ(a.ops[ERG_OP_ADD], 40u);
  EXPECT_EQ(a.array_cycles, 37u);
  // dram
  EXPECT_EQ(a.read_bits[0][ERG_TENSOR_INPUT], 480u);
  EXPECT_EQ(a.read_bits[0][ERG_TENSOR_WEIGHT], 192u);
  EXPECT_EQ(a.read_bits[0][ERG_TENSOR_CONSTANT], 288u);
  EXPECT_EQ(a.write_bits[0][ERG_TENSOR_OUTPUT], 320u);
  // scratchpads, DMA side
  EXPECT_EQ(a.write_bits[1][ERG_TENSOR_INPUT], 480u);
  EXPECT_EQ(a.write_bits[2][ERG_TENSOR_WEIGHT], 192u);
  EXPECT_EQ(a.write_bits[2][ERG_TENSOR_CONSTANT], 288u);
  EXPECT_EQ(a.read_bits[3][ERG_TENSOR_OUTPUT], 320u);
  // scratchpads, array side
  EXPECT_EQ(a.read_bits[1][ERG_TENSOR_INPUT], 480u);
  EXPECT_EQ(a.read_bits[2][ERG_TENSOR_WEIGHT], 576u);
  EXPECT_EQ(a.read_bits[2][ERG_TENSOR_CONSTANT], 864u);
  EXPECT_EQ(a.write_bits[3][ERG_TENSOR_OUTPUT], 320u);
  // partial sums and registers
  EXPECT_EQ(a.read_bits[4][ERG_TENSOR_PSUM], 1280u);
  EXPECT_EQ(a.write_bits[4][ERG_TENSOR_PSUM], 1280u);
  EXPECT_EQ(a.write_bits[5][ERG_TENSOR_WEIGHT], 576u);
  EXPECT_EQ(a.write_bits[5][ERG_TENSOR_INPUT], 1920u);
  EXPECT_EQ(a.write_bits[5][ERG_TENSOR_PSUM], 7680u);
}

} // namespace

TEST(HandWorked, AnalyticAndSystemC) {
  Bench bench("tiny", "hand-worked");
  Result formula(bench.point("int8")), events(bench.point("int8", ERG_FUSION_EPILOGUE, ERG_MODEL_SYSTEMC));
  ASSERT_EQ(formula.status, ERG_OK) << formula.error.message();
  ASSERT_EQ(events.status, ERG_OK) << events.error.message();
  EXPECT_EQ(formula.layers[0].mapping.out_rows, 4); // three m-tiles: 4, 4 and 2 rows
  check(formula.activity, "analytic");
  check(events.activity, "systemc");
  EXPECT_EQ(formula.activity.cycles, 65u);
  EXPECT_EQ(events.activity.cycles, 65u);
  EXPECT_EQ(formula.activity.stall_cycles[0], 23u + 1u + 4u);
  EXPECT_EQ(events.activity.stall_cycles[0], 23u + 1u + 4u);
  EXPECT_EQ(formula.activity.initial_write_bits, 8u * 120u);
}

// docs/model.md: all tiles move the same bits, and of each number of tiles the smallest is taken; 4 rows are the
// fastest.
TEST(HandWorked, TheChosenTileIsTheFastest) {
  Bench bench("tiny", "hand-worked");
  Result chosen(bench.point("int8"));
  ASSERT_EQ(chosen.status, ERG_OK);
  const erg_layer_result &layer = chosen.layers[0];
  for (int rows : {1, 2, 3, 5}) {
    erg_mapping m = layer.mapping;
    m.out_rows = rows;
    test::Error error;
    ASSERT_EQ(erg_map_given(&bench.arch, &layer.geometry, &m, &error), ERG_OK) << error.message();
    EXPECT_EQ(m.offchip_bits, 1280u);
    erg_activity a;
    erg_analytic(&bench.arch, &layer.geometry, &m, &layer.pass->int_counts, &a);
    EXPECT_GT(a.cycles, 65u) << rows;
  }
}

TEST(HandWorked, Rtl) {
  Bench bench("tiny", "hand-worked");
  erg_point point = bench.point("int8", ERG_FUSION_EPILOGUE, ERG_MODEL_RTL);
  erg_plan plan{};
  test::Error error;
  test::Arena arena;
  ASSERT_EQ(erg_plan_build(&bench.graph, ERG_FUSION_EPILOGUE, nullptr, nullptr, &plan, &error), ERG_OK);
  const erg_pass &pass = plan.passes[0];
  erg_geometry g;
  erg_mapping m;
  erg_geometry_of(&pass, &point.precision, &g);
  ASSERT_EQ(erg_map(&bench.arch, &g, &m, &error), ERG_OK);
  int16_t *input;
  int32_t zero_point;
  erg_synth_layer layer;
  ASSERT_EQ(erg_synth_input(&arena, bench.graph.nodes[0].out, 8, 1, &input, &zero_point, &error), ERG_OK);
  ASSERT_EQ(erg_synth_make(&arena, &pass, &point.precision, 1, input, zero_point, nullptr, 0, &layer, &error), ERG_OK);
  std::vector<int16_t> output(40);
  erg_rtl_run run{};
  run.input = input, run.input_zero_point = zero_point, run.layer = &layer, run.output = output.data();
  erg_rtl_config config{4, 4, 8, 8, 32, 8, nullptr};
  ASSERT_EQ(erg_rtl_open(&config, nullptr, &run.rtl, &error), ERG_OK) << error.message();
  erg_activity a;
  ASSERT_EQ(erg_systemc(&bench.arch, &g, &m, &pass.int_counts, &run, &a, &error), ERG_OK) << error.message();
  check(a, "rtl");
  EXPECT_EQ(run.rtl_cycles, 37u);
  EXPECT_EQ(a.stall_cycles[0], 23u + 4u); // its first output of the last tile comes after tile 0 has been stored
  EXPECT_EQ(a.cycles, 64u);
  erg_rtl_close(run.rtl);
  erg_plan_free(&plan);
}
