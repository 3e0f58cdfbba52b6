/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sequences of 16 vectors of 32: each token belongs to one of 4 classes by its own content, the whole sequence to one
 * of 4 by a component that all its tokens share. `tokens` asks for the first (a label a position), `sentences` for the
 * second. */
#include "../data_shared.h"
#include <math.h>

#define LENGTH 16
#define WIDTH 32
#define CLASSES 4
#define SENTENCE_AMPLITUDE 0.6

typedef struct {
  double token[CLASSES][WIDTH], sentence[CLASSES][WIDTH];
} directions;

static void make_directions(uint64_t seed, directions *d) {
  char purpose[64];
  erg_random random;
  erg_random_stream(&random, seed, erg_data_purpose("tokens", "directions", purpose));
  for (int k = 0; k < CLASSES; k++)
    for (int i = 0; i < WIDTH; i++) {
      d->token[k][i] = erg_random_normal(&random) / sqrt(WIDTH);
      d->sentence[k][i] = erg_random_normal(&random) / sqrt(WIDTH);
    }
}

#define TOKEN_AMPLITUDE 3.0

/* Either kind of label is left out where it is NULL. */
static void fill(uint64_t seed, erg_split split, int length, double amplitude, int count, double *x, int *tokens,
                 int *sentences) {
  directions d;
  make_directions(seed, &d);
  erg_random random;
  erg_data_stream(&random, seed, "tokens", split);
  for (int i = 0; i < count; i++) {
    int whole = (int)erg_random_range(&random, 0, CLASSES - 1);
    if (sentences) sentences[i] = whole;
    for (int t = 0; t < length; t++) {
      int own = (int)erg_random_range(&random, 0, CLASSES - 1);
      if (tokens) *tokens++ = own;
      for (int c = 0; c < WIDTH; c++)
        *x++ = TOKEN_AMPLITUDE * d.token[own][c] + amplitude * d.sentence[whole][c] + erg_random_normal(&random);
    }
  }
}

erg_status erg_sequences(uint64_t seed, erg_split split, int length, double amplitude, int count, int *sentences,
                         erg_dataset *out, erg_error *error) {
  if (length < 1 || count < 1)
    return erg_fail(error, ERG_ERR_DATA, "sequences: found %d of length %d; allowed: at least 1", count, length);
  erg_status status = erg_dataset_new("tokens", (erg_shape){1, length, 1, WIDTH}, count, CLASSES, length, out, error);
  if (status == ERG_OK) fill(seed, split, length, amplitude, count, out->inputs, out->labels, sentences);
  return status;
}

/* Both data sets draw the same sequences: only the labels differ. */
static erg_status make_tokens(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error) {
  return erg_sequences(seed, split, LENGTH, SENTENCE_AMPLITUDE, count, NULL, out, error);
}

static erg_status make_sentences(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error) {
  erg_status status = erg_dataset_new("sentences", (erg_shape){1, LENGTH, 1, WIDTH}, count, CLASSES, 1, out, error);
  if (status == ERG_OK) fill(seed, split, LENGTH, SENTENCE_AMPLITUDE, count, out->inputs, NULL, out->labels);
  return status;
}

static const erg_data_source tokens = {"tokens", "sequences of 16 vectors of 32, a class of 4 for every position", 1000,
                                       500, make_tokens};
ERG_REGISTER(erg_data_source, tokens);
static const erg_data_source sentences = {
    "sentences", "the same sequences, a class of 4 for the whole by what its tokens share", 1000, 500, make_sentences};
ERG_REGISTER(erg_data_source, sentences);
