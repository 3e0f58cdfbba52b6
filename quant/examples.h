/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: the examples of a data set, a batch of the graph's at a time. */
#ifndef ERGON_QUANT_EXAMPLES_H
#define ERGON_QUANT_EXAMPLES_H
#include "ergon/quantized.h"

/* What runs over the batches. The last one is filled up with its last example; `count` of it are examples. */
typedef struct {
  const erg_dataset *data;
  int batch, first, count;
  int64_t elements; /* of an example */
  double *input;    /* [batch, H, W, C] */
} erg_examples;

/* ERG_ERR_DATA: an empty set, another shape than the graph's input. */
erg_status erg_examples_open(const erg_graph *graph, const erg_dataset *data, erg_examples *out, erg_error *error);
bool erg_examples_next(erg_examples *examples);
void erg_examples_close(erg_examples *examples);
#endif
