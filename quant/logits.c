/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logits are the features of a network's last node. */
#include "ergon/confidence.h"
#include "ergon/retrieval.h"

erg_status erg_logits_float(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data, double *logits,
                            erg_error *error) {
  const int last = graph->node_count - 1;
  erg_status status = erg_data_fits(graph, data, error);
  return status == ERG_OK ? erg_features_float(graph, weights, data, &last, 1, &logits, error) : status;
}

erg_status erg_logits_integer(const erg_quantized *quantized, const erg_dataset *data, erg_integer_model model,
                              const erg_integer_machine *machine, double *logits, erg_error *error) {
  const int last = quantized->graph->node_count - 1;
  erg_status status = erg_data_fits(quantized->graph, data, error);
  return status == ERG_OK ? erg_features_integer(quantized, data, model, machine, &last, 1, &logits, error) : status;
}
