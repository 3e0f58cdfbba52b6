// SPDX-License-Identifier: GPL-3.0-or-later
// How fast the Verilated array is: 16 x 16 at int8 beside the same array with a module a cell (textbook_array.sv),
// built by the same tools with the same options; and simulated cycles of each model on one convolution. Both arrays
// must give equal bits and cycles before anything is measured.
#include "bench.hpp"
#include "ergon/gemm.h"
#include "support.hpp"

namespace {

constexpr int kSize = 16, kDepth = 1024;

struct Array {
  erg_rtl *rtl = nullptr;
  Array() {
    erg_rtl_config config{kSize, kSize, 8, 8, 32, kDepth, nullptr};
    test::Error error;
    if (erg_rtl_open(&config, stderr, &rtl, &error) != ERG_OK) std::fprintf(stderr, "%s\n", error.message().c_str());
  }
  ~Array() { erg_rtl_close(rtl); }
};

// The modules of the house with the textbook's cells, as one file that stands in for them.
bool write_textbook(const std::string &folder) {
  std::string text;
  for (const char *name : {"rtl/ergon_pkg", "rtl/ergon_sequencer", "tests/bench/textbook_array",
                           "rtl/ergon_accumulator", "rtl/ergon_epilogue", "rtl/ergon_top"})
    text += test::read_file(std::string(ERGON_TEST_SOURCE_DIR "/") + name + ".sv");
  test::write_file(folder + "/ergon_top.v", text); // whose parameters are 16 x 16, int8 and 1024 rows as they stand
  return text.find("module textbook_cell") != std::string::npos;
}

struct Problem {
  int m = kDepth, n = kSize, k = 8 * kSize;
  std::vector<int16_t> a, w, residual, y;
  std::vector<int64_t> bias;
  std::vector<erg_requant> scale;
  erg_gemm gemm{};
  Problem() {
    test::Random random(3);
    for (int i = 0; i < m * k; i++) a.push_back(static_cast<int16_t>(random.range(-128, 127)));
    for (int i = 0; i < n * k; i++) w.push_back(static_cast<int16_t>(random.range(-127, 127)));
    y.resize(static_cast<size_t>(m) * n), residual.resize(y.size());
    bias.assign(static_cast<size_t>(n), 0);
    scale.assign(bias.size(), erg_requant_from_real(1.0 / 1000));
    gemm.m = m, gemm.n = n, gemm.k = k, gemm.tile_count = 1, gemm.tile_rows = &m;
    gemm.a = a.data(), gemm.w = w.data(), gemm.residual = residual.data(), gemm.bias = bias.data();
    gemm.scale = scale.data();
    gemm.layer.low = -128, gemm.layer.high = 127, gemm.layer.residual_t = 31;
  }
  std::pair<std::vector<int16_t>, uint64_t> run(erg_rtl *rtl) {
    erg_gemm_run run{};
    test::Error error;
    run.watch = -1, run.output = y.data();
    if (erg_gemm_drive(rtl, kSize, kSize, &gemm, &run, &error) != ERG_OK)
      std::fprintf(stderr, "%s\n", error.message().c_str());
    return {y, run.cycles};
  }
};

// One fold of `kDepth` rows after another, operands that lie ready: nothing but the array and its ports is timed.
// `ends`: every fold ends its sums, so that a row leaves the epilogue each cycle; else they go into the accumulator
// memory.
void array_alone(benchmark::State &state, erg_rtl *rtl, bool ends) {
  int32_t codes[64][kSize], multiplier[kSize], t[kSize];
  int64_t bias[kSize] = {};
  test::Random random(4);
  for (auto &row : codes)
    for (int32_t &code : row) code = random.range(-128, 127);
  for (int i = 0; i < kSize; i++) multiplier[i] = 1 << 30, t[i] = 40;
  erg_rtl_fold fold{kDepth, ends, ends, false, 0};
  erg_rtl_layer layer{};
  layer.low = -128, layer.high = 127, layer.residual_t = 31;
  erg_rtl_start(rtl, &layer);
  unsigned edge = 0;
  for (auto _ : state)
    for (int i = 0; i < 1000; i++) {
      const erg_rtl_request want = *erg_rtl_requests(rtl);
      erg_rtl_supply supply{};
      if (want.weight) supply.weights = codes[edge % 64], supply.fold = &fold;
      if (want.activation) supply.activations = codes[(edge + 7) % 64];
      if (want.constants) supply.bias = bias, supply.multiplier = multiplier, supply.t = t;
      edge++;
      benchmark::DoNotOptimize(erg_rtl_clock(rtl, &supply));
    }
  state.SetItemsProcessed(state.iterations() * 1000 * kSize * kSize);
}

void whole_product(benchmark::State &state, erg_rtl *rtl, Problem *p) {
  for (auto _ : state) p->run(rtl);
  state.SetItemsProcessed(state.iterations() * p->m * p->n * p->k);
}

// Cycles a model gives of ResNet-18's s2b1_conv2 on `edge`, for a CPU second.
struct Layer {
  erg_arch arch{};
  erg_technology tech{};
  erg_graph graph{};
  Layer() {
    test::Error error;
    const char *text = "name: conv\ninput: {height: 28, width: 28, channels: 128}\nnodes:\n"
                       "  - {name: c, op: conv2d, K: 128, kernel: 3, pad: 1, bias: yes}\n";
    if (erg_arch_load("edge", nullptr, 0, &arch, &error) != ERG_OK ||
        erg_technology_load("horowitz-45nm", nullptr, 0, &tech, &error) != ERG_OK ||
        erg_graph_parse("conv.yaml", text, 1, nullptr, 0, &graph, &error) != ERG_OK)
      std::fprintf(stderr, "%s\n", error.message().c_str());
  }
  ~Layer() { erg_arch_free(&arch), erg_technology_free(&tech), erg_graph_free(&graph); }
  void run(benchmark::State &state, erg_model model, erg_dataflow dataflow) {
    erg_point point{};
    test::Error error;
    point.arch = &arch, point.technology = &tech, point.graph = &graph, point.fusion = ERG_FUSION_EPILOGUE;
    point.dataflow = dataflow, point.model = model, point.batch = 1, point.seed = 1;
    erg_precision_parse("int8", &point.precision, &error);
    uint64_t cycles = 0;
    for (auto _ : state) {
      erg_result result{};
      if (erg_run(&point, nullptr, &result, &error) != ERG_OK) return state.SkipWithError(error.message().c_str());
      cycles = result.activity.cycles;
      erg_result_free(&result);
    }
    state.SetItemsProcessed(static_cast<int64_t>(static_cast<uint64_t>(state.iterations()) * cycles));
  }
};

} // namespace

int main(int argc, char **argv) {
  test::Folder folder;
  if (!write_textbook(folder.path)) return 1;
  setenv("ERGON_RTL_SOURCES", folder.path.c_str(), 1);
  Array textbook;
  unsetenv("ERGON_RTL_SOURCES");
  Array house;
  if (!textbook.rtl || !house.rtl) return 1;
  Problem problem;
  auto first = problem.run(textbook.rtl), second = problem.run(house.rtl);
  if (first != second) {
    std::fprintf(stderr, "the two arrays differ\n");
    return 1;
  }
  std::printf("both arrays: %zu outputs equal, %llu cycles\n", first.first.size(),
              static_cast<unsigned long long>(first.second));
  for (auto [name, rtl] : {std::pair{"textbook", textbook.rtl}, {"ergon", house.rtl}}) {
    for (bool ends : {false, true})
      benchmark::RegisterBenchmark(
          ("16 x 16 int8, array alone" + std::string(ends ? ", a row out a cycle" : "") + " [GMAC/s]/" + name).c_str(),
          [rtl = rtl, ends](auto &state) { array_alone(state, rtl, ends); });
    benchmark::RegisterBenchmark(
        ("16 x 16 int8, 1024 x 128 x 16 with its driver [GMAC/s]/" + std::string(name)).c_str(),
        [rtl = rtl, &problem](auto &state) { whole_product(state, rtl, &problem); });
  }
  Layer layer;
  const struct {
    const char *name;
    erg_model model;
    erg_dataflow dataflow;
  } models[] = {{"analytic", ERG_MODEL_ANALYTIC, ERG_DATAFLOW_WS},
                {"systemc", ERG_MODEL_SYSTEMC, ERG_DATAFLOW_WS},
                {"rtl", ERG_MODEL_RTL, ERG_DATAFLOW_WS},
                {"rtl os", ERG_MODEL_RTL, ERG_DATAFLOW_OS}};
  for (const auto &m : models) // rtl: outputs checked against the golden kernel, which is part of it
    benchmark::RegisterBenchmark(("3 x 3 on 28 x 28 x 128, simulated [Gcycle/s]/" + std::string(m.name)).c_str(),
                                 [m, &layer](auto &state) { layer.run(state, m.model, m.dataflow); });
  return bench::run(argc, argv, "units as named", 1e-9);
}
