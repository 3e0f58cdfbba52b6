// SPDX-License-Identifier: GPL-3.0-or-later
// Fusion `depth`: chains of passes whose maps stay on chip.
#include "../workloads/net.hpp"
#include "bench.hpp"
#include <deque>
#include <map>
extern "C" {
#include "../../../sim/chain.h"
}

namespace {

std::string row(const std::string &name, const std::string &rest) {
  return "  - {name: " + name + ", " + rest + "}\n";
}

struct Machine {
  erg_arch arch{};
  erg_technology tech{};
  test::Error error;
  explicit Machine(const std::string &text) {
    EXPECT_EQ(erg_arch_parse("a.yaml", text.c_str(), nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &tech, &error), ERG_OK) << error.message();
  }
  ~Machine() { erg_arch_free(&arch), erg_technology_free(&tech); }
  erg_point point(const erg_graph &graph, const char *precision, erg_fusion fusion = ERG_FUSION_DEPTH) {
    return {&arch, &tech, &graph, test::precision(precision), fusion, ERG_DATAFLOW_WS, ERG_MODEL_ANALYTIC, 1, 1};
  }
};

std::string random_machine(test::Random &r) {
  std::string kib = std::to_string(r.range(2, 40)), text = "name: a\nclock_mhz: 100\nmac: native\n";
  text += "rows: " + std::to_string(r.range(2, 9)) + "\ncols: " + std::to_string(r.range(2, 9)) +
          "\naccumulator_depth: " + std::to_string(r.range(20, 90)) +
          "\nlevels:\n  - {name: dram, kind: dram, bandwidth_bits_per_cycle: " + std::to_string(r.range(8, 64)) +
          ", latency_cycles: " + std::to_string(r.range(0, 9)) + "}\n";
  if (r.coin())
    text += "  - {name: l2, kind: sram, capacity_kib: 8, bandwidth_bits_per_cycle: 64, holds: [input, weight, "
            "residual, constant, output]}\n";
  if (r.range(0, 2) == 0) // one scratchpad for all: a link writes into the next one's buffer
    return text + "  - {name: all, kind: sram, capacity_kib: " + kib +
           ", holds: [input, weight, residual, constant, output]}\n";
  return text + "  - {name: in, kind: sram, capacity_kib: " + kib + ", holds: [input, residual]}\n" +
         "  - {name: rest, kind: sram, capacity_kib: " + kib + ", holds: [weight, constant, output]}\n";
}

std::string random_net(test::Random &r, int *h, int *w) {
  std::string nodes;
  int height = *h, width = *w;
  for (int i = 0; i < r.range(2, 7); i++) {
    std::string name = "n" + std::to_string(i);
    int kernel = r.range(1, 4), stride = r.range(1, 3), pad = r.range(0, kernel - 1);
    if (height + 2 * pad < kernel || width + 2 * pad < kernel) break;
    std::string window =
        ", kernel: " + std::to_string(kernel) + ", stride: " + std::to_string(stride) + ", pad: " + std::to_string(pad);
    nodes += r.range(0, 3) ? row(name, "op: conv2d, K: " + std::to_string(r.range(1, 12)) + window)
                           : row(name, "op: max_pool" + window);
    height = (height + 2 * pad - kernel) / stride + 1, width = (width + 2 * pad - kernel) / stride + 1;
    if (r.range(0, 3) == 0) nodes += row("r" + std::to_string(i), "op: relu");
    if (r.range(0, 4) == 0) nodes += row("i" + std::to_string(i), "op: instance_norm");
  }
  return nodes;
}

// Plays a chain with buffers of exactly the rows it claims, dropping the oldest: every tile must find every row that
// its windows see, every row is made or fetched once. Returns the rows fetched from off chip.
int64_t play(const std::vector<erg_chain_link> &links) {
  int count = static_cast<int>(links.size());
  std::vector<int> most(links.size());
  int64_t steps;
  erg_chain_step *order = erg_chain_schedule(links.data(), count, &steps, most.data());
  std::vector<std::deque<int>> buffer(links.size()); // rows of each link's input, image * height + row
  std::vector<int> made(links.size(), 0);            // rows over all images
  std::map<int, int> fetched;
  for (int64_t i = 0; i < steps; i++) {
    int at = order[i].link;
    const erg_geometry &g = links[at].geometry;
    int first = order[i].tile * links[at].mapping.out_rows,
        last = std::min(first + links[at].mapping.out_rows, g.out_h);
    EXPECT_EQ(made[at], order[i].image * g.out_h + first) << "tiles in order";
    for (int p = first; p < last; p++)
      for (int k = 0; k < g.kernel_h; k++) {
        int y = p * g.stride_h - g.pad_top + k;
        if (y < 0 || y >= g.in_h) continue;
        int wanted = order[i].image * g.in_h + y;
        bool there = std::find(buffer[at].begin(), buffer[at].end(), wanted) != buffer[at].end();
        if (!there && at == 0) fetched[wanted]++, buffer[0].push_back(wanted), there = true;
        EXPECT_TRUE(there) << "link " << at << " tile " << order[i].tile << " row " << y;
      }
    while (at == 0 && static_cast<int>(buffer[0].size()) > erg_chain_buffer_rows(links.data(), 0))
      buffer[0].pop_front();
    made[at] += last - first;
    for (int p = first; p < last && at + 1 < count; p++) buffer[at + 1].push_back(order[i].image * g.out_h + p);
    if (at + 1 < count) {
      EXPECT_LE(most[at + 1], erg_chain_buffer_rows(links.data(), at + 1));
      while (static_cast<int>(buffer[at + 1].size()) > erg_chain_buffer_rows(links.data(), at + 1))
        buffer[at + 1].pop_front();
    }
  }
  for (int i = 0; i < count; i++) EXPECT_EQ(made[i], links[i].geometry.images * links[i].geometry.out_h);
  for (auto [y, times] : fetched) EXPECT_EQ(times, 1) << "row " << y;
  free(order);
  return static_cast<int64_t>(fetched.size());
}

uint64_t bits(const erg_activity &a, int level, erg_tensor tensor) {
  return a.read_bits[level][tensor] + a.write_bits[level][tensor];
}

} // namespace

TEST(Chain, RandomChainsPlayInTheRoomTheyClaim) {
  test::Random r(71);
  int chains = 0, links = 0, fits = 0, norms = 0;
  for (int round = 0; round < 300; round++) {
    int h = r.range(4, 20), w = r.range(4, 20), c = r.range(1, 9), batch = r.range(1, 2);
    std::string text = net(random_net(r, &h, &w), h, w, c);
    Net graph(text, "net.yaml", batch);
    SCOPED_TRACE("seed 71 round " + std::to_string(round) + "\n" + text);
    if (graph.status != ERG_OK) continue;
    Machine machine(random_machine(r));
    erg_point point = machine.point(graph, r.coin() ? "int8" : "w3a5");
    point.batch = batch;
    Result depth(point);
    point.fusion = ERG_FUSION_EPILOGUE;
    Result lone(point);
    if (depth.status != ERG_OK) continue; // a lone pass that fits no tile
    fits++;
    ASSERT_FALSE(depth.skipped);
    uint64_t off_chip = erg_activity_level_bits(&depth.activity, 0);
    if (lone.status == ERG_OK) ASSERT_LE(off_chip, erg_activity_level_bits(&lone.activity, 0));
    ASSERT_EQ(depth.macs, static_cast<uint64_t>(erg_graph_macs(&graph)));
    for (int i = 0; i < depth.layer_count; i++) {
      const erg_pass *head = depth.layers[i].pass;
      if (!head->chain || head->from_chain) continue;
      std::vector<erg_chain_link> chain;
      for (int j = 0; j < depth.layer_count; j++)
        if (depth.layers[j].pass->chain == head->chain)
          chain.push_back({depth.layers[j].geometry, depth.layers[j].mapping});
      ASSERT_GT(chain.size(), 1u);
      int64_t rows = play(chain);
      double least = 0, room = 0; // what surely lies on chip at once, of all that is there
      for (size_t k = 0; k < chain.size(); k++) {
        const erg_geometry &g = chain[k].geometry;
        least +=
            static_cast<double>(erg_chain_buffer_rows(chain.data(), static_cast<int>(k))) * g.in_w * g.in_c * g.in_bits;
        if (g.array)
          least += static_cast<double>(g.out_c) * static_cast<double>(erg_geometry_reduction(&g)) * g.weight_bits;
      }
      for (int level = 1; level < machine.arch.level_count; level++)
        if (strcmp(machine.arch.levels[level].name, "l2") != 0) room += machine.arch.levels[level].capacity_kib * 8192;
      ASSERT_LE(least, room);
      const erg_geometry &g = chain[0].geometry;
      ASSERT_EQ(depth.layers[i].activity.read_bits[0][ERG_TENSOR_INPUT],
                static_cast<uint64_t>(rows * g.in_w * ((g.in_c * g.in_bits + 7) / 8 * 8)));
      chains++, links += static_cast<int>(chain.size());
    }
    for (int i = 0; i < depth.layer_count; i++) {
      const erg_activity &a = depth.layers[i].activity;
      const erg_pass *pass = depth.layers[i].pass;
      if (pass->norm && pass->chain) {
        ASSERT_FALSE(pass->own_statistics) << "reads its map twice";
        ASSERT_EQ(pass->chain_rows, depth.layers[i].geometry.out_h) << "nothing before the whole map is there";
        norms++;
      }
      if (depth.layers[i].pass->from_chain) ASSERT_EQ(bits(a, 0, ERG_TENSOR_INPUT), 0u);
      if (depth.layers[i].pass->to_chain) ASSERT_EQ(bits(a, 0, ERG_TENSOR_OUTPUT), 0u);
    }
  }
  std::printf("%d of 300 networks fit, %d chains, %d links, %d of them instance norms\n", fits, chains, links, norms);
  EXPECT_GT(norms, 10);
  EXPECT_GT(chains, 100);
}

// docs/model.md, "Chains": two convolutions of 6 x 3 x 4 on `tiny`, two rows at a time.
TEST(Chain, HandWorked) {
  Net graph(net(row("a", "op: conv2d, K: 4, kernel: 1") + row("b", "op: conv2d, K: 4, kernel: 3, pad: 1"), 6, 3, 4));
  ASSERT_EQ(graph.status, ERG_OK) << graph.error.message();
  Bench bench("tiny", "hand-worked");
  erg_point point = bench.point("int8", ERG_FUSION_DEPTH);
  point.graph = &graph;
  Result r(point);
  ASSERT_EQ(r.status, ERG_OK) << r.error.message();
  ASSERT_EQ(r.layer_count, 2);
  const erg_activity &a = r.layers[0].activity, &b = r.layers[1].activity;
  ASSERT_EQ(r.layers[0].mapping.out_rows, 2);
  ASSERT_EQ(r.layers[1].mapping.out_rows, 2);
  std::vector<erg_chain_link> chain{{r.layers[0].geometry, r.layers[0].mapping},
                                    {r.layers[1].geometry, r.layers[1].mapping}};
  int most[2];
  int64_t steps;
  erg_chain_step *order = erg_chain_schedule(chain.data(), 2, &steps, most);
  std::string tiles;
  for (int64_t i = 0; i < steps; i++)
    tiles += std::string(1, "ab"[order[i].link]) + std::to_string(order[i].tile) + " ";
  free(order);
  EXPECT_EQ(tiles, "a0 a1 b0 a2 b1 b2 ");
  EXPECT_EQ(most[1], 5);
  EXPECT_EQ(erg_chain_buffer_rows(chain.data(), 1), 5);
  EXPECT_EQ(a.array_cycles, 63u);
  EXPECT_EQ(a.stall_cycles[0], 21u);
  EXPECT_EQ(b.array_cycles, 207u);
  EXPECT_EQ(b.stall_cycles[0], 21u);
  EXPECT_EQ(r.activity.cycles, 312u);
  const int input = 1, weight = 2, output = 3;
  EXPECT_EQ(a.read_bits[0][ERG_TENSOR_INPUT], 576u);
  EXPECT_EQ(a.read_bits[output][ERG_TENSOR_OUTPUT], 576u);
  EXPECT_EQ(b.write_bits[input][ERG_TENSOR_INPUT], 576u);
  EXPECT_EQ(b.write_bits[0][ERG_TENSOR_OUTPUT], 576u);
  EXPECT_EQ(a.read_bits[weight][ERG_TENSOR_WEIGHT], 3u * 128);
  EXPECT_EQ(b.read_bits[weight][ERG_TENSOR_WEIGHT], 3u * 1152);
  EXPECT_EQ(b.write_bits[weight][ERG_TENSOR_WEIGHT], 1152u);
}

TEST(Chain, CorruptedCountsAreCaught) {
  Bench bench("edge", "mobilenetv2");
  Result r(bench.point("int8", ERG_FUSION_DEPTH));
  ASSERT_EQ(r.status, ERG_OK) << r.error.message();
  int changed = 0, caught = 0;
  for (int i = 0; i < r.layer_count; i++)
    for (erg_tensor tensor : {ERG_TENSOR_INPUT, ERG_TENSOR_OUTPUT})
      for (int level = 0; level < bench.arch.level_count; level++)
        for (bool write : {false, true}) {
          bool kept = tensor == ERG_TENSOR_INPUT ? r.layers[i].pass->from_chain : r.layers[i].pass->to_chain;
          int spad = erg_arch_scratchpad(&bench.arch, tensor);
          if (!kept || level > spad || (level == spad && write == (tensor == ERG_TENSOR_OUTPUT)))
            continue; // array side
          erg_activity a = r.layers[i].activity;
          (write ? a.write_bits : a.read_bits)[level][tensor] += 8;
          test::Error error;
          changed++;
          caught += erg_conserve(&bench.arch, &r.layers[i].geometry, &a, &error) == ERG_ERR_MISMATCH;
        }
  EXPECT_GT(changed, 100);
  EXPECT_EQ(caught, changed);
}

TEST(Chain, RefusalsSayWhy) {
  auto said = [](const std::string &nodes, const char *arch, const char *what, const char *precision = "int8") {
    Net graph(net(nodes, 8, 8, 4));
    EXPECT_EQ(graph.status, ERG_OK) << graph.error.message();
    Bench bench(arch, "hand-worked");
    erg_point point = bench.point(precision, ERG_FUSION_DEPTH);
    point.graph = &graph;
    Result r(point);
    EXPECT_EQ(r.status, ERG_OK) << r.error.message();
    std::string notes;
    for (int i = 0; i < r.plan.note_count; i++) notes += std::string(r.plan.notes[i].text) + "\n";
    EXPECT_NE(notes.find(what), std::string::npos) << notes;
  };
  std::string a = row("a", "op: conv2d, K: 4, kernel: 1"), b = row("b", "op: conv2d, K: 4, kernel: 1");
  said(a + b + row("s", "op: add, inputs: [a, b]"), "edge", "its map has 2 readers: it goes off chip");
  said(a + row("f", "op: fc, K: 8"), "edge", "needs the whole map of a first");
  said(a + b, "edge", "a writes 5 bits, b reads 8", "w8a8o5");
  said(row("a", "op: conv2d, K: 12, kernel: 3") + row("b", "op: conv2d, K: 8, kernel: 3"), "tiny",
       "of weight_scratchpad, which has 1.0");
}

TEST(Chain, NothingToChainIsEpilogue) {
  Net graph(net(row("f", "op: fc, K: 8") + row("g", "op: fc, K: 8"), 4, 4, 4), "net.yaml", 3);
  ASSERT_EQ(graph.status, ERG_OK) << graph.error.message();
  Bench bench("edge", "hand-worked");
  erg_point point = bench.point("int8", ERG_FUSION_DEPTH);
  point.graph = &graph, point.batch = 3;
  Result depth(point);
  point.fusion = ERG_FUSION_EPILOGUE;
  Result lone(point);
  ASSERT_EQ(depth.status, ERG_OK) << depth.error.message();
  EXPECT_EQ(depth.energy.total_pj, lone.energy.total_pj);
  EXPECT_EQ(depth.activity.cycles, lone.activity.cycles);
}

TEST(Chain, OtherModelsAreSkippedWithTheReason) {
  Bench bench("tiny", "hand-worked");
  for (erg_model model : {ERG_MODEL_SYSTEMC, ERG_MODEL_RTL}) {
    Result r(bench.point("int8", ERG_FUSION_DEPTH, model));
    ASSERT_EQ(r.status, ERG_OK);
    ASSERT_TRUE(r.skipped);
    EXPECT_NE(std::string(r.reason).find("fusion depth has formulas only"), std::string::npos) << r.reason;
  }
}
