/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensitivity.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const estimator_names[] = {"quad", "fisher", "norm", "scan"};

erg_quantize_options options_of(const prices *p, const int *option, erg_precision *layers, int node_count) {
  erg_precision eight;
  erg_precision_parse("int8", &eight, NULL);
  for (int id = 0; id < node_count; id++) layers[id] = eight;
  for (int l = 0; l < p->layers; l++) layers[p->nodes[l]].weight_bits = p->bits[option[l]];
  return (erg_quantize_options){.precision = eight, .layers = layers};
}

/* delta = Q(w) - w of a layer's weights, a scale a channel. */
static bool delta_of(const erg_parameter *w, int bits, double *delta) {
  int filters = (int)w->extents[0];
  int64_t reduction = w->elements / filters;
  double *scale = malloc((size_t)filters * sizeof *scale);
  int16_t *codes = malloc((size_t)w->elements * sizeof *codes);
  bool room = scale && codes;
  if (room) {
    erg_weight_scales(filters, reduction, w->values, bits, (erg_weight_grid){0}, scale);
    erg_weight_codes(filters, reduction, w->values, bits, scale, codes);
    for (int64_t i = 0; i < w->elements; i++) delta[i] = codes[i] * scale[i / reduction] - w->values[i];
  }
  free(codes);
  free(scale);
  return room;
}

/* Mean cross entropy of the float network on the tape; with `gradients` also those, added. `labels` NULL: the data's.
 */
static erg_status loss_of(const lab *l, erg_tape *tape, const erg_weights *weights, const erg_weights *gradients,
                          const erg_dataset *data, int first, int count, const int *labels, double *loss,
                          erg_error *error) {
  int64_t each = erg_shape_elements(data->shape);
  const erg_tape_attrs attrs = {.labels = labels ? labels : data->labels + first};
  int output = -1;
  erg_tape_reset(tape);
  erg_status status = erg_network_forward(tape, &l->graph, weights, gradients, data->inputs + first * each, count,
                                          false, NULL, &output, error);
  if (status != ERG_OK) return status;
  int entropy = erg_tape_apply(tape, erg_tape_op_find("cross_entropy"), &attrs, (int[]){output, -1, -1}, error);
  if (entropy < 0) return error ? error->status : ERG_ERR_INTERNAL;
  *loss = erg_tape_value(tape, entropy)[0];
  return gradients ? erg_tape_backward(tape, entropy, error) : ERG_OK;
}

static void clear(const erg_weights *w) {
  for (int i = 0; i < w->count; i++) memset(w->items[i].values, 0, (size_t)w->items[i].elements * sizeof(double));
}

/* The label that the model itself would draw for an example. */
static int drawn_label(const double *logits, int classes, erg_random *random) {
  double most = logits[0], sum = 0, at = 0;
  for (int c = 1; c < classes; c++) most = fmax(most, logits[c]);
  for (int c = 0; c < classes; c++) sum += exp(logits[c] - most);
  double u = erg_random_unit(random) * sum;
  for (int c = 0; c < classes; c++) {
    at += exp(logits[c] - most);
    if (u < at) return c;
  }
  return classes - 1;
}

/* Mean of squared gradients of single examples: `fisher` is shaped as the weights. */
static erg_status fisher_of(const lab *l, erg_tape *tape, const erg_weights *weights, const erg_dataset *data,
                            const erg_weights *gradients, const erg_weights *fisher, erg_error *error) {
  erg_status status = ERG_OK;
  int64_t each = erg_shape_elements(data->shape);
  erg_random random;
  erg_random_stream(&random, l->seed, "sensitivity/labels");
  clear(fisher);
  for (int n = 0; n < data->count && status == ERG_OK; n++) {
    int output = -1, label;
    double loss;
    erg_tape_reset(tape);
    status =
        erg_network_forward(tape, &l->graph, weights, NULL, data->inputs + n * each, 1, false, NULL, &output, error);
    if (status != ERG_OK) break;
    label = drawn_label(erg_tape_value(tape, output), data->classes, &random);
    clear(gradients);
    status = loss_of(l, tape, weights, gradients, data, n, 1, &label, &loss, error);
    for (int i = 0; i < fisher->count; i++)
      for (int64_t e = 0; e < fisher->items[i].elements; e++)
        fisher->items[i].values[e] += gradients->items[i].values[e] * gradients->items[i].values[e] / data->count;
  }
  return status;
}

typedef struct {
  const lab *lab;
  erg_tape *tape;
  erg_weights weights, gradients, fisher; /* own copies */
  const erg_dataset *data;
  double loss;
} bench;

/* The predictions for one layer at one width; `delta` is scratch. */
static erg_status predict(bench *b, int node, int bits, double *delta, double *values, double *gradient_term,
                          erg_error *error) {
  erg_parameter *w = erg_weights_find(&b->weights, node, "weight");
  const double *g = erg_weights_find(&b->gradients, node, "weight")->values,
               *f = erg_weights_find(&b->fisher, node, "weight")->values;
  double up = 0, down = 0, fisher = 0, norm = 0, slope = 0;
  if (!delta_of(w, bits, delta)) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int64_t i = 0; i < w->elements; i++) {
    fisher += 0.5 * f[i] * delta[i] * delta[i];
    norm += delta[i] * delta[i];
    slope += g[i] * delta[i];
    w->values[i] += delta[i];
  }
  erg_status status = loss_of(b->lab, b->tape, &b->weights, NULL, b->data, 0, b->data->count, NULL, &up, error);
  for (int64_t i = 0; i < w->elements; i++) w->values[i] -= 2 * delta[i];
  if (status == ERG_OK)
    status = loss_of(b->lab, b->tape, &b->weights, NULL, b->data, 0, b->data->count, NULL, &down, error);
  for (int64_t i = 0; i < w->elements; i++) w->values[i] += delta[i];
  values[BY_QUAD] = 0.5 * (up + down - 2 * b->loss);
  values[BY_FISHER] = fisher;
  values[BY_NORM] = norm;
  *gradient_term = fabs(slope);
  return status;
}

static erg_status scan(const lab *l, const erg_weights *weights, const erg_calibration *calibration, const prices *p,
                       const erg_dataset *data, sensitivity *out, erg_error *error) {
  erg_precision *layers = malloc((size_t)l->graph.node_count * sizeof *layers);
  if (!layers) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  int option[PRICES_MOST_LAYERS], widest = p->options - 1;
  erg_score score, base;
  for (int i = 0; i < p->layers; i++) option[i] = widest;
  erg_quantize_options options = options_of(p, option, layers, l->graph.node_count);
  erg_status status = lab_judge_calibrated(l, weights, calibration, &options, data, &base, error);
  for (int i = 0; i < p->layers; i++) {
    for (int o = 0; o < p->options && status == ERG_OK; o++) {
      option[i] = o;
      options = options_of(p, option, layers, l->graph.node_count);
      status = lab_judge_calibrated(l, weights, calibration, &options, data, &score, error);
      out->loss[BY_SCAN][i * p->options + o] = score.loss - base.loss;
    }
    option[i] = widest;
  }
  free(layers);
  return status;
}

erg_status sensitivity_of(const lab *l, const erg_weights *weights, const erg_calibration *calibration, const prices *p,
                          const erg_dataset *data, sensitivity *out, erg_error *error) {
  bench b = {.lab = l, .tape = erg_tape_new(), .data = data};
  int64_t most = 1;
  double *delta = NULL;
  for (int i = 0; i < weights->count; i++)
    if (weights->items[i].elements > most) most = weights->items[i].elements;
  erg_status status = erg_weights_copy(weights, &b.weights, error);
  if (status == ERG_OK) status = erg_weights_new(&l->graph, &b.gradients, error);
  if (status == ERG_OK) status = erg_weights_new(&l->graph, &b.fisher, error);
  if (status != ERG_OK) goto out;
  delta = malloc((size_t)most * sizeof *delta);
  if (!delta || !b.tape) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = fisher_of(l, b.tape, &b.weights, data, &b.gradients, &b.fisher, error);
  clear(&b.gradients);
  if (status == ERG_OK)
    status = loss_of(l, b.tape, &b.weights, &b.gradients, data, 0, data->count, NULL, &b.loss, error);
  out->largest_gradient_term = 0;
  for (int i = 0; i < p->layers; i++)
    for (int o = 0; o < p->options && status == ERG_OK; o++) {
      double values[ESTIMATORS] = {0}, slope = 0;
      status = predict(&b, p->nodes[i], p->bits[o], delta, values, &slope, error);
      for (int e = 0; e < BY_SCAN; e++) out->loss[e][i * p->options + o] = values[e];
      out->largest_gradient_term = fmax(out->largest_gradient_term, slope / fabs(values[BY_QUAD]));
    }
  if (status == ERG_OK) status = scan(l, weights, calibration, p, data, out, error);
out:
  free(delta);
  erg_tape_free(b.tape);
  erg_weights_free(&b.fisher);
  erg_weights_free(&b.gradients);
  erg_weights_free(&b.weights);
  return status;
}
