// SPDX-License-Identifier: GPL-3.0-or-later
// The DPI package as installed, under Verilator: by hand-worked values, in its example testbench, and on vectors.
#include "prefix.hpp"

namespace {

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

#define SKIP_WHEN_SANITIZED() \
  if (ERGON_TEST_SANITIZED) GTEST_SKIP() << "a simulator without sanitizers cannot load libraries that have them"

test::Output bench(const test::Prefix &prefix, const std::string &arguments) {
  return prefix.run("'" + prefix / "share/ergon/examples/dpi/run" + "' " + arguments);
}

} // namespace

TEST(Dpi, EveryFunctionByHand) {
  SKIP_WHEN_SANITIZED();
  test::Prefix prefix;
  test::Output o = bench(prefix, "'" ERGON_TEST_SOURCE_DIR "/tests/install/package_tb.sv'");
  EXPECT_EQ(o.exit_code, 0) << o.out << o.err;
  EXPECT_TRUE(has(o.out, "PASS: 31 values")) << o.out;
}

TEST(Dpi, TheDotUnitAgrees) {
  SKIP_WHEN_SANITIZED();
  test::Prefix prefix;
  test::Output o = bench(prefix, "dot");
  EXPECT_EQ(o.exit_code, 0) << o.out << o.err;
  EXPECT_TRUE(has(o.out, "PASS: 2000 results compared")) << o.out;
}

TEST(Dpi, ADeliberateErrorIsReported) {
  SKIP_WHEN_SANITIZED();
  test::Prefix prefix;
  test::Output o = bench(prefix, "dot -DDOT_UNIT_BUG");
  EXPECT_EQ(o.exit_code, 1) << o.out << o.err;
  EXPECT_TRUE(has(o.out, ": expected ") && has(o.out, ", got ") && has(o.out, " of 2000 results differ")) << o.out;
  EXPECT_FALSE(has(o.out, "PASS"));
}

TEST(Dpi, VectorsAreReadWithReadmemh) {
  SKIP_WHEN_SANITIZED();
  test::Prefix prefix;
  ASSERT_EQ(test::ergon("vectors --random --seed 3 --precision w5a7 --out '" + prefix / "v" + "'").exit_code, 0);
  test::Output o = bench(prefix, "vectors '" + prefix / "v" + "'");
  EXPECT_EQ(o.exit_code, 0) << o.out << o.err;
  EXPECT_TRUE(has(o.out, "PASS: ") && has(o.out, " outputs and accumulators as in ")) << o.out;
  // One expected code of another value must be noticed.
  std::string expected = test::read_file(prefix / "v/expected.hex");
  expected[1] = expected[1] == '1' ? '2' : '1';
  test::write_file(prefix / "v/expected.hex", expected);
  o = bench(prefix, "vectors '" + prefix / "v" + "'");
  EXPECT_EQ(o.exit_code, 1);
  EXPECT_TRUE(has(o.out, "FAIL: element 0: expected ")) << o.out;
}
