// SPDX-License-Identifier: GPL-3.0-or-later
// When the Verilated array waits for its tiles, in cases small enough to work out what it must wait.
#include "support.hpp"

namespace {

const char *const arch_text = "name: t\nrows: 4\ncols: 4\nclock_mhz: 100\naccumulator_depth: 16\nlevels:\n"
                              "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 64, latency_cycles: 2}\n"
                              "  - {name: in, kind: sram, capacity_kib: 1, holds: [input, residual]}\n"
                              "  - {name: w, kind: sram, capacity_kib: 1, holds: [weight, constant]}\n"
                              "  - {name: out, kind: sram, capacity_kib: 1, holds: [output]}\n";

// A 1 x 1 convolution over maps four pixels wide; tiles of four channels and four rows: 16 pixels. 8 input channels are
// two folds. Outputs are compared with the golden kernel.
struct Both {
  erg_activity events{}, verilated{};
  Both(int height, int batch, int in_channels = 8, int out_channels = 4) {
    std::string net = "name: n\ninput: {height: " + std::to_string(height) +
                      ", width: 4, channels: " + std::to_string(in_channels) +
                      "}\nnodes:\n  - {name: c, op: conv2d, K: " + std::to_string(out_channels) + ", kernel: 1}\n";
    erg_arch arch{};
    erg_graph graph{};
    erg_plan plan{};
    test::Error error;
    test::Arena arena;
    erg_precision precision = test::precision("int8");
    EXPECT_EQ(erg_arch_parse("a.yaml", arch_text, nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_graph_parse("n.yaml", net.c_str(), batch, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_plan_build(&graph, ERG_FUSION_EPILOGUE, nullptr, nullptr, &plan, &error), ERG_OK);
    const erg_pass &pass = plan.passes[0];
    erg_geometry g;
    erg_geometry_of(&pass, &precision, &g);
    erg_mapping m{};
    m.out_channels = 4, m.out_rows = 4, m.reduction = in_channels, m.order = ERG_ORDER_WEIGHTS_STAY;
    EXPECT_EQ(erg_map_given(&arch, &g, &m, &error), ERG_OK) << error.message();
    int16_t *input;
    int32_t zero_point;
    erg_synth_layer layer;
    EXPECT_EQ(erg_synth_input(&arena, graph.nodes[0].out, 8, 1, &input, &zero_point, &error), ERG_OK);
    EXPECT_EQ(erg_synth_make(&arena, &pass, &precision, 1, input, zero_point, nullptr, 0, &layer, &error), ERG_OK);
    std::vector<int16_t> output(static_cast<size_t>(erg_shape_elements(pass.out_shape)));
    erg_rtl_run run{};
    run.input = input, run.input_zero_point = zero_point, run.layer = &layer, run.output = output.data();
    erg_rtl_config config{4, 4, 8, 8, 32, 16, nullptr};
    EXPECT_EQ(erg_rtl_open(&config, nullptr, &run.rtl, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_systemc(&arch, &g, &m, &pass.int_counts, nullptr, &events, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_systemc(&arch, &g, &m, &pass.int_counts, &run, &verilated, &error), ERG_OK) << error.message();
    std::vector<int16_t> golden(output.size());
    erg_epilogue epilogue{};
    epilogue.bias = layer.bias, epilogue.scale = layer.scale, epilogue.zero_point = layer.zero_point;
    epilogue.low = layer.low, epilogue.high = layer.high;
    EXPECT_EQ(erg_conv2d_s16(&pass.conv, input, zero_point, layer.weight, 32, &epilogue, golden.data(), &error),
              ERG_OK);
    EXPECT_EQ(output, golden);
    erg_rtl_close(run.rtl);
    erg_plan_free(&plan);
    erg_graph_free(&graph);
    erg_arch_free(&arch);
  }
};

} // namespace

// Tiles of 16 and 4 pixels take turns: 32 and 8 cycles. The first loads in 26.5 cycles (input 16, weights 4, constants
// 4.5, latency 2). A large tile loads in 18 from when the large one before it has been streamed, and the small one
// between covers 8 of them: 10 cycles late, five times. The last store takes 4. No machine with two slots waits less.
TEST(StallsRtl, ASlotIsFreeWhenItsTileHasBeenStreamedAndNotBefore) {
  Both b(5, 6);
  EXPECT_EQ(b.verilated.array_cycles, b.events.array_cycles);
  EXPECT_GE(b.verilated.stall_cycles[0], 80u);
  EXPECT_GE(b.events.stall_cycles[0], 80u);
}

// Equal tiles that load in 18 cycles and take 32: none is late, so there are only the first load, 26.5, and the last
// store, 10, and less than a cycle for waking up on a whole one. Waiting for a tile when the weight port turns to it, a
// fold of 16 cycles before its first row is due, costs 2 cycles a tile.
TEST(StallsRtl, AnInputTileIsNotWaitedForAFoldEarly) {
  Both b(80, 1);
  EXPECT_EQ(b.verilated.array_cycles, b.events.array_cycles);
  EXPECT_GE(b.verilated.stall_cycles[0], 36u);
  EXPECT_LE(b.verilated.stall_cycles[0], 37u);
  EXPECT_LE(b.events.stall_cycles[0], 37u);
}

// One fold a step: in the cycle in which a step's first row is due the weight port turns to the step after it, and
// where that one brings other weights it asks first. Constants of both must be there.
TEST(StallsRtl, BothPortsTurnToNewStepsInOneCycle) {
  Both b(8, 1, 4, 24);
  EXPECT_EQ(b.verilated.array_cycles, b.events.array_cycles);
}
