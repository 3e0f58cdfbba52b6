/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks on counts and constants of this program. */
#include "ergon/sim.h"
#include "validate.h"
#include <math.h>

#define BITFUSION "H. Sharma et al., Bit Fusion, ISCA 2018, artefact (synthesis, 45 nm)"

static erg_status mac_pj(const erg_technology *t, const char *precision, double *pj, erg_error *error) {
  erg_precision p;
  erg_status status = erg_precision_parse(precision, &p, error);
  return status == ERG_OK ? erg_technology_op_pj(t, ERG_OP_MAC, &p, pj, NULL, NULL, error) : status;
}

/* The law through the four synthesised PEs, and the multiplier's b^2 law on the same points. */
static erg_status check_width_law(erg_validation *v, erg_error *error) {
  static const char *const names[] = {"int2", "int4", "int8", "int16"};
  erg_technology t;
  double worst = 0, worst_square = 0, xx = 0, xy = 0, pj[4] = {0};
  erg_status status = erg_technology_load("bitfusion-45nm", NULL, 0, &t, error);
  if (status != ERG_OK) return status;
  for (int i = 0; i < 4 && status == ERG_OK; i++) {
    double b = 2 << i;
    status = mac_pj(&t, names[i], &pj[i], error);
    double law = (t.width_law.c2_fj * b * b + t.width_law.c1_fj * b + t.width_law.c0_fj) * 1e-3;
    worst = fmax(worst, fabs(law / pj[i] - 1));
    xx += pow(b * b / pj[i], 2);
    xy += b * b / pj[i];
  }
  for (int i = 0; i < 4; i++) worst_square = fmax(worst_square, fabs(xy / xx * pow(2 << i, 2) / pj[i] - 1));
  erg_technology_free(&t);
  erg_check_add(v, (erg_check){"width-law", "c2 b^2 + c1 b + c0 at 2, 4, 8, 16 bits: worst (3 coefficients, 4 points)",
                               BITFUSION, "ergon", true, 100 * worst, 0, 2, "%", NULL, true});
  erg_check_add(v, (erg_check){"square-law-rejected", "c b^2 alone on the same points: worst", BITFUSION, "ergon", true,
                               100 * worst_square, 50, INFINITY, "%", NULL, true});
  return status;
}

typedef struct {
  erg_arch arch;
  erg_technology technology;
  erg_graph graph;
} inputs;

static erg_status run(const inputs *in, const char *precision, erg_result *out, erg_error *error) {
  erg_point point = {.arch = &in->arch,
                     .technology = &in->technology,
                     .graph = &in->graph,
                     .fusion = ERG_FUSION_EPILOGUE,
                     .dataflow = ERG_DATAFLOW_WS,
                     .model = ERG_MODEL_ANALYTIC,
                     .batch = 1,
                     .seed = 1};
  erg_status status = erg_precision_parse(precision, &point.precision, error);
  if (status == ERG_OK) status = erg_run(&point, NULL, out, error);
  if (status == ERG_OK && out->skipped) {
    erg_fail(error, ERG_ERR_INTERNAL, "validate: %s: %s", precision, out->reason);
    status = ERG_ERR_INTERNAL;
    erg_result_free(out);
  }
  return status;
}

static void check_runs(erg_validation *v, const erg_result *fp32, const erg_result *int8, const erg_result *int4) {
  double least = INFINITY, most = 0;
  for (int i = 0; i < fp32->layer_count; i++)
    for (int j = 0; j < int8->layer_count; j++) {
      if (fp32->layers[i].activity.ops[ERG_OP_MAC] == 0 ||
          fp32->layers[i].pass->nodes[0] != int8->layers[j].pass->nodes[0])
        continue;
      double ratio = fp32->layers[i].energy.total_pj / int8->layers[j].energy.total_pj;
      least = fmin(least, ratio);
      most = fmax(most, ratio);
    }
  erg_check_add(v,
                (erg_check){"layers-least-saving", "ResNet-18, fp32 over int8: the layer that saves least",
                            "bounds: 1 and 16 (Qualcomm: up to 16x)", "ergon", false, least, 1, 16, "x", NULL, true});
  erg_check_add(v, (erg_check){"layers-most-saving", "ResNet-18, fp32 over int8: the layer that saves most",
                               "bounds: 1 and 16 (Qualcomm: up to 16x)", "ergon", false, most, 1, 16, "x", NULL, true});
  erg_check_add(v, (erg_check){"memory-bound", "ResNet-18, fp32 over int8: off-chip energy (4x by width; tiles differ)",
                               "element width", "ergon", false, fp32->energy.level_pj[0] / int8->energy.level_pj[0],
                               3.5, 4.5, "x", NULL, true});
  erg_check_add(v, (erg_check){"int4-saving", "ResNet-18, int8 to int4: energy saved by the whole accelerator",
                               "S. Dai et al., VS-Quant, MLSys 2021: 24 % (another accelerator)", "ergon", false,
                               100 * (1 - int4->energy.total_pj / int8->energy.total_pj), 15, 45, "%", NULL, true});
}

static erg_status check_network(erg_validation *v, erg_error *error) {
  inputs in = {0};
  erg_result fp32, int8, int4;
  double wide, narrow;
  erg_status status = erg_arch_load("edge", NULL, 0, &in.arch, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", NULL, 0, &in.technology, error);
  if (status == ERG_OK) status = erg_graph_load("resnet18", 1, NULL, 0, &in.graph, error);
  if (status == ERG_OK) status = mac_pj(&in.technology, "fp32", &wide, error);
  if (status == ERG_OK) status = mac_pj(&in.technology, "int8", &narrow, error);
  if (status == ERG_OK) {
    erg_check_add(v, (erg_check){"compute-bound", "fp32 over int8 MAC (4.6 / 0.3 pJ)", "M. Horowitz, ISSCC 2014",
                                 "ergon", false, wide / narrow, 15.33, 15.34, "x", NULL, true});
    status = run(&in, "fp32", &fp32, error);
  }
  if (status == ERG_OK) {
    status = run(&in, "int8", &int8, error);
    if (status == ERG_OK) {
      status = run(&in, "int4", &int4, error);
      if (status == ERG_OK) {
        check_runs(v, &fp32, &int8, &int4);
        erg_result_free(&int4);
      }
      erg_result_free(&int8);
    }
    erg_result_free(&fp32);
  }
  erg_graph_free(&in.graph);
  erg_technology_free(&in.technology);
  erg_arch_free(&in.arch);
  return status;
}

/* EIE: a PE reads 4-bit weights with 4-bit indices from 128 KiB, and multiplies in 16 bits. Clock left out on both
 * sides. */
static erg_status check_eie(const erg_technology *t, erg_validation *v, erg_error *error) {
  double memory, registers, logic, bit, flop, mac;
  erg_status status = erg_published("eie_memory_mw", &memory, error);
  if (status == ERG_OK) status = erg_published("eie_register_mw", &registers, error);
  if (status == ERG_OK) status = erg_published("eie_logic_mw", &logic, error);
  if (status == ERG_OK) status = mac_pj(t, "int16", &mac, error);
  if (status == ERG_OK) status = erg_technology_bit_pj(t, ERG_MEMORY_SRAM, 131072, &bit, NULL, error);
  if (status == ERG_OK) status = erg_technology_bit_pj(t, ERG_MEMORY_REGISTER, 0, &flop, NULL, error);
  if (status != ERG_OK) return status;
  double ours = 8 * bit / (8 * bit + mac + (16 + 48) * flop);
  double theirs = memory / (memory + registers + logic);
  erg_check_add(v, (erg_check){"eie-memory-share",
                               "fully connected at 4-bit weights: memory's share, ours less theirs, "
                               "without the clock",
                               "S. Han et al., EIE, ISCA 2016 (layout, 45 nm)", "ergon", false, 100 * (ours - theirs),
                               -15, 15, "points", NULL, true});
  return ERG_OK;
}

/* No calibration: constants of 45 nm scaled to 65 nm, 1.0 V; a MAC and four 16-bit accesses of a 448 B scratchpad. */
static erg_status check_bottom_up(erg_validation *v, erg_error *error) {
  const erg_override to_65nm[] = {{"scale_to_node_nm", "65"}, {"scale_to_voltage_v", "1.0"}};
  erg_technology t;
  double mac, bit;
  erg_status status = erg_technology_load("horowitz-45nm", to_65nm, 2, &t, error);
  if (status != ERG_OK) return status;
  status = mac_pj(&t, "int16", &mac, error);
  if (status == ERG_OK) status = erg_technology_bit_pj(&t, ERG_MEMORY_SRAM, 448, &bit, NULL, error);
  erg_technology_free(&t);
  if (status == ERG_OK)
    erg_check_add(v, (erg_check){"eyeriss-bottom-up",
                                 "constants scaled 45 to 65 nm, nothing fitted: a MAC with its four "
                                 "accesses over the fitted one",
                                 "Horowitz 2014, Stillmaker and Baas 2017, Eyeriss 2017", "ergon", false,
                                 (mac + 4 * 16 * bit) / v->eyeriss_a_pj, 0.5, 2, "x", NULL, true});
  return status;
}

erg_status erg_validate_model(erg_validation *v, erg_error *error) {
  erg_technology t;
  erg_status status = check_width_law(v, error);
  if (status == ERG_OK) status = check_network(v, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", NULL, 0, &t, error);
  if (status != ERG_OK) return status;
  status = check_eie(&t, v, error);
  erg_technology_free(&t);
  if (status == ERG_OK) status = check_bottom_up(v, error);
  return status;
}
