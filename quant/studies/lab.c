/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab.h"
#include <string.h>

#define CALIBRATION_EXAMPLES 256

erg_status lab_open(const char *net, const char *data, uint64_t seed, lab *out, erg_error *error) {
  lab l = {.seed = seed};
  erg_status status = erg_graph_load(net, LAB_BATCH, NULL, 0, &l.graph, error);
  if (status == ERG_OK) status = erg_dataset_load(data, seed, ERG_SPLIT_TRAIN, 0, &l.train, error);
  if (status == ERG_OK) status = erg_dataset_load(data, seed, ERG_SPLIT_TEST, 0, &l.test, error);
  if (status == ERG_OK) {
    l.calibration = l.train; /* never freed by itself */
    if (l.calibration.count > CALIBRATION_EXAMPLES) l.calibration.count = CALIBRATION_EXAMPLES;
    *out = l;
  } else {
    lab_close(&l);
  }
  return status;
}

void lab_close(lab *l) {
  erg_dataset_free(&l->test);
  erg_dataset_free(&l->train);
  erg_graph_free(&l->graph);
  memset(l, 0, sizeof *l);
}

erg_status lab_node(const erg_graph *graph, const char *name, int *node, erg_error *error) {
  for (int id = 0; id < graph->node_count; id++)
    if (strcmp(graph->nodes[id].name, name) == 0) {
      *node = id;
      return ERG_OK;
    }
  return erg_fail(error, ERG_ERR_DATA, "%s has no node %s", graph->name, name);
}

erg_status lab_train(const lab *l, erg_train_options options, erg_weights *out, erg_error *error) {
  erg_train_result result = {0};
  erg_weights weights = {0};
  options.seed = l->seed;
  erg_status status = erg_weights_new(&l->graph, &weights, error);
  if (status != ERG_OK) return status;
  erg_weights_initialize(&weights, l->seed);
  status = erg_train(&l->graph, &l->train, NULL, &options, &weights, &result, error);
  erg_train_result_free(&result);
  if (status == ERG_OK)
    *out = weights;
  else
    erg_weights_free(&weights);
  return status;
}

erg_status lab_judge_calibrated(const lab *l, const erg_weights *weights, const erg_calibration *calibration,
                                const erg_quantize_options *options, const erg_dataset *data, erg_score *out,
                                erg_error *error) {
  erg_quantized quantized = {0};
  erg_evaluation evaluation = {0};
  erg_status status = erg_quantize(&l->graph, weights, calibration, options, &quantized, error);
  if (status == ERG_OK) status = erg_evaluate(&quantized, NULL, data, ERG_INTEGER_FAST, NULL, &evaluation, error);
  if (status == ERG_OK) *out = (erg_score){.loss = evaluation.loss, .accuracy = evaluation.accuracy};
  erg_evaluation_free(&evaluation);
  erg_quantized_free(&quantized);
  return status;
}

erg_status lab_judge(const lab *l, const erg_weights *weights, const erg_quantize_options *options,
                     const erg_dataset *data, erg_score *out, erg_error *error) {
  erg_calibration calibration = {0};
  erg_status status = erg_calibrate(&l->graph, weights, &l->calibration, &calibration, error);
  if (status == ERG_OK) status = lab_judge_calibrated(l, weights, &calibration, options, data, out, error);
  erg_calibration_free(&calibration);
  return status;
}

erg_status lab_judge_float(const lab *l, const erg_weights *weights, const erg_dataset *data, erg_score *out,
                           erg_error *error) {
  erg_evaluation evaluation = {0};
  erg_status status = erg_evaluate_float(&l->graph, weights, data, &evaluation, error);
  if (status == ERG_OK) *out = (erg_score){.loss = evaluation.loss, .accuracy = evaluation.accuracy};
  erg_evaluation_free(&evaluation);
  return status;
}
