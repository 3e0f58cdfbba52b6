/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static long double exact(long double x) {
  return x / (1 + expl(-x));
}

static long double hard_real(long double x) {
  return x * erg_hard_sigmoid_real(x);
}
static int32_t hard(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return (int32_t)erg_q20_product(x, erg_hard_sigmoid_q20(x));
}
static long double plan_real(long double x) {
  return x * erg_plan_real(x);
}
static int32_t plan(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return (int32_t)erg_q20_product(x, erg_plan_q20(x));
}

static const erg_gate_form forms[] = {
    {.name = "hard-swish",
     .help = "x clamp(x + 3, 0, 6)/6; networks are trained with it, not converted to it",
     .real = hard_real,
     .fixed = hard,
     .cost = {.adds = 3, .shifts = 2, .multiplies = 2, .compares = 2}},
    {.name = "x-plan",
     .help = "x times PLAN's sigmoid",
     .real = plan_real,
     .fixed = plan,
     .cost = {.adds = 4, .shifts = 2, .multiplies = 1, .compares = 3}},
    ERG_CHORDS(16, "16 chords"),
    ERG_CHORDS(32, "32 chords"),
    ERG_CHORDS(64, "64 chords"),
};

static const erg_gate silu = {.name = "silu",
                              .help = "x/(1 + exp(-x)) (swish)",
                              .exact = exact,
                              .symmetry = ERG_GATE_RAMP,
                              .limit = 8,
                              .out_low = -0.2784645427610738, /* at x = -1.2784645 */
                              .out_high = 8,
                              .below_argument = true,
                              ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, silu);
