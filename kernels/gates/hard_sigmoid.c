/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static int32_t fixed(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return erg_hard_sigmoid_q20(x);
}

static const erg_gate_form forms[] = {{.name = "fixed",
                                       .help = "1/6 as 174762/2^20",
                                       .real = erg_hard_sigmoid_real,
                                       .fixed = fixed,
                                       .cost = {.adds = 2, .shifts = 1, .multiplies = 1, .compares = 2}}};

static const erg_gate hard_sigmoid = {.name = "hard_sigmoid",
                                      .help = "clamp(x + 3, 0, 6)/6, slope 1/6 (MobileNetV3); not hard_sigmoid_onnx",
                                      .exact = erg_hard_sigmoid_real,
                                      .symmetry = ERG_GATE_COMPLEMENT,
                                      .limit = 8,
                                      .out_low = 0,
                                      .out_high = 1,
                                      ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, hard_sigmoid);
