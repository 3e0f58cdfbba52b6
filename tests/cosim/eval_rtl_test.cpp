// SPDX-License-Identifier: GPL-3.0-or-later
// A trained network evaluated on the Verilated array: image by image what the golden kernels say, and a wrong array is
// noticed.
#include "../unit/quant/integer_net.hpp"

namespace {

// The array of arch `tiny`, with memories that hold the network.
const char *const roomy = "name: roomy\nrows: 4\ncols: 4\nclock_mhz: 100\naccumulator_depth: 8\nlevels:\n"
                          "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 64, latency_cycles: 7}\n"
                          "  - {name: in, kind: sram, capacity_kib: 16, holds: [input, residual]}\n"
                          "  - {name: w, kind: sram, capacity_kib: 16, holds: [weight, constant]}\n"
                          "  - {name: out, kind: sram, capacity_kib: 4, holds: [output]}\n";

struct Machine {
  erg_arch arch{};
  erg_point point{};
  explicit Machine(const char *text) {
    test::Error error;
    EXPECT_EQ(text == roomy ? erg_arch_parse("roomy.yaml", text, nullptr, 0, &arch, &error)
                            : erg_arch_load(text, nullptr, 0, &arch, &error),
              ERG_OK)
        << error.message();
    point.arch = &arch;
    point.dataflow = ERG_DATAFLOW_WS;
    point.batch = 1;
    point.seed = 1;
  }
  ~Machine() { erg_arch_free(&arch); }
};

// Residual, batch norm, both clamps, a table, pools: whatever an epilogue may hold.
struct Network {
  test::SmallNet net{8,
                     8,
                     3,
                     {"{name: c1, op: conv2d, K: 20, kernel: 3, pad: 1}", "{name: bn, op: batch_norm}",
                      "{name: r1, op: relu}", "{name: dw, op: conv2d, K: 20, kernel: 3, pad: 1, groups: 20, bias: yes}",
                      "{name: add, op: add, inputs: [dw, r1]}", "{name: r2, op: relu6}",
                      "{name: pool, op: max_pool, kernel: 2, stride: 2}",
                      "{name: c2, op: conv2d, K: 18, kernel: 1, bias: yes}", "{name: gate, op: sigmoid}",
                      "{name: mean, op: global_avg_pool}", "{name: fc, op: fc, K: 5, bias: yes}"}};
  test::Weights weights{net};
  test::Examples data{net, 5, 4};
  Network() { test::fill(net, &weights, 17); }
};

// All tensors of every image, on both.
void compare(const Network &n, const erg_quantize_options &options, const char *arch, double gaps) {
  Machine machine(arch);
  test::Calibration calibration(n.net, n.weights, n.data);
  test::Quantized q(n.net, n.weights, calibration, options);
  erg_integer_machine m{&machine.point, true, nullptr, gaps};
  erg_integer_run *rtl = nullptr;
  test::Error error;
  ASSERT_EQ(erg_integer_open(&q, ERG_INTEGER_RTL, &m, &rtl, &error), ERG_OK) << error.message();
  test::IntegerRun golden(q, ERG_INTEGER_FAST);
  for (int i = 0; i < n.data.count; i++) {
    ASSERT_EQ(erg_integer_forward(rtl, n.data.inputs + i * 192, &error), ERG_OK) << error.message();
    golden.forward(n.data.inputs + i * 192);
    for (int id = 0; id < n.net.node_count; id++) {
      if (!q.stored[id]) continue;
      for (int64_t k = 0; k < erg_shape_elements(n.net.nodes[id].out); k++)
        ASSERT_EQ(erg_integer_tensor(rtl, id)[k], golden.at(id)[k]) << n.net.nodes[id].name << " image " << i;
    }
  }
  uint64_t checked, mismatches;
  erg_integer_checked(rtl, &checked, &mismatches);
  EXPECT_EQ(checked, 5u * (64 * 20 + 64 * 20 + 16 * 18 + 5));
  EXPECT_EQ(mismatches, 0u);
  erg_integer_close(rtl);
}

TEST(EvalRtl, EveryTensorOfEveryImageIsTheGoldenOne) {
  compare(Network(), test::options("int8"), "edge", 0);
}

TEST(EvalRtl, LayersOfSeveralWidthsShareTheWidestArray) {
  Network n;
  std::vector<erg_precision> layers(static_cast<size_t>(n.net.node_count), test::precision("int8"));
  layers[1] = test::precision("w8a8o6"), layers[11] = test::precision("w4a6"), layers[4] = test::precision("w2a5"),
  layers[8] = test::precision("w3a7");
  erg_quantize_options o = test::options("int8");
  o.layers = layers.data();
  compare(n, o, "edge", 0.2);
}

TEST(EvalRtl, AWrongArrayIsCounted) {
  Network n;
  Machine machine(roomy);
  test::Calibration calibration(n.net, n.weights, n.data);
  test::Quantized q(n.net, n.weights, calibration, test::options("int8"));
  erg_integer_machine m{&machine.point, true, "ROUNDING", 0};
  test::Evaluation e;
  test::Error error;
  ASSERT_EQ(erg_evaluate(&q, nullptr, &n.data, ERG_INTEGER_RTL, &m, &e, &error), ERG_OK) << error.message();
  EXPECT_GT(e.checked_outputs, 10000u);
  EXPECT_GT(e.mismatches, 0u);
}

TEST(EvalRtl, WhatNoArrayDoesIsSkipped) {
  Network n;
  Machine machine("edge");
  test::Calibration calibration(n.net, n.weights, n.data);
  std::vector<erg_precision> layers(static_cast<size_t>(n.net.node_count), test::precision("int8"));
  layers[4] = test::precision("w4a4p24");
  erg_quantize_options o = test::options("int8");
  o.layers = layers.data();
  test::Quantized q(n.net, n.weights, calibration, o);
  erg_integer_machine m{&machine.point, true, nullptr, 0};
  erg_integer_run *run = nullptr;
  test::Error error;
  EXPECT_EQ(erg_integer_open(&q, ERG_INTEGER_RTL, &m, &run, &error), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(error.message().find("one array has one width"), std::string::npos) << error.message();
}

} // namespace
