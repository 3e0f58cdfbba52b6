// SPDX-License-Identifier: GPL-3.0-or-later
#include "net.hpp"
#include <map>

namespace {

struct Plan : erg_plan {
  Plan(const Net &net, erg_fusion fusion, erg_fusion_judge judge = nullptr) : erg_plan{} {
    test::Error error;
    EXPECT_EQ(erg_plan_build(&net, fusion, judge, nullptr, this, &error), ERG_OK) << error.message();
  }
  ~Plan() { erg_plan_free(this); }
  std::string kinds() const {
    std::string all;
    for (int i = 0; i < pass_count; i++) all += std::string(i ? " " : "") + passes[i].kind_name;
    return all;
  }
  std::string note(int node) const {
    for (int i = 0; i < note_count; i++)
      if (notes[i].node == node) return std::string(notes[i].done ? "done: " : "refused: ") + notes[i].text;
    return "";
  }
};

const char *const residual_block =
    "  - {name: c1, op: conv2d, K: 8, kernel: 3, pad: 1}\n  - {name: b1, op: batch_norm}\n  - {name: r1, op: relu}\n"
    "  - {name: c2, op: conv2d, K: 8, kernel: 3, pad: 1}\n  - {name: b2, op: batch_norm}\n"
    "  - {name: sum, op: add, inputs: [b2, r1]}\n  - {name: out, op: relu6}\n  - {name: pool, op: max_pool, kernel: "
    "2}\n";

bool refuse(void *, const erg_pass *, const erg_pass *, int, char *reason, size_t bytes) {
  snprintf(reason, bytes, "the judge says no");
  return false;
}

} // namespace

TEST(Plan, PassesOfEachFusion) {
  Net g(net(residual_block));
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  EXPECT_EQ(Plan(g, ERG_FUSION_WIDE).kinds(),
            "array batch_norm requantize relu array batch_norm requantize add relu6 max_pool");
  EXPECT_EQ(Plan(g, ERG_FUSION_NONE).kinds(), "array batch_norm relu array batch_norm add relu6 max_pool");
  EXPECT_EQ(Plan(g, ERG_FUSION_FOLD).kinds(), "array relu array add relu6 max_pool");
  EXPECT_EQ(Plan(g, ERG_FUSION_EPILOGUE).kinds(), "array array max_pool");
}

TEST(Plan, WidthsAreThoseOfTheTable) {
  Net g(net(residual_block));
  Plan wide(g, ERG_FUSION_WIDE);
  EXPECT_EQ(wide.passes[0].output_width, ERG_WIDTH_WIDE);
  EXPECT_FALSE(wide.passes[0].requantize);
  EXPECT_EQ(wide.passes[1].input_width, ERG_WIDTH_WIDE);
  EXPECT_EQ(wide.passes[1].output_width, ERG_WIDTH_WIDE);
  EXPECT_EQ(wide.passes[2].input_width, ERG_WIDTH_WIDE);
  EXPECT_EQ(wide.passes[2].output_width, ERG_WIDTH_NARROW);
  EXPECT_EQ(wide.passes[3].input_width, ERG_WIDTH_NARROW);
  Plan none(g, ERG_FUSION_NONE);
  for (int i = 0; i < none.pass_count; i++) {
    EXPECT_EQ(none.passes[i].input_width, ERG_WIDTH_NARROW);
    EXPECT_EQ(none.passes[i].output_width, ERG_WIDTH_NARROW);
  }
}

TEST(Plan, EpilogueTakesBiasResidualAndClamp) {
  Net g(net(residual_block));
  Plan p(g, ERG_FUSION_EPILOGUE);
  const erg_pass &second = p.passes[1];
  EXPECT_TRUE(second.bias && second.clamp && second.requantize);
  EXPECT_EQ(second.clamp_high, 6.0);
  EXPECT_EQ(second.residual, g.id("r1"));
  EXPECT_EQ(second.output, g.id("out"));
  EXPECT_EQ(second.node_count, 4);
  uint64_t outputs = 8 * 8 * 8;
  EXPECT_EQ(second.int_counts.requantize, 2 * outputs); // the sum's and the residual's
  EXPECT_EQ(second.int_counts.add, 2 * outputs);        // bias and residual
  EXPECT_EQ(second.int_counts.compare, 0u);             // the clamp is part of the requantize
  EXPECT_EQ(second.float_counts.requantize, 0u);
  EXPECT_EQ(second.float_counts.compare, 2 * outputs);
}

TEST(Plan, EveryNodeIsComputedOnceInEveryFusion) {
  for (const char *name : {"resnet50", "mobilenetv2", "vgg16"}) {
    erg_graph g{};
    test::Error error;
    ASSERT_EQ(erg_graph_load(name, 1, nullptr, 0, &g, &error), ERG_OK);
    for (int f = 0; f < ERG_FUSION_COUNT; f++) {
      erg_plan plan{};
      ASSERT_EQ(erg_plan_build(&g, static_cast<erg_fusion>(f), nullptr, nullptr, &plan, &error), ERG_OK);
      std::map<int, int> seen;
      std::vector<bool> written(static_cast<size_t>(g.node_count), false);
      written[0] = true;
      uint64_t macs = 0;
      for (int i = 0; i < plan.pass_count; i++) {
        const erg_pass &pass = plan.passes[i];
        for (int k = 0; k < pass.node_count; k++) seen[pass.nodes[k]]++;
        for (int k = 0; k < pass.input_count; k++) EXPECT_TRUE(written[pass.inputs[k]]) << name << " " << pass.name;
        if (pass.residual >= 0) EXPECT_TRUE(written[pass.residual]) << name << " " << pass.name;
        written[pass.output] = true;
        macs += pass.int_counts.mac;
      }
      EXPECT_EQ(seen.size(), static_cast<size_t>(g.node_count - 1)) << name << " " << erg_fusion_names[f];
      for (auto [node, times] : seen) EXPECT_EQ(times, 1) << g.nodes[node].name;
      EXPECT_EQ(macs, static_cast<uint64_t>(erg_graph_macs(&g)));
      erg_plan_free(&plan);
    }
    erg_graph_free(&g);
  }
}

TEST(Plan, RefusesAndSaysWhy) {
  Net clamp_first(net("  - {name: a, op: conv2d, K: 4, kernel: 1}\n  - {name: r, op: relu}\n  - {name: s, op: add, "
                      "inputs: [r, input]}\n"));
  Plan p1(clamp_first, ERG_FUSION_EPILOGUE);
  EXPECT_EQ(p1.kinds(), "array add");
  EXPECT_NE(p1.note(clamp_first.id("s")).find("refused: r clamps before the add"), std::string::npos)
      << p1.note(clamp_first.id("s"));

  Net two_readers(net("  - {name: a, op: conv2d, K: 4, kernel: 1}\n  - {name: b, op: batch_norm}\n  - {name: s, op: "
                      "add, inputs: [a, b]}\n"));
  Plan p2(two_readers, ERG_FUSION_EPILOGUE);
  EXPECT_EQ(p2.kinds(), "array batch_norm add");
  EXPECT_NE(p2.note(two_readers.id("b")).find("refused: a has 2 consumers"), std::string::npos);

  Net itself(net("  - {name: a, op: conv2d, K: 4, kernel: 1}\n  - {name: s, op: add, inputs: [a, a]}\n"));
  EXPECT_NE(Plan(itself, ERG_FUSION_EPILOGUE).note(itself.id("s")).find("its own residual"), std::string::npos);

  Net loose(net("  - {name: b, op: batch_norm}\n"));
  EXPECT_NE(Plan(loose, ERG_FUSION_FOLD).note(loose.id("b")).find("no convolution"), std::string::npos);
}

TEST(Plan, TheLaterProducerTakesTheAdd) {
  Net g(net("  - {name: a, op: conv2d, K: 4, kernel: 1}\n  - {name: b, op: conv2d, K: 4, kernel: 1, inputs: [input]}\n"
            "  - {name: s, op: add, inputs: [a, b]}\n"));
  Plan p(g, ERG_FUSION_EPILOGUE);
  ASSERT_EQ(p.pass_count, 2);
  EXPECT_EQ(p.passes[1].residual, g.id("a"));
  EXPECT_EQ(p.passes[0].residual, -1);
}

TEST(Plan, TheJudgeCanRefuse) {
  Net g(net(residual_block));
  Plan p(g, ERG_FUSION_EPILOGUE, refuse);
  EXPECT_EQ(p.kinds(), Plan(g, ERG_FUSION_FOLD).kinds());
  EXPECT_NE(p.note(g.id("sum")).find("the judge says no"), std::string::npos);
}

TEST(FusionRules, TheDocumentHoldsEveryRow) {
  std::string doc = test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/fusion.md");
  int count;
  const erg_fusion_rule *rules = erg_fusion_rules(&count);
  ASSERT_GE(count, 20);
  for (int i = 0; i < count; i++) {
    std::string row = std::string("| ") + erg_fusion_names[rules[i].fusion] + " | " + rules[i].node + " | " +
                      (rules[i].own_pass ? "yes" : "no") + " | " + rules[i].reads + " | " + rules[i].writes + " | " +
                      rules[i].why + " |";
    EXPECT_NE(doc.find(row), std::string::npos) << row;
  }
}
