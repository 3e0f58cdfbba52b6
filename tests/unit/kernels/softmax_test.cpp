// SPDX-License-Identifier: GPL-3.0-or-later
// Softmax on codes: the exact form against sums of another identity, the integer form against the exact one.
#include "ergon/softmax.h"
#include "support.hpp"
#include <cmath>

namespace {

const erg_quantization int8_out = {1 / 256.0, -128, 8};

std::vector<int16_t> codes(test::Random &r, int64_t count, int bits, int kind) {
  std::vector<int16_t> x(static_cast<size_t>(count));
  int half = 1 << (bits - 1), middle = r.range(-half, half - 1);
  for (int16_t &v : x) {
    int q = kind == 0 ? r.range(-half, half - 1) : kind == 1 ? middle : middle + r.range(-3, 3);
    v = static_cast<int16_t>(std::max(-half, std::min(half - 1, q)));
  }
  return x;
}

// 1 / sum over j of exp(x_j - x_i): no maximum is subtracted, no numerator divided.
long double oracle(const int16_t *row, int64_t n, int64_t i, double scale) {
  long double sum = 0;
  for (int64_t j = 0; j < n; j++) sum += std::exp((long double)(row[j] - row[i]) * scale);
  return 1 / sum;
}

} // namespace

TEST(Softmax, ExactIsTheNearestCode) {
  test::Random r(81);
  int informative = 0;
  for (int round = 0; round < 400; round++) {
    SCOPED_TRACE("seed 81, round " + std::to_string(round));
    int bits = round % 5 ? 8 : r.range(2, 10);
    int64_t rows = r.range(1, 3), n = r.range(1, 60);
    erg_quantization in = {std::ldexp(0.5 + r.unit(), r.range(-7, 0)), r.range(-2, 1), bits};
    erg_quantization out =
        round % 3 ? int8_out : erg_quantization{std::ldexp(0.5 + r.unit() / 2, r.range(-12, -3)), r.range(-8, 7), 12};
    std::vector<int16_t> x = codes(r, rows * n, bits, round % 4 % 3), y(x.size());
    test::Error error;
    ASSERT_EQ(erg_softmax_exact_s16(rows, n, x.data(), in, out, y.data(), &error), ERG_OK) << error.message();
    for (int64_t i = 0; i < rows * n; i++) {
      long double p = oracle(&x[static_cast<size_t>(i / n * n)], n, i % n, in.scale) / out.scale;
      long double half = std::ldexp(1.0L, out.bits - 1), want = std::floor(p + 0.5L) + out.zero_point;
      if (std::fabs(p - std::floor(p) - 0.5L) < 1e-13L) continue; // ties: the next test
      want = std::max(-half, std::min(half - 1, want));
      ASSERT_EQ(y[static_cast<size_t>(i)], static_cast<int>(want)) << "n " << n << " element " << i;
      informative += want > out.zero_point && want < half - 1;
    }
  }
  EXPECT_GT(informative, 3000);
}

TEST(Softmax, TiesGoToEvenAndOneIsTheLastCode) {
  std::vector<int16_t> x(512, 7), y(512);
  test::Error error;
  ASSERT_EQ(erg_softmax_exact_s16(1, 512, x.data(), {0.1, 0, 8}, int8_out, y.data(), &error), ERG_OK);
  for (int16_t v : y) EXPECT_EQ(v, -128); // 256/512 = 0.5 -> 0
  ASSERT_EQ(erg_softmax_exact_s16(1, 512, x.data(), {0.1, 0, 8}, {1 / 768.0, 0, 8}, y.data(), &error), ERG_OK);
  for (int16_t v : y) EXPECT_EQ(v, 2); // 1.5 -> 2
  ASSERT_EQ(erg_softmax_exact_s16(1, 1, x.data(), {0.1, 0, 8}, int8_out, y.data(), &error), ERG_OK);
  EXPECT_EQ(y[0], 127);
}

// The wider the table's words, the nearer; measured, printed, and held to what was measured.
TEST(Softmax, IntegerFormStaysWithinAStatedDistance) {
  const struct {
    int fraction, most;
    double share;
  } stated[] = {{8, 6, 0.05}, {12, 1, 0.004}, {16, 1, 0.001}, {23, 1, 1e-4}};
  for (const auto &s : stated) {
    test::Random r(82);
    int most = 0;
    int64_t different = 0, all = 0;
    for (int round = 0; round < 600; round++) {
      int64_t n = round % 10 ? r.range(1, 100) : 1024;
      erg_quantization in = {std::ldexp(0.5 + r.unit(), r.range(-6, -3)), 0, 8};
      double sigma = 0.5 + 2 * r.unit(); // of the logits: most codes are above zero, few rows are one-hot
      std::vector<int16_t> x(static_cast<size_t>(n)), y(x.size()), exact(x.size());
      for (int16_t &v : x) v = erg_quantization_round(in, sigma * erg_random_normal(&r));
      std::vector<int32_t> table(256);
      erg_softmax_unit unit;
      test::Error error;
      ASSERT_EQ(erg_softmax_unit_init(in, int8_out, s.fraction, table.data(), &unit, &error), ERG_OK);
      ASSERT_EQ(erg_softmax_unit_s16(&unit, 1, n, x.data(), y.data(), &error), ERG_OK) << error.message();
      ASSERT_EQ(erg_softmax_exact_s16(1, n, x.data(), in, int8_out, exact.data(), &error), ERG_OK);
      for (size_t i = 0; i < x.size(); i++) {
        most = std::max(most, std::abs(y[i] - exact[i]));
        different += y[i] != exact[i];
        all += exact[i] > -128;
      }
    }
    double share = static_cast<double>(different) / static_cast<double>(all);
    std::printf("softmax in integers, %2d fraction bits: at most %d LSB of 1/256, %.3f differ of 100 codes above 0\n",
                s.fraction, most, 100 * share);
    EXPECT_LE(most, s.most) << "seed 82, fraction " << s.fraction;
    EXPECT_LE(share, s.share) << "seed 82, fraction " << s.fraction;
  }
}

TEST(Softmax, IntegerFormTakesAnyOutputCodesAndLongRows) {
  test::Random r(83);
  for (int round = 0; round < 200; round++) {
    SCOPED_TRACE("seed 83, round " + std::to_string(round));
    int bits = r.range(2, 10), out_bits = r.range(4, 16);
    int64_t n = round ? r.range(1, 300) : 70000;
    erg_quantization in = {std::ldexp(0.5 + r.unit(), r.range(-8, -2)), 0, bits};
    erg_quantization out = {std::ldexp(0.5 + r.unit() / 2, r.range(-16, 0)), -(1 << (out_bits - 1)), out_bits};
    std::vector<int16_t> x = codes(r, n, bits, round % 3), y(x.size()), exact(x.size());
    std::vector<int32_t> table(static_cast<size_t>(1) << bits);
    erg_softmax_unit unit;
    test::Error error;
    ASSERT_EQ(erg_softmax_unit_init(in, out, 23, table.data(), &unit, &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_softmax_unit_s16(&unit, 1, n, x.data(), y.data(), &error), ERG_OK);
    ASSERT_EQ(erg_softmax_exact_s16(1, n, x.data(), in, out, exact.data(), &error), ERG_OK);
    for (size_t i = 0; i < x.size(); i++) ASSERT_LE(std::abs(y[i] - exact[i]), 1) << "n " << n << " element " << i;
  }
}

// The definition, step by step, with division in place of shifts. Short rows and 16-bit outputs: about one in 2^15 of
// them shows a change in the last bit of the reciprocal.
TEST(Softmax, IntegerFormIsItsDefinitionBitForBit) {
  using Wide = __int128;
  auto power = [](int k) { return (Wide)1 << k; };
  auto down = [](Wide a, Wide b) { return a / b - (a % b < 0); };
  test::Random r(85);
  for (int round = 0; round < 1000; round++) {
    SCOPED_TRACE("seed 85, round " + std::to_string(round));
    erg_quantization in = {std::ldexp(0.5 + r.unit(), r.range(-8, -5)), 0, 8};
    erg_quantization out = {std::ldexp(0.5 + r.unit() / 2, -15), -32768, 16};
    const int fraction = round % 4 ? 23 : r.range(8, 23);
    std::vector<int32_t> table(256);
    std::vector<Wide> e;
    erg_softmax_unit unit;
    test::Error error;
    ASSERT_EQ(erg_softmax_unit_init(in, out, fraction, table.data(), &unit, &error), ERG_OK);
    for (int d = 0; d < 256; d++) e.push_back(std::llrint(std::ldexp(std::exp(-d * in.scale), fraction)));
    const erg_requant inverse = erg_requant_from_real(1 / out.scale);
    for (int row = 0; row < 300; row++) {
      int64_t n = row ? r.range(2, 4) : 300;
      std::vector<int16_t> x = codes(r, n, 8, 0), y(x.size());
      ASSERT_EQ(erg_softmax_unit_s16(&unit, 1, n, x.data(), y.data(), &error), ERG_OK);
      int most = *std::max_element(x.begin(), x.end()), k = 0;
      Wide sum = 0;
      for (int16_t q : x) sum += e[static_cast<size_t>(most - q)];
      while (power(k) <= sum) k++;
      Wide scaled = down(power(k + 30) / sum * inverse.multiplier * 2 + power(31), power(32));
      for (size_t i = 0; i < x.size(); i++) {
        int t = k + 30 - inverse.shift;
        Wide want = down(e[static_cast<size_t>(most - x[i])] * scaled * 2 + power(t), power(t + 1)) + out.zero_point;
        ASSERT_EQ(y[i], static_cast<int>(std::min<Wide>(want, 32767))) << "row " << row << " element " << i;
      }
    }
  }
}

// Two codes half an octave apart, by hand: E = 2^8 and rint(2^8 exp(-0.5)) = 155; 411 = 9 bits.
TEST(Softmax, HandWorkedRow) {
  const int16_t x[] = {5, 0};
  int16_t y[2];
  int32_t table[256];
  erg_softmax_unit unit;
  test::Error error;
  ASSERT_EQ(erg_softmax_unit_init({0.1, 0, 8}, int8_out, 8, table, &unit, &error), ERG_OK);
  EXPECT_EQ(table[0], 256);
  EXPECT_EQ(table[5], 155);
  ASSERT_EQ(erg_softmax_unit_s16(&unit, 1, 2, x, y, &error), ERG_OK);
  EXPECT_EQ(y[0], 159 - 128); // 256 * 256/411 = 159.455
  EXPECT_EQ(y[1], 97 - 128);  // 256 * 155/411 = 96.545
}

TEST(Softmax, FloatSumsToOne) {
  test::Random r(84);
  std::vector<float> x(300), y(300);
  for (float &v : x) v = static_cast<float>(r.unit() * 200 - 100);
  test::Error error;
  ASSERT_EQ(erg_softmax_f32(3, 100, x.data(), y.data(), &error), ERG_OK);
  for (size_t row = 0; row < 3; row++) {
    double sum = 0, total = 0;
    for (size_t i = 0; i < 100; i++) total += std::exp(static_cast<double>(x[100 * row + i]));
    for (size_t i = 0; i < 100; i++) {
      sum += y[100 * row + i];
      ASSERT_NEAR(y[100 * row + i], std::exp(static_cast<double>(x[100 * row + i])) / total, 2e-6);
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(Softmax, RefusesIllegalArguments) {
  int16_t x[2] = {3, 8}, y[2] = {99, 99};
  int32_t table[16];
  float f[2] = {};
  erg_softmax_unit unit;
  test::Error error;
  const erg_quantization in = {0.1, 0, 4};
  EXPECT_EQ(erg_softmax_exact_s16(1, 2, x, in, int8_out, y, &error), ERG_ERR_DATA); // 8 is no int4
  EXPECT_EQ(y[0], 99);
  EXPECT_EQ(erg_softmax_exact_s16(1, 0, x, in, int8_out, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_softmax_exact_s16(1, 1, x, {0, 0, 4}, int8_out, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_softmax_exact_s16(INT64_MAX, 2, x, in, int8_out, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_softmax_unit_init(in, int8_out, 24, table, &unit, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_softmax_unit_init(in, {2, 0, 8}, 16, table, &unit, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_softmax_unit_init(in, int8_out, 16, nullptr, &unit, &error), ERG_ERR_DATA);
  ASSERT_EQ(erg_softmax_unit_init(in, int8_out, 16, table, &unit, &error), ERG_OK);
  EXPECT_EQ(erg_softmax_unit_s16(&unit, 1, 2, x, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_softmax_unit_s16(nullptr, 1, 1, x, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(y[0], 99);
  EXPECT_EQ(erg_softmax_f32(0, 1, f, f, &error), ERG_ERR_DATA);
}
