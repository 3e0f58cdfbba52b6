// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine.hpp"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace ergon {

Machine::Machine(sc_core::sc_module_name name) : sc_module(name) {
  for (int i = 0; i < ERG_MAX_LEVELS; i++) {
    std::string number = std::to_string(i);
    levels_[i] = new Memory(("level" + number).c_str()); // owned by the SystemC hierarchy for the process's life
    sockets_[i] = std::make_unique<tlm_utils::simple_initiator_socket<Machine>>(("port" + number).c_str());
    sockets_[i]->bind(levels_[i]->socket);
  }
  SC_THREAD(load_thread);
  SC_THREAD(store_thread);
  SC_THREAD(compute_thread);
}

void Machine::run(const Job &job, erg_activity *out) {
  job_ = &job;
  ready_ = input_loaded_ = input_freed_ = weight_loaded_ = weight_freed_ = residual_loaded_ = residual_freed_ = 0;
  outputs_begun_ = outputs_stored_ = 0;
  ready_level_ = store_level_ = 0;
  array_cycles_ = vector_cycles_ = macs_ = psum_read_bits_ = psum_write_bits_ = codes_read_ = 0;
  macs_done_ = 0;
  std::fill(std::begin(register_bits_), std::end(register_bits_), 0);
  std::fill(std::begin(stalls_), std::end(stalls_), 0);
  for (auto *slots : {&input_slot_, &weight_slot_, &residual_slot_}) slots->assign(job.steps, 0);
  finished_.clear();
  fault_.clear();
  done_ = false;
  place_tensors();
  if (job.run) fill_dram();

  start_.notify(sc_core::SC_ZERO_TIME);
  sc_core::sc_start(); // until nothing is left to do
  if (!fault_.empty()) throw std::runtime_error(fault_);
  if (!done_) throw std::runtime_error("the machine came to a standstill before the pass was done");
  if (job.run) read_output();
  collect(out);
}

void Machine::collect(erg_activity *out) const {
  std::memset(out, 0, sizeof *out);
  int count = job_->arch->level_count;
  for (int level = 0; level < count; level++)
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
      out->read_bits[level][tensor] = levels_[level]->read_bits[tensor];
      out->write_bits[level][tensor] = levels_[level]->write_bits[tensor];
    }
  out->read_bits[ERG_LEVEL_ACCUMULATOR(count)][ERG_TENSOR_PSUM] = psum_read_bits_;
  out->write_bits[ERG_LEVEL_ACCUMULATOR(count)][ERG_TENSOR_PSUM] = psum_write_bits_;
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
    out->write_bits[ERG_LEVEL_REGISTERS(count)][tensor] = register_bits_[tensor];
  out->ops[ERG_OP_MAC] = macs_;
  out->ops[ERG_OP_REQUANTIZE] = job_->ops->requantize;
  out->ops[ERG_OP_ADD] = job_->ops->add;
  out->ops[ERG_OP_MULTIPLY] = job_->ops->multiply;
  out->ops[ERG_OP_COMPARE] = job_->ops->compare;
  out->ops[ERG_OP_GATE] = job_->ops->gate;
  out->ops[ERG_OP_RSQRT] = job_->ops->rsqrt;
  out->initial_write_bits = 8 * (places_[ERG_TENSOR_WEIGHT].dram_bytes + places_[ERG_TENSOR_CONSTANT].dram_bytes);
  out->array_cycles = array_cycles_;
  if (const erg_rtl_toggles *t = job_->run ? erg_rtl_toggles_of(job_->run->rtl) : nullptr) {
    const uint64_t toggles[ERG_TOGGLES] = {t->weight, t->shadow, t->activation, t->partial_sum};
    std::copy(std::begin(toggles), std::end(toggles), out->register_toggles);
  }
  out->vector_cycles = vector_cycles_;
  out->cycles = array_cycles_ + vector_cycles_;
  for (int level = 0; level < count; level++) {
    out->stall_cycles[level] = static_cast<uint64_t>(std::llround(stalls_[level]));
    out->cycles += out->stall_cycles[level];
  }
}

} // namespace ergon
