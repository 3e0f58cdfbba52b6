// SPDX-License-Identifier: GPL-3.0-or-later
// What folds: a batch norm, exactly. What does not: an instance norm, whose best static stand-in is measured beside the
// integer norm that follows its input.
#include "ergon/norms.h"
#include "ergon/quantization.h"
#include "support.hpp"
#include <cmath>

namespace {

const int C = 8, H = 12, W = 12, images = 16;

// Images whose channels have statistics of their own: mean and deviation move by `drift` from image to image.
std::vector<float> make_images(test::Random &r, double drift, double offset) {
  std::vector<float> x;
  for (int n = 0; n < images; n++) {
    double mean[C], deviation[C];
    for (int c = 0; c < C; c++) {
      mean[c] = offset + drift * erg_random_normal(&r);
      deviation[c] = std::exp(0.5 * drift * erg_random_normal(&r));
    }
    for (int i = 0; i < H * W; i++)
      for (int c = 0; c < C; c++) x.push_back(static_cast<float>(mean[c] + deviation[c] * erg_random_normal(&r)));
  }
  return x;
}

struct Errors {
  double integer, fixed;
}; // rms in LSB of the output

// Both against the fp32 instance norm of `x`, outputs in int8 codes of one scale.
Errors measure(const std::vector<float> &calibration, const std::vector<float> &x, const char *name) {
  const erg_shape shape{images, H, W, C};
  const float epsilon = 1e-5f;
  std::vector<double> gamma(C), beta(C), scale(C), shift(C);
  std::vector<float> gamma_f(C), beta_f(C), want(x.size());
  for (size_t c = 0; c < C; c++) gamma[c] = gamma_f[c] = 0.75f + 0.0625f * (float)c, beta[c] = beta_f[c] = 0.125f;
  test::Error error;
  EXPECT_EQ(erg_instance_norm_static_fit(shape, calibration.data(), gamma_f.data(), beta_f.data(), epsilon,
                                         scale.data(), shift.data(), &error),
            ERG_OK);
  EXPECT_EQ(erg_instance_norm_f32(shape, x.data(), gamma_f.data(), beta_f.data(), epsilon, want.data(), &error),
            ERG_OK);
  float reach = 0;
  for (float v : x) reach = std::max(reach, std::fabs(v));
  const erg_quantization in = {reach / 127, 0, 8}, out = {4.5 / 127, 0, 8};
  std::vector<int16_t> codes, y(x.size());
  for (float v : x) codes.push_back(erg_quantization_round(in, v));
  std::vector<int32_t> multiplier(C);
  std::vector<int64_t> bias(C);
  erg_norm_affine affine{C, 0, multiplier.data(), bias.data(), 0, -128, 127};
  EXPECT_EQ(erg_norm_affine_build(C, gamma.data(), beta.data(), out.scale, multiplier.data(), bias.data(),
                                  &affine.shift, &error),
            ERG_OK);
  uint64_t eps;
  EXPECT_EQ(erg_norm_epsilon(H * W, epsilon, in.scale, &eps, &error), ERG_OK);
  EXPECT_EQ(erg_instance_norm_s16(shape, codes.data(), 0, eps, &affine, y.data(), &error), ERG_OK);
  double integer = 0, fixed = 0;
  for (size_t i = 0; i < x.size(); i++) {
    // The static form gets the same input codes and the same output codes: only its constants are to blame.
    double folded = erg_quantization_round(out, scale[i % C] * codes[i] * in.scale + shift[i % C]);
    integer += std::pow(y[i] - want[i] / out.scale, 2);
    fixed += std::pow(folded - want[i] / out.scale, 2);
  }
  Errors e{std::sqrt(integer / (double)x.size()), std::sqrt(fixed / (double)x.size())};
  std::printf("instance norm, %s: rms error in LSB: integer norm %.3f, best static fold %.3f\n", name, e.integer,
              e.fixed);
  return e;
}

} // namespace

TEST(InstanceNorm, TheBestStaticFoldIsFarWorseOnceStatisticsMove) {
  test::Random r(101);
  std::vector<float> steady = make_images(r, 0, 0.5), moving = make_images(r, 0.8, 0.5),
                     shifted = make_images(r, 0.8, 1.5);
  Errors control = measure(steady, make_images(r, 0, 0.5), "steady statistics, as calibrated");
  Errors same = measure(moving, moving, "moving statistics, on the calibration images");
  Errors other = measure(moving, shifted, "moving statistics, shifted from calibration");
  // Where statistics are constants a fold is right to the maps' own sampling noise: the fit itself is not at fault.
  EXPECT_LT(control.fixed, 8 * control.integer);
  EXPECT_GT(same.fixed, 15 * same.integer);
  EXPECT_GT(other.fixed, 25 * other.integer);
  EXPECT_GT(other.fixed, same.fixed);
  EXPECT_LT(other.integer, 1.5);
}

// Nothing static does better than the fit: moving either constant raises the squared error on the calibration images.
TEST(InstanceNorm, TheStaticFitIsTheBest) {
  test::Random r(102);
  std::vector<float> x = make_images(r, 0.5, 0), want(x.size());
  double scale[C], shift[C];
  test::Error error;
  const erg_shape shape{images, H, W, C};
  ASSERT_EQ(erg_instance_norm_static_fit(shape, x.data(), nullptr, nullptr, 0, scale, shift, &error), ERG_OK);
  ASSERT_EQ(erg_instance_norm_f32(shape, x.data(), nullptr, nullptr, 0, want.data(), &error), ERG_OK);
  auto cost = [&](double more_scale, double more_shift) {
    double sum = 0;
    for (size_t i = 0; i < x.size(); i++)
      sum += std::pow((scale[i % C] + more_scale) * x[i] + shift[i % C] + more_shift - want[i], 2);
    return sum;
  };
  for (double d : {-1e-3, 1e-3}) {
    EXPECT_GT(cost(d, 0), cost(0, 0));
    EXPECT_GT(cost(0, d), cost(0, 0));
    EXPECT_GT(cost(d, d), cost(0, 0));
  }
  std::vector<float> flat(x.size(), 3);
  ASSERT_EQ(erg_instance_norm_static_fit(shape, flat.data(), nullptr, nullptr, 1e-5f, scale, shift, &error), ERG_OK);
  EXPECT_EQ(scale[0], 0);
  EXPECT_EQ(shift[0], 0);
  EXPECT_EQ(erg_instance_norm_static_fit(shape, nullptr, nullptr, nullptr, 0, scale, shift, &error), ERG_ERR_DATA);
}

// conv then batch norm = folded conv, on real convolutions with padding, over random channels, gamma 0 and below
// included.
TEST(BatchNorm, FoldedConvolutionEqualsTheTwo) {
  test::Random r(103);
  for (int round = 0; round < 60; round++) {
    SCOPED_TRACE("seed 103, round " + std::to_string(round));
    const int k = r.range(1, 6), c = r.range(1, 4), size = r.range(3, 6);
    const erg_conv2d_shape s{.in = {1, size, size, c},
                             .filters = k,
                             .kernel_h = 3,
                             .kernel_w = 3,
                             .stride_h = 1,
                             .stride_w = 1,
                             .pad_top = 1,
                             .pad_left = 1,
                             .groups = 1,
                             .out_h = size,
                             .out_w = size};
    const size_t reduction = static_cast<size_t>(9 * c), filters = static_cast<size_t>(k);
    std::vector<double> w(filters * reduction), b(filters), gamma(filters), beta(filters), mean(filters), var(filters),
        fw(w.size()), fb(filters);
    for (double &v : w) v = erg_random_normal(&r);
    for (size_t i = 0; i < filters; i++) {
      gamma[i] = (i + static_cast<size_t>(round)) % 3 == 0 ? 0 : 2 * r.unit() - 1;
      b[i] = r.unit(), beta[i] = r.unit() - 0.5, mean[i] = 4 * r.unit(), var[i] = r.coin() ? 0 : 3 * r.unit();
    }
    const erg_batch_norm_stats bn{gamma.data(), beta.data(), mean.data(), var.data(), 1e-3};
    test::Error error;
    const bool biased = r.coin();
    ASSERT_EQ(erg_batch_norm_fold(k, 9 * c, w.data(), biased ? b.data() : nullptr, &bn, fw.data(), fb.data(), &error),
              ERG_OK);
    auto conv = [&](const std::vector<double> &weight, const std::vector<double> *bias, const std::vector<float> &x) {
      std::vector<float> wf(weight.begin(), weight.end()), bf, y(static_cast<size_t>(size * size * k));
      if (bias) bf.assign(bias->begin(), bias->end());
      EXPECT_EQ(erg_conv2d_f32(&s, x.data(), wf.data(), bias ? bf.data() : nullptr, y.data(), &error), ERG_OK);
      return y;
    };
    std::vector<float> x(static_cast<size_t>(size * size * c));
    for (float &v : x) v = static_cast<float>(erg_random_normal(&r));
    std::vector<float> plain = conv(w, biased ? &b : nullptr, x), folded = conv(fw, &fb, x);
    for (size_t i = 0; i < plain.size(); i++) {
      size_t f = i % filters;
      double want = gamma[f] * (plain[i] - mean[f]) / std::sqrt(var[f] + 1e-3) + beta[f];
      ASSERT_NEAR(folded[i], want, 1e-5 * (1 + std::fabs(want) + 40 * std::fabs(gamma[f]))) << "filter " << f;
      if (gamma[f] == 0) ASSERT_EQ(folded[i], static_cast<float>(beta[f]));
    }
  }
}

TEST(BatchNorm, FoldsByHand) {
  const double w[] = {1, -2, 4, 3}, bias[] = {1, 1}, gamma[] = {-3, 0}, beta[] = {0.5, 0.25}, mean[] = {2, 1e30},
               var[] = {3, 0};
  const erg_batch_norm_stats bn{gamma, beta, mean, var, 1};
  double fw[4], fb[2], scale[2];
  int16_t q[4];
  test::Error error;
  ASSERT_EQ(erg_batch_norm_fold(2, 2, w, bias, &bn, fw, fb, &error), ERG_OK);
  EXPECT_EQ(fw[0], -1.5); // a = -3/2
  EXPECT_EQ(fw[1], 3);
  EXPECT_EQ(fb[0], 2); // 0.5 + (1 - 2) * -1.5
  EXPECT_EQ(fw[2], 0);
  EXPECT_EQ(fb[1], 0.25);
  ASSERT_EQ(erg_weights_quantize(2, 2, fw, 8, q, scale, &error), ERG_OK);
  EXPECT_DOUBLE_EQ(scale[0], 3 / 127.0);
  EXPECT_EQ(q[0], -64); // -63.5: to even
  EXPECT_EQ(q[1], 127);
  EXPECT_EQ(scale[1], 1); // a channel of zeros keeps a legal scale
  EXPECT_EQ(q[2], 0);
  EXPECT_EQ(erg_requant_from_real(0.1 * scale[1] / 0.05).multiplier >= 1 << 30, true);
}

TEST(BatchNorm, RefusesIllegalArguments) {
  double w[1] = {1}, one[1] = {1}, zero[1] = {0}, minus[1] = {-1}, nan[1] = {NAN}, fw[1] = {99}, fb[1] = {99}, scale[1];
  int16_t q[1];
  test::Error error;
  const erg_batch_norm_stats none{one, zero, zero, zero, 0}, negative{one, zero, zero, minus, 1e-5},
      odd{nan, zero, zero, one, 0}, null{one, zero, nullptr, one, 0}, good{one, zero, zero, one, 0};
  for (const erg_batch_norm_stats *bn : {&none, &negative, &odd, &null}) {
    EXPECT_EQ(erg_batch_norm_fold(1, 1, w, nullptr, bn, fw, fb, &error), ERG_ERR_DATA);
    EXPECT_EQ(fw[0], 99);
    EXPECT_EQ(fb[0], 99);
  }
  EXPECT_EQ(erg_batch_norm_fold(0, 1, w, nullptr, &good, fw, fb, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_batch_norm_fold(1, 1, nan, nullptr, &good, fw, fb, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_weights_quantize(1, 1, w, 17, q, scale, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_weights_quantize(1, 1, nan, 8, q, scale, &error), ERG_ERR_DATA);
}
