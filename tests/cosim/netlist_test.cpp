// SPDX-License-Identifier: GPL-3.0-or-later
// Synthesis reads the modules as simulation does: what yosys makes of them passes the same golden bench. A style that
// synthesizes to a silently wrong netlist would show here.
#include "drive.hpp"

namespace {

// Runs `passes` of yosys over the modules at a size and puts the netlist in place of the sources.
void check(int size, int depth, const std::string &passes, uint64_t seed) {
  if (test::shell("yosys -V").exit_code != 0)
    GTEST_SKIP() << "skipped, because yosys is not installed (scripts/packages-test.txt)";
  test::Folder folder;
  std::string rtl = std::string(ERGON_TEST_SOURCE_DIR) + "/rtl/", files;
  for (const char *name :
       {"ergon_pkg", "ergon_sequencer", "ergon_array", "ergon_accumulator", "ergon_epilogue", "ergon_top"})
    files += " " + rtl + name + ".sv";
  std::string extent = std::to_string(size);
  test::Output yosys = test::shell("yosys -q -p 'read_verilog -sv" + files + "; chparam -set ROWS " + extent +
                                   " -set COLS " + extent + " -set ACC_DEPTH " + std::to_string(depth) +
                                   " ergon_top; " + passes + "; write_verilog -noattr " + folder / "ergon_top.v" + "'");
  ASSERT_EQ(yosys.exit_code, 0) << yosys.err;
  setenv("ERGON_RTL_SOURCES", folder.path.c_str(), 1);
  drive::Array array(size, size, depth);
  unsetenv("ERGON_RTL_SOURCES");
  ASSERT_TRUE(array.rtl);
  test::Random random(seed);
  for (int round = 0; round < 30; round++) {
    drive::Problem p = drive::random_problem(random, size, size, depth);
    drive::Outcome o = drive::run(array.rtl, p);
    ASSERT_EQ(o.out, drive::expected(p)) << "seed " << seed << ", round " << round;
    ASSERT_EQ(o.cycles, o.formula) << "seed " << seed << ", round " << round;
  }
}

} // namespace

// As elaborated: registers, memories and word-wide operators.
TEST(Netlist, ElaboratedPassesTheGoldenBench) {
  check(4, 16, "hierarchy -top ergon_top; proc; flatten; opt; memory -nomap; opt_clean", 91);
}

// As gates: 2 x 2, since Verilator's code for gates grows to megabytes.
TEST(Netlist, GatesPassTheGoldenBench) {
  check(2, 4, "synth -flatten -top ergon_top", 92);
}
