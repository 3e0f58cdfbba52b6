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
