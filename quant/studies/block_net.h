/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks that differ in their blocks alone. */
#ifndef ERGON_QUANT_STUDIES_BLOCK_NET_H
#define ERGON_QUANT_STUDIES_BLOCK_NET_H

#include "ergon/workloads.h"

#define BLOCKS_DENSE_CHANNELS 12
#define BLOCKS_DEPTHWISE_CHANNELS 26 /* the MACs are equal within 3 %, the wider stem and last layer included */

typedef struct {
  bool depthwise;   /* 3 x 3 depthwise and 1 x 1 in place of 3 x 3, as wide as makes the MACs equal */
  const char *norm; /* operator behind every convolution, or NULL: a bias */
  const char *gate; /* operator of a squeeze-and-excitation behind every block, or NULL: none */
} block_kind;

/* For 16 x 16 images of one channel and 10 classes: a stem, two blocks, a layer. NULL: no memory. */
const char *block_net_text(const block_kind *kind, erg_arena *arena);
/* The same loaded at a batch. */
erg_status block_net_load(const block_kind *kind, int batch, erg_graph *out, erg_error *error);

#endif
