/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoder's weights, and the encoder written on a tape. */
#include "encoder.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const erg_encoder_layer erg_encoder_layers[ERG_ENCODER_LAYERS] = {
    {"query", ERG_ENCODER_NORM1, ERG_ENCODER_QUERY, -1, false, false},
    {"key", ERG_ENCODER_NORM1, ERG_ENCODER_KEY, -1, false, false},
    {"value", ERG_ENCODER_NORM1, ERG_ENCODER_VALUE, -1, false, false},
    {"output", ERG_ENCODER_MIX, ERG_ENCODER_MIDDLE, ERG_ENCODER_INPUT, false, false},
    {"up", ERG_ENCODER_NORM2, ERG_ENCODER_HIDDEN, -1, true, true},
    {"down", ERG_ENCODER_HIDDEN, ERG_ENCODER_FEATURES, ERG_ENCODER_MIDDLE, true, false},
    {"token", ERG_ENCODER_FEATURES, ERG_ENCODER_TOKEN, -1, true, false},
    {"sentence", ERG_ENCODER_POOLED, ERG_ENCODER_SENTENCE, -1, true, false},
};
static const char *const norms[] = {"norm1", "norm2"};

int erg_encoder_channels(const erg_encoder_shape *shape, int tensor) {
  switch (tensor) {
  case ERG_ENCODER_SCORES:
  case ERG_ENCODER_PROBABILITIES:
    return 0;
  case ERG_ENCODER_HIDDEN:
    return shape->hidden;
  case ERG_ENCODER_TOKEN:
  case ERG_ENCODER_SENTENCE:
    return shape->classes;
  default:
    return shape->width;
  }
}

int64_t erg_encoder_elements(const erg_encoder_shape *shape, int tensor, int count, int length) {
  int channels = erg_encoder_channels(shape, tensor);
  bool whole = tensor == ERG_ENCODER_POOLED || tensor == ERG_ENCODER_SENTENCE;
  return (int64_t)count * (whole ? 1 : length) * (channels ? channels : length);
}

const erg_parameter *erg_encoder_parameter(const erg_weights *weights, const char *name, const char *role) {
  size_t length = strlen(name);
  for (int i = 0; i < weights->count; i++) {
    const erg_parameter *p = &weights->items[i];
    if (strncmp(p->name, name, length) == 0 && p->name[length] == '.' && strcmp(p->role, role) == 0) return p;
  }
  return NULL;
}

static bool add(erg_weights *w, const char *name, const char *role, int rank, int filters, int reduction) {
  erg_parameter *p = &w->items[w->count++];
  *p = (erg_parameter){.role = role, .node = -1, .trained = true, .rank = rank, .extents = {filters, 1, 1, reduction}};
  p->elements = (int64_t)filters * reduction;
  p->name = erg_arena_printf(&w->arena, "%s.%s", name, role);
  p->values = erg_arena_alloc(&w->arena, sizeof *p->values * (size_t)p->elements);
  return p->name && p->values;
}

erg_status erg_encoder_weights(const erg_encoder_shape *shape, uint64_t seed, erg_weights *out, erg_error *error) {
  if (shape->width < 1 || shape->hidden < 1 || shape->classes < 1)
    return erg_fail(error, ERG_ERR_DATA, "encoder: found width %d, hidden %d, %d classes; allowed: at least 1",
                    shape->width, shape->hidden, shape->classes);
  erg_weights w = {0};
  w.items = erg_arena_alloc(&w.arena, sizeof *w.items * (ERG_COUNT_OF(norms) + 2 * ERG_ENCODER_LAYERS));
  bool good = w.items != NULL;
  for (size_t i = 0; i < ERG_COUNT_OF(norms) && good; i++) {
    good = add(&w, norms[i], "weight", 1, shape->width, 1);
    for (int c = 0; c < shape->width && good; c++) w.items[w.count - 1].values[c] = 1;
  }
  for (size_t i = 0; i < ERG_ENCODER_LAYERS && good; i++) {
    const erg_encoder_layer *l = &erg_encoder_layers[i];
    int filters = erg_encoder_channels(shape, l->out);
    good = add(&w, l->name, "weight", 4, filters, erg_encoder_channels(shape, l->in));
    if (good && l->bias) good = add(&w, l->name, "bias", 1, filters, 1);
  }
  if (!good) {
    erg_weights_free(&w);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  erg_weights_initialize(&w, seed);
  const erg_parameter *query = erg_encoder_parameter(&w, "query", "weight");
  for (int64_t i = 0; query && i < query->elements; i++) query->values[i] /= sqrt(shape->width);
  *out = w;
  return ERG_OK;
}

/* ---- on the tape ---- */

typedef struct {
  erg_tape *tape;
  const erg_weights *weights, *gradients;
  erg_error *error;
  int *variables;
} writer;

static int apply(const writer *w, const char *op, const erg_tape_attrs *attrs, int a, int b) {
  return erg_tape_apply(w->tape, erg_tape_op_find(op), attrs, (int[]){a, b}, w->error);
}

static int parameter(const writer *w, const char *name, const char *role) {
  const erg_parameter *p = erg_encoder_parameter(w->weights, name, role);
  if (!p) {
    erg_fail(w->error, ERG_ERR_DATA, "encoder: no tensor %s.%s", name, role);
    return -1;
  }
  erg_shape shape = p->rank == 4 ? (erg_shape){(int)p->extents[0], 1, 1, (int)p->extents[3]}
                                 : (erg_shape){1, 1, 1, (int)p->extents[0]};
  double *gradient = w->gradients ? w->gradients->items[p - w->weights->items].values : NULL;
  return erg_tape_parameter(w->tape, shape, p->values, gradient, w->error);
}

static void layer(const writer *w, const erg_encoder_layer *l) {
  const int x = w->variables[l->in], weight = parameter(w, l->name, "weight");
  if (x < 0 || weight < 0) return;
  const erg_shape in = erg_tape_shape(w->tape, x);
  const erg_tape_attrs attrs = {.conv = {.in = in,
                                         .filters = erg_tape_shape(w->tape, weight).n,
                                         .kernel_h = 1,
                                         .kernel_w = 1,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .groups = 1,
                                         .out_h = in.h,
                                         .out_w = in.w}};
  int y = apply(w, "conv2d", &attrs, x, weight);
  if (l->bias) y = apply(w, "bias", NULL, y, parameter(w, l->name, "bias"));
  if (l->residual >= 0) y = apply(w, "add", NULL, y, w->variables[l->residual]);
  w->variables[l->out] = l->relu ? apply(w, "relu", NULL, y, 0) : y;
}

static void attention(const writer *w) {
  int *v = w->variables;
  v[ERG_ENCODER_SCORES] =
      apply(w, "matmul", &(erg_tape_attrs){.transpose_b = true}, v[ERG_ENCODER_QUERY], v[ERG_ENCODER_KEY]);
  v[ERG_ENCODER_PROBABILITIES] = apply(w, "softmax", NULL, v[ERG_ENCODER_SCORES], 0);
  v[ERG_ENCODER_MIX] = apply(w, "matmul", &(erg_tape_attrs){0}, v[ERG_ENCODER_PROBABILITIES], v[ERG_ENCODER_VALUE]);
}

erg_status erg_encoder_forward(erg_tape *tape, const erg_encoder_shape *shape, const erg_weights *weights,
                               const erg_weights *gradients, const double *inputs, int count, int length,
                               int variables[ERG_ENCODER_TENSORS], erg_error *error) {
  erg_error faults = {0};
  const writer w = {tape, weights, gradients, &faults, variables};
  const erg_tape_attrs norm = {.epsilon = ERG_NORM_EPSILON},
                       pool = {.pool = {{count, length, 1, shape->width}, length, 1, 1, 1, 0, 0, 1, 1}};
  const erg_encoder_layer *l = erg_encoder_layers;
  int *v = variables;
  for (int i = 0; i < ERG_ENCODER_TENSORS; i++) v[i] = -1; /* what follows a fault is none */
  v[ERG_ENCODER_INPUT] = erg_tape_constant(tape, (erg_shape){count, length, 1, shape->width}, inputs, &faults);
  v[ERG_ENCODER_NORM1] = apply(&w, "rms_norm", &norm, v[ERG_ENCODER_INPUT], parameter(&w, "norm1", "weight"));
  for (; l->out != ERG_ENCODER_MIDDLE; l++) layer(&w, l);
  attention(&w);
  layer(&w, l++);
  v[ERG_ENCODER_NORM2] = apply(&w, "rms_norm", &norm, v[ERG_ENCODER_MIDDLE], parameter(&w, "norm2", "weight"));
  layer(&w, l++);
  layer(&w, l++);
  v[ERG_ENCODER_POOLED] = apply(&w, "avg_pool", &pool, v[ERG_ENCODER_FEATURES], 0);
  layer(&w, l++);
  layer(&w, l);
  if (faults.count) erg_fail(error, faults.status, "%s", faults.text ? faults.text : "encoder");
  erg_status status = faults.status;
  erg_error_clear(&faults);
  return status;
}

#define BATCH 8

erg_status erg_encoder_float(const erg_encoder_shape *shape, const erg_weights *weights, const erg_dataset *data,
                             double *const values[ERG_ENCODER_TENSORS], erg_range *ranges, erg_error *error) {
  int variables[ERG_ENCODER_TENSORS], length = data->shape.h;
  erg_tape *tape = erg_tape_new();
  erg_status status = tape ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < ERG_ENCODER_TENSORS && ranges; i++) ranges[i] = (erg_range){0, 0};
  for (int first = 0; first < data->count && status == ERG_OK; first += BATCH) {
    int count = data->count - first < BATCH ? data->count - first : BATCH;
    erg_tape_reset(tape);
    status = erg_encoder_forward(tape, shape, weights, NULL,
                                 data->inputs + first * erg_encoder_elements(shape, ERG_ENCODER_INPUT, 1, length),
                                 count, length, variables, error);
    for (int i = 0; i < ERG_ENCODER_TENSORS && status == ERG_OK; i++) {
      const double *from = erg_tape_value(tape, variables[i]);
      const int64_t elements = erg_encoder_elements(shape, i, count, length);
      if (values && values[i]) memcpy(values[i] + first * (elements / count), from, sizeof *from * (size_t)elements);
      for (int64_t e = 0; e < elements && ranges; e++) {
        ranges[i].low = fmin(ranges[i].low, from[e]);
        ranges[i].high = fmax(ranges[i].high, from[e]);
      }
    }
  }
  erg_tape_free(tape);
  return status;
}
