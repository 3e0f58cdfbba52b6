// SPDX-License-Identifier: Apache-2.0
// A window of clock edges written as FST. In a variant built without tracing it is empty and costs nothing.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

namespace ergon {

constexpr bool kWaveform = VM_TRACE;

#if VM_TRACE
class Waveform {
public:
  explicit Waveform(VerilatedContext &context) { context.traceEverOn(true); } // before the model is made
  void choose(const char *path, uint64_t first_edge, uint64_t last_edge) {
    close();
    path_ = path, first_ = first_edge, last_ = last_edge;
  }
  // Twice a clock cycle: with the clock low, and behind its rising edge. Cycle n rises at 10 n ns.
  template <typename Top> void step(Top &top, uint64_t edge, bool high) {
    if (path_.empty() || edge < first_ || edge > last_) return;
    if (!file_) {
      file_ = std::make_unique<VerilatedFstC>();
      file_->set_time_unit("1ns");
      file_->set_time_resolution("1ns");
      top.trace(file_.get(), 99);
      file_->open(path_.c_str());
    }
    if (file_->isOpen()) file_->dump(10 * edge - (high ? 0 : 5));
  }
  // False when the file could not be written, or nothing fell into the window.
  bool close() {
    path_.clear();
    if (!file_) return false;
    bool good = file_->isOpen();
    file_->close();
    retired_ = std::move(file_); // the model keeps pointing at it
    return good;
  }

private:
  std::string path_;
  uint64_t first_ = 0, last_ = 0;
  std::unique_ptr<VerilatedFstC> file_, retired_;
};
#else
class Waveform {
public:
  explicit Waveform(VerilatedContext &) {}
  void choose(const char *, uint64_t, uint64_t) {}
  template <typename Top> void step(Top &, uint64_t, bool) {}
  bool close() { return false; }
};
#endif

} // namespace ergon
