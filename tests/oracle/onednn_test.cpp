// SPDX-License-Identifier: GPL-3.0-or-later
// Rule F, and raw accumulators, against oneDNN 2.x: uint8 activations with a zero point, int8 weights, a float32 scale
// a channel. Below VNNI oneDNN adds pairs of products in saturating 16 bits: no oracle there. Its output zero point is
// left at 0: oneDNN adds it in float32 before it rounds, rule F rounds first.
#include "layers.hpp"
#include "ledger.hpp"
#include <oneapi/dnnl/dnnl.hpp>

using namespace oracle;
using dnnl::memory;

namespace {

// Of what oneDNN would use, so DNNL_MAX_CPU_ISA counts. Each instruction set holds the bits of those it includes.
bool vnni() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_vnni);
  return (isa & needed) == needed;
}

struct Peer {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};

  memory fill(const memory::desc &desc, const void *data) {
    memory m(desc, engine);
    std::copy_n(static_cast<const char *>(data), desc.get_size(), static_cast<char *>(m.get_data_handle()));
    return m;
  }
  // output is NHWC of type U8 or S8 (scaled) or S32 (raw: no scale, no bias).
  template <class T>
  std::vector<T> run(const Tensors &t, memory::data_type type, const std::vector<float> &scale,
                     int32_t output_zero_point = 0) {
    const erg_conv2d_shape &s = t.shape;
    const memory::dim n = s.in.n, c = s.in.c, h = s.in.h, k = s.filters, g = s.groups, kernel = s.kernel_h, p = s.out_h;
    const bool raw = type == memory::data_type::s32, grouped = g > 1;
    using tag = memory::format_tag;
    using dt = memory::data_type;
    const memory::dims weights =
        grouped ? memory::dims{g, k / g, c / g, kernel, kernel} : memory::dims{k, c, kernel, kernel};
    const memory::desc x({n, c, h, h}, dt::u8, tag::nhwc), y({n, k, p, p}, type, tag::nhwc), b({k}, dt::s32, tag::a);
    const memory::desc w(weights, dt::s8, grouped ? tag::gohwi : tag::ohwi), any(weights, dt::s8, tag::any);
    dnnl::primitive_attr attr;
    attr.set_zero_points(DNNL_ARG_SRC, 0, {t.zero_point});
    if (!raw) attr.set_output_scales(2, scale);
    if (output_zero_point) attr.set_zero_points(DNNL_ARG_DST, 0, {output_zero_point});
    const memory::dims stride{s.stride_h, s.stride_w}, low{s.pad_top, s.pad_left};
    const memory::dim end =
        (p - 1) * s.stride_h + (kernel - 1) * s.dilation_h + 1 - h; // past the last row, pad_top included
    const memory::dims high{end - s.pad_top, end - s.pad_left},
        apart{s.dilation_h - 1, s.dilation_w - 1}; // 0: neighbours
    using conv = dnnl::convolution_forward;
    const auto kind = dnnl::prop_kind::forward_inference;
    const auto algorithm = dnnl::algorithm::convolution_direct;
    const conv::desc desc = raw ? conv::desc(kind, algorithm, x, any, y, stride, apart, low, high)
                                : conv::desc(kind, algorithm, x, any, b, y, stride, apart, low, high);
    const conv::primitive_desc pd(desc, attr, engine);
    const auto codes = Tensors::as<uint8_t>(t.x);
    const auto weight = Tensors::as<int8_t>(t.w);
    const auto bias = t.bias32();
    memory source = fill(x, codes.data()), plain = fill(w, weight.data()), packed(pd.weights_desc(), engine),
           out(y, engine);
    dnnl::reorder(plain, packed).execute(stream, plain, packed);
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, out}};
    if (!raw) arguments[DNNL_ARG_BIAS] = fill(b, bias.data());
    conv(pd).execute(stream, arguments);
    stream.wait();
    const T *data = static_cast<const T *>(out.get_data_handle());
    return std::vector<T>(data, data + outputs_of(s));
  }
};

template <class T>
void scaled(Ledger &ledger, Peer &peer, const Layer &l, test::Random &random, memory::data_type type, int low,
            int high) {
  Tensors t(l, random, 0, 255, true);
  std::vector<float> scale;
  std::vector<erg_requant> requant;
  for (double m : t.scale)
    scale.push_back(static_cast<float>(m)), requant.push_back(erg_requant_from_float(scale.back()));
  t.golden(requant, ERG_RULE_F, 0, low, high);
  const std::vector<T> theirs = peer.run<T>(t, type, scale);
  ledger.compare(l.name, outputs_of(t.shape), theirs.data(), t.y.data());
}

template <size_t count> void layers(const char *name, uint64_t seed, const Layer (&list)[count]) {
  Ledger ledger(name);
  if (!vnni()) {
    if (ledger.skip("no-vnni", "no AVX-512 VNNI for oneDNN on this machine")) GTEST_SKIP() << "no AVX-512 VNNI";
    return;
  }
  Peer peer;
  test::Random random(seed);
  bool sign = false;
  for (const Layer &l : list) {
    if ((sign = !sign))
      scaled<uint8_t>(ledger, peer, l, random, memory::data_type::u8, 0, 255);
    else
      scaled<int8_t>(ledger, peer, l, random, memory::data_type::s8, -128, 127);
  }
  ledger.close();
}

} // namespace

TEST(Onednn, ConvolutionsPerChannel) {
  layers("onednn-channel", 301, kConvolutions);
}
TEST(Onednn, FullyConnected) {
  layers("onednn-fc", 302, kFullyConnected);
}

TEST(Onednn, RawAccumulators) {
  Ledger ledger("onednn-accumulators");
  if (!vnni()) {
    if (ledger.skip("no-vnni", "no AVX-512 VNNI for oneDNN on this machine")) GTEST_SKIP() << "no AVX-512 VNNI";
    return;
  }
  Peer peer;
  test::Random random(303);
  for (const Layer &l : kConvolutions) {
    Tensors t(l, random, 0, 255, true);
    std::vector<int64_t> ours(static_cast<size_t>(outputs_of(t.shape)));
    test::Error error;
    ASSERT_EQ(erg_conv2d_accumulate_s16(&t.shape, t.x.data(), t.zero_point, t.w.data(), 32, ours.data(), &error),
              ERG_OK)
        << error.message();
    const std::vector<int32_t> theirs = peer.run<int32_t>(t, memory::data_type::s32, {});
    ledger.compare(l.name, outputs_of(t.shape), theirs.data(), ours.data());
  }
  ledger.close();
}

// Its output zero point, with the order of its own: (float)acc * scale + zero_point is rounded, not (float)acc * scale.
// Ergon's accumulators give the first; how often rule F with a zero point differs is printed.
TEST(Onednn, OutputZeroPoint) {
  Ledger ledger("onednn-output-zero-point");
  if (!vnni()) {
    if (ledger.skip("no-vnni", "no AVX-512 VNNI for oneDNN on this machine")) GTEST_SKIP() << "no AVX-512 VNNI";
    return;
  }
  Peer peer;
  test::Random random(304);
  int64_t apart = 0;
  for (const Layer &l : kConvolutions) {
    Tensors t(l, random, 0, 255, true);
    const int32_t zero_point = random.range(1, 127) * 2 - 1; // odd: ties to even land elsewhere
    std::vector<float> scale;
    std::vector<erg_requant> requant;
    for (double m : t.scale)
      scale.push_back(static_cast<float>(m)), requant.push_back(erg_requant_from_float(scale.back()));
    std::vector<int64_t> sums(t.y.size());
    test::Error error;
    ASSERT_EQ(erg_conv2d_accumulate_s16(&t.shape, t.x.data(), t.zero_point, t.w.data(), 32, sums.data(), &error),
              ERG_OK)
        << error.message();
    t.golden(requant, ERG_RULE_F, zero_point, 0, 255);
    const std::vector<uint8_t> theirs = peer.run<uint8_t>(t, memory::data_type::u8, scale, zero_point);
    std::vector<int32_t> expected;
    for (size_t i = 0; i < sums.size(); i++) {
      const size_t k = i % scale.size();
      const auto x = static_cast<float>(sums[i] + t.bias[k]);
      const float product = x * scale[k];
      const float sum = product + static_cast<float>(zero_point);
      expected.push_back(static_cast<int32_t>(std::clamp(std::nearbyint(sum), 0.0F, 255.0F)));
      apart += theirs[i] != t.y[i];
    }
    ledger.compare(l.name, outputs_of(t.shape), theirs.data(), expected.data());
  }
  std::printf("  rule F, which adds the zero point after rounding, differs in %" PRId64 " outputs\n", apart);
  ledger.close();
}
