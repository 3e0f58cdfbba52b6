/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One chip from end to end with nothing fitted: AlexNet's convolutions on an architecture like Eyeriss, Ergon's cycles,
 * off-chip bytes and joules beside the measured ones. */
#include "ergon/fit.h"
#include "ergon/sim.h"
#include "validate.h"
#include <math.h>
#include <string.h>

#define EYERISS "Y.-H. Chen et al., Eyeriss, JSSC 52(1) 2017, Table V (measured, 65 nm)"

typedef struct {
  erg_csv csv;
  erg_arch arch;
  erg_technology technology;
  erg_arena arena;
} chip;

static double cell(const chip *c, int row, const char *header, erg_error *error) {
  double value = NAN;
  int column = erg_csv_column(&c->csv, header);
  if (column < 0)
    erg_fail(error, ERG_ERR_DATA, "%s: no column %s", c->csv.file, header);
  else
    erg_csv_number(&c->csv, row, column, 0, &value, error);
  return value;
}

/* The layer of a row, one of its groups: the table's C is a group's, its H holds the padding. */
static const char *network(chip *c, int row, int groups, erg_error *error) {
  int h = (int)cell(c, row, "H", error), r = (int)cell(c, row, "R", error), e = (int)cell(c, row, "E", error);
  int channels = (int)cell(c, row, "C", error), filters = (int)cell(c, row, "M", error);
  if (error->status != ERG_OK) return NULL;
  int stride = e > 1 ? (h - r) / (e - 1) : 1, pad = stride == 1 ? (r - 1) / 2 : 0;
  return erg_arena_printf(&c->arena,
                          "name: layer\ninput: {height: %d, width: %d, channels: %d}\nnodes:\n"
                          "  - {name: conv, op: conv2d, K: %d, kernel: %d, stride: %d, pad: %d, bias: yes}\n"
                          "  - {name: relu, op: relu}\n",
                          h - 2 * pad, h - 2 * pad, channels, filters / groups, r, stride, pad);
}

static erg_status run_layer(chip *c, int row, int groups, erg_chip_layer *out, erg_error *error) {
  int batch = (int)cell(c, row, "batch", error);
  const char *text = network(c, row, groups, error);
  erg_graph graph;
  erg_result result;
  if (!text) return error->status;
  erg_status status = erg_graph_parse("layer.yaml", text, batch, NULL, 0, &graph, error);
  if (status != ERG_OK) return status;
  erg_point point = {.arch = &c->arch,
                     .technology = &c->technology,
                     .graph = &graph,
                     .fusion = ERG_FUSION_EPILOGUE,
                     .dataflow = ERG_DATAFLOW_WS,
                     .model = ERG_MODEL_ANALYTIC,
                     .batch = batch,
                     .seed = 1};
  status = erg_precision_parse("int16", &point.precision, error);
  if (status == ERG_OK) status = erg_run(&point, NULL, &result, error);
  if (status == ERG_OK && result.skipped) status = erg_fail(error, ERG_ERR_INTERNAL, "validate: %s", result.reason);
  if (status == ERG_OK) {
    snprintf(out->name, sizeof out->name, "%s", c->csv.cells[row][erg_csv_column(&c->csv, "name")]);
    double bits = 0;
    for (int t = 0; t < ERG_TENSOR_COUNT; t++)
      bits += (double)result.activity.read_bits[0][t] + (double)result.activity.write_bits[0][t];
    out->time_ms = groups * result.latency_s * 1e3;
    out->offchip_mb = groups * bits / 8e6;
    out->energy_mj = groups * (result.energy.total_pj - result.energy.level_pj[0]) * 1e-9;
    out->published_time_ms = cell(c, row, "time_ms", error);
    out->published_offchip_mb = cell(c, row, "dram_bytes", error) / 1e6;
    out->published_energy_mj = cell(c, row, "power_mw", error) * cell(c, row, "time_ms", error) * 1e-3;
    status = error->status;
    erg_result_free(&result);
  }
  erg_graph_free(&graph);
  return status;
}

/* Nothing is fitted, so the bound is what an absolute level without calibration can claim: a factor of two. */
static void add(erg_validation *v, const char *name, const char *claim, double ours, double theirs, bool recorded) {
  erg_check_add(v, (erg_check){name, claim, EYERISS, "ergon", false, ours / theirs, 0.5, 2, "x", NULL, recorded});
}

erg_status erg_validate_chip(erg_validation *v, erg_error *error) {
  static const int groups[ERG_CHIP_LAYERS] = {1, 2, 1, 2, 2}; /* of AlexNet's convolutions */
  const erg_override to_65nm[] = {{"scale_to_node_nm", "65"}, {"scale_to_voltage_v", "1.0"}};
  chip c = {0};
  erg_status status = erg_csv_load("eyeriss", &c.csv, error);
  if (status == ERG_OK) status = erg_arch_load("eyeriss", NULL, 0, &c.arch, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", to_65nm, 2, &c.technology, error);
  for (int i = 0; i < ERG_CHIP_LAYERS && status == ERG_OK; i++)
    status = run_layer(&c, i, groups[i], &v->chip[i], error);
  if (status == ERG_OK) {
    erg_chip_layer sum = {.name = "total"};
    for (int i = 0; i < ERG_CHIP_LAYERS; i++) {
      sum.time_ms += v->chip[i].time_ms, sum.published_time_ms += v->chip[i].published_time_ms;
      sum.offchip_mb += v->chip[i].offchip_mb, sum.published_offchip_mb += v->chip[i].published_offchip_mb;
      sum.energy_mj += v->chip[i].energy_mj, sum.published_energy_mj += v->chip[i].published_energy_mj;
    }
    add(v, "chip-time", "AlexNet's convolutions from end to end, arch eyeriss, nothing fitted: time over measured",
        sum.time_ms, sum.published_time_ms, true);
    add(v, "chip-offchip", "the same: off-chip bytes over measured (row-stationary and compressed there)",
        sum.offchip_mb, sum.published_offchip_mb, false);
    add(v, "chip-energy", "the same: energy without DRAM over measured (theirs has clock and leakage)", sum.energy_mj,
        sum.published_energy_mj, false);
    v->chip[ERG_CHIP_LAYERS] = sum;
  }
  erg_technology_free(&c.technology);
  erg_arch_free(&c.arch);
  erg_csv_free(&c.csv);
  erg_arena_free(&c.arena);
  return status;
}
