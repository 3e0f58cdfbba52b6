/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static int32_t fixed(const int32_t *nodes, int32_t x) {
  (void)nodes;
  return erg_hard_sigmoid_onnx_q20(x);
}

static const erg_gate_form forms[] = {{.name = "fixed",
                                       .help = "1/5 as 52429/2^18",
                                       .real = erg_hard_sigmoid_onnx_real,
                                       .fixed = fixed,
                                       .cost = {.adds = 2, .shifts = 1, .multiplies = 1, .compares = 2}}};

/* The attribute alpha is a float32 in a file, 0.2f; the function here has exactly 1/5. */
static const erg_gate hard_sigmoid_onnx = {.name = "hard_sigmoid_onnx",
                                           .help =
                                               "clamp(x/5 + 1/2, 0, 1), slope 1/5 (ONNX defaults); not hard_sigmoid",
                                           .exact = erg_hard_sigmoid_onnx_real,
                                           .symmetry = ERG_GATE_COMPLEMENT,
                                           .limit = 8,
                                           .out_low = 0,
                                           .out_high = 1,
                                           ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, hard_sigmoid_onnx);
