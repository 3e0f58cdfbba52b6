/* SPDX-License-Identifier: Apache-2.0 */
/* Pointwise functions as nodes of a network: each by its exact table over codes (gates.h). */
#include "shared.h"

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)a, (void)in, (void)integer;
  n->gate += (uint64_t)erg_shape_elements(*out);
}

#define GATE(function, text)                                                                                           \
  static const erg_op function##_node = {.name = #function,                                                            \
                                         .help = text,                                                                 \
                                         .role = ERG_ROLE_GATE,                                                        \
                                         .inputs = 1,                                                                  \
                                         .infer = erg_infer_same,                                                      \
                                         .parameters = erg_no_parameters,                                              \
                                         .counts = counts,                                                             \
                                         .gate = #function};                                                           \
  ERG_REGISTER(erg_op, function##_node)

GATE(sigmoid, "1/(1 + exp(-x))");
GATE(tanh, "hyperbolic tangent");
GATE(silu, "x/(1 + exp(-x))");
GATE(gelu, "x times the normal distribution function");
GATE(hard_sigmoid, "clamp(x + 3, 0, 6)/6");
GATE(hard_swish, "x clamp(x + 3, 0, 6)/6");
