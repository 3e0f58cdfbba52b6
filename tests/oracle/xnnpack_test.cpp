// SPDX-License-Identifier: GPL-3.0-or-later
// Rule F against XNNPACK: int8 with zero points of input and output; the scale is s_in * s_w / s_out in float32.
#include "layers.hpp"
#include "ledger.hpp"
#include <xnnpack.h>

using namespace oracle;

namespace {

enum class Kind { Channel, Tensor, FullyConnected };

void layer(Ledger &ledger, const Layer &l, test::Random &random, Kind kind) {
  Tensors t(l, random, -128, 127, kind == Kind::Channel);
  const erg_conv2d_shape &s = t.shape;
  const float input_scale = static_cast<float>(0.01 + 0.05 * random.unit()),
              output_scale = static_cast<float>(0.02 + 0.1 * random.unit());
  std::vector<float> kernel_scale;
  std::vector<erg_requant> requant;
  for (double m : t.scale) {
    kernel_scale.push_back(static_cast<float>(m * output_scale / input_scale));
    requant.push_back(erg_requant_from_float(input_scale * kernel_scale.back() / output_scale));
  }
  const auto zero_point = static_cast<int8_t>(random.range(-128, 127)),
             low = static_cast<int8_t>(random.range(-128, -110)), high = static_cast<int8_t>(random.range(100, 127)),
             input_zero = static_cast<int8_t>(t.zero_point);
  t.golden(requant, ERG_RULE_F, zero_point, low, high);
  const auto x = Tensors::as<int8_t>(t.x, XNN_EXTRA_BYTES); // the library may read that far beyond the input
  const auto w = Tensors::as<int8_t>(t.w);
  const std::vector<int32_t> bias = t.bias32();
  std::vector<int8_t> theirs(t.y.size());
  const auto pad = static_cast<uint32_t>(s.pad_top), kernel = static_cast<uint32_t>(s.kernel_h),
             stride = static_cast<uint32_t>(s.stride_h);
  const auto groups = static_cast<uint32_t>(s.groups), dilation = static_cast<uint32_t>(s.dilation_h);
  const auto c = static_cast<size_t>(s.in.c), k = static_cast<size_t>(s.filters), n = static_cast<size_t>(s.in.n),
             h = static_cast<size_t>(s.in.h);
  xnn_operator_t op = nullptr;
  if (kind == Kind::Channel) {
    ASSERT_EQ(xnn_create_convolution2d_nhwc_qc8(pad, pad, pad, pad, kernel, kernel, stride, stride, dilation, dilation,
                                                groups, c / groups, k / groups, c, k, input_zero, input_scale,
                                                kernel_scale.data(), w.data(), bias.data(), zero_point, output_scale,
                                                low, high, 0, &op),
              xnn_status_success);
    ASSERT_EQ(xnn_setup_convolution2d_nhwc_qc8(op, n, h, h, x.data(), theirs.data(), nullptr), xnn_status_success);
  } else if (kind == Kind::Tensor) {
    ASSERT_EQ(xnn_create_convolution2d_nhwc_qs8(pad, pad, pad, pad, kernel, kernel, stride, stride, dilation, dilation,
                                                groups, c / groups, k / groups, c, k, input_zero, input_scale,
                                                kernel_scale[0], w.data(), bias.data(), zero_point, output_scale, low,
                                                high, 0, &op),
              xnn_status_success);
    ASSERT_EQ(xnn_setup_convolution2d_nhwc_qs8(op, n, h, h, x.data(), theirs.data(), nullptr), xnn_status_success);
  } else {
    ASSERT_EQ(xnn_create_fully_connected_nc_qs8(c, k, c, k, input_zero, input_scale, kernel_scale[0], w.data(),
                                                bias.data(), zero_point, output_scale, low, high, 0, &op),
              xnn_status_success);
    ASSERT_EQ(xnn_setup_fully_connected_nc_qs8(op, n, x.data(), theirs.data(), nullptr), xnn_status_success);
  }
  EXPECT_EQ(xnn_run_operator(op, nullptr), xnn_status_success);
  xnn_delete_operator(op);
  ledger.compare(l.name, outputs_of(s), theirs.data(), t.y.data());
}

template <size_t count> void layers(const char *name, uint64_t seed, const Layer (&list)[count], Kind kind) {
  ASSERT_EQ(xnn_initialize(nullptr), xnn_status_success);
  Ledger ledger(name);
  test::Random random(seed);
  for (const Layer &l : list) layer(ledger, l, random, kind);
  ledger.close();
}

} // namespace

TEST(Xnnpack, ConvolutionsPerChannel) {
  layers("xnnpack-channel", 201, kConvolutions, Kind::Channel);
}
TEST(Xnnpack, ConvolutionsPerTensor) {
  layers("xnnpack-tensor", 202, kConvolutions, Kind::Tensor);
}
TEST(Xnnpack, FullyConnected) {
  layers("xnnpack-fc", 203, kFullyConnected, Kind::FullyConnected);
}
