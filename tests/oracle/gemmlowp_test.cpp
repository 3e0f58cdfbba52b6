// SPDX-License-Identifier: GPL-3.0-or-later
// Rule D against gemmlowp: uint8 matrix products with its output pipeline, one scale a tensor or one a channel.
#include "layers.hpp"
#include "ledger.hpp"
#include <public/gemmlowp.h>
#include <public/output_stages.h>
#include <tuple>

using namespace oracle;

namespace {

using Params = gemmlowp::DefaultL8R8BitDepthParams;

size_t at(int row, int columns, int column = 0) {
  return static_cast<size_t>(int64_t{row} * columns + column);
}

struct Product {
  int m, k, n;
  int32_t a_offset, b_offset, zero_point, low, high;
};

int32_t multiply(int32_t x, int32_t multiplier, int shift) {
  const int32_t high =
      gemmlowp::SaturatingRoundingDoublingHighMul(gemmlowp::ShiftLeft(x, std::max(shift, 0)), multiplier);
  return gemmlowp::RoundingDivideByPOT(high, std::max(-shift, 0));
}

// a [m, k] weights, b [n, k] windows, result [n, m]: the channel is innermost, as in NHWC.
void gemmlowp_product(const Product &p, const uint8_t *a, const uint8_t *b, const int32_t *bias,
                      const std::vector<erg_requant> &scale, bool per_channel, uint8_t *result) {
  using gemmlowp::MapOrder;
  gemmlowp::MatrixMap<const uint8_t, MapOrder::RowMajor> lhs(a, p.m, p.k);
  gemmlowp::MatrixMap<const uint8_t, MapOrder::ColMajor> rhs(b, p.k, p.n);
  gemmlowp::MatrixMap<uint8_t, MapOrder::ColMajor> out(result, p.m, p.n);
  using Vector = gemmlowp::VectorMap<const int32_t, gemmlowp::VectorShape::Col>;
  gemmlowp::OutputStageBiasAddition<Vector> add;
  add.bias_vector = Vector(bias, p.m);
  gemmlowp::OutputStageClamp clamp;
  clamp.min = p.low, clamp.max = p.high;
  gemmlowp::OutputStageSaturatingCastToUint8 cast;
  gemmlowp::GemmContext context;
  context.set_max_num_threads(1);
  if (per_channel) {
    // The pipeline's stage for a scale a channel does not compile for SSE4 in this release: its own fixed-point
    // primitives take its place, on gemmlowp's accumulators with their bias.
    std::vector<int32_t> sums(at(p.m, p.n));
    gemmlowp::MatrixMap<int32_t, MapOrder::ColMajor> raw(sums.data(), p.m, p.n);
    gemmlowp::GemmWithOutputPipeline<uint8_t, int32_t, Params>(&context, lhs, rhs, &raw, p.a_offset, p.b_offset,
                                                               std::make_tuple(add));
    for (size_t i = 0; i < sums.size(); i++) {
      const erg_requant &s = scale[i % static_cast<size_t>(p.m)];
      const int32_t y = multiply(sums[i], s.multiplier, s.shift) + p.zero_point;
      result[i] = static_cast<uint8_t>(std::clamp(y, p.low, p.high));
    }
  } else {
    gemmlowp::OutputStageScaleInt32ByFixedPointAndExponent requantize;
    requantize.result_fixedpoint_multiplier = scale[0].multiplier;
    requantize.result_exponent = scale[0].shift;
    requantize.result_offset_after_shift = p.zero_point;
    gemmlowp::GemmWithOutputPipeline<uint8_t, uint8_t, Params>(&context, lhs, rhs, &out, p.a_offset, p.b_offset,
                                                               std::make_tuple(add, requantize, clamp, cast));
  }
}

// The windows of one group, [N P Q, R S C/groups].
std::vector<uint8_t> windows(const Tensors &t, int group) {
  const erg_conv2d_shape &s = t.shape;
  const int c = s.in.c / s.groups;
  std::vector<uint8_t> out;
  for (int n = 0; n < s.in.n; n++)
    for (int p = 0; p < s.out_h; p++)
      for (int q = 0; q < s.out_w; q++)
        for (int r = 0; r < s.kernel_h; r++)
          for (int v = 0; v < s.kernel_w; v++)
            for (int i = 0; i < c; i++)
              out.push_back(
                  static_cast<uint8_t>(t.input(n, p * s.stride_h + r * s.dilation_h - s.pad_top,
                                               q * s.stride_w + v * s.dilation_w - s.pad_left, group * c + i)));
  return out;
}

void layer(Ledger &ledger, const Layer &l, test::Random &random, bool per_channel) {
  Tensors t(l, random, 0, 255, per_channel);
  const erg_conv2d_shape &s = t.shape;
  std::vector<erg_requant> requant;
  for (double m : t.scale) requant.push_back(erg_requant_from_real(m));
  const int32_t zero_point = random.range(0, 255), low = random.range(0, 20), high = random.range(230, 255);
  t.golden(requant, ERG_RULE_D, zero_point, low, high);
  std::vector<uint8_t> w, theirs(t.y.size());
  for (int16_t v : t.w) w.push_back(static_cast<uint8_t>(v + 128));
  const std::vector<int32_t> bias = t.bias32();
  const int m = s.filters / s.groups, k = static_cast<int>(erg_conv2d_reduction(&s)), n = s.in.n * s.out_h * s.out_w;
  for (int g = 0; g < s.groups; g++) {
    std::vector<uint8_t> result(at(m, n));
    const std::vector<uint8_t> b = windows(t, g);
    gemmlowp_product({m, k, n, -128, -t.zero_point, zero_point, low, high}, &w[at(g * m, k)], b.data(), &bias[at(g, m)],
                     {requant.begin() + g * m, requant.begin() + (g + 1) * m}, per_channel, result.data());
    for (int i = 0; i < n; i++)
      for (int j = 0; j < m; j++) theirs[at(i, s.filters, g * m + j)] = result[at(i, m, j)];
  }
  ledger.compare(l.name, outputs_of(s), theirs.data(), t.y.data());
}

void layers(const char *name, uint64_t seed, bool per_channel) {
  Ledger ledger(name);
  test::Random random(seed);
  for (const Layer &l : kConvolutions) layer(ledger, l, random, per_channel);
  for (const Layer &l : kFullyConnected) layer(ledger, l, random, per_channel);
  ledger.close();
}

} // namespace

TEST(Gemmlowp, LayersPerTensor) {
  layers("gemmlowp-tensor", 101, false);
}
TEST(Gemmlowp, LayersPerChannel) {
  layers("gemmlowp-channel", 102, true);
}

// Products of two activations, both with a zero point (attention). b is [K, N] in Ergon.
TEST(Gemmlowp, MatrixProductsOfTwoZeroPoints) {
  Ledger ledger("gemmlowp-matmul");
  test::Random random(103);
  const int sizes[][3] = {{197, 64, 197}, {197, 197, 64}, {384, 64, 384}, {384, 384, 64}, {77, 31, 53}, {1, 128, 512}};
  for (const auto &size : sizes) {
    const int m = size[0], k = size[1], n = size[2];
    std::vector<int16_t> a(at(m, k)), b(at(k, n)), ours(at(m, n));
    for (auto &v : a) v = static_cast<int16_t>(random.range(0, 255));
    for (auto &v : b) v = static_cast<int16_t>(random.range(0, 255));
    const int32_t za = random.range(0, 255), zb = random.range(0, 255), zy = random.range(0, 255);
    std::vector<int64_t> bias64;
    std::vector<int32_t> bias;
    for (int i = 0; i < n; i++)
      bias64.push_back(random.range(-50000, 50000)), bias.push_back(static_cast<int32_t>(bias64.back()));
    const std::vector<erg_requant> scale(static_cast<size_t>(n),
                                         erg_requant_from_real((20 + 60 * random.unit()) / (7000.0 * std::sqrt(k))));
    erg_epilogue epilogue{};
    epilogue.bias = bias64.data(), epilogue.scale = scale.data(), epilogue.zero_point = zy, epilogue.low = 0,
    epilogue.high = 255;
    epilogue.rule = ERG_RULE_D;
    const erg_matmul_shape shape{1, m, k, n};
    test::Error error;
    ASSERT_EQ(erg_matmul_s16(&shape, a.data(), za, b.data(), zb, 32, &epilogue, ours.data(), &error), ERG_OK)
        << error.message();
    std::vector<uint8_t> lhs, rhs(a.begin(), a.end()), theirs(ours.size());
    for (int j = 0; j < n; j++)
      for (int i = 0; i < k; i++) lhs.push_back(static_cast<uint8_t>(b[at(i, n, j)]));
    gemmlowp_product({n, k, m, -zb, -za, zy, 0, 255}, lhs.data(), rhs.data(), bias.data(), scale, false, theirs.data());
    ledger.compare("product", int64_t{m} * n, theirs.data(), ours.data());
  }
  ledger.close();
}

// The fixed-point primitives alone, at every distance from a tie: multipliers of few bits, all shifts.
TEST(Gemmlowp, FixedPointPrimitives) {
  Ledger ledger("gemmlowp-primitives");
  test::Random random(104);
  for (int shift = -31; shift <= 8; shift++) {
    std::vector<int32_t> theirs, ours;
    for (int i = 0; i < 40000; i++) {
      const int bits = random.range(1, 31 - std::max(shift, 0));
      const auto x = static_cast<int32_t>(erg_random_range(&random, -(INT64_C(1) << bits), (INT64_C(1) << bits) - 1));
      erg_requant scale{};
      const int kept = random.coin() ? random.range(1, 4) : 31;
      scale.multiplier = static_cast<int32_t>(
          (erg_random_range(&random, INT64_C(1) << 30, (INT64_C(1) << 31) - 1) >> (31 - kept)) << (31 - kept));
      scale.shift = shift;
      theirs.push_back(multiply(x, scale.multiplier, shift));
      ours.push_back(static_cast<int32_t>(erg_requantize_rule(x, scale, 32, ERG_RULE_D)));
    }
    ledger.compare("shift " + std::to_string(shift), static_cast<int64_t>(ours.size()), theirs.data(), ours.data());
  }
  ledger.close();
}
