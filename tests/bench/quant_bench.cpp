// SPDX-License-Identifier: GPL-3.0-or-later
// The accuracy axis in examples a second: shapes-cnn, 335 k MACs an example, batches of 8, random weights.
#include "ergon/quant.h"
#include "support.hpp"
#include <benchmark/benchmark.h>

namespace {

struct Study {
  erg_graph graph{};
  erg_weights weights{};
  erg_dataset data{};
  erg_calibration calibration{};
  erg_quantized quantized{};
  Study() {
    test::Error error;
    erg_quantize_options o{};
    o.precision = test::precision("int8");
    EXPECT_EQ(erg_graph_load("shapes-cnn", 8, nullptr, 0, &graph, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_weights_new(&graph, &weights, &error), ERG_OK);
    erg_weights_initialize(&weights, 1);
    EXPECT_EQ(erg_dataset_load("shapes", 1, ERG_SPLIT_TEST, 500, &data, &error), ERG_OK);
    EXPECT_EQ(erg_calibrate(&graph, &weights, &data, &calibration, &error), ERG_OK);
    EXPECT_EQ(erg_quantize(&graph, &weights, &calibration, &o, &quantized, &error), ERG_OK);
  }
};

Study &study() {
  static Study made;
  return made;
}

void evaluate(benchmark::State &state, erg_integer_model model) {
  Study &s = study();
  for (auto _ : state) {
    erg_evaluation e{};
    if (erg_evaluate(&s.quantized, nullptr, &s.data, model, nullptr, &e, nullptr) != ERG_OK)
      state.SkipWithError("failed");
    benchmark::DoNotOptimize(e.loss);
    erg_evaluation_free(&e);
  }
  state.counters["examples/s"] =
      benchmark::Counter(500.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void evaluate_float(benchmark::State &state) {
  Study &s = study();
  for (auto _ : state) {
    erg_evaluation e{};
    if (erg_evaluate_float(&s.graph, &s.weights, &s.data, &e, nullptr) != ERG_OK) state.SkipWithError("failed");
    erg_evaluation_free(&e);
  }
  state.counters["examples/s"] =
      benchmark::Counter(500.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void refresh(benchmark::State &state) {
  Study &s = study();
  for (auto _ : state)
    if (erg_quantized_refresh(&s.quantized, &s.weights, nullptr) != ERG_OK) state.SkipWithError("failed");
}

void quantize(benchmark::State &state) {
  Study &s = study();
  for (auto _ : state) {
    erg_quantized q{};
    erg_quantize_options o = s.quantized.options;
    o.calibration = static_cast<erg_calibration_method>(state.range(0));
    if (erg_quantize(&s.graph, &s.weights, &s.calibration, &o, &q, nullptr) != ERG_OK) state.SkipWithError("failed");
    erg_quantized_free(&q);
  }
}

} // namespace

BENCHMARK_CAPTURE(evaluate, fast, ERG_INTEGER_FAST);
BENCHMARK_CAPTURE(evaluate, golden, ERG_INTEGER_GOLDEN);
BENCHMARK(evaluate_float);
BENCHMARK(refresh);
BENCHMARK(quantize)->Arg(ERG_CALIBRATE_MIN_MAX)->Arg(ERG_CALIBRATE_MSE);
BENCHMARK_MAIN();
