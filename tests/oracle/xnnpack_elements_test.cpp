// SPDX-License-Identifier: GPL-3.0-or-later
// XNNPACK element by element: products under rule F, conversion to and from codes with its ties, tables of gates.
#include "ergon/gates.h"
#include "ledger.hpp"
#include "support.hpp"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <xnnpack.h>

using namespace oracle;

namespace {

std::vector<int8_t> bytes(const std::vector<int16_t> &codes) { // the library may read beyond the end
  std::vector<int8_t> out(codes.begin(), codes.end());
  out.resize(out.size() + XNN_EXTRA_BYTES);
  return out;
}

std::vector<int16_t> random_codes(test::Random &random, size_t count) {
  std::vector<int16_t> out(count);
  for (auto &v : out) v = static_cast<int16_t>(random.range(-128, 127));
  return out;
}

void run(xnn_operator_t op) {
  EXPECT_EQ(xnn_run_operator(op, nullptr), xnn_status_success);
  xnn_delete_operator(op);
}

} // namespace

TEST(XnnpackElements, Products) {
  ASSERT_EQ(xnn_initialize(nullptr), xnn_status_success);
  Ledger ledger("xnnpack-multiply");
  test::Random random(211);
  const size_t count = 20000;
  for (int round = 0; round < 30; round++) {
    const std::vector<int16_t> a = random_codes(random, count), b = random_codes(random, count);
    const auto za = static_cast<int8_t>(random.range(-128, 127)), zb = static_cast<int8_t>(random.range(-128, 127)),
               zy = static_cast<int8_t>(random.range(-128, 127));
    // Every third scale is a power of two, so that ties occur.
    const auto sa = static_cast<float>(round % 3 ? 0.01 + 0.1 * random.unit() : 0.0625), sb = round % 3 ? 0.05F : 0.25F;
    const auto sy = static_cast<float>(round % 3 ? 0.05 + 0.5 * random.unit() : 1.0);
    erg_mul_params p{};
    p.a_zero_point = za, p.b_zero_point = zb, p.accumulator_bits = 32;
    p.scale.rule = ERG_RULE_F, p.scale.scale = erg_requant_from_float(sa * sb / sy);
    p.codes.zero_point = zy, p.codes.low = -120, p.codes.high = 121;
    std::vector<int16_t> ours(count);
    test::Error error;
    ASSERT_EQ(erg_mul_s16(static_cast<int64_t>(count), a.data(), b.data(), &p, ours.data(), &error), ERG_OK)
        << error.message();
    const std::vector<int8_t> x = bytes(a), y = bytes(b);
    std::vector<int8_t> theirs(count + XNN_EXTRA_BYTES);
    xnn_operator_t op = nullptr;
    ASSERT_EQ(xnn_create_multiply_nd_qs8(za, sa, zb, sb, zy, sy, -120, 121, 0, &op), xnn_status_success);
    ASSERT_EQ(xnn_setup_multiply_nd_qs8(op, 1, &count, 1, &count, x.data(), y.data(), theirs.data(), nullptr),
              xnn_status_success);
    run(op);
    ledger.compare("round " + std::to_string(round), static_cast<int64_t>(count), theirs.data(), ours.data());
  }
  ledger.close();
}

// Scales are powers of two: XNNPACK multiplies by the reciprocal, which is exact then. Every value is a quarter step.
TEST(XnnpackElements, ToAndFromCodes) {
  ASSERT_EQ(xnn_initialize(nullptr), xnn_status_success);
  Ledger ledger("xnnpack-quantize");
  test::Random random(212);
  const size_t count = 4000;
  for (int round = 0; round < 40; round++) {
    const float scale = std::ldexp(1.0F, random.range(-12, 3));
    const auto zero_point = static_cast<int8_t>(random.range(-128, 127));
    std::vector<float> x(count + XNN_EXTRA_BYTES), back(count + XNN_EXTRA_BYTES), ours_back(count);
    for (size_t i = 0; i < count; i++) x[i] = static_cast<float>(random.range(-1100, 1100)) * 0.25F * scale;
    erg_codes codes{};
    codes.zero_point = zero_point, codes.low = -128, codes.high = 127;
    std::vector<int16_t> ours(count);
    std::vector<int8_t> theirs(count + XNN_EXTRA_BYTES);
    test::Error error;
    ASSERT_EQ(erg_quantize_f32(count, x.data(), scale, &codes, ours.data(), &error), ERG_OK) << error.message();
    xnn_operator_t op = nullptr;
    ASSERT_EQ(xnn_create_convert_nc_f32_qs8(1, 1, 1, scale, zero_point, -128, 127, 0, &op), xnn_status_success);
    ASSERT_EQ(xnn_setup_convert_nc_f32_qs8(op, count, x.data(), theirs.data(), nullptr), xnn_status_success);
    run(op);
    ledger.compare("to codes", count, theirs.data(), ours.data());

    ASSERT_EQ(erg_dequantize_s16(count, ours.data(), scale, zero_point, ours_back.data(), &error), ERG_OK);
    ASSERT_EQ(xnn_create_convert_nc_qs8_f32(1, 1, 1, scale, zero_point, 0, &op), xnn_status_success);
    ASSERT_EQ(xnn_setup_convert_nc_qs8_f32(op, count, theirs.data(), back.data(), nullptr), xnn_status_success);
    run(op);
    std::vector<int32_t> theirs_bits(count), ours_bits(count);
    std::memcpy(theirs_bits.data(), back.data(), count * sizeof(float));
    std::memcpy(ours_bits.data(), ours_back.data(), count * sizeof(float));
    ledger.compare("from codes", count, theirs_bits.data(), ours_bits.data());
  }
  ledger.close();
}

// XNNPACK fills its tables with float32 arithmetic, Ergon with the exact function, correctly rounded.
TEST(XnnpackElements, GateTables) {
  ASSERT_EQ(xnn_initialize(nullptr), xnn_status_success);
  Ledger ledger("xnnpack-gates");
  test::Random random(213);
  for (const char *name : {"sigmoid", "tanh"})
    for (int round = 0; round < 100; round++) {
      const bool sigmoid = name[0] == 's';
      const float scale = static_cast<float>(0.004 + 0.12 * random.unit());
      const auto zero_point = static_cast<int8_t>(random.range(-128, 127));
      const erg_quantization in{static_cast<double>(scale), zero_point, 8};
      const erg_quantization out{sigmoid ? 1.0 / 256 : 1.0 / 128, sigmoid ? -128 : 0, 8};
      std::vector<int16_t> table(256), codes(256), ours(256);
      for (int q = 0; q < 256; q++) codes[static_cast<size_t>(q)] = static_cast<int16_t>(q - 128);
      test::Error error;
      ASSERT_EQ(erg_gate_table_build(erg_gate_find(name), in, out, table.data(), &error), ERG_OK) << error.message();
      ASSERT_EQ(erg_gate_s16(256, codes.data(), 8, table.data(), ours.data(), &error), ERG_OK) << error.message();
      const std::vector<int8_t> x = bytes(codes);
      std::vector<int8_t> theirs(256 + XNN_EXTRA_BYTES);
      xnn_operator_t op = nullptr;
      if (sigmoid) {
        ASSERT_EQ(xnn_create_sigmoid_nc_qs8(1, 1, 1, zero_point, scale, -128, 1.0F / 256, -128, 127, 0, &op),
                  xnn_status_success);
        ASSERT_EQ(xnn_setup_sigmoid_nc_qs8(op, 256, x.data(), theirs.data(), nullptr), xnn_status_success);
      } else {
        ASSERT_EQ(xnn_create_tanh_nc_qs8(1, 1, 1, zero_point, scale, 0, 1.0F / 128, -128, 127, 0, &op),
                  xnn_status_success);
        ASSERT_EQ(xnn_setup_tanh_nc_qs8(op, 256, x.data(), theirs.data(), nullptr), xnn_status_success);
      }
      run(op);
      ledger.compare(std::string(name) + " scale " + std::to_string(scale), 256, theirs.data(), ours.data());
    }
  ledger.close();
}
