// SPDX-License-Identifier: GPL-3.0-or-later
// The accuracies of a sweep: those of the integer kernels, once for all points that share them.
#include "sweep.hpp"
#include <map>
extern "C" {
#include "ergon/quant.h"
}

namespace {

// Weights of shapes-cnn as initialized: what they answer is poor, but each width answers its own way.
void write_weights(const std::string &path, uint64_t seed) {
  test::Error error;
  erg_graph graph{};
  erg_weights weights{};
  ASSERT_EQ(erg_graph_load("shapes-cnn", 1, nullptr, 0, &graph, &error), ERG_OK) << error.message();
  ASSERT_EQ(erg_weights_new(&graph, &weights, &error), ERG_OK);
  erg_weights_initialize(&weights, seed);
  ASSERT_EQ(erg_weights_write(path.c_str(), &weights, nullptr, &error), ERG_OK) << error.message();
  erg_weights_free(&weights);
  erg_graph_free(&graph);
}

std::string spec(const std::string &weights, const std::string &data = "shapes", const std::string &more = "") {
  return "name: judged\nworkloads: [shapes-cnn]\nprecisions: [fp32, fp16, int8, w4a8, w3a3]\n"
         "fusions: [none, fold, epilogue, depth]\nbatches: [1, 2]\naxes:\n"
         "  - {set: [arch.mac], values: [native, scalable]}\naccuracy: {weights: ['" +
         weights + "'], data: " + data + ", examples: 60" + more + "}\n";
}

std::string run(test::Folder &f, const std::string &text, const std::string &store, const std::string &options) {
  test::write_file(f / "s.yaml", text);
  test::Output o = test::ergon("sweep run '" + f / "s.yaml" + "' --quiet --store '" + f / store + "' " + options);
  EXPECT_EQ(o.exit_code, 0) << o.err;
  return sweep::dump(f / store);
}

} // namespace

TEST(SweepAccuracy, IsThatOfTheIntegerKernelsWhateverTheMachine) {
  test::Folder f;
  write_weights(f / "w.safetensors", 3);
  sweep::Sweep s(spec(f / "w.safetensors"));
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  erg_sweep_inputs inputs{};
  std::map<std::string, std::set<double>> losses; // by precision and what the integers depend on of the fusion
  int reasons = 0;
  for (int64_t i = 0; i < erg_sweep_size(&s); i++) {
    test::Arena arena;
    erg_sweep_row row;
    erg_sweep_evaluate(&s, i, &inputs, &arena, &row);
    const erg_cell *c = row.cells;
    if (std::string(c[ERG_SWEEP_STATUS].text) != "ok") continue; // floats on a scalable array
    const std::string precision = c[ERG_SWEEP_PRECISION].text, fusion = c[ERG_SWEEP_FUSION].text;
    EXPECT_EQ(c[ERG_SWEEP_ACCURACY].known, c[ERG_SWEEP_LOSS_NAT].known);
    EXPECT_NE(c[ERG_SWEEP_ACCURACY].known, c[ERG_SWEEP_ACCURACY_REASON].known);
    EXPECT_EQ(c[ERG_SWEEP_ACCURACY].known, fusion != "fold" && precision != "fp16") << precision << " " << fusion;
    if (c[ERG_SWEEP_ACCURACY].known)
      losses[precision + (fusion == "none" ? " none" : "")].insert(c[ERG_SWEEP_LOSS_NAT].real);
    else
      reasons++;
  }
  erg_sweep_inputs_free(&inputs);
  EXPECT_GT(reasons, 10);
  test::Error error;
  erg_graph graph{};
  erg_weights weights{};
  erg_dataset data{}, calibration_data{};
  erg_calibration calibration{};
  ASSERT_EQ(erg_graph_load("shapes-cnn", 8, nullptr, 0, &graph, &error), ERG_OK);
  ASSERT_EQ(erg_weights_read((f / "w.safetensors").c_str(), &graph, &weights, &error), ERG_OK);
  ASSERT_EQ(erg_dataset_load("shapes", 1, ERG_SPLIT_TEST, 60, &data, &error), ERG_OK);
  ASSERT_EQ(erg_dataset_load("shapes", 1, ERG_SPLIT_CALIBRATION, 256, &calibration_data, &error), ERG_OK);
  ASSERT_EQ(erg_calibrate(&graph, &weights, &calibration_data, &calibration, &error), ERG_OK);
  for (const char *precision : {"int8", "w4a8", "int3"})
    for (const char *fusion : {"", " none"}) {
      erg_quantize_options options{};
      options.precision = test::precision(precision);
      options.calibration = ERG_CALIBRATE_MSE;
      options.unfolded = *fusion != 0;
      erg_quantized q{};
      erg_evaluation e{};
      ASSERT_EQ(erg_quantize(&graph, &weights, &calibration, &options, &q, &error), ERG_OK) << error.message();
      ASSERT_EQ(erg_evaluate(&q, nullptr, &data, ERG_INTEGER_GOLDEN, nullptr, &e, &error), ERG_OK);
      EXPECT_EQ(losses[std::string(precision) + fusion], std::set<double>{e.loss}) << precision << fusion;
      erg_evaluation_free(&e);
      erg_quantized_free(&q);
    }
  EXPECT_EQ(losses["fp32"].size(), 1u);
  EXPECT_EQ(losses["fp32"], losses["fp32 none"]);
  erg_calibration_free(&calibration);
  erg_dataset_free(&calibration_data);
  erg_dataset_free(&data);
  erg_weights_free(&weights);
  erg_graph_free(&graph);
}

TEST(SweepAccuracy, StoresDoNotDependOnTheNumberOfWorkers) {
  test::Folder f;
  write_weights(f / "w.safetensors", 3);
  const std::string one = run(f, spec(f / "w.safetensors"), "one.db", "--jobs 1");
  EXPECT_EQ(one, run(f, spec(f / "w.safetensors"), "two.db", "--jobs 3"));
  EXPECT_EQ(one, run(f, spec(f / "w.safetensors"), "one.db", "--jobs 2")) << "nothing is computed twice";
  test::Output front = test::ergon("sweep query --store '" + f / "one.db" + "' --front=accuracy");
  EXPECT_EQ(front.exit_code, 0) << front.err;
  EXPECT_NE(front.out.find("2 rows on 2 fronts, one a workload, batch and technology, of energy against accuracy"),
            std::string::npos)
      << front.out;
  EXPECT_NE(front.out.find("loss [nat]"), std::string::npos);
  test::Output plot = test::ergon("plot pareto-error '" + f / "one.db" + "' --out '" + f / "p" + "'");
  EXPECT_EQ(plot.exit_code, 0) << plot.err;
  EXPECT_GT(test::read_file(f / "p/pareto-error.svg").size(), 1000u);
}

TEST(SweepAccuracy, KeysDependOnWeightsAndDataByWhatTheyHold) {
  test::Folder f;
  write_weights(f / "w.safetensors", 3);
  write_weights(f / "copy.safetensors", 3);
  write_weights(f / "other.safetensors", 4);
  auto keys = [&](const std::string &text) {
    sweep::Sweep s(text);
    EXPECT_EQ(s.status, ERG_OK) << s.error.message();
    std::set<std::string> all;
    erg_sweep_inputs inputs{};
    for (int64_t i = 0; s.status == ERG_OK && i < erg_sweep_size(&s); i++) {
      test::Arena arena;
      erg_point point;
      erg_sweep_row row;
      EXPECT_EQ(erg_sweep_point(&s, i, &inputs, &arena, &point, &row, &s.error), ERG_OK);
      all.insert(row.key);
    }
    erg_sweep_inputs_free(&inputs);
    return all;
  };
  const std::set<std::string> base = keys(spec(f / "w.safetensors"));
  EXPECT_EQ(base, keys(spec(f / "copy.safetensors"))) << "a copy under another name";
  std::string without = spec("x");
  without.resize(without.find("accuracy:"));
  for (const std::set<std::string> &other :
       {keys(spec(f / "other.safetensors")), keys(spec(f / "w.safetensors", "shapes", ", seed: 2")), keys(without)})
    for (const std::string &key : other) EXPECT_FALSE(base.count(key));
}

TEST(SweepAccuracy, FaultsAreSaidBeforeAnythingRuns) {
  test::Folder f;
  write_weights(f / "w.safetensors", 3);
  test::write_file(f / "not.safetensors", "no weights");
  const struct {
    std::string text;
    const char *says;
  } cases[] = {{spec(f / "nowhere.safetensors"), "nowhere.safetensors"},
               {spec(f / "not.safetensors"), "not a safetensors file"},
               {spec(f / "w.safetensors", "manifold"), "wants [16, 16, 1]"},
               {spec(f / "w.safetensors", "shpes"), "shapes"},
               {spec(f / "w.safetensors" + "', '" + f / "w.safetensors"), "found 2 files; allowed: 1"},
               {spec(f / "w.safetensors", "shapes", ", sed: 1"), "seed"}};
  for (const auto &c : cases) {
    sweep::Sweep s(c.text);
    EXPECT_EQ(s.status == ERG_OK, false) << c.says;
    EXPECT_NE(s.error.message().find(c.says), std::string::npos) << s.error.message();
  }
  test::write_file(f / "plain.yaml", "name: p\nworkloads: [hand-worked]\narchs: [tiny]\n");
  ASSERT_EQ(test::ergon("sweep run '" + f / "plain.yaml" + "' --quiet --store '" + f / "p.db" + "'").exit_code, 0);
  test::Output none = test::ergon("plot pareto-error '" + f / "p.db" + "' --out '" + f / "p" + "'");
  EXPECT_EQ(none.exit_code, 65);
  EXPECT_NE(none.err.find("no row has an accuracy: nothing to draw"), std::string::npos) << none.err;
  EXPECT_EQ(test::ergon("sweep query --front=acuracy --store '" + f / "p.db" + "'").exit_code, 64);
  EXPECT_NE(test::ergon("sweep query --front=accuracy --store '" + f / "p.db" + "'").out.find("0 rows on the front"),
            std::string::npos);
}
