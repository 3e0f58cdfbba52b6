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

/* Both data sets draw the same sequences: only the labels differ. */
static erg_status make(const char *name, bool sentences, uint64_t seed, erg_split split, int count, erg_dataset *out,
                       erg_error *error) {
  erg_status status =
      erg_dataset_new(name, (erg_shape){1, LENGTH, 1, WIDTH}, count, CLASSES, sentences ? 1 : LENGTH, out, error);
  if (status != ERG_OK) return status;
  directions d;
  make_directions(seed, &d);
  erg_random random;
  erg_data_stream(&random, seed, "tokens", split);
  double *x = out->inputs;
  for (int i = 0; i < count; i++) {
    int whole = (int)erg_random_range(&random, 0, CLASSES - 1);
    if (sentences) out->labels[i] = whole;
    for (int t = 0; t < LENGTH; t++) {
      int own = (int)erg_random_range(&random, 0, CLASSES - 1);
      if (!sentences) out->labels[i * LENGTH + t] = own;
      for (int c = 0; c < WIDTH; c++)
        *x++ =
            TOKEN_AMPLITUDE * d.token[own][c] + SENTENCE_AMPLITUDE * d.sentence[whole][c] + erg_random_normal(&random);
    }
  }
  return ERG_OK;
}

static erg_status make_tokens(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error) {
  return make("tokens", false, seed, split, count, out, error);
}

static erg_status make_sentences(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error) {
  return make("sentences", true, seed, split, count, out, error);
}

static const erg_data_source tokens = {"tokens", "sequences of 16 vectors of 32, a class of 4 for every position", 1000,
                                       500, make_tokens};
ERG_REGISTER(erg_data_source, tokens);
static const erg_data_source sentences = {
    "sentences", "the same sequences, a class of 4 for the whole by what its tokens share", 1000, 500, make_sentences};
ERG_REGISTER(erg_data_source, sentences);
