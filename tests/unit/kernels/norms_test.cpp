// SPDX-License-Identifier: GPL-3.0-or-later
// Dynamic norms in integers against long double over the dequantized codes: within 1 LSB of the correctly rounded
// result everywhere, and equal to it nearly everywhere.
#include "ergon/norms.h"
#include "ergon/quantization.h"
#include "support.hpp"
#include <cmath>

namespace {

enum Kind { INSTANCE, LAYER, RMS };
enum Fill { UNIFORM, GAUSSIAN, FLAT, ZERO, OUTLIER, RAILS, ONE_OFF, FILLS };

struct Affine {
  std::vector<double> gamma, beta;
  std::vector<int32_t> multiplier;
  std::vector<int64_t> bias;
  erg_norm_affine affine{};
};

void make_affine(Affine *a, int channels, erg_quantization out) {
  a->multiplier.resize(static_cast<size_t>(channels));
  a->bias.resize(static_cast<size_t>(channels));
  test::Error error;
  ASSERT_EQ(erg_norm_affine_build(channels, a->gamma.data(), a->beta.data(), out.scale, a->multiplier.data(),
                                  a->bias.data(), &a->affine.shift, &error),
            ERG_OK)
      << error.message();
  int half = 1 << (out.bits - 1);
  a->affine.channels = channels;
  a->affine.multiplier = a->multiplier.data();
  a->affine.bias = a->bias.data();
  a->affine.zero_point = out.zero_point;
  a->affine.low = -half;
  a->affine.high = half - 1;
}

int16_t fill(test::Random &r, int kind, int bits, int zp, int64_t i, int64_t count, double sigma) {
  int half = 1 << (bits - 1);
  double v = zp;
  if (kind == UNIFORM) v = r.range(-half, half - 1);
  if (kind == GAUSSIAN) v = zp + sigma * erg_random_normal(&r);
  if (kind == FLAT) v = half / 2;
  if (kind == OUTLIER) v = i == count / 2 ? half - 1 : zp + r.range(-1, 1);
  if (kind == RAILS) v = r.coin() ? half - 1 : -half;
  if (kind == ONE_OFF) v = zp + (i == 0);
  return static_cast<int16_t>(std::max<double>(-half, std::min<double>(half - 1, std::nearbyint(v))));
}

// xhat of one element of a group of dequantized codes.
long double xhat(const std::vector<long double> &group, size_t i, bool centred, long double epsilon) {
  long double n = static_cast<long double>(group.size()), mean = 0, spread = 0;
  for (long double v : group) mean += centred ? v : 0;
  mean /= n;
  for (long double v : group) spread += (v - mean) * (v - mean);
  long double deviation = std::sqrt(spread / n + epsilon);
  return deviation > 0 ? (group[i] - mean) / deviation : 0;
}

struct Tally {
  int64_t all = 0, off = 0, inside = 0;
  int most = 0;
};

// Runs one norm on [groups of count], laid out as its kind does, and compares element by element.
void compare(test::Random &r, Kind kind, int images, int64_t rows, int channels, erg_quantization in,
             erg_quantization out, double epsilon, int fill_kind, Tally *tally) {
  int64_t elements = images * rows * channels, count = kind == INSTANCE ? rows : channels;
  std::vector<int16_t> x(static_cast<size_t>(elements)), y(x.size());
  double sigma = std::ldexp(1, r.range(0, in.bits - 2));
  for (int64_t i = 0; i < elements; i++) {
    int64_t at = kind == INSTANCE ? i / channels % rows : i % channels;
    x[static_cast<size_t>(i)] = fill(r, fill_kind, in.bits, in.zero_point, at, count, sigma);
  }
  Affine a;
  for (int c = 0; c < channels; c++) {
    a.gamma.push_back(c % 5 == 3 ? 0 : 3 * r.unit() - 1);
    a.beta.push_back(2 * r.unit() - 1);
  }
  make_affine(&a, channels, out);
  uint64_t eps;
  test::Error error;
  ASSERT_EQ(erg_norm_epsilon(count, epsilon, in.scale, &eps, &error), ERG_OK) << error.message();
  erg_status status = kind == INSTANCE ? erg_instance_norm_s16({images, 1, static_cast<int>(rows), channels}, x.data(),
                                                               in.zero_point, eps, &a.affine, y.data(), &error)
                      : kind == LAYER
                          ? erg_layer_norm_s16(images * rows, x.data(), in.zero_point, eps, &a.affine, y.data(), &error)
                          : erg_rms_norm_s16(images * rows, x.data(), in.zero_point, eps, &a.affine, y.data(), &error);
  ASSERT_EQ(status, ERG_OK) << error.message();
  int64_t groups = elements / count;
  std::vector<long double> group(static_cast<size_t>(count));
  for (int64_t g = 0; g < groups; g++) {
    auto index = [&](int64_t i) {
      return static_cast<size_t>(kind == INSTANCE ? (g / channels * rows + i) * channels + g % channels
                                                  : g * count + i);
    };
    for (int64_t i = 0; i < count; i++)
      group[static_cast<size_t>(i)] = (long double)(x[index(i)] - in.zero_point) * in.scale;
    for (int64_t i = 0; i < count; i++) {
      size_t c = static_cast<size_t>(kind == INSTANCE ? g % channels : i);
      if (count > 200 && i % 37) continue; // the oracle is quadratic
      long double real = a.gamma[c] * xhat(group, static_cast<size_t>(i), kind != RMS, epsilon) + a.beta[c];
      int want = erg_quantization_round(out, real), got = y[index(i)];
      ASSERT_LE(std::abs(got - want), 1) << "group " << g << " element " << i << " of " << count << " fill "
                                         << fill_kind << ": exact " << (double)(real / out.scale) + out.zero_point;
      tally->all++;
      tally->off += got != want;
      tally->inside += want != a.affine.low && want != a.affine.high;
      tally->most = std::max(tally->most, std::abs(got - want));
    }
  }
}

void compare_all(Kind kind, const char *name, uint64_t seed) {
  test::Random r(seed);
  Tally tally;
  for (int round = 0; round < 700; round++) {
    SCOPED_TRACE(std::string(name) + ", seed " + std::to_string(seed) + ", round " + std::to_string(round));
    int bits = round % 4 ? 8 : r.range(2, 16), out_bits = round % 3 ? 8 : r.range(4, 16), half = 1 << (bits - 1);
    int64_t rows = round % 50 == 0 ? 2000 : r.range(1, 40);
    int channels = kind != INSTANCE && round % 50 == 1 ? 768 : r.range(1, 20);
    erg_quantization in = {std::ldexp(0.5 + r.unit(), r.range(-9, 1)), r.range(-half, half - 1), bits};
    erg_quantization out = {std::ldexp(0.5 + r.unit(), 2 - out_bits), r.range(-3, 3), out_bits};
    const double epsilons[] = {1e-5, 1e-12, 0, 1e-3};
    if (kind != INSTANCE && round % 50 == 0) rows = 3;
    if (round % 9 == 0) rows = 1; // N = 1 for an instance norm
    if (round % 9 == 1) channels = 1;
    compare(r, kind, r.range(1, 2), rows, channels, in, out, epsilons[round % 4], round % FILLS, &tally);
    if (testing::Test::HasFatalFailure()) return;
  }
  std::printf("%s: %lld outputs, at most %d LSB from correct rounding, %.4f %% differ\n", name, (long long)tally.all,
              tally.most, 100.0 * (double)tally.off / (double)tally.all);
  EXPECT_GT(tally.inside, tally.all / 2) << "most outputs sit on a rail: the test would see little";
  EXPECT_LT((double)tally.off, 2e-3 * (double)tally.all);
}

} // namespace

TEST(Norms, InstanceNormIsWithinOneOfCorrectRounding) {
  compare_all(INSTANCE, "instance norm", 91);
}
TEST(Norms, LayerNormIsWithinOneOfCorrectRounding) {
  compare_all(LAYER, "layer norm", 92);
}
TEST(Norms, RmsNormIsWithinOneOfCorrectRounding) {
  compare_all(RMS, "RMS norm", 93);
}

TEST(Norms, RootIsTheFloor) {
  test::Random r(94);
  std::vector<uint64_t> all = {0, 1, 2, 3, 4, UINT64_MAX, UINT64_MAX - 1};
  for (int i = 0; i < 100000; i++) {
    uint64_t v = erg_random_u64(&r) >> r.range(0, 63), root = static_cast<uint32_t>(v);
    all.push_back(v);
    all.push_back(root * root);
    all.push_back(root * root - (root > 0));
  }
  for (uint64_t v : all) {
    __uint128_t root = erg_root_u64(v);
    ASSERT_LE(root * root, v);
    ASSERT_GT((root + 1) * (root + 1), v);
  }
}

// xhat alone, Gaussian int8 codes: an integer root that keeps its bits costs nothing next to the usual short cuts.
TEST(Norms, XhatIsNearerThanTheUsualShortCuts) {
  const struct {
    int n;
    double sigma, stated, short_cut;
  } rows[] = {{64, 3, 1e-5, 0.05}, {768, 10, 3e-5, 0.01}, {768, 35, 3e-5, 0.002}, {4096, 10, 7e-5, 0.004}};
  test::Random r(95);
  for (const auto &row : rows) {
    double most = 0, plain = 0;
    for (int round = 0; round < 40; round++) {
      std::vector<int16_t> x(static_cast<size_t>(row.n));
      std::vector<long double> real;
      for (int16_t &v : x) real.push_back(v = fill(r, GAUSSIAN, 8, 0, 0, row.n, row.sigma));
      erg_norm_sums sums{};
      erg_norm_gather(x.data(), row.n, 1, 0, &sums);
      erg_norm_scale scale = erg_norm_scale_of(sums, true, 0);
      long double n = row.n, mean = sums.sum / n, variance = sums.squares / n - mean * mean;
      // The short cut: the mean rounded to an integer, as integer-only layer norms publish it.
      long double rounded = std::nearbyint(mean);
      for (size_t i = 0; i < x.size(); i++) {
        long double want = (real[i] - mean) / std::sqrt(variance);
        most = std::max(most, std::fabs((double)(erg_norm_apply(scale, x[i]) / 0x1p20L - want)));
        plain = std::max(plain, std::fabs((double)((real[i] - rounded) / std::sqrt(variance) - want)));
      }
    }
    std::printf("xhat, N %4d sigma %2.0f: max error %.1e, with an integer mean %.4f\n", row.n, row.sigma, most, plain);
    EXPECT_LT(most, row.stated);
    EXPECT_GT(plain, row.short_cut);
  }
}

// q' = 1, 3: N = 2, S = 4, Q = 10, N Q - S^2 = 4, xhat = -1, 1. RMS: sqrt(2*10): 2/sqrt 20 = 0.4472, 1.3416.
TEST(Norms, HandWorkedRow) {
  const int16_t x[] = {11, 13};
  erg_norm_sums sums{};
  erg_norm_gather(x, 2, 1, 10, &sums);
  EXPECT_EQ(sums.sum, 4);
  EXPECT_EQ(sums.squares, 10);
  erg_norm_scale scale = erg_norm_scale_of(sums, true, 0);
  EXPECT_EQ(erg_norm_apply(scale, 1), -(1 << 20));
  EXPECT_EQ(erg_norm_apply(scale, 3), 1 << 20);
  scale = erg_norm_scale_of(sums, false, 0);
  EXPECT_EQ(erg_norm_apply(scale, 1), std::lrint(0x1p20 * 2 / std::sqrt(20.0)));
  EXPECT_EQ(erg_norm_apply(scale, 3), std::lrint(0x1p20 * 6 / std::sqrt(20.0)));
  uint64_t epsilon; // N^2 eps / s^2 = 4 * 0.01 / 0.25 = 0.16
  test::Error error;
  ASSERT_EQ(erg_norm_epsilon(2, 0.01, 0.5, &epsilon, &error), ERG_OK);
  EXPECT_EQ(epsilon, 10486u);
  EXPECT_EQ(erg_norm_apply(erg_norm_scale_of(sums, true, epsilon), 3),
            std::lrint(0x1p20 * 2 / std::sqrt(4 + 10486 / 65536.)));
}

// The widest legal group: 2^20 codes of 16 bits at the rails with the zero point at the other one.
TEST(Norms, TheWidestGroupDoesNotOverflow) {
  const int64_t n = 1 << 20;
  std::vector<int16_t> x(static_cast<size_t>(n), INT16_MAX), y(x.size());
  x[0] = INT16_MIN;
  const int32_t multiplier = INT32_MAX;
  const int64_t bias = (int64_t)1 << 62;
  erg_norm_affine a{1, 46, &multiplier, &bias, 0, -32768, 32767};
  test::Error error;
  for (int32_t zp : {INT16_MIN, 0, INT16_MAX}) {
    ASSERT_EQ(erg_instance_norm_s16({1, 1024, 1024, 1}, x.data(), zp, 0, &a, y.data(), &error), ERG_OK);
    // One outlier: xhat = -sqrt(N - 1) there, 1/sqrt(N - 1) elsewhere; multiplier 2^31 * 2^20 / 2^46 is 32 a unit.
    EXPECT_EQ(y[0], 32767); // 2^16 - 32 * 1024 = 32768
    EXPECT_EQ(y[1], 32767);
    const int64_t none = 0;
    erg_norm_affine b{1, 46, &multiplier, &none, 0, -32768, 32767};
    ASSERT_EQ(erg_instance_norm_s16({1, 1024, 1024, 1}, x.data(), zp, 0, &b, y.data(), &error), ERG_OK);
    EXPECT_EQ(y[0], -32768);
    EXPECT_EQ(y[1], 0); // 32/1024
  }
}

TEST(Norms, FloatReferences) {
  test::Random r(96);
  const int n = 2, h = 3, w = 5, c = 4;
  std::vector<float> x(n * h * w * c), y(x.size()), gamma(c), beta(c);
  for (float &v : x) v = static_cast<float>(3 + 2 * erg_random_normal(&r));
  for (float &v : gamma) v = static_cast<float>(r.unit() * 2 - 1);
  for (float &v : beta) v = static_cast<float>(r.unit());
  auto expect = [&](Kind kind) {
    for (size_t at = 0; at < x.size(); at++) {
      size_t channel = at % c;
      std::vector<long double> group;
      size_t mine = 0;
      for (size_t i = 0; i < x.size(); i++) {
        bool member = kind == INSTANCE ? i % c == channel && i / (h * w * c) == at / (h * w * c) : i / c == at / c;
        if (i == at) mine = group.size();
        if (member) group.push_back(x[i]);
      }
      long double want = gamma[channel] * xhat(group, mine, kind != RMS, 1e-5L) + beta[channel];
      ASSERT_NEAR(y[at], (double)want, 2e-6);
    }
  };
  test::Error error;
  ASSERT_EQ(erg_instance_norm_f32({n, h, w, c}, x.data(), gamma.data(), beta.data(), 1e-5f, y.data(), &error), ERG_OK);
  expect(INSTANCE);
  ASSERT_EQ(erg_layer_norm_f32(n * h * w, c, x.data(), gamma.data(), beta.data(), 1e-5f, y.data(), &error), ERG_OK);
  expect(LAYER);
  ASSERT_EQ(erg_rms_norm_f32(n * h * w, c, x.data(), gamma.data(), beta.data(), 1e-5f, y.data(), &error), ERG_OK);
  expect(RMS);
}

TEST(Norms, RefusesIllegalArguments) {
  const int32_t m[2] = {1 << 30, 1 << 30};
  const int64_t b[2] = {0, 0};
  erg_norm_affine a{2, 46, m, b, 0, -128, 127};
  int16_t x[2] = {1, 2}, y[2] = {99, 99};
  uint64_t eps;
  test::Error error;
  EXPECT_EQ(erg_layer_norm_s16(0, x, 0, 0, &a, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_layer_norm_s16(1, nullptr, 0, 0, &a, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_layer_norm_s16(1, x, 0, 0, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_rms_norm_s16(1, x, 40000, 0, &a, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_instance_norm_s16({1, 1, 1, 1}, x, 0, 0, &a, y, &error), ERG_ERR_DATA); // 2 affine channels
  a.shift = 47;
  EXPECT_EQ(erg_layer_norm_s16(1, x, 0, 0, &a, y, &error), ERG_ERR_DATA);
  a.shift = 46, a.low = 128;
  EXPECT_EQ(erg_layer_norm_s16(1, x, 0, 0, &a, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(y[0], 99);
  for (double bad : {-1.0, (double)NAN, (double)INFINITY, 1e300})
    EXPECT_EQ(erg_norm_epsilon(4, bad, 0.1, &eps, &error), ERG_ERR_DATA) << bad;
  EXPECT_EQ(erg_norm_epsilon(4, 1e-5, 0, &eps, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_norm_epsilon((1 << 20) + 1, 1e-5, 1, &eps, &error), ERG_ERR_DATA);
  const double big = 1e6, nan = NAN;
  int32_t multiplier;
  int64_t bias;
  int shift;
  EXPECT_EQ(erg_norm_affine_build(1, &big, nullptr, 1, &multiplier, &bias, &shift, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_norm_affine_build(1, nullptr, &big, 1, &multiplier, &bias, &shift, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_norm_affine_build(1, &nan, nullptr, 1, &multiplier, &bias, &shift, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_norm_affine_build(1, nullptr, nullptr, 0, &multiplier, &bias, &shift, &error), ERG_ERR_DATA);
  float f[2] = {};
  EXPECT_EQ(erg_layer_norm_f32(1, 2, f, nullptr, nullptr, -1, f, &error), ERG_ERR_DATA);
}
