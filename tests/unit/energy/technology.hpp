// SPDX-License-Identifier: GPL-3.0-or-later
// A technology that frees itself, the smallest legal file, a small machine, random counts.
#pragma once
#include "support.hpp"

namespace energy_test {

struct Technology : erg_technology {
  test::Error error;
  erg_status status;
  explicit Technology(const char *name) : erg_technology{} { status = erg_technology_load(name, nullptr, 0, this, &error); }
  Technology(const std::string &text, int) : erg_technology{} { status = erg_technology_parse("t.yaml", text.c_str(), nullptr, 0, this, &error); }
  ~Technology() { if (status == ERG_OK) erg_technology_free(this); }
  double mac(const char *precision) {
    erg_precision p = test::precision(precision);
    double pj = -1;
    erg_technology_op_pj(this, ERG_OP_MAC, &p, &pj, nullptr, nullptr, &error);
    return pj;
  }
  double sram(double bytes) {
    double pj = -1;
    erg_technology_bit_pj(this, ERG_MEMORY_SRAM, bytes, &pj, nullptr, &error);
    return pj;
  }
};

const char *const minimal =
    "name: t\nnode_nm: 45\nmac_includes_registers: yes\noperations:\n"
    "  - {op: mac, format: int, pj: 0.3, source: s, table: t, year: 2014, confirmed: yes}\nmemories:\n"
    "  - {kind: dram, pj_per_bit: 20, source: s, table: t, year: 2014, confirmed: yes}\n";

inline erg_price_machine machine() {
  erg_price_machine m{};
  m.level_count = 2;
  m.levels[0] = {"dram", ERG_MEMORY_DRAM, 0};
  m.levels[1] = {"spad", ERG_MEMORY_SRAM, 8192};
  m.levels[2] = {"accumulator", ERG_MEMORY_SRAM, 8192};
  m.levels[3] = {"registers", ERG_MEMORY_REGISTER, 0};
  m.pe_count = 16;
  m.clock_mhz = 100;
  return m;
}

inline erg_activity activity(test::Random &r) {
  erg_activity a{};
  for (int op = 0; op < ERG_OP_COUNT; op++) a.ops[op] = static_cast<uint64_t>(r.range(0, 1 << 20));
  for (int l = 0; l < 4; l++)
    for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
      a.read_bits[l][t] = static_cast<uint64_t>(r.range(0, 1 << 20));
      a.write_bits[l][t] = static_cast<uint64_t>(r.range(0, 1 << 20));
    }
  a.cycles = static_cast<uint64_t>(r.range(1, 1 << 20));
  return a;
}

} // namespace energy_test
