/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "score.h"
#include <math.h>

erg_status erg_score_check(const erg_graph *graph, const erg_dataset *data, int *node, erg_error *error) {
  *node = graph->node_count - 1;
  erg_shape out = graph->nodes[*node].out;
  if (data->classes < 1 || !data->labels)
    return erg_fail(error, ERG_ERR_DATA, "data %s: no labels", data->name ? data->name : "");
  if (out.c != data->classes || (int64_t)out.h * out.w != data->labels_each)
    return erg_fail(error, ERG_ERR_DATA,
                    "%s ends in %s, [%d, %d, %d]; data %s has %d labels an example of %d classes: the last node must "
                    "hold a logit a class, a label a position",
                    graph->name, graph->nodes[*node].name, out.h, out.w, out.c, data->name ? data->name : "",
                    data->labels_each, data->classes);
  return ERG_OK;
}

void erg_score_add(const double *logits, int classes, int label, erg_evaluation *sums) {
  double most = -INFINITY, total = 0;
  int count = 0;
  for (int k = 0; k < classes; k++) most = fmax(most, logits[k]);
  for (int k = 0; k < classes; k++) {
    count += logits[k] == most;
    total += exp(logits[k] - most);
  }
  sums->accuracy += logits[label] == most ? 1.0 / count : 0;
  sums->loss += log(total) + most - logits[label];
  sums->tied += count > 1;
  sums->labels++;
}

void erg_score_end(erg_evaluation *sums) {
  sums->accuracy /= (double)sums->labels;
  sums->loss /= (double)sums->labels;
}
