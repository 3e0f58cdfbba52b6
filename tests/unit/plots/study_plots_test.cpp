// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of the committed studies: what is drawn is the mean of the points, and nothing is a message.
#include "plot_support.hpp"

using namespace plots;

namespace {

json_t *committed(const std::string &name) {
  return json_load_file((std::string(ERGON_TEST_SOURCE_DIR) + "/docs/studies/" + name + ".json").c_str(), 0, nullptr);
}

json_t *empty(const char *name) {
  return json_pack("{s:s, s:i, s:{s:s, s:i}, s:[{s:s, s:i, s:[s], s:[]}]}", "schema", "ergon.study", "version", 1,
                   "provenance", "ergon_version", "0.1.0", "model_version", 2, "studies", "name", name, "seeds", 1,
                   "columns", "seed", "points");
}

double number(const json_t *point, size_t column) {
  return json_number_value(json_array_get(point, column));
}
std::string text(const json_t *point, size_t column) {
  return json_string_value(json_array_get(point, column));
}

} // namespace

TEST(StudyPlots, ConfidenceDrawsPairedMeans) {
  json_t *document = committed("confidence");
  const json_t *points = json_object_get(json_array_get(json_object_get(document, "studies"), 0), "points");
  double lost = 0; // of plain training behind a calibrated register of 4 bits
  int seeds = 0;
  for (size_t i = 0; i < json_array_size(points); i++) {
    const json_t *p = json_array_get(points, i);
    if (text(p, 1) != "range" || text(p, 3) != "plain" || text(p, 4) != "all") continue;
    if (text(p, 2) == "16 bit") lost += number(p, 5), seeds++;
    if (text(p, 2) == "4 bit") lost -= number(p, 5);
  }
  Drawn d("confidence", document), again("confidence", committed("confidence"));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  bool found = false;
  for (const Block &block : blocks(d.file("dat")))
    for (const auto &line : block.lines)
      found = found || (line[0] == "4" && std::fabs(std::stod(line[1]) - 100 * lost / seeds) < 1e-9);
  EXPECT_TRUE(found) << 100 * lost / seeds << "\n" << d.file("dat");
  EXPECT_EQ(d.file("svg"), again.file("svg"));
  EXPECT_EQ(d.file("png"), again.file("png"));
}

TEST(StudyPlots, BlocksDrawsEveryNetworkOnce) {
  Drawn d("blocks", committed("blocks")), again("blocks", committed("blocks"));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_EQ(blocks(d.file("dat")).size(), 2u * 4 * 3);
  EXPECT_EQ(d.file("svg"), again.file("svg"));
}

TEST(StudyPlots, PoolingDrawsACurveASource) {
  json_t *document = committed("pooling");
  const json_t *points = json_object_get(json_array_get(json_object_get(document, "studies"), 0), "points");
  double sum = 0;
  int seeds = 0;
  for (size_t i = 0; i < json_array_size(points); i++) {
    const json_t *p = json_array_get(points, i);
    if (text(p, 1) == "length" && text(p, 2) == "weights" && text(p, 3) == "64") sum += number(p, 4), seeds++;
  }
  Drawn d("pooling", document), again("pooling", committed("pooling"));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  ASSERT_EQ(blocks(d.file("dat")).size(), 7u);
  int found = 0;
  for (const Block &block : blocks(d.file("dat"))) {
    EXPECT_EQ(block.lines.size(), 6u);
    for (const auto &line : block.lines) found += line[0] == "64" && std::fabs(std::stod(line[1]) - sum / seeds) < 1e-9;
  }
  EXPECT_EQ(found, 1) << sum / seeds << "\n" << d.file("dat");
  EXPECT_EQ(d.file("svg"), again.file("svg"));
}

TEST(StudyPlots, NothingIsAMessage) {
  for (const char *name : {"confidence", "blocks", "pooling"}) {
    Drawn none(name, empty(name)), other(name, committed("folding"));
    for (const Drawn *d : {&none, &other}) {
      EXPECT_EQ(d->status, ERG_ERR_DATA);
      EXPECT_NE(d->error.message().find("nothing to draw"), std::string::npos) << d->error.message();
    }
  }
}
