// SPDX-License-Identifier: GPL-3.0-or-later
// The behavioural array as a schedule of two ports: the weight port takes R rows a fold and may start on the next fold
// when the present one starts to stream; the activation port streams M rows a fold.
#pragma once
#include "ergon/sim.h"
#include <algorithm>

namespace ergon {

class ArraySchedule {
public:
  explicit ArraySchedule(const erg_arch *arch) : rows_(arch->rows), cols_(arch->cols) {}
  void fold(uint64_t m_rows) {
    uint64_t loaded = stream_start_ + rows_;
    stream_start_ = std::max(loaded, stream_end_);
    stream_end_ = stream_start_ + m_rows;
  }
  uint64_t next_start() const { return std::max(stream_start_ + rows_, stream_end_); }
  uint64_t end() const { return stream_end_ + (rows_ - 1) + (cols_ - 1) + ERG_EPILOGUE_DEPTH; }

private:
  uint64_t rows_, cols_, stream_start_ = 0, stream_end_ = 0;
};

} // namespace ergon
