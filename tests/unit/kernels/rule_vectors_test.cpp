// SPDX-License-Identifier: GPL-3.0-or-later
// The tie vectors: expectations worked out by hand, every pair of rules told apart, and every requantizing kernel
// shown to obey the rule it is given.
#include "support.hpp"
#include <functional>

namespace {

const erg_rule all_rules[] = {ERG_RULE_S, ERG_RULE_D, ERG_RULE_F, ERG_RULE_A};

// Tie vectors whose x is an 8-bit code, under `scale`'s multiplier: what each kernel below is fed.
const erg_requant half = erg_requant_from_real(0.5), quarter = erg_requant_from_real(0.25);
const std::vector<int16_t> codes = {-10, -6, -2, -1, 1, 2, 10};

// One output a code; a kernel that forgets its rule computes the same under two of them.
using Kernel = std::function<erg_status(erg_rule, const erg_requant &, std::vector<int16_t> &)>;

void expect_rules(const char *name, const Kernel &kernel) {
  for (const erg_requant &scale : {half, quarter})
    for (erg_rule rule : all_rules) {
      std::vector<int16_t> got(codes.size());
      ASSERT_EQ(kernel(rule, scale, got), ERG_OK) << name;
      for (size_t i = 0; i < codes.size(); i++)
        ASSERT_EQ(got[i], erg_requantize_rule(codes[i], scale, 32, rule))
            << name << ", rule " << erg_rule_names[rule] << ", x " << codes[i];
    }
}

} // namespace

TEST(RuleVectors, HoldUnderEveryRule) {
  for (int i = 0; i < erg_rule_vector_count; i++) {
    const erg_rule_vector &v = erg_rule_vectors[i];
    for (erg_rule rule : all_rules)
      EXPECT_EQ(erg_requantize_rule(v.x, v.scale, v.accumulator_bits, rule), v.expected[rule])
          << "vector " << i << " (" << v.why << "), rule " << erg_rule_names[rule];
  }
}

TEST(RuleVectors, TellEveryPairOfRulesApart) {
  for (erg_rule a : all_rules)
    for (erg_rule b : all_rules) {
      if (a >= b) continue;
      int expected = 0, computed = 0;
      for (int i = 0; i < erg_rule_vector_count; i++) {
        const erg_rule_vector &v = erg_rule_vectors[i];
        expected += v.expected[a] != v.expected[b];
        computed += erg_requantize_rule(v.x, v.scale, v.accumulator_bits, a) !=
                    erg_requantize_rule(v.x, v.scale, v.accumulator_bits, b);
      }
      EXPECT_GE(expected, 2) << erg_rule_names[a] << " and " << erg_rule_names[b];
      EXPECT_EQ(computed, expected) << erg_rule_names[a] << " and " << erg_rule_names[b];
    }
}

// The codes the kernels are fed tell the rules apart too: a kernel deaf to its rule cannot pass below.
TEST(RuleVectors, SmallCodesTellEveryPairApart) {
  for (erg_rule a : all_rules)
    for (erg_rule b : all_rules) {
      if (a >= b) continue;
      bool differ = false;
      for (int16_t x : codes)
        for (const erg_requant &scale : {half, quarter})
          differ |= erg_requantize_rule(x, scale, 32, a) != erg_requantize_rule(x, scale, 32, b);
      EXPECT_TRUE(differ) << erg_rule_names[a] << " and " << erg_rule_names[b];
    }
}

// With random 31-bit multipliers S and A meet no tie: the reason why the vectors exist.
TEST(RuleVectors, RandomMultipliersTellNothingAboutTies) {
  test::Random random(141);
  for (int round = 0; round < 100000; round++) {
    erg_requant q = {static_cast<int32_t>(erg_random_range(&random, 1 << 30, INT32_MAX)), random.range(-12, -2)};
    int64_t x = random.range(-(1 << 20), 1 << 20);
    ASSERT_EQ(erg_requantize_rule(x, q, 32, ERG_RULE_S), erg_requantize_rule(x, q, 32, ERG_RULE_A))
        << x << " " << q.multiplier;
  }
}

TEST(RuleVectors, EveryKernelObeysItsRule) {
  const int n = static_cast<int>(codes.size());
  const int16_t one = 1;
  const std::vector<int64_t> sums(codes.begin(), codes.end());
  const erg_codes wide{0, -128, 127};
  expect_rules("conv2d", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_conv2d_shape s{{1, n, 1, 1}, 1, 1, 1, 1, 1, 0, 0, 1, n, 1};
    erg_epilogue e{nullptr, &scale, 0, -128, 127, nullptr, 0, {}, rule};
    return erg_conv2d_s16(&s, codes.data(), 0, &one, 32, &e, y.data(), nullptr);
  });
  expect_rules("conv2d's residual", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    const erg_requant nothing{};
    const int16_t zero = 0;
    erg_conv2d_shape s{{1, n, 1, 1}, 1, 1, 1, 1, 1, 0, 0, 1, n, 1};
    erg_epilogue e{nullptr, &nothing, 0, -128, 127, codes.data(), 0, scale, rule};
    return erg_conv2d_s16(&s, codes.data(), 0, &zero, 32, &e, y.data(), nullptr);
  });
  expect_rules("matmul", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_matmul_shape s{1, n, 1, 1};
    erg_epilogue e{nullptr, &scale, 0, -128, 127, nullptr, 0, {}, rule};
    return erg_matmul_s16(&s, codes.data(), 0, &one, 0, 32, &e, y.data(), nullptr);
  });
  expect_rules("add, first", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_add_params p{0, 0, 0, -128, 127, scale, {}, rule};
    return erg_add_s16(n, codes.data(), codes.data(), &p, y.data(), nullptr);
  });
  expect_rules("add, second", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_add_params p{0, 0, 0, -128, 127, {}, scale, rule};
    return erg_add_s16(n, codes.data(), codes.data(), &p, y.data(), nullptr);
  });
  expect_rules("requantize, tensor", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_requant_tensor q{rule, scale};
    return erg_requantize_tensor_s16(n, codes.data(), 0, &q, &wide, y.data(), nullptr);
  });
  expect_rules("requantize, channels", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_requant_channels q{rule, 1, &scale};
    return erg_requantize_channels_s16(n, codes.data(), 0, &q, &wide, y.data(), nullptr);
  });
  expect_rules("accumulators, tensor", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_requant_tensor q{rule, scale};
    return erg_requantize_tensor_s64(n, sums.data(), 32, &q, &wide, y.data(), nullptr);
  });
  expect_rules("accumulators, channels", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_requant_channels q{rule, 1, &scale};
    return erg_requantize_channels_s64(n, sums.data(), 32, &q, &wide, y.data(), nullptr);
  });
  expect_rules("mul", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    const std::vector<int16_t> ones(codes.size(), 1);
    erg_mul_params p{0, 0, 32, {rule, scale}, wide};
    return erg_mul_s16(n, codes.data(), ones.data(), &p, y.data(), nullptr);
  });
  expect_rules("channel mul", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_mul_params p{0, 0, 32, {rule, scale}, wide};
    return erg_channel_mul_s16({1, n, 1, 1}, codes.data(), &one, &p, y.data(), nullptr);
  });
  expect_rules("concat", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_concat_input in{codes.data(), 1, 0, scale};
    return erg_concat_s16(n, 1, &in, rule, &wide, y.data(), nullptr);
  });
  expect_rules("batch norm", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    const int32_t weight = 1;
    const int64_t bias = 0;
    erg_batch_norm_params p{0, &weight, &bias, {rule, 1, &scale}, wide};
    return erg_batch_norm_s16(n, codes.data(), &p, y.data(), nullptr);
  });
  expect_rules("global average", [&](erg_rule rule, const erg_requant &scale, std::vector<int16_t> &y) {
    erg_requant_tensor q{rule, scale};
    return erg_global_avg_pool_s16({1, 1, 1, n}, codes.data(), 0, 32, &q, &wide, y.data(), nullptr);
  });
}
