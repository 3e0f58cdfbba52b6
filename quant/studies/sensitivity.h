/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What narrower weights of one layer do to the loss: predictions from curvature, and the measurement. */
#ifndef ERGON_QUANT_STUDIES_SENSITIVITY_H
#define ERGON_QUANT_STUDIES_SENSITIVITY_H

#include "lab.h"
#include "prices.h"

enum {
  BY_QUAD,   /* half the second difference of the float loss along delta = Q(w) - w */
  BY_FISHER, /* half of sum F_ii delta_i^2, F the true Fisher diagonal: labels drawn from the model */
  BY_NORM,   /* ||delta||^2 alone: the control without curvature */
  BY_SCAN,   /* measured: the integer network with this one layer narrowed */
  ESTIMATORS
};
extern const char *const estimator_names[ESTIMATORS];

typedef struct {
  double loss[ESTIMATORS][PRICES_MOST_LAYERS * PRICES_MOST_OPTIONS]; /* increase in nat, [layer * options + option] */
  double largest_gradient_term; /* |g delta| over the quadratic term, the largest of any layer at any width */
} sensitivity;

/* On the examples of `data`. `layers` and `bits` are those of the prices. */
erg_status sensitivity_of(const lab *l, const erg_weights *weights, const erg_calibration *calibration,
                          const prices *p, const erg_dataset *data, sensitivity *out, erg_error *error);
/* Options of the quantizer for one choice of widths; `layers` [node_count] is filled. */
erg_quantize_options options_of(const prices *p, const int *option, erg_precision *layers, int node_count);

#endif
