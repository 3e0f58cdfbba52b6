// SPDX-License-Identifier: GPL-3.0-or-later
// The behavioural array as a schedule of its ports. Where something lies in the cells before it is streamed against
// (ws, is), the loading port takes R rows a fold and may start on the next fold when the present one starts to stream.
// Output-stationary, both operands stream, and a fold's sums drain for R cycles behind its last step, one fold's after
// the other's.
#pragma once
#include "ergon/sim.h"
#include <algorithm>

namespace ergon {

class ArraySchedule {
public:
  ArraySchedule(const erg_arch *arch, erg_dataflow dataflow)
      : rows_(arch->rows), cols_(arch->cols), drains_(dataflow == ERG_DATAFLOW_OS) {}

  // `length` streamed elements; `ends`: the sums are whole behind them (else more of K follows against them).
  void fold(uint64_t length, bool ends) {
    if (!drains_) {
      stream_start_ = std::max(stream_start_ + rows_, stream_end_); // its rows are in, the fold before is through
      stream_end_ = stream_start_ + length;
      return;
    }
    if (fresh_) stream_start_ = std::max(stream_end_, fold_start_ + (folds_ ? rows_ : 0)), fold_start_ = stream_start_;
    if (fresh_) stream_end_ = stream_start_;
    stream_end_ += length;
    fresh_ = ends;
    if (ends) folds_++;
  }
  // When the next fold may begin to stream.
  uint64_t next_start() const {
    if (!drains_) return std::max(stream_start_ + rows_, stream_end_);
    return fresh_ ? std::max(stream_end_, fold_start_ + rows_) : stream_end_;
  }
  uint64_t end() const { return stream_end_ + (rows_ - 1) + (cols_ - 1) + (drains_ ? rows_ : 0) + ERG_EPILOGUE_DEPTH; }

private:
  uint64_t rows_, cols_, stream_start_ = 0, stream_end_ = 0, fold_start_ = 0, folds_ = 0;
  bool drains_, fresh_ = true;
};

} // namespace ergon
