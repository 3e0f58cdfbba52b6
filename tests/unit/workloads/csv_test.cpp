// SPDX-License-Identifier: GPL-3.0-or-later
// SCALE-Sim's files as users own them, with what its shipped ones contain.
#include "net.hpp"

namespace {
const std::string head =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n";
}

TEST(Csv, ConvolutionRows) {
  Net g(head + "Conv1, 224, 224, 7, 7, 3, 64, 2,\nFC, 1, 1, 1, 1, 512, 1000, 1,\n", "net.csv");
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  ASSERT_EQ(g.node_count, 4); // each layer has an input of its own
  const erg_node &conv = g.nodes[g.id("Conv1")];
  EXPECT_EQ(conv.out.h, 110); // ceil((224 - 7 + 2) / 2): the partial last window counts
  EXPECT_EQ(erg_graph_macs(&g), int64_t(110) * 110 * 49 * 3 * 64 + 512 * 1000);
  EXPECT_STREQ(g.name, "net");
}

TEST(Csv, TakesWhatShippedFilesContain) {
  Net g(head + "A, 8, 8, 3, 3, 4, 8, 1\r\n,,,,,,,,\r\n\r\n  B ,8,8,1,1,4,8,1,,,,\nA, 8, 8, 3, 3, 4, 8, 1, "
               "16,\nC,8,8,1,1,4,8,1,1:4,",
        "net.csv");
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  EXPECT_GE(g.id("A_2"), 0); // names made unique
  EXPECT_GE(g.id("B"), 0);
  EXPECT_EQ(g.node_count, 8);
  ASSERT_EQ(g.note_count, 2); // a further column; sparsity read as dense, and said so
}

TEST(Csv, DepthwiseByName) {
  Net g(head + "ConvDP, 10, 10, 3, 3, 16, 1, 1,\nMultDP, 10, 10, 3, 3, 4, 4, 1,\n", "net.csv");
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  const erg_node &one = g.nodes[g.id("ConvDP")], &four = g.nodes[g.id("MultDP")];
  EXPECT_EQ(one.attrs.groups, 16);
  EXPECT_EQ(one.attrs.filters, 16);
  EXPECT_EQ(four.attrs.filters, 16); // four filters a copy: num filter is not reset
  EXPECT_EQ(erg_graph_macs(&g), 64 * 9 * 16 + 64 * 9 * 16);
}

TEST(Csv, GemmRows) {
  Net g("Layer,M,N,K,\nQKT,1024,1024,64,\nv,3,5,16,3:4\n", "net.csv");
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  EXPECT_EQ(erg_graph_macs(&g), int64_t(1024) * 1024 * 64 + 3 * 5 * 16);
  EXPECT_EQ(g.nodes[g.id("QKT")].out.h, 1024);
  EXPECT_EQ(g.note_count, 1);
}

TEST(Csv, FaultsNameThePlace) {
  const std::pair<std::string, const char *> cases[] = {
      {head + "A, 8, 8, 3, 3, 4, x8, 1,\n", "net.csv:2:19: num filter: found x8"},
      {head + "A, 8, 8, 3, 3, 4,\n", "net.csv:2:1: found 6 fields; a row needs 8"},
      {head + "A, 2, 2, 3, 3, 4, 8, 1,\n", "net.csv:2:10: filter: found 3 x 3; allowed: at most the map, 2 x 2"},
      {head + "A, 8, 8, 3, 3, 4, 0, 1,\n", "num filter: found 0"},
      {head, "net.csv:1:1: found no layer"},
      {"", "net.csv:1:1: found no layer"},
      {"l,M,N,K\na,1,2,\n", "net.csv:2:1: found 3 fields; a row needs 4"},
      {"l,M,N,K\na,1,2,-3\n", "K: found -3"},
      {head + "A, 8.0, 8, 3, 3, 4, 8, 1,\n", "IFMAP height: found 8.0"},
  };
  for (const auto &[text, expected] : cases) {
    Net g(text, "net.csv");
    EXPECT_EQ(g.status, ERG_ERR_DATA) << text;
    EXPECT_NE(g.error.message().find(expected), std::string::npos) << text << "\n  got: " << g.error.message();
  }
}

TEST(Csv, SurvivesMutations) {
  const std::string good = head + "Conv1, 224, 224, 7, 7, 3, 64, 2,\nDP2, 14, 14, 3, 3, 32, 1, 1,\n";
  test::Random random(52);
  for (int round = 0; round < 20000; round++) {
    std::string text = good;
    for (int i = random.range(1, 4); i > 0; i--)
      text[static_cast<size_t>(random.range(0, static_cast<int64_t>(text.size()) - 1))] =
          static_cast<char>(random.range(1, 255));
    Net g(text, "net.csv");
    if (g.status != ERG_OK) ASSERT_FALSE(g.error.message().empty()) << "seed 52, round " << round;
  }
}
