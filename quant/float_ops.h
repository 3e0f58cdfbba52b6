/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: operators of the float reference. */
#ifndef ERGON_QUANT_FLOAT_OPS_H
#define ERGON_QUANT_FLOAT_OPS_H
#include "ergon/quantized.h"

/* Learned tensors of a node; NULL where it has none. Array weights [R, S, C/groups, K], so that the innermost loop runs over
 * filters: sums of their own, which a compiler may vectorize without reordering one. */
typedef struct {
  const double *weight, *bias, *mean, *variance;
} erg_float_values;

void erg_float_transpose(int filters, int64_t reduction, const double *weight, double *transposed);
/* `in`: shape of the first operand. */
void erg_float_node(const erg_node *node, erg_shape in, const erg_float_values *values, const double *const *operands,
                    double *output);
#endif
