// SPDX-License-Identifier: GPL-3.0-or-later
// Files that users get wrong: each is refused at the place where it is wrong. And files that are odd, but meant well.
#include "net.hpp"
#include <algorithm>

namespace {

std::vector<std::filesystem::path> files(const std::string &folder) {
  std::vector<std::filesystem::path> found;
  for (const auto &entry : std::filesystem::directory_iterator(std::string(ERGON_TEST_CORPUS_DIR) + "/" + folder))
    if (entry.is_regular_file()) found.push_back(entry.path());
  return found;
}

// Every line of a message names file, line and column.
void expect_places(const std::string &message, const std::string &file) {
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    int row = 0, column = 0, used = 0;
    size_t at = line.find(file + ":");
    EXPECT_TRUE(at != std::string::npos &&
                sscanf(line.c_str() + at + file.size(), ":%d:%d: %n", &row, &column, &used) == 2 && used)
        << line;
  }
}

} // namespace

TEST(Corpus, BrokenNetworksAreRefusedWhereTheyAreBroken) {
  int expected = 0;
  for (const auto &path : files("nets")) {
    SCOPED_TRACE(path);
    std::string text = test::read_file(path), file = path.filename(), key = "# expect: ";
    Net g(text.c_str(), file.c_str());
    EXPECT_EQ(g.status, ERG_ERR_DATA);
    expect_places(g.error.message(), file);
    size_t at = text.find(key);
    if (at == std::string::npos) continue;
    std::string expect = text.substr(at + key.size(), text.find('\n', at) - at - key.size());
    EXPECT_NE(g.error.message().find(file + ":" + expect), std::string::npos)
        << "expected " << expect << "\n  got: " << g.error.message();
    expected++;
  }
  EXPECT_GE(expected, 24);
}

TEST(Corpus, BrokenTablesAreRefusedWhereTheyAreBroken) { // the name begins with the place: line-column-what
  int tables = 0;
  for (const auto &path : files("csv/broken")) {
    SCOPED_TRACE(path);
    std::string file = path.filename();
    int line = 0, column = 0;
    ASSERT_EQ(sscanf(file.c_str(), "%d-%d-", &line, &column), 2);
    Net g(test::read_file(path), file.c_str());
    EXPECT_EQ(g.status, ERG_ERR_DATA);
    expect_places(g.error.message(), file);
    std::string place = file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
    EXPECT_EQ(g.error.message().find(place), 0u) << g.error.message();
    tables++;
  }
  EXPECT_GE(tables, 10);
}

// MACs by hand: outputs ceil((H - R + s) / s), times window, channels and filters, row by row.
TEST(Corpus, OddTablesAreReadAsTheyAreMeant) {
  const struct {
    const char *file;
    int layers;
    int64_t macs;
    int notes;
  } tables[] = {
      {"liberties", 5, 28 * 28 * 75 * 16 + 12 * 12 * 144 * 32 + 7 * 7 * 144 * 32 + 8 * 8 * 16 * 32 + 512 * 10, 3},
      {"gemm", 3, 2 * 196 * 196 * 64 + 196 * 1536 * 384, 1},
      {"depthwise", 4, 17 * 17 * 27 * 8 + 16 * 16 * 9 * 8 + 16 * 16 * 8 * 16 + 4 * 4 * 4 * 16, 2},
  };
  for (const auto &t : tables) {
    std::string path = std::string(ERGON_TEST_CORPUS_DIR) + "/csv/good/" + t.file + ".csv";
    SCOPED_TRACE(path);
    for (int batch : {1, 4}) {
      erg_graph g{};
      test::Error error;
      ASSERT_EQ(erg_graph_load(path.c_str(), batch, nullptr, 0, &g, &error), ERG_OK) << error.message();
      EXPECT_STREQ(g.name, t.file);
      EXPECT_EQ(g.node_count, 2 * t.layers);
      EXPECT_EQ(erg_graph_macs(&g), batch * t.macs);
      EXPECT_EQ(g.note_count, t.notes);
      for (int i = 0; i < g.node_count; i++)
        for (int k = 0; k < i; k++) EXPECT_STRNE(g.nodes[i].name, g.nodes[k].name);
      erg_graph_free(&g);
    }
  }
}

TEST(Csv, NamesAndNotes) {
  const std::string head = "Layer name, H, W, R, S, C, F, stride,\n", row = "A, 8, 8, 3, 3, 4, 8, 1,\n";
  Net g(head + row + row + "A_2" + row.substr(1) + row, "T.CSV"); // an ending in capitals is an ending
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  EXPECT_STREQ(g.name, "T");
  for (const char *name : {"A", "A_2", "A_2_2", "A_3"}) EXPECT_GE(g.id(name), 0) << name;
  Net sparse(head + "A, 8, 8, 3, 3, 4, 8, 1, 4:4,\nB, 8, 8, 3, 3, 4, 8, 1, 2:4,\nC, 8, 8, 3, 3, 4, 8, 1, 1:4,\n",
             "t.csv");
  ASSERT_EQ(sparse.note_count, 1);
  EXPECT_EQ(std::string(sparse.notes[0]).find("line 3 and 1 more: sparsity N:M is read as dense"), 0u)
      << sparse.notes[0];
  Net headless(row + row, "t.csv");
  ASSERT_EQ(headless.note_count, 1);
  EXPECT_NE(std::string(headless.notes[0]).find("line 1: the first line is skipped"), std::string::npos);
}

// A window that starts beyond the map cannot be padding alone: the map grows, and a note says so.
TEST(Csv, WindowsBeyondTheMapCount) {
  Net g("Layer name, H, W, R, S, C, F, stride,\nA, 56, 56, 1, 1, 64, 128, 2,\n", "t.csv");
  ASSERT_EQ(g.status, ERG_OK) << g.error.message();
  EXPECT_EQ(g.nodes[g.id("A")].out.h, 29); // ceil((56 - 1 + 2) / 2)
  EXPECT_EQ(g.nodes[g.id("A/input")].out.h, 57);
  ASSERT_EQ(g.note_count, 1);
}

TEST(Graph, OneFaultIsOneMessage) { // nodes behind a faulty one are not blamed for it
  Net g(net("  - {name: a, op: conf, K: 4, kernel: 3}\n  - {name: b, op: relu}\n  - {name: c, op: conv2d, K: 3, "
            "kernel: 3, inputs: [a]}\n"
            "  - {name: d, op: add, inputs: [b, c]}\n  - {name: e, op: relu, K: 3}\n"));
  std::string message = g.error.message();
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n') + 1, 2) << message; // a and e
}

TEST(Graph, OverridesReachNodes) {
  std::string text = net("  - {name: a, op: conv2d, K: 4, kernel: 3}\n");
  erg_override wider{"nodes.0.K", "7"}, wrong{"nodes.0.filters", "7"};
  erg_graph g{};
  test::Error error;
  ASSERT_EQ(erg_graph_parse("net.yaml", text.c_str(), 1, &wider, 1, &g, &error), ERG_OK) << error.message();
  EXPECT_EQ(g.nodes[1].out.c, 7);
  erg_graph_free(&g);
  EXPECT_EQ(erg_graph_parse("net.yaml", text.c_str(), 1, &wrong, 1, &g, &error), ERG_ERR_USAGE);
  EXPECT_EQ(erg_graph_parse("net.csv", "h\nA, 8, 8, 3, 3, 4, 8, 1\n", 1, &wider, 1, &g, &error), ERG_ERR_USAGE);
  EXPECT_EQ(erg_graph_parse("net.yaml", text.c_str(), 0, nullptr, 0, &g, &error), ERG_ERR_USAGE);
}

// Whatever still loads after a mutation must plan: numbers of any size, chains of any shape.
TEST(Graph, MutantsThatLoadArePlanned) {
  const std::string good = net("  - {name: a, op: conv2d, K: 8, kernel: [3, 5], stride: [2, 1], pad: [1, 2, 0, 1], "
                               "groups: 4, bias: yes}\n  - {name: b, op: batch_norm}\n"
                               "  - {name: c, op: relu6}\n  - {name: d, op: conv2d, K: 8, kernel: 1}\n  - {name: e, "
                               "op: add, inputs: [d, c]}\n  - {name: f, op: max_pool, kernel: 2}\n"
                               "  - {name: g, op: global_avg_pool}\n  - {name: h, op: fc, K: 10, bias: yes}\n",
                               32, 32, 8);
  const std::string alphabet = "0123456789abcdefgh[]{},: \n-";
  test::Random random(53);
  SCOPED_TRACE("seed 53");
  int loaded = 0;
  for (int round = 0; round < 8000; round++) {
    std::string text = good;
    for (int i = random.range(1, 3); i > 0; i--) {
      size_t at = static_cast<size_t>(random.range(0, static_cast<int64_t>(text.size()) - 1));
      if (round % 2) { // numbers alone: these load more often
        at = text.find_first_of("123456789", at);
        if (at == std::string::npos) continue;
        text.insert(at, 1, static_cast<char>('0' + random.range(1, 9)));
        continue;
      }
      char letter = alphabet[static_cast<size_t>(random.range(0, static_cast<int64_t>(alphabet.size()) - 1))];
      if (random.coin())
        text[at] = letter;
      else
        text.insert(at, 1, letter);
    }
    Net g(text, "net.yaml", random.coin() ? 1 : 65536);
    if (g.status != ERG_OK) {
      EXPECT_FALSE(g.error.message().empty()) << "round " << round;
      continue;
    }
    loaded++;
    EXPECT_GE(erg_graph_macs(&g), 0);
    EXPECT_GE(erg_graph_parameters(&g), 0);
    for (int f = 0; f < ERG_FUSION_COUNT; f++) {
      erg_plan plan{};
      ASSERT_EQ(erg_plan_build(&g, static_cast<erg_fusion>(f), nullptr, nullptr, &plan, &g.error), ERG_OK);
      erg_plan_free(&plan);
    }
  }
  EXPECT_GT(loaded, 200);
}
