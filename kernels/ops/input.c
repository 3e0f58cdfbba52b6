/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *c) {
  (void)a, (void)in, (void)out, (void)integer, (void)c;
}

static const erg_op input = {.name = "input",
                             .help = "the network's input",
                             .role = ERG_ROLE_INPUT,
                             .infer = erg_infer_same,
                             .parameters = erg_no_parameters,
                             .counts = counts};
ERG_REGISTER(erg_op, input);
