/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/retrieval.h"
#include "examples.h"
#include <string.h>

static int64_t elements_each(const erg_graph *graph, int node) {
  return erg_shape_elements(graph->nodes[node].out) / graph->nodes[node].out.n;
}

erg_status erg_features_float(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data,
                              const int *nodes, int node_count, double *const *to, erg_error *error) {
  erg_examples examples;
  erg_float_run *run = NULL;
  erg_status status = erg_examples_open(graph, data, &examples, error);
  if (status == ERG_OK) status = erg_float_open(graph, weights, &run, error);
  while (status == ERG_OK && erg_examples_next(&examples)) {
    erg_float_forward(run, examples.input);
    for (int i = 0; i < node_count; i++) {
      const int64_t each = elements_each(graph, nodes[i]);
      memcpy(to[i] + examples.first * each, erg_float_tensor(run, nodes[i]),
             sizeof(double) * (size_t)(examples.count * each));
    }
  }
  erg_float_close(run);
  erg_examples_close(&examples);
  return status;
}

erg_status erg_features_integer(const erg_quantized *quantized, const erg_dataset *data, erg_integer_model model,
                                const erg_integer_machine *machine, const int *nodes, int node_count, double *const *to,
                                erg_error *error) {
  erg_examples examples;
  erg_integer_run *run = NULL;
  erg_status status = erg_examples_open(quantized->graph, data, &examples, error);
  for (int i = 0; i < node_count && status == ERG_OK; i++)
    if (!quantized->stored[nodes[i]])
      status = erg_fail(error, ERG_ERR_DATA, "node %s: not stored, it is fused into another",
                        quantized->graph->nodes[nodes[i]].name);
  if (status == ERG_OK) status = erg_integer_open(quantized, model, machine, &run, error);
  while (status == ERG_OK && erg_examples_next(&examples)) {
    status = erg_integer_forward(run, examples.input, error);
    for (int i = 0; i < node_count && status == ERG_OK; i++) {
      const int64_t each = elements_each(quantized->graph, nodes[i]);
      const int16_t *codes = erg_integer_tensor(run, nodes[i]);
      for (int64_t k = 0; k < examples.count * each; k++)
        to[i][examples.first * each + k] = erg_grid_real(quantized->grids[nodes[i]], codes[k]);
    }
  }
  erg_integer_close(run);
  erg_examples_close(&examples);
  return status;
}
