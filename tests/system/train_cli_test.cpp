// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon train` as a user meets it: weights that `ergon eval` reads, a loss curve, faults before the work.
#include "support.hpp"

namespace {

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

// What stands behind `label` on its line: the last number of a row of a table.
double last_number(const std::string &text, const std::string &label) {
  size_t begin = text.find("\n" + label);
  if (begin == std::string::npos) return -1;
  std::string line = text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
  return std::stod(line.substr(line.find_last_of(' ') + 1));
}

} // namespace

TEST(TrainCli, WeightsThatEvalJudgesTheSame) {
  test::Folder f;
  std::string file = "'" + (f / "w.safetensors") + "'";
  test::Output o = test::ergon("train manifold-mlp --data manifold --epochs 4 --seed 3 --quiet --out " + file);
  ASSERT_EQ(o.exit_code, 0) << o.err;
  for (const char *part : {"4426 weights", "2000 examples (0 held out), seed 3", "loss [nat]", "test examples"})
    EXPECT_TRUE(has(o.out, part)) << part << "\n" << o.out;
  EXPECT_TRUE(has(o.err, "wrote " + (f / "w.safetensors"))) << o.err;
  double accuracy = last_number(o.out, "test examples");
  EXPECT_GT(accuracy, 40);
  test::Output e = test::ergon("eval manifold-mlp --data manifold --seed 3 --precision int8 --weights " + file);
  ASSERT_EQ(e.exit_code, 0) << e.err;
  size_t at = e.out.find("\nfloat");
  ASSERT_NE(at, std::string::npos);
  EXPECT_NEAR(std::stod(e.out.substr(at + 6)), accuracy, 0.011); // printed with two digits; another forward pass
}

TEST(TrainCli, GoesOnFromAFile) {
  test::Folder f;
  std::string first = "'" + (f / "a") + "'", second = "'" + (f / "b") + "'";
  std::string line = "train manifold-mlp --data manifold --epochs 2 --examples 300 --quiet ";
  ASSERT_EQ(test::ergon(line + "--out " + first).exit_code, 0);
  test::Output o =
      test::ergon(line + "--patience 1 --label-smoothing 0.1 --optimizer sgd --from " + first + " --out " + second);
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_TRUE(has(o.out, "270 examples (30 held out)") && has(o.out, "held-out loss") && has(o.out, "are kept"))
      << o.out;
  EXPECT_TRUE(has(test::read_file(f / "b"), "\"ergon.data\":\"manifold\""));
}

TEST(TrainCli, WhatIsTrainedInIntegersIsWhatEvalSays) {
  test::Folder f;
  std::string file = "'" + (f / "w") + "'";
  test::Output o = test::ergon(
      "train manifold-mlp --data manifold --epochs 3 --seed 2 --qat ste --precision w3a3o8 --quiet --out " + file);
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_TRUE(has(o.out, "Integers: w3a3o8, rule ste, ranges by mse over 256 calibration examples")) << o.out;
  test::Output e = test::ergon("eval manifold-mlp --data manifold --seed 2 --precision w3a3o8 --weights " + file);
  ASSERT_EQ(e.exit_code, 0) << e.err;
  size_t at = e.out.find("\nw3a3o8");
  ASSERT_NE(at, std::string::npos) << e.out;
  EXPECT_EQ(std::stod(e.out.substr(at + 7)), last_number(o.out, "test examples, integers")) << o.out << e.out;
  EXPECT_GT(last_number(o.out, "test examples, integers"), last_number(o.out, "test examples, rounded afterwards"));
}

TEST(TrainCli, FaultsBeforeTheWork) {
  test::Folder f;
  std::string file = "'" + (f / "w") + "'";
  test::Output missing = test::ergon("train shapes-cnn");
  EXPECT_EQ(missing.exit_code, 64);
  EXPECT_TRUE(has(missing.err, "--data NAME|DIR is missing") && has(missing.err, "--out FILE is missing"))
      << missing.err;
  test::Output both = test::ergon("train shapes-cn --data shaps --out " + file);
  EXPECT_EQ(both.exit_code, 66);
  EXPECT_TRUE(has(both.err, "did you mean shapes-cnn") && has(both.err, "did you mean shapes?")) << both.err;
  test::Output shape = test::ergon("train shapes-cnn --data manifold --out " + file);
  EXPECT_EQ(shape.exit_code, 65);
  EXPECT_TRUE(has(shape.err, "shapes-cnn takes maps of 16 x 16 x 1; manifold has 1 x 1 x 32")) << shape.err;
  EXPECT_FALSE(std::filesystem::exists(f / "w"));
  test::Output place = test::ergon("train shapes-cnn --data shapes --out /nowhere/w");
  EXPECT_EQ(place.exit_code, 73);
  test::Output rate =
      test::ergon("train manifold-mlp-relu --data manifold --optimizer sgd --learning-rate 1e12 --quiet --out " + file);
  EXPECT_EQ(rate.exit_code, 65);
  EXPECT_TRUE(has(rate.err, "the loss is not finite") && has(rate.err, "try --learning-rate 1e+11")) << rate.err;
  test::Output optimizer = test::ergon("train manifold-mlp --data manifold --optimizer adamw --out " + file);
  EXPECT_EQ(optimizer.exit_code, 64);
  test::Output alone = test::ergon("train manifold-mlp --data manifold --qat-epochs 2 --out " + file);
  EXPECT_EQ(alone.exit_code, 64);
  EXPECT_TRUE(has(alone.err, "there is no --qat RULE")) << alone.err;
  test::Output rule = test::ergon("train manifold-mlp --data manifold --qat stee --out " + file);
  EXPECT_EQ(rule.exit_code, 64);
  EXPECT_TRUE(has(rule.err, "did you mean ste?")) << rule.err;
}

TEST(TrainCli, DataAreListed) {
  test::Output o = test::ergon("list data");
  EXPECT_EQ(o.exit_code, 0);
  for (const char *name : {"shapes", "manifold", "tokens", "sentences", "textures"})
    EXPECT_TRUE(has(o.out, name)) << o.out;
}
