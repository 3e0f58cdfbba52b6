/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static long double quarter_real(long double x) {
  return fminl(fmaxl(x / 4 + 0.5L, 0), 1);
}
static int32_t quarter(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return (int32_t)erg_q20_clamp((x >> 2) + Q20(0.5), 0, Q20(1.0));
}
static int32_t plan(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return erg_plan_q20(x);
}
static int32_t hard(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return erg_hard_sigmoid_q20(x);
}
static int32_t hard_onnx(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return erg_hard_sigmoid_onnx_q20(x);
}

static const erg_gate_form forms[] = {
    {.name = "shift",
     .help = "clamp(x/4 + 1/2, 0, 1)",
     .real = quarter_real,
     .fixed = quarter,
     .cost = {.adds = 1, .shifts = 1, .compares = 2}},
    {.name = "hard",
     .help = "clamp(x + 3, 0, 6)/6 (MobileNetV3)",
     .real = erg_hard_sigmoid_real,
     .fixed = hard,
     .cost = {.adds = 2, .shifts = 1, .multiplies = 1, .compares = 2}},
    {.name = "hard-onnx",
     .help = "clamp(x/5 + 1/2, 0, 1) (ONNX HardSigmoid defaults): not `hard`",
     .real = erg_hard_sigmoid_onnx_real,
     .fixed = hard_onnx,
     .cost = {.adds = 2, .shifts = 1, .multiplies = 1, .compares = 2}},
    {.name = "plan",
     .help = "four segments from shifts (Amin 1997)",
     .real = erg_plan_real,
     .fixed = plan,
     .cost = {.adds = 3, .shifts = 1, .compares = 3}},
    ERG_CHORDS(8, "8 chords"),
    ERG_CHORDS(16, "16 chords"),
    ERG_CHORDS(32, "32 chords"),
    ERG_CHORDS(64, "64 chords"),
};

static const erg_gate sigmoid = {.name = "sigmoid",
                                 .help = "1/(1 + exp(-x))",
                                 .exact = erg_sigmoid_real,
                                 .symmetry = ERG_GATE_COMPLEMENT,
                                 .limit = 8,
                                 .out_low = 0,
                                 .out_high = 1,
                                 ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, sigmoid);
