// SPDX-License-Identifier: GPL-3.0-or-later
// The fast path against oneDNN used directly, and against the plain golden loops. One thread.
//   sums:        int32 of oneDNN (convolution primitive, dnnl_gemm_u8s8s32) against the same (of products, in int64)
//   requantized: uint8 of oneDNN's convolution primitive (bias, float32 scales fused) against int16 codes by rule S;
//                for products, where oneDNN's GEMM has none, its sums are the baseline again
// Convolutions' weights are packed before the clock starts, on both sides. Ours start from int16 codes.
#include "bench.hpp"
#include "ergon/fast.h"
#include "layers.hpp"
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unistd.h>

namespace {

using dnnl::memory;
constexpr erg_fast_path kPaths[] = {ERG_FAST_ONEDNN, ERG_FAST_BLOCKED, ERG_FAST_PLAIN};

std::string label(const std::string &name, erg_fast_path path) {
  return name + "/" + (path == ERG_FAST_ONEDNN ? "fast" : erg_fast_names[path]);
}

struct Convolution {
  oracle::Tensors t;
  std::vector<erg_requant> scale;
  std::vector<int16_t> y;
  std::vector<int64_t> sums;
  std::vector<int32_t> sums32;

  Convolution(const oracle::Layer &l, test::Random &random) : t(l, random, 0, 255, true), y(t.y.size()) {
    for (double m : t.scale) scale.push_back(erg_requant_from_real(m));
  }
  void ours(benchmark::State &state, erg_fast_path path, bool requantized) {
    erg_epilogue e{};
    e.bias = t.bias.data(), e.scale = scale.data(), e.high = 255;
    sums.resize(y.size()), sums32.resize(y.size());
    test::Error error;
    erg_fast_conv2d *prepared = nullptr;
    erg_status status =
        erg_fast_conv2d_prepare(&t.shape, t.zero_point, 0, 255, t.w.data(), 32, path, &prepared, &error);
    while (status == ERG_OK && state.KeepRunning())
      status = requantized              ? erg_fast_conv2d_run(prepared, t.x.data(), &e, y.data(), &error)
               : path == ERG_FAST_PLAIN ? erg_fast_conv2d_accumulate(prepared, t.x.data(), sums.data(), &error)
                                        : erg_fast_conv2d_accumulate_s32(prepared, t.x.data(), sums32.data(), &error);
    erg_fast_conv2d_free(prepared);
    if (status != ERG_OK) return state.SkipWithError(error.message().c_str());
    state.SetItemsProcessed(state.iterations() * erg_conv2d_macs(&t.shape));
  }
  void theirs(benchmark::State &state, bool requantized) {
    using tag = memory::format_tag;
    using dt = memory::data_type;
    const erg_conv2d_shape &s = t.shape;
    dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    const memory::dim n = s.in.n, c = s.in.c, h = s.in.h, k = s.filters, g = s.groups, kernel = s.kernel_h, p = s.out_h;
    const memory::dims weights =
        g > 1 ? memory::dims{g, k / g, c / g, kernel, kernel} : memory::dims{k, c, kernel, kernel};
    const memory::desc x({n, c, h, h}, dt::u8, tag::nhwc), out({n, k, p, p}, dt::u8, tag::nhwc),
        b({k}, dt::s32, tag::a);
    const memory::desc w(weights, dt::s8, g > 1 ? tag::gohwi : tag::ohwi), any(weights, dt::s8, tag::any);
    dnnl::primitive_attr attr;
    attr.set_zero_points(DNNL_ARG_SRC, 0, {t.zero_point});
    if (requantized) attr.set_output_scales(2, {t.scale.begin(), t.scale.end()});
    const memory::dim end = (p - 1) * s.stride_h + (kernel - 1) * s.dilation_h + 1 - h - s.pad_top;
    using conv = dnnl::convolution_forward;
    const auto kind = dnnl::prop_kind::forward_inference;
    const auto direct = dnnl::algorithm::convolution_direct;
    const memory::dims stride{s.stride_h, s.stride_w}, apart{s.dilation_h - 1, s.dilation_w - 1},
        low{s.pad_top, s.pad_left}, high{end, end};
    const conv::primitive_desc pd(requantized ? conv::desc(kind, direct, x, any, b, out, stride, apart, low, high)
                                              : conv::desc(kind, direct, x, any, out, stride, apart, low, high),
                                  attr, engine);
    auto codes = oracle::Tensors::as<uint8_t>(t.x);
    auto taps = oracle::Tensors::as<int8_t>(t.w);
    auto bias = t.bias32();
    memory plain(w, engine, taps.data()), packed(pd.weights_desc(), engine), to(out, engine);
    dnnl::reorder(plain, packed).execute(stream, plain, packed);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, memory(x, engine, codes.data())}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, to}};
    if (requantized) arguments[DNNL_ARG_BIAS] = memory(b, engine, bias.data());
    const conv convolution(pd);
    for (auto _ : state) {
      convolution.execute(stream, arguments);
      stream.wait();
    }
    state.SetItemsProcessed(state.iterations() * erg_conv2d_macs(&t.shape));
  }
};

struct Product {
  int n;
  std::vector<int16_t> a, b, y;
  std::vector<int64_t> sums;
  std::vector<erg_requant> scale;

  Product(int size, test::Random &random) : n(size) {
    size_t count = static_cast<size_t>(n) * n;
    for (size_t i = 0; i < count; i++)
      a.push_back(static_cast<int16_t>(random.range(0, 255))),
          b.push_back(static_cast<int16_t>(random.range(-127, 127)));
    y.resize(count), sums.resize(count);
    scale.assign(static_cast<size_t>(n), erg_requant_from_real(1.0 / 5000));
  }
  void ours(benchmark::State &state, erg_fast_path path, bool requantized) {
    const erg_matmul_shape s{1, n, n, n};
    erg_epilogue e{};
    e.scale = scale.data(), e.low = -128, e.high = 127;
    for (auto _ : state) {
      test::Error error;
      erg_status status =
          requantized
              ? erg_fast_matmul_s16(&s, a.data(), 0, b.data(), 0, 32, &e, y.data(), path, nullptr, &error)
              : erg_fast_matmul_accumulate_s16(&s, a.data(), 0, b.data(), 0, 32, sums.data(), path, nullptr, &error);
      if (status) return state.SkipWithError(error.message().c_str());
    }
    state.SetItemsProcessed(state.iterations() * n * n * n);
  }
  void theirs(benchmark::State &state) {
    std::vector<uint8_t> bytes(a.begin(), a.end());
    std::vector<int8_t> signed_bytes(b.begin(), b.end());
    std::vector<int32_t> c(a.size());
    const int32_t zero = 0;
    for (auto _ : state)
      dnnl_gemm_u8s8s32('N', 'N', 'F', n, n, n, 1.0F, bytes.data(), n, 0, signed_bytes.data(), n, 0, 0.0F, c.data(), n,
                        &zero);
    state.SetItemsProcessed(state.iterations() * n * n * n);
  }
};

} // namespace

int main(int argc, char **argv) {
  if (!getenv("OMP_NUM_THREADS")) { // which is read before main begins
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  if (const char *why = erg_fast_unavailable(ERG_FAST_ONEDNN)) std::printf("fast: skipped, because %s\n", why);
  test::Random random(1);
  for (int n : {512, 1024}) {
    auto product = std::make_shared<Product>(n, random);
    std::string size = std::to_string(n) + "^3";
    for (bool requantized : {false, true}) {
      std::string name = size + (requantized ? " requantized" : " sums");
      benchmark::RegisterBenchmark((name + "/onednn").c_str(), [=](auto &state) { product->theirs(state); });
      for (erg_fast_path path : kPaths)
        benchmark::RegisterBenchmark(label(name, path).c_str(),
                                     [=](auto &state) { product->ours(state, path, requantized); });
    }
  }
  for (const oracle::Layer &layer : oracle::kConvolutions) {
    auto convolution = std::make_shared<Convolution>(layer, random);
    for (bool requantized : {false, true}) {
      std::string name = std::string(layer.name) + (requantized ? " requantized" : " sums");
      benchmark::RegisterBenchmark((name + "/onednn").c_str(),
                                   [=](auto &state) { convolution->theirs(state, requantized); });
      for (erg_fast_path path : kPaths)
        benchmark::RegisterBenchmark(label(name, path).c_str(),
                                     [=](auto &state) { convolution->ours(state, path, requantized); });
    }
  }
  return bench::run(argc, argv, "GMAC/s", 1e-9);
}
