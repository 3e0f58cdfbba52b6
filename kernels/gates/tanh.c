/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static long double hard_real(long double x) {
  return fminl(fmaxl(x, -1), 1);
}
static int32_t hard(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return (int32_t)erg_q20_clamp(x, Q20(-1.0), Q20(1.0));
}
static long double plan_real(long double x) {
  return 2 * erg_plan_real(2 * x) - 1;
}
static int32_t plan(const int32_t *nodes, int32_t x) {
  (void)nodes;
  int32_t twice = (int32_t)erg_q20_clamp(2 * (int64_t)x, INT32_MIN, INT32_MAX);
  return 2 * erg_plan_q20(twice) - Q20(1.0);
}

static const erg_gate_form forms[] = {
    {.name = "hard", .help = "clamp(x, -1, 1)", .real = hard_real, .fixed = hard, .cost = {.compares = 2}},
    {.name = "plan",
     .help = "2 PLAN(2x) - 1",
     .real = plan_real,
     .fixed = plan,
     .cost = {.adds = 4, .shifts = 3, .compares = 5}},
    ERG_CHORDS(8, "8 chords"),
    ERG_CHORDS(16, "16 chords"),
    ERG_CHORDS(32, "32 chords"),
    ERG_CHORDS(64, "64 chords"),
};

static const erg_gate tanh_gate = {.name = "tanh",
                                   .help = "tanh(x)",
                                   .exact = tanhl,
                                   .symmetry = ERG_GATE_ODD,
                                   .limit = 4,
                                   .out_low = -1,
                                   .out_high = 1,
                                   ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, tanh_gate);
