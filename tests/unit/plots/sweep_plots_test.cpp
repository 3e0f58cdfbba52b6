// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of a sweep: what is in their data is found again from the rows by brute force.
#include "plot_support.hpp"
#include <map>
#include <set>

using namespace plots;

namespace {

std::string family(const Row &r) {
  if (r.format != "int") return r.format.rfind("fp8", 0) == 0 ? "fp8" : r.format;
  double widest = std::max(r.weight_bits, r.activation_bits);
  return widest > 8 ? "int, 9 to 16 bits" : widest > 4 ? "int, 5 to 8 bits" : "int, 2 to 4 bits";
}

bool dominates(const Row &a, const Row &b) {
  return a.latency_s <= b.latency_s && a.energy_pj <= b.energy_pj &&
         (a.latency_s < b.latency_s || a.energy_pj < b.energy_pj);
}

using Points = std::multiset<std::pair<long, long>>; // latency in us, energy in nJ
std::pair<long, long> place(double latency_s, double energy_pj) {
  return {std::lround(latency_s * 1e6), std::lround(energy_pj * 1e-3)};
}
Points points_of(const Block &block) {
  Points out;
  for (const auto &line : block.lines) out.insert(place(std::stod(line[0]) * 1e-3, std::stod(line[1]) * 1e9)); // ms, mJ
  return out;
}

class SweepPlots : public testing::TestWithParam<const char *> {};

} // namespace

TEST_P(SweepPlots, NothingToDrawIsAMessageAndNoFile) {
  Row skipped, failed;
  skipped.status = "skipped", failed.status = "failed";
  json_t *nulls = sweep({Row()});
  json_object_set_new(json_array_get(json_object_get(nulls, "rows"), 0), "rows", json_null());
  json_t *text = sweep({Row()});
  json_object_set_new(json_array_get(json_object_get(text, "rows"), 0), "cols", json_string("16"));
  json_t *next = sweep({Row()});
  json_object_set_new(next, "version", json_integer(2));
  json_t *stateless = sweep({Row()});
  json_object_del(json_array_get(json_object_get(stateless, "rows"), 0), "status");
  const std::pair<json_t *, const char *> cases[] = {
      {sweep({}), "holds no rows"},
      {sweep({skipped, failed}), "all 2 rows were skipped or failed"},
      {json_pack("{s:s, s:i}", "schema", "ergon.sweep", "version", 1), "holds no rows"},
      {json_pack("{s:s, s:i}", "schema", "ergon.run", "version", 1), "found schema ergon.run; allowed: ergon.sweep"},
      {nulls, "rows[0].rows: found null; allowed: a number above 0"},
      {text, "rows[0].cols: found \"16\"; allowed: a number above 0"},
      {next, "found version 2"},
      {stateless, "rows[0].status: found none; allowed: ok, skipped, failed"}};
  for (const auto &[json, message] : cases) {
    Drawn d(GetParam(), json);
    EXPECT_EQ(d.status, ERG_ERR_DATA) << message;
    EXPECT_NE(d.error.message().find(message), std::string::npos) << d.error.message();
    EXPECT_TRUE(std::filesystem::is_empty(d.folder.path)) << message;
  }
}

TEST_P(SweepPlots, OnePointHasAllItsFilesAndItsFooter) {
  Row skipped;
  skipped.status = "skipped";
  Drawn d(GetParam(), sweep({Row(), skipped}));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  for (const char *ending : {"svg", "png", "pdf"}) EXPECT_GT(d.file(ending).size(), 2000u) << ending;
  const std::string svg = d.file("svg");
  for (const char *words : {"net:", "horowitz-45nm", "native mac", "equal PE count: 256", "model version 2",
                            "left out, because skipped or failed: 1", "arch edge", "dataflow ws"})
    EXPECT_NE(svg.find(words), std::string::npos) << words;
}

TEST_P(SweepPlots, EqualAreaIsSaidWhereRowsSayIt) {
  json_t *json = sweep({Row()});
  json_object_set_new(json_array_get(json_object_get(json, "rows"), 0), "equal", json_string("area"));
  Drawn d(GetParam(), json);
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_NE(d.file("svg").find("equal area"), std::string::npos);
  EXPECT_EQ(d.file("svg").find("equal PE count"), std::string::npos);
}

TEST_P(SweepPlots, SvgAndPngAreByteStable) {
  Drawn a(GetParam(), sweep(random_rows(150, 3, 2))), b(GetParam(), sweep(random_rows(150, 3, 2)));
  Drawn other(GetParam(), sweep(random_rows(150, 4, 2)));
  ASSERT_EQ(a.status, ERG_OK) << a.error.message();
  ASSERT_EQ(other.status, ERG_OK) << other.error.message();
  EXPECT_EQ(a.file("svg"), b.file("svg"));
  EXPECT_EQ(a.file("png"), b.file("png"));
  EXPECT_NE(a.file("svg"), other.file("svg"));
  EXPECT_NE(a.file("png"), other.file("png"));
}

TEST_P(SweepPlots, TenThousandRowsAndMoreWorkloadsThanPanels) {
  Drawn d(GetParam(), sweep(random_rows(10000, 5, 9)));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_NE(d.file("svg").find("shown are the first"), std::string::npos);
}

TEST_P(SweepPlots, TextsOfRowsAreNoCommands) {
  Row r;
  r.workload = "a\"b`touch x`{c}_d\\n'e'\n1 2 3", r.fusion = "no\"ne`x`", r.technology = "t'\"";
  Drawn d(GetParam(), sweep({r}));
  EXPECT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_FALSE(std::filesystem::exists(d.folder / "x"));
}

INSTANTIATE_TEST_SUITE_P(Each, SweepPlots, testing::Values("pareto", "heat", "heat-edp", "roofline", "pe-split"),
                         [](const auto &info) {
                           std::string name = info.param;
                           for (char &c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(Pareto, FrontsAreThoseOfBruteForce) {
  for (uint64_t seed : {1, 2, 3}) {
    std::vector<Row> rows = random_rows(300, seed);
    for (Row &r : rows) r.energy_pj += 1e10; // in mJ for every seed
    rows.push_back(rows[0]);                 // an equal point is no better
    Drawn d("pareto", sweep(rows));
    ASSERT_EQ(d.status, ERG_OK) << d.error.message();
    std::map<std::string, Points> expected, got;
    Points all_front;
    for (const Row &r : rows) {
      bool behind_all = false, behind_own = false;
      for (const Row &other : rows) {
        behind_all |= dominates(other, r);
        behind_own |= dominates(other, r) && family(other) == family(r);
      }
      expected[family(r) + (behind_own ? ", dominated" : ", front")].insert(place(r.latency_s, r.energy_pj));
      if (!behind_all) all_front.insert(place(r.latency_s, r.energy_pj));
    }
    for (const Block &block : blocks(d.file("dat"))) {
      if (block.title != "all: the front as steps") {
        if (block.title.find("steps") == std::string::npos) got[block.title] = points_of(block);
        continue;
      }
      Points steps;
      for (size_t i = 1; i + 1 < block.lines.size(); i++) { // without the ends on the picture's edges
        steps.insert(place(std::stod(block.lines[i][0]) * 1e-3, std::stod(block.lines[i][1]) * 1e9));
        if (i > 1) EXPECT_GE(std::stod(block.lines[i - 1][1]), std::stod(block.lines[i][1]));
      }
      EXPECT_EQ(steps, all_front) << seed;
    }
    EXPECT_EQ(got, expected) << seed;
  }
}

TEST(Pareto, FrontPointsCarryTheirDesign) {
  Row fast, frugal, worse;
  fast.latency_s = 0.01, fast.rows = fast.cols = 64, fast.precision = "w4a8", fast.weight_bits = 4;
  frugal.energy_pj = 1e9, frugal.fusion = "fold";
  worse.latency_s = 0.05, worse.fusion = "none";
  Drawn d("pareto", sweep({worse, frugal, fast}));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  const std::string gp = d.file("gp"), svg = d.file("svg");
  EXPECT_NE(gp.find("\"w4a8 epilogue 64x64\""), std::string::npos);
  EXPECT_NE(gp.find("\"int8 fold 16x16\""), std::string::npos);
  EXPECT_EQ(gp.find("int8 none 16x16"), std::string::npos);
  EXPECT_NE(svg.find("front of all: 2 points, 2 labelled"), std::string::npos);
}

TEST(Pareto, ZeroEnergyHasNoPlaceOnALogarithm) {
  Row r;
  r.energy_pj = 0;
  Drawn d("pareto", sweep({r}));
  EXPECT_EQ(d.status, ERG_ERR_DATA);
  EXPECT_NE(d.error.message().find("rows[0].energy_pj"), std::string::npos);
}

TEST(Pareto, FaultsAreCountedNotRepeated) {
  std::vector<Row> rows(40);
  for (Row &r : rows) r.latency_s = 0;
  Drawn d("pareto", sweep(rows));
  EXPECT_EQ(d.status, ERG_ERR_DATA);
  EXPECT_NE(d.error.message().find("rows[9].latency_s"), std::string::npos);
  EXPECT_EQ(d.error.message().find("rows[10].latency_s"), std::string::npos);
  EXPECT_NE(d.error.message().find("and 30 more such faults"), std::string::npos) << d.error.message();
}

TEST(Heat, CellsAreTheLeastOfTheirRowsInPercentOfInt8) {
  for (bool edp : {false, true}) {
    std::vector<Row> rows = random_rows(400, 11);
    std::map<std::pair<int, int>, double> least;
    for (const Row &r : rows) {
      if (r.format != "int") continue;
      double value = edp ? r.energy_pj * r.latency_s : r.energy_pj;
      auto [cell, fresh] =
          least.insert({{static_cast<int>(r.weight_bits), static_cast<int>(r.activation_bits)}, value});
      if (!fresh) cell->second = std::min(cell->second, value);
    }
    Drawn d(edp ? "heat-edp" : "heat", sweep(rows));
    ASSERT_EQ(d.status, ERG_OK) << d.error.message();
    const std::vector<Block> drawn = blocks(d.file("dat"));
    ASSERT_EQ(drawn.size(), 1u);
    EXPECT_EQ(drawn[0].lines.size(), least.size());
    for (const auto &line : drawn[0].lines) {
      const std::pair<int, int> cell = {std::stoi(line[5]), std::stoi(line[6])};
      ASSERT_EQ(least.count(cell), 1u);
      const double percent = 100 * least[cell] / least[{8, 8}];
      EXPECT_NEAR(std::stod(line[2]), percent, 1e-7 * percent);
    }
    EXPECT_NE(d.file("svg").find("rows of no integer precision are left out"), std::string::npos);
    EXPECT_NE(d.file("svg").find("a cell is the least of up to "), std::string::npos);
  }
}

TEST(Heat, NeedsInt8AndIntegers) {
  Row four, floating;
  four.precision = "int4", four.weight_bits = four.activation_bits = 4;
  floating.precision = floating.format = "bf16", floating.weight_bits = floating.activation_bits = 16;
  Drawn without("heat", sweep({four})), floats("heat", sweep({floating}));
  EXPECT_EQ(without.status, ERG_ERR_DATA);
  EXPECT_NE(without.error.message().find("net has no int8 row"), std::string::npos) << without.error.message();
  EXPECT_EQ(floats.status, ERG_ERR_DATA);
  EXPECT_NE(floats.error.message().find("no row has an integer precision"), std::string::npos);
}

TEST(Roofline, PointsAndRoofs) {
  Row large, small, scalable;
  large.rows = large.cols = 64, large.peak_macs_per_s = 2.048e12, large.dram_bytes = 4e7, large.latency_s = 0.005;
  small.precision = "int4", small.weight_bits = small.activation_bits = 4;
  scalable = small, scalable.peak_macs_per_s = 5.12e11;
  Drawn d("roofline", sweep({large, small, Row(), scalable}));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  std::map<std::string, int> points;
  std::set<double> peaks;
  for (const Block &block : blocks(d.file("dat"))) {
    if (block.title != "a roof") {
      points[block.title] += static_cast<int>(block.lines.size());
      for (const auto &line : block.lines)
        EXPECT_TRUE((std::stod(line[0]) == 100 && std::stod(line[1]) == 800) || // large: 4e9 / 4e7, 4e9 / 0.005
                    (std::stod(line[0]) == 80 && std::abs(std::stod(line[1]) - 133.3333333) < 1e-6))
            << line[0] << " " << line[1];
      continue;
    }
    for (const auto &line : block.lines) { // GMAC/s; 8 GB/s
      const double peak = std::stod(block.lines.back()[1]), x = std::stod(line[0]);
      EXPECT_NEAR(std::stod(line[1]), std::min(peak, 8 * x), 1e-6 * peak);
      peaks.insert(peak);
    }
  }
  EXPECT_EQ(points, (std::map<std::string, int>{{"int, 5 to 8 bits", 2}, {"int, 2 to 4 bits", 2}}));
  EXPECT_EQ(peaks, (std::set<double>{128, 512, 2048}));
  EXPECT_NE(d.file("svg").find("64x64: 2048 GMAC/s"), std::string::npos);
  EXPECT_NE(d.file("svg").find("8 GB/s"), std::string::npos);
  EXPECT_NE(d.file("svg").find("above their roof: 2 points"), std::string::npos); // 133 of 128 GMAC/s: said, not hidden
}

TEST(Roofline, RowsThatMoveNothingOffTheChip) {
  Row still;
  still.dram_bytes = 0;
  Drawn none("roofline", sweep({still})), one("roofline", sweep({still, Row()}));
  EXPECT_EQ(none.status, ERG_ERR_DATA);
  EXPECT_NE(none.error.message().find("no row moves a byte off the chip"), std::string::npos);
  ASSERT_EQ(one.status, ERG_OK);
  EXPECT_NE(one.file("svg").find("no byte off the chip, not shown: 1"), std::string::npos);
}

TEST(PeSplit, PartsSumToTheLeastRowOfEachArray) {
  std::vector<Row> rows = random_rows(400, 17);
  std::map<std::string, Row> least; // "precision array"
  for (const Row &r : rows) {
    std::ostringstream name;
    name << r.precision << " " << r.rows << "x" << r.cols;
    auto [it, fresh] = least.insert({name.str(), r});
    if (!fresh && r.energy_pj < it->second.energy_pj) it->second = r;
  }
  Drawn d("pe-split", sweep(rows));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  size_t bars = 0;
  const std::vector<Block> drawn = blocks(d.file("dat"));
  EXPECT_EQ(drawn.size(), 6u); // of seven precisions
  for (const Block &block : drawn) {
    const std::string title = block.title.substr(0, block.title.find(':'));
    double rows_before = 0;
    for (const auto &line : block.lines) {
      const Row &r = least.at(title.substr(title.find(", ") + 2) + " " + line[1]);
      EXPECT_NEAR(std::stod(line[2]), r.mac_pj / r.macs, 1e-8);
      EXPECT_NEAR(std::stod(line[3]), r.partial_sums_pj / r.macs, 1e-8);
      EXPECT_NEAR(std::stod(line[5]), r.energy_pj / r.macs, 1e-7);
      EXPECT_NEAR(std::stod(line[2]) + std::stod(line[3]) + std::stod(line[4]), std::stod(line[5]), 1e-7);
      EXPECT_GT(r.rows, rows_before);
      rows_before = r.rows;
      bars++;
    }
  }
  EXPECT_GE(bars, 12u);
}

TEST(PeSplit, PartsOverTheTotalAreAFault) {
  Row r;
  r.mac_pj = r.energy_pj;
  Drawn d("pe-split", sweep({r}));
  EXPECT_EQ(d.status, ERG_ERR_DATA);
  EXPECT_NE(d.error.message().find("are over energy_pj"), std::string::npos);
}
