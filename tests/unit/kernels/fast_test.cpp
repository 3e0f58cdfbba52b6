// SPDX-License-Identifier: GPL-3.0-or-later
// Every fast path that this machine has against the golden loops, bit for bit, over random shapes, widths and
// epilogues.
#include "ergon/fast.h"
#include "support.hpp"
#include <array>
#include <cmath>

namespace {

std::vector<int16_t> codes(test::Random &r, int64_t count, int low, int high) {
  std::vector<int16_t> v(static_cast<size_t>(count));
  int kind = r.range(0, 3); // a quarter on the rails alone, a quarter on one rail
  for (int16_t &x : v)
    x = static_cast<int16_t>(kind == 0 ? (r.coin() ? low : high) : kind == 1 ? low : r.range(low, high));
  return v;
}

struct Range {
  int low, high;
};
// A width of 2 to 16 bits, signed or (up to 8 bits, as oneDNN's first operand) unsigned.
Range width(test::Random &r) {
  int bits = r.coin() ? 8 : r.range(2, 16);
  if (bits <= 8 && r.coin()) return {0, (1 << bits) - 1};
  return {-(1 << (bits - 1)), (1 << (bits - 1)) - 1};
}

struct Epilogue {
  std::vector<int64_t> bias;
  std::vector<erg_requant> scale;
  std::vector<int16_t> residual;
  erg_epilogue e{};
  Epilogue(test::Random &r, int channels, int64_t outputs) {
    for (int k = 0; k < channels; k++) {
      bias.push_back(r.range(0, 7) ? r.range(-100000, 100000) : (int64_t{1} << 47) - r.range(0, 9));
      scale.push_back(r.range(0, 15) ? erg_requant_from_real(std::ldexp(r.unit() + 1e-9, r.range(-30, 20)))
                                     : erg_requant{});
      if (r.range(0, 7) == 0) scale.back().multiplier = 1 << 30; // ties
    }
    residual = codes(r, outputs, -32768, 32767);
    e.bias = r.coin() ? bias.data() : nullptr;
    e.scale = scale.data();
    e.zero_point = r.range(-300, 300);
    Range out = width(r);
    e.low = out.low, e.high = out.high;
    e.residual = r.coin() ? residual.data() : nullptr;
    e.residual_zero_point = r.range(0, 7) ? r.range(-32768, 32767) : r.range(INT32_MIN, INT32_MAX);
    e.residual_scale = erg_requant_from_real(std::ldexp(r.unit() + 1e-9, r.range(-10, 25)));
    e.rule = static_cast<erg_rule>(r.coin() ? ERG_RULE_S : r.range(0, ERG_RULE_COUNT - 1));
  }
};

erg_conv2d_shape random_shape(test::Random &r) {
  for (;;) {
    erg_conv2d_shape s{};
    int kind = r.range(0, 5); // depthwise, groups, pointwise, the rest plain convolutions
    int groups = kind == 0 ? r.range(1, 70) : kind == 1 ? r.range(1, 4) : 1, kernel = kind == 2 ? 1 : 5;
    s.groups = groups;
    s.in = {r.range(1, 2), r.range(1, 12), r.range(1, 12), groups * (kind == 0 ? 1 : r.range(1, kind == 2 ? 130 : 20))};
    s.filters = groups * (kind == 0 ? 1 : r.range(1, 20));
    s.kernel_h = r.range(1, kernel), s.kernel_w = r.range(1, kernel);
    s.stride_h = r.range(1, 3), s.stride_w = r.range(1, 3);
    s.dilation_h = r.range(0, 3), s.dilation_w = r.range(0, 3);
    s.pad_top = r.range(0, 6), s.pad_left = r.range(0, 6);
    s.out_h = r.range(1, 12), s.out_w = r.range(1, 12);
    test::Error error; // the golden kernel says which shapes are legal
    std::vector<int16_t> x(static_cast<size_t>(int64_t{s.in.n} * s.in.h * s.in.w * s.in.c));
    std::vector<int16_t> w(static_cast<size_t>(s.filters * erg_conv2d_reduction(&s)));
    std::vector<int64_t> out(static_cast<size_t>(int64_t{s.in.n} * s.out_h * s.out_w * s.filters));
    if (erg_conv2d_accumulate_s16(&s, x.data(), 0, w.data(), 32, out.data(), &error) == ERG_OK) return s;
  }
}

// Prepared for just the codes that come, or for a wider range, and run twice: nothing of the first map may stay.
template <typename Run>
erg_status convolve(test::Random &r, const erg_conv2d_shape &s, const std::vector<int16_t> &x, int zero,
                    const std::vector<int16_t> &w, int bits, erg_fast_path path, erg_fast_path *was, erg_error *e,
                    Run run) {
  int low = *std::min_element(x.begin(), x.end()), high = *std::max_element(x.begin(), x.end());
  if (r.coin()) high = std::min(high + 5, 32767);
  erg_fast_conv2d *prepared = nullptr;
  erg_status status = erg_fast_conv2d_prepare(&s, zero, low, high, w.data(), bits, path, &prepared, e);
  EXPECT_EQ(status != ERG_OK, prepared == nullptr);
  if (prepared) {
    *was = erg_fast_conv2d_path(prepared);
    std::vector<int16_t> other(x.size(), static_cast<int16_t>(high));
    status = run(prepared, other.data());
    if (status == ERG_OK) status = run(prepared, x.data());
  }
  erg_fast_conv2d_free(prepared);
  return status;
}

constexpr erg_fast_path kPaths[] = {ERG_FAST_AUTO, ERG_FAST_ONEDNN, ERG_FAST_BLOCKED, ERG_FAST_PLAIN};

// Results by each path equal `golden`; a path that refuses says why and leaves the output alone.
template <typename T, typename Call>
void compare(const std::vector<T> &golden, std::array<int, ERG_FAST_COUNT> &taken, Call call) {
  for (erg_fast_path path : kPaths) {
    SCOPED_TRACE(erg_fast_names[path]);
    test::Error error;
    std::vector<T> out(golden.size(), T{77});
    erg_fast_path was = ERG_FAST_COUNT;
    erg_status status = call(out.data(), path, &was, &error);
    if (status == ERG_ERR_UNSUPPORTED) {
      ASSERT_TRUE(path == ERG_FAST_ONEDNN || path == ERG_FAST_BLOCKED || sizeof(T) == 4);
      ASSERT_NE(error.message().find("skipped, because"), std::string::npos) << error.message();
      ASSERT_EQ(out, std::vector<T>(golden.size(), T{77}));
      continue;
    }
    ASSERT_EQ(status, ERG_OK) << error.message();
    ASSERT_EQ(out, golden);
    ASSERT_TRUE(path == ERG_FAST_AUTO ? was != ERG_FAST_AUTO : was == path);
    taken[was]++;
  }
}

void report(const std::array<int, ERG_FAST_COUNT> &taken) {
  const char *why = erg_fast_unavailable(ERG_FAST_ONEDNN);
  std::printf("calls by onednn %d, blocked %d, plain %d%s%s\n", taken[ERG_FAST_ONEDNN], taken[ERG_FAST_BLOCKED],
              taken[ERG_FAST_PLAIN], why ? "; onednn skipped, because " : "", why ? why : "");
  EXPECT_GT(taken[ERG_FAST_BLOCKED], 100);
  EXPECT_GT(taken[ERG_FAST_PLAIN], 100);
  if (!why) EXPECT_GT(taken[ERG_FAST_ONEDNN], 100);
}

} // namespace

TEST(Fast, ConvolutionsEqualTheGoldenLoops) {
  test::Random r(301);
  std::array<int, ERG_FAST_COUNT> taken{};
  for (int round = 0; round < 600; round++) {
    erg_conv2d_shape s = random_shape(r);
    Range x_range = width(r), w_range = width(r);
    auto x = codes(r, int64_t{s.in.n} * s.in.h * s.in.w * s.in.c, x_range.low, x_range.high);
    auto w = codes(r, s.filters * erg_conv2d_reduction(&s), w_range.low, w_range.high);
    int zero = r.range(0, 9) ? r.range(x_range.low, x_range.high) : r.range(INT32_MIN, INT32_MAX);
    int bits = r.range(0, 3) ? r.range(8, 32) : r.range(33, 48);
    SCOPED_TRACE("seed 301, round " + std::to_string(round));
    std::vector<int64_t> sums(static_cast<size_t>(int64_t{s.in.n} * s.out_h * s.out_w * s.filters));
    test::Error error;
    ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), zero, w.data(), bits, sums.data(), &error), ERG_OK);
    compare(sums, taken, [&](int64_t *out, erg_fast_path path, erg_fast_path *was, erg_error *e) {
      return convolve(r, s, x, zero, w, bits, path, was, e, [&](erg_fast_conv2d *prepared, const int16_t *map) {
        return erg_fast_conv2d_accumulate(prepared, map, out, e);
      });
    });
    if (bits <= 32) {
      std::vector<int32_t> narrow(sums.begin(), sums.end());
      compare(narrow, taken, [&](int32_t *out, erg_fast_path path, erg_fast_path *was, erg_error *e) {
        return convolve(r, s, x, zero, w, bits, path, was, e, [&](erg_fast_conv2d *prepared, const int16_t *map) {
          return erg_fast_conv2d_accumulate_s32(prepared, map, out, e);
        });
      });
    }
    Epilogue epilogue(r, s.filters, static_cast<int64_t>(sums.size()));
    std::vector<int16_t> y(sums.size());
    for (erg_requant &q : epilogue.scale) q.real = 0.01F;
    epilogue.e.residual_scale.real = 0.5F;
    ASSERT_EQ(erg_conv2d_s16(&s, x.data(), zero, w.data(), bits, &epilogue.e, y.data(), &error), ERG_OK)
        << error.message();
    compare(y, taken, [&](int16_t *out, erg_fast_path path, erg_fast_path *was, erg_error *e) {
      return convolve(r, s, x, zero, w, bits, path, was, e, [&](erg_fast_conv2d *prepared, const int16_t *map) {
        return erg_fast_conv2d_run(prepared, map, &epilogue.e, out, e);
      });
    });
    if (HasFatalFailure()) return;
  }
  report(taken);
}

TEST(Fast, MatrixProductsEqualTheGoldenLoops) {
  test::Random r(302);
  std::array<int, ERG_FAST_COUNT> taken{};
  for (int round = 0; round < 600; round++) {
    erg_matmul_shape s{r.range(1, 3), r.range(1, 40), r.range(1, r.coin() ? 8 : 150), r.range(1, 40)};
    Range a_range = width(r), b_range = width(r);
    auto a = codes(r, int64_t{s.batch} * s.m * s.k, a_range.low, a_range.high);
    auto b = codes(r, int64_t{s.batch} * s.k * s.n, b_range.low, b_range.high);
    auto zero_of = [&](Range range) {
      return r.range(0, 9) ? r.range(range.low, range.high) : r.range(INT32_MIN, INT32_MAX);
    };
    int a_zero = zero_of(a_range), b_zero = zero_of(b_range), bits = r.range(0, 3) ? r.range(8, 32) : r.range(33, 48);
    SCOPED_TRACE("seed 302, round " + std::to_string(round));
    std::vector<int64_t> sums(static_cast<size_t>(int64_t{s.batch} * s.m * s.n));
    test::Error error;
    ASSERT_EQ(erg_matmul_accumulate_s16(&s, a.data(), a_zero, b.data(), b_zero, bits, sums.data(), &error), ERG_OK);
    compare(sums, taken, [&](int64_t *out, erg_fast_path path, erg_fast_path *was, erg_error *e) {
      return erg_fast_matmul_accumulate_s16(&s, a.data(), a_zero, b.data(), b_zero, bits, out, path, was, e);
    });
    Epilogue epilogue(r, s.n, static_cast<int64_t>(sums.size()));
    for (erg_requant &q : epilogue.scale) q.real = 0.01F;
    epilogue.e.residual_scale.real = 0.5F;
    std::vector<int16_t> y(sums.size());
    ASSERT_EQ(erg_matmul_s16(&s, a.data(), a_zero, b.data(), b_zero, bits, &epilogue.e, y.data(), &error), ERG_OK)
        << error.message();
    compare(y, taken, [&](int16_t *out, erg_fast_path path, erg_fast_path *was, erg_error *e) {
      return erg_fast_matmul_s16(&s, a.data(), a_zero, b.data(), b_zero, bits, &epilogue.e, out, path, was, e);
    });
    if (HasFatalFailure()) return;
  }
  report(taken);
}

// Pairs of products that pass 16 bits and sums that pass 32: where a saturating instruction would show.
TEST(Fast, RailsNeitherSaturateNorWrapEarly) {
  for (int k : {1, 2, 31, 32, 33, 4096, 65536, 65537, 140000}) {
    SCOPED_TRACE(k);
    erg_matmul_shape s{1, 3, k, 5};
    std::vector<int16_t> a(static_cast<size_t>(3 * k), 255), b(static_cast<size_t>(k) * 5, -128);
    std::vector<int64_t> sums(15);
    std::array<int, ERG_FAST_COUNT> taken{};
    test::Error error;
    for (int bits : {8, 31, 32}) {
      ASSERT_EQ(erg_matmul_accumulate_s16(&s, a.data(), 0, b.data(), 0, bits, sums.data(), &error), ERG_OK);
      compare(sums, taken, [&](int64_t *out, erg_fast_path path, erg_fast_path *was, erg_error *e) {
        return erg_fast_matmul_accumulate_s16(&s, a.data(), 0, b.data(), 0, bits, out, path, was, e);
      });
    }
  }
}

// The widths of vector registers that this machine would not choose of its own accord.
TEST(Fast, EveryVectorWidthEqualsTheGoldenLoops) {
  test::Random r(304);
  for (const char *vector : {"avx512", "avx2", "sse2", "none"}) {
    SCOPED_TRACE(vector);
    setenv("ERGON_VECTOR", vector, 1);
    for (int round = 0; round < 150; round++) {
      SCOPED_TRACE("seed 304, round " + std::to_string(round));
      erg_matmul_shape s{1, r.range(1, 40), r.range(1, 70), r.range(1, 70)};
      auto a = codes(r, s.m * s.k, -32768, 32767), b = codes(r, s.k * s.n, -32768, 32767);
      std::vector<int64_t> golden(static_cast<size_t>(s.m * s.n)), out(golden.size());
      test::Error error;
      ASSERT_EQ(erg_matmul_accumulate_s16(&s, a.data(), 5, b.data(), -9, 32, golden.data(), &error), ERG_OK);
      ASSERT_EQ(erg_fast_matmul_accumulate_s16(&s, a.data(), 5, b.data(), -9, 32, out.data(), ERG_FAST_BLOCKED, nullptr,
                                               &error),
                ERG_OK);
      ASSERT_EQ(out, golden);
    }
  }
  unsetenv("ERGON_VECTOR");
}

// Maps of more than one block of output pixels.
TEST(Fast, BlocksMeetWithoutASeam) {
  test::Random r(303);
  erg_conv2d_shape s{};
  s.in = {2, 40, 41, 24};
  s.filters = 9, s.groups = 1, s.kernel_h = s.kernel_w = 3, s.stride_h = s.stride_w = 1, s.pad_top = s.pad_left = 1;
  s.out_h = 40, s.out_w = 41;
  auto x = codes(r, int64_t{2} * 40 * 41 * 24, -128, 127), w = codes(r, 9 * 9 * 24, -128, 127);
  std::vector<int64_t> sums(static_cast<size_t>(2 * 40 * 41 * 9));
  std::array<int, ERG_FAST_COUNT> taken{};
  test::Error error;
  ASSERT_EQ(erg_conv2d_accumulate_s16(&s, x.data(), -7, w.data(), 32, sums.data(), &error), ERG_OK);
  compare(sums, taken, [&](int64_t *out, erg_fast_path path, erg_fast_path *was, erg_error *e) {
    return convolve(r, s, x, -7, w, 32, path, was, e, [&](erg_fast_conv2d *prepared, const int16_t *map) {
      return erg_fast_conv2d_accumulate(prepared, map, out, e);
    });
  });
}

TEST(Fast, RefusalsSayWhy) {
  erg_matmul_shape s{1, 1, 1, 1};
  int16_t a = 300, b = 1;
  int64_t out = 0;
  test::Error error;
  auto call = [&](const erg_matmul_shape *shape, const int16_t *left, int bits, int path) {
    erg_error_clear(&error);
    return erg_fast_matmul_accumulate_s16(shape, left, 0, &b, 0, bits, &out, static_cast<erg_fast_path>(path), nullptr,
                                          &error);
  };
  EXPECT_EQ(call(&s, &a, 33, ERG_FAST_BLOCKED), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(error.message().find("more than 32 bits"), std::string::npos) << error.message();
  EXPECT_EQ(call(&s, &a, 32, 4), ERG_ERR_DATA);
  EXPECT_EQ(call(&s, &a, 32, -1), ERG_ERR_DATA);
  EXPECT_EQ(call(nullptr, &a, 32, ERG_FAST_AUTO), ERG_ERR_DATA);
  EXPECT_EQ(call(&s, nullptr, 32, ERG_FAST_AUTO), ERG_ERR_DATA);
  EXPECT_EQ(call(&s, &a, 7, ERG_FAST_AUTO), ERG_ERR_DATA);
  EXPECT_EQ(call(&s, &a, 49, ERG_FAST_AUTO), ERG_ERR_DATA);
  s.k = 0;
  EXPECT_EQ(call(&s, &a, 32, ERG_FAST_AUTO), ERG_ERR_DATA);
  erg_conv2d_shape grouped{};
  grouped.in = {1, 1, 1, 4};
  grouped.filters = 4, grouped.groups = 2, grouped.kernel_h = grouped.kernel_w = 1;
  grouped.stride_h = grouped.stride_w = grouped.out_h = grouped.out_w = 1;
  int16_t four[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int64_t sums[4];
  erg_fast_conv2d *prepared = nullptr;
  auto prepare = [&](const int16_t *weight, int low, int high, erg_fast_path path) {
    erg_error_clear(&error);
    return erg_fast_conv2d_prepare(&grouped, 0, low, high, weight, 32, path, &prepared, &error);
  };
  EXPECT_EQ(prepare(four, 1, 4, ERG_FAST_BLOCKED), ERG_ERR_UNSUPPORTED);
  EXPECT_NE(error.message().find("groups"), std::string::npos) << error.message();
  EXPECT_EQ(prepare(nullptr, 1, 4, ERG_FAST_AUTO), ERG_ERR_DATA);
  EXPECT_EQ(prepare(four, 4, 1, ERG_FAST_AUTO), ERG_ERR_DATA);
  EXPECT_EQ(prepare(four, 0, 40000, ERG_FAST_AUTO), ERG_ERR_DATA);
  ASSERT_EQ(prepare(four, 1, 3, ERG_FAST_PLAIN), ERG_OK) << error.message();
  EXPECT_EQ(erg_fast_conv2d_accumulate(prepared, four, sums, &error), ERG_ERR_DATA); // holds a 4
  EXPECT_NE(error.message().find("prepared for 1..3"), std::string::npos) << error.message();
  erg_error_clear(&error);
  EXPECT_EQ(erg_fast_conv2d_accumulate(prepared, nullptr, sums, &error), ERG_ERR_DATA);
  erg_error_clear(&error);
  EXPECT_EQ(erg_fast_conv2d_run(prepared, std::vector<int16_t>(4, 2).data(), nullptr, four, &error), ERG_ERR_DATA);
  erg_error_clear(&error);
  EXPECT_EQ(erg_fast_conv2d_run(nullptr, four, nullptr, four, &error), ERG_ERR_DATA);
  erg_fast_conv2d_free(prepared);
  erg_fast_conv2d_free(nullptr);
  EXPECT_NE(erg_fast_unavailable(static_cast<erg_fast_path>(9)), nullptr);
  EXPECT_EQ(erg_fast_unavailable(ERG_FAST_BLOCKED), nullptr);
}
