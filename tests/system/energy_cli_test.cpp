// SPDX-License-Identifier: GPL-3.0-or-later
// explain and price: stored counts times coefficients are the run's joules, to the last bit.
#include "support.hpp"
#include <cmath>
#include <jansson.h>

namespace {

struct Document {
  json_t *json;
  explicit Document(const std::string &text) : json(json_loads(text.c_str(), 0, nullptr)) { EXPECT_TRUE(json); }
  ~Document() { json_decref(json); }
  json_t *at(const char *list, size_t index) const { return json_array_get(json_object_get(json, list), index); }
};

double number(const json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}
double total_of(const json_t *result) {
  return number(json_object_get(json_object_get(result, "totals"), "energy_pj"), "total");
}

} // namespace

TEST(Explain, ItemsSumToTheRunToTheLastBit) {
  test::Folder f;
  const std::string options = " --set tech.sram=lop --set tech.dram=ddr4";
  ASSERT_EQ(
      test::ergon("run resnet18 -q --precision int8,w3a7,fp16 --zeros 0.3 --out '" + f / "r'" + options).exit_code, 0);
  Document stored(test::read_file(f / "r/run.json"));
  test::Output o = test::ergon("explain '" + f / "r' --json" + options);
  ASSERT_EQ(o.exit_code, 0) << o.err;
  Document explained(o.out);
  for (size_t i = 0; i < 3; i++) {
    const json_t *run = stored.at("results", i), *result = explained.at("results", i), *item;
    EXPECT_EQ(number(result, "total_pj"), total_of(run));
    double sum = 0;
    size_t index;
    json_array_foreach(json_object_get(result, "items"), index, item) {
      EXPECT_NEAR(number(item, "count") * number(item, "pj_each") / number(item, "energy_pj"), 1, 1e-12);
      EXPECT_GT(json_array_size(json_object_get(item, "constants")), 0u) << "no price without a source";
      sum += number(item, "energy_pj");
    }
    EXPECT_NEAR(sum / total_of(run), 1, 1e-12);
    EXPECT_LT(number(result, "total_pj_p05"), total_of(run));
    EXPECT_GT(number(result, "total_pj_p95"), total_of(run));
    const json_t *totals = json_object_get(run, "totals");
    EXPECT_EQ(number(totals, "energy_pj_p05"), number(result, "total_pj_p05")) << "the run states the same interval";
  }
  size_t index;
  const json_t *constant;
  json_array_foreach(json_object_get(explained.json, "constants"), index, constant) {
    for (const char *key : {"label", "value", "source", "table", "class"})
      EXPECT_TRUE(json_is_string(json_object_get(constant, key))) << key;
    EXPECT_GE(number(constant, "factor"), 1.15);
  }
  EXPECT_GT(index, 5u);
  // Without the run's --set the constants are others, and that is said.
  test::Output other = test::ergon("explain '" + f / "r'");
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("give the --tech and --set"), std::string::npos) << other.err;
}

TEST(Explain, ACoefficientSaysWhereItComesFrom) {
  test::Output o = test::ergon("explain mac int8");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  for (const char *text : {"0.3 pJ", "Horowitz", "ISSCC 2014", "45 nm", "0.9 V", "confirmed: yes", "derived: yes",
                           "int8 multiply 0.2 + int32 add 0.1"})
    EXPECT_NE(o.out.find(text), std::string::npos) << text;
  EXPECT_EQ(o.out.find("int16"), std::string::npos) << "that one alone";
  test::Output all = test::ergon("explain mac --tech bitfusion-45nm");
  EXPECT_NE(all.out.find("mac int16"), std::string::npos) << "every mac";
  test::Output none = test::ergon("explain mac fp64");
  EXPECT_EQ(none.exit_code, 66);
  EXPECT_NE(none.err.find("coefficients: mac int8"), std::string::npos) << none.err;
  EXPECT_EQ(test::ergon("explain no-such.json").exit_code, 66);
}

// Pricing is apart from counting: the same counts, and the joules that a run under the technology would have.
TEST(Price, IsARunUnderTheOtherTechnologyWithoutTheRun) {
  test::Folder f;
  ASSERT_EQ(test::ergon("run resnet18 -q --precision int8,int4,fp32 --out '" + f / "h'").exit_code, 0);
  ASSERT_EQ(
      test::ergon("run resnet18 -q --precision int8,int4,fp32 --tech bitfusion-45nm --out '" + f / "b'").exit_code, 0);
  Document h(test::read_file(f / "h/run.json")), b(test::read_file(f / "b/run.json"));
  test::Output o = test::ergon("price '" + f / "h/run.json' --tech horowitz-45nm,bitfusion-45nm,jouppi-7nm --json");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  Document priced(o.out);
  for (size_t i = 0; i < 2; i++) {
    for (const char *counts : {"ops", "cycles", "tensor_bits"})
      EXPECT_TRUE(json_equal(json_object_get(json_array_get(json_object_get(h.at("results", i), "layers"), 3), counts),
                             json_object_get(json_array_get(json_object_get(b.at("results", i), "layers"), 3), counts)))
          << counts << " do not depend on the technology";
    const json_t *own = json_object_get(priced.at("results", 3 * i), "energy_pj"),
                 *other = json_object_get(priced.at("results", 3 * i + 1), "energy_pj");
    EXPECT_TRUE(json_equal(own, json_object_get(json_object_get(h.at("results", i), "totals"), "energy_pj")));
    EXPECT_TRUE(json_equal(other, json_object_get(json_object_get(b.at("results", i), "totals"), "energy_pj")));
    EXPECT_TRUE(json_is_null(json_object_get(priced.at("results", 3 * i), "ratio_to_first")));
    EXPECT_NEAR(number(priced.at("results", 3 * i + 1), "ratio_to_first"),
                number(other, "total") / number(own, "total"), 1e-12);
  }
  const json_t *skipped = priced.at("results", 7); // fp32 under bitfusion
  EXPECT_STREQ(json_string_value(json_object_get(skipped, "status")), "skipped");
  EXPECT_TRUE(json_is_null(json_object_get(skipped, "energy_pj")));
}

TEST(Price, SaysWhenAnotherModelVersionCounted) {
  test::Folder f;
  ASSERT_EQ(test::ergon("run resnet18 -q --out '" + f / "r'").exit_code, 0);
  EXPECT_EQ(test::ergon("price '" + f / "r'").err, "");
  std::string text = test::read_file(f / "r/run.json");
  size_t at = text.find("\"model_version\": ");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, text.find(',', at) - at, "\"model_version\": 1");
  test::write_file(f / "old.json", text);
  for (const std::string &line : {"price '" + f / "old.json'", "compare '" + f / "old.json' '" + f / "r'"}) {
    test::Output o = test::ergon(line);
    EXPECT_EQ(o.exit_code, 0) << o.err;
    EXPECT_NE(o.err.find("model version 1"), std::string::npos) << line;
  }
}

TEST(Price, RefusesWhatIsNoRunOfThisVersion) {
  test::Folder f;
  test::write_file(f / "a.json", "{\"schema\": \"ergon.verify\"}");
  test::write_file(f / "b.json", "{\"schema\": \"ergon.run\", \"results\": [{\"workload\": \"x\", \"arch\": \"e\", "
                                 "\"technology\": \"t\", \"precision\": \"int8\", \"fusion\": \"none\", \"model\": "
                                 "\"analytic\", \"status\": \"ok\"}]}");
  test::Output a = test::ergon("price '" + f / "a.json'"), b = test::ergon("price '" + f / "b.json'");
  EXPECT_EQ(a.exit_code, 65);
  EXPECT_NE(a.err.find("allowed: ergon.run"), std::string::npos) << a.err;
  EXPECT_EQ(b.exit_code, 65);
  EXPECT_NE(b.err.find("mac_precision"), std::string::npos) << b.err;
  EXPECT_NE(b.err.find("run again"), std::string::npos) << b.err;
}

TEST(Zeros, GatedMacsAreCountedAndCheaper) {
  test::Output dense = test::ergon("run resnet18 -q --json"),
               sparse = test::ergon("run resnet18 -q --json --zeros 0.5");
  Document d(dense.out), s(sparse.out);
  const json_t *a = json_object_get(d.at("results", 0), "totals"), *b = json_object_get(s.at("results", 0), "totals");
  EXPECT_NEAR(number(b, "gated_macs") / number(b, "macs"), 0.5, 1e-6);
  EXPECT_NEAR(number(json_object_get(b, "energy_pj"), "mac") / number(json_object_get(a, "energy_pj"), "mac"),
              0.5 + 0.5 * 0.0467, 1e-6);
  EXPECT_EQ(number(a, "cycles"), number(b, "cycles")) << "gating saves energy, not time";
  EXPECT_EQ(test::ergon("run resnet18 --zeros 1.5").exit_code, 64);
}

TEST(ListTechs, SaysWhatEachCoversAndWhatNot) {
  test::Output o = test::ergon("list techs");
  EXPECT_EQ(o.exit_code, 0);
  for (const char *text :
       {"does not cover", "int of 2 to 16 bits", "fp8e4m3", "PE leakage", "sram of 128 B to 1024 KiB"})
    EXPECT_NE(o.out.find(text), std::string::npos) << text;
}

// The measured chip: what the numbers identify and what they do not, and a technology that says where it comes from.
TEST(FitCommand, WritesATechnologyThatRunsAndSaysWhatItIs) {
  test::Folder f;
  test::Output o =
      test::ergon("fit eyeriss --json --out '" + f / "t' --name chip --precision int16 --node 65 --pes 168 "
                                                     "--tech horowitz-45nm");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  Document d(o.out);
  const json_t *b = d.at("coefficients", 1);
  EXPECT_STREQ(json_string_value(json_object_get(b, "name")), "b");
  EXPECT_TRUE(json_is_true(json_object_get(b, "held")));
  EXPECT_FALSE(json_is_true(json_object_get(b, "identified")));
  EXPECT_LT(number(b, "free_value"), 0);
  EXPECT_EQ(number(b, "value"), 0);
  test::Output explained = test::ergon("explain mac int16 --tech '" + f / "t/chip.yaml'");
  EXPECT_NE(explained.out.find("fit of eyeriss"), std::string::npos) << explained.err;
  EXPECT_NE(explained.out.find("65 nm"), std::string::npos);
  test::Output run = test::ergon("run resnet18 -q --precision int16 --tech '" + f / "t/chip.yaml'");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out.find("skipped"), std::string::npos) << run.out;
}

TEST(FitCommand, RefusesWithTheReason) {
  test::Folder f;
  test::write_file(f / "few.csv", "name,energy_pj,macs,bytes\na,1,2,3\nb,2,3,4\n");
  test::write_file(f / "same.csv", "name,energy_pj,macs,bytes\na,1,1,2\nb,2,2,4\nc,3,3,6\nd,4,4,8\n");
  test::write_file(f / "nan.csv", "name,energy_pj,macs\na,1,nan\nb,2,3\n");
  test::write_file(f / "negative.csv", "name,energy_pj,macs\na,1,-4\nb,2,3\n");
  EXPECT_EQ(test::ergon("fit '" + f / "few.csv'").exit_code, 65);
  test::Output same = test::ergon("fit '" + f / "same.csv'");
  EXPECT_EQ(same.exit_code, 65);
  EXPECT_NE(same.err.find("cannot be told apart"), std::string::npos);
  test::Output nan = test::ergon("fit '" + f / "nan.csv'");
  EXPECT_EQ(nan.exit_code, 65);
  EXPECT_NE(nan.err.find("nan.csv:2: macs: found 'nan'"), std::string::npos) << nan.err;
  EXPECT_EQ(test::ergon("fit '" + f / "negative.csv'").exit_code, 65);
  EXPECT_EQ(test::ergon("fit eyeriss --terms q").exit_code, 64);
  EXPECT_EQ(test::ergon("fit eyeriss --prior b=8").exit_code, 64);
  EXPECT_EQ(test::ergon("fit eyeriss --prior b=8:-1").exit_code, 64);
  EXPECT_EQ(test::ergon("fit nowhere").exit_code, 66);
  EXPECT_EQ(test::ergon("fit eyeriss --out '" + f / "t'").exit_code, 64) << "P0 without the number of PEs";
}

TEST(Compare, ARunEqualsItsOwnCsvAndAPlantedErrorIsFound) {
  test::Folder f;
  ASSERT_EQ(test::ergon("run resnet18 -q --out '" + f / "r'").exit_code, 0);
  test::Output same = test::ergon("compare '" + f / "r' '" + f / "r/layers.csv' --tolerance 1e-12");
  EXPECT_EQ(same.exit_code, 0) << same.err;
  Document run(test::read_file(f / "r/run.json"));
  const json_t *layers = json_object_get(run.at("results", 0), "layers");
  double conv1 = number(json_array_get(layers, 0), "cycles"), second = number(json_array_get(layers, 1), "cycles");
  const std::string name = json_string_value(json_object_get(json_array_get(layers, 1), "name"));
  char text[256];
  snprintf(text, sizeof text, "layer,cycles\nconv1,%.0f\n%s,%.0f\nghost,3\n", conv1 / 1.1, name.c_str(), second);
  test::write_file(f / "o.csv", text);
  test::Output o = test::ergon("compare '" + f / "r' '" + f / "o.csv' --json");
  EXPECT_EQ(o.exit_code, 1);
  Document d(o.out);
  const json_t *cycles = d.at("quantities", 0);
  EXPECT_EQ(number(cycles, "layers"), 2);
  EXPECT_NEAR(number(cycles, "worst_relative_error"), 0.1, 1e-4);
  EXPECT_NEAR(number(cycles, "mean_relative_error"), 0.05, 1e-4);
  EXPECT_STREQ(json_string_value(json_object_get(cycles, "worst_layer")), "conv1");
  EXPECT_EQ(json_array_size(json_object_get(d.json, "unmatched_other")), 1u);
  EXPECT_EQ(json_array_size(json_object_get(d.json, "unmatched_run")), json_array_size(layers) - 2);
  EXPECT_EQ(test::ergon("compare '" + f / "r' '" + f / "o.csv' --tolerance 0.11").exit_code, 0);
}

TEST(Compare, SaysWhetherTwoEnergiesCanBeToldApart) {
  test::Folder f;
  ASSERT_EQ(test::ergon("run resnet18 -q --precision int8 --out '" + f / "a'").exit_code, 0);
  ASSERT_EQ(test::ergon("run resnet18 -q --precision int8 --out '" +
                        f / "b' --tech jouppi-7nm --set arch.levels.0.bandwidth_bits_per_cycle=128")
                .exit_code,
            0);
  ASSERT_EQ(
      test::ergon("run resnet18 -q --precision int8 --out '" + f / "c' --set tech.memories.0.pj_per_bit=8").exit_code,
      0);
  test::Output same = test::ergon("compare '" + f / "a' '" + f / "a'");
  EXPECT_EQ(same.exit_code, 0);
  EXPECT_NE(same.out.find("1.0000 to 1.0000: not resolved"), std::string::npos) << same.out;
  test::Output b = test::ergon("compare '" + f / "a' '" + f / "b' --tolerance 100");
  EXPECT_EQ(b.out.find("not resolved"), std::string::npos) << b.out;
  test::Output c = test::ergon("compare '" + f / "a' '" + f / "c' --tolerance 100");
  EXPECT_NE(c.out.find("no interval, because"), std::string::npos) << c.out;
}

TEST(Compare, RefusesWhatCannotBeCompared) {
  test::Folder f;
  ASSERT_EQ(test::ergon("run resnet18 -q --out '" + f / "r'").exit_code, 0);
  ASSERT_EQ(test::ergon("run resnet18 -q --precision int8,int4 --out '" + f / "two'").exit_code, 0);
  test::write_file(f / "names.csv", "layer,cycles\nx,1\n");
  test::write_file(f / "twice.csv", "layer,cycles\nconv1,1\nconv1,2\n");
  test::write_file(f / "nothing.csv", "layer,colour\nconv1,1\n");
  test::write_file(f / "negative.csv", "layer,cycles\nconv1,-1\n");
  for (const char *file : {"names.csv", "twice.csv", "nothing.csv", "negative.csv", "two"}) {
    test::Output o = test::ergon("compare '" + f / "r' '" + f / file + "'");
    EXPECT_EQ(o.exit_code, 65) << file << o.err;
  }
}

TEST(Validate, EveryCheckHoldsOrSaysWhyNotAndThePageIsItsOutput) {
  test::Output o = test::ergon("validate --json");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  Document d(o.out);
  size_t index, calibrated = 0, skipped = 0;
  const json_t *check;
  json_array_foreach(json_object_get(d.json, "checks"), index, check) {
    const std::string verdict = json_string_value(json_object_get(check, "verdict"));
    EXPECT_TRUE(verdict == "holds" || verdict == "falls short" || verdict == "skipped") << verdict;
    calibrated += json_is_true(json_object_get(check, "calibrated"));
    if (verdict != "skipped") continue;
    skipped++;
    EXPECT_TRUE(json_is_string(json_object_get(check, "reason")));
    EXPECT_TRUE(json_is_null(json_object_get(check, "measured")));
  }
  EXPECT_GT(index, 15u);
  EXPECT_GT(calibrated, 5u) << "what was fitted to the data of its check says so";
  EXPECT_LE(skipped, 1u);
  EXPECT_EQ(test::ergon("validate --markdown").out, test::read_file(ERGON_TEST_SOURCE_DIR "/docs/accuracy.md"))
      << "stale: ergon validate --markdown > docs/accuracy.md";
}

// The sentence in README.md quotes the page.
TEST(Validate, ReadmeQuotesTheMeasuredNumbers) {
  test::Output o = test::ergon("validate --json");
  Document d(o.out);
  const std::string readme = test::read_file(ERGON_TEST_SOURCE_DIR "/README.md");
  size_t index;
  const json_t *check;
  int quoted = 0;
  json_array_foreach(json_object_get(d.json, "checks"), index, check) {
    const std::string name = json_string_value(json_object_get(check, "name"));
    const bool chip = name.rfind("chip-", 0) == 0;
    if (name != "eyeriss-layers" && name != "transfer-total" && name != "eyeriss-bottom-up" && !chip) continue;
    char text[32];
    snprintf(text, sizeof text, chip ? "%.2g" : "%.3g", std::fabs(number(check, "measured")));
    EXPECT_NE(readme.find(text), std::string::npos) << name << ": README.md does not quote " << text;
    quoted++;
  }
  EXPECT_EQ(quoted, 6);
}

// A recorded shortfall stays visible and fails nothing; the layers add up; half an interval holds too little.
TEST(Validate, TheChipFromEndToEndAndTheCoverageOfIntervals) {
  test::Output o = test::ergon("validate --json");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  Document d(o.out);
  json_t *chip = json_object_get(d.json, "chip"), *coverage = json_object_get(d.json, "coverage");
  ASSERT_EQ(json_array_size(chip), 6u);
  for (const char *key :
       {"time_ms", "measured_time_ms", "offchip_mb", "measured_offchip_mb", "energy_mj", "measured_energy_mj"}) {
    double sum = 0;
    for (size_t i = 0; i < 5; i++) {
      double value = json_real_value(json_object_get(json_array_get(chip, i), key));
      EXPECT_GT(value, 0) << key;
      sum += value;
    }
    EXPECT_NEAR(sum, json_real_value(json_object_get(json_array_get(chip, 5), key)), 1e-9 * sum) << key;
  }
  // Weights (2.33 M) and maps (0.99 M in, 0.65 M out an image) of the five layers, each once, are the least that can
  // move.
  EXPECT_GT(json_real_value(json_object_get(json_array_get(chip, 5), "offchip_mb")), 2 * (2.33 + 4 * 0.65));
  int shortfalls = 0;
  size_t index;
  const json_t *check;
  json_array_foreach(json_object_get(d.json, "checks"), index, check) shortfalls +=
      std::string(json_string_value(json_object_get(check, "verdict"))) == "falls short";
  EXPECT_EQ(shortfalls, 2); // chip-offchip, chip-energy
  auto number = [&](const char *key) { return json_integer_value(json_object_get(coverage, key)); };
  EXPECT_EQ(number("n"), 32); // 18 layers, twice seven sizes
  EXPECT_GE(number("inside"), number("least"));
  EXPECT_LE(number("inside"), number("most"));
  EXPECT_LT(number("inside_half_width"), number("least"));
  EXPECT_GT(json_real_value(json_object_get(coverage, "mean_width")), 1);
}
