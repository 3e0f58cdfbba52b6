// SPDX-License-Identifier: GPL-3.0-or-later
// Synthetic parameters must make outputs that say something: spread over the codes, few on the rails.
#include "net.hpp"
#include <set>

namespace {

struct Outcome {
  int distinct;
  double low, high;
  std::vector<int16_t> codes;
};

Outcome run(const Net &g, const char *precision_text, uint64_t seed) {
  test::Error error;
  test::Arena arena;
  erg_plan plan{};
  EXPECT_EQ(erg_plan_build(&g, ERG_FUSION_EPILOGUE, nullptr, nullptr, &plan, &error), ERG_OK);
  erg_precision p = test::precision(precision_text);
  int16_t *input, *residual = nullptr;
  int32_t zp, residual_zp = 0;
  EXPECT_EQ(erg_synth_input(&arena, g.nodes[0].out, p.activation_bits, seed, &input, &zp, &error), ERG_OK);
  const erg_pass &pass = plan.passes[plan.pass_count - 1];
  if (pass.residual >= 0)
    EXPECT_EQ(erg_synth_input(&arena, pass.out_shape, p.activation_bits, seed + 1, &residual, &residual_zp, &error),
              ERG_OK);
  erg_synth_layer layer{};
  EXPECT_EQ(erg_synth_make(&arena, &pass, &p, seed, input, zp, residual, residual_zp, &layer, &error), ERG_OK)
      << error.message();
  for (int64_t i = 0; i < pass.conv.filters * erg_conv2d_reduction(&pass.conv); i++)
    EXPECT_LE(std::abs(layer.weight[i]), (1 << (p.weight_bits - 1)) - 1);
  erg_epilogue e{layer.bias, layer.scale, layer.zero_point,          layer.low,
                 layer.high, residual,    layer.residual_zero_point, layer.residual_scale};
  Outcome o;
  o.codes.resize(static_cast<size_t>(erg_shape_elements(pass.out_shape)));
  EXPECT_EQ(erg_conv2d_s16(&pass.conv, input, zp, layer.weight, p.accumulator_bits, &e, o.codes.data(), &error), ERG_OK)
      << error.message();
  double low = 0, high = 0;
  for (int16_t c : o.codes) {
    low += c == layer.low;
    high += c == layer.high;
  }
  o.low = low / static_cast<double>(o.codes.size());
  o.high = high / static_cast<double>(o.codes.size());
  o.distinct = static_cast<int>(std::set<int16_t>(o.codes.begin(), o.codes.end()).size());
  erg_plan_free(&plan);
  return o;
}

} // namespace

TEST(Synth, OutputsAreInformative) {
  const std::pair<const char *, bool> layers[] = {
      {"  - {name: c, op: conv2d, K: 16, kernel: 3, pad: 1}\n  - {name: b, op: batch_norm}\n  - {name: r, op: relu}\n",
       true},
      {"  - {name: c, op: conv2d, K: 16, kernel: 3, pad: 1}\n  - {name: r, op: relu6}\n", true},
      {"  - {name: c, op: conv2d, K: 8, kernel: 3, stride: 2, pad: 1, groups: 8}\n", false},
      {"  - {name: c, op: conv2d, K: 1, kernel: 1}\n", false},
      {"  - {name: c, op: conv2d, K: 8, kernel: 1}\n  - {name: s, op: add, inputs: [c, input]}\n  - {name: r, op: "
       "relu}\n",
       true},
      {"  - {name: c, op: fc, K: 400, bias: yes}\n", false},
  };
  for (const auto &[nodes, relu] : layers)
    for (uint64_t seed = 1; seed <= 5; seed++) {
      SCOPED_TRACE(std::string(nodes) + " seed " + std::to_string(seed));
      Net g(net(nodes, 14, 14, 8));
      ASSERT_EQ(g.status, ERG_OK) << g.error.message();
      Outcome o = run(g, "int8", seed);
      EXPECT_GE(o.distinct, 32);
      EXPECT_LE(o.high, 0.25);
      EXPECT_LE(o.low, relu ? 0.75 : 0.25);
    }
}

TEST(Synth, IsAFunctionOfSeedAndName) {
  Net g(net("  - {name: c, op: conv2d, K: 8, kernel: 3}\n", 10, 10, 4)),
      other(net("  - {name: d, op: conv2d, K: 8, kernel: 3}\n", 10, 10, 4));
  EXPECT_EQ(run(g, "int8", 3).codes, run(g, "int8", 3).codes);
  EXPECT_NE(run(g, "int8", 3).codes, run(g, "int8", 4).codes);
  EXPECT_NE(run(g, "int8", 3).codes, run(other, "int8", 3).codes);
}

TEST(Synth, NarrowWidthsStayInRange) {
  Net g(net("  - {name: c, op: conv2d, K: 8, kernel: 3}\n", 10, 10, 4));
  for (const char *p : {"int2", "int3", "int4", "w2a8", "w8a4", "int16"}) run(g, p, 1);
}
