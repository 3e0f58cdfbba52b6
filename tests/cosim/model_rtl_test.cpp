// SPDX-License-Identifier: GPL-3.0-or-later
// `--model rtl`: counts of the machine with the Verilated array in it, priced like any other; and networks in which
// clamps and adds run as passes of their own.
#include "support.hpp"

namespace {

// A clamp before an add, and an add of two pools: nothing of it fits an epilogue.
const char *const loose_net = "name: loose\ninput: {height: 12, width: 12, channels: 8}\nnodes:\n"
                              "  - {name: c1, op: conv2d, K: 16, kernel: 3, pad: 1}\n  - {name: r1, op: relu6}\n"
                              "  - {name: c2, op: conv2d, K: 16, kernel: 3, pad: 1, inputs: [r1]}\n"
                              "  - {name: r2, op: relu}\n  - {name: s1, op: add, inputs: [r2, r1]}\n"
                              "  - {name: p1, op: max_pool, kernel: 2, stride: 2, inputs: [s1]}\n"
                              "  - {name: p2, op: avg_pool, kernel: 2, stride: 2, inputs: [s1]}\n"
                              "  - {name: s2, op: add, inputs: [p1, p2]}\n  - {name: r3, op: relu}\n"
                              "  - {name: fc, op: fc, K: 40, bias: yes}\n";

struct Inputs {
  erg_arch arch{};
  erg_technology tech{};
  erg_graph graph{};
  test::Error error;
  Inputs() {
    EXPECT_EQ(erg_arch_load("tiny", nullptr, 0, &arch, &error), ERG_OK) << error.message();
    arch.accumulator_depth = 64;
    EXPECT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &tech, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_graph_parse("n.yaml", loose_net, 1, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    for (int i = 1; i < arch.level_count; i++) arch.levels[i].capacity_kib = 16;
  }
  ~Inputs() {
    erg_arch_free(&arch);
    erg_technology_free(&tech);
    erg_graph_free(&graph);
  }
  erg_point point(erg_model model, const char *precision = "int8") {
    return {&arch, &tech, &graph, test::precision(precision), ERG_FUSION_EPILOGUE, ERG_DATAFLOW_WS, model, 1, 3};
  }
};

} // namespace

TEST(ModelRtl, VerifyCrossesPassesThatWereNotFused) {
  Inputs in;
  erg_point point = in.point(ERG_MODEL_RTL);
  erg_verify_result result{};
  erg_verify_options options{};
  options.quiet = true;
  EXPECT_EQ(erg_verify(&point, &options, &result, &in.error), ERG_OK) << in.error.message();
  EXPECT_EQ(result.row_count, 3);
  EXPECT_EQ(result.macs_checked, static_cast<uint64_t>(erg_graph_macs(&in.graph)));
  erg_verify_result_free(&result);
}

TEST(ModelRtl, CountsAreThoseOfTheOtherModels) {
  Inputs in;
  erg_result rtl{}, events{};
  erg_point a = in.point(ERG_MODEL_RTL), b = in.point(ERG_MODEL_SYSTEMC);
  ASSERT_EQ(erg_run(&a, nullptr, &rtl, &in.error), ERG_OK) << in.error.message();
  ASSERT_EQ(erg_run(&b, nullptr, &events, &in.error), ERG_OK) << in.error.message();
  ASSERT_FALSE(rtl.skipped) << rtl.reason;
  ASSERT_EQ(rtl.layer_count, events.layer_count);
  for (int i = 0; i < rtl.layer_count; i++) {
    SCOPED_TRACE(rtl.layers[i].pass->name);
    EXPECT_EQ(rtl.layers[i].activity.array_cycles, events.layers[i].activity.array_cycles);
    for (int level = 0; level < in.arch.level_count + 2; level++)
      EXPECT_EQ(erg_activity_level_bits(&rtl.layers[i].activity, level),
                erg_activity_level_bits(&events.layers[i].activity, level));
  }
  EXPECT_DOUBLE_EQ(rtl.energy.total_pj, events.energy.total_pj);
  EXPECT_GT(rtl.activity.cycles, 0u);
  erg_result_free(&rtl);
  erg_result_free(&events);
}

TEST(ModelRtl, WhatTheArrayDoesNotTakeIsSkipped) {
  Inputs in;
  erg_result result{};
  erg_point point = in.point(ERG_MODEL_RTL, "fp32");
  ASSERT_EQ(erg_run(&point, nullptr, &result, &in.error), ERG_OK) << in.error.message();
  EXPECT_TRUE(result.skipped);
  EXPECT_NE(std::string(result.reason).find("takes integers"), std::string::npos) << result.reason;
  erg_result_free(&result);
}
