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

// The share kept, from the points: less what is lost to float, of what float is above random weights.
TEST(StudyPlots, FeaturesDrawsSharesAboveRandomWeights) {
  json_t *document = committed("features");
  const json_t *points = json_object_get(json_array_get(json_object_get(document, "studies"), 0), "points");
  double real = 0, floor = 0, four = 0;
  for (size_t i = 0; i < json_array_size(points); i++) {
    const json_t *p = json_array_get(points, i);
    if (text(p, 1) != "gram" || text(p, 2) != "unseen") continue;
    if (text(p, 3) == "float") real += number(p, 4);
    if (text(p, 3) == "random weights") floor += number(p, 4);
    if (text(p, 3) == "4 bit") four += number(p, 4);
  }
  Drawn d("features", document), again("features", committed("features"));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  bool found = false;
  for (const Block &block : blocks(d.file("dat")))
    for (const auto &line : block.lines)
      found = found || (line[0] == "4" && std::fabs(std::stod(line[1]) - (four - floor) / (real - floor)) < 1e-9);
  EXPECT_TRUE(found) << (four - floor) / (real - floor) << "\n" << d.file("dat");
  EXPECT_EQ(blocks(d.file("dat")).size(), 2u + 2 + 5 + 2);
  EXPECT_NE(d.file("gp").find("of random weights"), std::string::npos);
  EXPECT_EQ(d.file("svg"), again.file("svg"));
  EXPECT_EQ(d.file("png"), again.file("png"));
}

TEST(StudyPlots, StylizedDrawsThePictures) {
  json_t *document = committed("style");
  const json_t *points = json_object_get(json_array_get(json_object_get(document, "studies"), 0), "points");
  std::string grey; // of the second content, top left
  for (size_t i = 0; i < json_array_size(points); i++) {
    const json_t *p = json_array_get(points, i);
    if (text(p, 1) == "picture" && text(p, 2) == "2" && text(p, 3) == "content") grey = text(p, 5).substr(0, 2);
  }
  ASSERT_EQ(grey.size(), 2u);
  Drawn d("stylized", document), again("stylized", committed("style"));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  const std::vector<Block> all = blocks(d.file("dat"));
  const Block &pictures = all.back();
  ASSERT_EQ(pictures.lines.size(), 3u * (16 + 4));
  ASSERT_EQ(pictures.lines[0].size(), 9u * (16 + 2));
  EXPECT_EQ(pictures.lines[20][0], std::to_string(std::stoi(grey, nullptr, 16)));
  EXPECT_EQ(pictures.lines[16][0], "NaN");
  EXPECT_NE(d.file("gp").find(" dB' at first"), std::string::npos);
  EXPECT_EQ(d.file("svg"), again.file("svg"));
}

// Pictures that are none are left out, not drawn as something else.
TEST(StudyPlots, StylizedWithoutPictures) {
  json_t *document = committed("style"),
         *points = json_object_get(json_array_get(json_object_get(document, "studies"), 0), "points");
  for (size_t i = 0; i < json_array_size(points); i++)
    if (text(json_array_get(points, i), 1) == "picture")
      json_array_set_new(json_array_get(points, i), 5, json_string("`date`"));
  Drawn d("stylized", document);
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_EQ(d.file("gp").find("matrix"), std::string::npos);
  EXPECT_EQ(d.file("gp").find("date"), std::string::npos);
  EXPECT_GT(d.file("svg").size(), 1000u);
}

TEST(StudyPlots, NothingIsAMessage) {
  for (const char *name : {"confidence", "blocks", "features", "stylized", "pooling"}) {
    Drawn none(name, empty(std::string(name) == "stylized" ? "style" : name)), other(name, committed("folding"));
    for (const Drawn *d : {&none, &other}) {
      EXPECT_EQ(d->status, ERG_ERR_DATA);
      EXPECT_NE(d->error.message().find("nothing to draw"), std::string::npos) << d->error.message();
    }
  }
}

TEST(StudyPlots, TrainingMemoryDrawsGradientsAndAccuracy) {
  Drawn d("training-memory", committed("training-memory")), none("training-memory", empty("training-memory"));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  std::vector<Block> drawn = blocks(d.file("dat"));
  ASSERT_EQ(drawn.size(), 3u * 2 + 4);
  for (const Block &block : drawn) EXPECT_EQ(block.lines.size(), 4u) << block.title;
  EXPECT_EQ(none.status, ERG_ERR_DATA);
}
