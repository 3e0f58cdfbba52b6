// SPDX-License-Identifier: Apache-2.0
// Drives a Verilated ergon_norm_unit over a whole tensor, tile by tile as the machine streams it, with random gaps
// between rows. Columns beyond the tensor's edge hold noise: nothing may depend on them.
#pragma once
#include "ergon/rtl_norm.h"
#include "pack.hpp"
#include "verilated.h"
#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace ergon {

template <class Top, int Cols, int Bits, int CountBits, int Depth> class NormDrive {
  using Group = erg_rtl_norm_group;
  VerilatedContext context_;
  std::unique_ptr<Top> top_{new Top{&context_}};
  std::mt19937_64 random_;
  std::vector<int16_t> out_; // rows of Cols codes, as they come
  const erg_rtl_norm_job *job_ = nullptr;
  uint64_t edges_ = 0;

  static constexpr int kSum = Bits + CountBits + 1;
  static constexpr uint32_t kLevel = (1u << 17) - 1; // ergon_pkg::LevelBits
  static constexpr int kMostCycles = 200;            // of a root and quotient: 66 and a shift of at most 34
  static constexpr int kLatency = 8;                 // edges until the last row has left
  template <typename Port> static void set(Port &port, int64_t value, int bits) {
    port = static_cast<Port>(static_cast<uint64_t>(value) & (~uint64_t{0} >> (64 - bits)));
  }
  int64_t count() const { return job_->per_row ? job_->channels : job_->rows; }

  void edge() {
    top_->clk_i = 0, top_->eval();
    top_->clk_i = 1, top_->eval();
    edges_++;
    if (!top_->y_valid_o) return;
    int16_t row[Cols];
    get<Bits>(top_->y_o, row, Cols);
    out_.insert(out_.end(), row, row + Cols);
  }
  void idle() {
    if (job_->gap_probability > 0)
      while (static_cast<double>(random_()) / 18446744073709551616.0 < job_->gap_probability) edge();
  }

  void start() {
    Top &t = *top_;
    random_.seed(job_->gap_seed);
    t.gather_valid_i = t.start_i = t.valid_i = t.fresh_i = t.write_i = 0;
    t.rst_ni = 0, edge(), edge();
    t.rst_ni = 1;
    out_.clear();
    edges_ = 0;
    t.norm_i = job_->norm;
    t.per_row_i = job_->per_row;
    t.centred_i = job_->centred;
    set(t.epsilon_i, static_cast<int64_t>(job_->epsilon), 63);
    set(t.count_i, count(), CountBits + 1);
    set(t.in_zero_point_i, job_->input_zero_point, Bits);
    t.t_i = static_cast<uint8_t>(job_->shift);
    t.zero_point_i = static_cast<uint32_t>(job_->zero_point) & kLevel;
    t.low_i = static_cast<uint32_t>(job_->low) & kLevel;
    t.high_i = static_cast<uint32_t>(job_->high) & kLevel;
    t.gate_i = t.write_i = job_->table != nullptr;
    for (int i = 0; job_->table && i < 1 << Bits; i++) {
      set(t.write_row_i, i, Bits);
      set(t.write_data_i, job_->table[i], Bits);
      edge();
    }
    t.write_i = 0;
  }

  // Codes of columns n.. of a row.
  template <typename Port> void row_of(int64_t row, int n, Port &port) {
    int16_t codes[Cols];
    for (int c = 0; c < Cols; c++)
      codes[c] = n + c < job_->channels ? job_->input[row * job_->channels + n + c] : static_cast<int16_t>(random_());
    put<Bits>(port, codes, Cols);
  }

  // Rows first..last of a tile of columns past the statistics.
  void gather(int64_t first, int64_t last, int n) {
    Top &t = *top_;
    for (int64_t row = first; row < last; row++) {
      idle();
      t.gather_valid_i = 1;
      t.gather_first_i = job_->per_row ? n == 0 : row == first;
      t.gather_row_i = static_cast<std::remove_reference_t<decltype(t.gather_row_i)>>(job_->per_row ? row - first : 0);
      t.gather_cols_i = static_cast<uint8_t>(std::min(Cols, job_->channels - n));
      row_of(row, n, t.gather_code_i);
      edge();
      t.gather_valid_i = 0;
    }
  }

  // 1 / sigma of column or row `index`, two cycles after its last row. Whether it came.
  bool scale(int index, int64_t group, Group *out) {
    Top &t = *top_;
    *out = {};
    t.read_i = static_cast<std::remove_reference_t<decltype(t.read_i)>>(index);
    edge();
    get<kSum>(t.gathered_sum_o, &out->sum, 1);
    out->squares = static_cast<int64_t>(t.gathered_squares_o);
    t.start_i = 1, edge(), t.start_i = 0;
    while (!t.done_o && out->cycles < kMostCycles) edge(), out->cycles++;
    get<kSum>(t.sum_o, &out->scaled_sum, 1);
    out->inverse = t.inverse_o, out->shift = t.shift_o;
    if (job_->on_group) job_->on_group(job_->context, group, out);
    return t.done_o;
  }

  // A row into the second pass, with the constants of the groups at its columns (per row: one group) or none.
  void apply(int64_t row, int n, const Group *groups, int group_count) {
    Top &t = *top_;
    idle();
    t.valid_i = 1;
    row_of(row, n, t.code_i);
    int64_t sum[Cols] = {}, bias[Cols] = {};
    int32_t inverse[Cols] = {}, shift[Cols] = {}, mult[Cols] = {};
    for (int c = 0; c < Cols; c++) {
      sum[c] = static_cast<int64_t>(random_() % 19) - 9, inverse[c] = 999, shift[c] = 3, mult[c] = 77, bias[c] = -5;
      if (c < group_count)
        sum[c] = groups[c].scaled_sum, inverse[c] = static_cast<int32_t>(groups[c].inverse), shift[c] = groups[c].shift;
      if (groups && n + c < job_->channels) mult[c] = job_->multiplier[n + c], bias[c] = job_->bias[n + c];
    }
    t.fresh_i = groups != nullptr;
    put<kSum>(t.sum_i, sum, Cols);
    put<32>(t.inverse_i, inverse, Cols);
    put<6>(t.shift_i, shift, Cols);
    put<32>(t.mult_i, mult, Cols);
    put<64>(t.bias_i, bias, Cols);
    edge();
    t.valid_i = 0;
  }

  // The rows that came, which were given tile of columns behind tile of columns. Whether all did.
  bool take(int64_t first, int64_t last) {
    for (int i = 0; i < kLatency; i++) edge();
    const int channels = job_->channels, tiles = (channels + Cols - 1) / Cols;
    if (out_.size() != static_cast<size_t>(last - first) * static_cast<size_t>(tiles) * Cols) return false;
    size_t at = 0;
    for (int n = 0; n < channels; n += Cols)
      for (int64_t row = first; row < last; row++, at += Cols)
        std::copy_n(&out_[at], std::min(Cols, channels - n), job_->output + row * channels + n);
    out_.clear();
    return true;
  }

  bool columns() {
    std::vector<Group> groups(static_cast<size_t>(job_->channels));
    for (int n = 0; n < job_->channels; n += Cols) {
      gather(0, job_->rows, n);
      edge(), edge();
      for (int c = 0; c < Cols && n + c < job_->channels; c++)
        if (!scale(c, n + c, &groups[static_cast<size_t>(n + c)])) return false;
    }
    for (int n = 0; n < job_->channels; n += Cols)
      for (int64_t row = 0; row < job_->rows; row++)
        apply(row, n, row ? nullptr : &groups[static_cast<size_t>(n)], row ? 0 : std::min(Cols, job_->channels - n));
    return take(0, job_->rows);
  }

  bool rows(int64_t first, int64_t last) {
    std::vector<Group> groups(static_cast<size_t>(last - first));
    for (int n = 0; n < job_->channels; n += Cols) gather(first, last, n);
    edge(), edge();
    for (int64_t row = first; row < last; row++)
      if (!scale(static_cast<int>(row - first), row, &groups[static_cast<size_t>(row - first)])) return false;
    for (int n = 0; n < job_->channels; n += Cols)
      for (int64_t row = first; row < last; row++) apply(row, n, &groups[static_cast<size_t>(row - first)], 1);
    return take(first, last);
  }

  bool table_alone() {
    for (int n = 0; n < job_->channels; n += Cols)
      for (int64_t row = 0; row < job_->rows; row++) apply(row, n, nullptr, 0);
    return take(0, job_->rows);
  }

public:
  uint64_t edges() const { return edges_; } // of the last run, behind its reset

  // Whether every row and root came within its cycles.
  bool run(const erg_rtl_norm_job &job) {
    job_ = &job;
    start();
    if (!job.norm) return table_alone();
    if (!job.per_row) return columns();
    for (int64_t first = 0; first < job.rows; first += Depth)
      if (!rows(first, std::min<int64_t>(job.rows, first + Depth))) return false;
    return true;
  }
};

} // namespace ergon
