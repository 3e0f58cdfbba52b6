/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The published saving of fusing five convolutions, against this program's own counts. fp32 maps, weights left out, a
 * machine whose scratchpads hold any map, so that nothing but the fusion decides what moves. */
#include "ergon/sim.h"
#include "validate.h"
#include <string.h>

#define ALWANI "M. Alwani et al., Fused-Layer CNN Accelerators, MICRO 2016"
#define CONV(name, k) "  - {name: " name ", op: conv2d, K: " k ", kernel: 3, pad: 1, bias: yes}\n"
#define POOL(name) "  - {name: " name ", op: max_pool, kernel: 2, stride: 2}\n"
#define LEVEL(name, holds) "  - {name: " name ", kind: sram, capacity_kib: 65536, banks: 64, holds: [" holds "]}\n"

static const char network[] = "name: vggnet-e-five\ninput: {height: 224, width: 224, channels: 3}\nnodes:\n" /* */
    CONV("conv1_1", "64") CONV("conv1_2", "64") POOL("pool1") CONV("conv2_1", "128") CONV("conv2_2", "128")
        POOL("pool2") CONV("conv3_1", "256");
static const char machine[] =
    "name: roomy\nrows: 16\ncols: 16\nclock_mhz: 500\nmac: native\naccumulator_depth: 65536\naccumulator_banks: 4\n"
    "levels:\n  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 128, latency_cycles: 50}\n" LEVEL(
        "inputs", "input, residual") LEVEL("weights", "weight, constant") LEVEL("outputs", "output");

/* Off-chip bytes of maps. The paper's consumer of a pooled map reads the map before the pool and pools on the way,
 * where a pool here is a pass: `pooled` is what these write and the next pass reads again. */
static void maps_of(const erg_result *r, double *maps_mib, double *pooled_mib) {
  *maps_mib = *pooled_mib = 0;
  for (int i = 0; i < r->layer_count; i++) {
    const erg_activity *a = &r->layers[i].activity;
    double written = (double)a->write_bits[0][ERG_TENSOR_OUTPUT] / 8 / (1 << 20);
    *maps_mib += (double)a->read_bits[0][ERG_TENSOR_INPUT] / 8 / (1 << 20) + written;
    if (strcmp(r->layers[i].pass->kind_name, "max_pool") == 0) *pooled_mib += 2 * written;
  }
}

static erg_status run(erg_point *point, erg_fusion fusion, double *maps_mib, double *pooled_mib, erg_error *error) {
  erg_result result;
  point->fusion = fusion;
  erg_status status = erg_run(point, NULL, &result, error);
  if (status != ERG_OK) return status;
  if (result.skipped) status = erg_fail(error, ERG_ERR_INTERNAL, "validate: fused convolutions: %s", result.reason);
  maps_of(&result, maps_mib, pooled_mib);
  erg_result_free(&result);
  return status;
}

erg_status erg_validate_fusion(erg_validation *v, erg_error *error) {
  erg_arch arch = {0};
  erg_graph graph = {0};
  erg_technology technology = {0};
  erg_point point = {.arch = &arch, .technology = &technology, .graph = &graph, .batch = 1, .seed = 1};
  double apart = 0, pooled = 0, chained = 0, none;
  erg_status status = erg_arch_parse("roomy.yaml", machine, NULL, 0, &arch, error);
  if (status == ERG_OK) status = erg_graph_parse("vggnet-e-five.yaml", network, 1, NULL, 0, &graph, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", NULL, 0, &technology, error);
  if (status == ERG_OK) status = erg_precision_parse("fp32", &point.precision, error);
  if (status == ERG_OK) status = run(&point, ERG_FUSION_EPILOGUE, &apart, &pooled, error);
  if (status == ERG_OK) status = run(&point, ERG_FUSION_DEPTH, &chained, &none, error);
  if (status == ERG_OK) {
    apart -= pooled;
    erg_check_add(v, (erg_check){"fusion-apart",
                                 "first five convolutions of VGGNet-E, maps of layers run one by one: 77.14 MiB",
                                 ALWANI, "ergon", false, apart, 77.1, 77.2, "MiB", NULL, true});
    erg_check_add(v, (erg_check){"fusion-traffic", "the same as one chain (`depth`): 3.64 MiB", ALWANI, "ergon", false,
                                 chained, 3.6, 3.7, "MiB", NULL, true});
    erg_check_add(v, (erg_check){"fusion-saving", "the same: bytes of maps saved (95 % in the paper)", ALWANI, "ergon",
                                 false, 100 * (1 - chained / apart), 94.5, 95.5, "%", NULL, true});
  }
  erg_technology_free(&technology);
  erg_graph_free(&graph);
  erg_arch_free(&arch);
  return status;
}
