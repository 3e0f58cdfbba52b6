/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train_shared.h"

#define SCORE_BATCH 64

erg_status erg_train_forward(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                             const erg_weights *gradients, const erg_train_model *model, const double *inputs,
                             int count, bool training, int *output, erg_error *error) {
  if (model) return model->forward(model->context, tape, weights, gradients, inputs, count, training, output, error);
  return erg_network_forward(tape, graph, weights, gradients, inputs, count, training, NULL, output, error);
}

/* What a row of logits is worth: 1 where the label's is above all others, 1/n where n are equally high. */
static double worth(const double *logits, int classes, int label) {
  int equal = 0;
  for (int c = 0; c < classes; c++) {
    if (logits[c] > logits[label]) return 0;
    equal += logits[c] == logits[label];
  }
  return equal ? 1.0 / equal : 0; /* none: the label's logit is NaN */
}

erg_status erg_train_score(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                           const erg_train_model *model, const erg_dataset *data, int first, int count, erg_score *out,
                           erg_error *error) {
  int64_t each = erg_shape_elements(data->shape);
  double loss = 0, right = 0;
  for (int at = first; at < first + count; at += SCORE_BATCH) {
    int batch = first + count - at < SCORE_BATCH ? first + count - at : SCORE_BATCH, logits = -1;
    const int *labels = data->labels + (int64_t)at * data->labels_each;
    erg_tape_reset(tape);
    erg_status status =
        erg_train_forward(tape, graph, weights, NULL, model, data->inputs + at * each, batch, false, &logits, error);
    if (status != ERG_OK) return status;
    const erg_tape_attrs attrs = {.labels = labels};
    int entropy = erg_tape_apply(tape, erg_tape_op_find("cross_entropy"), &attrs, &logits, error);
    if (entropy < 0) return ERG_ERR_DATA;
    loss += erg_tape_value(tape, entropy)[0] * batch;
    const double *row = erg_tape_value(tape, logits);
    for (int i = 0; i < batch * data->labels_each; i++, row += data->classes)
      right += worth(row, data->classes, labels[i]);
  }
  *out = (erg_score){loss / count, right / ((double)count * data->labels_each)};
  return ERG_OK;
}
