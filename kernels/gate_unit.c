/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "gates/shared.h"

static bool chords_ok(const erg_gate_form *form) {
  return form->segments >= 8 && form->segments < ERG_GATE_NODES && !(form->segments & (form->segments - 1));
}

/* Bits of a segment's length in Q11.20. limit is a power of two wherever a gate has chords. */
static int segment_bits(const erg_gate *gate, const erg_gate_form *form) {
  return 20 + ilogb(gate->limit) - ilogb(form->segments);
}

erg_status erg_gate_unit_init(const erg_gate *gate, const erg_gate_form *form, erg_gate_unit *unit, erg_error *error) {
  if (!gate || !form || !unit) return erg_fail(error, ERG_ERR_DATA, "gate: no gate, form or unit");
  if (!form->fixed && !chords_ok(form))
    return erg_fail(error, ERG_ERR_DATA, "%s: %s: found %d segments; allowed: 8, 16, 32 or 64", gate->name, form->name,
                    form->segments);
  erg_gate_unit made = {.gate = gate, .form = form};
  if (form->build) form->build(made.nodes);
  for (int i = 0; !form->fixed && i <= form->segments; i++)
    made.nodes[i] = (int32_t)lrintl(0x1p20L * gate->exact(i * (long double)gate->limit / form->segments));
  *unit = made;
  return ERG_OK;
}

int32_t erg_gate_unit_q20(const erg_gate_unit *unit, int32_t x) {
  const erg_gate *gate = unit->gate;
  if (unit->form->fixed) return unit->form->fixed(unit->nodes, x);
  int64_t a = x < 0 ? -(int64_t)x : x, y;
  if (a > (int64_t)gate->limit * ERG_Q20_ONE)
    y = gate->symmetry == ERG_GATE_RAMP ? a : ERG_Q20_ONE;
  else
    y = erg_chord_q20(unit->nodes, a, segment_bits(gate, unit->form));
  if (x < 0) y = gate->symmetry == ERG_GATE_COMPLEMENT ? ERG_Q20_ONE - y : gate->symmetry == ERG_GATE_ODD ? -y : y - a;
  return (int32_t)y;
}

long double erg_gate_form_real(const erg_gate *gate, const erg_gate_form *form, long double x) {
  if (form->real) return form->real(x);
  long double a = fabsl(x), h = gate->limit / form->segments, y;
  if (a > gate->limit) {
    y = gate->symmetry == ERG_GATE_RAMP ? a : 1;
  } else {
    long double i = floorl(a / h), low = gate->exact(i * h);
    y = low + (gate->exact((i + 1) * h) - low) * (a / h - i);
  }
  if (x >= 0) return y;
  return gate->symmetry == ERG_GATE_COMPLEMENT ? 1 - y : gate->symmetry == ERG_GATE_ODD ? -y : y - a;
}

erg_status erg_gate_unit_s16(const erg_gate_unit *unit, int64_t elements, const int16_t *input, erg_quantization in,
                             erg_quantization out, int16_t *output, erg_error *error) {
  if (!unit || elements < 1 || !input || !output)
    return erg_fail(error, ERG_ERR_DATA, "gate: found %lld elements or a NULL; allowed: at least 1, no NULL",
                    (long long)elements);
  erg_status status = erg_quantization_check("gate: input codes", in, error);
  if (status == ERG_OK) status = erg_quantization_check("gate: output codes", out, error);
  if (status != ERG_OK) return status;
  erg_requant to_q20 = erg_requant_from_real(in.scale * 0x1p20), from_q20 = erg_requant_from_real(0x1p-20 / out.scale);
  int64_t half = (int64_t)1 << (out.bits - 1);
  for (int64_t i = 0; i < elements; i++) {
    int64_t x = erg_q20_clamp(erg_requantize((int64_t)input[i] - in.zero_point, to_q20, 32), INT32_MIN, INT32_MAX);
    int64_t y = out.zero_point + erg_requantize(erg_gate_unit_q20(unit, (int32_t)x), from_q20, 32);
    output[i] = (int16_t)erg_q20_clamp(y, -half, half - 1);
  }
  return ERG_OK;
}
