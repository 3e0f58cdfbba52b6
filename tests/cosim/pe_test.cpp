// SPDX-License-Identifier: GPL-3.0-or-later
// The multiply-accumulate cell at widths up to 4 x 4, exhaustively: every pair of operands in the lower of two rows, on
// every partial sum that the upper row can give it, which is every pair of operands there.
#include "ergon/gemm.h"
#include "support.hpp"

TEST(Pe, EveryProductOnEveryPartialSum) {
  int64_t checked = 0;
  for (int w_bits = 2; w_bits <= 4; w_bits++)
    for (int a_bits = 2; a_bits <= 4; a_bits++) {
      SCOPED_TRACE("w" + std::to_string(w_bits) + "a" + std::to_string(a_bits));
      const int a_codes = 1 << a_bits, w_codes = 1 << w_bits, m = a_codes * a_codes, n = w_codes * w_codes;
      test::Error error;
      erg_rtl_config config{2, 4, w_bits, a_bits, 16, 256, nullptr};
      config.output_bits = 16;
      erg_rtl *rtl = nullptr;
      ASSERT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
      std::vector<int16_t> a, w, y(static_cast<size_t>(m) * n), residual(y.size());
      for (int i = 0; i < m; i++) {
        a.push_back(static_cast<int16_t>(i / a_codes - a_codes / 2));
        a.push_back(static_cast<int16_t>(i % a_codes - a_codes / 2));
      }
      for (int i = 0; i < n; i++) {
        w.push_back(static_cast<int16_t>(i / w_codes - w_codes / 2));
        w.push_back(static_cast<int16_t>(i % w_codes - w_codes / 2));
      }
      std::vector<int64_t> bias(static_cast<size_t>(n), 0);
      std::vector<erg_requant> scale(bias.size(), erg_requant_from_real(1)); // the sums themselves come out
      erg_gemm g{};
      g.m = m, g.n = n, g.k = 2, g.tile_count = 1, g.tile_rows = &m;
      g.a = a.data(), g.w = w.data(), g.residual = residual.data(), g.bias = bias.data(), g.scale = scale.data();
      g.layer.low = -32768, g.layer.high = 32767, g.layer.residual_t = 31;
      erg_gemm_run run{};
      run.watch = -1, run.output = y.data();
      ASSERT_EQ(erg_gemm_drive(rtl, 2, 4, &g, &run, &error), ERG_OK) << error.message();
      erg_rtl_close(rtl);
      for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++, checked++) {
          const size_t x = static_cast<size_t>(2 * i), f = static_cast<size_t>(2 * j);
          ASSERT_EQ(y[static_cast<size_t>(i) * n + j], a[x] * w[f] + a[x + 1] * w[f + 1]) << i << " " << j;
        }
    }
  std::printf("%lld sums of two products\n", static_cast<long long>(checked));
}

// The scalable cell: in each mode up to 4 x 4 every pair of operands in each of its places, the others at a rail; 8 x 8
// in full.
TEST(Pe, EveryProductOfTheScalableCell) {
  int64_t checked = 0;
  test::Error error;
  erg_rtl_config config{2, 4, 8, 8, 32, 65536, nullptr};
  config.top = "ergon_top_scalable", config.output_bits = 16;
  erg_rtl *rtl = nullptr;
  ASSERT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
  for (int w_bits : {2, 4, 8})
    for (int a_bits : {2, 4, 8}) {
      const int products = 64 / (w_bits * a_bits), m = 1 << a_bits, n = 1 << w_bits;
      for (int place = 0; place < products; place++) {
        SCOPED_TRACE("w" + std::to_string(w_bits) + "a" + std::to_string(a_bits) + " place " + std::to_string(place));
        std::vector<int16_t> a, w, y(static_cast<size_t>(m) * n), residual(y.size());
        for (int i = 0; i < m; i++)
          for (int k = 0; k < products; k++) a.push_back(static_cast<int16_t>(k == place ? i - m / 2 : -m / 2));
        for (int j = 0; j < n; j++)
          for (int k = 0; k < products; k++) w.push_back(static_cast<int16_t>(k == place ? j - n / 2 : n / 2 - 1));
        std::vector<int64_t> bias(static_cast<size_t>(n), 0);
        std::vector<erg_requant> scale(bias.size(), erg_requant_from_real(1));
        erg_gemm g{};
        g.m = m, g.n = n, g.k = products, g.tile_count = 1, g.tile_rows = &m, g.products = products;
        g.a = a.data(), g.w = w.data(), g.residual = residual.data(), g.bias = bias.data(), g.scale = scale.data();
        g.layer.low = -32768, g.layer.high = 32767, g.layer.residual_t = 31;
        g.layer.weight_slices_log2 = erg_slices_log2(w_bits), g.layer.activation_slices_log2 = erg_slices_log2(a_bits);
        erg_gemm_run run{};
        run.watch = -1, run.output = y.data();
        ASSERT_EQ(erg_gemm_drive(rtl, 2, 4, &g, &run, &error), ERG_OK) << error.message();
        const int others = (products - 1) * (-m / 2) * (n / 2 - 1);
        for (int i = 0; i < m; i++)
          for (int j = 0; j < n; j++, checked++)
            ASSERT_EQ(y[static_cast<size_t>(i) * n + j], others + (i - m / 2) * (j - n / 2)) << i << " " << j;
      }
    }
  erg_rtl_close(rtl);
  std::printf("%lld sums of products\n", static_cast<long long>(checked));
}
