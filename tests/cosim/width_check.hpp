// SPDX-License-Identifier: GPL-3.0-or-later
// The array alone at every width: random cases (rails, ties, edge tiles, extents of 1, the whole accumulator memory, with and
// without gaps) against the golden kernel and the formula. Each pair of widths is an array of its own, built when asked for.
#pragma once
#include "support.hpp"

namespace width {

struct Total { uint64_t arrays = 0, outputs = 0, macs = 0; };

// `cases` random cases of an array; every row of the ledger is ok, so outputs and cycles are equal.
inline void check(const std::string &precision, int rows, int cols, int depth, int cases, uint64_t seed, Total &total,
                  erg_dataflow dataflow = ERG_DATAFLOW_WS, erg_mac_kind mac = ERG_MAC_NATIVE) {
  SCOPED_TRACE(precision + " " + erg_dataflow_names[dataflow] + " on " + std::to_string(rows) + " x " + std::to_string(cols) + ", seed " + std::to_string(seed));
  test::Error error;
  erg_arch arch;
  erg_technology technology;
  ASSERT_EQ(erg_arch_load("tiny", nullptr, 0, &arch, &error), ERG_OK);
  ASSERT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &technology, &error), ERG_OK);
  arch.rows = rows, arch.cols = cols, arch.accumulator_depth = depth, arch.mac = mac;
  erg_point point{};
  point.arch = &arch, point.technology = &technology, point.fusion = ERG_FUSION_EPILOGUE, point.batch = 1, point.seed = seed, point.dataflow = dataflow;
  ASSERT_EQ(erg_precision_parse(precision.c_str(), &point.precision, &error), ERG_OK) << error.message();
  erg_verify_options options{};
  options.quiet = true, options.cases = cases, options.only_case = -1;
  erg_verify_result result;
  erg_status status = erg_verify_random(&point, &options, &result, &error);
  EXPECT_EQ(status, ERG_OK) << error.message();
  EXPECT_EQ(result.mismatches, 0u);
  EXPECT_EQ(result.row_count, 5);
  for (int i = 0; i < result.row_count; i++) {
    const erg_verify_row &row = result.rows[i];
    EXPECT_STREQ(row.status, "ok") << row.name << ": " << row.reason;
    EXPECT_EQ(row.cycles_rtl, row.cycles_formula) << row.name;
    EXPECT_EQ(row.cycles_rtl, row.cycles_systemc) << row.name;
  }
  total.arrays++, total.outputs += result.checked_outputs, total.macs += result.macs_checked;
  erg_verify_result_free(&result);
  erg_technology_free(&technology);
  erg_arch_free(&arch);
}

inline std::string widths(int w, int a, int p, int o) {
  return "w" + std::to_string(w) + "a" + std::to_string(a) + "p" + std::to_string(p) + "o" + std::to_string(o);
}

inline void report(const Total &t) {
  std::printf("%llu arrays, %llu outputs, %llu MACs, 0 mismatches, cycles equal\n", static_cast<unsigned long long>(t.arrays),
              static_cast<unsigned long long>(t.outputs), static_cast<unsigned long long>(t.macs));
}

} // namespace width
