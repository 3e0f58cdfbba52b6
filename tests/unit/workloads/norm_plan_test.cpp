// SPDX-License-Identifier: GPL-3.0-or-later
// Dynamic norms and gates in plans: who takes the statistics, what joins what, and what is counted.
#include "ergon/workloads.h"
#include "support.hpp"
#include <cstring>

namespace {

struct Plan {
  erg_graph graph{};
  erg_plan plan{};
  Plan(const std::string &nodes, erg_fusion fusion) {
    std::string text = "name: t\ninput: {height: 6, width: 5, channels: 8}\nnodes:\n" + nodes;
    test::Error error;
    EXPECT_EQ(erg_graph_parse("t.yaml", text.c_str(), 1, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_plan_build(&graph, fusion, nullptr, nullptr, &plan, &error), ERG_OK) << error.message();
  }
  ~Plan() {
    erg_plan_free(&plan);
    erg_graph_free(&graph);
  }
  const erg_pass &operator[](int i) const { return plan.passes[i]; }
};

const std::string kConv = "  - {name: conv, op: conv2d, K: 12, kernel: 3, pad: 1}\n";
constexpr uint64_t kElements = 6 * 5 * 12;

std::string line(const std::string &name, const std::string &op) {
  return "  - {name: " + name + ", op: " + op + "}\n";
}

} // namespace

TEST(NormPlan, TheEpilogueTakesTheStatistics) {
  for (const char *op : {"instance_norm", "layer_norm", "rms_norm"}) {
    SCOPED_TRACE(op);
    Plan fused(kConv + line("norm", op), ERG_FUSION_EPILOGUE), apart(kConv + line("norm", op), ERG_FUSION_NONE);
    Plan bare(kConv, ERG_FUSION_EPILOGUE);
    bool rms = std::strcmp(op, "rms_norm") == 0, instance = std::strcmp(op, "instance_norm") == 0;
    ASSERT_EQ(fused.plan.pass_count, 2);
    ASSERT_EQ(apart.plan.pass_count, 2);
    EXPECT_EQ(fused[0].gathers, fused[1].norm);
    EXPECT_EQ(apart[0].gathers, ERG_NORM_NONE);
    EXPECT_FALSE(fused[1].own_statistics);
    EXPECT_TRUE(apart[1].own_statistics);
    EXPECT_EQ(fused[1].input_count, 1);
    EXPECT_EQ(apart[1].input_count, instance ? 2 : 1) << "a map is read twice, a pixel's channels once";
    // A square and its sum, and a sum where the mean counts; the operations only change their place.
    for (auto counts : {&erg_pass::int_counts, &erg_pass::float_counts}) {
      const erg_op_counts &with = fused[0].*counts, &without = bare[0].*counts, &norm = fused[1].*counts;
      EXPECT_EQ(with.multiply - without.multiply, kElements);
      EXPECT_EQ(with.add - without.add, (rms ? 1 : 2) * kElements);
      EXPECT_EQ(norm.rsqrt, instance ? 12u : 30u);
      EXPECT_EQ((apart[1].*counts).multiply, norm.multiply + kElements);
      EXPECT_EQ((apart[1].*counts).add, norm.add + (rms ? 1 : 2) * kElements);
      EXPECT_EQ((apart[1].*counts).rsqrt, norm.rsqrt);
    }
    EXPECT_EQ(fused[1].int_counts.requantize, 2 * kElements);
    EXPECT_EQ(fused[1].float_counts.requantize, 0u);
  }
}

TEST(NormPlan, OtherReadersDoNotKeepTheStatisticsFromTheEpilogue) {
  Plan plan(kConv + line("norm", "instance_norm") + "  - {name: sum, op: add, inputs: [conv, norm]}\n",
            ERG_FUSION_EPILOGUE);
  EXPECT_EQ(plan[0].gathers, ERG_NORM_INSTANCE);
}

TEST(NormPlan, WhereNoEpilogueIsFreeTheNormTakesItsOwn) {
  Plan first(line("norm", "rms_norm") + kConv, ERG_FUSION_EPILOGUE);
  EXPECT_TRUE(first[0].own_statistics) << "behind the input";
  Plan two(kConv + line("a", "layer_norm") + "  - {name: b, op: instance_norm, inputs: [conv]}\n", ERG_FUSION_EPILOGUE);
  EXPECT_EQ(two[0].gathers, ERG_NORM_LAYER);
  EXPECT_TRUE(two[2].own_statistics) << "the epilogue takes those of one norm";
  Plan table(kConv + line("gate", "gelu") + line("norm", "layer_norm"), ERG_FUSION_EPILOGUE);
  EXPECT_EQ(table[0].gathers, ERG_NORM_NONE) << "statistics are taken before the table";
  EXPECT_TRUE(table[1].own_statistics);
}

TEST(NormPlan, AClampJoinsTheNormBeforeIt) {
  Plan plan(kConv + line("norm", "instance_norm") + line("relu", "relu6"), ERG_FUSION_EPILOGUE);
  ASSERT_EQ(plan.plan.pass_count, 2);
  EXPECT_TRUE(plan[1].clamp);
  EXPECT_EQ(plan[1].clamp_high, 6);
  EXPECT_EQ(plan[1].output, 3);
  EXPECT_EQ(plan[1].int_counts.compare, 0u) << "part of its requantization";
  EXPECT_EQ(plan[1].float_counts.compare, 2 * kElements);
  EXPECT_EQ(Plan(kConv + line("norm", "instance_norm") + line("relu", "relu"), ERG_FUSION_FOLD).plan.pass_count, 3);
  EXPECT_EQ(Plan(kConv + line("pool", "global_avg_pool") + line("relu", "relu"), ERG_FUSION_EPILOGUE).plan.pass_count,
            3);
}

TEST(NormPlan, AGateEndsTheEpilogue) {
  Plan plan(kConv + line("relu", "relu") + line("gate", "sigmoid") + line("late", "relu"), ERG_FUSION_EPILOGUE);
  ASSERT_EQ(plan.plan.pass_count, 2);
  EXPECT_STREQ(plan[0].gate, "sigmoid");
  EXPECT_EQ(plan[0].output, 3);
  EXPECT_EQ(plan[0].int_counts.gate, kElements);
  EXPECT_STREQ(plan[1].kind_name, "relu") << "nothing follows a table";
  Plan apart(kConv + line("gate", "sigmoid"), ERG_FUSION_FOLD);
  ASSERT_EQ(apart.plan.pass_count, 2);
  EXPECT_EQ(apart[0].int_counts.gate, 0u);
  EXPECT_EQ(apart[1].int_counts.gate, kElements);
  EXPECT_EQ(apart[1].float_counts.gate, kElements);
  EXPECT_EQ(Plan(kConv + line("a", "gelu") + line("b", "tanh"), ERG_FUSION_EPILOGUE).plan.pass_count, 2);
}
