// SPDX-License-Identifier: GPL-3.0-or-later
// Synthesis reads the modules as simulation does. A style that synthesizes to a silently wrong netlist would show here.
#include "drive.hpp"
#include "width_check.hpp"

namespace {

const char *const modules[] = {"ergon_pkg",         "ergon_sequencer", "ergon_array",
                               "ergon_accumulator", "ergon_epilogue",  "ergon_top"};

std::string sources() {
  std::string files;
  for (const char *name : modules) files += std::string(" " ERGON_TEST_SOURCE_DIR "/rtl/") + name + ".sv";
  return files;
}

// What `passes` of yosys make of the modules, written to `path`.
void synthesize(int size, int depth, const std::string &passes, const std::string &path) {
  std::string extent = std::to_string(size);
  test::Output yosys = test::shell("yosys -q -p 'read_verilog -sv" + sources() + "; chparam -set ROWS " + extent +
                                   " -set COLS " + extent + " -set ACC_DEPTH " + std::to_string(depth) +
                                   " ergon_top; " + passes + "; write_verilog -noattr " + path + "'");
  ASSERT_EQ(yosys.exit_code, 0) << yosys.err;
}

bool missing(const char *command) {
  return test::shell(command).exit_code != 0;
}

} // namespace

// As elaborated (registers, memories, word-wide operators), under the golden bench.
TEST(Netlist, ElaboratedPassesTheGoldenBench) {
  if (missing("yosys -V")) GTEST_SKIP() << "skipped, because yosys is not installed (scripts/packages-test.txt)";
  test::Folder folder;
  synthesize(4, 16, "hierarchy -top ergon_top; proc; flatten; opt; memory -nomap; opt_clean", folder / "ergon_top.v");
  setenv("ERGON_RTL_SOURCES", folder.path.c_str(), 1);
  drive::Array array(4, 4, 16);
  unsetenv("ERGON_RTL_SOURCES");
  ASSERT_TRUE(array.rtl);
  test::Random random(91);
  for (int round = 0; round < 30; round++) {
    drive::Problem p = drive::random_problem(random, 4, 4, 16);
    drive::Outcome o = drive::run(array.rtl, p);
    ASSERT_EQ(o.out, drive::expected(p)) << "seed 91, round " << round;
    ASSERT_EQ(o.cycles, o.formula) << "seed 91, round " << round;
  }
}

// As gates, beside the sources in Icarus: Verilator 5.006 evaluates netlists of single gates wrongly (it warns of
// circular logic between bits of one vector), so it cannot judge them. The wrong sources must be told apart.
TEST(Netlist, GatesFollowTheSourcesCycleByCycle) {
  if (missing("yosys -V") || missing("iverilog -V"))
    GTEST_SKIP() << "skipped, because yosys or iverilog is not installed (scripts/packages-test.txt)";
  test::Folder folder;
  synthesize(2, 8, "synth -flatten -top ergon_top; rename -top ergon_gates", folder / "gates.v");
  for (bool wrong : {false, true}) {
    std::string program = folder / (wrong ? "wrong" : "right");
    test::Output built =
        test::shell(std::string("iverilog -g2012 ") + (wrong ? "-DERGON_MUTANT_SKEW " : "") + "-o " + program +
                    sources() + " " + folder / "gates.v" + " " ERGON_TEST_SOURCE_DIR "/tests/cosim/lockstep_tb.sv");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    int rows = 0, differing = -1;
    std::string text = test::shell(program).out;
    std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
    ASSERT_EQ(sscanf(last.c_str(), "%d output rows compared, %d cycles differ", &rows, &differing), 2) << text;
    EXPECT_GT(rows, 1000);
    if (wrong)
      EXPECT_GT(differing, 100);
    else
      EXPECT_EQ(differing, 0) << text;
  }
}

// The scalable array as elaborated, in three of its modes.
TEST(Netlist, Scalable) {
  if (missing("yosys -V")) GTEST_SKIP() << "skipped, because yosys is not installed (scripts/packages-test.txt)";
  test::Folder folder;
  std::string files;
  for (const char *name : {"ergon_pkg", "ergon_sequencer", "ergon_array_scalable", "ergon_accumulator",
                           "ergon_epilogue", "ergon_top_scalable"})
    files += std::string(" " ERGON_TEST_SOURCE_DIR "/rtl/") + name + ".sv";
  test::Output yosys = test::shell("yosys -q -p 'read_verilog -sv" + files +
                                   "; chparam -set ROWS 3 -set COLS 3 -set ACC_DEPTH 16 ergon_top_scalable; hierarchy "
                                   "-top ergon_top_scalable; proc; flatten; opt; memory -nomap; opt_clean; "
                                   "write_verilog -noattr " +
                                   (folder / "ergon_top_scalable.v") + "'");
  ASSERT_EQ(yosys.exit_code, 0) << yosys.err;
  setenv("ERGON_RTL_SOURCES", folder.path.c_str(), 1);
  width::Total total;
  for (const char *precision : {"int8", "w2a4o8", "w4a4o8"})
    width::check(precision, 3, 3, 16, 60, 93, total, ERG_DATAFLOW_WS, ERG_MAC_SCALABLE);
  unsetenv("ERGON_RTL_SOURCES");
}

// The output-stationary array: as elaborated under random cases against the golden kernel, as gates beside its sources.
TEST(Netlist, OutputStationary) {
  if (missing("yosys -V") || missing("iverilog -V"))
    GTEST_SKIP() << "skipped, because yosys or iverilog is not installed (scripts/packages-test.txt)";
  test::Folder folder;
  std::string files;
  for (const char *name : {"ergon_pkg", "ergon_sequencer_os", "ergon_array_os", "ergon_epilogue", "ergon_top_os"})
    files += std::string(" " ERGON_TEST_SOURCE_DIR "/rtl/") + name + ".sv";
  auto synthesized = [&](const char *size, const char *passes, const std::string &path) {
    test::Output yosys =
        test::shell("yosys -q -p 'read_verilog -sv" + files + "; chparam -set ROWS " + size + " -set COLS " + size +
                    " ergon_top_os; " + passes + "; write_verilog -noattr " + path + "'");
    EXPECT_EQ(yosys.exit_code, 0) << yosys.err;
  };
  synthesized("4", "hierarchy -top ergon_top_os; proc; flatten; opt; memory -nomap; opt_clean",
              folder / "ergon_top_os.v");
  setenv("ERGON_RTL_SOURCES", folder.path.c_str(), 1);
  width::Total total;
  width::check("int8", 4, 4, 16, 100, 92, total, ERG_DATAFLOW_OS);
  unsetenv("ERGON_RTL_SOURCES");
  synthesized("2", "synth -flatten -top ergon_top_os; rename -top ergon_gates", folder / "gates.v");
  for (bool wrong : {false, true}) {
    std::string program = folder / (wrong ? "wrong" : "right");
    test::Output built =
        test::shell(std::string("iverilog -g2012 ") + (wrong ? "-DERGON_MUTANT_SKEW " : "") + "-o " + program + files +
                    " " + folder / "gates.v" + " " ERGON_TEST_SOURCE_DIR "/tests/cosim/os_lockstep_tb.sv");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    int rows = 0, differing = -1;
    std::string text = test::shell(program).out;
    std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
    ASSERT_EQ(sscanf(last.c_str(), "%d output rows compared, %d cycles differ", &rows, &differing), 2) << text;
    EXPECT_GT(rows, 500);
    if (wrong)
      EXPECT_GT(differing, 100);
    else
      EXPECT_EQ(differing, 0) << text;
  }
}

// The modules of the dynamic norms, all in one bench, as gates beside their sources.
TEST(Netlist, NormGatesFollowTheSourcesCycleByCycle) {
  if (missing("yosys -V") || missing("iverilog -V"))
    GTEST_SKIP() << "skipped, because yosys or iverilog is not installed (scripts/packages-test.txt)";
  test::Folder folder;
  std::string files;
  for (const char *name : {"rtl/ergon_pkg", "rtl/ergon_norm_gather", "rtl/ergon_norm_scale", "rtl/ergon_norm",
                           "rtl/ergon_gate", "rtl/ergon_norm_unit"})
    files += std::string(" " ERGON_TEST_SOURCE_DIR "/") + name + ".sv";
  test::Output yosys =
      test::shell("yosys -q -p 'read_verilog -sv" + files +
                  "; chparam -set COLS 2 -set CODE_BITS 4 -set COUNT_BITS 4 -set DEPTH 4 ergon_norm_unit; "
                  "synth -flatten -top ergon_norm_unit; check -assert; rename -top norm_gates; "
                  "write_verilog -noattr " +
                  (folder / "gates.v") + "'");
  ASSERT_EQ(yosys.exit_code, 0) << yosys.err;
  for (bool wrong : {false, true}) {
    std::string program = folder / (wrong ? "wrong" : "right");
    test::Output built =
        test::shell(std::string("iverilog -g2012 ") + (wrong ? "-DERGON_MUTANT_ROUNDING " : "") + "-o " + program +
                    files + " " + folder / "gates.v" + " " ERGON_TEST_SOURCE_DIR "/tests/cosim/norm_lockstep_tb.sv");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    int rows = 0, roots = 0, sums = 0, differing = -1;
    std::string text = test::shell(program).out;
    ASSERT_EQ(
        sscanf(text.c_str(), "%d rows, %d roots, %d sums compared, %d cycles differ", &rows, &roots, &sums, &differing),
        4)
        << text;
    EXPECT_GT(rows, 1000);
    EXPECT_GT(roots, 10);
    EXPECT_GT(sums, 1000);
    if (wrong)
      EXPECT_GT(differing, 10);
    else
      EXPECT_EQ(differing, 0);
  }
}
