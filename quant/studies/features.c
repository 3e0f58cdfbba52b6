/* SPDX-License-Identifier: GPL-3.0-or-later */
/* May an encoder run at few bits when its features are searched? Retrieval by features of the integer kernels against
 * those of the float network, for classes it was trained on and for classes that it never saw. */
#include "features.h"
#include "ergon/confidence.h"
#include "ergon/retrieval.h"
#include "ergon/tape.h"
#include "lab.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_CLASSES 7 /* labels from here on are never trained on */
#define TRAIN_EXAMPLES 1200
#define GALLERY 300
#define CALIBRATION_EXAMPLES 256
#define NEIGHBOURS 10

/* Nodes whose tensors are read, in order: the last map, its mean, the logits. */
enum { MAP, POOLED, LOGITS, NODES };
static const char *const node_names[NODES] = {"relu6", "pool", "fc"};
static const char *const splits[] = {"seen", "unseen"};
enum { SEEN, UNSEEN, SPLITS };

/* What one encoder says of one gallery. */
typedef struct {
  double *node[NODES]; /* [GALLERY, elements] */
  double *gram;        /* [GALLERY, C, C] of MAP */
} reading;

typedef struct {
  lab lab;
  erg_dataset gallery[SPLITS];
  int nodes[NODES];
  int64_t elements[NODES];
  int channels;
  erg_arena arena;
  reading real[SPLITS], other[SPLITS]; /* of the float encoder; of the one at hand */
  int *order[SPLITS][2], *own;         /* ranks of the float features: pooled, Gram; of those at hand */
} session;

/* ---- data ---- */

/* The first `count` examples of seen or of unseen classes, in place. */
static erg_status keep(erg_dataset *data, bool unseen, int count, erg_error *error) {
  const int64_t each = erg_shape_elements(data->shape);
  int kept = 0;
  for (int i = 0; i < data->count && kept < count; i++) {
    if ((data->labels[i] >= SEEN_CLASSES) != unseen) continue;
    memmove(data->inputs + kept * each, data->inputs + i * each, sizeof *data->inputs * (size_t)each);
    data->labels[kept++] = data->labels[i];
  }
  data->count = kept;
  return kept == count ? ERG_OK
                       : erg_fail(error, ERG_ERR_INTERNAL, "features: %d examples of %s classes; wanted %d", kept,
                                  splits[unseen], count);
}

static erg_status load(uint64_t seed, erg_split split, bool unseen, int count, erg_dataset *out, erg_error *error) {
  /* 7 of 10 classes are seen; a half more than what is needed on the average never falls short. */
  const int drawn = (unseen ? 5 : 2) * count;
  erg_status status = erg_dataset_load("shapes", seed, split, drawn, out, error);
  return status == ERG_OK ? keep(out, unseen, count, error) : status;
}

static erg_status room(session *s, int64_t count, double **out, erg_error *error) {
  *out = erg_arena_alloc(&s->arena, sizeof **out * (size_t)count);
  return *out ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

static erg_status make_reading(session *s, reading *r, erg_error *error) {
  erg_status status = room(s, (int64_t)GALLERY * s->channels * s->channels, &r->gram, error);
  for (int n = 0; n < NODES && status == ERG_OK; n++) status = room(s, GALLERY * s->elements[n], &r->node[n], error);
  return status;
}

static erg_status open_session(uint64_t seed, bool brief, session *s, erg_error *error) {
  *s = (session){.lab = {.seed = seed}};
  lab *l = &s->lab;
  erg_status status = erg_graph_load("shapes-cnn", LAB_BATCH, NULL, 0, &l->graph, error);
  if (status == ERG_OK)
    status = load(seed, ERG_SPLIT_TRAIN, false, brief ? TRAIN_EXAMPLES / 2 : TRAIN_EXAMPLES, &l->train, error);
  if (status == ERG_OK) status = load(seed, ERG_SPLIT_TEST, false, GALLERY, &s->gallery[SEEN], error);
  if (status == ERG_OK) status = load(seed, ERG_SPLIT_TEST, true, GALLERY, &s->gallery[UNSEEN], error);
  if (status != ERG_OK) return status;
  l->calibration = l->train; /* not freed by itself */
  l->calibration.count = CALIBRATION_EXAMPLES;
  for (int n = 0; n < NODES; n++) {
    status = lab_node(&l->graph, node_names[n], &s->nodes[n], error);
    if (status != ERG_OK) return status;
    s->elements[n] = erg_shape_elements(l->graph.nodes[s->nodes[n]].out) / LAB_BATCH;
  }
  s->channels = l->graph.nodes[s->nodes[MAP]].out.c;
  const size_t ranks = sizeof(int) * GALLERY * (GALLERY - 1);
  s->own = erg_arena_alloc(&s->arena, ranks);
  for (int split = 0; split < SPLITS && status == ERG_OK; split++) {
    status = make_reading(s, &s->real[split], error);
    if (status == ERG_OK) status = make_reading(s, &s->other[split], error);
    for (int f = 0; f < 2; f++)
      if (!(s->order[split][f] = erg_arena_alloc(&s->arena, ranks)) || !s->own)
        return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  return status;
}

static void close_session(session *s) {
  erg_arena_free(&s->arena);
  for (int split = 0; split < SPLITS; split++) erg_dataset_free(&s->gallery[split]);
  lab_close(&s->lab);
}

static void take_grams(const session *s, reading *r) {
  const int64_t pixels = s->elements[MAP] / s->channels, square = (int64_t)s->channels * s->channels;
  for (int64_t i = 0; i < GALLERY; i++)
    erg_gram(r->node[MAP] + i * s->elements[MAP], pixels, s->channels, r->gram + i * square);
}

static erg_status read_float(session *s, const erg_weights *weights, reading *to, erg_error *error) {
  erg_status status = ERG_OK;
  for (int split = 0; split < SPLITS && status == ERG_OK; split++) {
    status = erg_features_float(&s->lab.graph, weights, &s->gallery[split], s->nodes, NODES, to[split].node, error);
    if (status == ERG_OK) take_grams(s, &to[split]);
  }
  return status;
}

/* ---- what is said of an encoder ---- */

static double accuracy_of(const session *s, const double *logits, const erg_dataset *data) {
  const erg_confidence c = erg_confidence_of(logits, data->count, (int)s->elements[LOGITS], data->labels);
  return c.accuracy;
}

static erg_status add(erg_study_result *out, const session *s, const char *what, const char *of, const char *encoder,
                      const double *values, erg_error *error) {
  return erg_study_add(out, s->lab.seed, (const char *const[]){what, of, encoder, NULL}, values, error);
}

/* Ranks of one kind of feature, judged and compared with the float encoder's. */
static erg_status judge_feature(session *s, const reading *r, int split, int feature, const char *encoder,
                                erg_study_result *out, erg_error *error) {
  const bool gram = feature == 1;
  const double *own = gram ? r->gram : r->node[POOLED],
               *real = gram ? s->real[split].gram : s->real[split].node[POOLED];
  const int64_t width = gram ? (int64_t)s->channels * s->channels : s->elements[POOLED];
  int *order = r == &s->real[split] ? s->order[split][feature] : s->own;
  erg_status status = erg_retrieval_rank(own, GALLERY, width, order, error);
  if (status != ERG_OK) return status;
  const erg_retrieval_score score = erg_retrieval_judge(order, GALLERY, s->gallery[split].labels);
  const double values[FEATURES_NUMBERS] = {
      [FEATURES_MAP] = score.map,
      [FEATURES_RECALL_1] = score.recall_1,
      [FEATURES_RECALL_10] = score.recall_10,
      [FEATURES_OVERLAP] = erg_retrieval_overlap(order, s->order[split][feature], GALLERY, NEIGHBOURS),
      [FEATURES_COSINE] = erg_retrieval_cosine(own, real, GALLERY, width),
      [FEATURES_ACCURACY] = NAN,
      [FEATURES_DIAGONAL] = NAN,
      [FEATURES_SHARE] = NAN,
      [FEATURES_OFF_DIAGONAL] = NAN,
      [FEATURES_POSITIVE] = NAN};
  return add(out, s, gram ? FEATURES_GRAM : FEATURES_POOLED, splits[split], encoder, values, error);
}

static erg_status judge_encoder(session *s, const reading *r, const char *encoder, erg_study_result *out,
                                erg_error *error) {
  erg_status status = ERG_OK;
  for (int split = 0; split < SPLITS; split++)
    for (int feature = 0; feature < 2 && status == ERG_OK; feature++)
      status = judge_feature(s, &r[split], split, feature, encoder, out, error);
  double values[FEATURES_NUMBERS];
  for (int i = 0; i < FEATURES_NUMBERS; i++) values[i] = NAN;
  values[FEATURES_ACCURACY] = accuracy_of(s, r[SEEN].node[LOGITS], &s->gallery[SEEN]);
  return status == ERG_OK ? add(out, s, FEATURES_CLASSIFIER, splits[SEEN], encoder, values, error) : status;
}

/* ---- the diagonal of the Gram matrix ---- */

/* What `own` adds to the Gram matrices of the float maps, in steps^2/12, on the diagonal and off it. */
static erg_status judge_bias(session *s, const double *own_gram, double step, const char *of, const char *encoder,
                             erg_study_result *out, erg_error *error) {
  const int64_t c = s->channels, square = c * c, elements = GALLERY * s->elements[MAP];
  double diagonal = 0, real = 0, off = 0, positive = 0, values[FEATURES_NUMBERS];
  for (int64_t i = 0; i < GALLERY * square; i++) {
    const double difference = own_gram[i] - s->real[SEEN].gram[i];
    if (i % square / c == i % c)
      diagonal += difference, real += s->real[SEEN].gram[i];
    else
      off += difference;
  }
  for (int64_t i = 0; i < elements; i++) positive += s->real[SEEN].node[MAP][i] > 0;
  for (int i = 0; i < FEATURES_NUMBERS; i++) values[i] = NAN;
  values[FEATURES_DIAGONAL] = diagonal / (double)(GALLERY * c) * 12 / (step * step);
  values[FEATURES_SHARE] = diagonal / real;
  values[FEATURES_OFF_DIAGONAL] = off / (double)(GALLERY * (square - c)) * 12 / (step * step);
  values[FEATURES_POSITIVE] = positive / (double)elements;
  return add(out, s, FEATURES_BIAS, of, encoder, values, error);
}

/* The float map rounded to `bits` by itself, over a range that clips nothing. */
static erg_status judge_rounding(session *s, int bits, const char *encoder, erg_study_result *out, erg_error *error) {
  const int64_t elements = GALLERY * s->elements[MAP];
  const double *real = s->real[SEEN].node[MAP];
  reading *r = &s->other[SEEN];
  erg_range range = {0, 0};
  for (int64_t i = 0; i < elements; i++) range.high = fmax(range.high, real[i]);
  const erg_grid grid = erg_grid_over(range, bits);
  for (int64_t i = 0; i < elements; i++)
    r->node[MAP][i] = erg_grid_real(grid, erg_quantization_round(grid, (long double)real[i]));
  take_grams(s, r);
  return judge_bias(s, r->gram, grid.scale, FEATURES_ROUNDING, encoder, out, error);
}

/* ---- one seed ---- */

static erg_status run_width(session *s, const erg_weights *weights, const erg_calibration *calibration, size_t width,
                            erg_study_result *out, erg_error *error) {
  const features_width *w = &features_widths[width];
  erg_quantize_options options = {.calibration = ERG_CALIBRATE_MSE};
  erg_quantized quantized = {0};
  erg_status status = erg_precision_parse(w->precision, &options.precision, error);
  if (status == ERG_OK) status = erg_quantize(&s->lab.graph, weights, calibration, &options, &quantized, error);
  for (int split = 0; split < SPLITS && status == ERG_OK; split++) {
    status = erg_features_integer(&quantized, &s->gallery[split], ERG_INTEGER_FAST, NULL, s->nodes, NODES,
                                  s->other[split].node, error);
    if (status == ERG_OK) take_grams(s, &s->other[split]);
  }
  if (status == ERG_OK) status = judge_encoder(s, s->other, w->name, out, error);
  if (status == ERG_OK && w->bits) {
    status =
        judge_bias(s, s->other[SEEN].gram, quantized.grids[s->nodes[MAP]].scale, FEATURES_NETWORK, w->name, out, error);
    if (status == ERG_OK) status = judge_rounding(s, w->bits, w->name, out, error);
  }
  erg_quantized_free(&quantized);
  return status;
}

static erg_status run_random(session *s, erg_study_result *out, erg_error *error) {
  erg_weights weights = {0};
  erg_status status = erg_weights_new(&s->lab.graph, &weights, error);
  if (status != ERG_OK) return status;
  erg_weights_initialize(&weights, s->lab.seed); /* where training began */
  status = read_float(s, &weights, s->other, error);
  if (status == ERG_OK) status = judge_encoder(s, s->other, FEATURES_RANDOM, out, error);
  erg_weights_free(&weights);
  return status;
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  const erg_train_options training = {
      .epochs = out->brief ? 4 : 12, .batch = 32, .learning_rate = 3e-3, .optimizer = "adam"};
  session s;
  erg_weights weights = {0};
  erg_calibration calibration = {0};
  erg_status status = open_session(seed, out->brief, &s, error);
  if (status == ERG_OK) status = lab_train(&s.lab, training, &weights, error);
  if (status == ERG_OK) status = read_float(&s, &weights, s.real, error);
  if (status == ERG_OK) status = judge_encoder(&s, s.real, FEATURES_FLOAT, out, error);
  if (status == ERG_OK) status = erg_calibrate(&s.lab.graph, &weights, &s.lab.calibration, &calibration, error);
  for (size_t w = 0; w < FEATURES_WIDTHS && status == ERG_OK; w++)
    status = run_width(&s, &weights, &calibration, w, out, error);
  if (status == ERG_OK) status = run_random(&s, out, error);
  erg_calibration_free(&calibration);
  erg_weights_free(&weights);
  close_session(&s);
  return status;
}

const features_width features_widths[FEATURES_WIDTHS] = {
    {"8 bit", "w8a8", 8}, {"6 bit", "w6a6", 6}, {"5 bit", "w5a5", 5}, {"4 bit", "w4a4", 4},
    {"3 bit", "w3a3", 3}, {"2 bit", "w2a2", 2}, {"w4a8", "w4a8", 0},  {"w8a4", "w8a4", 0},
};

static const char *const texts[] = {"what", "of", "encoder", NULL};
static const char *const numbers[] = {"map",
                                      "recall_1",
                                      "recall_10",
                                      "overlap_10",
                                      "cosine",
                                      "accuracy",
                                      "diagonal_bias_s2_12",
                                      "diagonal_bias_share",
                                      "off_diagonal_bias_s2_12",
                                      "positive_share",
                                      NULL};
static const erg_study features = {"features", "May an encoder run at few bits when its features are searched",
                                   12,         {texts, numbers},
                                   run_seed,   features_judge,
                                   NULL};
ERG_REGISTER(erg_study, features);
