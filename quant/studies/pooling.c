/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the mean over tokens averages quantization noise away. A block of a transformer with a head for each token
 * and one for their mean is trained, then run in integers with one thing rounded at a time; error of the mean against
 * error of a token, over the length of the sequence. */
#include "pooling.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const erg_encoder_shape shape = {32, 64, 4};

#define MEASURED 64      /* sequences of a length: errors */
#define JUDGED 1000      /* sequences: accuracies */
#define CALIBRATED 16384 /* tokens: where few are seen the rest is clipped, which is no rounding */
#define TRAINED 1000
#define EPOCHS 10
#define EASY 0.6    /* what the tokens of a sentence share in the built-in data */
#define MATCHED 0.8 /* the same at length 16 where a sentence is as hard as a token */

static const int lengths[POOLING_LENGTHS] = {4, 8, 16, 32, 64, 128};
const char *const pooling_lengths[POOLING_LENGTHS] = {"4", "8", "16", "32", "64", "128"};
const char *const pooling_sources[POOLING_SOURCES] = {
    "none",    "features", "activations",      "probabilities",        "activations and probabilities",
    "weights", "all",      "all and the mean", "activations of 8 bits"};
static const erg_encoder_widths widths[POOLING_SOURCES] = {
    [POOLING_NONE] = {16, 16, 16, 16, 16, 16},     [POOLING_FEATURES] = {16, 16, 16, 16, 4, 16},
    [POOLING_ACTIVATIONS] = {16, 4, 8, 16, 4, 16}, [POOLING_PROBABILITIES] = {16, 16, 16, 4, 16, 16},
    [POOLING_BOTH] = {16, 4, 8, 4, 4, 16},         [POOLING_WEIGHTS] = {4, 16, 16, 16, 16, 16},
    [POOLING_ALL] = {4, 4, 8, 8, 4, 16},           [POOLING_ALL_MEAN] = {4, 4, 8, 8, 4, 4},
    [POOLING_EIGHT] = {16, 8, 8, 16, 8, 16}};
const char *const pooling_widths[POOLING_WIDTHS] = {"log2 T", "log2 T + 1", "log2 T + 2", "log2 T + 3", "log2 T + 4"};
static const int matched[POOLING_MATCHED] = {8, 32, 128};
const char *const pooling_matched[POOLING_MATCHED] = {"8", "32", "128"};

/* ---- sequences, what they are in float, and room for what they are in integers ---- */

typedef struct {
  erg_arena arena;
  erg_dataset data;
  int *sentences;
  double *real[ERG_ENCODER_TENSORS];
  int16_t *codes[ERG_ENCODER_TENSORS];
  erg_range ranges[ERG_ENCODER_TENSORS]; /* of the calibration set of the same length */
} sequences;

static void close_sequences(sequences *s) {
  erg_dataset_free(&s->data);
  erg_arena_free(&s->arena);
}

static erg_status draw(uint64_t seed, erg_split split, int length, double amplitude, int count, sequences *out,
                       erg_error *error) {
  *out = (sequences){0};
  out->sentences = erg_arena_alloc(&out->arena, sizeof(int) * (size_t)count);
  if (!out->sentences) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  return erg_sequences(seed, split, length, amplitude, count, out->sentences, &out->data, error);
}

/* Every token of a sequence is its first. */
static void repeat_first(erg_dataset *data) {
  for (int n = 0; n < data->count; n++) {
    double *first = data->inputs + (int64_t)n * data->shape.h * data->shape.c;
    for (int t = 1; t < data->shape.h; t++)
      memcpy(first + t * data->shape.c, first, sizeof(double) * (size_t)data->shape.c);
  }
}

/* In float, over the ranges of a calibration set. */
static erg_status run_float(uint64_t seed, const erg_weights *weights, double amplitude, sequences *s,
                            erg_error *error) {
  sequences calibration;
  erg_status status =
      draw(seed, ERG_SPLIT_CALIBRATION, s->data.shape.h, amplitude, CALIBRATED / s->data.shape.h, &calibration, error);
  if (status == ERG_OK) status = erg_encoder_float(&shape, weights, &calibration.data, NULL, s->ranges, error);
  close_sequences(&calibration);
  for (int i = 0; i < ERG_ENCODER_TENSORS && status == ERG_OK; i++) {
    const size_t elements = (size_t)erg_encoder_elements(&shape, i, s->data.count, s->data.shape.h);
    const bool compared = i == ERG_ENCODER_MIX || i == ERG_ENCODER_FEATURES || i > ERG_ENCODER_POOLED;
    if (i == ERG_ENCODER_SCORES) continue;
    if (compared) s->real[i] = erg_arena_alloc(&s->arena, sizeof *s->real[i] * elements);
    s->codes[i] = erg_arena_alloc(&s->arena, sizeof *s->codes[i] * elements);
    if ((compared && !s->real[i]) || !s->codes[i]) status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  return status == ERG_OK ? erg_encoder_float(&shape, weights, &s->data, s->real, NULL, error) : status;
}

static erg_status run_integer(const erg_weights *weights, const erg_encoder_widths *w, sequences *s,
                              erg_grid grids[ERG_ENCODER_TENSORS], erg_error *error) {
  erg_encoder e = {0};
  erg_status status = erg_encoder_quantize(&shape, weights, s->ranges, w, s->data.shape.h, &e, error);
  if (status != ERG_OK) return status;
  status = erg_encoder_run(&e, s->data.inputs, s->data.count, s->codes, error);
  memcpy(grids, e.grids, sizeof e.grids);
  erg_encoder_free(&e);
  return status;
}

/* ---- errors ---- */

enum {
  RATIO,
  RELATIVE,
  FIRST,
  TOKEN_ERROR,
  POOLED_ERROR,
  MASS,
  MIX_SQNR,
  TOKEN_ACCURACY,
  SENTENCE_ACCURACY,
  TOKEN_FLIPS,
  SENTENCE_FLIPS,
  NUMBERS
};
static const char *const numbers[] = {
    "ratio",       "relative_ratio", "first_ratio",       "token_error_rms", "pooled_error_rms", "probability_mass",
    "mix_sqnr_db", "token_accuracy", "sentence_accuracy", "token_flips",     "sentence_flips",   NULL};
static const char *const texts[] = {"part", "rounded", "tokens", NULL};

static erg_status add(erg_study_result *out, uint64_t seed, const char *part, const char *rounded, const char *tokens,
                      const double *values, erg_error *error) {
  return erg_study_add(out, seed, (const char *const[]){part, rounded, tokens}, values, error);
}

static void no_numbers(double *values) {
  for (int i = 0; i < NUMBERS; i++) values[i] = NAN;
}

/* Sums of squares, of a token and of the mean: of errors, and of the features about their means over all. */
typedef struct {
  double token, pooled, first, token_signal, pooled_signal;
} squares;

/* Of one channel. The mean of codes is exact: it is the pool's accumulator before it is rounded. */
static void add_channel(const sequences *s, erg_grid grid, int channel, squares *sums) {
  const int length = s->data.shape.h, count = s->data.count, width = shape.width;
  const double *real = s->real[ERG_ENCODER_FEATURES];
  const int16_t *codes = s->codes[ERG_ENCODER_FEATURES];
  double all = 0, tokens = 0, means = 0;
  for (int n = 0; n < count; n++) {
    double error = 0, mean = 0;
    for (int t = 0; t < length; t++) {
      const int64_t at = ((int64_t)n * length + t) * width + channel;
      const double e = erg_grid_real(grid, codes[at]) - real[at];
      sums->token += e * e / length;
      if (t == 0) sums->first += e * e;
      error += e / length;
      mean += real[at] / length;
      tokens += real[at] * real[at] / length;
    }
    sums->pooled += error * error;
    all += mean;
    means += mean * mean;
  }
  sums->token_signal += tokens - all * all / count;
  sums->pooled_signal += means - all * all / count;
}

static void measure(const sequences *s, const erg_grid *grids, double *values) {
  squares sums = {0};
  for (int c = 0; c < shape.width; c++) add_channel(s, grids[ERG_ENCODER_FEATURES], c, &sums);
  const double number = (double)s->data.count * shape.width;
  values[RATIO] = sqrt(sums.pooled / sums.token);
  values[RELATIVE] = values[RATIO] * sqrt(sums.token_signal / sums.pooled_signal);
  values[FIRST] = sqrt(sums.first / sums.token);
  values[TOKEN_ERROR] = sqrt(sums.token / number);
  values[POOLED_ERROR] = sqrt(sums.pooled / number);
}

/* What is left of the probabilities' sum of 1, and what that does to the mix. */
static void measure_attention(const sequences *s, const erg_grid *grids, double *values) {
  const int length = s->data.shape.h, count = s->data.count;
  const int64_t pairs = erg_encoder_elements(&shape, ERG_ENCODER_PROBABILITIES, count, length),
                mixes = erg_encoder_elements(&shape, ERG_ENCODER_MIX, count, length);
  double mass = 0, signal = 0, noise = 0;
  for (int64_t i = 0; i < pairs; i++)
    mass += erg_grid_real(grids[ERG_ENCODER_PROBABILITIES], s->codes[ERG_ENCODER_PROBABILITIES][i]);
  for (int64_t i = 0; i < mixes; i++) {
    const double real = s->real[ERG_ENCODER_MIX][i],
                 e = erg_grid_real(grids[ERG_ENCODER_MIX], s->codes[ERG_ENCODER_MIX][i]) - real;
    signal += real * real, noise += e * e;
  }
  values[MASS] = mass / ((double)count * length);
  values[MIX_SQNR] = 10 * log10(signal / noise);
}

static erg_status run_length(uint64_t seed, const erg_weights *weights, int index, erg_study_result *out,
                             erg_error *error) {
  double values[NUMBERS];
  erg_grid grids[ERG_ENCODER_TENSORS];
  sequences s, same;
  const char *name = pooling_lengths[index];
  erg_status status = draw(seed, ERG_SPLIT_TEST, lengths[index], EASY, MEASURED, &s, error);
  if (status == ERG_OK) status = run_float(seed, weights, EASY, &s, error);
  for (int i = 0; i < POOLING_SOURCES && status == ERG_OK; i++) {
    status = run_integer(weights, &widths[i], &s, grids, error);
    if (status != ERG_OK) break;
    no_numbers(values);
    measure(&s, grids, values);
    measure_attention(&s, grids, values);
    status = add(out, seed, "length", pooling_sources[i], name, values, error);
  }
  for (int i = 0; i < POOLING_WIDTHS && status == ERG_OK; i++) {
    const erg_encoder_widths alone = {16, 16, 16, index + 2 + i, 16, 16}; /* log2 T is index + 2 */
    status = run_integer(weights, &alone, &s, grids, error);
    if (status != ERG_OK) break;
    no_numbers(values);
    measure(&s, grids, values);
    measure_attention(&s, grids, values);
    status = add(out, seed, "width", pooling_widths[i], name, values, error);
  }
  close_sequences(&s);
  if (status != ERG_OK) return status;
  status = draw(seed, ERG_SPLIT_TEST, lengths[index], EASY, MEASURED, &same, error);
  if (status == ERG_OK) {
    repeat_first(&same.data);
    status = run_float(seed, weights, EASY, &same, error);
  }
  if (status == ERG_OK) status = run_integer(weights, &widths[POOLING_ALL], &same, grids, error);
  if (status == ERG_OK) {
    no_numbers(values);
    measure(&same, grids, values);
    status = add(out, seed, "identical", pooling_sources[POOLING_ALL], name, values, error);
  }
  close_sequences(&same);
  return status;
}

/* ---- accuracies ---- */

static int largest(const double *logits) {
  int best = 0;
  for (int k = 1; k < shape.classes; k++)
    if (logits[k] > logits[best]) best = k;
  return best;
}

/* Shares of rows whose largest logit names the label, in float and in integers, and where the two differ. The first of
 * equal logits counts: with 16 bits ties are rare. */
static void judge_head(const sequences *s, int tensor, erg_grid grid, int64_t rows, const int *labels, double *real,
                       double *integer, double *flips) {
  double logits[8];
  int64_t good = 0, right = 0, moved = 0;
  for (int64_t r = 0; r < rows; r++) {
    const int before = largest(s->real[tensor] + r * shape.classes);
    for (int k = 0; k < shape.classes; k++) logits[k] = erg_grid_real(grid, s->codes[tensor][r * shape.classes + k]);
    const int after = largest(logits);
    good += before == labels[r], right += after == labels[r], moved += before != after;
  }
  *real = (double)good / (double)rows, *integer = (double)right / (double)rows, *flips = (double)moved / (double)rows;
}

static erg_status judge_accuracy(uint64_t seed, const erg_weights *weights, int length, double amplitude,
                                 const char *part, erg_study_result *out, erg_error *error) {
  static const pooling_source asked[] = {POOLING_ALL, POOLING_ALL_MEAN, POOLING_ACTIVATIONS, POOLING_WEIGHTS};
  double real[NUMBERS], values[NUMBERS];
  erg_grid grids[ERG_ENCODER_TENSORS];
  sequences s;
  char name[16];
  snprintf(name, sizeof name, "%d", length);
  erg_status status = draw(seed, ERG_SPLIT_TEST, length, amplitude, JUDGED, &s, error);
  if (status == ERG_OK) status = run_float(seed, weights, amplitude, &s, error);
  for (size_t i = 0; i < ERG_COUNT_OF(asked) && status == ERG_OK; i++) {
    status = run_integer(weights, &widths[asked[i]], &s, grids, error);
    if (status != ERG_OK) break;
    no_numbers(real), no_numbers(values);
    measure(&s, grids, values);
    judge_head(&s, ERG_ENCODER_TOKEN, grids[ERG_ENCODER_TOKEN], (int64_t)JUDGED * length, s.data.labels,
               &real[TOKEN_ACCURACY], &values[TOKEN_ACCURACY], &values[TOKEN_FLIPS]);
    judge_head(&s, ERG_ENCODER_SENTENCE, grids[ERG_ENCODER_SENTENCE], JUDGED, s.sentences, &real[SENTENCE_ACCURACY],
               &values[SENTENCE_ACCURACY], &values[SENTENCE_FLIPS]);
    if (i == 0) status = add(out, seed, part, "float", name, real, error);
    if (status == ERG_OK) status = add(out, seed, part, pooling_sources[asked[i]], name, values, error);
  }
  close_sequences(&s);
  return status;
}

/* ---- a seed ---- */

static erg_status train(uint64_t seed, int length, double amplitude, bool brief, erg_weights *out, erg_error *error) {
  erg_weights weights = {0};
  sequences s;
  erg_status status = draw(seed, ERG_SPLIT_TRAIN, length, amplitude, TRAINED, &s, error);
  if (status == ERG_OK) status = erg_encoder_weights(&shape, seed, &weights, error);
  if (status == ERG_OK)
    status = erg_encoder_train(&shape, &s.data, s.sentences, brief ? 3 : EPOCHS, 32, 3e-3, seed, &weights, error);
  close_sequences(&s);
  if (status == ERG_OK)
    *out = weights;
  else
    erg_weights_free(&weights);
  return status;
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  erg_weights weights = {0};
  erg_status status = train(seed, POOLING_TRAINED, EASY, out->brief, &weights, error);
  for (int i = 0; i < POOLING_LENGTHS && status == ERG_OK; i++) status = run_length(seed, &weights, i, out, error);
  if (status == ERG_OK) status = judge_accuracy(seed, &weights, POOLING_TRAINED, EASY, "built-in", out, error);
  erg_weights_free(&weights);
  for (int i = 0; i < POOLING_MATCHED && status == ERG_OK && !out->brief; i++) {
    const double amplitude = MATCHED * sqrt((double)POOLING_TRAINED / matched[i]);
    status = train(seed, matched[i], amplitude, out->brief, &weights, error);
    if (status == ERG_OK) status = judge_accuracy(seed, &weights, matched[i], amplitude, "matched", out, error);
    erg_weights_free(&weights);
  }
  return status;
}

static const erg_study pooling = {"pooling", "Whether the mean over tokens averages quantization noise away",
                                  10,        {texts, numbers},
                                  run_seed,  pooling_judge};
ERG_REGISTER(erg_study, pooling);
