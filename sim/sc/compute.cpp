// SPDX-License-Identifier: GPL-3.0-or-later
// The thread that owns the array (or the vector unit) for a whole pass: it streams folds tile by tile; a missing tile
// freezes the array's clock, which is a stall and not an array cycle.
#include "machine.hpp"
#include "schedule.hpp"
#include <algorithm>
#include <cstring>

namespace ergon {

void Machine::count(int level, erg_tensor tensor, bool write, uint64_t bits) {
  if (bits == 0) return;
  tlm::tlm_generic_payload payload;
  Access access;
  access.tensor = tensor;
  access.bits = bits;
  payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_extension(&access);
  sc_core::sc_time delay;
  (*sockets_[level])->b_transport(payload, delay);
  payload.clear_extension(&access);
}

// Frozen until tile `step` is in the scratchpads.
void Machine::wait_ready(int64_t step) {
  sc_core::sc_time before = sc_core::sc_time_stamp();
  while (ready_ <= step) wait(ready_event_);
  stalls_[ready_level_] += (sc_core::sc_time_stamp() - before) / cycles(1);
}

void Machine::wait_output_slot() {
  sc_core::sc_time before = sc_core::sc_time_stamp();
  while (outputs_begun_ - outputs_stored_ >= kSlots) wait(stored_event_);
  stalls_[store_level_] += (sc_core::sc_time_stamp() - before) / cycles(1);
  outputs_begun_++;
}

// The next step may need other tiles: then these slots are free.
void Machine::release_input(const Step &step) {
  Step next = step_at(*job_, step.index + 1);
  if (next.index >= job_->steps || next.new_input) input_freed_++;
  freed_event_.notify(sc_core::SC_ZERO_TIME);
}

void Machine::release_weight(const Step &step) {
  Step next = step_at(*job_, step.index + 1);
  if (next.index >= job_->steps || next.new_weight) weight_freed_++;
  freed_event_.notify(sc_core::SC_ZERO_TIME);
}

void Machine::release_residual() {
  residual_freed_++;
  freed_event_.notify(sc_core::SC_ZERO_TIME);
}

void Machine::finish_outputs(const Step &step) {
  finished_.push_back(step);
  output_event_.notify(sc_core::SC_ZERO_TIME);
}

// Pixels of [first, first + count) of a step whose tap (r, s) falls inside the map.
static uint64_t inside(const erg_geometry &g, const Step &step, int r, int s, int first, int count) {
  auto column_inside = [&](int q) {
    int w = q * g.stride_w - g.pad_left + s;
    return w >= 0 && w < g.in_w;
  };
  uint64_t pixels = 0, whole_row = 0;
  for (int q = 0; q < g.out_w; q++) whole_row += column_inside(q);
  for (int row = first / g.out_w; row * g.out_w < first + count; row++) {
    int h = (step.first_row + row) * g.stride_h - g.pad_top + r;
    if (h < 0 || h >= g.in_h) continue;
    int from = std::max(first - row * g.out_w, 0), to = std::min(first + count - row * g.out_w, g.out_w);
    if (to - from == g.out_w)
      pixels += whole_row;
    else
      for (int q = from; q < to; q++) pixels += column_inside(q);
  }
  return pixels;
}

// Input codes a fold asks of the scratchpad: for each tap and channel, those of its pixels whose tap is inside the map.
uint64_t Machine::input_elements(const Step &step, const Fold &fold) const {
  const erg_geometry &g = *job_->g;
  int group_channels = g.in_c / g.groups;
  uint64_t elements = 0;
  int64_t k = fold.first_k, end = fold.first_k + fold.k_count;
  while (k < end) {
    int64_t tap = k / group_channels, channels = std::min<int64_t>(end, (tap + 1) * group_channels) - k;
    elements += inside(g, step, static_cast<int>(tap / g.kernel_w), static_cast<int>(tap % g.kernel_w),
                       fold.first_pixel, fold.pixels) *
                static_cast<uint64_t>(channels);
    k += channels;
  }
  return elements;
}

// What a fold moves between scratchpads, array registers and accumulator memory.
void Machine::count_fold(const Step &step, const Fold &fold) {
  const erg_geometry &g = *job_->g;
  uint64_t weights = static_cast<uint64_t>(fold.channels) * fold.k_count * g.weight_bits;
  uint64_t inputs = input_elements(step, fold) * g.in_bits;
  uint64_t macs = static_cast<uint64_t>(fold.pixels) * fold.channels * fold.k_count;
  uint64_t sums = static_cast<uint64_t>(fold.pixels) * fold.channels * g.psum_bits;
  count(places_[ERG_TENSOR_WEIGHT].scratchpad, ERG_TENSOR_WEIGHT, false, weights);
  count(places_[ERG_TENSOR_INPUT].scratchpad, ERG_TENSOR_INPUT, false, inputs);
  if (g.dataflow != ERG_DATAFLOW_OS && !fold.k_first) psum_read_bits_ += sums;
  if (g.dataflow != ERG_DATAFLOW_OS && !fold.k_last) psum_write_bits_ += sums;
  register_bits_[ERG_TENSOR_WEIGHT] += g.dataflow == ERG_DATAFLOW_WS ? weights : macs * g.weight_bits;
  register_bits_[ERG_TENSOR_INPUT] += g.dataflow == ERG_DATAFLOW_IS ? inputs : macs * g.in_bits;
  register_bits_[ERG_TENSOR_PSUM] += // a scalable cell adds its products up first
      g.products ? sums * ((fold.k_count + g.products - 1) / g.products) : macs * g.psum_bits;
  macs_ += macs;
  if (fold.k_last) count_epilogue(fold);
  if (g.dataflow == ERG_DATAFLOW_OS &&
      fold.k_last) // the first pixel's sum is captured at the bottom, the next one above
    for (int pixel = 0; pixel < fold.pixels; pixel++)
      register_bits_[ERG_TENSOR_PSUM] += static_cast<uint64_t>(pixel + 1) * fold.channels * g.psum_bits;
}

void Machine::count_epilogue(const Fold &fold) {
  const erg_geometry &g = *job_->g;
  uint64_t outputs = static_cast<uint64_t>(fold.pixels) * fold.channels;
  count(places_[ERG_TENSOR_OUTPUT].scratchpad, ERG_TENSOR_OUTPUT, true, outputs * g.out_bits);
  if (g.residual) count(places_[ERG_TENSOR_RESIDUAL].scratchpad, ERG_TENSOR_RESIDUAL, false, outputs * g.residual_bits);
  if (g.constants)
    count(places_[ERG_TENSOR_CONSTANT].scratchpad, ERG_TENSOR_CONSTANT, false,
          static_cast<uint64_t>(fold.channels) * g.constant_bits);
}

void Machine::run_behavioural() {
  ArraySchedule schedule(job_->arch, job_->g->dataflow);
  uint64_t elapsed = 0;
  for (FoldWalk walk(*job_); !walk.finished();) {
    Step step = walk.step();
    wait_ready(step.index);
    if (step.last_k) wait_output_slot();
    for (; !walk.finished() && walk.step().index == step.index; walk.next()) {
      schedule.fold(static_cast<uint64_t>(walk.fold().steps), walk.fold().k_last);
      count_fold(step, walk.fold());
    }
    uint64_t now = walk.finished() ? schedule.end() : schedule.next_start();
    wait(cycles(static_cast<double>(now - elapsed)));
    elapsed = now;
    release_input(step);
    release_weight(step);
    if (step.last_k && job_->g->residual) release_residual();
    if (step.last_k) finish_outputs(step);
  }
  array_cycles_ = elapsed;
}

void Machine::run_vector() {
  const erg_geometry &g = *job_->g;
  for (int64_t i = 0; i < job_->steps; i++) {
    Step step = step_at(*job_, i);
    wait_ready(i);
    wait_output_slot();
    uint64_t outputs = static_cast<uint64_t>(step.rows) * g.out_w * step.channels;
    uint64_t cols = static_cast<uint64_t>(job_->arch->cols);
    uint64_t work = (outputs * g.window * g.rounds + cols - 1) / cols;
    Fold whole{};
    whole.pixels = step.rows * g.out_w;
    whole.k_count = g.window * g.in_c; /* every tap of every channel: an elementwise pass is a 1 x 1 window */
    for (int round = 0; round < (g.operands == 2 ? 1 : g.rounds); round++)
      count(places_[ERG_TENSOR_INPUT].scratchpad, ERG_TENSOR_INPUT, false, input_elements(step, whole) * g.in_bits);
    if (g.operands == 2)
      count(places_[ERG_TENSOR_RESIDUAL].scratchpad, ERG_TENSOR_RESIDUAL, false, outputs * g.residual_bits);
    if (g.constants)
      count(places_[ERG_TENSOR_CONSTANT].scratchpad, ERG_TENSOR_CONSTANT, false,
            static_cast<uint64_t>(step.channels) * g.constant_bits);
    count(places_[ERG_TENSOR_OUTPUT].scratchpad, ERG_TENSOR_OUTPUT, true, outputs * g.out_bits);
    wait(cycles(static_cast<double>(work)));
    vector_cycles_ += work;
    release_input(step);
    release_weight(step);
    if (g.operands == 2) release_residual();
    finish_outputs(step);
  }
}

void Machine::compute_thread() {
  for (;;) {
    wait(start_);
    try {
      if (!job_->g->array)
        run_vector();
      else if (job_->run)
        run_verilated();
      else
        run_behavioural();
    } catch (const std::exception &fault) {
      fault_ = fault.what();
      return;
    }
    sc_core::sc_time before = sc_core::sc_time_stamp();
    while (outputs_stored_ < outputs_begun_) wait(stored_event_);
    stalls_[store_level_] += (sc_core::sc_time_stamp() - before) / cycles(1);
    done_ = true;
  }
}

} // namespace ergon
