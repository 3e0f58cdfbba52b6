// SPDX-License-Identifier: GPL-3.0-or-later
// The machine: memory levels, DMA in and out, the array (behavioural or Verilated) or the vector unit, and what ties
// them together: tiles become ready, slots become free.
#pragma once
#include "memory.hpp"
#include "nest.hpp"
#include <deque>
#include <memory>
#include <string>
#include <tlm_utils/simple_initiator_socket.h>

namespace ergon {

constexpr int kSlots = 2; // double buffering

// Where a tensor's tiles lie in its scratchpad, and where the whole tensor lies in DRAM.
struct Place {
  int scratchpad = 0;
  uint64_t dram_address = 0, dram_bytes = 0;
  uint64_t slot_address[kSlots] = {}, tile_bytes = 0;
};

// When a transfer ends, and the level that decides it.
struct Transfer {
  sc_core::sc_time end;
  int level;
};

class Machine : public sc_core::sc_module {
public:
  SC_HAS_PROCESS(Machine);
  explicit Machine(sc_core::sc_module_name name);

  // Runs one job to its end; throws std::runtime_error on a fault of the model.
  void run(const Job &job, erg_activity *out);

private:
  // threads (dma.cpp, array.cpp)
  void load_thread();
  void store_thread();
  void compute_thread();

  void collect(erg_activity *out) const;

  // dma.cpp
  bool load_input(const Step &step, Transfer *transfer);
  bool load_weight(const Step &step, Transfer *transfer);
  bool load_residual(const Step &step, Transfer *transfer);
  void move_in(erg_tensor tensor, uint64_t from, uint64_t to, uint64_t bytes, bool fresh, Transfer *transfer);
  void move_out(uint64_t from, uint64_t to, uint64_t bytes, Transfer *transfer);
  void transport(int level, erg_tensor tensor, bool write, uint64_t address, uint64_t bytes, Transfer *port);
  int parent(int level, erg_tensor tensor) const;

  // layout.cpp: where tensors and their tiles lie
  void place_tensors();
  void fill_dram();
  void read_output() const;
  uint64_t weight_tile_bytes(const Step &step) const;
  uint64_t weight_offset(const Step &step) const;

  // compute.cpp, array_rtl.cpp
  void run_vector();
  void run_behavioural();
  void run_verilated();
  void wait_ready(int64_t step);
  void wait_output_slot();
  void release_input(const Step &step);
  void release_weight(const Step &step);
  void release_residual();
  void finish_outputs(const Step &step);
  void count(int level, erg_tensor tensor, bool write, uint64_t bits);
  void count_fold(const Step &step, const Fold &fold);
  void count_epilogue(const Fold &fold);
  uint64_t input_elements(const Step &step, const Fold &fold) const;

  Memory *levels_[ERG_MAX_LEVELS];
  std::unique_ptr<tlm_utils::simple_initiator_socket<Machine>> sockets_[ERG_MAX_LEVELS];

  const Job *job_ = nullptr;
  Place places_[ERG_TENSOR_COUNT];
  std::vector<uint8_t> buffer_;
  sc_core::sc_event start_, ready_event_, freed_event_, output_event_, stored_event_;
  int64_t ready_ = 0;              // steps whose tiles are in the scratchpads
  int ready_level_ = 0, store_level_ = 0; // levels that the last load and store waited for
  std::vector<uint8_t> input_slot_, weight_slot_, residual_slot_; // by step
  int64_t input_loaded_ = 0, input_freed_ = 0, weight_loaded_ = 0, weight_freed_ = 0;
  int64_t residual_loaded_ = 0, residual_freed_ = 0;
  std::deque<Step> finished_;      // outputs waiting to be stored
  int64_t outputs_begun_ = 0, outputs_stored_ = 0;
  bool done_ = false;
  uint64_t array_cycles_ = 0, vector_cycles_ = 0, macs_ = 0, psum_read_bits_ = 0, psum_write_bits_ = 0;
  uint64_t register_bits_[ERG_TENSOR_COUNT] = {};
  double stalls_[ERG_MAX_LEVELS] = {};
  uint64_t codes_read_ = 0;        // by the Verilated array, for the check against count_fold
  double macs_done_ = 0;
  std::string fault_;
};

} // namespace ergon
