// SPDX-License-Identifier: GPL-3.0-or-later
// The first difference from close by: where, both sums, the command that shows it again, the waveform.
#include "ergon/gemm.h"
#include "support.hpp"
#include <jansson.h>
#include <memory>

namespace {

struct Verify {
  test::Error error;
  erg_arch arch{};
  erg_technology technology{};
  erg_graph graph{};
  erg_verify_result result{};
  erg_verify_options options{};
  Verify(const char *workload, const char *mutant) {
    EXPECT_EQ(erg_arch_load("tiny", nullptr, 0, &arch, &error), ERG_OK);
    EXPECT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &technology, &error), ERG_OK);
    if (workload) EXPECT_EQ(erg_graph_load(workload, 1, nullptr, 0, &graph, &error), ERG_OK);
    options.mutant = mutant, options.quiet = true, options.cases = 40, options.only_case = -1;
    options.command = "ergon verify X";
  }
  erg_status run() {
    erg_point point{};
    point.arch = &arch, point.technology = &technology, point.fusion = ERG_FUSION_EPILOGUE, point.batch = 1,
    point.seed = 1;
    point.graph = graph.name ? &graph : nullptr;
    EXPECT_EQ(erg_precision_parse("int8", &point.precision, &error), ERG_OK);
    return graph.name ? erg_verify(&point, &options, &result, &error)
                      : erg_verify_random(&point, &options, &result, &error);
  }
  ~Verify() {
    erg_verify_result_free(&result);
    erg_graph_free(&graph);
    erg_technology_free(&technology);
    erg_arch_free(&arch);
  }
};

json_t *json_of(const test::Output &o) {
  return json_loads(o.out.c_str(), 0, nullptr);
}
json_t *first_row(json_t *root) {
  size_t i;
  json_t *layer;
  json_array_foreach(json_object_get(root, "layers"), i,
                     layer) if (!json_is_null(json_object_get(layer, "closer"))) return layer;
  return nullptr;
}

} // namespace

TEST(Look, SumsAgreeWhereTheEpilogueIsWrongAndDifferWhereTheArrayIs) {
  for (bool array : {false, true}) {
    Verify v(nullptr, array ? "SKEW" : "CLAMP");
    ASSERT_EQ(v.run(), ERG_ERR_MISMATCH) << v.error.message();
    int seen = 0;
    for (int i = 0; i < v.result.row_count; i++) {
      const erg_verify_row &row = v.result.rows[i];
      if (!row.mismatches) continue;
      seen++;
      const erg_verify_detail &d = row.detail;
      ASSERT_TRUE(d.present && d.replayed && d.sum_shown) << row.name;
      EXPECT_EQ(d.sum_expected != d.sum_got, array) << row.name;
      EXPECT_EQ(d.tile, -1);
      EXPECT_EQ(std::string(d.replay),
                "ergon verify X --case " + std::to_string(row.first_case) + " --waves first-difference.fst");
    }
    EXPECT_GE(seen, 3);
  }
}

TEST(Look, ATrueArrayHasNothingToLookAt) {
  Verify v("hand-worked", nullptr);
  ASSERT_EQ(v.run(), ERG_OK) << v.error.message();
  for (int i = 0; i < v.result.row_count; i++) EXPECT_FALSE(v.result.rows[i].detail.present);
}

// A wrong packing lies around the array: its tile alone is right, and that is said.
TEST(Look, AFaultAroundTheArrayIsNotBlamedOnIt) {
  Verify v("hand-worked", nullptr);
  v.options.fault_packing = true;
  ASSERT_EQ(v.run(), ERG_ERR_MISMATCH);
  EXPECT_TRUE(v.result.rows[0].detail.present);
  EXPECT_FALSE(v.result.rows[0].detail.replayed);
}

// The command that is printed, pasted into a shell: the same place, the same codes, and a waveform.
TEST(Look, TheCommandShowsItAgain) {
  for (std::string what : {"--mutant ROUNDING", "hand-worked --mutant ROUNDING"}) {
    SCOPED_TRACE(what);
    test::Folder folder;
    test::Output o = test::ergon("verify " + what + " --arch tiny -q --json");
    ASSERT_EQ(o.exit_code, 1) << o.err;
    std::unique_ptr<json_t, decltype(&json_decref)> before(json_of(o), json_decref);
    json_t *was = first_row(before.get());
    ASSERT_TRUE(was);
    std::string command = json_string_value(json_object_get(json_object_get(was, "closer"), "command"));
    ASSERT_EQ(command.rfind("ergon ", 0), 0u);
    test::Output again =
        test::shell("cd '" + folder.path.string() + "' && '" + test::binary_dir() + "/bin/ergon' " + command.substr(6));
    ASSERT_EQ(again.exit_code, 1) << command << "\n" << again.err;
    std::unique_ptr<json_t, decltype(&json_decref)> after(json_of(again), json_decref);
    json_t *is = first_row(after.get());
    ASSERT_TRUE(is) << again.out;
    EXPECT_TRUE(json_equal(json_object_get(was, "first_difference"), json_object_get(is, "first_difference")))
        << command;
    json_t *closer = json_object_get(is, "closer");
    EXPECT_STREQ(json_string_value(json_object_get(closer, "waves")), "first-difference.fst");
    for (const char *key : {"cycle", "sum_expected", "sum_got", "array_column", "tile_row"})
      EXPECT_TRUE(json_equal(json_object_get(json_object_get(was, "closer"), key), json_object_get(closer, key)))
          << key;
    std::string fst = test::read_file(folder / "first-difference.fst");
    ASSERT_GT(fst.size(), 1000u);
    EXPECT_EQ(fst.substr(0, 9),
              std::string("\0\0\0\0\0\0\0\1\x49", 9)); // the header block of an FST file, of 329 bytes
  }
}

TEST(Look, WhatIsNotThereIsRefused) {
  test::Output o = test::ergon("verify hand-worked --arch tiny --layer nosuch");
  EXPECT_EQ(o.exit_code, 64);
  EXPECT_NE(o.err.find("layers that can be verified are: conv"), std::string::npos) << o.err;
  o = test::ergon("verify hand-worked --arch tiny --layer conv --tile 99");
  EXPECT_EQ(o.exit_code, 64);
  EXPECT_NE(o.err.find("has tiles 0 to"), std::string::npos) << o.err;
  o = test::ergon("verify --arch tiny --tile 1 --layer conv");
  EXPECT_EQ(o.exit_code, 64);
  EXPECT_EQ(test::ergon("verify hand-worked --arch tiny --tile 0").exit_code, 64);
  EXPECT_EQ(test::ergon("verify hand-worked --arch tiny --case 0").exit_code, 64);
  o = test::ergon("verify --mutant CLAMP --arch tiny -q --case 0 --waves /nonexistent/x.fst");
  EXPECT_EQ(o.exit_code, 73) << o.err;
}

TEST(Look, EveryTileOfALayerAloneIsRight) {
  for (int tile = 0;; tile++) {
    test::Output o = test::ergon("verify hand-worked --arch tiny -q --layer conv --tile " + std::to_string(tile));
    if (o.exit_code == 64) {
      EXPECT_GT(tile, 1);
      break;
    }
    ASSERT_EQ(o.exit_code, 0) << o.err;
  }
}

// One product of 1 by 1 on 2 x 2 cells: the code enters two cells of its row and stays (its port holds it), the sum
// moves down one; the weight goes to a shadow and becomes the working one. Zeros toggle nothing.
TEST(Look, TogglesByHand) {
  for (int16_t code : {0, 1}) {
    erg_rtl_config config{2, 2, 8, 8, 32, 8, nullptr};
    config.look = ERG_LOOK_SUMS;
    erg_rtl *rtl = nullptr;
    test::Error error;
    ASSERT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
    const int one = 1;
    int16_t a = code, w = code, y = 0;
    int64_t bias = 0;
    erg_requant scale = erg_requant_from_real(1);
    erg_gemm g{};
    g.m = g.n = g.k = 1, g.tile_count = 1, g.tile_rows = &one, g.a = &a, g.w = &w, g.bias = &bias, g.scale = &scale;
    g.layer.low = -128, g.layer.high = 127, g.layer.residual_t = 31;
    erg_gemm_run run{};
    run.watch = -1, run.output = &y;
    ASSERT_EQ(erg_gemm_drive(rtl, 2, 2, &g, &run, &error), ERG_OK) << error.message();
    EXPECT_EQ(y, code);
    const erg_rtl_toggles *t = erg_rtl_toggles_of(rtl);
    ASSERT_TRUE(t);
    EXPECT_EQ(t->weight, static_cast<uint64_t>(code));
    EXPECT_EQ(t->shadow, static_cast<uint64_t>(code));
    EXPECT_EQ(t->activation, static_cast<uint64_t>(2 * code));
    EXPECT_EQ(t->partial_sum, static_cast<uint64_t>(2 * code));
    erg_rtl_close(rtl);
  }
}

// More cases cover more; the lines of rules that the array was not built for are named; a file that cannot be written
// is said.
TEST(Look, Coverage) {
  test::Folder f;
  auto run = [&](int only_case, const char *path, erg_verify_result *result, erg_error *error) {
    erg_arch arch{};
    erg_technology tech{};
    EXPECT_EQ(erg_arch_load("tiny", nullptr, 0, &arch, error), ERG_OK);
    EXPECT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &tech, error), ERG_OK);
    arch.rows = arch.cols = 2;
    erg_point point{};
    point.arch = &arch, point.technology = &tech, point.fusion = ERG_FUSION_EPILOGUE, point.batch = 1, point.seed = 1;
    EXPECT_EQ(erg_precision_parse("int8", &point.precision, error), ERG_OK);
    erg_verify_options options{};
    options.quiet = true, options.cases = 100, options.only_case = only_case, options.coverage = path;
    erg_status status = erg_verify_random(&point, &options, result, error);
    erg_technology_free(&tech);
    erg_arch_free(&arch);
    return status;
  };
  int toggled[2] = {}, points = 0, missed = 0;
  for (int all = 0; all < 2; all++) {
    erg_verify_result r{};
    test::Error error;
    erg_status status = run(all ? -1 : 2, (f / "c.dat").c_str(), &r, &error);
    if (all) EXPECT_EQ(status, ERG_OK) << error.message(); // one case alone says too little for a verdict
    EXPECT_EQ(r.mismatches, 0u);
    ASSERT_EQ(r.coverage_count, 5);
    for (int i = 0; i < r.coverage_count; i++) {
      toggled[all] += r.coverage[i].toggles_hit, points += r.coverage[i].toggles;
      EXPECT_LE(r.coverage[i].toggles_hit, r.coverage[i].toggles);
      if (std::string(r.coverage[i].source) == "ergon_epilogue.sv")
        missed = r.coverage[i].lines - r.coverage[i].lines_hit;
    }
    EXPECT_GT(missed, 0);
    erg_verify_result_free(&r);
  }
  EXPECT_LT(toggled[0], toggled[1]);
  EXPECT_LT(toggled[1], points / 2);
  erg_verify_result r{};
  test::Error error;
  EXPECT_EQ(run(-1, "/no/such/folder/c.dat", &r, &error), ERG_ERR_CREATE);
  EXPECT_NE(error.message().find("--coverage: /no/such/folder/c.dat"), std::string::npos) << error.message();
  erg_verify_result_free(&r);
}
