/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/retrieval.h"
#include "ergon/tape.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double similarity;
  int index;
} hit;

static int by_similarity(const void *left, const void *right) {
  const hit *a = left, *b = right;
  if (a->similarity != b->similarity) return a->similarity < b->similarity ? 1 : -1;
  return (a->index > b->index) - (a->index < b->index);
}

/* Features of length one; of zeros stay. */
static void normalize(const double *features, int count, int64_t width, double *out) {
  for (int64_t i = 0; i < count; i++) {
    double sum = 0;
    for (int64_t k = i * width; k < (i + 1) * width; k++) sum += features[k] * features[k];
    const double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    for (int64_t k = i * width; k < (i + 1) * width; k++) out[k] = scale * features[k];
  }
}

erg_status erg_retrieval_rank(const double *features, int count, int64_t width, int *order, erg_error *error) {
  const size_t n = (size_t)count;
  double *unit = malloc(n * (size_t)width * sizeof *unit), *similarity = malloc(n * n * sizeof *similarity);
  hit *hits = malloc(n * sizeof *hits);
  erg_status status = ERG_OK;
  if (!unit || !similarity || !hits) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  normalize(features, count, width, unit);
  erg_dgemm(count, count, width, (erg_matrix){unit, width, 1}, (erg_matrix){unit, 1, width}, similarity, count, false);
  for (int query = 0; query < count; query++) {
    int others = 0;
    for (int i = 0; i < count; i++)
      if (i != query) hits[others++] = (hit){similarity[(size_t)query * n + (size_t)i], i};
    qsort(hits, (size_t)others, sizeof *hits, by_similarity);
    for (int i = 0; i < others; i++) order[(size_t)query * (n - 1) + (size_t)i] = hits[i].index;
  }
out:
  free(hits);
  free(similarity);
  free(unit);
  return status;
}

erg_retrieval_score erg_retrieval_judge(const int *order, int count, const int *labels) {
  erg_retrieval_score s = {0};
  for (int query = 0; query < count; query++) {
    const int *ranks = order + (int64_t)query * (count - 1);
    double precision = 0;
    int found = 0, first = 0;
    for (int i = 0; i < count - 1; i++) {
      if (labels[ranks[i]] != labels[query]) continue;
      if (!found) first = i + 1;
      precision += (double)++found / (i + 1);
    }
    if (!found) continue;
    s.queries++;
    s.map += precision / found;
    s.recall_1 += first == 1;
    s.recall_10 += first <= 10;
  }
  const double share = s.queries ? 1.0 / s.queries : NAN;
  s.map *= share, s.recall_1 *= share, s.recall_10 *= share;
  return s;
}

double erg_retrieval_overlap(const int *a, const int *b, int count, int k) {
  int64_t common = 0;
  for (int64_t query = 0; query < count; query++)
    for (int i = 0; i < k; i++)
      for (int j = 0; j < k; j++) common += a[query * (count - 1) + i] == b[query * (count - 1) + j];
  return (double)common / ((double)count * k);
}

double erg_retrieval_cosine(const double *a, const double *b, int count, int64_t width) {
  double total = 0;
  for (int64_t i = 0; i < count; i++) {
    double product = 0, aa = 0, bb = 0;
    for (int64_t k = i * width; k < (i + 1) * width; k++) product += a[k] * b[k], aa += a[k] * a[k], bb += b[k] * b[k];
    total += aa > 0 && bb > 0 ? product / sqrt(aa * bb) : 0;
  }
  return total / count;
}
