/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/gates.h"
#include <math.h>
#include <string.h>

const erg_gate *erg_gate_find(const char *name) {
  ERG_EACH(erg_gate, item)
  if (name && strcmp((*item)->name, name) == 0) return *item;
  return NULL;
}

const erg_gate_form *erg_gate_form_find(const erg_gate *gate, const char *name) {
  for (int i = 0; gate && name && i < gate->form_count; i++)
    if (strcmp(gate->forms[i].name, name) == 0) return &gate->forms[i];
  return NULL;
}

void erg_gate_default_codes(const erg_gate *gate, int bits, erg_quantization *in, erg_quantization *out) {
  int32_t half = 1 << (bits - 1), levels = 2 * half - 1;
  *in = (erg_quantization){gate->limit / half, 0, bits};
  if (gate->symmetry == ERG_GATE_NEGATIVE) *in = (erg_quantization){gate->limit / levels, half - 1, bits};
  if (gate->out_low == 0 && gate->out_high == 1) {
    *out = (erg_quantization){0.5 / half, -half, bits};
  } else if (gate->out_low == -1 && gate->out_high == 1) {
    *out = (erg_quantization){1.0 / half, 0, bits};
  } else {
    double scale = (gate->out_high - gate->out_low) / levels;
    *out = (erg_quantization){scale, -half - (int32_t)lrint(gate->out_low / scale), bits};
  }
}
