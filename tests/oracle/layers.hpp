// SPDX-License-Identifier: GPL-3.0-or-later
// Layers of ResNet-50, MobileNetV1/V2/V3, EfficientNet and BERT, large maps reduced for time, with seeded random tensors.
#pragma once
#include "support.hpp"
#include <algorithm>
#include <cmath>

namespace oracle {

struct Layer { const char *name; int batch, h, c, k, kernel, stride, groups; int dilation = 1; };

inline constexpr Layer kConvolutions[] = {
    {"ResNet-50 conv1 7x7/2 (112x112)", 1, 112, 3, 64, 7, 2, 1},
    {"ResNet-50 conv2 1x1 64-64 (56x56)", 1, 56, 64, 64, 1, 1, 1},
    {"ResNet-50 conv2 3x3 64 (28x28)", 1, 28, 64, 64, 3, 1, 1},
    {"ResNet-50 conv2 1x1 64-256 (28x28)", 1, 28, 64, 256, 1, 1, 1},
    {"ResNet-50 conv3 3x3/2 128 (28x28)", 1, 28, 128, 128, 3, 2, 1},
    {"ResNet-50 conv3 projection 1x1/2 256-512 (28x28)", 1, 28, 256, 512, 1, 2, 1},
    {"ResNet-50 conv4 3x3 256 (14x14)", 1, 14, 256, 256, 3, 1, 1},
    {"ResNet-50 conv4 1x1 1024-256", 1, 14, 1024, 256, 1, 1, 1},
    {"ResNet-50 conv5 3x3 512 (7x7)", 1, 7, 512, 512, 3, 1, 1},
    {"ResNet-50 conv5 1x1 512-2048", 1, 7, 512, 2048, 1, 1, 1},
    {"MobileNet stem 3x3/2 (112x112)", 1, 112, 3, 32, 3, 2, 1},
    {"MobileNetV1 depthwise 3x3 32 (56x56)", 1, 56, 32, 32, 3, 1, 32},
    {"MobileNetV2 expand 1x1 16-96 (56x56)", 1, 56, 16, 96, 1, 1, 1},
    {"MobileNetV2 depthwise 3x3/2 96 (56x56)", 1, 56, 96, 96, 3, 2, 96},
    {"MobileNetV2 project 1x1 144-24 (28x28)", 1, 28, 144, 24, 1, 1, 1},
    {"MobileNetV3 depthwise 5x5/2 72 (28x28)", 1, 28, 72, 72, 5, 2, 72},
    {"EfficientNet-B0 depthwise 5x5 672 (14x14)", 1, 14, 672, 672, 5, 1, 672},
    {"MobileNetV2 depthwise 3x3 960 (7x7), batch 2", 2, 7, 960, 960, 3, 1, 960},
    {"DeepLab 3x3 256, dilation 2 (14x14)", 1, 14, 256, 64, 3, 1, 1, 2},
    {"MobileNetV2 head 1x1 320-1280 (7x7)", 1, 7, 320, 1280, 1, 1, 1},
};

// Fully connected: 1 x 1 maps, `batch` rows.
inline constexpr Layer kFullyConnected[] = {
    {"ResNet-50 fc 2048-1000", 64, 1, 2048, 1000, 1, 1, 1},
    {"MobileNetV2 fc 1280-1000", 64, 1, 1280, 1000, 1, 1, 1},
    {"MobileNetV1 fc 1024-1000", 64, 1, 1024, 1000, 1, 1, 1},
    {"MobileNetV3 squeeze 960-240", 256, 1, 960, 240, 1, 1, 1},
    {"BERT-base FFN 768-3072", 128, 1, 768, 3072, 1, 1, 1},
    {"BERT-base projection 768-768", 128, 1, 768, 768, 1, 1, 1},
    {"odd sizes 123-77", 37, 1, 123, 77, 1, 1, 1},
};

inline erg_conv2d_shape shape_of(const Layer &l) {
  erg_conv2d_shape s{};
  s.in = {l.batch, l.h, l.h, l.c};
  s.filters = l.k, s.kernel_h = s.kernel_w = l.kernel, s.stride_h = s.stride_w = l.stride, s.groups = l.groups;
  s.dilation_h = s.dilation_w = l.dilation;
  s.pad_top = s.pad_left = l.dilation * (l.kernel / 2);
  s.out_h = s.out_w = (l.h + 2 * s.pad_top - l.dilation * (l.kernel - 1) - 1) / l.stride + 1;
  return s;
}
inline int64_t outputs_of(const erg_conv2d_shape &s) { return int64_t{s.in.n} * s.out_h * s.out_w * s.filters; }

// The numbers of a layer in every type that a peer wants.
struct Tensors {
  erg_conv2d_shape shape;
  std::vector<int16_t> x, w, y;
  std::vector<int64_t> bias;
  std::vector<double> scale; // a real multiplier a channel
  int32_t zero_point;        // of the input

  Tensors(const Layer &layer, test::Random &random, int low, int high, bool per_channel) : shape(shape_of(layer)) {
    x.resize(static_cast<size_t>(erg_shape_elements(shape.in)));
    const int64_t reduction = erg_conv2d_reduction(&shape);
    w.resize(static_cast<size_t>(reduction * shape.filters));
    y.resize(static_cast<size_t>(outputs_of(shape)));
    for (auto &v : x) v = static_cast<int16_t>(random.range(low, high));
    for (auto &v : w) v = static_cast<int16_t>(random.range(-127, 127));
    zero_point = random.range(low + 3, high - 3);
    // Accumulators spread like sqrt(reduction) * 127 * 150 / sqrt 9: outputs fill the codes and some saturate.
    const double spread = std::sqrt(static_cast<double>(reduction)) * 6000.0;
    const double one = (30.0 + 60.0 * random.unit()) / spread;
    for (int k = 0; k < shape.filters; k++) {
      bias.push_back(random.range(-static_cast<int>(spread), static_cast<int>(spread)));
      // Few-bit multipliers in every eighth channel meet ties; the others do not.
      double m = per_channel ? (20.0 + 80.0 * random.unit()) / spread : one;
      if (per_channel && k % 8 == 0) m = std::exp2(std::round(std::log2(m)));
      scale.push_back(m);
    }
    if (!per_channel && random.coin()) std::fill(scale.begin(), scale.end(), std::exp2(std::round(std::log2(one))));
  }
  template <class T> static std::vector<T> as(const std::vector<int16_t> &values, size_t extra = 0) {
    std::vector<T> out(values.begin(), values.end());
    out.resize(values.size() + extra);
    return out;
  }
  std::vector<int32_t> bias32() const { return {bias.begin(), bias.end()}; }
  int16_t input(int n, int h, int width, int c) const { // the zero point outside the map
    if (h < 0 || width < 0 || h >= shape.in.h || width >= shape.in.w) return static_cast<int16_t>(zero_point);
    return x[static_cast<size_t>(((int64_t{n} * shape.in.h + h) * shape.in.w + width) * shape.in.c + c)];
  }
  // Ergon's plain loops.
  void golden(const std::vector<erg_requant> &requant, erg_rule rule, int32_t output_zero_point, int low, int high) {
    erg_epilogue epilogue{};
    epilogue.bias = bias.data(), epilogue.scale = requant.data(), epilogue.rule = rule;
    epilogue.zero_point = output_zero_point, epilogue.low = low, epilogue.high = high;
    test::Error error;
    ASSERT_EQ(erg_conv2d_s16(&shape, x.data(), zero_point, w.data(), 32, &epilogue, y.data(), &error), ERG_OK) << error.message();
  }
};

} // namespace oracle
