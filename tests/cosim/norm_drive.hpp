// SPDX-License-Identifier: GPL-3.0-or-later
// Drives the Verilated modules of a dynamic norm over a whole tensor, tile by tile as the machine streams it, with
// random gaps between rows.
#pragma once
#include "ergon/norms.h"
#include "pack.hpp"
#include "support.hpp"
#include "verilated.h"
#include <memory>

namespace norm {

enum Kind { INSTANCE, LAYER, RMS };

struct Problem {
  Kind kind;
  int64_t rows;  // instance: of the map; else rows that are normalized
  int channels;
  int32_t zero_point;
  uint64_t epsilon;
  std::vector<int16_t> x; // [rows, channels]
  std::vector<int32_t> multiplier;
  std::vector<int64_t> bias;
  erg_norm_affine affine;
  std::vector<int16_t> table; // of a gate; empty: off
  int64_t count() const { return kind == INSTANCE ? rows : channels; }
};

template <class Top, int Cols, int Bits, int CountBits, int Depth> class Bench {
  VerilatedContext context_;
  std::unique_ptr<Top> top_{new Top{&context_}};
  test::Random random_;
  std::vector<int16_t> out_; // rows of Cols codes, as they come
  double gap_;

  static constexpr int kSum = Bits + CountBits + 1;
  static constexpr uint32_t kLevel = (1u << 17) - 1;
  template <typename Port> static void set(Port &port, int64_t value, int bits) {
    port = static_cast<Port>(static_cast<uint64_t>(value) & (~uint64_t{0} >> (64 - bits)));
  }

public:
  int64_t scale_cycles = 0, groups = 0;
  explicit Bench(uint64_t seed, double gap = 0.2) : random_(seed), gap_(gap) {}

  void edge() {
    top_->clk_i = 0, top_->eval();
    top_->clk_i = 1, top_->eval();
    if (!top_->y_valid_o) return;
    int16_t row[Cols];
    ergon::get<Bits>(top_->y_o, row, Cols);
    out_.insert(out_.end(), row, row + Cols);
  }
  void idle() {
    while (random_.unit() < gap_) edge();
  }

  void start(const Problem &p) {
    top_->gather_valid_i = top_->start_i = top_->valid_i = top_->fresh_i = top_->write_i = 0;
    top_->rst_ni = 0, edge(), edge();
    top_->rst_ni = 1;
    out_.clear();
    top_->per_row_i = p.kind != INSTANCE;
    top_->centred_i = p.kind != RMS;
    set(top_->epsilon_i, static_cast<int64_t>(p.epsilon), 63);
    set(top_->count_i, p.count(), CountBits + 1);
    set(top_->in_zero_point_i, p.zero_point, Bits);
    top_->t_i = static_cast<uint8_t>(p.affine.shift);
    top_->zero_point_i = static_cast<uint32_t>(p.affine.zero_point) & kLevel;
    top_->low_i = static_cast<uint32_t>(p.affine.low) & kLevel;
    top_->high_i = static_cast<uint32_t>(p.affine.high) & kLevel;
    top_->gate_i = !p.table.empty();
    top_->write_i = !p.table.empty();
    for (size_t i = 0; i < p.table.size(); i++) {
      set(top_->write_row_i, static_cast<int64_t>(i), Bits);
      set(top_->write_data_i, p.table[i], Bits);
      edge();
    }
    top_->write_i = 0;
  }

  // Codes of columns n.. of a row; beyond the edge anything.
  template <typename Port> void row_of(const Problem &p, int64_t row, int n, Port &port) {
    int16_t codes[Cols];
    for (int c = 0; c < Cols; c++)
      codes[c] = n + c < p.channels ? p.x[static_cast<size_t>(row * p.channels + n + c)]
                                    : static_cast<int16_t>(random_.range(-(1 << (Bits - 1)), (1 << (Bits - 1)) - 1));
    ergon::put<Bits>(port, codes, Cols);
  }

  // Rows first..last of a tile of columns past the statistics.
  void gather(const Problem &p, int64_t first, int64_t last, int n) {
    for (int64_t row = first; row < last; row++) {
      idle();
      top_->gather_valid_i = 1;
      top_->gather_first_i = p.kind == INSTANCE ? row == first : n == 0;
      set(top_->gather_row_i, row - first, 16);
      if (p.kind == INSTANCE) top_->gather_row_i = 0;
      top_->gather_cols_i = static_cast<uint8_t>(std::min(Cols, p.channels - n));
      row_of(p, row, n, top_->gather_code_i);
      edge();
      top_->gather_valid_i = 0;
    }
  }

  struct Scale { int64_t sum, squares, scaled_sum; uint32_t inverse; uint8_t shift; int cycles; };
  // 1 / sigma of column or row `index`, two cycles after its last row.
  Scale scale(int index) {
    Scale s{};
    top_->read_i = static_cast<std::remove_reference_t<decltype(top_->read_i)>>(index);
    edge();
    ergon::get<kSum>(top_->gathered_sum_o, &s.sum, 1);
    s.squares = static_cast<int64_t>(top_->gathered_squares_o);
    top_->start_i = 1, edge(), top_->start_i = 0;
    for (s.cycles = 0; !top_->done_o && s.cycles < 200; s.cycles++) edge();
    ergon::get<kSum>(top_->sum_o, &s.scaled_sum, 1);
    s.inverse = top_->inverse_o, s.shift = top_->shift_o;
    return s;
  }

  void apply(const Problem &p, int64_t row, int n, const std::vector<Scale> *fresh) {
    idle();
    top_->valid_i = 1;
    row_of(p, row, n, top_->code_i);
    int64_t sum[Cols] = {}, bias[Cols] = {};
    int32_t inverse[Cols] = {}, shift[Cols] = {}, mult[Cols] = {};
    for (int c = 0; c < Cols; c++) { // noise where nothing may be read
      sum[c] = random_.range(-9, 9), inverse[c] = random_.range(0, 999), shift[c] = 3, mult[c] = 77, bias[c] = -5;
      if (fresh && static_cast<size_t>(c) < fresh->size()) {
        const Scale &s = (*fresh)[static_cast<size_t>(c)];
        sum[c] = s.scaled_sum, inverse[c] = static_cast<int32_t>(s.inverse), shift[c] = s.shift;
      }
      if (fresh && n + c < p.channels)
        mult[c] = p.multiplier[static_cast<size_t>(n + c)], bias[c] = p.bias[static_cast<size_t>(n + c)];
    }
    top_->fresh_i = fresh != nullptr;
    ergon::put<kSum>(top_->sum_i, sum, Cols);
    ergon::put<32>(top_->inverse_i, inverse, Cols);
    ergon::put<6>(top_->shift_i, shift, Cols);
    ergon::put<32>(top_->mult_i, mult, Cols);
    ergon::put<64>(top_->bias_i, bias, Cols);
    edge();
    top_->valid_i = 0;
  }

  // The statistics against the golden ones, and the cycles of a root against their formula.
  void check(const Problem &p, const Scale &s, const int16_t *x, int64_t stride) {
    erg_norm_sums sums{};
    erg_norm_gather(x, p.count(), stride, p.zero_point, &sums);
    ASSERT_EQ(s.sum, sums.sum);
    ASSERT_EQ(s.squares, sums.squares);
    erg_norm_scale golden = erg_norm_scale_of(sums, p.kind != RMS, p.epsilon);
    ASSERT_EQ(s.scaled_sum, golden.sum);
    ASSERT_EQ(s.inverse, golden.inverse);
    ASSERT_EQ(s.shift, golden.shift);
    ASSERT_EQ(s.cycles, golden.inverse ? std::abs(34 - golden.shift) + 65 : 1);
    scale_cycles += s.cycles + 1, groups++;
  }

  // Both passes over the tensor: [rows, channels].
  std::vector<int16_t> run(const Problem &p) {
    start(p);
    std::vector<int16_t> y(p.x.size());
    std::vector<std::vector<Scale>> scales; // instance: of a tile's columns; else of one row
    auto statistics = [&](int index, const int16_t *x, int64_t stride) {
      Scale s = scale(index);
      check(p, s, x, stride);
      return s;
    };
    auto take = [&](int64_t first, int64_t last) { // tiles of columns, one behind the other
      for (int i = 0; i < 8; i++) edge();
      size_t at = 0;
      for (int n = 0; n < p.channels; n += Cols)
        for (int64_t row = first; row < last; row++, at += Cols) {
          ASSERT_LE(at + Cols, out_.size());
          for (int c = 0; c < Cols && n + c < p.channels; c++)
            y[static_cast<size_t>(row * p.channels + n + c)] = out_[at + static_cast<size_t>(c)];
        }
      EXPECT_EQ(at, out_.size());
      out_.clear();
    };
    if (p.kind == INSTANCE) {
      for (int n = 0; n < p.channels; n += Cols) {
        gather(p, 0, p.rows, n);
        edge(), edge();
        scales.emplace_back();
        for (int c = 0; c < Cols && n + c < p.channels; c++)
          scales.back().push_back(statistics(c, &p.x[static_cast<size_t>(n + c)], p.channels));
      }
      for (int n = 0; n < p.channels; n += Cols)
        for (int64_t row = 0; row < p.rows; row++) apply(p, row, n, row ? nullptr : &scales[static_cast<size_t>(n / Cols)]);
      take(0, p.rows);
      return y;
    }
    for (int64_t first = 0; first < p.rows; first += Depth) {
      int64_t last = std::min<int64_t>(p.rows, first + Depth);
      for (int n = 0; n < p.channels; n += Cols) gather(p, first, last, n);
      edge(), edge();
      for (int64_t row = first; row < last; row++)
        scales.push_back({statistics(static_cast<int>(row - first), &p.x[static_cast<size_t>(row * p.channels)], 1)});
      for (int n = 0; n < p.channels; n += Cols)
        for (int64_t row = first; row < last; row++) apply(p, row, n, &scales[static_cast<size_t>(row)]);
      take(first, last);
    }
    return y;
  }
};

} // namespace norm
