// SPDX-License-Identifier: GPL-3.0-or-later
// Totals of points that share a memo, with a plan kept from one to the next and alike passes counted once, against each
// point run alone, pass by pass.
#include "../workloads/net.hpp"
#include "bench.hpp"
#include <cstring>
#include <set>

namespace {

// Scratchpads so small that some fusions pay at some widths only.
erg_arch small(int input_kib, int weight_kib) {
  char text[600];
  std::snprintf(text, sizeof text,
                "name: t\nrows: 8\ncols: 8\nclock_mhz: 100\naccumulator_depth: 256\nlevels:\n"
                "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 64, latency_cycles: 5}\n"
                "  - {name: in, kind: sram, capacity_kib: %d, holds: [input, residual]}\n"
                "  - {name: w, kind: sram, capacity_kib: %d, holds: [weight, constant]}\n"
                "  - {name: out, kind: sram, capacity_kib: 8, holds: [output]}\n",
                input_kib, weight_kib);
  erg_arch arch{};
  test::Error error;
  EXPECT_EQ(erg_arch_parse("a.yaml", text, nullptr, 0, &arch, &error), ERG_OK) << error.message();
  return arch;
}

// 7 x 7 convolutions with a map added behind: the residual takes room that the input's halo needs.
std::string residual_net() {
  std::string nodes;
  for (const char *name : {"a", "b", "c", "d"}) {
    const std::string n = name, before = n == "a" ? "input" : std::string(1, static_cast<char>(n[0] - 1)) + "s";
    nodes += "  - {name: " + n + ", op: conv2d, inputs: [" + before + "], K: 32, kernel: 7, pad: 3}\n";
    nodes += "  - {name: " + n +
             "s, op: " + (n == "a" ? "relu, inputs: [a]" : "add, inputs: [" + n + ", " + before + "]") + "}\n";
  }
  return net(nodes, 28, 28, 32);
}

void same_totals(const erg_point &point, erg_memo *memo, std::set<int> *pass_counts) {
  erg_point shared = point;
  shared.memo = memo, shared.totals_only = true;
  const Result kept(shared), alone(point);
  ASSERT_EQ(kept.status, alone.status) << kept.error.message() << " / " << alone.error.message();
  if (kept.status != ERG_OK) {
    EXPECT_EQ(kept.error.message(), alone.error.message());
    return;
  }
  ASSERT_EQ(kept.skipped, alone.skipped);
  if (kept.skipped) return;
  EXPECT_EQ(std::memcmp(&kept.activity, &alone.activity, sizeof kept.activity), 0);
  EXPECT_EQ(kept.plan.pass_count, alone.plan.pass_count);
  EXPECT_EQ(kept.macs, alone.macs);
  EXPECT_DOUBLE_EQ(kept.utilization, alone.utilization);
  EXPECT_NEAR(kept.energy.total_pj, alone.energy.total_pj, 1e-9 * alone.energy.total_pj);
  pass_counts->insert(alone.plan.pass_count);
}

} // namespace

TEST(Kept, PointsThatShareAMemoHaveTheTotalsTheyHaveAlone) {
  test::Random random(501);
  int plans_that_turn = 0;
  for (const int input_kib : {8, 16, 64}) {
    Bench bench("edge", "resnet18");
    erg_arch_free(&bench.arch);
    bench.arch = small(input_kib, 256);
    const Net net(residual_net());
    ASSERT_EQ(net.status, ERG_OK) << net.error.message();
    erg_memo *memo = erg_memo_new();
    for (const erg_graph *graph :
         {static_cast<const erg_graph *>(&net), static_cast<const erg_graph *>(&bench.graph)}) {
      erg_memo_clear(memo);
      for (const erg_fusion fusion : {ERG_FUSION_WIDE, ERG_FUSION_NONE, ERG_FUSION_FOLD, ERG_FUSION_EPILOGUE}) {
        std::set<int> pass_counts;
        for (int round = 0; round < 25; round++) {
          const std::string precision = random.range(0, 5) == 0 ? random.coin() ? "fp16" : "fp32"
                                                                : "w" + std::to_string(random.range(2, 8)) + "a" +
                                                                      std::to_string(random.range(2, 8));
          SCOPED_TRACE(precision + ", fusion " + erg_fusion_names[fusion] + ", seed 501");
          erg_point point = bench.point(precision.c_str(), fusion);
          point.graph = graph;
          same_totals(point, memo, &pass_counts);
          if (HasFatalFailure()) return;
        }
        plans_that_turn += pass_counts.size() > 1;
      }
    }
    erg_memo_free(memo);
  }
  EXPECT_GE(plans_that_turn, 2) << "no fusion paid at some widths only: nothing was seen to be planned anew";
}

TEST(Kept, AlikePassesAreCountedOnceAndManyTimesOver) {
  Bench bench("edge", "resnet18");
  erg_point point = bench.point("int8");
  point.memo = erg_memo_new(), point.totals_only = true;
  {
    const Result result(point);
    ASSERT_EQ(result.status, ERG_OK) << result.error.message();
    int passes = 0;
    for (int i = 0; i < result.layer_count; i++) passes += result.layers[i].times;
    EXPECT_EQ(passes, result.plan.pass_count);
    EXPECT_LT(result.layer_count, passes);
  }
  erg_memo_free(point.memo);
}
