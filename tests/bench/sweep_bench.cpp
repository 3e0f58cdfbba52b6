// SPDX-License-Identifier: GPL-3.0-or-later
// How fast sweeps are: points of a network, no two of the same widths, run one by one as `ergon run` does, counted
// (cycles, traffic by level and tensor, nominal energy of all layers together) and evaluated as a worker does, with the
// text, key and stored counts of their row; rows into a store a transaction each and in batches.
#include "../unit/sweep/sweep.hpp"
#include "bench.hpp"
#include <cstring>

namespace {

const char *const kSpec =
    "name: bench\nworkloads: [resnet18]\nwidths: {weight: [2, 3, 4, 5, 6, 7, 8], activation: [2, 3, 4, 5, 6, 7, "
    "8], accumulator: [24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44]}\n"
    "axes:\n  - {set: [arch.rows, arch.cols], values: [8 8, 16 16, 32 32, 64 64]}\n";

void points(benchmark::State &state, bool sweeping) {
  sweep::Sweep s(kSpec);
  if (s.status != ERG_OK) return state.SkipWithError(s.error.message().c_str());
  erg_sweep_inputs inputs{};
  int64_t index = 0;
  for (auto _ : state) {
    test::Arena arena;
    erg_sweep_row row;
    const int64_t at = index++ % erg_sweep_size(&s);
    if (at == 0 && inputs.memo) erg_memo_clear(inputs.memo); // a second round is as cold as the first
    if (sweeping) {
      erg_sweep_evaluate(&s, at, &inputs, &arena, &row);
      if (std::strcmp(row.cells[ERG_SWEEP_STATUS].text, "ok") != 0) return state.SkipWithError("a point was skipped");
      continue;
    }
    erg_point point;
    erg_result result;
    if (erg_sweep_point(&s, at, &inputs, &arena, &point, &row, &s.error) != ERG_OK) return state.SkipWithError("point");
    point.memo = nullptr, point.totals_only = false;
    if (erg_run(&point, nullptr, &result, &s.error) != ERG_OK) return state.SkipWithError("run");
    erg_result_free(&result);
  }
  state.SetItemsProcessed(state.iterations());
  erg_sweep_inputs_free(&inputs);
}

void counted(benchmark::State &state) {
  sweep::Sweep s(kSpec);
  if (s.status != ERG_OK) return state.SkipWithError(s.error.message().c_str());
  std::vector<erg_sweep_inputs> inputs(4); // a machine each
  std::vector<erg_point> points;
  for (int64_t at = 0; at < erg_sweep_size(&s); at++) {
    test::Arena arena;
    erg_sweep_row row;
    erg_point point;
    const size_t machine = points.size() * inputs.size() / (size_t)erg_sweep_size(&s);
    if (erg_sweep_point(&s, at, &inputs[machine], &arena, &point, &row, &s.error) != ERG_OK)
      return state.SkipWithError("point");
    points.push_back(point);
  }
  size_t index = 0;
  for (auto _ : state) {
    const erg_point &point = points[index++ % points.size()];
    if (index % points.size() == 1)
      for (erg_sweep_inputs &i : inputs) erg_memo_clear(i.memo);
    erg_result result;
    if (erg_run(&point, nullptr, &result, &s.error) != ERG_OK || result.skipped) return state.SkipWithError("run");
    benchmark::DoNotOptimize(result.energy.total_pj);
    erg_result_free(&result);
  }
  state.SetItemsProcessed(state.iterations());
  for (erg_sweep_inputs &i : inputs) erg_sweep_inputs_free(&i);
}

void rows(benchmark::State &state, bool batched) {
  test::Folder folder;
  test::Error error;
  sweep::Sweep s(kSpec);
  erg_sweep_inputs inputs{};
  test::Arena arena;
  erg_sweep_row row;
  erg_store *store = nullptr;
  erg_sweep_evaluate(&s, 0, &inputs, &arena, &row);
  if (erg_store_open((folder / "s.db").c_str(), true, &store, &error) != ERG_OK) return state.SkipWithError("store");
  int64_t number = 0;
  for (auto _ : state) { // keys as random as hashes are
    char hex[65];
    erg_sha256_hex(&number, sizeof number, hex);
    number++;
    std::memcpy(row.key, hex, sizeof hex);
    erg_status status = erg_store_put(store, &row, &error);
    if (status == ERG_OK && !batched) status = erg_store_flush(store, &error);
    if (status != ERG_OK) return state.SkipWithError(error.message().c_str());
  }
  erg_store_flush(store, &error);
  state.SetItemsProcessed(state.iterations());
  erg_store_close(store);
  erg_sweep_inputs_free(&inputs);
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RegisterBenchmark("resnet18 analytic points/run", [](benchmark::State &s) { points(s, false); });
  benchmark::RegisterBenchmark("resnet18 analytic points/counted", counted);
  benchmark::RegisterBenchmark("resnet18 analytic points/sweep", [](benchmark::State &s) { points(s, true); });
  benchmark::RegisterBenchmark("rows stored/one by one", [](benchmark::State &s) { rows(s, false); });
  benchmark::RegisterBenchmark("rows stored/batches", [](benchmark::State &s) { rows(s, true); });
  bench::Ratios ratios;
  benchmark::RunSpecifiedBenchmarks(&ratios);
  ratios.print("points or rows a CPU second", 1);
  return 0;
}
