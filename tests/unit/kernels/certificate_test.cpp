// SPDX-License-Identifier: GPL-3.0-or-later
// The accumulator certificate: exhaustively tight on tiny layers, sound on random ones, and equal to bounds by hand.
#include "support.hpp"

namespace {

int64_t most_of(int bits) {
  return ((int64_t)1 << (bits - 1)) - 1;
}
bool fits(int64_t x, int bits) {
  return x >= -most_of(bits) - 1 && x <= most_of(bits);
}

// Every partial sum in the order given, and the sum with its bias; true when all fit.
bool runs(const std::vector<int> &x, const std::vector<int> &w, int64_t bias, int zero, int bits) {
  int64_t sum = 0;
  for (size_t i = 0; i < x.size(); i++) {
    sum += (x[i] - zero) * w[i];
    if (!fits(sum, bits)) return false;
  }
  return fits(sum + bias, bits);
}

// All vectors of `count` values in low..high.
template <class Body> void each(int count, int low, int high, const Body &body) {
  std::vector<int> v(static_cast<size_t>(count), low);
  for (;;) {
    body(v);
    size_t i = 0;
    while (i < v.size() && v[i] == high) v[i++] = low;
    if (i == v.size()) return;
    v[i]++;
  }
}

} // namespace

// All weights of 3 taps of 3 bits, all inputs of 2 bits: the certified width always holds, one bit less never does.
TEST(Certificate, ByWeightsIsExhaustivelyTight) {
  const erg_conv2d_shape s{{1, 1, 1, 3}, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1};
  int tight = 0;
  for (int zero : {-2, 0, 1})
    for (int64_t bias : {-7, 0, 5}) {
      const erg_code_range range{-2, 1, zero};
      each(3, -3, 3, [&](const std::vector<int> &w) {
        std::vector<int16_t> weight(w.begin(), w.end());
        erg_certificate c;
        ASSERT_EQ(erg_certificate_weights(&s, weight.data(), &bias, &range, &c, nullptr), ERG_OK);
        bool safe = true, narrower = true;
        each(3, -2, 1, [&](const std::vector<int> &x) {
          safe &= runs(x, w, bias, zero, c.bits);
          narrower &= runs(x, w, bias, zero, c.bits - 1);
        });
        ASSERT_TRUE(safe) << c.reason;
        if (c.bits == 2) return; // the narrowest there is
        ASSERT_FALSE(narrower) << c.reason;
        tight++;
      });
    }
  EXPECT_GT(tight, 2000);
}

// All weights as well: the worst case of the shape.
TEST(Certificate, WorstCaseIsExhaustivelyTight) {
  for (int terms = 1; terms <= 3; terms++)
    for (int zero : {-2, 0, 1})
      for (int64_t bias : {0, 3}) {
        const erg_code_range x_range{-2, 1, zero}, w_range{-3, 3, 0};
        erg_certificate c;
        ASSERT_EQ(erg_certificate_worst(terms, &x_range, &w_range, bias, &c, nullptr), ERG_OK);
        bool safe = true, narrower = true;
        each(terms, -3, 3, [&](const std::vector<int> &w) {
          each(terms, -2, 1, [&](const std::vector<int> &x) {
            for (int64_t b : {-bias, bias}) {
              safe &= runs(x, w, b, zero, c.bits);
              narrower &= runs(x, w, b, zero, c.bits - 1);
            }
          });
        });
        EXPECT_TRUE(safe) << c.reason;
        EXPECT_FALSE(narrower) << c.reason;
      }
}

// Published bounds: int8 x int8 fits 32 bits for K <= 131071; with zero points 66311; unsigned by signed 65793.
TEST(Certificate, KnownBoundsOfK) {
  const erg_code_range s8{-128, 127, 0}, difference{-255, 255, 0}, narrow{-127, 127, 0}, u8{0, 255, 0};
  auto bits = [](int64_t k, const erg_code_range &a, const erg_code_range &b) {
    erg_certificate c{};
    EXPECT_EQ(erg_certificate_worst(k, &a, &b, 0, &c, nullptr), ERG_OK);
    return c.bits;
  };
  EXPECT_EQ(bits(131071, s8, s8), 32);
  EXPECT_EQ(bits(131072, s8, s8), 33);
  EXPECT_EQ(bits(66311, difference, narrow), 32);
  EXPECT_EQ(bits(66312, difference, narrow), 33);
  EXPECT_EQ(bits(65793, u8, s8), 32);
  EXPECT_EQ(bits(65794, u8, s8), 33);
  const erg_code_range s16{-32768, 32767, 0};
  EXPECT_EQ(bits(1, s16, s16), 32);
  EXPECT_EQ(bits(2, s16, s16), 33);
}

// The promise behind it: at the certified width saturating equals wrapping equals exact, for rails and random inputs.
TEST(Certificate, CertifiedWidthMakesSaturatingWrapping) {
  test::Random r(191);
  int beaten = 0;
  for (int round = 0; round < 400; round++) {
    SCOPED_TRACE("seed 191, round " + std::to_string(round));
    erg_conv2d_shape s{{1, r.range(3, 5), r.range(3, 5), 2 * r.range(1, 4)},
                       2 * r.range(1, 3),
                       r.range(1, 3),
                       r.range(1, 3),
                       1,
                       1,
                       0,
                       0,
                       r.range(1, 2),
                       0,
                       0};
    s.out_h = s.in.h - s.kernel_h + 1;
    s.out_w = s.in.w - s.kernel_w + 1;
    int64_t edge = (int64_t)1 << (r.range(5, 8) - 1);
    int zero = r.range(-edge, edge - 1);
    size_t reduction = static_cast<size_t>(erg_conv2d_reduction(&s)),
           outputs = static_cast<size_t>(s.out_h * s.out_w * s.filters);
    std::vector<int16_t> w(reduction * static_cast<size_t>(s.filters)),
        x(static_cast<size_t>(erg_shape_elements(s.in)));
    for (int16_t &v : w) v = static_cast<int16_t>(r.range(-edge + 1, edge - 1));
    const erg_code_range range{static_cast<int32_t>(-edge), static_cast<int32_t>(edge - 1), zero};
    erg_certificate c;
    ASSERT_EQ(erg_certificate_weights(&s, w.data(), nullptr, &range, &c, nullptr), ERG_OK);
    if (c.bits < 9) continue; // the kernel starts at 8 bits
    // The input that meets the bound, in the window at the origin: each tap on the rail that its weight asks for.
    bool upwards = c.high > most_of(c.bits - 1);
    int gc = s.in.c / s.groups, group = c.channel / (s.filters / s.groups);
    for (int16_t &v : x) v = static_cast<int16_t>(r.coin() ? -edge : edge - 1);
    for (size_t i = 0; i < reduction; i++) {
      int ch = static_cast<int>(i) % gc, t = static_cast<int>(i) / gc % s.kernel_w,
          row = static_cast<int>(i) / gc / s.kernel_w;
      bool high = (w[static_cast<size_t>(c.channel) * reduction + i] > 0) == upwards;
      x[static_cast<size_t>((row * s.in.w + t) * s.in.c + group * gc + ch)] =
          static_cast<int16_t>(high ? edge - 1 : -edge);
    }
    std::vector<int64_t> saturated(outputs), wrapped(outputs), exact(outputs);
    int64_t clamped;
    auto run = [&](int bits, erg_accumulation policy, std::vector<int64_t> &out) {
      ASSERT_EQ(
          erg_conv2d_accumulate_policy_s16(&s, x.data(), zero, w.data(), bits, policy, out.data(), &clamped, nullptr),
          ERG_OK);
    };
    run(48, ERG_ACCUMULATE_WRAP, exact);
    run(c.bits, ERG_ACCUMULATE_WRAP, wrapped);
    run(c.bits, ERG_ACCUMULATE_SATURATE, saturated);
    ASSERT_EQ(clamped, 0);
    ASSERT_EQ(saturated, exact);
    ASSERT_EQ(wrapped, exact);
    ASSERT_EQ(exact[static_cast<size_t>(c.channel)], upwards ? c.high : c.low) << "the bound is met";
    run(c.bits - 1, ERG_ACCUMULATE_SATURATE, saturated);
    ASSERT_GT(clamped, 0) << "one bit less overflows";
    beaten++;
  }
  EXPECT_GT(beaten, 300);
}

TEST(Certificate, RefusesIllegalArguments) {
  const erg_conv2d_shape s{{1, 1, 1, 1}, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1};
  const erg_code_range good{-128, 127, 0}, empty{1, 0, 0}, huge{INT32_MIN, INT32_MAX, INT32_MIN};
  const int16_t w = 1;
  const int64_t bias = INT64_MAX;
  erg_certificate c{0, 0, 77, 0, ""};
  test::Error error;
  EXPECT_EQ(erg_certificate_worst(0, &good, &good, 0, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_worst(1, &good, &good, -1, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_worst(1, nullptr, &good, 0, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_worst(1, &good, &empty, 0, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_worst(1, &good, &good, 0, nullptr, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_worst(INT64_MAX, &good, &good, 0, &c, &error), ERG_ERR_DATA) << "beyond 63 bits";
  EXPECT_EQ(erg_certificate_worst(1, &huge, &huge, 0, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_worst(1, &good, &good, INT64_MAX, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_weights(nullptr, &w, nullptr, &good, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_weights(&s, nullptr, nullptr, &good, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_weights(&s, &w, nullptr, &empty, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_weights(&s, &w, nullptr, &good, nullptr, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_certificate_weights(&s, &w, &bias, &good, &c, &error), ERG_ERR_DATA);
  EXPECT_EQ(c.bits, 77);
}
