/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train_shared.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct {
  const erg_graph *graph;
  const erg_dataset *data;
  const erg_train_options *options;
  erg_weights *weights;
  erg_weights gradients, best;
  erg_optimizer optimizer;
  erg_tape *tape;
  int *order;     /* [count] examples as they come */
  double *inputs; /* of a batch */
  int *labels;
  int count; /* examples trained on; the rest is for validation */
  int64_t step, steps;
  erg_error *error;
} trainer;

static void shuffle(erg_random *random, int *order, int count) { /* Fisher and Yates */
  for (int i = count - 1; i > 0; i--) {
    int other = (int)erg_random_range(random, 0, i), kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
}

static erg_status not_finite(const trainer *t, int epoch, double rate) {
  return erg_fail(t->error, ERG_ERR_DATA,
                  "epoch %d, step %" PRId64 " of %" PRId64 ": the loss is not finite at learning rate %g; try "
                  "--learning-rate %g, or scale the inputs to about 1",
                  epoch + 1, t->step + 1, t->steps, rate, t->options->learning_rate / 10);
}

static void gather(trainer *t, const int *examples, int count) {
  int64_t each = erg_shape_elements(t->data->shape), labels = t->data->labels_each;
  for (int i = 0; i < count; i++) {
    memcpy(t->inputs + i * each, t->data->inputs + examples[i] * each, sizeof *t->inputs * (size_t)each);
    memcpy(t->labels + i * labels, t->data->labels + examples[i] * labels, sizeof *t->labels * (size_t)labels);
  }
}

static erg_status train_batch(trainer *t, int epoch, const int *examples, int count, double *loss) {
  const erg_train_options *o = t->options;
  int logits = -1;
  gather(t, examples, count);
  for (int i = 0; i < t->gradients.count; i++)
    memset(t->gradients.items[i].values, 0, sizeof(double) * (size_t)t->gradients.items[i].elements);
  erg_tape_reset(t->tape);
  erg_status status = erg_train_forward(t->tape, t->graph, t->weights, &t->gradients, o->model, t->inputs, count, true,
                                        &logits, t->error);
  if (status != ERG_OK) return status;
  const erg_tape_attrs attrs = {.labels = t->labels, .smoothing = o->label_smoothing};
  int entropy = erg_tape_apply(t->tape, erg_tape_op_find("cross_entropy"), &attrs, &logits, t->error);
  if (entropy < 0) return ERG_ERR_DATA;
  double value = erg_tape_value(t->tape, entropy)[0], rate = erg_cosine_rate(o->learning_rate, t->step, t->steps);
  if (!isfinite(value)) return not_finite(t, epoch, rate);
  status = erg_tape_backward(t->tape, entropy, t->error);
  if (status != ERG_OK) return status;
  erg_optimizer_step(&t->optimizer, rate, &t->gradients, t->weights);
  *loss += value * count;
  t->step++;
  if (o->progress) o->progress(o->context, t->step, t->steps);
  return ERG_OK;
}

static void copy_values(const erg_weights *from, erg_weights *to) {
  for (int i = 0; i < from->count; i++)
    memcpy(to->items[i].values, from->items[i].values, sizeof(double) * (size_t)from->items[i].elements);
}

static erg_status prepare(const trainer *t) {
  const erg_train_model *model = t->options->model;
  return model && model->prepare ? model->prepare(model->context, t->weights, t->error) : ERG_OK;
}

static erg_status run_epoch(trainer *t, erg_random *random, int epoch, erg_train_epoch *e) {
  const erg_train_options *o = t->options;
  *e = (erg_train_epoch){.learning_rate = erg_cosine_rate(o->learning_rate, t->step, t->steps),
                         .validation = {NAN, NAN}};
  erg_status status = prepare(t);
  shuffle(random, t->order, t->count);
  for (int at = 0; at < t->count && status == ERG_OK; at += o->batch)
    status = train_batch(t, epoch, t->order + at, t->count - at < o->batch ? t->count - at : o->batch, &e->loss);
  e->loss /= t->count;
  if (status != ERG_OK || !o->patience) return status;
  return erg_train_score(t->tape, t->graph, t->weights, o->model, t->data, t->count, t->data->count - t->count,
                         &e->validation, t->error);
}

static erg_status run_epochs(trainer *t, erg_train_result *out) {
  int patience = t->options->patience;
  erg_random random;
  erg_random_stream(&random, t->options->seed, "shuffle");
  double least = INFINITY;
  for (int epoch = 0; epoch < t->options->epochs; epoch++) {
    erg_train_epoch *e = &out->epochs[epoch];
    erg_status status = run_epoch(t, &random, epoch, e);
    if (status != ERG_OK) return status;
    out->epoch_count = epoch + 1;
    if (!patience || epoch == 0 || e->validation.loss < least) {
      least = e->validation.loss;
      out->best_epoch = epoch + 1;
      if (patience) copy_values(t->weights, &t->best);
    } else if (epoch + 1 - out->best_epoch >= patience) {
      break;
    }
  }
  if (patience) copy_values(&t->best, t->weights);
  return ERG_OK;
}

/* What a file of these weights holds is what is judged. */
static void round_to_float32(erg_weights *weights) {
  for (int i = 0; i < weights->count; i++)
    for (int64_t at = 0; at < weights->items[i].elements; at++)
      weights->items[i].values[at] = (float)weights->items[i].values[at];
}

static erg_status judge(trainer *t, const erg_dataset *test, erg_train_result *out) {
  const erg_train_model *model = t->options->model;
  round_to_float32(t->weights);
  out->steps = t->step;
  out->test = (erg_score){NAN, NAN};
  erg_status status = prepare(t);
  if (status == ERG_OK)
    status = erg_train_score(t->tape, t->graph, t->weights, model, t->data, 0, t->count, &out->train, t->error);
  if (status == ERG_OK && test)
    status = erg_train_score(t->tape, t->graph, t->weights, model, test, 0, test->count, &out->test, t->error);
  return status;
}

static erg_status open(trainer *t, erg_train_result *out) {
  const erg_train_options *o = t->options;
  int held = o->patience ? t->data->count / 10 : 0, batch = o->batch < t->data->count ? o->batch : t->data->count;
  t->count = t->data->count - held;
  t->steps = (int64_t)o->epochs * ((t->count + o->batch - 1) / o->batch);
  out->train_count = t->count;
  out->validation_count = held;
  out->epochs = erg_arena_alloc(&out->arena, sizeof *out->epochs * (size_t)o->epochs);
  t->order = erg_arena_alloc(&out->arena, sizeof *t->order * (size_t)t->count);
  t->inputs = erg_arena_alloc(&out->arena, sizeof *t->inputs * (size_t)(batch * erg_shape_elements(t->data->shape)));
  t->labels = erg_arena_alloc(&out->arena, sizeof *t->labels * (size_t)batch * (size_t)t->data->labels_each);
  t->tape = erg_tape_new();
  if (!out->epochs || !t->order || !t->inputs || !t->labels || !t->tape)
    return erg_fail(t->error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < t->count; i++) t->order[i] = i;
  erg_status status = erg_weights_copy(t->weights, &t->gradients, t->error);
  if (status == ERG_OK && o->patience) status = erg_weights_copy(t->weights, &t->best, t->error);
  if (status == ERG_OK)
    status = erg_optimizer_new(erg_optimizer_find(o->optimizer), t->weights, &t->optimizer, t->error);
  return status;
}

erg_status erg_train(const erg_graph *graph, const erg_dataset *train, const erg_dataset *test,
                     const erg_train_options *options, erg_weights *weights, erg_train_result *out, erg_error *error) {
  *out = (erg_train_result){0};
  erg_status status = erg_train_check(graph, train, test, options, error);
  if (status != ERG_OK) return status;
  trainer t = {.graph = graph, .data = train, .options = options, .weights = weights, .error = error};
  status = open(&t, out);
  if (status == ERG_OK) status = run_epochs(&t, out);
  if (status == ERG_OK) status = judge(&t, test, out);
  erg_tape_free(t.tape);
  erg_optimizer_free(&t.optimizer);
  erg_weights_free(&t.best);
  erg_weights_free(&t.gradients);
  if (status != ERG_OK) erg_train_result_free(out);
  return status;
}

void erg_train_result_free(erg_train_result *result) {
  erg_arena_free(&result->arena);
  *result = (erg_train_result){0};
}
