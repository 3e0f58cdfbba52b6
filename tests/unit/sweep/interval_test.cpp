// SPDX-License-Identifier: GPL-3.0-or-later
// --interval: limits of stored energies are those that `ergon run` gives for the same point, in every form of output.
#include "sweep.hpp"
#include <cmath>
#include <jansson.h>

namespace {

json_t *document_of(const std::string &arguments) {
  test::Output o = test::ergon(arguments + " --json");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  json_t *document = json_loads(o.out.c_str(), 0, nullptr);
  EXPECT_TRUE(document) << o.out;
  return document;
}

double number(const json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}

} // namespace

TEST(SweepInterval, IsThatOfARunOfTheSamePoint) {
  test::Folder f;
  const std::string spec = f / "s.yaml", store = " --store '" + f / "a.db'";
  test::write_file(spec, "name: s\nworkloads: [hand-worked]\narchs: [tiny]\ntechs: [horowitz-45nm, jouppi-7nm]\n"
                         "precisions: [int8, fp16]\naxes:\n  - {set: [tech.dram], values: [\"-\", ddr4]}\n");
  ASSERT_EQ(test::ergon("sweep run -q '" + spec + "'" + store).exit_code, 0);
  json_t *document = document_of("sweep query --interval" + store);
  json_t *rows = json_object_get(document, "rows");
  ASSERT_EQ(json_array_size(rows), 8u);
  int compared = 0;
  for (size_t i = 0; i < json_array_size(rows); i++) {
    json_t *row = json_array_get(rows, i);
    const std::string tech = json_string_value(json_object_get(row, "technology")),
                      set = json_string_value(json_object_get(row, "set")),
                      precision = json_string_value(json_object_get(row, "precision"));
    if (std::string(json_string_value(json_object_get(row, "status"))) != "ok") {
      EXPECT_TRUE(json_is_null(json_object_get(row, "energy_pj_p05"))) << "no energy, no interval";
      continue;
    }
    json_t *run = document_of("run hand-worked --arch tiny --tech " + tech + " --precision " + precision +
                              (set.empty() ? "" : " --set " + set));
    json_t *totals = json_object_get(json_array_get(json_object_get(run, "results"), 0), "totals");
    SCOPED_TRACE(tech + " " + precision + " " + set);
    EXPECT_LT(number(row, "energy_pj_p05"), number(row, "energy_pj"));
    EXPECT_GT(number(row, "energy_pj_p95"), number(row, "energy_pj"));
    for (const char *key : {"energy_pj_p05", "energy_pj_p95"}) {
      EXPECT_NEAR(number(row, key) / number(totals, key), 1, 1e-9) << key;
    }
    compared++;
    json_decref(run);
  }
  EXPECT_GE(compared, 4);
  json_decref(document);
  test::Output csv = test::ergon("sweep export --csv --interval --where precision=int8 --limit 1" + store);
  EXPECT_NE(csv.out.find(",accuracy_reason,energy_pj_p05,energy_pj_p95\n"), std::string::npos) << csv.out;
  EXPECT_EQ(csv.out.back(), '\n');
  EXPECT_NE(csv.out[csv.out.size() - 2], ',') << "the last one is there";
  EXPECT_EQ(csv.err, "");
  test::Output table = test::ergon("sweep query --interval --front" + store);
  EXPECT_NE(table.out.find("5 to 95 % [mJ]"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find(" to "), std::string::npos) << table.out;
}

// A technology of the user's own is not found by its name, and one that changed is another one: no interval is made up.
TEST(SweepInterval, IsUnknownWhereTheTechnologyIsNotWhatItWas) {
  test::Folder f;
  const std::string spec = f / "s.yaml", store = " --store '" + f / "a.db'", tech = f / "own.yaml";
  std::string text = test::ergon("show tech horowitz-45nm").out;
  ASSERT_NE(text.find("horowitz-45nm"), std::string::npos);
  test::write_file(tech, text + "# other\n"); // of the same name, not the same file
  test::write_file(spec, "name: s\nworkloads: [hand-worked]\narchs: [tiny]\ntechs: [\"" + tech + "\"]\n");
  ASSERT_EQ(test::ergon("sweep run -q '" + spec + "'" + store).exit_code, 0);
  test::Output o = test::ergon("sweep query --interval" + store);
  EXPECT_EQ(o.exit_code, 0);
  EXPECT_NE(o.err.find("note: 1 rows have no interval, the first because: technology horowitz-45nm is no longer"),
            std::string::npos)
      << o.err;
}
