/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant/ops: y = gamma * xhat + beta, xhat = (x - mean)/sqrt(variance + epsilon) over groups of elements. A group
 * is a channel of the batch, a channel of an image or the channels of a pixel. */
#ifndef ERGON_QUANT_OPS_NORM_H
#define ERGON_QUANT_OPS_NORM_H
#include "shared.h"

typedef struct {
  int64_t groups, count; /* how many, and elements each */
  int64_t outer, inner;  /* element e of group g lies at (g / inner) * outer + g % inner + e * stride */
  int64_t stride;
} erg_norm_groups;

/* saved: xhat [elements], then 1/sqrt(variance + epsilon) [groups]. `centred`: with the mean taken off. */
int64_t erg_norm_saved(erg_shape shape, const erg_norm_groups *groups);
/* x[2] is beta, or absent where `centred` is false. mean and variance [groups] receive the statistics, or NULL. */
void erg_norm_forward(erg_tape_step *step, const erg_norm_groups *groups, bool centred, double *mean, double *variance);
void erg_norm_backward(erg_tape_step *step, const erg_norm_groups *groups, bool centred);
/* gamma and beta, where there is one, a channel each. */
erg_status erg_norm_check(const erg_shape *in, bool beta, erg_error *error);
#endif
