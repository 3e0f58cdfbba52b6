// SPDX-License-Identifier: GPL-3.0-or-later
// Drives a Verilated array alone, without the machine around it, and computes what it should give by plain sums.
#pragma once
#include "support.hpp"

namespace drive {

struct Problem {
  int rows, cols;                  // of the array
  std::vector<int> tiles;          // M of each m-tile
  int n, k;
  std::vector<int32_t> a, w, bias, m, t, res;
  erg_rtl_layer layer{};
};

inline Problem random_problem(test::Random &r, int rows, int cols, int depth) {
  Problem p{rows, cols, {}, r.range(1, 2 * cols + 1), r.range(1, 3 * rows + 1), {}, {}, {}, {}, {}, {}, {}};
  int total = 0;
  for (int tile = r.range(1, 3); tile > 0; tile--) {
    p.tiles.push_back(r.range(1, depth));
    total += p.tiles.back();
  }
  bool rails = r.range(0, 3) == 0, ties = r.range(0, 2) == 0;
  auto code = [&] { return rails ? (r.coin() ? -128 : 127) : r.range(-128, 127); };
  for (int i = 0; i < total * p.k; i++) p.a.push_back(code());
  for (int i = 0; i < p.n * p.k; i++) p.w.push_back(std::max(-127, code()));
  for (int i = 0; i < total * p.n; i++) p.res.push_back(code());
  for (int i = 0; i < p.n; i++) {
    p.bias.push_back(rails ? (r.coin() ? INT32_MAX : INT32_MIN) : r.range(-20000, 20000));
    p.m.push_back(ties ? (1 << 30) + (r.range(0, 1) << 29) : static_cast<int32_t>(erg_random_range(&r, 1 << 30, INT32_MAX)));
    p.t.push_back(r.range(0, 9) ? r.range(35, 45) : r.range(1, 62));
  }
  int low = r.range(-128, 0);
  p.layer = {r.range(-128, 127), low, r.range(low, 127), r.coin(), r.range(-128, 127),
             ties ? 1 << 30 : static_cast<int32_t>(erg_random_range(&r, 1 << 30, INT32_MAX)), r.range(29, 34)};
  return p;
}

// Output row by row: the sum, wrapped to 32 bits, then the epilogue in 128-bit arithmetic.
inline std::vector<int32_t> expected(const Problem &p) {
  auto shift = [](__int128 x, int m, int t) { return (x * m + ((__int128)1 << (t - 1))) >> t; };
  std::vector<int32_t> out;
  int total = 0;
  for (int m : p.tiles) total += m;
  for (int row = 0; row < total; row++)
    for (int col = 0; col < p.n; col++) {
      uint32_t sum = static_cast<uint32_t>(p.bias[col]);
      for (int k = 0; k < p.k; k++) sum += static_cast<uint32_t>(p.a[row * p.k + k] * p.w[col * p.k + k]);
      __int128 y = p.layer.zero_point + shift(static_cast<int32_t>(sum), p.m[col], p.t[col]);
      if (p.layer.residual) y += shift(p.res[row * p.n + col] - p.layer.residual_zero_point, p.layer.residual_multiplier, p.layer.residual_t);
      out.push_back(static_cast<int32_t>(y < p.layer.low ? p.layer.low : y > p.layer.high ? p.layer.high : y));
    }
  return out;
}

struct Outcome { std::vector<int32_t> out; uint64_t cycles, gaps, withheld, formula; bool hung; };

struct Fold { int tile, first_row, n, k; };

inline Outcome run(erg_rtl *rtl, const Problem &p, double gap = 0, uint64_t seed = 1) {
  std::vector<Fold> folds; // n-tile, m-tile, k innermost
  for (int n = 0; n < p.n; n += p.cols)
    for (int tile = 0, row = 0; tile < static_cast<int>(p.tiles.size()); row += p.tiles[tile++])
      for (int k = 0; k < p.k; k += p.rows) folds.push_back({tile, row, n, k});
  Outcome o{std::vector<int32_t>(expected(p).size(), INT32_MIN), 0, 0, 0, 0, false};
  int last_m = p.tiles[folds.back().tile];
  o.formula = static_cast<uint64_t>(p.rows + last_m + p.rows - 1 + p.cols - 1 + erg_rtl_epilogue_depth(rtl));
  for (size_t f = 0; f + 1 < folds.size(); f++) o.formula += static_cast<uint64_t>(std::max(p.tiles[folds[f].tile], p.rows));

  erg_rtl_start(rtl, &p.layer);
  size_t wf = 0, af = 0, cf = 0, rf = 0, of = 0;
  int wrow = 0, arow = 0, rrow = 0, orow = 0;
  auto last_k = [&](size_t f) { return folds[f].k + p.rows >= p.k; };
  auto to_last = [&](size_t f) { while (f < folds.size() && !last_k(f)) f++; return f; };
  cf = rf = of = to_last(0);
  std::vector<int32_t> w(p.cols), a(p.rows), m(p.cols), t(p.cols), res(p.cols);
  std::vector<int64_t> b(p.cols);
  test::Random random(seed);
  auto withhold = [&] { return gap > 0 && random.unit() < gap; };
  bool started = false;
  for (int guard = 0; !erg_rtl_done(rtl); guard++) {
    if (guard > 200000) { o.hung = true; return o; }
    erg_rtl_request want = *erg_rtl_requests(rtl);
    erg_rtl_supply give{};
    erg_rtl_fold command{};
    bool all = true;
    if (want.weight) {
      if (wf >= folds.size() || want.weight_row != wrow) { o.hung = true; return o; }
      if (!withhold()) {
        const Fold &f = folds[wf];
        for (int c = 0; c < p.cols; c++) w[c] = f.n + c < p.n && f.k + wrow < p.k ? p.w[(f.n + c) * p.k + f.k + wrow] : 0;
        give.weights = w.data();
        command = {p.tiles[f.tile], f.k == 0, last_k(wf), wf + 1 == folds.size()};
        give.fold = &command;
      } else all = false;
    }
    if (want.activation) {
      if (!withhold()) {
        const Fold &f = folds[af];
        for (int r = 0; r < p.rows; r++) a[r] = f.k + r < p.k ? p.a[(f.first_row + arow) * p.k + f.k + r] : random.range(-128, 127);
        give.activations = a.data();
      } else all = false;
    }
    if (want.constants) {
      if (!withhold()) {
        for (int c = 0; c < p.cols; c++) {
          bool used = folds[cf].n + c < p.n;
          b[c] = used ? p.bias[folds[cf].n + c] : 0, m[c] = used ? p.m[folds[cf].n + c] : 0, t[c] = used ? p.t[folds[cf].n + c] : 31;
        }
        give.bias = b.data(), give.multiplier = m.data(), give.t = t.data();
      } else all = false;
    }
    if (want.residual) {
      if (!withhold()) {
        for (int c = 0; c < p.cols; c++) res[c] = folds[rf].n + c < p.n ? p.res[(folds[rf].first_row + rrow) * p.n + folds[rf].n + c] : 0;
        give.residuals = res.data();
      } else all = false;
    }
    const int32_t *out = erg_rtl_clock(rtl, &give);
    if (out) {
      const Fold &f = folds[of];
      for (int c = 0; c < p.cols && f.n + c < p.n; c++) o.out[(f.first_row + orow) * p.n + f.n + c] = out[c];
      if (++orow == p.tiles[f.tile]) orow = 0, of = to_last(of + 1);
    }
    if (!all) { o.withheld += started; continue; }
    if (want.weight) started = true;
    if (want.weight && ++wrow == p.rows) wrow = 0, wf++;
    if (want.activation && ++arow == p.tiles[folds[af].tile]) arow = 0, af++;
    if (want.constants) cf = to_last(cf + 1);
    if (want.residual && ++rrow == p.tiles[folds[rf].tile]) rrow = 0, rf = to_last(rf + 1);
  }
  o.cycles = erg_rtl_cycles(rtl);
  o.gaps = erg_rtl_gap_cycles(rtl);
  return o;
}

// An opened variant, closed at the end.
struct Array {
  erg_rtl *rtl = nullptr;
  test::Error error;
  Array(int rows, int cols, int depth, const char *mutant = nullptr) {
    erg_rtl_config config{rows, cols, 8, 8, 32, depth, mutant};
    EXPECT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
  }
  ~Array() { erg_rtl_close(rtl); }
};

} // namespace drive
