// SPDX-License-Identifier: GPL-3.0-or-later
// Operations of every pass, counted by hand; the chains that must not fuse, each with its reason; the judge's view.
#include "net.hpp"
#include <cmath>

namespace {

struct Plan : erg_plan {
  const Net &net;
  Plan(const Net &g, erg_fusion fusion, erg_fusion_judge judge = nullptr, void *context = nullptr)
      : erg_plan{}, net(g) {
    test::Error error;
    EXPECT_EQ(erg_plan_build(&g, fusion, judge, context, this, &error), ERG_OK) << error.message();
  }
  ~Plan() { erg_plan_free(this); }
  std::string names() const {
    std::string all;
    for (int i = 0; i < pass_count; i++) all += std::string(i ? " " : "") + passes[i].name;
    return all;
  }
  std::string note(const char *node) const {
    for (int i = 0; i < note_count; i++)
      if (notes[i].node == net.id(node))
        return std::string(notes[i].pass) + (notes[i].done ? " done: " : " refused: ") + notes[i].text;
    return "no note";
  }
};

struct Ops {
  uint64_t mac, requantize, add, multiply, compare;
};

void expect_ops(const erg_op_counts &got, Ops expected, const std::string &what) {
  SCOPED_TRACE(what);
  EXPECT_EQ(got.mac, expected.mac);
  EXPECT_EQ(got.requantize, expected.requantize);
  EXPECT_EQ(got.add, expected.add);
  EXPECT_EQ(got.multiply, expected.multiply);
  EXPECT_EQ(got.compare, expected.compare);
}

// 8 x 8 x 4 in; 6 filters 3 x 3, no padding: 6 x 6 x 6 = 216 outputs, 36 MACs each.
const uint64_t n = 216, macs = 216 * 36;
const std::string chain = "  - {name: c, op: conv2d, K: 6, kernel: 3}\n  - {name: b, op: batch_norm}\n";

} // namespace

TEST(PlanCounts, EachFusionByHand) {
  Net g(net(chain + "  - {name: r, op: relu6}\n"));
  Plan wide(g, ERG_FUSION_WIDE), none(g, ERG_FUSION_NONE), fold(g, ERG_FUSION_FOLD), epilogue(g, ERG_FUSION_EPILOGUE);
  ASSERT_EQ(wide.names(), "c b b/requantize r");
  expect_ops(wide.passes[0].int_counts, {macs, 0, n, 0, 0},
             "wide conv: sums with the folded zero point's bias, not narrowed");
  expect_ops(wide.passes[0].float_counts, {macs, 0, 0, 0, 0}, "wide conv, float: no bias");
  expect_ops(wide.passes[1].float_counts, {0, 0, n, n, 0}, "batch norm, float: a*x + b");
  expect_ops(wide.passes[2].int_counts, {0, n, 0, 0, 0}, "requantize");
  expect_ops(wide.passes[2].float_counts, {0, 0, 0, 0, 0}, "requantize does not exist in floats");
  expect_ops(wide.passes[3].int_counts, {0, 0, 0, 0, 2 * n}, "relu6: two limits");
  ASSERT_EQ(none.names(), "c b r");
  expect_ops(none.passes[0].int_counts, {macs, n, n, 0, 0}, "conv that narrows");
  expect_ops(none.passes[1].int_counts, {0, n, n, 0, 0}, "batch norm of codes");
  ASSERT_EQ(fold.names(), "c r");
  expect_ops(fold.passes[0].float_counts, {macs, 0, n, 0, 0}, "the batch norm became a bias");
  ASSERT_EQ(epilogue.names(), "c");
  expect_ops(epilogue.passes[0].int_counts, {macs, n, n, 0, 0}, "the clamp is part of the requantize");
  expect_ops(epilogue.passes[0].float_counts, {macs, 0, n, 0, 2 * n}, "float clamp: two limits");
}

TEST(PlanCounts, WideNarrowsBehindTheArrayWithoutABatchNorm) {
  Net g(net("  - {name: c, op: conv2d, K: 6, kernel: 3, bias: yes}\n  - {name: r, op: relu}\n  - {name: b, op: "
            "batch_norm}\n"));
  Plan wide(g, ERG_FUSION_WIDE);
  ASSERT_EQ(wide.names(), "c c/requantize r b");
  EXPECT_TRUE(wide.passes[0].bias);
  EXPECT_EQ(wide.passes[1].node_count, 0);                 // computes no node of the graph
  EXPECT_EQ(wide.passes[3].input_width, ERG_WIDTH_NARROW); // its input is codes already
  EXPECT_EQ(wide.passes[3].output_width, ERG_WIDTH_NARROW);
  Net two(net(chain + "  - {name: s, op: add, inputs: [c, b]}\n")); // others read the sums: they are narrowed first
  EXPECT_EQ(Plan(two, ERG_FUSION_WIDE).names(), "c c/requantize b s");
}

TEST(PlanCounts, PoolsStayPasses) {
  Net g(net(chain + "  - {name: p, op: avg_pool, kernel: 3, stride: 3}\n  - {name: gap, op: global_avg_pool}\n"));
  for (int f = 0; f < ERG_FUSION_COUNT; f++) {
    Plan p(g, static_cast<erg_fusion>(f));
    const erg_pass &pool = p.passes[p.pass_count - 2];
    EXPECT_STREQ(pool.name, "p");
    EXPECT_TRUE(pool.pool_window);
    EXPECT_EQ(pool.pool.kernel_h, 3);
    expect_ops(pool.int_counts, {0, 2 * 2 * 6, 8 * 2 * 2 * 6, 0, 0}, "avg_pool: eight adds and a rounding an output");
  }
}

TEST(PlanRefusals, EachSaysWhy) {
  const std::string conv = "  - {name: c, op: conv2d, K: 4, kernel: 1}\n";
  const struct {
    std::string nodes;
    const char *node, *note, *passes;
  } cases[] = {
      {conv + "  - {name: r, op: relu}\n  - {name: q, op: relu6}\n", "q", "fuse refused: c's epilogue clamps already",
       "c q"},
      {conv + "  - {name: r, op: relu}\n  - {name: b, op: batch_norm}\n", "b", "fold refused: r ends c's pass", "c b"},
      {conv + "  - {name: b, op: batch_norm}\n  - {name: b2, op: batch_norm}\n", "b2", "fold refused: b ends c's pass",
       "c b2"},
      {"  - {name: r, op: relu}\n", "r", "fuse refused: input has no epilogue", "r"},
      {conv + "  - {name: p, op: max_pool, kernel: 2}\n  - {name: r, op: relu}\n", "r",
       "fuse refused: p has no epilogue", "c p r"},
      {conv + "  - {name: r, op: relu}\n  - {name: s, op: add, inputs: [c, r]}\n", "r",
       "fuse refused: c has 2 consumers", "c r s"},
      {conv + "  - {name: b, op: batch_norm}\n  - {name: d, op: conv2d, K: 4, kernel: 1, inputs: [c]}\n  - {name: s, "
              "op: add, inputs: [d, b]}\n",
       "b", "fold refused: c has 2 consumers", "c b d"},
      {conv + "  - {name: r, op: relu}\n  - {name: s, op: add, inputs: [r, input]}\n", "s",
       "fuse refused: r clamps before the add", "c s"},
      {conv + "  - {name: s, op: add, inputs: [c, c]}\n", "s", "fuse refused: both inputs are c", "c s"},
      {conv + "  - {name: s, op: add, inputs: [c, input]}\n  - {name: t, op: add, inputs: [s, input]}\n", "t",
       "fuse refused: s, its later producer, has a residual already", "c t"},
      {conv + "  - {name: p, op: max_pool, kernel: 1, inputs: [input]}\n  - {name: s, op: add, inputs: [c, p]}\n", "s",
       "fuse refused: p, its later producer, is no array pass", "c p s"},
  };
  for (const auto &k : cases) {
    SCOPED_TRACE(k.nodes);
    Net g(net(k.nodes));
    ASSERT_EQ(g.status, ERG_OK) << g.error.message();
    Plan p(g, ERG_FUSION_EPILOGUE);
    EXPECT_EQ(p.names(), k.passes);
    EXPECT_EQ(p.note(k.node).find(k.note), 0u) << p.note(k.node);
  }
}

TEST(PlanRefusals, EveryDecisionHasItsNote) {
  erg_graph g{};
  test::Error error;
  ASSERT_EQ(erg_graph_load("mobilenetv2", 1, nullptr, 0, &g, &error), ERG_OK) << error.message();
  erg_plan plan{};
  ASSERT_EQ(erg_plan_build(&g, ERG_FUSION_EPILOGUE, nullptr, nullptr, &plan, &error), ERG_OK);
  std::vector<int> notes(static_cast<size_t>(g.node_count));
  for (int i = 0; i < plan.note_count; i++) notes[static_cast<size_t>(plan.notes[i].node)]++;
  int adds = 0;
  for (int id = 0; id < g.node_count; id++) {
    erg_op_role role = g.nodes[id].op->role;
    bool decided = role == ERG_ROLE_BATCH_NORM || role == ERG_ROLE_CLAMP || role == ERG_ROLE_ADD;
    EXPECT_EQ(notes[static_cast<size_t>(id)], decided ? 1 : 0) << g.nodes[id].name;
    adds += role == ERG_ROLE_ADD;
  }
  int residuals = 0;
  for (int i = 0; i < plan.pass_count; i++) residuals += plan.passes[i].residual >= 0;
  EXPECT_EQ(adds, 10);
  EXPECT_EQ(residuals, 10);           // linear bottlenecks: every add fuses
  EXPECT_EQ(plan.pass_count, 53 + 1); // and only the pool stays
  erg_plan_free(&plan);
  erg_graph_free(&g);
}

TEST(PlanJudge, SeesTheFusedPassAndItsParts) {
  struct Seen {
    int calls = 0;
  } seen;
  auto judge = [](void *context, const erg_pass *fused, const erg_pass *parts, int count, char *, size_t) {
    auto *s = static_cast<Seen *>(context);
    EXPECT_EQ(count, 2);
    EXPECT_EQ(fused->output, parts[1].output); // the whole of what it replaces
    EXPECT_EQ(fused->node_count, parts[0].node_count + parts[1].node_count);
    EXPECT_EQ(parts[0].output == parts[1].inputs[0] || parts[0].output == parts[1].inputs[1], true);
    EXPECT_EQ(fused->int_counts.mac, parts[0].int_counts.mac);
    EXPECT_GE(parts[0].int_counts.requantize + parts[1].int_counts.requantize, fused->int_counts.requantize);
    if (s->calls++ == 0) EXPECT_GE(fused->residual, 0);
    return true;
  };
  Net g(net("  - {name: c, op: conv2d, K: 4, kernel: 1}\n  - {name: s, op: add, inputs: [input, c]}\n  - {name: r, op: "
            "relu}\n"));
  Plan p(g, ERG_FUSION_EPILOGUE, judge, &seen);
  EXPECT_EQ(seen.calls, 2);
  EXPECT_EQ(p.names(), "c");
  EXPECT_EQ(p.passes[0].residual, 0);
}

TEST(PlanJudge, ARefusalIsNotedAndTheChainEndsThere) {
  auto no_adds = [](void *, const erg_pass *fused, const erg_pass *, int, char *reason, size_t bytes) {
    if (fused->residual >= 0) snprintf(reason, bytes, "dearer by %d bits", 17);
    return fused->residual < 0;
  };
  Net g(net("  - {name: c, op: conv2d, K: 4, kernel: 1}\n  - {name: s, op: add, inputs: [c, input]}\n  - {name: r, op: "
            "relu}\n"));
  Plan p(g, ERG_FUSION_EPILOGUE, no_adds);
  EXPECT_EQ(p.names(), "c s r");
  EXPECT_EQ(p.note("s"), "fuse refused: dearer by 17 bits");
  EXPECT_EQ(p.note("r").find("fuse refused: s has no epilogue"), 0u);
  EXPECT_EQ(p.passes[0].residual, -1);
  EXPECT_EQ(p.passes[0].node_count, 1);
}

TEST(PlanJudge, TenThousandNodesPlanInModestMemory) { // a judge must not cost memory a node, squared
  std::string nodes;
  for (int i = 0; i < 3333; i++) {
    std::string k = std::to_string(i);
    nodes += "  - {name: c" + k + ", op: conv2d, K: 4, kernel: 1}\n  - {name: b" + k +
             ", op: batch_norm}\n  - {name: r" + k + ", op: relu}\n";
  }
  Net g(net(nodes));
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  Plan p(g, ERG_FUSION_EPILOGUE, [](void *, const erg_pass *, const erg_pass *, int, char *, size_t) { return true; });
  EXPECT_EQ(p.pass_count, 3333);
}
