// SPDX-License-Identifier: GPL-3.0-or-later
// Documents to draw, and what was drawn, read back.
#pragma once
#include "ergon/plots.h"
#include "support.hpp"
#include <cmath>

namespace plots {

struct Drawn {
  test::Folder folder;
  test::Error error;
  erg_status status;
  std::string name;
  Drawn(const std::string &name, json_t *json) : name(name) {
    status = erg_plot_draw(name.c_str(), json, folder.path.c_str(), nullptr, &error);
    json_decref(json);
  }
  std::string file(const std::string &ending) const { return test::read_file(folder / (name + "." + ending)); }
};

struct Block {
  std::string title; // of the comment before it
  std::vector<std::vector<std::string>> lines;
};

// The .dat as gnuplot reads it: blocks apart by two empty lines, columns by blanks, quotes kept together.
inline std::vector<Block> blocks(const std::string &text) {
  std::vector<Block> out(1);
  std::istringstream stream(text);
  int empty = 0;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty()) {
      if (++empty == 2) out.emplace_back();
      continue;
    }
    empty = 0;
    if (line[0] == '#') {
      out.back().title += line.substr(2);
      continue;
    }
    std::vector<std::string> columns;
    bool quoted = false, fresh = true;
    for (char c : line) {
      if (c == '"') quoted = !quoted, fresh = fresh && (columns.emplace_back(), false);
      else if (c == ' ' && !quoted) fresh = true;
      else {
        if (fresh) columns.emplace_back();
        fresh = false;
        columns.back() += c;
      }
    }
    out.back().lines.push_back(columns);
  }
  return out;
}

struct Row {
  std::string workload = "net", precision = "int8", format = "int", fusion = "epilogue", technology = "horowitz-45nm";
  double weight_bits = 8, activation_bits = 8, rows = 16, cols = 16, macs = 4e9, latency_s = 0.03, energy_pj = 1.6e10;
  double mac_pj = 1e9, partial_sums_pj = 3e9, dram_bytes = 5e7, peak_macs_per_s = 1.28e11, dram_bytes_per_s = 8e9;
  std::string status = "ok";
};

inline json_t *row_json(const Row &r) {
  json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:i, s:f, s:f}", "key", "0a",
                          "status", r.status.c_str(), "workload", r.workload.c_str(), "arch", "edge", "technology",
                          r.technology.c_str(), "precision", r.precision.c_str(), "format", r.format.c_str(), "fusion",
                          r.fusion.c_str(), "dataflow", "ws", "model", "analytic", "mac", "native", "weight_bits",
                          r.weight_bits, "activation_bits", r.activation_bits, "batch", 1, "rows", r.rows, "cols", r.cols);
  const bool ok = r.status == "ok";
  json_object_set_new(row, "reason", ok ? json_null() : json_string("no constant for it"));
  const std::pair<const char *, double> numbers[] = {{"macs", r.macs},
                                                     {"latency_s", r.latency_s},
                                                     {"energy_pj", r.energy_pj},
                                                     {"edp_pj_s", r.energy_pj * r.latency_s},
                                                     {"mac_pj", r.mac_pj},
                                                     {"partial_sums_pj", r.partial_sums_pj},
                                                     {"dram_bytes", r.dram_bytes},
                                                     {"peak_macs_per_s", r.peak_macs_per_s},
                                                     {"dram_bytes_per_s", r.dram_bytes_per_s}};
  for (const auto &[key, value] : numbers) json_object_set_new(row, key, ok ? json_real(value) : json_null());
  return row;
}

inline json_t *sweep(const std::vector<Row> &rows) {
  json_t *list = json_array();
  for (const Row &r : rows) json_array_append_new(list, row_json(r));
  return json_pack("{s:s, s:i, s:{s:s, s:s, s:i}, s:s, s:o}", "schema", "ergon.sweep", "version", 1, "provenance",
                   "ergon_version", "0.1.0", "commit", "abc", "model_version", 2, "name", "bitwidths", "rows", list);
}

// Rows as a sweep gives them: several precisions, fusions and arrays, energies and latencies from a coarse grid, so that
// equal points and points equal in one of the two come up.
inline std::vector<Row> random_rows(int count, uint64_t seed, int workloads = 1) {
  test::Random random(seed);
  struct Precision { const char *name, *format; double w, a; };
  const Precision precisions[] = {{"fp32", "fp32", 32, 32}, {"bf16", "bf16", 16, 16}, {"int16", "int", 16, 16},
                                  {"int8", "int", 8, 8},    {"w4a8", "int", 4, 8},    {"int4", "int", 4, 4},
                                  {"int2", "int", 2, 2}};
  std::vector<Row> rows;
  for (int i = 0; i < count; i++) {
    const Precision &p = precisions[random.range(0, 6)];
    Row r;
    r.workload = "net" + std::to_string(i % workloads);
    r.precision = p.name, r.format = p.format, r.weight_bits = p.w, r.activation_bits = p.a;
    r.fusion = random.coin() ? "none" : "epilogue";
    r.rows = r.cols = 8 << random.range(0, 3);
    r.latency_s = 0.001 * random.range(5, 60);
    r.energy_pj = 1e8 * (p.w + p.a) * random.range(5, 30);
    r.mac_pj = r.energy_pj * 0.1, r.partial_sums_pj = r.energy_pj * 0.2;
    r.dram_bytes = 1e6 * random.range(400, 900);
    r.macs = 1e8 * random.range(1, 9);
    r.peak_macs_per_s = r.rows * r.cols * 5e8;
    rows.push_back(r);
  }
  return rows;
}

} // namespace plots
