// SPDX-License-Identifier: GPL-3.0-or-later
// Costs of a training step: MACs conserved, and gradients equal to the forward passes that they are.
#include "ergon/training.h"
#include "support.hpp"

namespace {

struct Bench {
  erg_arch arch{};
  erg_technology technology{};
  erg_graph graph{};
  erg_point point{};
  test::Error error;
  explicit Bench(const std::string &net, int batch = 1, const char *precision = "fp32") {
    EXPECT_EQ(erg_arch_load("edge", nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &technology, &error), ERG_OK) << error.message();
    erg_status status = net.find('\n') == std::string::npos
                            ? erg_graph_load(net.c_str(), batch, nullptr, 0, &graph, &error)
                            : erg_graph_parse("t.yaml", net.c_str(), batch, nullptr, 0, &graph, &error);
    EXPECT_EQ(status, ERG_OK) << error.message();
    point.arch = &arch;
    point.technology = &technology;
    point.graph = &graph;
    point.precision = test::precision(precision);
    point.fusion = ERG_FUSION_NONE;
    point.batch = batch;
  }
  ~Bench() {
    erg_graph_free(&graph);
    erg_technology_free(&technology);
    erg_arch_free(&arch);
  }
};

struct Step : erg_training_step {
  test::Error error;
  erg_status status;
  explicit Step(const Bench &b, int stored = 0) : erg_training_step{} {
    status = erg_training_run(&b.point, stored, this, &error);
    EXPECT_EQ(status, ERG_OK) << error.message();
  }
  ~Step() {
    if (status == ERG_OK) erg_training_free(this);
  }
};

// What the last layer of a network costs as a pass of `ergon run --fusion none`.
erg_training_cost forward_of(const std::string &net, int batch = 1) {
  Bench b(net, batch);
  erg_result r{};
  EXPECT_EQ(erg_run(&b.point, nullptr, &r, &b.error), ERG_OK) << b.error.message();
  const erg_layer_result &l = r.layers[r.layer_count - 1];
  erg_training_cost cost = {l.activity.ops[ERG_OP_MAC], l.activity.cycles, erg_activity_level_bits(&l.activity, 0),
                            l.energy.total_pj};
  erg_result_free(&r);
  return cost;
}

void same(const erg_training_cost &a, const erg_training_cost &b) {
  EXPECT_EQ(a.macs, b.macs);
  EXPECT_EQ(a.cycles, b.cycles);
  EXPECT_EQ(a.dram_bits, b.dram_bits);
  EXPECT_NEAR(a.energy_pj / b.energy_pj, 1, 1e-12);
}

std::string net(int h, int w, int c, const std::string &nodes) {
  return "name: t\ninput: {height: " + std::to_string(h) + ", width: " + std::to_string(w) +
         ", channels: " + std::to_string(c) + "}\nnodes:\n" + nodes;
}

void conserved(const Bench &b) {
  Step s(b);
  std::vector<char> learns(static_cast<size_t>(b.graph.node_count));
  erg_training_learns(&b.graph, reinterpret_cast<bool *>(learns.data()));
  for (int id = 0; id < b.graph.node_count; id++) {
    const erg_node &node = b.graph.nodes[id];
    if (node.op->role != ERG_ROLE_ARRAY) continue;
    const auto &cost = s.nodes[id];
    ASSERT_GT(cost[ERG_TRAINING_FORWARD].macs, 0u);
    EXPECT_EQ(cost[ERG_TRAINING_WEIGHTS].macs, cost[ERG_TRAINING_FORWARD].macs) << node.name;
    EXPECT_EQ(cost[ERG_TRAINING_INPUTS].macs,
              learns[static_cast<size_t>(node.inputs[0])] ? cost[ERG_TRAINING_FORWARD].macs : 0u)
        << node.name;
  }
}

} // namespace

TEST(Training, MacsOfGradientsAreThoseOfForward) {
  for (const char *name : {"resnet18", "mobilenetv2", "shapes-cnn", "manifold-mlp", "style-residual", "llama-block"})
    conserved(Bench(name));
  conserved(Bench("resnet18", 3));
  test::Random random(77);
  for (int trial = 0; trial < 40; trial++) { // any stride, kernel, padding, groups
    const int groups = random.range(1, 3), k = random.range(1, 5), size = random.range(k, 20);
    conserved(Bench(
        net(size, size, 4,
            "  - {name: a, op: conv2d, K: " + std::to_string(6 * groups) +
                ", kernel: 1}\n  - {name: b, op: conv2d, K: " + std::to_string(groups * random.range(1, 40)) +
                ", kernel: " + std::to_string(k) + ", stride: " + std::to_string(random.range(1, 3)) +
                ", pad: " + std::to_string(random.range(0, k - 1)) + ", groups: " + std::to_string(groups) + "}\n"),
        random.range(1, 4)));
  }
}

// dX of a convolution of stride 1 that keeps the map is one back from K to C channels.
TEST(Training, GradientOfInputsIsTheConvolutionBack) {
  Bench b(net(14, 10, 24,
              "  - {name: a, op: conv2d, K: 24, kernel: 1}\n"
              "  - {name: b, op: conv2d, K: 40, kernel: 3, pad: 1}\n"),
          2);
  Step s(b);
  same(s.nodes[2][ERG_TRAINING_INPUTS],
       forward_of(net(14, 10, 40, "  - {name: b, op: conv2d, K: 24, kernel: 3, pad: 1}\n"), 2));
}

// dW of a layer on vectors is the product X' dY over the batch: C rows, K columns, N deep.
TEST(Training, GradientOfWeightsIsTheProductOverTheBatch) {
  Bench b(net(1, 1, 96, "  - {name: a, op: fc, K: 48}\n"), 64);
  Step s(b);
  same(s.nodes[1][ERG_TRAINING_WEIGHTS], forward_of(net(96, 1, 64, "  - {name: b, op: gemm, K: 48}\n")));
}

// A map too large to be summed over at once is summed in parts that read and write dW again; none is lost.
TEST(Training, GradientOfWeightsInPartsMovesMoreAndComputesTheSame) {
  const std::string text = net(56, 56, 32, "  - {name: a, op: conv2d, K: 16, kernel: 3, pad: 1}\n");
  Bench large(text, 4), small(text, 4);
  erg_override sets[] = {{"levels.2.capacity_kib", "16"}};
  erg_arch_free(&small.arch);
  ASSERT_EQ(erg_arch_load("edge", sets, 1, &small.arch, &small.error), ERG_OK) << small.error.message();
  Step all(large), parts(small);
  EXPECT_EQ(parts.nodes[1][ERG_TRAINING_WEIGHTS].macs, all.nodes[1][ERG_TRAINING_WEIGHTS].macs);
  EXPECT_GT(parts.nodes[1][ERG_TRAINING_WEIGHTS].dram_bits, all.nodes[1][ERG_TRAINING_WEIGHTS].dram_bits);
}

TEST(Training, PartsSumAndNarrowCopiesSaveReads) {
  Bench b("resnet18");
  Step full(b), narrow(b, 8);
  erg_training_cost sum{};
  for (int id = 0; id < b.graph.node_count; id++) erg_training_add(&sum, &full.nodes[id][ERG_TRAINING_WEIGHTS]);
  same(sum, full.parts[ERG_TRAINING_WEIGHTS]);
  EXPECT_EQ(full.parts[ERG_TRAINING_STORE].cycles, 0u);
  EXPECT_GT(narrow.parts[ERG_TRAINING_STORE].cycles, 0u);
  EXPECT_LT(narrow.parts[ERG_TRAINING_WEIGHTS].dram_bits, full.parts[ERG_TRAINING_WEIGHTS].dram_bits);
  same(narrow.parts[ERG_TRAINING_FORWARD], full.parts[ERG_TRAINING_FORWARD]);
  same(narrow.parts[ERG_TRAINING_UPDATE], full.parts[ERG_TRAINING_UPDATE]);
  // Read w and its gradient, write w, 32 bits each.
  EXPECT_EQ(full.parts[ERG_TRAINING_UPDATE].dram_bits, 96u * static_cast<uint64_t>(erg_graph_parameters(&b.graph)));
}

TEST(Training, WhatTheTechnologyLacksIsNamed) {
  Bench b("shapes-cnn");
  erg_technology_free(&b.technology);
  ASSERT_EQ(erg_technology_load("bitfusion-45nm", nullptr, 0, &b.technology, &b.error), ERG_OK);
  erg_training_step s;
  EXPECT_EQ(erg_training_run(&b.point, 0, &s, &b.error), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(b.error.message().find("conv1"), std::string::npos) << b.error.message();
}
