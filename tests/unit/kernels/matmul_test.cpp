// SPDX-License-Identifier: GPL-3.0-or-later
// The golden matrix product against a 128-bit sum, its epilogue, and a convolution that computes the same.
#include "support.hpp"

namespace {

struct Case {
  erg_matmul_shape s;
  int32_t a_zero, b_zero;
  int bits;
  std::vector<int16_t> a, b;
  size_t outputs() const { return static_cast<size_t>(s.batch) * s.m * s.n; }
};

Case random_case(test::Random &r) {
  Case c{{r.range(1, 3), r.range(1, 6), r.range(1, 20), r.range(1, 6)}, 0, 0, r.range(8, 48), {}, {}};
  int wa = r.range(2, 16), wb = r.range(2, 16);
  auto draw = [&](std::vector<int16_t> &v, int width, int count, int32_t &zero) {
    int64_t edge = (int64_t)1 << (width - 1);
    bool rails = r.range(0, 3) == 0;
    v.resize(static_cast<size_t>(count));
    for (int16_t &x : v) x = static_cast<int16_t>(rails ? (r.coin() ? -edge : edge - 1) : r.range(-edge, edge - 1));
    zero = r.range(-edge, edge - 1);
  };
  draw(c.a, wa, c.s.batch * c.s.m * c.s.k, c.a_zero);
  draw(c.b, wb, c.s.batch * c.s.k * c.s.n, c.b_zero);
  return c;
}

std::vector<int64_t> textbook(const Case &c) {
  std::vector<int64_t> out;
  for (int batch = 0; batch < c.s.batch; batch++)
    for (int m = 0; m < c.s.m; m++)
      for (int n = 0; n < c.s.n; n++) {
        __int128 sum = 0, modulus = (__int128)1 << c.bits;
        for (int k = 0; k < c.s.k; k++)
          sum += ((__int128)c.a[static_cast<size_t>((batch * c.s.m + m) * c.s.k + k)] - c.a_zero) *
                 (c.b[static_cast<size_t>((batch * c.s.k + k) * c.s.n + n)] - c.b_zero);
        sum = (sum % modulus + modulus) % modulus;
        out.push_back(static_cast<int64_t>(sum >= modulus / 2 ? sum - modulus : sum));
      }
  return out;
}

} // namespace

TEST(Matmul, AccumulatorsEqualTheTextbook) {
  test::Random random(121);
  for (int round = 0; round < 1500; round++) {
    SCOPED_TRACE("seed 121, round " + std::to_string(round));
    Case c = random_case(random);
    std::vector<int64_t> got(c.outputs());
    test::Error error;
    ASSERT_EQ(erg_matmul_accumulate_s16(&c.s, c.a.data(), c.a_zero, c.b.data(), c.b_zero, c.bits, got.data(), &error),
              ERG_OK)
        << error.message();
    ASSERT_EQ(got, textbook(c));
  }
}

TEST(Matmul, OutputIsTheEpilogueOfTheAccumulatorUnderEveryRule) {
  test::Random random(122);
  for (int round = 0; round < 400; round++) {
    SCOPED_TRACE("seed 122, round " + std::to_string(round));
    Case c = random_case(random);
    std::vector<int64_t> sums = textbook(c), bias(static_cast<size_t>(c.s.n));
    std::vector<erg_requant> scale(bias.size());
    std::vector<int16_t> residual(sums.size()), out(sums.size());
    for (size_t n = 0; n < bias.size(); n++) {
      bias[n] = random.range(-500, 500);
      scale[n] = erg_requant_from_real(random.unit() / 64 + 1e-6);
    }
    for (int16_t &x : residual) x = static_cast<int16_t>(random.range(-128, 127));
    erg_epilogue e{bias.data(),
                   scale.data(),
                   3,
                   -128,
                   127,
                   random.coin() ? residual.data() : nullptr,
                   -4,
                   erg_requant_from_real(0.5),
                   static_cast<erg_rule>(round % ERG_RULE_COUNT)};
    test::Error error;
    ASSERT_EQ(erg_matmul_s16(&c.s, c.a.data(), c.a_zero, c.b.data(), c.b_zero, c.bits, &e, out.data(), &error), ERG_OK)
        << error.message();
    for (size_t i = 0; i < out.size(); i++) {
      size_t n = i % bias.size();
      int64_t y = e.zero_point + erg_requantize_rule(erg_wrap(sums[i] + bias[n], c.bits), scale[n], c.bits, e.rule);
      if (e.residual) y += erg_requantize_rule(residual[i] + 4, e.residual_scale, 32, e.rule);
      ASSERT_EQ(out[i], std::max<int64_t>(-128, std::min<int64_t>(127, y)));
    }
  }
}

TEST(Matmul, EqualsAGemmWhoseWeightsAreTheSecondOperandTransposed) {
  test::Random random(123);
  for (int round = 0; round < 200; round++) {
    Case c = random_case(random);
    c.s.batch = 1;
    c.b_zero = 0;
    std::vector<int16_t> weight;
    for (int n = 0; n < c.s.n; n++)
      for (int k = 0; k < c.s.k; k++) weight.push_back(c.b[static_cast<size_t>(k * c.s.n + n)]);
    erg_conv2d_shape s{{1, c.s.m, 1, c.s.k}, c.s.n, 1, 1, 1, 1, 0, 0, 1, c.s.m, 1};
    std::vector<int64_t> matmul(static_cast<size_t>(c.s.m * c.s.n)), conv(matmul.size());
    test::Error error;
    ASSERT_EQ(erg_matmul_accumulate_s16(&c.s, c.a.data(), c.a_zero, c.b.data(), 0, c.bits, matmul.data(), &error),
              ERG_OK);
    ASSERT_EQ(erg_conv2d_accumulate_s16(&s, c.a.data(), c.a_zero, weight.data(), c.bits, conv.data(), &error), ERG_OK);
    ASSERT_EQ(matmul, conv) << "seed 123, round " << round;
  }
}

TEST(Matmul, FloatReferenceEqualsExactIntegersInSmallCases) {
  test::Random random(124);
  for (int round = 0; round < 200; round++) {
    Case c = random_case(random);
    for (int16_t &x : c.a) x = static_cast<int16_t>(x % 16);
    for (int16_t &x : c.b) x = static_cast<int16_t>(x % 16);
    c.a_zero = c.b_zero = 0;
    c.bits = 48;
    std::vector<float> a(c.a.begin(), c.a.end()), b(c.b.begin(), c.b.end()), out(c.outputs());
    std::vector<int64_t> expected = textbook(c);
    test::Error error;
    ASSERT_EQ(erg_matmul_f32(&c.s, a.data(), b.data(), nullptr, out.data(), &error), ERG_OK);
    for (size_t i = 0; i < out.size(); i++) ASSERT_EQ(out[i], static_cast<float>(expected[i]));
  }
}

TEST(Matmul, RefusesIllegalArguments) {
  const erg_matmul_shape good{1, 2, 2, 2};
  std::vector<int16_t> x(4), y(4, 77);
  std::vector<int64_t> sums(4);
  const erg_requant scale[2] = {erg_requant_from_real(0.5), erg_requant_from_real(0.5)};
  erg_epilogue e{nullptr, scale, 0, -128, 127};
  test::Error error;
  EXPECT_EQ(erg_matmul_accumulate_s16(nullptr, x.data(), 0, x.data(), 0, 32, sums.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_matmul_accumulate_s16(&good, nullptr, 0, x.data(), 0, 32, sums.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_matmul_accumulate_s16(&good, x.data(), 0, x.data(), 0, 49, sums.data(), &error), ERG_ERR_DATA);
  for (erg_matmul_shape s :
       {erg_matmul_shape{0, 2, 2, 2}, {1, 0, 2, 2}, {1, 2, -1, 2}, {1, 2, 2, 0}, {1 << 20, 1 << 20, 2, 2}})
    EXPECT_EQ(erg_matmul_accumulate_s16(&s, x.data(), 0, x.data(), 0, 32, sums.data(), &error), ERG_ERR_DATA);
  auto run = [&](const erg_epilogue *epilogue) {
    return erg_matmul_s16(&good, x.data(), 0, x.data(), 0, 32, epilogue, y.data(), &error);
  };
  EXPECT_EQ(run(nullptr), ERG_ERR_DATA);
  e.scale = nullptr;
  EXPECT_EQ(run(&e), ERG_ERR_DATA);
  e.scale = scale;
  e.low = 128;
  EXPECT_EQ(run(&e), ERG_ERR_DATA);
  e.low = -128;
  e.rule = ERG_RULE_COUNT;
  EXPECT_EQ(run(&e), ERG_ERR_DATA);
  EXPECT_EQ(y, std::vector<int16_t>(4, 77)) << "outputs stay untouched on an error";
  e.rule = ERG_RULE_F;
  EXPECT_EQ(run(&e), ERG_OK) << error.message();
  const erg_requant no_float[2] = {{1 << 30, 0}, {1 << 30, 0}};
  e.scale = no_float;
  EXPECT_EQ(run(&e), ERG_ERR_DATA) << "rule F without its float32 scale";
}
