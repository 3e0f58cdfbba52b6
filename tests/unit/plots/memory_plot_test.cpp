// SPDX-License-Identifier: GPL-3.0-or-later
// Memory of a training step: a staircase a width, from no recomputation on.
#include "plot_support.hpp"

using namespace plots;

namespace {

json_t *width(int bits, std::vector<std::pair<double, double>> peaks_and_joules) {
  json_t *points = json_array();
  for (auto [peak, pj] : peaks_and_joules)
    json_array_append_new(points, json_pack("{s:f, s:{s:f}}", "peak_bytes", peak, "recompute", "energy_pj", pj));
  return json_pack("{s:i, s:o}", "bits", bits, "points", points);
}

json_t *document(std::vector<json_t *> widths) {
  json_t *list = json_array();
  for (json_t *w : widths) json_array_append_new(list, w);
  return json_pack("{s:s, s:i, s:{s:s, s:i}, s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:o}", "schema", "ergon.memory",
                   "version", 1, "provenance", "ergon_version", "0.1.0", "model_version", 3, "workload", "a`b", "arch",
                   "edge", "technology", "t", "precision", "fp32", "dataflow", "ws", "batch", 8, "full_peak_bytes", 4e6,
                   "widths", list);
}

} // namespace

TEST(MemoryPlot, DrawsAStaircaseAWidth) {
  auto make = [] { return document({width(32, {{1e6, 3e9}, {4e6, 0}}), width(8, {}), width(4, {{5e5, 0}})}); };
  Drawn d("memory", make()), again("memory", make());
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  std::vector<Block> drawn = blocks(d.file("dat"));
  ASSERT_EQ(drawn.size(), 2u) << "a width that does not fit has no curve";
  EXPECT_EQ(drawn[0].title, "32 bits: recomputation [mJ], peak [MB]");
  EXPECT_EQ(drawn[0].lines, (std::vector<std::vector<std::string>>{{"0", "4"}, {"3", "1"}}));
  EXPECT_EQ(drawn[1].lines, (std::vector<std::vector<std::string>>{{"0", "0.5"}}));
  EXPECT_EQ(d.file("svg"), again.file("svg"));
  EXPECT_EQ(d.file("png"), again.file("png"));
}

TEST(MemoryPlot, NothingIsAMessage) {
  Drawn d("memory", document({width(8, {})}));
  EXPECT_EQ(d.status, ERG_ERR_DATA);
  EXPECT_NE(d.error.message().find("no width has a point"), std::string::npos) << d.error.message();
}
