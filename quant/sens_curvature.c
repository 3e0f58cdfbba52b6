/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Diagonals of curvature: Hutchinson's of the Hessian, and the true Fisher. */
#include "sens.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64

erg_parameter *sens_layer(const erg_weights *w, int node) {
  return erg_weights_find(w, node, "weight");
}

void sens_clear(const erg_weights *w) {
  for (int i = 0; i < w->count; i++) memset(w->items[i].values, 0, (size_t)w->items[i].elements * sizeof(double));
}

/* Loss of examples first .. first + count - 1 on the tape, and its gradient, added. */
static erg_status step(sens_bench *b, const erg_weights *gradients, int first, int count, const int *labels,
                       double *loss, erg_error *error) {
  int64_t each = erg_shape_elements(b->data->shape);
  const erg_tape_attrs attrs = {.labels = labels};
  int output = -1;
  erg_tape_reset(b->tape);
  erg_status status = erg_network_forward(b->tape, b->graph, &b->weights, gradients, b->data->inputs + first * each,
                                          count, false, NULL, &output, error);
  if (status != ERG_OK) return status;
  const int inputs[ERG_TAPE_INPUTS] = {output, -1, -1};
  int entropy = erg_tape_apply(b->tape, erg_tape_op_find("cross_entropy"), &attrs, inputs, error);
  if (entropy < 0) return ERG_ERR_DATA;
  *loss = erg_tape_value(b->tape, entropy)[0];
  return gradients ? erg_tape_backward(b->tape, entropy, error) : ERG_OK;
}

erg_status sens_loss(sens_bench *b, const erg_weights *gradients, double *loss, erg_error *error) {
  erg_status status = ERG_OK;
  int count = b->data->count;
  double sum = 0;
  if (gradients) sens_clear(gradients);
  for (int at = 0; at < count && status == ERG_OK; at += BATCH) {
    int batch = count - at < BATCH ? count - at : BATCH;
    double part = 0;
    if (gradients) sens_clear(&b->gradients);
    status = step(b, gradients ? &b->gradients : NULL, at, batch, b->data->labels + (int64_t)at * b->data->labels_each,
                  &part, error);
    sum += part * batch;
    for (int i = 0; gradients && i < gradients->count; i++)
      for (int64_t e = 0; e < gradients->items[i].elements; e++)
        gradients->items[i].values[e] += b->gradients.items[i].values[e] * batch / count;
  }
  *loss = sum / count;
  return status;
}

/* Moves every layer by scale * step * z. */
static void move(sens_bench *b, const erg_sens *s, const erg_weights *z, const double *steps, double scale) {
  for (int l = 0; l < s->layers; l++) {
    const erg_parameter *w = sens_layer(&b->weights, s->nodes[l]), *sign = sens_layer(z, s->nodes[l]);
    for (int64_t e = 0; e < w->elements; e++) w->values[e] += scale * steps[l] * sign->values[e];
  }
}

/* Root mean square of delta at the middle width: the step of the differences. */
static erg_status steps_of(sens_bench *b, const erg_sens *s, double *steps, erg_error *error) {
  for (int l = 0; l < s->layers; l++) {
    const erg_parameter *w = sens_layer(&b->weights, s->nodes[l]);
    double *delta = malloc((size_t)w->elements * sizeof *delta), squares = 0;
    if (!delta) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    erg_status status = sens_delta(w, b->options->bits[b->options->count / 2], delta, error);
    for (int64_t e = 0; e < w->elements && status == ERG_OK; e++) squares += delta[e] * delta[e];
    free(delta);
    if (status != ERG_OK) return status;
    steps[l] = sqrt(squares / (double)w->elements);
    if (!(steps[l] > 0)) steps[l] = 1e-4; /* weights that lie on the grid */
  }
  return ERG_OK;
}

static erg_status probe(sens_bench *b, const erg_sens *s, const erg_weights *original, const erg_weights *z,
                        const erg_weights *up, const double *steps, erg_error *error) {
  double loss;
  move(b, s, z, steps, 1);
  erg_status status = sens_loss(b, up, &loss, error);
  move(b, s, z, steps, -2);
  if (status == ERG_OK) status = sens_loss(b, &b->fisher, &loss, error); /* scratch until the Fisher is taken */
  for (int l = 0; l < s->layers; l++) {
    const int node = s->nodes[l];
    const erg_parameter *w = sens_layer(&b->weights, node), *w0 = sens_layer(original, node);
    const double *gu = sens_layer(up, node)->values, *gd = sens_layer(&b->fisher, node)->values,
                 *sign = sens_layer(z, node)->values;
    double *h = sens_layer(&b->diagonal, node)->values;
    for (int64_t e = 0; e < w->elements; e++) {
      h[e] += sign[e] * (gu[e] - gd[e]) / (2 * steps[l] * b->options->probes);
      w->values[e] = w0->values[e];
    }
  }
  return status;
}

erg_status sens_hutchinson(sens_bench *b, const erg_sens *s, erg_error *error) {
  erg_weights original = {0}, z = {0}, up = {0};
  erg_random random;
  double *steps = calloc((size_t)s->layers, sizeof *steps);
  if (!steps) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = erg_weights_copy(&b->weights, &original, error);
  if (status == ERG_OK) status = erg_weights_copy(&b->weights, &z, error);
  if (status == ERG_OK) status = erg_weights_copy(&b->weights, &up, error);
  if (status == ERG_OK) status = steps_of(b, s, steps, error);
  erg_random_stream(&random, b->options->seed, "sens/probes");
  sens_clear(&b->diagonal);
  for (int p = 0; p < b->options->probes && status == ERG_OK; p++) {
    for (int i = 0; i < z.count; i++)
      for (int64_t e = 0; e < z.items[i].elements; e++) z.items[i].values[e] = erg_random_range(&random, 0, 1) ? 1 : -1;
    status = probe(b, s, &original, &z, &up, steps, error);
  }
  free(steps);
  erg_weights_free(&up);
  erg_weights_free(&z);
  erg_weights_free(&original);
  return status;
}

/* The label that the model itself would draw. */
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

erg_status sens_fisher(sens_bench *b, erg_error *error) {
  erg_random random;
  erg_random_stream(&random, b->options->seed, "sens/labels");
  int rows = b->data->labels_each, classes = b->data->classes;
  int *labels = malloc((size_t)rows * sizeof *labels);
  if (!labels) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = ERG_OK;
  int64_t each = erg_shape_elements(b->data->shape);
  sens_clear(&b->fisher);
  for (int n = 0; n < b->data->count && status == ERG_OK; n++) {
    int output = -1;
    double loss;
    erg_tape_reset(b->tape);
    status = erg_network_forward(b->tape, b->graph, &b->weights, NULL, b->data->inputs + n * each, 1, false, NULL,
                                 &output, error);
    if (status != ERG_OK) break;
    const double *logits = erg_tape_value(b->tape, output);
    for (int r = 0; r < rows; r++) labels[r] = drawn_label(logits + (int64_t)r * classes, classes, &random);
    sens_clear(&b->gradients);
    status = step(b, &b->gradients, n, 1, labels, &loss, error);
    for (int i = 0; i < b->fisher.count; i++)
      for (int64_t e = 0; e < b->fisher.items[i].elements; e++)
        b->fisher.items[i].values[e] +=
            b->gradients.items[i].values[e] * b->gradients.items[i].values[e] / b->data->count;
  }
  free(labels);
  return status;
}
