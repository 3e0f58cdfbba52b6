// SPDX-License-Identifier: GPL-3.0-or-later
#include "memory.hpp"
#include <algorithm>
#include <cstring>

namespace ergon {

Memory::Memory(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
  socket.register_b_transport(this, &Memory::b_transport);
}

void Memory::configure(double bandwidth_bits_per_cycle, uint64_t image_bytes) {
  bandwidth_ = bandwidth_bits_per_cycle;
  busy_until_ = sc_core::SC_ZERO_TIME;
  std::fill(std::begin(read_bits), std::end(read_bits), 0);
  std::fill(std::begin(write_bits), std::end(write_bits), 0);
  image.assign(image_bytes, 0xa5); // poison: what was never written is seen to be wrong
}

void Memory::b_transport(int, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) {
  const Access *access = payload.get_extension<Access>();
  uint64_t bits = access->bits ? access->bits : 8ull * payload.get_data_length();
  (payload.is_read() ? read_bits : write_bits)[access->tensor] += bits;

  uint64_t address = payload.get_address();
  unsigned length = payload.get_data_length();
  if (!image.empty() && payload.get_data_ptr()) {
    if (address + length > image.size()) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    if (payload.is_read())
      std::memcpy(payload.get_data_ptr(), image.data() + address, length);
    else
      std::memcpy(image.data() + address, payload.get_data_ptr(), length);
  }
  if (access->port && bandwidth_ > 0) { // first come, first served
    sc_core::sc_time now = sc_core::sc_time_stamp();
    busy_until_ = std::max(now + delay, busy_until_) + cycles(static_cast<double>(bits) / bandwidth_);
    delay = busy_until_ - now;
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

} // namespace ergon
