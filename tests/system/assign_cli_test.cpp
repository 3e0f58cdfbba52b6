// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon sens` and `ergon assign` from training to the run of the plan.
#include "support.hpp"
#include <jansson.h>

namespace {

struct Trained : test::Folder {
  std::string line;
  Trained() {
    test::Output o = test::ergon("train shapes-cnn --data shapes -q --epochs 2 --examples 400 --out '" +
                                 (*this / "w.safetensors") + "'");
    EXPECT_EQ(o.exit_code, 0) << o.err;
    line = " shapes-cnn --data shapes --examples 60 --set arch.mac=scalable --bits 3,4,8 --weights '" +
           (*this / "w.safetensors") + "'";
  }
};

json_t *parse(const std::string &text) {
  json_error_t fault;
  json_t *json = json_loads(text.c_str(), 0, &fault);
  EXPECT_TRUE(json) << fault.text;
  return json;
}

} // namespace

TEST(AssignCli, ThePlanIsWhatTheRunCosts) {
  Trained t;
  test::Output o = test::ergon("assign" + t.line + " --energy-budget 80% --json --out '" + (t / "plan.yaml") + "'");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  json_t *json = parse(o.out);
  const double budget = json_number_value(json_object_get(json_object_get(json, "budget"), "value"));
  const double pj = json_number_value(json_object_get(json, "run_pj"));
  EXPECT_LE(pj, budget * (1 + 1e-12));
  EXPECT_NEAR(pj / json_number_value(json_object_get(json, "energy_pj")), 1, 1e-12);
  test::Output run =
      test::ergon("run shapes-cnn --set arch.mac=scalable --json --precision int8,'" + (t / "plan.yaml") + "'");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  json_t *results = parse(run.out), *list = json_object_get(results, "results");
  auto total = [&](size_t i) {
    return json_number_value(
        json_object_get(json_object_get(json_object_get(json_array_get(list, i), "totals"), "energy_pj"), "total"));
  };
  EXPECT_EQ(total(1), pj) << "to the last bit";
  EXPECT_NEAR(total(0) * 0.8 / budget, 1, 1e-12) << "a share of the widest width's";
  json_decref(results);
  json_decref(json);
  test::Output eval = test::ergon("eval shapes-cnn --data shapes --examples 20 --weights '" + (t / "w.safetensors") +
                                  "' --precision '" + (t / "plan.yaml") + "'");
  EXPECT_EQ(eval.exit_code, 0) << eval.err;
  EXPECT_NE(eval.out.find("assigned"), std::string::npos) << eval.out;
}

TEST(AssignCli, SaysTheSpreadFirstAndWhatIsWrong) {
  Trained t;
  test::Output o = test::ergon("sens" + t.line + " --probes 2");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  const size_t spread = o.out.find("Sensitivity per joule at 4 bits");
  EXPECT_NE(spread, std::string::npos) << o.out;
  EXPECT_LT(spread, o.out.find("3 bits"));
  for (const char *part : {"quad", "hutchinson", "trace", "fisher", "norm", "scan", "|g delta|"})
    EXPECT_NE(o.out.find(part), std::string::npos) << part;
  EXPECT_EQ(test::ergon("assign" + t.line).exit_code, 64) << "no budget";
  EXPECT_EQ(test::ergon("assign" + t.line + " --energy-budget 80% --loss-budget 1").exit_code, 64);
  EXPECT_EQ(test::ergon("assign" + t.line + " --energy-budget 80% --fusion depth").exit_code, 1)
      << "skipped, because it does not add up";
  test::Output poor = test::ergon("assign" + t.line + " --energy-budget 1%");
  EXPECT_EQ(poor.exit_code, 65);
  EXPECT_NE(poor.err.find("the nearest budget that one keeps is "), std::string::npos) << poor.err;
}
