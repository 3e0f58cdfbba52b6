/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensitivities of layers to the width of their weights: predictions and the measured scan. */
#include "sens.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const erg_sens_names[] = {"quad", "hutchinson", "trace", "fisher", "norm", "scan", NULL};

erg_status sens_delta(const erg_parameter *w, int bits, double *delta, erg_error *error) {
  int filters = (int)w->extents[0];
  int64_t reduction = w->elements / filters;
  double *scale = malloc((size_t)filters * sizeof *scale);
  int16_t *codes = malloc((size_t)w->elements * sizeof *codes);
  erg_status status = ERG_OK;
  if (!scale || !codes) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  erg_weight_scales(filters, reduction, w->values, bits, (erg_weight_grid){0}, scale);
  erg_weight_codes(filters, reduction, w->values, bits, scale, codes);
  for (int64_t i = 0; i < w->elements; i++) delta[i] = codes[i] * scale[i / reduction] - w->values[i];
out:
  free(codes);
  free(scale);
  return status;
}

static bool wanted(const erg_sens_options *o, erg_sens_estimator e) {
  return !(o->skip >> e & 1u);
}

/* The layer at both ends of delta; the weights come back to the last bit. */
static erg_status both_ends(sens_bench *b, int node, const double *delta, const double *original, double middle,
                            double *quad, erg_error *error) {
  const erg_parameter *w = sens_layer(&b->weights, node);
  double up = 0, down = 0;
  for (int64_t i = 0; i < w->elements; i++) w->values[i] = original[i] + delta[i];
  erg_status status = sens_loss(b, NULL, &up, error);
  for (int64_t i = 0; i < w->elements; i++) w->values[i] = original[i] - delta[i];
  if (status == ERG_OK) status = sens_loss(b, NULL, &down, error);
  memcpy(w->values, original, (size_t)w->elements * sizeof *original);
  *quad = 0.5 * (up + down - 2 * middle);
  return status;
}

static erg_status predict(sens_bench *b, erg_sens *s, int layer, erg_error *error) {
  const int node = s->nodes[layer];
  const erg_parameter *w = sens_layer(&b->weights, node);
  const double *h = sens_layer(&b->diagonal, node)->values, *f = sens_layer(&b->fisher, node)->values,
               *g = sens_layer(&b->slope, node)->values;
  double *delta = calloc((size_t)w->elements, sizeof *delta), *original = calloc((size_t)w->elements, sizeof *delta);
  erg_status status = ERG_OK;
  if (!delta || !original) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  memcpy(original, w->values, (size_t)w->elements * sizeof *original);
  double mean = 0;
  for (int64_t i = 0; i < w->elements; i++) mean += h[i] / (double)w->elements;
  if (layer < (int)ERG_COUNT_OF(s->trace_mean)) s->trace_mean[layer] = mean;
  for (int o = 0; o < s->options && status == ERG_OK; o++) {
    int at = layer * s->options + o;
    double slope = 0, norm = 0, clipped = 0, fisher = 0;
    status = sens_delta(w, b->options->bits[o], delta, error);
    for (int64_t i = 0; i < w->elements && status == ERG_OK; i++) {
      double square = delta[i] * delta[i];
      slope += g[i] * delta[i];
      norm += square;
      clipped += 0.5 * fmax(h[i], 0) * square;
      fisher += 0.5 * f[i] * square;
    }
    s->slope[at] = fabs(slope);
    s->loss[ERG_SENS_HUTCHINSON][at] = clipped;
    s->loss[ERG_SENS_TRACE][at] = 0.5 * fmax(mean, 0) * norm;
    s->loss[ERG_SENS_FISHER][at] = fisher;
    s->loss[ERG_SENS_NORM][at] = norm;
    if (status == ERG_OK && wanted(b->options, ERG_SENS_QUAD))
      status = both_ends(b, node, delta, original, s->float_loss, &s->loss[ERG_SENS_QUAD][at], error);
  }
out:
  free(original);
  free(delta);
  return status;
}

static erg_status integer_loss(const sens_bench *b, const erg_calibration *calibration, const erg_weights *weights,
                               const erg_precision *layers, double *loss, erg_error *error) {
  const erg_quantize_options options = {
      .precision = b->options->base, .layers = layers, .calibration = b->options->calibration};
  erg_quantized q;
  erg_evaluation v;
  erg_status status = erg_quantize(b->graph, weights, calibration, &options, &q, error);
  if (status != ERG_OK) return status;
  status = erg_evaluate(&q, NULL, b->data, ERG_INTEGER_FAST, NULL, &v, error);
  if (status == ERG_OK) {
    *loss = v.loss;
    erg_evaluation_free(&v);
  }
  erg_quantized_free(&q);
  return status;
}

/* The layer's precision at a width; the accumulator follows it. */
static erg_precision at_width(const erg_precision *base, int bits) {
  erg_precision p = *base;
  bool stated = p.accumulator_bits != erg_default_accumulator_bits(p.weight_bits, p.activation_bits);
  p.weight_bits = bits;
  if (!stated) p.accumulator_bits = erg_default_accumulator_bits(bits, p.activation_bits);
  return p;
}

static erg_status scan(const sens_bench *b, const erg_weights *weights, const erg_calibration *calibration, erg_sens *s,
                       erg_error *error) {
  const erg_sens_options *o = b->options;
  erg_precision *layers = malloc((size_t)b->graph->node_count * sizeof *layers);
  if (!layers) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  const erg_precision widest = at_width(&o->base, o->bits[o->count - 1]);
  for (int id = 0; id < b->graph->node_count; id++) layers[id] = widest;
  erg_status status = integer_loss(b, calibration, weights, layers, &s->scan_loss, error);
  for (int l = 0; l < s->layers; l++) {
    for (int w = 0; w < o->count - 1 && status == ERG_OK; w++) {
      double loss = 0;
      layers[s->nodes[l]] = at_width(&o->base, o->bits[w]);
      status = integer_loss(b, calibration, weights, layers, &loss, error);
      s->loss[ERG_SENS_SCAN][l * s->options + w] = loss - s->scan_loss;
    }
    layers[s->nodes[l]] = widest;
  }
  free(layers);
  return status;
}

static erg_status check(const erg_dataset *data, const erg_sens_options *o, erg_error *error) {
  if (o->count < 1 || o->count > 15)
    erg_fail(error, ERG_ERR_USAGE, "sens: found %d widths; allowed: 1 to 15", o->count);
  for (int i = 0; i < o->count && i < 15; i++)
    if (o->bits[i] < 2 || o->bits[i] > 16 || (i && o->bits[i] <= o->bits[i - 1]))
      erg_fail(error, ERG_ERR_USAGE, "sens: found width %d at place %d; allowed: 2 to 16, ascending", o->bits[i],
               i + 1);
  if (o->probes < 1) erg_fail(error, ERG_ERR_USAGE, "sens: found %d probes; allowed: 1 and up", o->probes);
  if (data->count < 1 || !data->labels) erg_fail(error, ERG_ERR_DATA, "sens: the data set has no labelled examples");
  return error->status;
}

static erg_status open_bench(sens_bench *b, const erg_weights *weights, erg_sens *s, erg_error *error) {
  const erg_graph *graph = b->graph;
  s->options = b->options->count;
  s->nodes = erg_arena_alloc(&s->arena, sizeof *s->nodes * (size_t)graph->node_count);
  b->tape = erg_tape_new();
  if (!s->nodes || !b->tape) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int id = 0; id < graph->node_count; id++)
    if (graph->nodes[id].op->role == ERG_ROLE_ARRAY) s->nodes[s->layers++] = id;
  if (s->layers == 0) return erg_fail(error, ERG_ERR_DATA, "%s: no layer has weights", graph->name);
  size_t cells = (size_t)s->layers * (size_t)s->options;
  s->slope = erg_arena_alloc(&s->arena, cells * sizeof *s->slope);
  for (int e = 0; e < ERG_SENS_COUNT; e++) {
    s->loss[e] = erg_arena_alloc(&s->arena, cells * sizeof *s->loss[e]);
    if (!s->loss[e]) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  erg_weights *const copies[] = {&b->weights, &b->gradients, &b->slope, &b->diagonal, &b->fisher};
  erg_status status = s->slope ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (size_t i = 0; i < ERG_COUNT_OF(copies) && status == ERG_OK; i++)
    status = erg_weights_copy(weights, copies[i], error);
  if (status != ERG_OK) return status;
  sens_clear(&b->diagonal);
  sens_clear(&b->fisher);
  return ERG_OK;
}

erg_status erg_sens_measure(const erg_graph *graph, const erg_weights *weights, const erg_calibration *calibration,
                            const erg_dataset *data, const erg_sens_options *options, erg_sens *out, erg_error *error) {
  sens_bench b = {.graph = graph, .data = data, .options = options};
  erg_sens s = {0};
  erg_error fault = {0};
  bool hessian = wanted(options, ERG_SENS_HUTCHINSON) || wanted(options, ERG_SENS_TRACE);
  erg_status status = check(data, options, &fault);
  if (status == ERG_OK) status = open_bench(&b, weights, &s, &fault);
  if (status == ERG_OK) status = sens_loss(&b, &b.slope, &s.float_loss, &fault);
  if (status == ERG_OK && hessian) status = sens_hutchinson(&b, &s, &fault);
  sens_clear(&b.fisher);
  if (status == ERG_OK && wanted(options, ERG_SENS_FISHER)) status = sens_fisher(&b, &fault);
  for (int l = 0; l < s.layers && status == ERG_OK; l++) status = predict(&b, &s, l, &fault);
  if (status == ERG_OK && wanted(options, ERG_SENS_SCAN)) status = scan(&b, weights, calibration, &s, &fault);
  erg_weights *const copies[] = {&b.weights, &b.gradients, &b.slope, &b.diagonal, &b.fisher};
  for (size_t i = 0; i < ERG_COUNT_OF(copies); i++) erg_weights_free(copies[i]);
  erg_tape_free(b.tape);
  if (status == ERG_OK) {
    *out = s;
  } else {
    erg_fail(error, status, "%s", fault.text ? fault.text : "failed");
    erg_sens_free(&s);
  }
  erg_error_clear(&fault);
  return status;
}

void erg_sens_free(erg_sens *sens) {
  erg_arena_free(&sens->arena);
}

double erg_sens_spread(const erg_sens *s, erg_sens_estimator estimator, int option, const double *energy_pj) {
  double least = INFINITY, most = 0;
  int found = 0;
  if (option + 1 >= s->options) return NAN;
  for (int l = 0; l < s->layers; l++) {
    double loss = s->loss[estimator][l * s->options + option];
    double joules = energy_pj[l * s->options + option + 1] - energy_pj[l * s->options + option];
    if (!(loss > 0) || !(joules > 0) || !isfinite(joules)) continue;
    least = fmin(least, loss / joules);
    most = fmax(most, loss / joules);
    found++;
  }
  return found >= 2 ? most / least : NAN;
}
