// SPDX-License-Identifier: Apache-2.0
// Looks into a variant of the house's array that was built for it (observe.vlt): the sums of each output row before
// requantization, and the toggles of the cells' registers. In other variants it is empty and costs nothing.
#pragma once
#include "variant.h"
#include <cstring>
#include <deque>
#include <vector>
#if ERGON_LOOK
#include "Vergon_top___024root.h"
// A signal by its path below the top module, whatever that is called.
#define ERGON_JOIN(object, top, path) (object).top##__DOT__##path
#define ERGON_JOIN_TOP(object, top, path) ERGON_JOIN(object, top, path)
#define ERGON_SEEN(object, path) ERGON_JOIN_TOP(object, ERGON_TOP, path)
#endif

namespace ergon {

#if ERGON_LOOK
class Observer {
public:
  // Between the settled inputs and the rising edge.
  template <typename Top> void before(Top &top) { enabled_ = ERGON_SEEN((*top.rootp), en); }
  // Behind the rising edge.
  template <typename Top> void after(Top &top) {
    auto &root = *top.rootp;
    count(ERGON_SEEN(root, u_array__DOT__w_q), weight_, ERGON_WEIGHT_WORD_BITS, toggles_.weight);
    count(ERGON_SEEN(root, u_array__DOT__shadow_q), shadow_, ERGON_SHADOW_BITS, toggles_.shadow);
    count(ERGON_SEEN(root, u_array__DOT__a_q), activation_, ERGON_ACTIVATION_WORD_BITS, toggles_.activation);
    count(ERGON_SEEN(root, u_array__DOT__p_q), sum_, ERGON_ACC_BITS, toggles_.partial_sum);
    if (enabled_ && ERGON_SEEN(root, u_epilogue__DOT__v2_q)) {
      std::vector<int64_t> row(ERGON_COLS);
      for (int c = 0; c < ERGON_COLS; c++) row[c] = extend(ERGON_SEEN(root, u_epilogue__DOT__x2_q)[c], ERGON_ACC_BITS);
      rows_.push_back(std::move(row));
    }
  }
  // Rows leave in the order in which their sums came.
  void row_left() {
    if (rows_.empty()) return;
    last_ = std::move(rows_.front());
    rows_.pop_front();
  }
  void reset() {
    rows_.clear(), last_.clear();
    toggles_ = {};
  }
  const int64_t *sums() const { return last_.empty() ? nullptr : last_.data(); }
  const erg_rtl_toggles *toggles() const { return &toggles_; }

private:
  static int64_t extend(uint64_t x, int bits) { return static_cast<int64_t>(x << (64 - bits)) >> (64 - bits); }
  // Registers are kept sign-extended; the bits beyond `bits` are copies.
  template <typename Array> static void count(const Array &now, uint64_t *was, int bits, uint64_t &toggles) {
    const uint64_t mask = (uint64_t{1} << bits) - 1;
    for (int i = 0; i < ERGON_ROWS * ERGON_COLS; i++) {
      const uint64_t word = static_cast<uint64_t>(now[i]) & mask;
      toggles += static_cast<uint64_t>(__builtin_popcountll(word ^ was[i]));
      was[i] = word;
    }
  }
  uint64_t weight_[ERGON_ROWS * ERGON_COLS] = {}, shadow_[ERGON_ROWS * ERGON_COLS] = {},
           activation_[ERGON_ROWS * ERGON_COLS] = {}, sum_[ERGON_ROWS * ERGON_COLS] = {};
  erg_rtl_toggles toggles_{};
  bool enabled_ = false;
  std::deque<std::vector<int64_t>> rows_;
  std::vector<int64_t> last_;
};
#else
class Observer {
public:
  template <typename Top> void before(Top &) {}
  template <typename Top> void after(Top &) {}
  void row_left() {}
  void reset() {}
};
#endif

} // namespace ergon
