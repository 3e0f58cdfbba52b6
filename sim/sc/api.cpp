// SPDX-License-Identifier: GPL-3.0-or-later
// The C door of the SystemC model. SystemC elaborates once a process: one machine serves all calls. No C++ exception
// and no SystemC report leaves this file.
#include "machine.hpp"
#include "schedule.hpp"
#include <exception>

using ergon::Job;
using ergon::Machine;

// libsystemc brings a main() that calls sc_main; the program has its own, so this one is never called.
int sc_main(int, char *[]) {
  return 0;
}

extern "C" erg_status erg_systemc(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping,
                                  const erg_op_counts *ops, erg_rtl_run *run, erg_activity *out, erg_error *error) {
  static Machine *machine = nullptr;
  if (run && (geometry->psum_bits % 8 || geometry->constant_bits != geometry->psum_bits + 40))
    return erg_fail(
        error, ERG_ERR_UNSUPPORTED,
        "the Verilated array in the machine has accumulators of whole bytes (found %d bits) and a full epilogue",
        geometry->psum_bits);
  try {
    if (!machine) {
      sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
      sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
      machine = new Machine("machine");
      sc_core::sc_start(sc_core::SC_ZERO_TIME); // threads run to their first wait
    }
    int64_t steps = static_cast<int64_t>(mapping->n_tiles) * mapping->m_tiles * mapping->k_chunks;
    Job job{arch, geometry, mapping, ops, run, erg_geometry_reduction(geometry), steps};
    machine->run(job, out);
    return ERG_OK;
  } catch (const std::exception &fault) {
    return erg_fail(error, ERG_ERR_INTERNAL, "SystemC model: %s", fault.what());
  } catch (...) {
    return erg_fail(error, ERG_ERR_INTERNAL, "SystemC model: unknown exception");
  }
}

extern "C" uint64_t erg_systemc_fold_cycles(const erg_arch *arch, erg_dataflow dataflow, const int *lengths,
                                            int fold_count) {
  ergon::ArraySchedule schedule(arch, dataflow);
  for (int i = 0; i < fold_count; i++) schedule.fold(static_cast<uint64_t>(lengths[i]), true);
  return schedule.end();
}
