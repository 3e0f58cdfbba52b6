// SPDX-License-Identifier: GPL-3.0-or-later
// Synthesis reads the modules as simulation does: the netlist that yosys makes of a 4 x 4 array passes the same golden
// bench. A style that synthesizes to a silently wrong netlist would show here.
#include "drive.hpp"

TEST(Netlist, PassesTheGoldenBench) {
  if (test::shell("yosys -V").exit_code != 0)
    GTEST_SKIP() << "skipped, because yosys is not installed (scripts/packages-test.txt)";
  test::Folder folder;
  std::string rtl = std::string(ERGON_TEST_SOURCE_DIR) + "/rtl/", files;
  for (const char *name :
       {"ergon_pkg", "ergon_sequencer", "ergon_array", "ergon_accumulator", "ergon_epilogue", "ergon_top"})
    files += " " + rtl + name + ".sv";
  test::Output yosys = test::shell("yosys -q -p 'read_verilog -sv" + files +
                                   "; chparam -set ROWS 4 -set COLS 4 -set ACC_DEPTH 16 ergon_top; "
                                   "synth -flatten -top ergon_top; write_verilog -noattr " +
                                   folder / "ergon_top.v" + "'");
  ASSERT_EQ(yosys.exit_code, 0) << yosys.err;
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
