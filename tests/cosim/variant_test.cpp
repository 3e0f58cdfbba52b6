// SPDX-License-Identifier: GPL-3.0-or-later
// Which variants may be built, and that a cached one outlives nothing it needs.
#include "support.hpp"

namespace {

const char *const net = "name: n\ninput: {height: 6, width: 6, channels: 4}\nnodes:\n"
                        "  - {name: c, op: conv2d, K: 8, kernel: 3, pad: 1}\n";

std::string quoted(const std::string &text) {
  return "'" + text + "'";
}

} // namespace

// A mutant that the sources do not hold is the true array: verify would pass, and the name went through a shell.
TEST(Variant, UnknownMutantsAreRefused) {
  for (const char *name : {"rounding", "ROUND", "", "SKEW ", "$(touch pwned)"}) {
    test::Error error;
    erg_rtl *rtl = nullptr;
    const erg_rtl_config config = {4, 4, 8, 8, 32, 16, name};
    EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_ERR_USAGE) << name;
    EXPECT_EQ(rtl, nullptr);
    EXPECT_NE(error.message().find("allowed: ROUNDING, SKEW, CLAMP, WEIGHT_ORDER, EXTRA_REGISTER, FREEZE"),
              std::string::npos)
        << error.message();
  }
}

TEST(Variant, ListedMutantsAreInTheSources) {
  std::string text;
  for (const char *file : {"ergon_array.sv", "ergon_array_scalable.sv", "ergon_epilogue.sv", "ergon_top.sv"})
    text += test::read_file(test::binary_dir() + "/share/ergon/rtl/" + file);
  for (int i = 0; erg_rtl_mutants[i]; i++)
    EXPECT_NE(text.find(std::string("`ifdef ERGON_MUTANT_") + erg_rtl_mutants[i] + "\n"), std::string::npos)
        << erg_rtl_mutants[i];
}

// Two clones share the cache; the one whose tree built the array is deleted.
TEST(Variant, CacheSurvivesTheTreeThatFilledIt) {
  test::Folder f;
  const std::string library = test::binary_dir() + "/lib";
  std::filesystem::create_directories(f.path / "old");
  std::filesystem::copy(library + "/libergon_vlrt.so", f.path / "old");
  test::write_file(f / "n.yaml", net);
  const std::string program = test::binary_dir() + "/bin/ergon",
                    arguments = " verify " + quoted(f / "n.yaml") + " --arch tiny -q --set arch.accumulator_depth=40",
                    cache = "ERGON_CACHE=" + quoted(f / "cache") + " ";
  test::Output o = test::shell(cache + "ERGON_LIB=" + quoted(f / "old") + " " + quoted(program) + arguments);
  ASSERT_EQ(o.exit_code, 0) << o.err;
  std::filesystem::remove_all(f.path / "old");
  o = test::shell(cache + quoted(program) + arguments);
  EXPECT_EQ(o.exit_code, 0) << o.err;
}
