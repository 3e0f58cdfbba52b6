// SPDX-License-Identifier: GPL-3.0-or-later
#include "ergon/plots.h"
#include "support.hpp"

namespace {

json_t *result(const char *precision, const char *fusion, double scale) {
  json_t *energy = json_pack("{s:f, s:f, s:{s:f, s:f, s:f, s:f}, s:n, s:f}", "mac", 1e9 * scale, "other_ops",
                             1e7 * scale, "levels", "dram", 4e9 * scale, "input_scratchpad", 2e8 * scale, "accumulator",
                             5e8 * scale, "registers", 1e8 * scale, "static", "total", 5.81e9 * scale);
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:{s:o, s:n, s:n}}", "workload", "net", "arch",
                   "edge", "mac", "native", "technology", "tech", "precision", precision, "fusion", fusion, "dataflow",
                   "ws", "model", "analytic", "batch", 1, "status", "ok", "totals", "energy_pj", energy,
                   "energy_pj_p05", "energy_pj_p95");
}

json_t *skipped(const char *precision, const char *reason) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:n}", "workload", "net", "arch", "edge",
                   "technology", "tech", "precision", precision, "fusion", "none", "dataflow", "ws", "model",
                   "analytic", "status", "skipped", "reason", reason, "totals");
}

json_t *run(std::vector<json_t *> results) {
  json_t *list = json_array();
  for (json_t *r : results) json_array_append_new(list, r);
  return json_pack("{s:s, s:i, s:{s:s}, s:o}", "schema", "ergon.run", "version", 1, "provenance", "ergon_version", "0",
                   "results", list);
}

struct Drawn {
  test::Folder folder;
  test::Error error;
  erg_status status;
  Drawn(json_t *json, const char *name = "energy") {
    status = erg_plot_draw(name, json, folder.path.c_str(), nullptr, &error);
    json_decref(json);
  }
  std::string file(const std::string &name) const { return test::read_file(folder / name); }
};

} // namespace

TEST(EnergyPlot, DataHoldTheNumbersAndPartsSumToTotals) {
  Drawn d(run({result("fp32", "none", 10), result("fp32", "fold", 8), result("int8", "none", 1),
               skipped("bf16", "no \"constant\" for {mac}_x@2")}));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  std::istringstream data(d.file("energy.dat"));
  std::string line;
  std::getline(data, line);
  EXPECT_NE(line.find("total_mJ"), std::string::npos);
  double x, total, p05, p95;
  std::string precision, fusion, text;
  int rows = 0;
  while (std::getline(data, line)) {
    std::istringstream row(line);
    std::string total_text;
    row >> x >> precision >> fusion >> total_text >> text >> text;
    if (total_text == "NaN") {
      EXPECT_EQ(precision, "\"bf16\"");
      continue;
    }
    total = std::stod(total_text);
    double sum = 0, part;
    while (row >> part) sum += part;
    EXPECT_NEAR(sum, total, 1e-6 * total) << line;
    rows++;
  }
  (void)p05, (void)p95;
  EXPECT_EQ(rows, 3);
  for (const char *kind : {"energy.svg", "energy.png", "energy.pdf"}) EXPECT_GT(d.file(kind).size(), 2000u) << kind;
  EXPECT_NE(d.file("energy.svg").find("for {mac}_x@2"), std::string::npos);
}

TEST(EnergyPlot, SvgAndPngAreByteStable) {
  Drawn a(run({result("fp32", "none", 10), result("int8", "none", 1)})),
      b(run({result("fp32", "none", 10), result("int8", "none", 1)}));
  ASSERT_EQ(a.status, ERG_OK) << a.error.message();
  EXPECT_EQ(a.file("energy.svg"), b.file("energy.svg"));
  EXPECT_EQ(a.file("energy.png"), b.file("energy.png"));
}

TEST(EnergyPlot, RelativeStartsAtHundred) {
  Drawn d(run({result("fp32", "none", 10), result("int8", "none", 1)}), "energy-relative");
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_NE(d.file("energy-relative.dat").find("\"fp32\" \"none\" 100 "), std::string::npos);
  EXPECT_NE(d.file("energy-relative.dat").find("\"int8\" \"none\" 10 "), std::string::npos);
}

TEST(EnergyPlot, NothingToDrawIsAMessageAndNoFile) {
  json_t *mixed = run({result("fp32", "none", 10), result("int8", "none", 1)});
  json_object_set_new(json_array_get(json_object_get(mixed, "results"), 1), "arch", json_string("cloud"));
  for (json_t *json :
       {run({}), run({skipped("fp32", "why")}), mixed, json_pack("{s:s}", "schema", "other"), json_object()}) {
    Drawn d(json);
    EXPECT_EQ(d.status, ERG_ERR_DATA);
    EXPECT_FALSE(d.error.message().empty());
    EXPECT_TRUE(std::filesystem::is_empty(d.folder.path));
  }
  Drawn unknown(run({result("int8", "none", 1)}), "enrgy");
  EXPECT_EQ(unknown.status, ERG_ERR_USAGE);
}

TEST(EnergyPlot, MissingGnuplotLeavesTheScript) {
  std::string path = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  Drawn d(run({result("int8", "none", 1)}));
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(d.status, ERG_ERR_TOOL);
  EXPECT_NE(d.error.message().find("apt-get install gnuplot-nox"), std::string::npos);
  EXPECT_GT(d.file("energy.gp").size(), 500u);
  EXPECT_GT(d.file("energy.dat").size(), 50u);
}

TEST(EnergyPlot, TextsAreNoCommands) {
  json_t *json = run({result("fp`touch x`", "none'.system('touch x').'", 10)});
  json_t *energy =
      json_object_get(json_object_get(json_array_get(json_object_get(json, "results"), 0), "totals"), "energy_pj");
  json_object_set_new(json_object_get(energy, "levels"), "l'.system('touch x').'", json_real(1e9));
  for (const char *name : {"energy", "energy-relative"}) {
    Drawn d(json_incref(json), name);
    EXPECT_EQ(d.status, ERG_OK) << d.error.message();
    EXPECT_FALSE(std::filesystem::exists(d.folder / "x")) << name;
  }
  json_decref(json);
}

TEST(EnergyPlot, UnwritableFolder) {
  json_t *json = run({result("int8", "none", 1)});
  test::Error error;
  EXPECT_EQ(erg_plot_draw("energy", json, "/proc/none", nullptr, &error), ERG_ERR_CREATE);
  json_decref(json);
}

// The relative plot's error bars are of the ratio, in which what both points share cancels, not of the total.
TEST(EnergyPlot, RelativeErrorBarsAreThoseOfTheRatio) {
  json_t *first = result("fp32", "none", 10), *second = result("int8", "none", 1);
  json_t *totals = json_object_get(second, "totals");
  json_object_set_new(totals, "energy_pj_p05", json_real(1e9));
  json_object_set_new(totals, "energy_pj_p95", json_real(1e10));
  json_object_set_new(totals, "energy_ratio_p05", json_real(0.08));
  json_object_set_new(totals, "energy_ratio_p95", json_real(0.13));
  Drawn d(run({first, second}), "energy-relative");
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  EXPECT_NE(d.file("energy-relative.dat").find("\"int8\" \"none\" 10 8 13 "), std::string::npos)
      << d.file("energy-relative.dat");
  EXPECT_NE(d.file("energy-relative.gp").find("yerrorbars"), std::string::npos);
}
