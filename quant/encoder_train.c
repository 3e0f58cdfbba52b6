/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both heads of the encoder trained together; erg_train knows one head. */
#include "ergon/encoder.h"
#include "ergon/train.h"
#include <math.h>
#include <string.h>

typedef struct {
  const erg_encoder_shape *shape;
  const erg_dataset *data;
  const int *sentences;
  erg_weights *weights, gradients;
  erg_optimizer optimizer;
  erg_arena arena;
  erg_tape *tape;
  double *inputs;
  int *order, *tokens, *wholes; /* labels of a batch */
} trainer;

static erg_status step(trainer *t, const int *examples, int count, double rate, erg_error *error) {
  const int length = t->data->shape.h;
  const int64_t each = erg_shape_elements(t->data->shape);
  int v[ERG_ENCODER_TENSORS];
  for (int i = 0; i < count; i++) {
    memcpy(t->inputs + i * each, t->data->inputs + examples[i] * each, sizeof(double) * (size_t)each);
    memcpy(t->tokens + i * length, t->data->labels + examples[i] * length, sizeof(int) * (size_t)length);
    t->wholes[i] = t->sentences[examples[i]];
  }
  for (int i = 0; i < t->gradients.count; i++)
    memset(t->gradients.items[i].values, 0, sizeof(double) * (size_t)t->gradients.items[i].elements);
  erg_tape_reset(t->tape);
  erg_status status =
      erg_encoder_forward(t->tape, t->shape, t->weights, &t->gradients, t->inputs, count, length, v, error);
  if (status != ERG_OK) return status;
  const erg_tape_op *entropy = erg_tape_op_find("cross_entropy");
  int token = erg_tape_apply(t->tape, entropy, &(erg_tape_attrs){.labels = t->tokens}, &v[ERG_ENCODER_TOKEN], error);
  int whole = erg_tape_apply(t->tape, entropy, &(erg_tape_attrs){.labels = t->wholes}, &v[ERG_ENCODER_SENTENCE], error);
  int loss = erg_tape_apply(t->tape, erg_tape_op_find("add"), NULL, (int[]){token, whole}, error);
  if (loss < 0) return ERG_ERR_DATA;
  if (!isfinite(erg_tape_value(t->tape, loss)[0]))
    return erg_fail(error, ERG_ERR_DATA, "encoder: step %lld: the loss is not finite at learning rate %g",
                    (long long)t->optimizer.step + 1, rate);
  status = erg_tape_backward(t->tape, loss, error);
  if (status == ERG_OK) erg_optimizer_step(&t->optimizer, rate, &t->gradients, t->weights);
  return status;
}

static erg_status run(trainer *t, int epochs, int batch, double learning_rate, uint64_t seed, erg_error *error) {
  const int count = t->data->count;
  const int64_t steps = (int64_t)epochs * ((count + batch - 1) / batch);
  erg_random random;
  erg_random_stream(&random, seed, "shuffle");
  for (int i = 0; i < count; i++) t->order[i] = i;
  for (int epoch = 0; epoch < epochs; epoch++) {
    for (int i = count - 1; i > 0; i--) { /* Fisher and Yates */
      int other = (int)erg_random_range(&random, 0, i), kept = t->order[i];
      t->order[i] = t->order[other];
      t->order[other] = kept;
    }
    for (int at = 0; at < count; at += batch) {
      double rate = erg_cosine_rate(learning_rate, t->optimizer.step, steps);
      erg_status status = step(t, t->order + at, count - at < batch ? count - at : batch, rate, error);
      if (status != ERG_OK) return status;
    }
  }
  return ERG_OK;
}

erg_status erg_encoder_train(const erg_encoder_shape *shape, const erg_dataset *data, const int *sentences, int epochs,
                             int batch, double learning_rate, uint64_t seed, erg_weights *weights, erg_error *error) {
  if (epochs < 1 || batch < 1 || !(learning_rate > 0))
    return erg_fail(error, ERG_ERR_USAGE,
                    "encoder: found %d epochs, batches of %d, learning rate %g; allowed: at least 1, above 0", epochs,
                    batch, learning_rate);
  trainer t = {.shape = shape, .data = data, .sentences = sentences, .weights = weights, .tape = erg_tape_new()};
  const size_t most = (size_t)batch, length = (size_t)data->shape.h;
  t.inputs = erg_arena_alloc(&t.arena, sizeof *t.inputs * most * (size_t)erg_shape_elements(data->shape));
  t.order = erg_arena_alloc(&t.arena, sizeof *t.order * (size_t)data->count);
  t.tokens = erg_arena_alloc(&t.arena, sizeof *t.tokens * most * length);
  t.wholes = erg_arena_alloc(&t.arena, sizeof *t.wholes * most);
  erg_status status = t.tape && t.inputs && t.order && t.tokens && t.wholes
                          ? ERG_OK
                          : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (status == ERG_OK) status = erg_weights_copy(weights, &t.gradients, error);
  if (status == ERG_OK) status = erg_optimizer_new(erg_optimizer_find("adam"), weights, &t.optimizer, error);
  if (status == ERG_OK) status = run(&t, epochs, batch, learning_rate, seed, error);
  erg_optimizer_free(&t.optimizer);
  erg_weights_free(&t.gradients);
  erg_tape_free(t.tape);
  erg_arena_free(&t.arena);
  return status;
}
