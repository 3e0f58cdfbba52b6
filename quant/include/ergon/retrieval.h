/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file retrieval.h
 *  Whether features find their like: rankings by cosine similarity, leave one out, and how good they are. Included by
 *  quant.h. */
#ifndef ERGON_RETRIEVAL_H
#define ERGON_RETRIEVAL_H

#include "ergon/quantized.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Every feature of [count, width] is a query and all others are its gallery: order [count, count - 1] are their indices
 *  by falling cosine similarity, equal ones by index, so that a tie says nothing where the order of examples is random. A
 *  feature of zeros has similarity 0 with all. count >= 2. ERG_ERR_INTERNAL: no memory. */
erg_status erg_retrieval_rank(const double *features, int count, int64_t width, int *order, erg_error *error);

typedef struct {
  int queries;      /**< those with somebody of their own class in the gallery; the others are not judged */
  double map;       /**< mean average precision: precision at the rank of each of the own class, mean over these, then
                     *   over queries */
  double recall_1;  /**< share of queries whose first hit is of their class */
  double recall_10; /**< share with one of their class among the first ten, or all where there are fewer */
} erg_retrieval_score;
/** labels [count]. No queries: NAN. */
erg_retrieval_score erg_retrieval_judge(const int *order, int count, const int *labels);
/** Share of the first `k` hits of `a` that are among the first `k` of `b`, mean over queries; 1 <= k < count. */
double erg_retrieval_overlap(const int *a, const int *b, int count, int k);
/** Mean cosine similarity between a's and b's features of the same example; a feature of zeros has 0. */
double erg_retrieval_cosine(const double *a, const double *b, int count, int64_t width);

/** What nodes of a network hold over a whole data set, as real numbers: to[i] [data count, elements of nodes[i] for one
 *  example]. ERG_ERR_DATA: no data, or of another shape than the network's input. */
erg_status erg_features_float(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data,
                              const int *nodes, int node_count, double *const *to, erg_error *error);
/** The same of the integer kernels, codes times their scale; `machine` as erg_integer_open's. ERG_ERR_DATA also: a node
 *  that is not stored because it was fused into another. */
erg_status erg_features_integer(const erg_quantized *quantized, const erg_dataset *data, erg_integer_model model,
                                const erg_integer_machine *machine, const int *nodes, int node_count, double *const *to,
                                erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
