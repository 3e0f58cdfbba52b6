// SPDX-License-Identifier: GPL-3.0-or-later
// The array alone: every output bit, every cycle, over random shapes, corner values, ties and random input gaps; and
// each deliberate fault is caught.
#include "drive.hpp"

namespace {

void agree(int rows, int cols, int depth, uint64_t seed, int rounds) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  drive::Array array(rows, cols, depth);
  ASSERT_TRUE(array.rtl);
  EXPECT_EQ(erg_rtl_epilogue_depth(array.rtl), ERG_EPILOGUE_DEPTH);
  test::Random random(seed);
  for (int round = 0; round < rounds; round++) {
    drive::Problem p = drive::random_problem(random, rows, cols, depth);
    drive::Outcome o = drive::run(array.rtl, p);
    ASSERT_FALSE(o.hung) << "round " << round;
    ASSERT_EQ(o.out, drive::expected(p)) << "round " << round;
    ASSERT_EQ(o.cycles, o.formula) << "round " << round;
    ASSERT_EQ(o.gaps, 0u);
    drive::Outcome g = drive::run(array.rtl, p, 0.3, seed + static_cast<uint64_t>(round));
    ASSERT_EQ(g.out, o.out) << "with gaps, round " << round;
    ASSERT_EQ(g.gaps, g.withheld) << "every withheld operand freezes the array for one cycle, round " << round;
    ASSERT_EQ(g.cycles, g.formula + g.gaps) << "round " << round;
  }
}

// What a mutant does wrong over many problems.
struct Verdict {
  int wrong_bits = 0, wrong_cycles = 0, hung = 0;
};

Verdict judge(const char *mutant) {
  drive::Array array(4, 4, 16, mutant);
  test::Random random(82);
  Verdict v;
  for (int round = 0; round < 60; round++) {
    drive::Problem p = drive::random_problem(random, 4, 4, 16);
    drive::Outcome o = drive::run(array.rtl, p);
    v.hung += o.hung;
    v.wrong_bits += o.out != drive::expected(p);
    v.wrong_cycles += o.cycles != o.formula;
  }
  return v;
}

} // namespace

TEST(RtlArray, Square) {
  agree(4, 4, 16, 81, 250);
}
TEST(RtlArray, Oblong) {
  agree(3, 5, 9, 83, 150);
}
TEST(RtlArray, TwoRows) {
  agree(2, 2, 4, 84, 150);
} // the shortest distance between a sum's write and its next read

TEST(RtlArray, TheHandWorkedFolds) { // docs/model.md: M = 1, 7, 2 on 4 x 4
  drive::Array array(4, 4, 16);
  test::Random random(85);
  drive::Problem p = drive::random_problem(random, 4, 4, 16);
  p.n = 4;
  p.k = 4;
  p.tiles = {1, 7, 2};
  p.a.assign(10 * 4, 3), p.w.assign(16, 2), p.res.assign(40, 1), p.bias.assign(4, 5), p.m.assign(4, 1 << 30),
      p.t.assign(4, 33);
  drive::Outcome o = drive::run(array.rtl, p);
  EXPECT_EQ(o.cycles, 28u);
  EXPECT_EQ(o.out, drive::expected(p));
  erg_arch arch{};
  arch.rows = arch.cols = 4;
  const int m_rows[] = {1, 7, 2};
  EXPECT_EQ(erg_fold_cycles(&arch, m_rows, 3), 28u);
  EXPECT_EQ(erg_systemc_fold_cycles(&arch, ERG_DATAFLOW_WS, m_rows, 3), 28u);
}

TEST(RtlArray, MutantsAreCaughtByBits) {
  for (const char *mutant : {"ROUNDING", "SKEW", "CLAMP", "WEIGHT_ORDER"}) {
    Verdict v = judge(mutant);
    EXPECT_GT(v.wrong_bits, 5) << mutant;
    EXPECT_EQ(v.wrong_cycles, 0) << mutant;
  }
}

TEST(RtlArray, AnExtraRegisterIsCaughtByCyclesAlone) {
  Verdict v = judge("EXTRA_REGISTER");
  EXPECT_EQ(v.wrong_bits, 0);
  EXPECT_EQ(v.wrong_cycles, 60);
}

TEST(RtlArray, AnArrayThatDoesNotFreezeIsCaughtByGapsAlone) {
  Verdict v = judge("FREEZE");
  EXPECT_EQ(v.wrong_bits + v.wrong_cycles + v.hung, 0) << "given everything in time, it is right";
  drive::Array array(4, 4, 16, "FREEZE");
  test::Random random(86);
  int wrong_gaps = 0, wrong_bits = 0;
  for (int round = 0; round < 40; round++) {
    drive::Problem p = drive::random_problem(random, 4, 4, 16);
    drive::Outcome o = drive::run(array.rtl, p, 0.3, static_cast<uint64_t>(round));
    wrong_gaps += o.hung || o.gaps != o.withheld;
    wrong_bits += o.hung || o.out != drive::expected(p);
  }
  EXPECT_GT(wrong_gaps, 20);
  EXPECT_GT(wrong_bits, 20);
}

TEST(RtlOpen, RefusesIllegalSizes) {
  for (auto change :
       {+[](erg_rtl_config *c) { c->rows = 1; }, +[](erg_rtl_config *c) { c->cols = 65; },
        +[](erg_rtl_config *c) { c->weight_bits = 17; }, +[](erg_rtl_config *c) { c->accumulator_bits = 49; },
        +[](erg_rtl_config *c) { c->output_bits = 17; }, +[](erg_rtl_config *c) { c->accumulator_depth = 0; }}) {
    erg_rtl_config config{4, 4, 8, 8, 32, 16, nullptr};
    change(&config);
    erg_rtl *rtl = nullptr;
    test::Error error;
    EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_ERR_CONFIG);
    EXPECT_NE(error.message().find("allowed"), std::string::npos);
    EXPECT_EQ(rtl, nullptr);
  }
}

TEST(RtlOpen, MissingToolsAreNamed) {
  std::string path = getenv("PATH");
  erg_rtl_config config{5, 7, 8, 8, 32, 16, nullptr};
  erg_rtl *rtl = nullptr;
  test::Error verilator, compiler, cache;
  setenv("PATH", "/nonexistent", 1);
  EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &verilator), ERG_ERR_TOOL);
  setenv("PATH", path.c_str(), 1);
  EXPECT_NE(verilator.message().find("verilator is not installed"), std::string::npos);
  setenv("CXX", "no-such-compiler", 1);
  EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &compiler), ERG_ERR_TOOL);
  EXPECT_NE(compiler.message().find("no-such-compiler"), std::string::npos);
  unsetenv("CXX");
  std::string old = getenv("ERGON_CACHE") ? getenv("ERGON_CACHE") : "";
  setenv("ERGON_CACHE", "/proc/none", 1);
  EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &cache), ERG_ERR_CREATE);
  setenv("ERGON_CACHE", old.c_str(), 1);
}
