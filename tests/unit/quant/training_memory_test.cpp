// SPDX-License-Identifier: GPL-3.0-or-later
// A network as a chain of stages, its schedules run buffer by buffer.
#include "support.hpp"
extern "C" {
#include "ergon/training_memory.h"
}

namespace {

struct Net {
  erg_arch arch{};
  erg_technology technology{};
  erg_graph graph{};
  erg_point point{};
  erg_training_stages stages{};
  test::Error error;
  test::Arena arena;
  erg_status status = ERG_OK;
  explicit Net(const std::string &text) {
    EXPECT_EQ(erg_arch_load("edge", nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &technology, &error), ERG_OK) << error.message();
    status = text.find('\n') == std::string::npos
                 ? erg_graph_load(text.c_str(), 1, nullptr, 0, &graph, &error)
                 : erg_graph_parse("t.yaml", text.c_str(), 1, nullptr, 0, &graph, &error);
    EXPECT_EQ(status, ERG_OK) << error.message();
    point.arch = &arch, point.technology = &technology, point.graph = &graph, point.batch = 1;
    point.precision = test::precision("fp32");
    status = erg_training_stages_of(&graph, &point.precision, &stages, &error);
  }
  ~Net() {
    if (status == ERG_OK) erg_training_stages_free(&stages);
    erg_graph_free(&graph);
    erg_technology_free(&technology);
    erg_arch_free(&arch);
  }
  erg_memory_width memory(int bits, int64_t budget) {
    erg_memory_width w{};
    EXPECT_EQ(erg_training_memory(&point, &stages, bits, budget, &arena, &w, &error), ERG_OK) << error.message();
    return w;
  }
  std::string cuts() const {
    std::string text;
    for (int i = 0; i < stages.count; i++) text += std::string(i ? " " : "") + stages.stages[i].name;
    return text;
  }
};

const char *const residual = "name: t\ninput: {height: 8, width: 8, channels: 4}\nnodes:\n"
                             "  - {name: c1, op: conv2d, K: 8, kernel: 3, pad: 1}\n"
                             "  - {name: n1, op: batch_norm}\n"
                             "  - {name: r1, op: relu}\n"
                             "  - {name: c2, op: conv2d, K: 8, kernel: 3, pad: 1}\n"
                             "  - {name: n2, op: batch_norm}\n"
                             "  - {name: s2, op: add, inputs: [n2, r1]}\n"
                             "  - {name: r2, op: relu}\n"
                             "  - {name: p, op: global_avg_pool}\n"
                             "  - {name: f, op: fc, K: 10}\n";

// A chain of convolutions, some normed, some with a shortcut around them.
std::string random_net(test::Random &random) {
  std::string text = "name: t\ninput: {height: 12, width: 12, channels: 3}\nnodes:\n"
                     "  - {name: c0, op: conv2d, K: 8, kernel: 3, pad: 1}\n",
              last = "c0";
  const int blocks = random.range(1, 7);
  for (int b = 1; b <= blocks; b++) {
    const std::string n = std::to_string(b);
    const bool shortcut = random.coin(), grow = !shortcut && random.coin();
    text += "  - {name: c" + n + ", op: conv2d, K: " + (grow ? std::to_string(random.range(4, 24)) : "8") +
            ", kernel: 3, pad: 1, inputs: [" + last + "]}\n";
    if (random.coin()) text += "  - {name: n" + n + ", op: batch_norm}\n";
    if (random.coin()) text += "  - {name: r" + n + ", op: " + (random.coin() ? "relu" : "silu") + "}\n";
    if (random.coin() || !shortcut || grow) text += "  - {name: d" + n + ", op: conv2d, K: 8, kernel: 1}\n";
    if (shortcut)
      text +=
          "  - {name: s" + n + ", op: add, inputs: [" + text.substr(text.rfind("name: ") + 6, 2) + ", " + last + "]}\n";
    last = text.substr(text.rfind("name: ") + 6, 2);
  }
  return text + "  - {name: p, op: global_avg_pool}\n  - {name: f, op: fc, K: 10}\n";
}

} // namespace

TEST(TrainingMemory, StoredBytesHaveTheirScales) {
  EXPECT_EQ(erg_stored_bytes(256, 8, 32), 256 + 4);
  EXPECT_EQ(erg_stored_bytes(257, 4, 32), 129 + 8);
  EXPECT_EQ(erg_stored_bytes(1 << 20, 8, 32) * 8.0 / (1 << 20), 8.125);
  EXPECT_EQ(erg_stored_bytes(100, 32, 32), 400);
  EXPECT_EQ(erg_stored_bytes(100, 16, 16), 200) << "as computed: no scales";
}

// A norm needs what the convolution wrote, the ReLU what itself wrote; what lies on a shortcut is one stage.
TEST(TrainingMemory, StagesEndWhereBackwardReadsAndNothingPasses) {
  EXPECT_EQ(Net(residual).cuts(), "c1 r1 r2 p f");
  Net n(residual);
  std::string kept;
  for (int id = 0; id < n.graph.node_count; id++)
    if (n.stages.kept[id]) kept += std::string(n.graph.nodes[id].name) + " ";
  EXPECT_EQ(kept, "c1 r1 c2 r2 p f ");
}

// 8 x 8 x 8 maps of 2048 bytes in fp32 (M), [8] of 32 and [10] of 40 bytes.
TEST(TrainingMemory, PeaksByHand) {
  Net n(residual);
  const int64_t m = 2048;
  // Kept c1, r1, c2, r2 and p, f. Backward of r2: its gradient and that of the sum; of the sum: those of n2 and r1
  // beside its own, after which p and f are gone: 4 M + 3 M.
  EXPECT_EQ(n.memory(32, INT64_MAX).keep_all.run.peak_bytes, 4 * m + 3 * m);
  // In 8 bits a map takes 512 + 2 * 4 bytes. Forward: norm n2 lives beside the c2 it reads, r1 has been read from
  // its copy by s2: c1, r1, c2 kept, n2 and s2 in full ... backward has 4 copies and 3 gradients, which is more.
  EXPECT_EQ(n.memory(8, INT64_MAX).keep_all.run.peak_bytes, 4 * (512 + 8) + 2 * 64 + 3 * m) << "two masks";
}

TEST(TrainingMemory, ExecutedPeaksKeepTheirBudgets) {
  test::Random random(51);
  int points = 0, recomputing = 0, tight = 0;
  for (int trial = 0; trial < 30; trial++) {
    const std::string text = random_net(random);
    Net n(text);
    ASSERT_EQ(n.status, ERG_OK) << n.error.message() << text;
    const int bits = trial % 2 ? 32 : random.range(2, 16);
    erg_memory_width all = n.memory(bits, 0);
    ASSERT_GT(all.point_count, 0);
    EXPECT_LE(all.least_bytes, all.keep_all.run.peak_bytes);
    EXPECT_EQ(all.points[all.point_count - 1].run.recompute.energy_pj, 0) << "keeping all is on the front";
    for (int i = 0; i < all.point_count; i++) {
      const erg_memory_point &p = all.points[i];
      points++;
      recomputing += p.run.recompute.energy_pj > 0;
      EXPECT_LE(p.run.peak_bytes, p.budget_bytes) << text;
      tight += p.run.peak_bytes > p.budget_bytes * 0.9;
      if (i) {
        EXPECT_GT(p.run.peak_bytes, all.points[i - 1].run.peak_bytes);
        EXPECT_LT(p.run.recompute.energy_pj, all.points[i - 1].run.recompute.energy_pj);
      }
      EXPECT_NEAR(p.run.step.energy_pj / all.keep_all.run.step.energy_pj, 1, 1e-12) << "what must be done is the same";
    }
    for (int k = 0; k < 4; k++) {
      const int64_t budget = random.range(all.least_bytes / 2, all.keep_all.run.peak_bytes);
      erg_memory_width w = n.memory(bits, budget);
      EXPECT_EQ(w.point_count, budget >= all.least_bytes ? 1 : 0) << budget << " of at least " << all.least_bytes;
      if (!w.point_count) continue;
      EXPECT_LE(w.points[0].run.peak_bytes, budget);
      for (int i = 0; i < all.point_count && all.points[i].run.peak_bytes <= budget; i++)
        EXPECT_LE(w.points[0].run.recompute.energy_pj, all.points[i].run.recompute.energy_pj) << "of the front";
    }
  }
  std::printf("%d points, %d recompute, %d within 10 %% of their budget\n", points, recomputing, tight);
  EXPECT_GT(recomputing, 20);
  EXPECT_GT(tight, points / 2);
}

// The chain's own executor, which knows stages alone, and the one of nodes agree on the work; its peak is no less.
TEST(TrainingMemory, TwoExecutorsAgree) {
  Net n("shapes-cnn");
  test::Arena arena;
  erg_training_step training;
  ASSERT_EQ(erg_training_run(&n.point, 8, &training, &n.error), ERG_OK);
  erg_chain chain;
  ASSERT_EQ(erg_training_chain(&n.stages, &training, 8, &arena, &chain, &n.error), ERG_OK);
  int64_t least, peak;
  double cost;
  ASSERT_EQ(erg_checkpoint_least(&chain, 0, &least, &n.error), ERG_OK);
  erg_schedule schedule;
  ASSERT_EQ(erg_checkpoint(&chain, least, 0, &arena, &schedule, &n.error), ERG_OK) << n.error.message();
  ASSERT_EQ(erg_checkpoint_execute(&chain, &schedule, &peak, &cost, &n.error), ERG_OK) << n.error.message();
  erg_training_execution run;
  ASSERT_EQ(erg_training_execute(&n.stages, &training, 8, &schedule, &run, &n.error), ERG_OK) << n.error.message();
  const double update = training.parts[ERG_TRAINING_UPDATE].energy_pj;
  EXPECT_NEAR((run.step.energy_pj + run.recompute.energy_pj) / (cost + update), 1, 1e-12);
  EXPECT_LE(run.peak_bytes, peak);
  erg_training_free(&training);
}

TEST(TrainingMemory, ExecutionRefusesWrongSchedules) {
  Net n(residual); // stages c1 r1 r2 p f
  erg_training_step training;
  ASSERT_EQ(erg_training_run(&n.point, 8, &training, &n.error), ERG_OK);
  using Steps = std::vector<erg_step>;
  const erg_step_kind F = ERG_STEP_FORWARD, T = ERG_STEP_FORWARD_TAPE, B = ERG_STEP_BACKWARD;
  const struct {
    Steps steps;
    const char *message;
  } cases[] = {{{{F, 2}}, "node n1: the value of c1"},
               {{{T, 1}, {F, 3}}, "node c2: the value of r1"},
               {{{F, 1}, {F, 2}, {F, 3}, {F, 4}, {F, 5}, {B, 5}}, "stage f: its tape"},
               {{{T, 1}, {B, 1}}, "the loss cannot be taken"},
               {{{T, 1}, {F, 2}, {F, 3}, {F, 4}, {T, 5}, {B, 5}}, "node f: the copy of p"},
               {{{T, 1}, {T, 2}, {T, 3}, {T, 4}, {T, 5}, {B, 5}}, "the schedule ends with"},
               {{{T, 9}}, "there is no stage 9"}};
  for (const auto &c : cases) {
    test::Error error;
    Steps steps = c.steps;
    erg_schedule s{steps.data(), static_cast<int>(steps.size()), 0, 0};
    erg_training_execution run;
    EXPECT_EQ(erg_training_execute(&n.stages, &training, 8, &s, &run, &error), ERG_ERR_MISMATCH) << c.message;
    EXPECT_NE(error.message().find(c.message), std::string::npos) << error.message();
  }
  erg_training_free(&training);
}

TEST(TrainingMemory, WhatIsNoChainIsAMessage) {
  const std::string head = "name: t\ninput: {height: 4, width: 4, channels: 2}\nnodes:\n";
  const struct {
    std::string nodes, message;
  } cases[] = {
      {"  - {name: a, op: conv2d, K: 2, kernel: 1}\n  - {name: b, op: conv2d, K: 2, kernel: 1, inputs: [input]}\n",
       "node a is read by nobody"},
      {"  - {name: a, op: relu}\n", "nothing in it has weights"}};
  for (const auto &c : cases) {
    Net n(head + c.nodes);
    EXPECT_EQ(n.status, ERG_ERR_UNSUPPORTED);
    EXPECT_NE(n.error.message().find(c.message), std::string::npos) << n.error.message();
  }
}
