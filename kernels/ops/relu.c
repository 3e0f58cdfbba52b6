/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"
#include <math.h>

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)a, (void)in, (void)integer;
  n->compare += 1 * (uint64_t)erg_shape_elements(*out);
}

static const erg_op relu = {.name = "relu",
                            .help = "max(x, 0)",
                            .role = ERG_ROLE_CLAMP,
                            .inputs = 1,
                            .infer = erg_infer_same,
                            .parameters = erg_no_parameters,
                            .counts = counts,
                            .clamp_high = INFINITY};
ERG_REGISTER(erg_op, relu);
