// SPDX-License-Identifier: GPL-3.0-or-later
// The precision-scalable array: every mode against the golden kernel and the formula, its faults, its models.
#include "../unit/sim/bench.hpp"
#include "ergon/gemm.h"
#include "width_check.hpp"

namespace {

struct Machine : Bench {
  Machine(const char *net, const char *arch_name = "tiny") : Bench(arch_name, net) { arch.mac = ERG_MAC_SCALABLE; }
};

} // namespace

// One built array serves all nine modes; odd widths run rounded up.
TEST(Scalable, EveryModeEqualsTheGoldenKernelAndTheFormula) {
  width::Total total;
  for (const char *precision :
       {"w2a2o8", "w2a4o8", "w4a2o8", "w2a8", "w8a2o8", "w4a4o8", "w4a8", "w8a4o8", "int8", "w3a5o8", "w7a3o8"})
    width::check(precision, 4, 3, 16, 60, 7, total, ERG_DATAFLOW_WS, ERG_MAC_SCALABLE);
  width::report(total);
}

TEST(Scalable, MutantsAreCaught) {
  for (const char *mutant : {"SIGN", "WEIGHT_ORDER"}) {
    Machine machine("hand-worked");
    erg_point point = machine.point("w4a4o8");
    point.graph = nullptr; // no network: outputs may be wider than activations
    erg_verify_options options{};
    options.quiet = true, options.cases = 40, options.only_case = -1, options.mutant = mutant;
    erg_verify_result result{};
    test::Error error;
    EXPECT_EQ(erg_verify_random(&point, &options, &result, &error), ERG_ERR_MISMATCH) << mutant;
    EXPECT_GT(result.mismatches, 100u) << mutant;
    erg_verify_result_free(&result);
  }
  Bench fixed("tiny", "hand-worked"); // which has no such fault: built in silence it would seem unnoticed
  erg_point point = fixed.point("int8");
  erg_verify_options options{};
  options.quiet = true, options.cases = 5, options.only_case = -1, options.mutant = "SIGN";
  erg_verify_result result{};
  test::Error error;
  EXPECT_EQ(erg_verify_random(&point, &options, &result, &error), ERG_ERR_USAGE);
  erg_verify_result_free(&result);
}

TEST(Scalable, ModelsAgreeAndLayersRun) {
  test::Folder f;
  test::write_file(f / "n.yaml", "name: n\ninput: {height: 9, width: 7, channels: 6}\nnodes:\n"
                                 "  - {name: a, op: conv2d, K: 10, kernel: 3, pad: 1, stride: 2, bias: yes}\n"
                                 "  - {name: r, op: relu}\n"
                                 "  - {name: d, op: conv2d, K: 10, kernel: 3, pad: 1, groups: 10}\n"
                                 "  - {name: e, op: conv2d, K: 10, kernel: 1}\n"
                                 "  - {name: s, op: add, inputs: [e, r]}\n"
                                 "  - {name: fc, op: fc, K: 40}\n");
  for (const char *precision : {"int8", "w2a4", "w3a6"}) {
    SCOPED_TRACE(precision);
    Machine machine((f / "n.yaml").c_str());
    machine.arch.rows = 4, machine.arch.cols = 3;
    erg_point point = machine.point(precision);
    Result formula(point);
    point.model = ERG_MODEL_SYSTEMC;
    Result events(point);
    ASSERT_EQ(formula.status, ERG_OK) << formula.error.message();
    ASSERT_EQ(events.status, ERG_OK) << events.error.message();
    erg_verify_options options{};
    options.quiet = true, options.gap_probability = 0.1;
    erg_verify_result rtl{};
    test::Error error;
    erg_status status = erg_verify(&point, &options, &rtl, &error);
    EXPECT_TRUE(status == ERG_OK || rtl.mismatches == 0) << error.message(); // so small a network may say too little
    EXPECT_EQ(rtl.mismatches, 0u);
    EXPECT_GT(rtl.checked_outputs, 300u);
    for (int i = 0; i < formula.layer_count; i++) {
      const erg_activity &a = formula.layers[i].activity, &s = events.layers[i].activity;
      for (int level = 0; level < machine.arch.level_count + 2; level++)
        for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
          EXPECT_EQ(a.read_bits[level][tensor], s.read_bits[level][tensor]) << level << " " << erg_tensor_names[tensor];
          EXPECT_EQ(a.write_bits[level][tensor], s.write_bits[level][tensor]) << level << erg_tensor_names[tensor];
        }
      EXPECT_EQ(a.array_cycles, s.array_cycles);
      EXPECT_EQ(rtl.rows[i].cycles_rtl, a.array_cycles) << rtl.rows[i].name;
    }
    erg_verify_result_free(&rtl);
  }
}

// A cell's energy a cycle is that of a fixed MAC times the technology's factor, shared by its products; sums and folds
// fall with them, off-chip bits do not change beside a native array of the same widths.
TEST(Scalable, CountsAndPricesFollowTheProducts) {
  Machine machine("resnet18", "edge");
  Bench native("edge", "resnet18");
  double last = 1e300;
  for (const char *precision : {"int8", "w4a8", "int4", "int2"}) {
    Result s(machine.point(precision)), n(native.point(precision)), eight(native.point("int8"));
    ASSERT_EQ(s.status, ERG_OK) << s.error.message();
    const int products = erg_arch_products(&machine.arch, &s.point.precision);
    double factor = machine.tech.scalable_mac.value / products;
    EXPECT_NEAR(s.energy.mac_pj, eight.energy.mac_pj * factor, 1e-9 * s.energy.mac_pj) << precision;
    EXPECT_EQ(erg_activity_level_bits(&s.activity, 0), erg_activity_level_bits(&n.activity, 0)) << precision;
    EXPECT_LT(static_cast<double>(s.activity.array_cycles), last);
    EXPECT_LE(s.utilization, 1);
    EXPECT_LT(s.area_um2, 0);
    last = static_cast<double>(s.activity.array_cycles);
  }
  Result wide(machine.point("int16")), floats(machine.point("fp16"));
  ASSERT_TRUE(wide.skipped && floats.skipped);
  EXPECT_NE(std::string(wide.reason).find("wider than the scalable MAC's 8 x 8 bits"), std::string::npos)
      << wide.reason;
  Machine none("resnet18", "edge");
  none.tech.scalable_mac.provenance.source = nullptr;
  Result unpriced(none.point("int4"));
  ASSERT_TRUE(unpriced.skipped);
  EXPECT_NE(std::string(unpriced.reason).find("no constant for a scalable MAC"), std::string::npos);
}
