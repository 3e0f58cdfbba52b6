// SPDX-License-Identifier: GPL-3.0-or-later
// NULLs, zero sizes, sizes beyond any memory, illegal rules, scales, widths and clamps: a status, a message, no output.
#include "support.hpp"
#include <functional>

namespace {

// Every argument of every kernel of vector.h and requantize.h, legal; a test breaks one at a time.
struct Arguments {
  const int16_t *a, *b;
  const float *fa, *fb;
  const int64_t *sums;
  int16_t *y;
  float *fy;
  int64_t rows = 1;
  int channels = 1, bits = 32, count = 1;
  erg_requant scale = erg_requant_from_real(0.5);
  erg_rule rule = ERG_RULE_S;
  erg_codes codes{0, -128, 127};
  erg_padding padding{1, 1, 1, 1};
  const int32_t *weight;
  const int64_t *bias;
};

using Call = std::function<erg_status(const Arguments &, erg_error *)>;
struct Kernel {
  const char *name;
  bool bits, integer;
  Call call;
};

const Kernel kernels[] = {
    {"requantize tensor", false, true,
     [](const Arguments &k, erg_error *e) {
       erg_requant_tensor q{k.rule, k.scale};
       return erg_requantize_tensor_s16(k.rows, k.a, 0, &q, &k.codes, k.y, e);
     }},
    {"requantize channels", false, true,
     [](const Arguments &k, erg_error *e) {
       erg_requant_channels q{k.rule, k.channels, &k.scale};
       return erg_requantize_channels_s16(k.rows, k.a, 0, &q, &k.codes, k.y, e);
     }},
    {"accumulators tensor", true, true,
     [](const Arguments &k, erg_error *e) {
       erg_requant_tensor q{k.rule, k.scale};
       return erg_requantize_tensor_s64(k.rows, k.sums, k.bits, &q, &k.codes, k.y, e);
     }},
    {"accumulators channels", true, true,
     [](const Arguments &k, erg_error *e) {
       erg_requant_channels q{k.rule, k.channels, &k.scale};
       return erg_requantize_channels_s64(k.rows, k.sums, k.bits, &q, &k.codes, k.y, e);
     }},
    {"mul", true, true,
     [](const Arguments &k, erg_error *e) {
       erg_mul_params p{0, 0, k.bits, {k.rule, k.scale}, k.codes};
       return erg_mul_s16(k.rows, k.a, k.b, &p, k.y, e);
     }},
    {"channel mul", true, true,
     [](const Arguments &k, erg_error *e) {
       erg_mul_params p{0, 0, k.bits, {k.rule, k.scale}, k.codes};
       return erg_channel_mul_s16({1, static_cast<int>(k.rows), 1, k.channels}, k.a, k.b, &p, k.y, e);
     }},
    {"mul f32", false, false,
     [](const Arguments &k, erg_error *e) { return erg_mul_f32(k.rows, k.fa, k.fb, k.fy, e); }},
    {"channel mul f32", false, false,
     [](const Arguments &k, erg_error *e) {
       return erg_channel_mul_f32({1, static_cast<int>(k.rows), 1, k.channels}, k.fa, k.fb, k.fy, e);
     }},
    {"concat", false, true,
     [](const Arguments &k, erg_error *e) {
       erg_concat_input in{k.a, k.channels, 0, k.scale};
       return erg_concat_s16(k.rows, k.count, &in, k.rule, &k.codes, k.y, e);
     }},
    {"concat f32", false, false,
     [](const Arguments &k, erg_error *e) { return erg_concat_f32(k.rows, k.count, &k.fa, &k.channels, k.fy, e); }},
    {"pad", false, false,
     [](const Arguments &k, erg_error *e) {
       return erg_pad_s16({1, static_cast<int>(k.rows), 1, k.channels}, &k.padding, k.a, 0, k.y, e);
     }},
    {"pad f32", false, false,
     [](const Arguments &k, erg_error *e) {
       return erg_pad_f32({1, static_cast<int>(k.rows), 1, k.channels}, &k.padding, k.fa, k.fy, e);
     }},
    {"batch norm", false, true,
     [](const Arguments &k, erg_error *e) {
       erg_batch_norm_params p{0, k.weight, k.bias, {k.rule, k.channels, &k.scale}, k.codes};
       return erg_batch_norm_s16(k.rows, k.a, &p, k.y, e);
     }},
    {"global average", true, true,
     [](const Arguments &k, erg_error *e) {
       erg_requant_tensor q{k.rule, k.scale};
       return erg_global_avg_pool_s16({1, static_cast<int>(k.rows), 1, k.channels}, k.a, 0, k.bits, &q, &k.codes, k.y,
                                      e);
     }},
};

class EveryKernel : public ::testing::Test {
protected:
  std::vector<int16_t> x = std::vector<int16_t>(64, 3), y = std::vector<int16_t>(64, 77);
  std::vector<float> fx = std::vector<float>(64, 3), fy = std::vector<float>(64, 77);
  std::vector<int64_t> sums = std::vector<int64_t>(64, 3);
  const int32_t weight = 1;
  const int64_t bias = 0;

  Arguments good() {
    Arguments k{};
    k.a = k.b = x.data();
    k.fa = k.fb = fx.data();
    k.sums = sums.data();
    k.y = y.data();
    k.fy = fy.data();
    k.weight = &weight;
    k.bias = &bias;
    return k;
  }
  void refused(const Kernel &kernel, const char *why, const std::function<void(Arguments &)> &breaks) {
    Arguments k = good();
    breaks(k);
    test::Error error;
    EXPECT_EQ(kernel.call(k, &error), ERG_ERR_DATA) << kernel.name << ": " << why;
    EXPECT_FALSE(error.message().empty()) << kernel.name << ": " << why;
    EXPECT_EQ(kernel.call(k, nullptr), ERG_ERR_DATA) << kernel.name << ": " << why << ", nobody to tell";
    EXPECT_EQ(y, std::vector<int16_t>(64, 77)) << kernel.name << ": " << why << ": wrote on error";
    EXPECT_EQ(fy, std::vector<float>(64, 77)) << kernel.name << ": " << why << ": wrote on error";
  }
};

} // namespace

TEST_F(EveryKernel, RefusesNullsAndSizes) {
  for (const Kernel &kernel : kernels) {
    refused(kernel, "input", [](Arguments &k) {
      k.a = nullptr;
      k.fa = nullptr;
      k.sums = nullptr;
    });
    refused(kernel, "output", [](Arguments &k) {
      k.y = nullptr;
      k.fy = nullptr;
    });
    refused(kernel, "no elements", [](Arguments &k) { k.rows = 0; });
    refused(kernel, "negative", [](Arguments &k) { k.rows = -1; });
    refused(kernel, "too many", [](Arguments &k) { k.rows = (int64_t)1 << 41; }); // as an int: 0
  }
}

TEST_F(EveryKernel, RefusesNoChannels) {
  for (const Kernel &kernel : kernels) {
    std::string name = kernel.name;
    if (name == "requantize tensor" || name == "accumulators tensor" || name.rfind("mul", 0) == 0)
      continue; // have none
    refused(kernel, "no channels", [](Arguments &k) { k.channels = 0; });
    refused(kernel, "negative channels", [](Arguments &k) { k.channels = -4; });
  }
}

TEST_F(EveryKernel, RefusesRulesScalesWidthsAndClamps) {
  for (const Kernel &kernel : kernels) {
    if (!kernel.integer) continue;
    refused(kernel, "rule 4", [](Arguments &k) { k.rule = ERG_RULE_COUNT; });
    refused(kernel, "rule 7", [](Arguments &k) { k.rule = static_cast<erg_rule>(7); });
    refused(kernel, "multiplier", [](Arguments &k) { k.scale.multiplier = 5; });
    refused(kernel, "negative multiplier", [](Arguments &k) { k.scale.multiplier = INT32_MIN; });
    refused(kernel, "shift 31", [](Arguments &k) { k.scale.shift = 31; });
    refused(kernel, "shift -32", [](Arguments &k) { k.scale.shift = -32; });
    refused(kernel, "rule F without float32", [](Arguments &k) {
      k.rule = ERG_RULE_F;
      k.scale.real = 0;
    });
    refused(kernel, "rule F, infinite", [](Arguments &k) {
      k.rule = ERG_RULE_F;
      k.scale.real = 1.0f / 0.0f;
    });
    refused(kernel, "clamp upside down", [](Arguments &k) { k.codes.low = 128; });
    refused(kernel, "clamp beyond 16 bits", [](Arguments &k) { k.codes.high = 32768; });
    if (!kernel.bits) continue;
    refused(kernel, "7 bits", [](Arguments &k) { k.bits = 7; });
    refused(kernel, "49 bits", [](Arguments &k) { k.bits = 49; });
  }
}

TEST_F(EveryKernel, AcceptsWhatTheOthersBreak) {
  for (const Kernel &kernel : kernels) {
    test::Error error;
    EXPECT_EQ(kernel.call(good(), &error), ERG_OK) << kernel.name << ": " << error.message();
  }
}

TEST_F(EveryKernel, RefusesWhatOnlyOneOfThemHas) {
  test::Error error;
  erg_codes codes{0, -128, 127};
  EXPECT_EQ(erg_mul_s16(1, x.data(), x.data(), nullptr, y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_requantize_tensor_s16(1, x.data(), 0, nullptr, &codes, y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_requantize_channels_s16(1, x.data(), 0, nullptr, &codes, y.data(), &error), ERG_ERR_DATA);
  erg_requant_channels no_scale{ERG_RULE_S, 1, nullptr};
  EXPECT_EQ(erg_requantize_channels_s64(1, sums.data(), 32, &no_scale, &codes, y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_concat_s16(1, 0, nullptr, ERG_RULE_S, &codes, y.data(), &error), ERG_ERR_DATA);
  erg_padding negative{0, -1, 0, 0}, huge{INT32_MAX, 0, INT32_MAX, 0};
  EXPECT_EQ(erg_pad_s16({1, 1, 1, 1}, &negative, x.data(), 0, y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_pad_s16({1, 1, 1, 1}, &huge, x.data(), 0, y.data(), &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_pad_s16({1, 1, 1, 1}, nullptr, x.data(), 0, y.data(), &error), ERG_ERR_DATA);
  const double one = 1, zero = 0, bad = 1.0 / 0.0;
  int32_t w = 7;
  int64_t b = 7;
  erg_requant q{7, 7, 7};
  auto norm = [&](erg_batch_norm_stats s, int channels, double sx, double sy) {
    return erg_batch_norm_quantize(channels, &s, sx, sy, &w, &b, &q, &error);
  };
  EXPECT_EQ(norm({&one, &one, &one, &zero, 0}, 1, 1, 1), ERG_ERR_DATA) << "variance + epsilon = 0";
  EXPECT_EQ(norm({&bad, &one, &one, &one, 0}, 1, 1, 1), ERG_ERR_DATA);
  EXPECT_EQ(norm({&one, nullptr, &one, &one, 0}, 1, 1, 1), ERG_ERR_DATA);
  EXPECT_EQ(norm({&one, &one, &one, &one, 0}, 0, 1, 1), ERG_ERR_DATA);
  EXPECT_EQ(norm({&one, &one, &one, &one, 0}, 1, 0, 1), ERG_ERR_DATA);
  EXPECT_EQ(norm({&one, &one, &one, &one, 0}, 1, 1, bad), ERG_ERR_DATA);
  EXPECT_EQ(w, 7);
  EXPECT_EQ(norm({&one, &one, &one, &one, 0}, 1, 1, 1), ERG_OK);
}
