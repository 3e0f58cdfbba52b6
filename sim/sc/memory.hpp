// SPDX-License-Identifier: GPL-3.0-or-later
// A memory level as a TLM-2.0 target: counts what its payloads carry, by tensor; keeps bytes when data move; its port
// inward is a channel that serves one transfer after the other.
#pragma once
#include "ergon/energy.h"
#include <systemc>
#include <tlm>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <vector>

namespace ergon {

// One array clock cycle of simulated time.
inline sc_core::sc_time cycles(double count) { return sc_core::sc_time(count, sc_core::SC_NS); }

// Which tensor a payload belongs to. Array-side accesses ask for bits, not bytes: `bits` overrides 8 * length.
// `port` says that the access goes over the level's inward channel (a transfer), not to the array.
struct Access : tlm::tlm_extension<Access> {
  erg_tensor tensor = ERG_TENSOR_INPUT;
  uint64_t bits = 0;
  bool port = false;
  tlm::tlm_extension_base *clone() const override { return new Access(*this); }
  void copy_from(const tlm::tlm_extension_base &other) override { *this = static_cast<const Access &>(other); }
};

class Memory : public sc_core::sc_module {
public:
  tlm_utils::multi_passthrough_target_socket<Memory> socket;
  explicit Memory(sc_core::sc_module_name name);

  void configure(double bandwidth_bits_per_cycle, uint64_t image_bytes);
  std::vector<uint8_t> image; // empty when only counts are wanted
  uint64_t read_bits[ERG_TENSOR_COUNT], write_bits[ERG_TENSOR_COUNT];

private:
  void b_transport(int id, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  double bandwidth_ = 0;
  sc_core::sc_time busy_until_;
};

} // namespace ergon
