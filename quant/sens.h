/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: what the estimators of sensitivity share. */
#ifndef ERGON_QUANT_SENS_H
#define ERGON_QUANT_SENS_H
#include "ergon/sens.h"
#include "ergon/tape.h"
#include "ergon/train.h"

typedef struct {
  const erg_graph *graph;
  const erg_dataset *data;
  const erg_sens_options *options;
  erg_tape *tape;
  erg_weights weights;   /* a copy that moves and comes back */
  erg_weights gradients; /* scratch */
  erg_weights slope;     /* gradient at the weights as they were given */
  erg_weights diagonal;  /* mean of z (H z) */
  erg_weights fisher;    /* mean of squared gradients of single examples */
} sens_bench;

/* The layer's weights in a set of tensors. */
erg_parameter *sens_layer(const erg_weights *w, int node);
void sens_clear(const erg_weights *w);
/* delta [elements] = Q(w) - w. */
erg_status sens_delta(const erg_parameter *w, int bits, double *delta, erg_error *error);
/* Mean cross entropy of all examples; with `gradients` (cleared first) its gradient. */
erg_status sens_loss(sens_bench *b, const erg_weights *gradients, double *loss, erg_error *error);
/* Fills `diagonal`, `fisher`. */
erg_status sens_hutchinson(sens_bench *b, const erg_sens *s, erg_error *error);
erg_status sens_fisher(sens_bench *b, erg_error *error);
#endif
