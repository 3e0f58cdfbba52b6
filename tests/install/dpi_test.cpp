// SPDX-License-Identifier: GPL-3.0-or-later
// The DPI package as installed, under Verilator: by hand-worked values, in its example testbench, and on vectors.
#include "prefix.hpp"

namespace {

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

#define SKIP_WHEN_SANITIZED()                                                                                          \
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
  test::Output o = prefix.run(test::printed("run dot").at(0));
  EXPECT_EQ(o.exit_code, 0) << o.out << o.err;
  EXPECT_TRUE(has(o.out, "PASS: 2000 results compared")) << o.out;
}

TEST(Dpi, ADeliberateErrorIsReported) {
  SKIP_WHEN_SANITIZED();
  test::Prefix prefix;
  test::Output o = prefix.run(test::printed("run dot").at(1));
  EXPECT_EQ(o.exit_code, 1) << o.out << o.err;
  EXPECT_TRUE(has(o.out, ": expected ") && has(o.out, ", got ") && has(o.out, " of 2000 results differ")) << o.out;
  EXPECT_FALSE(has(o.out, "PASS"));
}

TEST(Dpi, VectorsAreReadWithReadmemh) {
  SKIP_WHEN_SANITIZED();
  test::Prefix prefix;
  std::vector<std::string> lines = test::printed(" vectors ");
  ASSERT_EQ(lines.size(), 3u);
  for (const std::string &line : lines) { // the document, as printed
    test::Output o = prefix.run(line);
    EXPECT_EQ(o.exit_code, 0) << line << "\n" << o.out << o.err;
    EXPECT_EQ(has(o.out, "PASS: 802816 outputs and accumulators as in conv1"), &line == &lines[2]) << o.out;
  }
}

TEST(Dpi, AWrongVectorIsNoticed) {
  SKIP_WHEN_SANITIZED();
  test::Prefix prefix;
  std::string folders;
  for (const char *name : {"expected", "accumulator"}) {
    std::string folder = prefix / name, file = folder + "/" + name + ".hex";
    ASSERT_EQ(test::ergon("vectors --random --seed 3 --precision w5a7 --out '" + folder + "'").exit_code, 0);
    std::string text = test::read_file(file);
    char &last = text[text.find('\n') - 1]; // of element 0
    last = last == '1' ? '0' : '1';
    test::write_file(file, text);
    folders += " '" + folder + "'";
  }
  test::Output o = bench(prefix, "vectors" + folders);
  EXPECT_EQ(o.exit_code, 1) << o.err;
  EXPECT_FALSE(has(o.out, "PASS"));
  size_t first = o.out.find("FAIL: element 0: expected ");
  ASSERT_NE(first, std::string::npos) << o.out;
  EXPECT_NE(o.out.find("FAIL: element 0: expected ", first + 1), std::string::npos) << o.out;
  o = bench(prefix, "vectors /nonexistent");
  EXPECT_EQ(o.exit_code, 1);
  EXPECT_TRUE(has(o.out, "FAIL: the simulation of /nonexistent broke off")) << o.out;
}
