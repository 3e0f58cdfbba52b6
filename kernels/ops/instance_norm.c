/* SPDX-License-Identifier: Apache-2.0 */
#include "norm_shared.h"

static int64_t parameters(const erg_attrs *a, const erg_shape *in) {
  (void)a;
  return 2 * (int64_t)in->c; /* gamma, beta */
}

static void gather_counts(const erg_attrs *a, const erg_shape *in, erg_op_counts *n) {
  (void)a;
  erg_count_norm_gather(ERG_NORM_INSTANCE, *in, n);
}

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)a, (void)out;
  erg_count_norm_apply(ERG_NORM_INSTANCE, *in, integer, n);
}

static const erg_op instance_norm = {.name = "instance_norm",
                                     .help = "statistics of each image and channel; never folds",
                                     .role = ERG_ROLE_NORM,
                                     .inputs = 1,
                                     .infer = erg_infer_same,
                                     .parameters = parameters,
                                     .counts = counts,
                                     .norm = ERG_NORM_INSTANCE,
                                     .gather_counts = gather_counts};
ERG_REGISTER(erg_op, instance_norm);
