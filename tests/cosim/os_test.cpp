// SPDX-License-Identifier: GPL-3.0-or-later
// The output-stationary array: bits, cycles and gaps over random cases; its deliberate faults; the layer of
// docs/model.md by hand in the dataflows os and is.
#include "../unit/sim/bench.hpp"
#include "ergon/gemm.h"

namespace {

struct Verdict {
  erg_verify_result result{};
  test::Error error;
  erg_status status;
  Verdict(const char *mutant, double gap, int rows = 4, int cols = 4, const char *precision = "int8") {
    Bench bench("tiny", "hand-worked");
    bench.arch.rows = rows, bench.arch.cols = cols;
    erg_point point = bench.point(precision);
    point.dataflow = ERG_DATAFLOW_OS;
    erg_verify_options options{};
    options.quiet = true, options.cases = 60, options.only_case = -1, options.mutant = mutant;
    options.gap_probability = gap;
    status = erg_verify_random(&point, &options, &result, &error);
  }
  ~Verdict() { erg_verify_result_free(&result); }
  int count(const char *text) const {
    int rows = 0;
    for (int i = 0; i < result.row_count; i++) rows += std::string(result.rows[i].status) == text;
    return rows;
  }
};

} // namespace

TEST(OutputStationary, EqualsTheGoldenKernelAndTheFormula) {
  for (auto [rows, cols] : {std::pair{4, 2}, {2, 5}, {7, 3}}) {
    Verdict v(nullptr, 0.3, rows, cols);
    EXPECT_EQ(v.status, ERG_OK) << v.error.message();
    EXPECT_EQ(v.count("ok"), 5);
    EXPECT_GT(v.result.checked_outputs, 1000u);
  }
}

TEST(OutputStationary, MutantsAreCaught) {
  for (const char *mutant : {"SKEW", "WEIGHT_ORDER"}) {
    Verdict v(mutant, 0);
    EXPECT_EQ(v.status, ERG_ERR_MISMATCH) << mutant;
    EXPECT_GE(v.count("mismatch"), 3) << mutant;
  }
  Verdict late("EXTRA_REGISTER", 0);
  EXPECT_EQ(late.status, ERG_ERR_MISMATCH);
  EXPECT_EQ(late.result.mismatches, 0u);
  EXPECT_EQ(late.count("cycles differ"), 5);
}

// docs/model.md, "Dataflows": the layer by hand in os and is.
TEST(Dataflows, HandWorked) {
  struct Hand {
    erg_dataflow dataflow;
    uint64_t array_cycles, weight_reads, constant_reads, psums, weight_registers, input_registers, psum_registers;
  };
  for (const Hand &hand : {Hand{ERG_DATAFLOW_WS, 37, 576, 864, 1280, 576, 1920, 7680},
                           Hand{ERG_DATAFLOW_OS, 33, 576, 864, 0, 1920, 1920, 10624},
                           Hand{ERG_DATAFLOW_IS, 39, 576, 864, 1280, 1920, 480, 7680}})
    for (erg_model model : {ERG_MODEL_ANALYTIC, ERG_MODEL_SYSTEMC}) {
      SCOPED_TRACE(std::string(erg_dataflow_names[hand.dataflow]) + " " + erg_model_names[model]);
      Bench bench("tiny", "hand-worked");
      erg_point point = bench.point("int8", ERG_FUSION_EPILOGUE, model);
      point.dataflow = hand.dataflow;
      Result r(point);
      ASSERT_EQ(r.status, ERG_OK) << r.error.message();
      const erg_activity &a = r.activity;
      const int weights = 2, accumulator = 4, registers = 5;
      EXPECT_EQ(r.layers[0].mapping.m_tiles, 3);
      EXPECT_EQ(a.array_cycles, hand.array_cycles);
      EXPECT_EQ(a.read_bits[1][ERG_TENSOR_INPUT], 480u);
      EXPECT_EQ(a.read_bits[weights][ERG_TENSOR_WEIGHT], hand.weight_reads);
      EXPECT_EQ(a.read_bits[weights][ERG_TENSOR_CONSTANT], hand.constant_reads);
      EXPECT_EQ(a.read_bits[accumulator][ERG_TENSOR_PSUM], hand.psums);
      EXPECT_EQ(a.write_bits[accumulator][ERG_TENSOR_PSUM], hand.psums);
      EXPECT_EQ(a.write_bits[registers][ERG_TENSOR_WEIGHT], hand.weight_registers);
      EXPECT_EQ(a.write_bits[registers][ERG_TENSOR_INPUT], hand.input_registers);
      EXPECT_EQ(a.write_bits[registers][ERG_TENSOR_PSUM], hand.psum_registers);
    }
}

// A whole layer through the machine, K in several stretches among them.
TEST(OutputStationary, LayersThroughTheMachine) {
  test::Folder f;
  test::write_file(f / "n.yaml", "name: n\ninput: {height: 9, width: 7, channels: 6}\nnodes:\n"
                                 "  - {name: a, op: conv2d, K: 10, kernel: 3, pad: 1, stride: 2, bias: yes}\n"
                                 "  - {name: r, op: relu}\n"
                                 "  - {name: d, op: conv2d, K: 10, kernel: 3, pad: 1, groups: 10}\n"
                                 "  - {name: e, op: conv2d, K: 10, kernel: 1}\n"
                                 "  - {name: s, op: add, inputs: [e, r]}\n"
                                 "  - {name: fc, op: fc, K: 40}\n");
  Bench bench("tiny", (f / "n.yaml").c_str());
  erg_point point = bench.point("int8", ERG_FUSION_EPILOGUE, ERG_MODEL_RTL);
  point.dataflow = ERG_DATAFLOW_OS;
  Result formula([&] {
    erg_point p = point;
    p.model = ERG_MODEL_ANALYTIC;
    return p;
  }());
  ASSERT_EQ(formula.status, ERG_OK) << formula.error.message();
  EXPECT_GT(formula.layers[formula.layer_count - 1].mapping.k_chunks, 1);
  erg_verify_options options{};
  options.quiet = true;
  for (double gap : {0.0, 0.2}) {
    options.gap_probability = gap;
    erg_verify_result result{};
    test::Error error;
    EXPECT_EQ(erg_verify(&point, &options, &result, &error), ERG_OK) << error.message();
    EXPECT_EQ(result.mismatches, 0u);
    EXPECT_GT(result.checked_outputs, 300u);
    for (int i = 0; i < result.row_count; i++) {
      EXPECT_EQ(result.rows[i].cycles_rtl, result.rows[i].cycles_formula) << result.rows[i].name;
      for (int level = 0; level < bench.arch.level_count + 2 && gap == 0; level++)
        for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
          const erg_activity &a = formula.layers[i].activity, &v = result.rows[i].activity;
          EXPECT_EQ(a.read_bits[level][tensor], v.read_bits[level][tensor]) << level << " " << erg_tensor_names[tensor];
          EXPECT_EQ(a.write_bits[level][tensor], v.write_bits[level][tensor])
              << level << " " << erg_tensor_names[tensor];
        }
    }
    erg_verify_result_free(&result);
  }
}
