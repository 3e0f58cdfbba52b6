// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of one point: its layers, and the constants its total hangs on.
#include "plot_support.hpp"

using namespace plots;

namespace {

json_t *layer(const std::string &name, double scale) {
  return json_pack("{s:s, s:{s:f, s:f, s:{s:f, s:f, s:f, s:f}, s:n, s:f}}", "name", name.c_str(), "energy_pj", "mac",
                   1e6 * scale, "other_ops", 1e5 * scale, "levels", "dram", 4e6 * scale, "input_scratchpad",
                   3e5 * scale, "accumulator", 5e5 * scale, "registers", 1e5 * scale, "static", "total", 6e6 * scale);
}

json_t *run(int layers) {
  json_t *list = json_array();
  for (int i = 0; i < layers; i++) json_array_append_new(list, layer("layer" + std::to_string(i), 1 + i % 7));
  json_t *skipped = json_pack("{s:s, s:s, s:n, s:[]}", "status", "skipped", "reason", "why", "totals", "layers");
  json_t *result =
      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:{s:i}, s:o}", "workload", "net", "arch", "edge",
                "mac", "native", "technology", "tech", "precision", "int8", "fusion", "none", "dataflow", "ws", "model",
                "analytic", "batch", 1, "status", "ok", "machine", "pes", 256, "layers", list);
  return json_pack("{s:s, s:i, s:{s:s, s:i}, s:[o,o]}", "schema", "ergon.run", "version", 1, "provenance",
                   "ergon_version", "0.1.0", "model_version", 2, "results", skipped, result);
}

json_t *item(double energy_pj, std::vector<int> constants) {
  json_t *list = json_array();
  for (int index : constants) json_array_append_new(list, json_integer(index));
  return json_pack("{s:s, s:f, s:o}", "component", "x", "energy_pj", energy_pj, "constants", list);
}

json_t *constant(int index, const std::string &label, double factor) {
  return json_pack("{s:i, s:s, s:f}", "index", index, "label", label.c_str(), "factor", factor);
}

json_t *explained(json_t *items, json_t *constants, double total) {
  return json_pack("{s:s, s:i, s:{s:s, s:i}, s:[{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:f, s:f, s:f}], s:o}", "schema",
                   "ergon.explain", "version", 1, "provenance", "ergon_version", "0.1.0", "model_version", 2, "results",
                   "workload", "net", "arch", "edge", "mac", "native", "technology", "tech", "precision", "int8",
                   "fusion", "none", "items", items, "total_pj", total, "total_pj_p05", 0.6 * total, "total_pj_p95",
                   2 * total, "constants", constants);
}

json_t *array(std::vector<json_t *> values) {
  json_t *out = json_array();
  for (json_t *value : values) json_array_append_new(out, value);
  return out;
}

} // namespace

TEST(Layers, PartsSumToEachLayersTotalInTheOrderOfTheNetwork) {
  Drawn d("layers", run(12));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  const std::vector<Block> drawn = blocks(d.file("dat"));
  ASSERT_EQ(drawn[0].lines.size(), 12u);
  for (size_t i = 0; i < 12; i++) {
    const auto &line = drawn[0].lines[i];
    EXPECT_EQ(line[1], "layer" + std::to_string(i));
    EXPECT_NEAR(std::stod(line[2]), 6.0 * static_cast<double>(1 + i % 7), 1e-9); // uJ
    double sum = 0;
    for (size_t part = 3; part < line.size(); part++) sum += std::stod(line[part]);
    EXPECT_NEAR(sum, std::stod(line[2]), 1e-9);
  }
  const std::string svg = d.file("svg");
  for (const char *words : {"net, int8, fusion none", "tech tech", "native mac, equal PE count: 256", "model version 2",
                            "the first point of 2 that was not skipped"})
    EXPECT_NE(svg.find(words), std::string::npos) << words;
}

TEST(Layers, OfManyTheLeastAreOneBar) {
  for (int count : {1, 80, 81, 5000}) {
    Drawn d("layers", run(count));
    ASSERT_EQ(d.status, ERG_OK) << d.error.message();
    const auto lines = blocks(d.file("dat"))[0].lines;
    EXPECT_EQ(lines.size(), static_cast<size_t>(std::min(count, 80)));
    double sum = 0, expected = 0;
    for (int i = 0; i < count; i++) expected += 6.0 * (1 + i % 7);
    for (const auto &line : lines) sum += std::stod(line[2]);
    const double unit = blocks(d.file("dat"))[0].title.find("total_mJ") != std::string::npos ? 1e-3 : 1;
    EXPECT_NEAR(sum, expected * unit, 1e-6 * expected * unit) << count;
    EXPECT_EQ(lines.back()[1] == std::to_string(count - 79) + " others", count > 80) << lines.back()[1];
  }
}

TEST(Layers, NamesAreNoCommands) {
  json_t *json = run(2), *result = json_array_get(json_object_get(json, "results"), 1);
  for (int i = 0; i < 2; i++) {
    json_t *layer = json_array_get(json_object_get(result, "layers"), static_cast<size_t>(i));
    json_object_set_new(layer, "name", json_string("a\"b\"`touch x`'c\\d"));
    json_object_set_new(json_object_get(json_object_get(layer, "energy_pj"), "levels"), "l'.system('touch x').'",
                        json_real(1e6));
  }
  Drawn d("layers", json);
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_EQ(blocks(d.file("dat"))[0].lines.size(), 2u);
  EXPECT_NE(d.file("svg").find("a'b'"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(d.folder / "x"));
}

TEST(Layers, NothingToDrawIsAMessageAndNoFile) {
  json_t *nameless = run(2);
  json_object_del(json_array_get(json_object_get(json_array_get(json_object_get(nameless, "results"), 1), "layers"), 1),
                  "name");
  const std::pair<json_t *, const char *> cases[] = {
      {run(0), "each was skipped"},
      {nameless, "layers[1] has no name"},
      {json_pack("{s:s, s:i, s:[]}", "schema", "ergon.run", "version", 1, "results"), "holds no results"},
      {sweep({Row()}), "found schema ergon.sweep; allowed: ergon.run"}};
  for (const auto &[json, message] : cases) {
    Drawn d("layers", json);
    EXPECT_EQ(d.status, ERG_ERR_DATA);
    EXPECT_NE(d.error.message().find(message), std::string::npos) << d.error.message();
    EXPECT_TRUE(std::filesystem::is_empty(d.folder.path));
  }
}

// By hand: 5 and 95 % of a lognormal of geometric standard deviation 2 are 2^-1.644854 = 0.319779 and 3.127161 times.
TEST(Tornado, EndsAreThoseOfOneConstantAlone) {
  Drawn d("tornado",
          explained(array({item(60e6, {0}), item(30e6, {1, 2}), item(10e6, {2})}),
                    array({constant(0, "sharp", 1), constant(1, "dram", 2), constant(2, "sram", 2)}), 100e6));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  const std::vector<Block> drawn = blocks(d.file("dat"));
  ASSERT_EQ(drawn.size(), 2u);
  ASSERT_EQ(drawn[0].lines.size(), 2u); // a constant that is known exactly moves nothing
  const auto &first = drawn[0].lines[0], &second = drawn[0].lines[1];
  EXPECT_EQ(first[1], "sram (3.13)"); // prices 40 of 100 uJ, the widest
  EXPECT_NEAR(std::stod(first[2]), 100 - 40 * (1 - 0.319779), 2e-4);
  EXPECT_NEAR(std::stod(first[3]), 100 + 40 * (3.127161 - 1), 2e-4);
  EXPECT_EQ(second[1], "dram (3.13)");
  EXPECT_NEAR(std::stod(second[2]), 100 - 30 * (1 - 0.319779), 2e-4);
  EXPECT_NEAR(std::stod(second[3]), 100 + 30 * (3.127161 - 1), 2e-4);
  EXPECT_NEAR(std::stod(drawn[1].lines[0][2]), 60, 1e-9);
  EXPECT_NEAR(std::stod(drawn[1].lines[0][3]), 200, 1e-9);
  const std::string svg = d.file("svg");
  for (const char *words : {"net, int8, fusion none", "tech tech", "native mac, equal PE count", "model version 2"})
    EXPECT_NE(svg.find(words), std::string::npos) << words;
}

TEST(Tornado, AtMostFifteenTheWidest) {
  std::vector<json_t *> items, constants;
  for (int i = 0; i < 200; i++) {
    items.push_back(item(1e3 * (1 + (i * 37) % 200), {i}));
    constants.push_back(constant(i, "c" + std::to_string(i), 1.5));
  }
  items.push_back(item(1e6, {999}));
  Drawn d("tornado", explained(array(items), array(constants), 2.11e7));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  const auto lines = blocks(d.file("dat"))[0].lines;
  ASSERT_EQ(lines.size(), 15u);
  for (size_t i = 0; i < lines.size(); i++)
    EXPECT_NEAR(std::stod(lines[i][5]), 0.2 - 0.001 * static_cast<double>(i), 1e-9);
  EXPECT_NE(d.file("svg").find("they move it less: 185"), std::string::npos);
  EXPECT_NE(d.file("svg").find("on no listed constant: 4.7 %"), std::string::npos);
}

TEST(Tornado, NothingToDrawIsAMessageAndNoFile) {
  json_t *coefficient = explained(json_array(), array({constant(0, "mac", 2)}), 1);
  json_object_set_new(coefficient, "results", json_array());
  const std::pair<json_t *, const char *> cases[] = {
      {coefficient, "explains no run"},
      {explained(json_array(), json_array(), 1), "no constants"},
      {explained(json_array(), array({constant(0, "mac", 2)}), 0), "no total_pj above 0"},
      {explained(array({item(1, {0})}), array({constant(0, "mac", 1)}), 1), "no constant moves the total"},
      {explained(array({item(1, {0})}), array({constant(0, "mac", 0.5)}), 1), "a number from 1"},
      {run(3), "found schema ergon.run; allowed: ergon.explain (ergon explain RUN.json --json)"}};
  for (const auto &[json, message] : cases) {
    Drawn d("tornado", json);
    EXPECT_EQ(d.status, ERG_ERR_DATA);
    EXPECT_NE(d.error.message().find(message), std::string::npos) << d.error.message();
    EXPECT_TRUE(std::filesystem::is_empty(d.folder.path));
  }
}

TEST(PointPlots, SvgAndPngAreByteStable) {
  auto tornado = [] { return explained(array({item(60, {0})}), array({constant(0, "mac", 2)}), 100); };
  Drawn a("layers", run(12)), b("layers", run(12)), c("tornado", tornado()), e("tornado", tornado());
  ASSERT_EQ(a.status, ERG_OK) << a.error.message();
  ASSERT_EQ(c.status, ERG_OK) << c.error.message();
  for (const char *ending : {"svg", "png"}) {
    EXPECT_EQ(a.file(ending), b.file(ending)) << ending;
    EXPECT_EQ(c.file(ending), e.file(ending)) << ending;
  }
}
