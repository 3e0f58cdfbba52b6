/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static long double exact(long double x) {
  return x * fminl(fmaxl(x + 3, 0), 6) / 6; /* one division, last: a rational tie stays one */
}
static int32_t fixed(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return (int32_t)erg_q20_product(x, erg_hard_sigmoid_q20(x));
}

static const erg_gate_form forms[] = {{.name = "fixed",
                                       .help = "1/6 as 174762/2^20",
                                       .real = exact,
                                       .fixed = fixed,
                                       .cost = {.adds = 3, .shifts = 2, .multiplies = 2, .compares = 2}}};

static const erg_gate hard_swish = {.name = "hard_swish",
                                    .help = "x clamp(x + 3, 0, 6)/6 (MobileNetV3)",
                                    .exact = exact,
                                    .symmetry = ERG_GATE_RAMP,
                                    .limit = 8,
                                    .out_low = -0.375, /* at x = -3/2 */
                                    .out_high = 8,
                                    ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, hard_swish);
