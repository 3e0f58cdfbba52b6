// SPDX-License-Identifier: GPL-3.0-or-later
// Operators in a floating format against the definition written out: values by table, products in exact double, sums in
// fp32 one after the other. All pairs of fp8 values; in fp32 bit for bit the _f32 kernels.
#include "ergon/float_kernels.h"
#include "formats_oracle.hpp"
#include "support.hpp"

using oracle_format::bits_of;
using oracle_format::float_of;
using oracle_format::Table;

namespace {

const erg_float_format *find(erg_format id) {
  return erg_float_format_find(id);
}
constexpr erg_format kNarrow[] = {ERG_FORMAT_FP16, ERG_FORMAT_BF16, ERG_FORMAT_FP8E4M3, ERG_FORMAT_FP8E5M2};

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || bits_of(a) == bits_of(b);
}

std::vector<float> draw(test::Random &r, int64_t count, double spread) {
  std::vector<float> v(static_cast<size_t>(count));
  for (float &x : v) x = static_cast<float>(erg_random_normal(&r) * std::exp2(r.range(-12, 6)) * spread);
  return v;
}

erg_conv2d_shape random_shape(test::Random &r) {
  for (;;) {
    erg_conv2d_shape s{};
    s.groups = r.range(1, 3);
    s.in = {r.range(1, 2), r.range(1, 6), r.range(1, 6), s.groups * r.range(1, 4)};
    s.filters = s.groups * r.range(1, 3);
    s.kernel_h = r.range(1, 3), s.kernel_w = r.range(1, 3), s.stride_h = r.range(1, 2), s.stride_w = r.range(1, 2);
    s.dilation_h = r.range(0, 2), s.dilation_w = r.range(0, 2), s.pad_top = r.range(0, 2), s.pad_left = r.range(0, 2);
    s.out_h = r.range(1, 5), s.out_w = r.range(1, 5);
    std::vector<float> x(static_cast<size_t>(erg_shape_elements(s.in))),
        w(static_cast<size_t>(s.filters * erg_conv2d_reduction(&s)));
    std::vector<float> y(static_cast<size_t>(int64_t{s.in.n} * s.out_h * s.out_w * s.filters));
    test::Error error;
    if (erg_conv2d_f32(&s, x.data(), w.data(), nullptr, y.data(), &error) == ERG_OK) return s;
  }
}

// The definition, over every tap, outside ones skipped.
std::vector<float> textbook(const erg_conv2d_shape &s, const std::vector<float> &x, const std::vector<float> &w,
                            const std::vector<float> &bias, const Table &t, bool exact) {
  std::vector<float> out;
  int channels = s.in.c / s.groups, dh = std::max(1, s.dilation_h), dw = std::max(1, s.dilation_w);
  for (int n = 0; n < s.in.n; n++)
    for (int p = 0; p < s.out_h; p++)
      for (int q = 0; q < s.out_w; q++)
        for (int k = 0; k < s.filters; k++) {
          volatile float sum = bias[static_cast<size_t>(k)]; // rounded to fp32 at each step
          for (int a = 0; a < s.kernel_h; a++)
            for (int b = 0; b < s.kernel_w; b++)
              for (int c = 0; c < channels; c++) {
                int h = p * s.stride_h - s.pad_top + a * dh, column = q * s.stride_w - s.pad_left + b * dw;
                if (h < 0 || column < 0 || h >= s.in.h || column >= s.in.w) continue;
                int channel = k / (s.filters / s.groups) * channels + c;
                double left =
                    t.nearest(x[static_cast<size_t>(((n * s.in.h + h) * s.in.w + column) * s.in.c + channel)]);
                double right =
                    t.nearest(w[static_cast<size_t>(((k * s.kernel_h + a) * s.kernel_w + b) * channels + c)]);
                sum = sum + (exact ? static_cast<float>(left * right) : t.nearest(left * right));
              }
          out.push_back(t.nearest(sum));
        }
  return out;
}

} // namespace

TEST(FloatKernels, AllPairsOfFp8ProductsAndSums) {
  for (erg_format id : {ERG_FORMAT_FP8E4M3, ERG_FORMAT_FP8E5M2}) {
    const erg_float_format *f = find(id);
    Table table(id);
    erg_float_arithmetic rounded{f, false}, exact{f, true};
    int64_t checked = 0;
    for (uint32_t i = 0; i < 256; i++)
      for (uint32_t j = 0; j < 256; j++, checked++) {
        float a = f->decode(i), b = f->decode(j), sum;
        double product = static_cast<double>(table.value(i)) * table.value(j);
        ASSERT_TRUE(same(erg_float_product(&rounded, a, b), table.nearest(product)))
            << f->name << " " << a << " * " << b;
        ASSERT_TRUE(same(erg_float_product(&exact, a, b), static_cast<float>(product)))
            << f->name << " " << a << " * " << b;
        ASSERT_EQ(erg_add_float(f, 1, &a, &b, &sum, nullptr), ERG_OK);
        ASSERT_TRUE(same(sum, table.nearest(table.value(i) + table.value(j)))) << f->name << " " << a << " + " << b;
      }
    std::printf("%s: %lld pairs\n", f->name, static_cast<long long>(checked));
  }
}

// Products and sums of 16-bit formats: random patterns, a quarter of them near the subnormal end.
TEST(FloatKernels, SixteenBitProductsAreRoundedOnce) {
  test::Random r(51);
  for (erg_format id : {ERG_FORMAT_FP16, ERG_FORMAT_BF16}) {
    const erg_float_format *f = find(id);
    Table table(id);
    erg_float_arithmetic arithmetic{f, false};
    for (int round = 0; round < 200000; round++) {
      float a = f->decode(static_cast<uint32_t>(erg_random_u64(&r))),
            b = f->decode(static_cast<uint32_t>(erg_random_u64(&r)));
      if (round % 4 == 0)
        b = f->round(std::ldexp(1.0F + 0.01F * static_cast<float>(r.range(0, 99)), r.range(-140, -100)));
      float sum;
      ASSERT_TRUE(same(erg_float_product(&arithmetic, a, b), table.nearest(static_cast<double>(a) * b)))
          << f->name << ", seed 51: " << a << " * " << b;
      ASSERT_EQ(erg_add_float(f, 1, &a, &b, &sum, nullptr), ERG_OK);
      double exact = static_cast<double>(a) + b; // inexact only where the smaller cannot decide
      ASSERT_TRUE(same(sum, table.nearest(exact))) << f->name << ", seed 51: " << a << " + " << b;
    }
  }
}

TEST(FloatKernels, ConvolutionsEqualTheDefinition) {
  test::Random r(52);
  for (erg_format id : kNarrow) {
    Table table(id);
    for (int round = 0; round < 60; round++) {
      SCOPED_TRACE(std::string(find(id)->name) + ", seed 52, round " + std::to_string(round));
      erg_conv2d_shape s = random_shape(r);
      auto x = draw(r, erg_shape_elements(s.in), 1), w = draw(r, s.filters * erg_conv2d_reduction(&s), 1),
           bias = draw(r, s.filters, 1);
      erg_float_arithmetic arithmetic{find(id), r.coin()};
      auto expected = textbook(s, x, w, bias, table, arithmetic.exact_products);
      std::vector<float> y(expected.size());
      test::Error error;
      ASSERT_EQ(erg_conv2d_float(&arithmetic, &s, x.data(), w.data(), bias.data(), y.data(), &error), ERG_OK)
          << error.message();
      for (size_t i = 0; i < y.size(); i++)
        ASSERT_TRUE(same(y[i], expected[i])) << i << ": " << y[i] << ", " << expected[i];
      // A product of two matrices is a convolution of 1 x 1 taps.
      erg_matmul_shape m{1, s.in.h * s.in.w, s.in.c, s.filters};
      erg_conv2d_shape point{};
      point.in = {1, s.in.h, s.in.w, s.in.c};
      point.filters = m.n, point.groups = point.kernel_h = point.kernel_w = point.stride_h = point.stride_w = 1;
      point.out_h = s.in.h, point.out_w = s.in.w;
      auto b = draw(r, int64_t{m.k} * m.n, 1);
      std::vector<float> transposed(b.size()), product(static_cast<size_t>(m.m * m.n));
      for (int k = 0; k < m.k; k++)
        for (int n = 0; n < m.n; n++)
          transposed[static_cast<size_t>(n * m.k + k)] = b[static_cast<size_t>(k * m.n + n)];
      expected = textbook(point, x, transposed, bias, table, arithmetic.exact_products);
      ASSERT_EQ(erg_matmul_float(&arithmetic, &m, x.data(), b.data(), bias.data(), product.data(), &error), ERG_OK)
          << error.message();
      for (size_t i = 0; i < product.size(); i++) ASSERT_TRUE(same(product[i], expected[i])) << i;
    }
  }
}

TEST(FloatKernels, InFp32TheyAreTheF32Kernels) {
  test::Random r(53);
  erg_float_arithmetic fp32{find(ERG_FORMAT_FP32), false};
  for (int round = 0; round < 100; round++) {
    SCOPED_TRACE("seed 53, round " + std::to_string(round));
    erg_conv2d_shape s = random_shape(r);
    auto x = draw(r, erg_shape_elements(s.in), 1), w = draw(r, s.filters * erg_conv2d_reduction(&s), 1),
         bias = draw(r, s.filters, 1);
    std::vector<float> ours(static_cast<size_t>(int64_t{s.in.n} * s.out_h * s.out_w * s.filters)), theirs(ours.size());
    fp32.exact_products = r.coin();
    ASSERT_EQ(erg_conv2d_float(&fp32, &s, x.data(), w.data(), bias.data(), ours.data(), nullptr), ERG_OK);
    ASSERT_EQ(erg_conv2d_f32(&s, x.data(), w.data(), bias.data(), theirs.data(), nullptr), ERG_OK);
    ASSERT_EQ(std::memcmp(ours.data(), theirs.data(), ours.size() * 4), 0);
    erg_matmul_shape m{r.range(1, 2), r.range(1, 5), r.range(1, 9), r.range(1, 5)};
    auto a = draw(r, m.batch * m.m * m.k, 1), b = draw(r, m.batch * m.k * m.n, 1);
    ours.resize(static_cast<size_t>(m.batch * m.m * m.n)), theirs.resize(ours.size());
    ASSERT_EQ(erg_matmul_float(&fp32, &m, a.data(), b.data(), nullptr, ours.data(), nullptr), ERG_OK);
    ASSERT_EQ(erg_matmul_f32(&m, a.data(), b.data(), nullptr, theirs.data(), nullptr), ERG_OK);
    ASSERT_EQ(std::memcmp(ours.data(), theirs.data(), ours.size() * 4), 0);
    int64_t count = std::min(a.size(), b.size());
    ours.resize(static_cast<size_t>(count)), theirs.resize(ours.size());
    ASSERT_EQ(erg_mul_float(fp32.format, count, a.data(), b.data(), ours.data(), nullptr), ERG_OK);
    ASSERT_EQ(erg_mul_f32(count, a.data(), b.data(), theirs.data(), nullptr), ERG_OK);
    ASSERT_EQ(std::memcmp(ours.data(), theirs.data(), ours.size() * 4), 0);
    ASSERT_EQ(erg_add_float(fp32.format, count, a.data(), b.data(), ours.data(), nullptr), ERG_OK);
    for (size_t i = 0; i < ours.size(); i++) ASSERT_EQ(ours[i], a[i] + b[i]);
  }
}

TEST(FloatKernels, ElementsAndPoolsRoundInAndOut) {
  test::Random r(54);
  for (erg_format id : kNarrow) {
    const erg_float_format *f = find(id);
    Table table(id);
    SCOPED_TRACE(std::string(f->name) + ", seed 54");
    auto a = draw(r, 300, 10), b = draw(r, 300, 10);
    std::vector<float> y(300);
    ASSERT_EQ(erg_mul_float(f, 300, a.data(), b.data(), y.data(), nullptr), ERG_OK);
    for (size_t i = 0; i < 300; i++)
      ASSERT_TRUE(same(y[i], table.nearest(static_cast<double>(table.nearest(a[i])) * table.nearest(b[i])))) << i;
    ASSERT_EQ(erg_add_float(f, 300, a.data(), b.data(), y.data(), nullptr), ERG_OK);
    for (size_t i = 0; i < 300; i++)
      ASSERT_TRUE(same(y[i], table.nearest(static_cast<double>(table.nearest(a[i])) + table.nearest(b[i])))) << i;
    ASSERT_EQ(erg_float_round(f, 300, a.data(), y.data(), nullptr), ERG_OK);
    for (size_t i = 0; i < 300; i++) ASSERT_TRUE(same(y[i], table.nearest(a[i])));
    erg_pool_shape pool{{1, 10, 10, 3}, 2, 2, 2, 2, 0, 0, 5, 5};
    std::vector<float> most(75), mean(75);
    ASSERT_EQ(erg_max_pool_float(f, &pool, a.data(), most.data(), nullptr), ERG_OK);
    ASSERT_EQ(erg_avg_pool_float(f, &pool, a.data(), mean.data(), nullptr), ERG_OK);
    for (int p = 0; p < 5; p++)
      for (int q = 0; q < 5; q++)
        for (int c = 0; c < 3; c++) {
          float greatest = -INFINITY;
          volatile float sum = 0;
          for (int i = 0; i < 4; i++) {
            float x = table.nearest(a[static_cast<size_t>(((2 * p + i / 2) * 10 + 2 * q + i % 2) * 3 + c)]);
            greatest = std::fmax(greatest, x);
            sum = sum + x;
          }
          size_t at = static_cast<size_t>((p * 5 + q) * 3 + c);
          ASSERT_TRUE(same(most[at], greatest)) << at;
          ASSERT_TRUE(same(mean[at], table.nearest(sum / 4))) << at;
        }
  }
}

TEST(FloatKernels, FaultsAreRefused) {
  test::Error error;
  erg_float_arithmetic good{find(ERG_FORMAT_FP16), false}, none{nullptr, false};
  erg_conv2d_shape s{};
  s.in = {1, 2, 2, 1};
  s.filters = s.groups = s.kernel_h = s.kernel_w = s.stride_h = s.stride_w = 1, s.out_h = s.out_w = 2;
  float x[4] = {1, 2, 3, 4}, y[4];
  EXPECT_EQ(erg_conv2d_float(&good, &s, x, x, nullptr, y, &error), ERG_OK);
  EXPECT_EQ(erg_conv2d_float(&none, &s, x, x, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_conv2d_float(nullptr, &s, x, x, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_conv2d_float(&good, nullptr, x, x, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_conv2d_float(&good, &s, nullptr, x, nullptr, y, &error), ERG_ERR_DATA);
  s.stride_h = 0;
  EXPECT_EQ(erg_conv2d_float(&good, &s, x, x, nullptr, y, &error), ERG_ERR_DATA);
  erg_matmul_shape m{1, 1, 0, 1};
  EXPECT_EQ(erg_matmul_float(&good, &m, x, x, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_matmul_float(&none, &m, x, x, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_add_float(good.format, 0, x, x, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_add_float(nullptr, 4, x, x, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_mul_float(good.format, -1, x, x, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_mul_float(good.format, 4, x, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_float_round(good.format, 4, nullptr, y, &error), ERG_ERR_DATA);
  erg_pool_shape pool{{1, 2, 2, 1}, 3, 3, 1, 1, 0, 0, 9, 9};
  EXPECT_EQ(erg_max_pool_float(good.format, &pool, x, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_avg_pool_float(good.format, nullptr, x, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_avg_pool_float(nullptr, &pool, x, y, &error), ERG_ERR_DATA);
}
