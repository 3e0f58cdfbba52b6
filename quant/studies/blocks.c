/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which block a network team should use on an array: norms, gates, dense or depthwise at equal MACs, each trained on
 * the same task; what each costs on a machine whose scratchpads hold rows of a map and on one that holds everything. */
#include "blocks.h"
#include "lab.h"
#include <math.h>

static const char *const norms[] = {NULL, "batch_norm", "instance_norm", "rms_norm"};
/* A gate's row, the operator it is trained with, and the circuit it runs in (NULL: the exact table). */
static const struct {
  const char *name, *op, *form;
} gates[] = {{"none", NULL, NULL},
             {"table", "sigmoid", NULL},
             {"shift", "sigmoid", "shift"},
             {"hard dropped in", "sigmoid", "hard"},
             {"hard", "hard_sigmoid", NULL}};
static const int widths[] = {8, 4};

/* ---- machines ---- */

/* Edge with scratchpads for maps that are a part or a multiple of the network's largest map, in whole banks of one
 * size, so that a bit costs the same everywhere. */
static const struct {
  const char *name;
  double share;
} machines[] = {{BLOCKS_SMALL, 2.0 / 3}, {BLOCKS_UNLIMITED, 1000}};
#define BANK_BYTES 256

static int64_t largest_map_bytes(const erg_graph *graph) {
  int64_t most = 0;
  for (int id = 0; id < graph->node_count; id++)
    if (erg_shape_elements(graph->nodes[id].out) > most) most = erg_shape_elements(graph->nodes[id].out);
  return most; /* codes of 8 bits */
}

static const char *text_or_none(const char *text) {
  return text ? text : "none";
}

static erg_status price(const block_kind *kind, const char *gate, size_t machine, erg_study_result *out,
                        erg_error *error) {
  erg_point point = {.fusion = ERG_FUSION_DEPTH, .batch = 1, .seed = 1, .totals_only = true};
  erg_arch arch = {0};
  erg_technology technology = {0};
  erg_graph graph = {0};
  erg_result result = {0};
  erg_status status = block_net_load(kind, 1, &graph, error);
  if (status == ERG_OK) status = erg_arch_load("edge", NULL, 0, &arch, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", NULL, 0, &technology, error);
  if (status == ERG_OK) status = erg_precision_parse("int8", &point.precision, error);
  static const erg_tensor maps[] = {ERG_TENSOR_INPUT, ERG_TENSOR_OUTPUT};
  for (size_t i = 0; i < ERG_COUNT_OF(maps) && status == ERG_OK; i++) {
    erg_level *level = &arch.levels[erg_arch_scratchpad(&arch, maps[i])];
    level->banks = (int64_t)ceil(machines[machine].share * (double)largest_map_bytes(&graph) / BANK_BYTES);
    level->capacity_kib = (double)(level->banks * BANK_BYTES) / 1024;
  }
  point.arch = &arch, point.technology = &technology, point.graph = &graph;
  if (status == ERG_OK) status = erg_run(&point, NULL, &result, error);
  if (status == ERG_OK && result.skipped)
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s", graph.name, result.reason);
  if (status == ERG_OK) {
    double values[BLOCKS_NUMBERS] = {[BLOCKS_ACCURACY] = NAN,
                                     [BLOCKS_LOSS] = NAN,
                                     [BLOCKS_SQNR] = NAN,
                                     [BLOCKS_ENERGY] = result.energy.total_pj,
                                     [BLOCKS_CYCLES] = (double)result.activity.cycles,
                                     [BLOCKS_DRAM] = (double)erg_activity_level_bits(&result.activity, 0) / 8,
                                     [BLOCKS_PASSES] = result.plan.pass_count,
                                     [BLOCKS_MACS] = (double)result.macs};
    const char *texts[] = {kind->depthwise ? "depthwise" : "dense", text_or_none(kind->norm), gate,
                           machines[machine].name, NULL};
    status = erg_study_add(out, out->first_seed, texts, values, error);
  }
  erg_result_free(&result);
  erg_technology_free(&technology);
  erg_arch_free(&arch);
  erg_graph_free(&graph);
  return status;
}

/* ---- accuracy ---- */

static erg_status add(erg_study_result *out, uint64_t seed, const block_kind *kind, const char *gate, const char *arm,
                      const erg_evaluation *e, double sqnr_db, erg_error *error) {
  const char *texts[] = {kind->depthwise ? "depthwise" : "dense", text_or_none(kind->norm), gate, arm, NULL};
  const double values[BLOCKS_NUMBERS] = {e->accuracy, e->loss, sqnr_db, NAN, NAN, NAN, NAN, NAN};
  return erg_study_add(out, seed, texts, values, error);
}

static erg_status judge_width(const lab *l, const erg_weights *weights, const erg_calibration *calibration,
                              const block_kind *kind, size_t gate, int bits, erg_study_result *out, erg_error *error) {
  erg_quantize_options options = {.calibration = ERG_CALIBRATE_MSE, .gate_form = gates[gate].form};
  erg_quantized quantized = {0};
  erg_evaluation e = {0};
  char arm[8], precision[16];
  snprintf(arm, sizeof arm, "int%d", bits);
  snprintf(precision, sizeof precision, "w%da%d", bits, bits);
  erg_status status = erg_precision_parse(precision, &options.precision, error);
  if (status == ERG_OK) status = erg_quantize(&l->graph, weights, calibration, &options, &quantized, error);
  if (status == ERG_OK) status = erg_evaluate(&quantized, weights, &l->test, ERG_INTEGER_FAST, NULL, &e, error);
  if (status == ERG_OK)
    status = add(out, l->seed, kind, gates[gate].name, arm, &e, e.sqnr_db[l->graph.node_count - 1], error);
  erg_evaluation_free(&e);
  erg_quantized_free(&quantized);
  return status;
}

/* One training, and every row of gates that it serves. */
static erg_status run_net(lab *l, const block_kind *kind, erg_study_result *out, erg_error *error) {
  erg_train_options training = {.epochs = 6, .batch = 32, .learning_rate = 5e-3, .optimizer = "adam"};
  erg_weights weights = {0};
  erg_calibration calibration = {0};
  erg_evaluation real = {0};
  if (out->brief) training.epochs = 1, l->train.count = l->test.count = 100;
  erg_status status = block_net_load(kind, LAB_BATCH, &l->graph, error);
  if (status == ERG_OK) status = lab_train(l, training, &weights, error);
  if (status == ERG_OK) status = erg_evaluate_float(&l->graph, &weights, &l->test, &real, error);
  if (status == ERG_OK) status = erg_calibrate(&l->graph, &weights, &l->calibration, &calibration, error);
  for (size_t g = 0; g < ERG_COUNT_OF(gates) && status == ERG_OK; g++) {
    if (kind->gate != gates[g].op) continue;
    status = add(out, l->seed, kind, gates[g].name, "float", &real, NAN, error);
    for (size_t w = 0; w < ERG_COUNT_OF(widths) && status == ERG_OK; w++)
      status = judge_width(l, &weights, &calibration, kind, g, widths[w], out, error);
    for (size_t m = 0; m < ERG_COUNT_OF(machines) && l->seed == out->first_seed && status == ERG_OK; m++)
      status = price(kind, gates[g].name, m, out, error);
  }
  erg_evaluation_free(&real);
  erg_calibration_free(&calibration);
  erg_weights_free(&weights);
  erg_graph_free(&l->graph);
  return status;
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  static const size_t trained[] = {0, 1, 4}; /* the gates that have operators of their own */
  lab l;
  erg_status status = lab_open("shapes-cnn", "shapes", seed, &l, error);
  if (status == ERG_OK) erg_graph_free(&l.graph);
  for (int depthwise = 0; depthwise < 2; depthwise++)
    for (size_t n = 0; n < ERG_COUNT_OF(norms); n++)
      for (size_t g = 0; g < ERG_COUNT_OF(trained) && status == ERG_OK; g++) {
        const block_kind kind = {depthwise, norms[n], gates[trained[g]].op};
        status = run_net(&l, &kind, out, error);
      }
  lab_close(&l);
  return status;
}

static const char *const texts[] = {"conv", "norm", "gate", "arm", NULL};
static const char *const numbers[] = {"accuracy",   "loss_nat", "sqnr_db", "energy_pj", "cycles",
                                      "dram_bytes", "passes",   "macs",    NULL};
static const erg_study blocks = {"blocks", "Which block suits an array: norms, gates, dense or depthwise at equal MACs",
                                 10,       {texts, numbers},
                                 run_seed, blocks_judge,
                                 NULL};
ERG_REGISTER(erg_study, blocks);
