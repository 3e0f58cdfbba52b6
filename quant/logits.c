/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/confidence.h"
#include "examples.h"
#include "score.h"
#include <string.h>

erg_status erg_logits_float(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data, double *logits,
                            erg_error *error) {
  erg_examples examples;
  erg_float_run *run = NULL;
  int node;
  erg_status status = erg_examples_open(graph, data, &examples, error);
  if (status == ERG_OK) status = erg_score_check(graph, data, &node, error);
  if (status == ERG_OK) status = erg_float_open(graph, weights, &run, error);
  int64_t each = (int64_t)data->labels_each * data->classes;
  while (status == ERG_OK && erg_examples_next(&examples)) {
    erg_float_forward(run, examples.input);
    memcpy(logits + examples.first * each, erg_float_tensor(run, node),
           sizeof *logits * (size_t)(examples.count * each));
  }
  erg_float_close(run);
  erg_examples_close(&examples);
  return status;
}

erg_status erg_logits_integer(const erg_quantized *quantized, const erg_dataset *data, erg_integer_model model,
                              const erg_integer_machine *machine, double *logits, erg_error *error) {
  erg_examples examples;
  erg_integer_run *run = NULL;
  int node;
  erg_status status = erg_examples_open(quantized->graph, data, &examples, error);
  if (status == ERG_OK) status = erg_score_check(quantized->graph, data, &node, error);
  if (status == ERG_OK) status = erg_integer_open(quantized, model, machine, &run, error);
  int64_t each = (int64_t)data->labels_each * data->classes;
  while (status == ERG_OK && erg_examples_next(&examples)) {
    status = erg_integer_forward(run, examples.input, error);
    if (status != ERG_OK) break;
    const int16_t *codes = erg_integer_tensor(run, node);
    for (int64_t i = 0; i < examples.count * each; i++)
      logits[examples.first * each + i] = erg_grid_real(quantized->grids[node], codes[i]);
  }
  erg_integer_close(run);
  erg_examples_close(&examples);
  return status;
}
