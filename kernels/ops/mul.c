/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static erg_status infer(const erg_attrs *a, const erg_shape *in, erg_shape *out, erg_error *error) {
  (void)a;
  if (in[0].n != in[1].n || in[0].h != in[1].h || in[0].w != in[1].w || in[0].c != in[1].c)
    return erg_fail(error, ERG_ERR_DATA, "found inputs [%d, %d, %d, %d] and [%d, %d, %d, %d]; allowed: equal shapes",
                    in[0].n, in[0].h, in[0].w, in[0].c, in[1].n, in[1].h, in[1].w, in[1].c);
  *out = in[0];
  return ERG_OK;
}

static const erg_op mul = {.name = "mul",
                           .help = "elementwise product of two maps",
                           .role = ERG_ROLE_VECTOR,
                           .inputs = 2,
                           .infer = infer,
                           .parameters = erg_no_parameters,
                           .counts = erg_product_counts};
ERG_REGISTER(erg_op, mul);
