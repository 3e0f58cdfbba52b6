// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon verify --dut`: a right array of another make passes, and each way to be wrong is told by name. Everything runs
// through the program on 4 x 4 arrays, as a user would.
#include "support.hpp"

namespace {

const std::string source = ERGON_TEST_SOURCE_DIR, example = source + "/examples/dut/dot_product.sv";

std::string dut(const std::string &file, const std::string &top = "dot_product") {
  return " --dut '" + file + "' --top " + top + " --arch tiny -q";
}

// The example with `from` replaced; the text must be there, or the wrong array would be the right one.
std::string wrong(const test::Folder &f, const std::string &from, const std::string &to) {
  std::string text = test::read_file(example);
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  test::write_file(f / "wrong.sv", text);
  return f / "wrong.sv";
}

void expect(const test::Output &o, int exit_code, const std::vector<std::string> &texts) {
  EXPECT_EQ(o.exit_code, exit_code) << o.err << o.out;
  for (const std::string &text : texts) EXPECT_NE(o.err.find(text), std::string::npos) << text << "\nin: " << o.err;
}

} // namespace

TEST(Dut, AnAdderTreePassesAndItsCyclesAreShown) {
  test::Output o = test::ergon("verify" + dut(example));
  expect(o, 0, {});
  EXPECT_NE(o.out.find("not Ergon's"), std::string::npos);
  for (const char *kind : {"random", "rails", "ties", "edges", "deep"})
    EXPECT_NE(o.out.find(kind), std::string::npos) << kind;
  // It takes columns one after the other: slower than the formula, which counts only when it is asked to.
  expect(test::ergon("verify --cycles strict --cases 5" + dut(example)), 1, {"cycles differ", "array cycles: formula"});
}

TEST(Dut, ALayerRunsThroughTheWholeMachine) {
  expect(test::ergon("verify hand-worked" + dut(example)), 0, {});
  expect(test::ergon("verify hand-worked --gaps 0.3" + dut(example)), 0, {});
  expect(test::ergon("verify hand-worked --cycles strict" + dut(example)), 1, {"layer conv: cycles differ"});
}

// Ergon's own array behind the foreign ports: the measured cycles are the formula's, or the ports cost some.
TEST(Dut, ErgonsOwnArrayBehindThePortsHasTheFormulasCycles) {
  std::string files = source + "/tests/cosim/house_array.sv";
  for (const char *name : {"pkg", "sequencer", "array", "accumulator", "epilogue", "top"})
    files = source + "/rtl/ergon_" + name + ".sv," + files;
  std::string pkg = source + "/rtl/ergon_pkg.sv"; // a package comes before those who import it
  expect(test::ergon("verify --cycles strict" + dut(pkg + "," + files, "house_array")), 0, {});
  expect(test::ergon("verify hand-worked --cycles strict" + dut(pkg + "," + files, "house_array")), 0, {});
}

TEST(Dut, ARoundingConstantLeftOutIsFoundAndItsCaseRunsAlone) {
  test::Folder f;
  std::string file = wrong(f, "(x * m + (64'sd1 <<< (t - 6'd1))) >>> t", "(x * m) >>> t");
  expect(test::ergon("verify" + dut(file)), 1, {"verify: ties: mismatch: case 2 ", "expected", "got"});
  test::Output o = test::ergon("verify --case 2" + dut(file));
  expect(o, 1, {"verify: ties: mismatch: case 2 "});
  EXPECT_EQ(o.out.find("random  "), std::string::npos);
  expect(test::ergon("verify hand-worked" + dut(file)), 1, {"layer conv: mismatch:"});
}

TEST(Dut, UninitialisedStateIsToldFromAWrongResult) {
  test::Folder f;
  std::string file = wrong(f, "(k_first_q ? '0 : sums_q[address])", "sums_q[address]");
  expect(test::ergon("verify" + dut(file)), 1, {"uninitialised: case 0", "row 0, channel 0", "random start"});
  expect(test::ergon("verify hand-worked" + dut(file)), 1, {"layer conv: uninitialised", "channel 0"});
}

TEST(Dut, AHangNamesThePortThatWaits) {
  test::Folder f;
  std::string file = wrong(f, "assign c_ready_o = busy_q", "assign c_ready_o = 1'b0 & busy_q");
  expect(test::ergon("verify --case 0" + dut(file)), 1, {"hangs: 1048576 cycles without a beat", " c (of fold 0)"});
  expect(test::ergon("verify hand-worked" + dut(file)), 1, {"layer conv: fault: hangs:", " c (of fold "});
}

TEST(Dut, RowsTooManyAndFinishAreFindings) {
  test::Folder f;
  std::string file = wrong(f, "y_valid_o <= k_last_q;", "y_valid_o <= 1'b1;");
  expect(test::ergon("verify" + dut(file)), 1, {"y_valid_o is high for output row 0 before the activation row"});
  file = wrong(f, "y_valid_o <= 1'b0;", "y_valid_o <= 1'b0; $display(\"here\"); if (row_q == 17'd2) $finish;");
  test::Output o = test::ergon("verify --case 2 --json" + dut(file));
  expect(o, 1, {"$finish", "wrong.sv:", "here"});
  EXPECT_EQ(o.out.find("here"), std::string::npos) << "what an array displays must not get into the JSON";
}

TEST(Dut, EveryWrongPortIsNamedWithBothWidths) {
  test::Folder f;
  std::string text = test::read_file(example);
  auto replace = [&](const std::string &from, const std::string &to) {
    for (size_t at = text.find(from), met = 0; at != std::string::npos || !met;
         at = text.find(from, at + to.size()), met++) {
      ASSERT_NE(at, std::string::npos) << from;
      text.replace(at, from.size(), to);
    }
  };
  replace("[COLS*WEIGHT_BITS-1:0]     w_data_i", "[COLS*WEIGHT_BITS:0] w_data_i");
  replace("r_ready_o", "residual_ready_o");
  replace("last_i", "final_i");
  test::write_file(f / "wrong.sv", text);
  expect(test::ergon("verify" + dut(f / "wrong.sv")), 65,
         {"port w_data_i: found 33 bits; needed: 32 (COLS*WEIGHT_BITS)",
          "port r_ready_o is missing; needed: an output of 1 bits", "port last_i is missing",
          "port final_i: an input that the contract does not know", "--dut-template"});
}

TEST(Dut, SourcesThatCannotBeBuiltSayWhy) {
  test::Folder f;
  expect(test::ergon("verify" + dut(wrong(f, "endmodule", "endmodul"))), 65, {"wrong.sv:", "syntax error"});
  expect(
      test::ergon("verify" + dut(wrong(f, "int ACC_DEPTH = 1024", "int DEPTH = 1024, localparam int ACC_DEPTH = 8"))),
      65, {"needs the parameters ROWS, COLS"});
  expect(test::ergon("verify" + dut(example, "dot_produkt")), 65, {"dot_produkt", "Name the top module with --top"});
  expect(test::ergon("verify" + dut(f / "none.sv")), 66, {"none.sv: No such file"});
  expect(test::ergon("verify --dut x.sv"), 64, {"--top is missing"});
  expect(test::ergon("verify --mutant SKEW" + dut(example)), 64, {"does not go with --dut"});
  expect(test::shell("PATH=/nowhere '" + test::binary_dir() + "/bin/ergon' verify" + dut(example)), 69,
         {"verilator is not installed"});
}

// The template compiles as written and says that nothing works yet; with the example's body in it, it passes.
TEST(Dut, TheTemplateCompilesAndCanBeFilled) {
  test::Folder f;
  expect(test::ergon("verify --dut-template '" + f / "t.sv" + "'"), 0, {"wrote "});
  expect(test::ergon("verify --dut-template '" + f / "t.sv" + "'"), 73, {"File exists"});
  std::string text = test::ergon("verify --dut-template").out;
  EXPECT_EQ(text, test::read_file(f / "t.sv"));
  expect(test::ergon("verify --case 0" + dut(f / "t.sv", "my_array")), 1, {"hangs:", " w (row 0 of fold 0)"});
  std::string body = test::read_file(example);
  body = body.substr(body.find("\n);\n") + 4);
  size_t begin = text.find("  // As it stands");
  ASSERT_NE(begin, std::string::npos);
  test::write_file(f / "t.sv", text.substr(0, begin) + body);
  expect(test::ergon("verify" + dut(f / "t.sv", "my_array")), 0, {});
}

// Folders are named by people.
TEST(Dut, QuotesAndBlanksInPathsAreLetters) {
  test::Folder f;
  std::filesystem::path odd = f.path / "it's an odd \"name\"";
  std::filesystem::create_directories(odd);
  std::filesystem::copy(example, odd / "a b.sv");
  setenv("ODD", odd.c_str(), 1);
  test::Output o = test::shell("ERGON_CACHE=\"$ODD\" '" + test::binary_dir() +
                               "/bin/ergon' verify -q --arch tiny --top dot_product --dut \"$ODD/a b.sv\"");
  expect(o, 0, {});
}

// The random suite on Ergon's array: right as it is, and every deliberate fault is found.
TEST(Dut, RandomCasesFindEveryMutant) {
  test::Output o = test::ergon("verify --arch tiny -q --seed 7");
  expect(o, 0, {});
  EXPECT_NE(o.out.find("seed 7"), std::string::npos);
  for (int i = 0; erg_rtl_mutants[i]; i++)
    expect(test::ergon(std::string("verify --arch tiny -q --mutant ") + erg_rtl_mutants[i] +
                       (std::string(erg_rtl_mutants[i]) == "SIGN" ? " --set arch.mac=scalable" : "")),
           1, {"verify: "});
}
