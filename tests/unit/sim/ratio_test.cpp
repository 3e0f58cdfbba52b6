// SPDX-License-Identifier: GPL-3.0-or-later
// What a width saves, part by part, on every ResNet-50 layer under `epilogue` with the same tile: MAC 15.33, element
// bits 4, partial sums 1. And fusion never moves more off-chip.
#include "bench.hpp"
#include <cmath>

TEST(Ratio, Fp32ToInt8PartByPart) {
  Bench bench("edge", "resnet50");
  erg_point wide = bench.point("fp32"), narrow = bench.point("int8");
  test::Error error;
  erg_plan plan{};
  ASSERT_EQ(erg_plan_build(&bench.graph, ERG_FUSION_EPILOGUE, nullptr, nullptr, &plan, &error), ERG_OK);
  int checked = 0;
  for (int i = 0; i < plan.pass_count; i++) {
    const erg_pass &pass = plan.passes[i];
    if (pass.kind != ERG_PASS_ARRAY) continue;
    SCOPED_TRACE(pass.name);
    erg_geometry gw, gn;
    erg_mapping mw, mn;
    erg_activity aw, an;
    erg_geometry_of(&pass, &wide.precision, &gw);
    erg_geometry_of(&pass, &narrow.precision, &gn);
    ASSERT_EQ(erg_map(&bench.arch, &gw, &mw, &error), ERG_OK);
    mn = mw; // the tile that fp32 allows fits int8 too
    ASSERT_EQ(erg_map_given(&bench.arch, &gn, &mn, &error), ERG_OK) << error.message();
    erg_analytic(&bench.arch, &gw, &mw, &pass.float_counts, &aw);
    erg_analytic(&bench.arch, &gn, &mn, &pass.int_counts, &an);
    erg_price_machine machine;
    erg_energy ew{}, en{};
    erg_arch_price_machine(&bench.arch, &wide.precision, &machine);
    ASSERT_EQ(erg_price(&bench.tech, &machine, &aw, &wide.precision, &wide.precision, &ew, &error), ERG_OK)
        << error.message();
    ASSERT_EQ(erg_price(&bench.tech, &machine, &an, &narrow.precision, &narrow.precision, &en, &error), ERG_OK)
        << error.message();
    EXPECT_NEAR(ew.mac_pj / en.mac_pj, 15.33, 0.005);
    for (int level = 0; level < bench.arch.level_count; level++)
      for (erg_tensor tensor : {ERG_TENSOR_INPUT, ERG_TENSOR_WEIGHT, ERG_TENSOR_RESIDUAL, ERG_TENSOR_OUTPUT}) {
        EXPECT_EQ(aw.read_bits[level][tensor], 4 * an.read_bits[level][tensor])
            << level << " " << erg_tensor_names[tensor];
        EXPECT_EQ(aw.write_bits[level][tensor], 4 * an.write_bits[level][tensor])
            << level << " " << erg_tensor_names[tensor];
        if (en.level_tensor_pj[level][tensor] > 0)
          EXPECT_NEAR(ew.level_tensor_pj[level][tensor] / en.level_tensor_pj[level][tensor], 4, 1e-9);
      }
    int accumulator = ERG_LEVEL_ACCUMULATOR(bench.arch.level_count);
    EXPECT_EQ(aw.read_bits[accumulator][ERG_TENSOR_PSUM], an.read_bits[accumulator][ERG_TENSOR_PSUM]);
    EXPECT_DOUBLE_EQ(ew.level_pj[accumulator], en.level_pj[accumulator]);
    EXPECT_LT(aw.read_bits[0][ERG_TENSOR_CONSTANT],
              an.read_bits[0][ERG_TENSOR_CONSTANT]); // per-channel constants: below 1
    EXPECT_LT(ew.total_pj / en.total_pj, 15.34);
    checked++;
  }
  EXPECT_EQ(checked, 54);
  erg_plan_free(&plan);
}

TEST(Ratio, FusionNeverRaisesOffChipTraffic) {
  for (const char *arch : {"edge", "cloud"})
    for (const char *net : {"resnet18", "resnet50", "mobilenetv2", "vgg16"}) {
      Bench bench(arch, net);
      for (const char *precision : {"fp32", "int16", "int8", "int4", "w4a8"}) {
        uint64_t before = UINT64_MAX;
        for (erg_fusion fusion :
             {ERG_FUSION_WIDE, ERG_FUSION_NONE, ERG_FUSION_FOLD, ERG_FUSION_EPILOGUE, ERG_FUSION_DEPTH}) {
          Result r(bench.point(precision, fusion));
          ASSERT_EQ(r.status, ERG_OK) << r.error.message();
          ASSERT_FALSE(r.skipped) << r.reason;
          uint64_t bits = erg_activity_level_bits(&r.activity, 0);
          EXPECT_LE(bits, before) << arch << " " << net << " " << precision << " " << erg_fusion_names[fusion];
          before = bits;
        }
      }
    }
}

TEST(Ratio, OneWidthMovesItsOwnParts) {
  Bench bench("edge", "resnet18");
  Result base(bench.point("int8")), weights(bench.point("w4a8")), sums(bench.point("w8a8p24"));
  int level = erg_arch_scratchpad(&bench.arch, ERG_TENSOR_WEIGHT),
      accumulator = ERG_LEVEL_ACCUMULATOR(bench.arch.level_count);
  EXPECT_EQ(weights.activity.read_bits[level][ERG_TENSOR_WEIGHT] * 2,
            base.activity.read_bits[level][ERG_TENSOR_WEIGHT]);
  EXPECT_LT(weights.energy.mac_pj, base.energy.mac_pj);
  EXPECT_EQ(weights.activity.array_cycles, base.activity.array_cycles);
  EXPECT_EQ(sums.activity.read_bits[accumulator][ERG_TENSOR_PSUM] * 4,
            base.activity.read_bits[accumulator][ERG_TENSOR_PSUM] * 3);
  EXPECT_EQ(sums.energy.mac_pj, base.energy.mac_pj);
}

// An int8 add with its requantizations costs more than an fp32 add.
TEST(Ratio, AnInt8AddCostsMoreThanAnFp32Add) {
  Bench bench("edge", "resnet18");
  Result wide(bench.point("fp32", ERG_FUSION_NONE)), narrow(bench.point("int8", ERG_FUSION_NONE));
  double fp32 = 0, int8 = 0;
  for (int i = 0; i < wide.layer_count; i++)
    if (std::string(wide.layers[i].pass->kind_name) == "add") {
      fp32 += wide.layers[i].energy.other_ops_pj;
      int8 += narrow.layers[i].energy.other_ops_pj;
    }
  EXPECT_GT(fp32, 0);
  EXPECT_LT(fp32 / int8, 1);
}
