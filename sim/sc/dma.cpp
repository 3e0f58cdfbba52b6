// SPDX-License-Identifier: GPL-3.0-or-later
// The DMA engines: one loads tiles in the order of the loop nest as slots become free, one stores finished tiles. Every
// byte goes through a TLM payload per contiguous run; the counts of this model are what those payloads carry.
#include "bits.hpp"
#include "machine.hpp"
#include <algorithm>
#include <stdexcept>
#include <tlm_utils/simple_initiator_socket.h>

namespace ergon {

int Machine::parent(int level, erg_tensor tensor) const {
  for (int index = level - 1; index > 0; index--)
    if (job_->arch->levels[index].holds_mask >> tensor & 1u) return index;
  return 0;
}

void Machine::transport(int level, erg_tensor tensor, bool write, uint64_t address, uint64_t bytes, Transfer *port) {
  tlm::tlm_generic_payload payload;
  Access access;
  access.tensor = tensor;
  access.port = port != nullptr;
  bool data = !levels_[level]->image.empty();
  payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(address);
  payload.set_data_length(static_cast<unsigned>(bytes));
  payload.set_streaming_width(static_cast<unsigned>(bytes));
  payload.set_data_ptr(data ? buffer_.data() : nullptr);
  payload.set_extension(&access);
  sc_core::sc_time delay;
  (*sockets_[level])->b_transport(payload, delay);
  payload.clear_extension(&access);
  if (payload.is_response_error())
    throw std::runtime_error("access outside level " + std::string(job_->arch->levels[level].name));
  if (!port) return;
  sc_core::sc_time end =
      sc_core::sc_time_stamp() + delay + cycles(static_cast<double>(job_->arch->levels[level].latency_cycles));
  if (end > port->end) *port = {end, level};
}

// A run from where it already lies, level by level, to the scratchpad. `fresh`: not yet in a level that keeps it.
void Machine::move_in(erg_tensor tensor, uint64_t from, uint64_t to, uint64_t bytes, bool fresh, Transfer *transfer) {
  if (bytes == 0) return;
  if (buffer_.size() < bytes) buffer_.resize(bytes);
  int scratchpad = places_[tensor].scratchpad, path[ERG_MAX_LEVELS], length = 0;
  for (int level = parent(scratchpad, tensor);; level = parent(level, tensor)) {
    path[length++] = level;
    if (level == 0 || (job_->m->resident[level][tensor] && !fresh)) break;
  }
  for (int i = length - 1; i >= 0; i--) {
    transport(path[i], tensor, false, from, bytes, transfer);
    if (i > 0) transport(path[i - 1], tensor, true, from, bytes, nullptr);
  }
  transport(scratchpad, tensor, true, to, bytes, nullptr);
}

void Machine::move_out(uint64_t from, uint64_t to, uint64_t bytes, Transfer *transfer) {
  if (buffer_.size() < bytes) buffer_.resize(bytes);
  int level = places_[ERG_TENSOR_OUTPUT].scratchpad;
  transport(level, ERG_TENSOR_OUTPUT, false, from, bytes, nullptr);
  while (level != 0) {
    level = parent(level, ERG_TENSOR_OUTPUT);
    transport(level, ERG_TENSOR_OUTPUT, true, to, bytes, transfer);
    if (level != 0) transport(level, ERG_TENSOR_OUTPUT, false, to, bytes, nullptr);
  }
}

bool Machine::load_input(const Step &step, Transfer *transfer) {
  if (!step.new_input) return false;
  while (input_loaded_ - input_freed_ >= kSlots) wait(freed_event_);
  const erg_geometry &g = *job_->g;
  const Place &place = places_[ERG_TENSOR_INPUT];
  uint64_t row_bytes = static_cast<uint64_t>(g.in_w) * run_bytes(g.in_c, g.in_bits);
  uint64_t base = static_cast<uint64_t>(step.image) * g.in_h * row_bytes;
  uint64_t to = place.slot_address[input_loaded_ % kSlots];
  RowSet rows(g, step.first_row, step.rows);
  if (rows.dense) {
    int seen = 0; // rows that tiles above have brought in
    if (step.first_row > 0) {
      RowSet above(g, 0, step.first_row);
      seen = std::max(0, above.low + above.rows - rows.low);
    }
    seen = std::min(seen, rows.rows);
    uint64_t from = place.dram_address + base + rows.low * row_bytes;
    move_in(ERG_TENSOR_INPUT, from, to, seen * row_bytes, false, transfer);
    move_in(ERG_TENSOR_INPUT, from + seen * row_bytes, to + seen * row_bytes, (rows.rows - seen) * row_bytes,
            step.first_visit_input, transfer);
  } else {
    int position = 0;
    for (int p = step.first_row; p < step.first_row + step.rows; p++)
      for (int r = 0; r < g.kernel_h; r++) {
        int h = p * g.stride_h - g.pad_top + r;
        if (h < 0 || h >= g.in_h) continue;
        move_in(ERG_TENSOR_INPUT, place.dram_address + base + h * row_bytes, to + position++ * row_bytes, row_bytes,
                step.first_visit_input, transfer);
      }
  }
  input_slot_[step.index] = static_cast<uint8_t>(input_loaded_++ % kSlots);
  return true;
}

bool Machine::load_weight(const Step &step, Transfer *transfer) {
  const erg_geometry &g = *job_->g;
  if (!step.new_weight || (!g.array && !g.constants)) return false;
  while (weight_loaded_ - weight_freed_ >= kSlots) wait(freed_event_);
  int slot = static_cast<int>(weight_loaded_ % kSlots);
  if (g.array)
    move_in(ERG_TENSOR_WEIGHT, places_[ERG_TENSOR_WEIGHT].dram_address + weight_offset(step),
            places_[ERG_TENSOR_WEIGHT].slot_address[slot], weight_tile_bytes(step), step.first_visit_weight, transfer);
  if (g.constants && step.last_k)
    move_in(ERG_TENSOR_CONSTANT,
            places_[ERG_TENSOR_CONSTANT].dram_address + run_bytes(step.first_channel, g.constant_bits),
            places_[ERG_TENSOR_CONSTANT].slot_address[slot], run_bytes(step.channels, g.constant_bits),
            step.first_visit_weight, transfer);
  weight_slot_[step.index] = static_cast<uint8_t>(slot);
  weight_loaded_++;
  return true;
}

// Calls `move(address in DRAM, address in the tile, bytes)` for every contiguous run of a slice of an output-shaped
// map.
template <typename Move> static void for_slice_runs(const erg_geometry &g, const Step &step, int bits, Move move) {
  uint64_t pixel = run_bytes(g.out_c, bits), slice = run_bytes(step.channels, bits);
  uint64_t first = (static_cast<uint64_t>(step.image) * g.out_h + step.first_row) * g.out_w;
  uint64_t pixels = static_cast<uint64_t>(step.rows) * g.out_w;
  if (step.channels == g.out_c) {
    move(first * pixel, 0, pixels * pixel);
    return;
  }
  uint64_t offset = run_bytes(step.first_channel, bits);
  for (uint64_t i = 0; i < pixels; i++) move((first + i) * pixel + offset, i * slice, slice);
}

bool Machine::load_residual(const Step &step, Transfer *transfer) {
  const erg_geometry &g = *job_->g;
  if (!step.last_k || !(g.residual || g.operands == 2)) return false;
  while (residual_loaded_ - residual_freed_ >= kSlots) wait(freed_event_);
  const Place &place = places_[ERG_TENSOR_RESIDUAL];
  uint64_t to = place.slot_address[residual_loaded_ % kSlots];
  for_slice_runs(g, step, g.residual_bits, [&](uint64_t dram, uint64_t tile, uint64_t bytes) {
    move_in(ERG_TENSOR_RESIDUAL, place.dram_address + dram, to + tile, bytes, true, transfer);
  });
  residual_slot_[step.index] = static_cast<uint8_t>(residual_loaded_++ % kSlots);
  return true;
}

void Machine::load_thread() {
  for (;;) {
    wait(start_);
    for (int64_t i = 0; i < job_->steps; i++) {
      Step step = step_at(*job_, i);
      if (i > 0) {
        input_slot_[i] = input_slot_[i - 1];
        weight_slot_[i] = weight_slot_[i - 1];
      }
      Transfer transfer{sc_core::SC_ZERO_TIME, 0};
      bool moved = load_input(step, &transfer);
      moved = load_weight(step, &transfer) || moved;
      moved = load_residual(step, &transfer) || moved;
      sc_core::sc_time now = sc_core::sc_time_stamp();
      if (moved && transfer.end > now) wait(transfer.end - now);
      ready_level_ = transfer.level;
      ready_++;
      ready_event_.notify(sc_core::SC_ZERO_TIME);
    }
  }
}

void Machine::store_thread() {
  for (;;) {
    while (finished_.empty()) wait(output_event_);
    wait(sc_core::SC_ZERO_TIME); // a load that asks for the channel at this very moment goes first: the array waits for
                                 // it
    wait(sc_core::SC_ZERO_TIME);
    Step step = finished_.front();
    const Place &place = places_[ERG_TENSOR_OUTPUT];
    uint64_t from = place.slot_address[outputs_stored_ % kSlots];
    Transfer transfer{sc_core::SC_ZERO_TIME, 0};
    for_slice_runs(*job_->g, step, job_->g->out_bits, [&](uint64_t dram, uint64_t tile, uint64_t bytes) {
      move_out(from + tile, place.dram_address + dram, bytes, &transfer);
    });
    wait(transfer.end - sc_core::sc_time_stamp());
    store_level_ = transfer.level;
    finished_.pop_front();
    outputs_stored_++;
    stored_event_.notify(sc_core::SC_ZERO_TIME);
  }
}

} // namespace ergon
