// SPDX-License-Identifier: GPL-3.0-or-later
// Certificates of a network's layers hold for the layer that the program would run: its synthetic weights on its input.
#include "bench.hpp"
#include "ergon/certify.h"

TEST(Certify, HoldsForTheLayersOfANetwork) {
  Bench b("edge", "resnet18");
  erg_plan plan{};
  ASSERT_EQ(erg_plan_build(&b.graph, ERG_FUSION_EPILOGUE, nullptr, nullptr, &plan, &b.error), ERG_OK);
  const erg_precision p = test::precision("w4a6");
  int checked = 0;
  for (int i = 0; i < plan.pass_count; i++) {
    const erg_pass &pass = plan.passes[i];
    if (pass.kind != ERG_PASS_ARRAY || pass.int_counts.mac > 20000000)
      continue; // the small ones: the kernel saturates a term at a time
    SCOPED_TRACE(pass.name);
    erg_certify_row row{};
    test::Arena arena;
    ASSERT_EQ(erg_certify(&pass, &p, 1, &row, &b.error), ERG_OK) << b.error.message();
    EXPECT_EQ(row.reduction, erg_conv2d_reduction(&pass.conv));
    // |x - zp| <= 63, |w| <= 7: K * 441 and its sign bit.
    int bits = 1;
    while (((int64_t)1 << (bits - 1)) <= row.reduction * 441) bits++;
    EXPECT_EQ(row.worst.bits, bits);
    int16_t *input;
    int32_t zero;
    erg_pass alone = pass;
    alone.residual = -1;
    erg_synth_layer layer{};
    ASSERT_EQ(erg_synth_input(&arena, pass.in_shape, p.activation_bits, 1, &input, &zero, &b.error), ERG_OK);
    ASSERT_EQ(erg_synth_make(&arena, &alone, &p, 1, input, zero, nullptr, 0, &layer, &b.error), ERG_OK);
    std::vector<int64_t> sums(static_cast<size_t>(erg_shape_elements(pass.out_shape))), exact(sums.size());
    auto run = [&](int bits_, int zero_point, int64_t &clamped) {
      ASSERT_EQ(erg_conv2d_accumulate_policy_s16(&pass.conv, input, zero_point, layer.weight, bits_,
                                                 ERG_ACCUMULATE_SATURATE, sums.data(), &clamped, &b.error),
                ERG_OK);
    };
    int64_t clamped = -1;
    run(row.golden.bits, zero, clamped);
    EXPECT_EQ(clamped, 0) << row.golden.reason;
    for (size_t k = 0; k < sums.size(); k++) {
      int64_t with_bias = sums[k] + layer.bias[k % static_cast<size_t>(pass.conv.filters)];
      ASSERT_GE(with_bias, row.golden.low);
      ASSERT_LE(with_bias, row.golden.high);
    }
    // Raw codes: padding is the zero point there, so only maps without padding compare directly.
    if (pass.conv.pad_top == 0 && pass.conv.pad_left == 0) {
      run(row.array.bits, 0, clamped);
      EXPECT_EQ(clamped, 0) << row.array.reason;
    }
    checked++;
  }
  erg_plan_free(&plan);
  EXPECT_GE(checked, 4);
}

TEST(Certify, FloatingPointAndVectorPassesHaveNone) {
  Bench b("edge", "resnet18");
  erg_plan plan{};
  ASSERT_EQ(erg_plan_build(&b.graph, ERG_FUSION_NONE, nullptr, nullptr, &plan, &b.error), ERG_OK);
  const erg_precision real = test::precision("fp32"), integer = test::precision("int8");
  for (int i = 0; i < plan.pass_count; i++) {
    erg_certify_row row{};
    test::Error error;
    EXPECT_EQ(erg_certify(&plan.passes[i], &real, 1, &row, &error), ERG_ERR_UNSUPPORTED);
    if (plan.passes[i].kind != ERG_PASS_ARRAY)
      EXPECT_EQ(erg_certify(&plan.passes[i], &integer, 1, &row, &error), ERG_ERR_UNSUPPORTED);
  }
  erg_plan_free(&plan);
}
