// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "ergon/sweep.h"
#include "support.hpp"

namespace sweep {

struct Sweep : erg_sweep {
  test::Error error;
  erg_status status;
  explicit Sweep(const std::string &text) : erg_sweep{} { status = erg_sweep_parse("t.yaml", text.c_str(), this, &error); }
  ~Sweep() {
    if (status == ERG_OK) erg_sweep_free(this);
  }
};

// A thousand and more points in a second.
inline std::string small(int more = 1) {
  std::string values;
  for (int i = 0; i < more; i++) values += (i ? ", \"" : "\"") + std::to_string(8 + i) + "\"";
  return "name: small\nworkloads: [hand-worked]\narchs: [tiny]\nwidths: {weight: [2, 4, 8], activation: [2, 3, 8]}\n"
         "precisions: [fp32, fp8e4m3]\nfusions: [none, epilogue]\ndataflows: [ws, os]\naxes:\n"
         "  - set: [arch.levels.0.bandwidth_bits_per_cycle]\n    values: [" +
         values + "]\n";
}

inline erg_status to_csv(void *out, const erg_sweep_row *row, erg_error *) {
  char cell[16384];
  auto &text = *static_cast<std::string *>(out);
  text += row->key;
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT; c++) text += std::string(";") + erg_cell_text(row, c, cell, sizeof cell);
  text += "\n";
  return ERG_OK;
}

// Every row of a store with every column, in the order of the points.
inline std::string dump(const std::string &path) {
  test::Error error;
  erg_store *store = nullptr;
  EXPECT_EQ(erg_store_open(path.c_str(), false, &store, &error), ERG_OK) << error.message();
  if (!store) return "";
  erg_store_query query{};
  std::string text;
  EXPECT_EQ(erg_store_each(store, &query, to_csv, &text, &error), ERG_OK) << error.message();
  erg_store_close(store);
  return text;
}

} // namespace sweep
