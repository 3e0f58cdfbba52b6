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

/* Both scales are in one multiplier: a product is requantized once. */
static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)a, (void)in;
  uint64_t elements = (uint64_t)erg_shape_elements(*out);
  n->multiply += elements;
  if (integer) n->requantize += elements;
}

static const erg_op mul = {.name = "mul",
                           .help = "elementwise product of two maps",
                           .role = ERG_ROLE_VECTOR,
                           .inputs = 2,
                           .infer = infer,
                           .parameters = erg_no_parameters,
                           .counts = counts};
ERG_REGISTER(erg_op, mul);
