// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon eval` as a user meets it: what is missing or wrong is said, with the exit code of its kind.
#include "ergon/quant.h"
#include "support.hpp"

namespace {

struct Files {
  test::Folder folder;
  erg_graph graph{};
  erg_weights weights{};
  Files() {
    test::Error error;
    EXPECT_EQ(erg_graph_load("manifold-mlp-relu", 1, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_weights_new(&graph, &weights, &error), ERG_OK) << error.message();
    erg_weights_initialize(&weights, 3);
    EXPECT_EQ(erg_weights_write(path().c_str(), &weights, nullptr, &error), ERG_OK) << error.message();
  }
  ~Files() {
    erg_weights_free(&weights);
    erg_graph_free(&graph);
  }
  std::string path() const { return folder / "w.safetensors"; }
  test::Output eval(const std::string &rest) const {
    return test::ergon("eval manifold-mlp-relu --weights '" + path() + "' " + rest);
  }
};

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST(EvalCli, ARowAPrecisionAndATableOfTensors) {
  Files f;
  test::Output o = f.eval("--data manifold --examples 50 --precision int8,w4a8,fp16 --per-tensor --equalize --seed 7");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  for (const char *part : {"50 test examples, seed 7", "a scale a layer", "Equalized 6 pairs", "float", "int8", "w4a8",
                           "fp16: skipped, because", "SQNR of every tensor", "relu3", "fc7", "ranges by mse over 256"})
    EXPECT_TRUE(has(o.out, part)) << part << "\n" << o.out;
  EXPECT_EQ(f.eval("--data manifold --examples 50 --precision int8,w4a8,fp16 --per-tensor --equalize --seed 7").out,
            o.out);
  test::Output plain = f.eval("--data manifold --examples 50 --precision int8 --model plain --json");
  test::Output fast = f.eval("--data manifold --examples 50 --precision int8 --model golden --json");
  size_t at = plain.out.find("\"results\"");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(plain.out.substr(at), fast.out.substr(fast.out.find("\"results\"")));
}

TEST(EvalCli, SaysWhatIsMissingOrWrong) {
  Files f;
  test::Output none = test::ergon("eval manifold-mlp-relu");
  EXPECT_EQ(none.exit_code, 64);
  EXPECT_TRUE(has(none.err, "--weights FILE is missing") && has(none.err, "--data NAME|DIR is missing")) << none.err;
  EXPECT_EQ(f.eval("--data manifold --calibration kl").exit_code, 64);
  EXPECT_EQ(f.eval("--data manifold --precision int17").exit_code, 64);
  test::Output twice = test::ergon("eval manifold-mlp-relu --weights /nowhere/w --data manifol");
  EXPECT_EQ(twice.exit_code, 66);
  EXPECT_TRUE(has(twice.err, "/nowhere/w") && has(twice.err, "did you mean manifold?")) << twice.err;
  EXPECT_EQ(test::ergon("eval no-such-net --weights '" + f.path() + "' --data manifold").exit_code, 66);
  test::Output shape = f.eval("--data shapes");
  EXPECT_EQ(shape.exit_code, 65);
  EXPECT_TRUE(has(shape.err, "[16, 16, 1]") && has(shape.err, "[1, 1, 32]")) << shape.err;
  test::Output other = test::ergon("eval shapes-cnn --weights '" + f.path() + "' --data shapes");
  EXPECT_EQ(other.exit_code, 65);
  EXPECT_TRUE(has(other.err, "conv1.weight")) << other.err;
}

// The commands of docs/accuracy-axis.md, as printed. Figures are those of one machine; their order is not.
TEST(EvalCli, TheDocumentedCommandsRunAsPrinted) {
  std::string page = test::read_file(ERGON_TEST_SOURCE_DIR "/docs/accuracy-axis.md");
  size_t at = page.find("```sh\n"), end = page.find("```", at + 6);
  ASSERT_NE(end, std::string::npos);
  test::Folder f;
  test::write_file(f / "script.sh", "set -eu\n" + page.substr(at + 6, end - at - 6));
  test::Output o =
      test::shell("cd '" + f.path.string() + "' && PATH='" + test::binary_dir() + "/bin':$PATH sh script.sh");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  auto accuracy = [&](const std::string &row) {
    size_t line = o.out.find("\n" + row + " ");
    EXPECT_NE(line, std::string::npos) << row << "\n" << o.out;
    return line == std::string::npos ? 0 : std::stod(o.out.substr(line + 1 + row.size()));
  };
  EXPECT_GT(accuracy("float"), 70);
  EXPECT_NEAR(accuracy("int8"), accuracy("float"), 3);
  EXPECT_LT(accuracy("w3a8"), accuracy("w6a8") - 5);
  EXPECT_LT(accuracy("int4"), accuracy("int6") - 5);
  size_t rtl = o.out.find("checked outputs");
  ASSERT_NE(rtl, std::string::npos);
  size_t row = o.out.find("\nint8", rtl);
  ASSERT_NE(row, std::string::npos);
  std::istringstream cells(o.out.substr(row + 1));
  std::vector<std::string> words(8);
  for (std::string &word : words) cells >> word;
  EXPECT_EQ(words[6], "82080");
  EXPECT_EQ(words[7], "0");
}
