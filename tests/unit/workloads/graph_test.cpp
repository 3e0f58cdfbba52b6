// SPDX-License-Identifier: GPL-3.0-or-later
#include "net.hpp"

namespace {

struct Anchor {
  const char *name;
  int64_t macs, parameters;
  int array_layers;
};

} // namespace

// Published figures: torchvision's parameter counts; MACs counted from the papers' layer tables.
TEST(Networks, MacsAndParametersAreTheKnownOnes) {
  for (const Anchor &a : {Anchor{"resnet18", 1814073344, 11689512, 21}, Anchor{"resnet50", 4089184256, 25557032, 54},
                          Anchor{"vgg16", 15470264320, 138357544, 16}, Anchor{"vgg19", 19632062464, 143667240, 19},
                          Anchor{"mobilenetv2", 300774272, 3504872, 53}}) {
    erg_graph g{};
    test::Error error;
    ASSERT_EQ(erg_graph_load(a.name, 1, nullptr, 0, &g, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_graph_macs(&g), a.macs) << a.name;
    EXPECT_EQ(erg_graph_parameters(&g), a.parameters) << a.name;
    int layers = 0;
    for (int i = 0; i < g.node_count; i++) layers += g.nodes[i].op->role == ERG_ROLE_ARRAY;
    EXPECT_EQ(layers, a.array_layers) << a.name;
    EXPECT_EQ(g.nodes[g.node_count - 1].out.c, 1000);
    erg_graph_free(&g);
    ASSERT_EQ(erg_graph_load(a.name, 3, nullptr, 0, &g, &error), ERG_OK);
    EXPECT_EQ(erg_graph_macs(&g), 3 * a.macs);
    erg_graph_free(&g);
  }
}

TEST(Graph, InfersShapesAndDefaults) {
  Net g(net("  - {name: a, op: conv2d, K: 6, kernel: [3, 5], stride: [2, 1], pad: [1, 2]}\n"
            "  - {name: b, op: relu}\n"
            "  - {name: c, op: conv2d, K: 6, kernel: 3, pad: [0, 1, 2, 1], inputs: [a]}\n"
            "  - {name: d, op: fc, K: 10, bias: yes}\n",
            9, 8, 4));
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  const erg_node &a = g.nodes[g.id("a")], &c = g.nodes[g.id("c")], &d = g.nodes[g.id("d")];
  EXPECT_EQ(a.out.h, 5);
  EXPECT_EQ(a.out.w, 8);
  EXPECT_EQ(a.consumers, 2);
  EXPECT_EQ(c.inputs[0], g.id("a"));
  EXPECT_EQ(c.out.h, 5);
  EXPECT_EQ(d.out.c, 10);
  EXPECT_EQ(erg_graph_parameters(&g), 4 * 15 * 6 + 6 * 9 * 6 + 5 * 8 * 6 * 10 + 10);
}

TEST(Graph, FaultsNameThePlace) {
  const std::pair<const char *, const char *> cases[] = {
      {"  - {name: a, op: conv2, K: 4, kernel: 3}\n", "net.yaml:4:5: node a: found op conv2 (did you mean conv2d?)"},
      {"  - {name: a, op: conv2d, K: 4}\n", "net.yaml:4:5: node a: conv2d needs kernel"},
      {"  - {name: a, op: relu, K: 4}\n", "net.yaml:4:5: node a: found K; relu takes no K"},
      {"  - {name: a, op: relu, inputs: [b]}\n",
       "node a: found input b; allowed: input or the name of an earlier node"},
      {"  - {name: a, op: relu, inputs: [a]}\n", "node a: found input a"},
      {"  - {name: a, op: add, inputs: [input]}\n", "node a: found 1 inputs; add takes 2"},
      {"  - {name: a, op: add}\n", "node a: found 0 inputs; add takes 2"},
      {"  - {name: a, op: relu}\n  - {name: a, op: relu}\n",
       "net.yaml:5:5: node a: the name is taken by the node on line 4"},
      {"  - {name: input, op: relu}\n", "the name is taken"},
      {"  - {name: a, op: conv2d, K: 4, kernel: 9}\n", "node a: found a kernel of 9 over a padded height of 8"},
      {"  - {name: a, op: conv2d, K: 4, kernel: 3, groups: 3}\n",
       "node a: found groups 3; allowed: a divisor of C = 4 and K = 4"},
      {"  - {name: a, op: conv2d, K: 4, kernel: 3, pad: 3}\n",
       "node a: found pad [3, 3, 3, 3]; allowed: less than the kernel"},
      {"  - {name: a, op: conv2d, K: 4, kernel: 3, pad: [1, 1, 1]}\n",
       "node a: found 3 pads; allowed: one, two or four"},
      {"  - {name: a, op: conv2d, K: 0, kernel: 3}\n",
       "net.yaml:4:30: nodes[0].K: found 0; allowed: a whole number from 1"},
      {"  - {name: a, op: conv2d, K: 4, kernel: 3, dilation: 2}\n", "nodes[0].dilation: unknown key"},
      {"  - {name: p, op: max_pool, kernel: 2, stride: 2}\n  - {name: a, op: add, inputs: [p, input]}\n",
       "node a: found inputs [1, 4, 4, 4] and [1, 8, 8, 4]; allowed: equal shapes"},
      {"  - {op: relu}\n", "nodes[0].name: found no such key"},
  };
  for (const auto &[nodes, expected] : cases) {
    Net g(net(nodes));
    EXPECT_EQ(g.status, ERG_ERR_DATA) << nodes;
    EXPECT_NE(g.error.message().find(expected), std::string::npos) << nodes << "\n  got: " << g.error.message();
  }
  Net none("name: t\ninput: {height: 8, width: 8, channels: 4}\nnodes: []\n");
  EXPECT_EQ(none.status, ERG_ERR_DATA);
}

TEST(Graph, AllFaultsAtOnce) {
  Net g(net("  - {name: a, op: conf, K: 4, kernel: 3}\n  - {name: b, op: relu, K: 3}\n  - {name: c, op: relu, inputs: "
            "[zzz]}\n"));
  std::string message = g.error.message();
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n') + 1, 3) << message;
}

TEST(Graph, CorpusOfBrokenFilesIsRefused) {
  int files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(std::string(ERGON_TEST_CORPUS_DIR) + "/nets")) {
    test::Error error;
    erg_graph g{};
    ASSERT_NE(erg_graph_load(entry.path().c_str(), 1, nullptr, 0, &g, &error), ERG_OK) << entry.path();
    EXPECT_NE(error.message().find(entry.path().filename().string() + ":"), std::string::npos) << error.message();
    files++;
  }
  EXPECT_GE(files, 8);
}

TEST(Graph, SurvivesMutations) {
  test::Arena arena;
  test::Error error;
  char *path, *text;
  ASSERT_EQ(erg_data_find(&arena, "nets", "mobilenetv2", ".yaml", &path, &error), ERG_OK);
  ASSERT_EQ(erg_file_read(&arena, path, &text, nullptr, &error), ERG_OK);
  std::string good = text;
  good.resize(1800);
  test::Random random(51);
  SCOPED_TRACE("seed 51");
  for (int round = 0; round < 3000; round++) {
    std::string changed = good;
    for (int i = random.range(1, 3); i > 0; i--) {
      size_t at = static_cast<size_t>(random.range(0, static_cast<int64_t>(changed.size()) - 1));
      if (random.coin())
        changed[at] = static_cast<char>(random.range(32, 126));
      else
        changed.erase(at, static_cast<size_t>(random.range(1, 4)));
    }
    Net g(changed);
    if (g.status != ERG_OK) ASSERT_FALSE(g.error.message().empty());
  }
}
