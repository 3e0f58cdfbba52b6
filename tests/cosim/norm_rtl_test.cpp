// SPDX-License-Identifier: GPL-3.0-or-later
// Dynamic norms in RTL against the golden integer kernels, bit for bit: statistics, root, second pass, gate.
#include "Vnorm16.h"
#include "Vnorm8.h"
#include "ergon/gates.h"
#include "ergon/gemm.h"
#include "norm_drive.hpp"
#include <set>

double sc_time_stamp() { // Verilated code of this version asks for it
  return 0;
}

namespace {

using norm::Kind;
using norm::Problem;
using Bench8 = norm::Bench<Vnorm8, 4, 8, 16, 64>;
using Bench16 = norm::Bench<Vnorm16, 3, 16, 20, 8>;

enum Fill { UNIFORM, SMALL, FLAT, ZERO, OUTLIER, RAILS, ONE_OFF, FILLS };

int16_t code(test::Random &r, int fill, int bits, int zp, int64_t i, int64_t count) {
  int half = 1 << (bits - 1), v = zp;
  if (fill == UNIFORM) v = r.range(-half, half - 1);
  if (fill == SMALL) v = zp + r.range(-3, 3);
  if (fill == FLAT) v = half / 2;
  if (fill == OUTLIER) v = i == count / 2 ? half - 1 : zp + r.range(-1, 1);
  if (fill == RAILS) v = r.coin() ? half - 1 : -half;
  if (fill == ONE_OFF) v = zp + (i == 0);
  return static_cast<int16_t>(std::max(-half, std::min(half - 1, v)));
}

Problem problem(test::Random &r, Kind kind, int64_t rows, int channels, int bits, int fill) {
  int half = 1 << (bits - 1);
  Problem p{};
  p.kind = kind, p.rows = rows, p.channels = channels;
  int zps[] = {0, -half, half - 1, r.range(-half, half - 1)};
  p.zero_point = zps[r.range(0, 3)];
  for (int64_t row = 0; row < rows; row++)
    for (int c = 0; c < channels; c++) // some columns and rows are all zeros whatever the others hold
      p.x.push_back(code(r, (kind == norm::INSTANCE ? c : row) % 5 == 4 ? ZERO : fill, bits, p.zero_point,
                         kind == norm::INSTANCE ? row : c, p.count()));
  test::Error error;
  double scale = std::ldexp(1, r.range(-8, 4)), eps[] = {0, 1e-5, 1e-12, 1};
  if (erg_norm_epsilon(p.count(), eps[r.range(0, 3)], scale, &p.epsilon, &error) != ERG_OK) p.epsilon = INT64_MAX;
  std::vector<double> gamma, beta;
  double out_scale = 8.0 / half * std::ldexp(1, r.range(-2, 1));
  for (int c = 0; c < channels; c++) {
    gamma.push_back(c % 4 == 3 ? 0 : 3 * r.unit() - 1);
    beta.push_back(2 * r.unit() - 1);
  }
  p.multiplier.resize(static_cast<size_t>(channels)), p.bias.resize(p.multiplier.size());
  EXPECT_EQ(erg_norm_affine_build(channels, gamma.data(), beta.data(), out_scale, p.multiplier.data(), p.bias.data(),
                                  &p.affine.shift, &error),
            ERG_OK)
      << error.message();
  if (fill == RAILS && r.coin()) // the largest legal constants
    for (int c = 0; c < channels; c++)
      p.multiplier[static_cast<size_t>(c)] = r.coin() ? INT32_MAX : -INT32_MAX,
      p.bias[static_cast<size_t>(c)] = (int64_t{1} << 62) * (r.coin() ? 1 : -1);
  p.affine.channels = channels;
  p.affine.zero_point = r.range(-half, half - 1);
  p.affine.low = r.coin() ? -half : r.range(-half, 0);
  p.affine.high = r.coin() ? half - 1 : r.range(p.affine.low, half - 1);
  return p;
}

std::vector<int16_t> golden(Problem &p) {
  std::vector<int16_t> y(p.x.size());
  test::Error error;
  p.affine.multiplier = p.multiplier.data(), p.affine.bias = p.bias.data();
  erg_shape shape{1, static_cast<int>(p.rows), 1, p.channels};
  erg_status status = p.kind == norm::INSTANCE ? erg_instance_norm_s16(shape, p.x.data(), p.zero_point, p.epsilon,
                                                                       &p.affine, y.data(), &error)
                      : p.kind == norm::LAYER
                          ? erg_layer_norm_s16(p.rows, p.x.data(), p.zero_point, p.epsilon, &p.affine, y.data(), &error)
                          : erg_rms_norm_s16(p.rows, p.x.data(), p.zero_point, p.epsilon, &p.affine, y.data(), &error);
  EXPECT_EQ(status, ERG_OK) << error.message();
  return y;
}

template <class Bench> void sweep(int bits, int cols, uint64_t seed, int rounds) {
  test::Random r(seed);
  Bench bench(seed);
  int64_t outputs = 0;
  std::set<int16_t> codes;
  for (int round = 0; round < rounds; round++)
    for (Kind kind : {norm::INSTANCE, norm::LAYER, norm::RMS})
      for (int fill = 0; fill < FILLS; fill++) {
        SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round) + " kind " +
                     std::to_string(kind) + " fill " + std::to_string(fill));
        int64_t rows = round == 0 ? 1 : r.range(1, 90);
        int channels = round == 1 ? 1 : r.range(1, 4 * cols + 1);
        Problem p = problem(r, kind, rows, channels, bits, fill);
        std::vector<int16_t> y = golden(p);
        ASSERT_EQ(bench.run(p), y);
        outputs += static_cast<int64_t>(y.size());
        codes.insert(y.begin(), y.end());
      }
  EXPECT_GE(codes.size(), 200u); // else the affine hides what differs
  std::printf("%lld outputs, %lld groups, %.1f cycles a root and quotient\n", static_cast<long long>(outputs),
              static_cast<long long>(bench.groups),
              static_cast<double>(bench.scale_cycles) / static_cast<double>(bench.groups));
}

} // namespace

TEST(NormRtl, EightBitsEqualTheGoldenNorms) {
  sweep<Bench8>(8, 4, 51, 12);
}

TEST(NormRtl, SixteenBitsEqualTheGoldenNorms) {
  sweep<Bench16>(16, 3, 52, 12);
}

// N = 2^16 of 8 bits and 2^20 of 16, all on rails furthest from the zero point: the widest S, Q and V.
TEST(NormRtl, LargestGroupsOnTheRails) {
  test::Random r(53);
  for (bool half_and_half : {false, true}) {
    Problem p = problem(r, norm::INSTANCE, 1 << 16, 4, 8, UNIFORM);
    p.zero_point = -128;
    for (size_t i = 0; i < p.x.size(); i++) p.x[i] = half_and_half && i / 4 % 2 ? -128 : 127;
    std::vector<int16_t> y = golden(p);
    Bench8 bench(54, 0);
    ASSERT_EQ(bench.run(p), y);
    p = problem(r, norm::INSTANCE, 1 << 20, 1, 16, UNIFORM);
    p.zero_point = -32768;
    for (size_t i = 0; i < p.x.size(); i++) p.x[i] = half_and_half && i % 2 ? -32768 : 32767;
    y = golden(p);
    Bench16 wide(55, 0);
    ASSERT_EQ(wide.run(p), y);
  }
}

// Each gate's table behind the norm, and the same rows with the table switched off.
TEST(NormRtl, GateTableFollowsAndSwitchesOff) {
  test::Random r(56);
  Bench8 bench(57);
  int gates = 0;
  ERG_EACH(erg_gate, gate) {
    erg_quantization in, out;
    erg_gate_default_codes(*gate, 8, &in, &out);
    test::Error error;
    Problem p = problem(r, norm::LAYER, 40, 9, 8, UNIFORM);
    std::vector<int16_t> off = golden(p), on(off.size()), table(256);
    ASSERT_EQ(erg_gate_table_build(*gate, in, out, table.data(), &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_gate_s16(static_cast<int64_t>(off.size()), off.data(), 8, table.data(), on.data(), &error), ERG_OK);
    EXPECT_NE(on, off) << (*gate)->name;
    ASSERT_EQ(bench.run(p), off) << (*gate)->name;
    p.table = table;
    ASSERT_EQ(bench.run(p), on) << (*gate)->name;
    std::vector<int16_t> alone(p.x.size()); // without a norm before it
    ASSERT_EQ(erg_gate_s16(static_cast<int64_t>(p.x.size()), p.x.data(), 8, table.data(), alone.data(), &error),
              ERG_OK);
    ASSERT_EQ(bench.run(p, false), alone) << (*gate)->name;
    gates++;
  }
  EXPECT_GE(gates, 8);
}

// Output rows of the Verilated array, residual and all, in the order in which they leave its epilogue.
TEST(NormRtl, BehindTheArray) {
  test::Random r(58);
  test::Error error;
  erg_rtl_config config{4, 4, 8, 8, 32, 64, nullptr};
  erg_rtl *rtl = nullptr;
  ASSERT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
  for (Kind kind : {norm::INSTANCE, norm::LAYER, norm::RMS}) {
    const int m = 60, n = 11, k = 13, tiles[] = {40, 20};
    std::vector<int16_t> a, w, residual, rows(m * n), expected;
    std::vector<int64_t> bias;
    for (int i = 0; i < m * k; i++) a.push_back(static_cast<int16_t>(r.range(-128, 127)));
    for (int i = 0; i < n * k; i++) w.push_back(static_cast<int16_t>(r.range(-127, 127)));
    for (int i = 0; i < m * n; i++) residual.push_back(static_cast<int16_t>(r.range(-128, 127)));
    for (int i = 0; i < n; i++) bias.push_back(r.range(-5000, 5000));
    std::vector<erg_requant> scale(n, erg_requant_from_real(1.0 / 500));
    erg_requant one = erg_requant_from_real(0.5);
    erg_gemm g{};
    g.m = m, g.n = n, g.k = k, g.tile_count = 2, g.tile_rows = tiles;
    g.a = a.data(), g.w = w.data(), g.residual = residual.data(), g.bias = bias.data(), g.scale = scale.data();
    g.layer = {3, -128, 127, true, -7, one.multiplier, 31 - one.shift};
    erg_gemm_run run{};
    run.watch = -1, run.output = rows.data();
    ASSERT_EQ(erg_gemm_drive(rtl, 4, 4, &g, &run, &error), ERG_OK) << error.message();
    for (int i = 0; i < m; i++)
      for (int j = 0; j < n; j++) {
        int64_t sum = bias[static_cast<size_t>(j)];
        for (int l = 0; l < k; l++) sum += a[static_cast<size_t>(i * k + l)] * w[static_cast<size_t>(j * k + l)];
        int64_t res = residual[static_cast<size_t>(i * n + j)] + 7;
        int64_t y = 3 + erg_requantize(sum, scale[0], 32) + erg_requantize(res, one, 32);
        expected.push_back(static_cast<int16_t>(y < -128 ? -128 : y > 127 ? 127 : y));
      }
    ASSERT_EQ(rows, expected);
    Problem p = problem(r, kind, m, n, 8, UNIFORM);
    p.zero_point = 3, p.x = expected;
    std::vector<int16_t> y = golden(p);
    p.x = rows;
    Bench8 bench(59);
    ASSERT_EQ(bench.run(p), y);
  }
  erg_rtl_close(rtl);
}
