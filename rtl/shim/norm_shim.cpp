// SPDX-License-Identifier: Apache-2.0
// Compiled into the shared object of the unit behind the epilogue, as variant_shim.cpp into that of an array.
#include "Vergon_top.h"
#include "norm_drive.hpp"
#include "variant.h"

namespace {

using Drive = ergon::NormDrive<Vergon_top, ERGON_COLS, ERGON_ACTIVATION_BITS, ERGON_COUNT_BITS, ERGON_DEPTH>;

void *create() {
  return new Drive;
}
void destroy(void *unit) {
  delete static_cast<Drive *>(unit);
}
bool run(void *unit, const erg_rtl_norm_job *job, uint64_t *cycles) {
  auto *drive = static_cast<Drive *>(unit);
  bool came = drive->run(*job);
  *cycles = drive->edges();
  return came;
}

} // namespace

// SystemC-free Verilated code still asks for a time stamp.
double sc_time_stamp() {
  return 0;
}

extern "C" __attribute__((visibility("default"))) const ergon_norm_api ergon_norm_variant = {create, destroy, run};
