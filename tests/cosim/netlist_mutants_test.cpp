// SPDX-License-Identifier: GPL-3.0-or-later
// Mutants drawn by yosys: of each array's elaborated netlist 100 places, one bit or one operand changed in each. One
// netlist holds all of them, chosen by a port, so that it is built once. Each must be told from the golden kernel by
// random cases; one that is not stands in netlist_survivors.txt with the reason, and nothing else does.
#include "support.hpp"
#include <map>
#include <memory>
#include <set>
extern "C" {
#include "../../sim/verify_case.h"
}

namespace {

constexpr int kMutants = 100, kSeed = 20;

struct Array {
  const char *top;
  std::vector<const char *> modules;
  erg_dataflow dataflow;
  erg_mac_kind mac;
  std::vector<const char *> precisions; // all drive every mutant
  int cases;                            // of each
  int long_k;                           // one more case, with as many steps in a counter of K; 0: none
};

const Array kArrays[] = {
    {"ergon_top",
     {"ergon_sequencer", "ergon_array", "ergon_accumulator", "ergon_epilogue"},
     ERG_DATAFLOW_WS,
     ERG_MAC_NATIVE,
     {"int8"},
     600,
     0},
    {"ergon_top_os",
     {"ergon_sequencer_os", "ergon_array_os", "ergon_epilogue"},
     ERG_DATAFLOW_OS,
     ERG_MAC_NATIVE,
     {"int8"},
     1200,
     (1 << 21) + (1 << 17) + (1 << 12) + 9},
    {"ergon_top_scalable",
     {"ergon_sequencer", "ergon_array_scalable", "ergon_accumulator", "ergon_epilogue"},
     ERG_DATAFLOW_WS,
     ERG_MAC_SCALABLE,
     {"int8", "w8a4o8", "w8a2o8", "w4a8o8", "w4a4o8", "w4a2o8", "w2a8o8", "w2a4o8", "w2a2o8"},
     150,
     0},
};

std::string sources(const Array &a) {
  std::string files = " " ERGON_TEST_SOURCE_DIR "/rtl/ergon_pkg.sv";
  for (const char *name : a.modules) files += std::string(" " ERGON_TEST_SOURCE_DIR "/rtl/") + name + ".sv";
  return files + " " ERGON_TEST_SOURCE_DIR "/rtl/" + a.top + ".sv";
}

void yosys(const std::string &script) {
  test::Output o = test::shell("yosys -q -p '" + script + "'");
  ASSERT_EQ(o.exit_code, 0) << o.err;
}

// Random cases of one array and what must come of them, made once for all mutants.
struct Suite {
  struct Case {
    erg_gemm gemm{};
    std::vector<int16_t> golden;
    uint64_t cycles = 0;
  };
  erg_arena arena{};
  erg_arch arch{};
  erg_point point{};
  std::vector<Case> cases;

  Suite(const Array &a, const char *precision) {
    test::Error error;
    EXPECT_EQ(erg_arch_load("tiny", nullptr, 0, &arch, &error), ERG_OK);
    arch.rows = arch.cols = 3, arch.accumulator_depth = 16, arch.mac = a.mac;
    point.arch = &arch, point.fusion = ERG_FUSION_EPILOGUE, point.batch = 1, point.seed = 11,
    point.dataflow = a.dataflow;
    EXPECT_EQ(erg_precision_parse(precision, &point.precision, &error), ERG_OK) << error.message();
    for (int i = 0; i < a.cases + (a.long_k > 0); i++) {
      Case c;
      EXPECT_EQ(erg_case_make(&arena, &point, i, &c.gemm, &error), ERG_OK) << error.message();
      if (i == a.cases) lengthen(a.long_k, c.gemm);
      c.golden.resize(static_cast<size_t>(c.gemm.m) * static_cast<size_t>(c.gemm.n));
      EXPECT_EQ(erg_gemm_golden(&c.gemm, point.precision.accumulator_bits, c.golden.data(), nullptr, &error), ERG_OK);
      int folds = 0;
      const int *lengths = erg_gemm_folds(&arena, 3, 3, &c.gemm, &folds);
      c.cycles = erg_fold_cycles(&arch, lengths, folds);
      cases.push_back(std::move(c));
    }
  }
  ~Suite() {
    erg_arena_free(&arena);
    erg_arch_free(&arch);
  }

  // One output over this K; its codes are small, so that the sum does not wrap.
  void lengthen(int k, erg_gemm &g) {
    static int one = 1;
    test::Random random(12);
    g.m = g.n = 1, g.k = k;
    g.tile_count = 1, g.tile_rows = &one;
    g.a = static_cast<int16_t *>(erg_arena_alloc(&arena, sizeof *g.a * static_cast<size_t>(k)));
    g.w = static_cast<int16_t *>(erg_arena_alloc(&arena, sizeof *g.w * static_cast<size_t>(k)));
    for (int i = 0; i < k; i++)
      g.a[i] = static_cast<int16_t>(random.range(-3, 4)), g.w[i] = static_cast<int16_t>(random.range(-3, 3));
  }

  // Whether the array behaves otherwise than the golden kernel and the formula say; without and with gaps.
  bool differs(erg_rtl *rtl) const {
    for (size_t i = 0; i < cases.size(); i++)
      for (double gap : {0.0, 0.25}) {
        const Case &c = cases[i];
        std::vector<int16_t> output(c.golden.size());
        test::Error error;
        erg_gemm_run run{};
        run.watch = -1, run.output = output.data(), run.accumulator_bits = point.precision.accumulator_bits;
        run.gap_probability = gap, run.gap_seed = i;
        if (erg_gemm_drive(rtl, 3, 3, &c.gemm, &run, &error) != ERG_OK || output != c.golden ||
            run.cycles - run.gap_cycles != c.cycles)
          return true;
      }
    return false;
  }
};

// Whether the suites tell mutation `number` from the true array; 0 is none.
bool killed(const Array &a, const std::vector<std::unique_ptr<Suite>> &suites, int number) {
  test::Error error;
  erg_rtl_config config{3, 3, 8, 8, 32, 16, nullptr};
  config.top = a.top, config.seed = number;
  erg_rtl *rtl = nullptr;
  EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
  if (!rtl) return false;
  bool differs = false;
  for (const auto &suite : suites) differs = differs || suite->differs(rtl);
  erg_rtl_close(rtl);
  return differs;
}

// "mode port[bit] wire.bit file:line": what stays the same when cells are numbered anew.
std::string name_of(const std::string &line) {
  auto after = [&](const std::string &option) {
    const size_t at = line.find(" " + option + " ");
    return at == std::string::npos
               ? std::string()
               : line.substr(at + option.size() + 2, line.find(' ', at + option.size() + 2) - at - option.size() - 2);
  };
  std::string src = line.substr(line.rfind(" -src ") + 6), wire = after("-wire");
  src = src.substr(src.rfind('/') + 1);
  return after("-mode") + " " + after("-port") + "[" + after("-portbit") + "]" +
         (wire.empty() ? "" : " " + wire + "." + after("-wirebit")) + " " + src.substr(0, src.find('-'));
}

// The list's lines of one array, without the reasons: "mode port[bit] wire.bit file:line".
std::multiset<std::string> listed(const std::string &top) {
  std::stringstream lines(test::read_file(ERGON_TEST_SOURCE_DIR "/tests/cosim/netlist_survivors.txt"));
  std::multiset<std::string> names;
  for (std::string line; std::getline(lines, line);)
    if (line.compare(0, top.size() + 1, top + " ") == 0)
      names.insert(line.substr(top.size() + 1, line.find(" | ") - top.size() - 1));
  return names;
}

class NetlistMutants : public testing::TestWithParam<Array> {};

} // namespace

TEST_P(NetlistMutants, EachIsToldFromTheGoldenKernelOrListed) {
  if (test::shell("yosys -V").exit_code != 0)
    GTEST_SKIP() << "skipped, because yosys is not installed (scripts/packages-test.txt)";
  const Array &a = GetParam();
  test::Folder folder;
  setenv("ERGON_CACHE", (folder / "cache").c_str(), 1);
  const std::string base = folder / "base.il", list = folder / "list.ys";
  yosys("read_verilog -sv" + sources(a) + "; chparam -set ROWS 3 -set COLS 3 -set ACC_DEPTH 16 " + a.top +
        "; hierarchy -top " + a.top +
        "; proc; flatten; opt; wreduce; memory -nomap; opt -full; simplemap t:$*dff*; opt -full; wreduce; opt -full; "
        "opt_clean -purge; write_ilang " +
        base + "; mutate -list " + std::to_string(kMutants) + " -seed " + std::to_string(kSeed) +
        " -ctrl mutsel 8 1 -o " + list);
  yosys("read_ilang " + base + "; script " + list + "; opt_clean; write_verilog -noattr " +
        folder / (std::string(a.top) + ".v"));
  setenv("ERGON_RTL_SOURCES", folder.path.c_str(), 1);
  std::vector<std::unique_ptr<Suite>> suites;
  for (const char *precision : a.precisions) suites.push_back(std::make_unique<Suite>(a, precision));
  ASSERT_FALSE(killed(a, suites, 0)) << "the netlist without a fault";
  std::multiset<std::string> reasoned = listed(a.top);
  std::stringstream lines(test::read_file(list));
  int number = 0, told = 0;
  for (std::string line; std::getline(lines, line);) {
    if (killed(a, suites, ++number)) {
      told++;
      continue;
    }
    const auto found = reasoned.find(name_of(line));
    if (found == reasoned.end())
      ADD_FAILURE() << "not told from the golden kernel, and not listed: " << a.top << " " << name_of(line) << "\n"
                    << line;
    else
      reasoned.erase(found);
  }
  for (const std::string &name : reasoned)
    ADD_FAILURE() << "listed, but told from the golden kernel or not drawn: " << a.top << " " << name;
  unsetenv("ERGON_RTL_SOURCES");
  unsetenv("ERGON_CACHE");
  EXPECT_EQ(number, kMutants);
  std::printf("%s: %d mutants, %d told from the golden kernel\n", a.top, number, told);
}

INSTANTIATE_TEST_SUITE_P(Arrays, NetlistMutants, testing::ValuesIn(kArrays),
                         [](const auto &array) { return std::string(array.param.top); });
