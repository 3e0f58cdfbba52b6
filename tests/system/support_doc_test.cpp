// SPDX-License-Identifier: GPL-3.0-or-later
// docs/support.md is what `ergon list support` prints, and a cell that says no has a reason.
#include "support.hpp"
#include <regex>
#include <set>

TEST(Support, ThePageIsWhatTheProgramPrints) {
  test::Output o = test::ergon("list support");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_EQ(o.out, test::read_file(ERGON_TEST_SOURCE_DIR "/docs/support.md"))
      << "docs/support.md is stale: build/dev/bin/ergon list support > docs/support.md";
}

TEST(Support, EveryKernelHasIntegersOrSaysWhyNot) {
  std::set<std::string> names;
  int refused = 0;
  ERG_EACH(erg_kernel, item) {
    const erg_kernel *kernel = *item;
    EXPECT_TRUE(names.insert(kernel->name).second) << kernel->name << " twice";
    int there = 0;
    for (int f = ERG_FORMAT_INT; f < ERG_FORMAT_COUNT; f++) {
      test::Error error;
      erg_status status = kernel->attempt(static_cast<erg_format>(f), &error);
      ASSERT_TRUE(status == ERG_OK || status == ERG_ERR_UNSUPPORTED) << kernel->name << ": " << error.message();
      there += status == ERG_OK;
      if (status == ERG_OK) continue;
      refused++;
      EXPECT_NE(error.message().find(kernel->name), std::string::npos) << error.message();
      if (f != ERG_FORMAT_INT)
        EXPECT_NE(error.message().find(erg_format_name(static_cast<erg_format>(f))), std::string::npos)
            << error.message();
    }
    EXPECT_GT(there, 0) << kernel->name;
  }
  EXPECT_GT(names.size(), 15u);
  EXPECT_GT(refused, 0);
}

// What the table says of a format, asked of the program and of the format.
TEST(Support, ListFormatsGivesTheRangeOfEach) {
  test::Output o = test::ergon("list formats");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  std::string flat = std::regex_replace(o.out, std::regex(" +"), " ");
  for (const char *line :
       {"fp32 32 8 23 3.40282347e+38 1.17549435e-38", "fp16 16 5 10 65504 6.10351562e-05",
        "bf16 16 8 7 3.38953139e+38 1.17549435e-38", "fp8e4m3 8 4 3 448 0.015625 0.001953125 2^-3 NaN",
        "fp8e5m2 8 5 2 57344 6.10351562e-05 1.52587891e-05 2^-2 infinity"})
    EXPECT_NE(flat.find(line), std::string::npos) << line << "\n" << o.out;
}
