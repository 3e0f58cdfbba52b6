// SPDX-License-Identifier: Apache-2.0
// Precision plans: what they hold, and what is refused where.
#include "ergon/precision_plan.h"
#include "support.hpp"

namespace {

const char *const layers[] = {"conv1", "conv2", "fc", nullptr};

struct Plan : erg_precision_plan {
  test::Error error;
  erg_status status;
  explicit Plan(const std::string &text) : erg_precision_plan{} {
    status = erg_precision_plan_parse("p.yaml", text.c_str(), layers, this, &error);
  }
  ~Plan() {
    if (status == ERG_OK) erg_precision_plan_free(this);
  }
  bool says(const std::string &what) const { return error.message().find(what) != std::string::npos; }
};

} // namespace

TEST(PrecisionPlan, IsRead) {
  Plan p("name: x\nhelp: y\ndefault: int8\nlayers:\n  fc: w4a6\n  conv1: w16a16p40\n");
  ASSERT_EQ(p.status, ERG_OK) << p.error.message();
  EXPECT_STREQ(p.name, "x");
  EXPECT_STREQ(p.help, "y");
  EXPECT_EQ(p.fallback.precision.weight_bits, 8);
  ASSERT_EQ(p.count, 2);
  EXPECT_STREQ(p.entries[0].layer, "fc");
  EXPECT_EQ(p.entries[0].precision.weight_bits, 4);
  EXPECT_EQ(p.entries[0].precision.activation_bits, 6);
  EXPECT_FALSE(p.entries[0].accumulator_stated);
  EXPECT_EQ(p.entries[0].position.line, 5);
  EXPECT_EQ(p.entries[0].position.column, 7);
  EXPECT_TRUE(p.entries[1].accumulator_stated);
  EXPECT_EQ(p.entries[1].precision.accumulator_bits, 40);
  EXPECT_EQ(std::string(p.sha256).size(), 64u);
}

TEST(PrecisionPlan, NeedsNoLayers) {
  Plan p("name: x\ndefault: w4a8\n"), q("name: x\ndefault: w4a8\nlayers: {}\n");
  EXPECT_EQ(p.status, ERG_OK) << p.error.message();
  EXPECT_EQ(q.status, ERG_OK) << q.error.message();
  EXPECT_EQ(q.count, 0);
  EXPECT_STRNE(p.sha256, q.sha256);
}

TEST(PrecisionPlan, TellsAllFaultsAtOnceWithTheirPlaces) {
  Plan p("name: x\ndefault: w8a8o4\nlayers:\n  conv3: int8\n  conv1: bf16\n  conv2: 8\n  fc: w17a8\n  conv1: int8\n");
  EXPECT_EQ(p.status, ERG_ERR_DATA);
  EXPECT_TRUE(p.says("p.yaml:2:10: default: found w8a8o4")) << p.error.message();
  EXPECT_TRUE(p.says("p.yaml:4:3: layers.conv3: unknown key (did you mean conv1?)")) << p.error.message();
  EXPECT_TRUE(p.says("p.yaml:5:10: layers.conv1: found bf16; allowed in a plan: integers")) << p.error.message();
  EXPECT_TRUE(p.says("p.yaml:6:10: layers.conv2: precision: found '8'")) << p.error.message();
  EXPECT_TRUE(p.says("p.yaml:7:7: layers.fc: precision: found 'w17a8': weight width out of range"))
      << p.error.message();
  EXPECT_TRUE(p.says("p.yaml:8:3: layers.conv1: found twice, first on line 5")) << p.error.message();
}

TEST(PrecisionPlan, RefusesWhatIsNoPlan) {
  for (const char *text :
       {"", "- 1\n", "name: x\n", "default: int8\n", "name: x\ndefault: [int8]\n",
        "name: x\ndefault: int8\nlayers: [conv1]\n", "name: x\ndefault: int8\nlayers: {conv1: {w: 4}}\n",
        "name: x\ndefault: int8\nlayers: {conv1: }\n", "name: x\ndefault: int8\nlayer: {conv1: int8}\n",
        "name: x\ndefault: fp32\n", "name: x\ndefault: int8\nlayers: {conv1: w1a8}\n"}) {
    Plan p(text);
    EXPECT_EQ(p.status, ERG_ERR_DATA) << text;
    EXPECT_FALSE(p.error.message().empty());
  }
}

TEST(PrecisionPlan, IsToldFromAPrecisionByItsEnding) {
  EXPECT_TRUE(erg_precision_is_plan("a/b.yaml"));
  EXPECT_TRUE(erg_precision_is_plan("b.yml"));
  for (const char *word : {"int8", "w4a8p24o8", ".yaml", "", "yaml", "b.yaml.gz"})
    EXPECT_FALSE(erg_precision_is_plan(word)) << word;
}
