/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stylize.h"
#include "ergon/retrieval.h"
#include <math.h>
#include <string.h>

#define BATCH 8
#define LEARNING_RATE 5e-3
#define STYLE_WEIGHT 5.0 /* of the relative error of Gram matrices, against that of the content's map */
#define STYLES 400       /* textures: enough of each class to compare with */

static const char *const map_names[STYLIZE_LAYERS + 1] = {"relu1", "relu2", "relu3", "relu4"};

erg_status stylize_net(const char *name, bool batch_norms, int batch, erg_graph *out, erg_error *error) {
  static const char from[] = "instance_norm", to[] = "batch_norm   ";
  erg_arena arena = {0};
  char *path, *text;
  erg_status status = erg_data_find(&arena, "nets", name, ".yaml", &path, error);
  if (status == ERG_OK) status = erg_file_read(&arena, path, &text, NULL, error);
  if (status == ERG_OK) {
    for (char *at = text; batch_norms && (at = strstr(at, from)); at += strlen(to)) memcpy(at, to, strlen(to));
    status = erg_graph_parse(path, text, batch, NULL, 0, out, error);
  }
  erg_arena_free(&arena);
  return status;
}

static int64_t elements(const stylize *s, int map) {
  return erg_shape_elements(s->shapes[map]);
}

static double *room(stylize *s, int64_t count, erg_error *error) {
  double *memory = erg_arena_alloc(&s->arena, sizeof *memory * (size_t)count);
  if (!memory) erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  return memory;
}

/* The encoder's maps of the style image, as Gram matrices. */
static erg_status take_style(stylize *s, erg_error *error) {
  erg_dataset first = s->style;
  double *maps[STYLIZE_LAYERS];
  first.count = 1;
  for (int l = 0; l < STYLIZE_LAYERS; l++) {
    maps[l] = room(s, elements(s, l), error);
    s->gram[l] = room(s, (int64_t)s->shapes[l].c * s->shapes[l].c, error);
    if (!maps[l] || !s->gram[l]) return ERG_ERR_INTERNAL;
  }
  erg_status status =
      erg_features_float(&s->encoder.graph, &s->encoder_weights, &first, s->maps, STYLIZE_LAYERS, maps, error);
  for (int l = 0; l < STYLIZE_LAYERS && status == ERG_OK; l++)
    erg_gram(maps[l], (int64_t)s->shapes[l].h * s->shapes[l].w, s->shapes[l].c, s->gram[l]);
  return status;
}

static double mean_square(const double *values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i] * values[i];
  return sum / (double)count;
}

/* ---- training ---- */

typedef struct {
  stylize *s;
  erg_tape *tape;
  erg_weights gradients;
  erg_optimizer optimizer;
  const double *content;         /* [training images, elements of the content's map] */
  double *inputs, *targets;      /* of a batch */
  double *grams[STYLIZE_LAYERS]; /* the style's, once an image of the batch */
  double factors[STYLIZE_LAYERS + 1];
} trainer;

static int apply(const trainer *t, const char *name, int a, int b, erg_error *error) {
  return erg_tape_apply(t->tape, erg_tape_op_find(name), NULL, (int[]){a, b}, error);
}

/* One term of the loss: `variable` against `target` of its shape, times a factor. */
static int term(const trainer *t, int variable, const double *target, int factor, erg_error *error) {
  if (variable < 0) return -1;
  const int wanted = erg_tape_constant(t->tape, erg_tape_shape(t->tape, variable), target, error),
            scale = erg_tape_constant(t->tape, (erg_shape){1, 1, 1, 1}, &t->factors[factor], error);
  return apply(t, "mul", apply(t, "squared_error", variable, wanted, error), scale, error);
}

static erg_status step(trainer *t, double rate, erg_error *error) {
  const stylize *s = t->s;
  int nodes[64], image, end;
  for (int i = 0; i < t->gradients.count; i++)
    memset(t->gradients.items[i].values, 0, sizeof(double) * (size_t)t->gradients.items[i].elements);
  erg_tape_reset(t->tape);
  erg_status status =
      erg_network_forward(t->tape, &s->graph, &s->weights, &t->gradients, t->inputs, BATCH, true, NULL, &image, error);
  if (status == ERG_OK)
    status = erg_network_apply(t->tape, &s->encoder.graph, &s->encoder_weights, NULL, image, false, nodes, &end, error);
  if (status != ERG_OK) return status;
  int loss = term(t, nodes[s->maps[STYLIZE_LAYERS]], t->targets, STYLIZE_LAYERS, error);
  for (int l = 0; l < STYLIZE_LAYERS; l++)
    loss = apply(t, "add", loss, term(t, apply(t, "gram", nodes[s->maps[l]], -1, error), t->grams[l], l, error), error);
  if (loss < 0) return ERG_ERR_DATA;
  if (!isfinite(erg_tape_value(t->tape, loss)[0]))
    return erg_fail(error, ERG_ERR_DATA, "the loss of the stylizing network is not finite");
  status = erg_tape_backward(t->tape, loss, error);
  if (status == ERG_OK) erg_optimizer_step(&t->optimizer, rate, &t->gradients, &t->s->weights);
  return status;
}

static void draw_batch(trainer *t, erg_random *random) {
  const erg_dataset *data = &t->s->encoder.train;
  const int64_t each = erg_shape_elements(data->shape), map = elements(t->s, STYLIZE_LAYERS);
  for (int64_t i = 0; i < BATCH; i++) {
    const int64_t from = erg_random_range(random, 0, data->count - 1);
    memcpy(t->inputs + i * each, data->inputs + from * each, sizeof(double) * (size_t)each);
    memcpy(t->targets + i * map, t->content + from * map, sizeof(double) * (size_t)map);
  }
}

static erg_status prepare(trainer *t, erg_error *error) {
  stylize *s = t->s;
  const erg_dataset *data = &s->encoder.train;
  double *content = room(s, data->count * elements(s, STYLIZE_LAYERS), error);
  t->inputs = room(s, BATCH * erg_shape_elements(data->shape), error);
  t->targets = room(s, BATCH * elements(s, STYLIZE_LAYERS), error);
  t->tape = erg_tape_new();
  if (!content || !t->inputs || !t->targets || !t->tape) return ERG_ERR_INTERNAL;
  erg_status status =
      erg_features_float(&s->encoder.graph, &s->encoder_weights, data, &s->maps[STYLIZE_LAYERS], 1, &content, error);
  if (status != ERG_OK) return status;
  t->content = content;
  t->factors[STYLIZE_LAYERS] = 1 / mean_square(content, data->count * elements(s, STYLIZE_LAYERS));
  for (int l = 0; l < STYLIZE_LAYERS; l++) {
    const int64_t square = (int64_t)s->shapes[l].c * s->shapes[l].c;
    t->factors[l] = STYLE_WEIGHT / STYLIZE_LAYERS / mean_square(s->gram[l], square);
    if (!(t->grams[l] = room(s, BATCH * square, error))) return ERG_ERR_INTERNAL;
    for (int64_t i = 0; i < BATCH; i++) memcpy(t->grams[l] + i * square, s->gram[l], sizeof(double) * (size_t)square);
  }
  status = erg_weights_copy(&s->weights, &t->gradients, error);
  if (status == ERG_OK) status = erg_optimizer_new(erg_optimizer_find("adam"), &s->weights, &t->optimizer, error);
  return status;
}

static erg_status train(stylize *s, int steps, erg_error *error) {
  trainer t = {.s = s};
  erg_random random;
  erg_random_stream(&random, s->encoder.seed, "style/batches");
  erg_status status = prepare(&t, error);
  for (int i = 0; i < steps && status == ERG_OK; i++) {
    draw_batch(&t, &random);
    status = step(&t, erg_cosine_rate(LEARNING_RATE, i, steps), error);
  }
  erg_optimizer_free(&t.optimizer);
  erg_weights_free(&t.gradients);
  erg_tape_free(t.tape);
  return status;
}

/* ---- opened, judged ---- */

erg_status stylize_open(uint64_t seed, int epochs, int steps, stylize *out, erg_error *error) {
  const erg_train_options training = {.epochs = epochs, .batch = 32, .learning_rate = 3e-3, .optimizer = "adam"};
  stylize *s = out;
  *s = (stylize){0};
  erg_status status = lab_open("shapes-cnn", "shapes", seed, &s->encoder, error);
  if (status == ERG_OK) status = lab_train(&s->encoder, training, &s->encoder_weights, error);
  if (status == ERG_OK) status = stylize_net(STYLIZE_NET, false, LAB_BATCH, &s->graph, error);
  if (status == ERG_OK) status = erg_weights_new(&s->graph, &s->weights, error);
  if (status == ERG_OK) status = erg_dataset_load("textures", seed, ERG_SPLIT_TEST, STYLES, &s->style, error);
  for (int m = 0; m <= STYLIZE_LAYERS && status == ERG_OK; m++) {
    status = lab_node(&s->encoder.graph, map_names[m], &s->maps[m], error);
    if (status == ERG_OK) s->shapes[m] = s->encoder.graph.nodes[s->maps[m]].out, s->shapes[m].n = 1;
  }
  if (status == ERG_OK) erg_weights_initialize(&s->weights, seed);
  if (status == ERG_OK) status = take_style(s, error);
  if (status == ERG_OK) status = train(s, steps, error);
  if (status != ERG_OK) stylize_close(s);
  return status;
}

void stylize_close(stylize *s) {
  erg_dataset_free(&s->style);
  erg_weights_free(&s->weights);
  erg_graph_free(&s->graph);
  erg_weights_free(&s->encoder_weights);
  lab_close(&s->encoder);
  erg_arena_free(&s->arena);
  memset(s, 0, sizeof *s);
}

static double squared_distance(const double *a, const double *b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/* Of one map of an image. `own` is room for its Gram matrix. */
static double style_distance(const stylize *s, int layer, const double *map, double *own) {
  const int channels = s->shapes[layer].c;
  const int64_t square = (int64_t)channels * channels;
  erg_gram(map, (int64_t)s->shapes[layer].h * s->shapes[layer].w, channels, own);
  return squared_distance(own, s->gram[layer], square) / (mean_square(s->gram[layer], square) * (double)square);
}

erg_status stylize_judge(const stylize *s, const double *images, const erg_dataset *contents, stylize_distance *out,
                         erg_error *error) {
  erg_arena arena = {0};
  erg_dataset own = *contents; /* never freed by itself */
  const int64_t count = contents->count, deep = elements(s, STYLIZE_LAYERS);
  double *maps[STYLIZE_LAYERS + 1], *content = erg_arena_alloc(&arena, sizeof(double) * (size_t)(count * deep)),
                                    *gram = erg_arena_alloc(&arena, sizeof(double) * 64 * 64), style = 0;
  erg_status status = content && gram ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int m = 0; m <= STYLIZE_LAYERS && status == ERG_OK; m++) {
    maps[m] = erg_arena_alloc(&arena, sizeof(double) * (size_t)(count * elements(s, m)));
    if (!maps[m]) status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    if (status == ERG_OK && s->shapes[m].c > 64)
      status = erg_fail(error, ERG_ERR_INTERNAL, "more than 64 channels of style");
  }
  own.inputs = (double *)images;
  if (status == ERG_OK)
    status = erg_features_float(&s->encoder.graph, &s->encoder_weights, &own, s->maps, STYLIZE_LAYERS + 1, maps, error);
  if (status == ERG_OK)
    status = erg_features_float(&s->encoder.graph, &s->encoder_weights, contents, &s->maps[STYLIZE_LAYERS], 1, &content,
                                error);
  if (status == ERG_OK) {
    for (int l = 0; l < STYLIZE_LAYERS; l++)
      for (int64_t i = 0; i < count; i++) style += style_distance(s, l, maps[l] + i * elements(s, l), gram);
    *out = (stylize_distance){style / (double)(STYLIZE_LAYERS * count),
                              squared_distance(maps[STYLIZE_LAYERS], content, count * deep) /
                                  (mean_square(content, count * deep) * (double)(count * deep))};
  }
  erg_arena_free(&arena);
  return status;
}
