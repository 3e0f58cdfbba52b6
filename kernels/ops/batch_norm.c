/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static int64_t parameters(const erg_attrs *a, const erg_shape *in) {
  (void)a;
  return 2 * (int64_t)in->c; /* the affine; running statistics are not learned */
}

/* y = a[c]*x + b[c]: an integer pass is a bias add and a requantize a code, a floating one a multiply and an add. */
static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)a, (void)in;
  uint64_t elements = (uint64_t)erg_shape_elements(*out);
  n->add += elements;
  *(integer ? &n->requantize : &n->multiply) += elements;
}

static const erg_op batch_norm = {.name = "batch_norm",
                                  .help = "static per-channel affine; folds into its producer",
                                  .role = ERG_ROLE_BATCH_NORM,
                                  .inputs = 1,
                                  .infer = erg_infer_same,
                                  .parameters = parameters,
                                  .counts = counts};
ERG_REGISTER(erg_op, batch_norm);
