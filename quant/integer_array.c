/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "integer_run.h"

static int widest(int a, int b) {
  return a > b ? a : b;
}

/* Narrower layers run on the widest one's array: their codes fit and their limits are the epilogue's clamp. */
static erg_status widest_precision(const erg_quantized *q, erg_precision *out, erg_error *error) {
  *out = (erg_precision){ERG_FORMAT_INT, 0, 0, 0, 0};
  for (int i = 0; i < q->plan.pass_count; i++) {
    if (q->plan.passes[i].kind != ERG_PASS_ARRAY) continue;
    const erg_precision *p = &q->layers[i].precision;
    if (out->accumulator_bits && out->accumulator_bits != p->accumulator_bits)
      return erg_fail(error, ERG_ERR_UNSUPPORTED,
                      "%s: accumulators of %d bits beside %d: one array has one width (write A%d for all layers)",
                      q->plan.passes[i].name, p->accumulator_bits, out->accumulator_bits,
                      widest(p->accumulator_bits, out->accumulator_bits));
    out->accumulator_bits = p->accumulator_bits;
    out->weight_bits = widest(out->weight_bits, p->weight_bits);
    out->activation_bits = widest(out->activation_bits, p->activation_bits);
    out->output_bits = widest(out->output_bits, p->output_bits);
  }
  if (!out->weight_bits) return erg_fail(error, ERG_ERR_UNSUPPORTED, "no layer runs on an array");
  return ERG_OK;
}

erg_status erg_quant_array_open(const erg_quantized *q, const erg_integer_machine *machine, erg_quant_array *out,
                                erg_error *error) {
  *out = (erg_quant_array){.point = *machine->point, .gap_probability = machine->gap_probability};
  out->point.graph = q->graph;
  out->point.fusion = ERG_FUSION_EPILOGUE; /* the only array there is in RTL; a plan without fusion leaves it idle */
  erg_status status = widest_precision(q, &out->point.precision, error);
  if (status != ERG_OK) return status;
  const erg_verify_options options = {.quiet = machine->quiet, .mutant = machine->mutant, .only_case = -1};
  return erg_verify_open(&out->point, &options, 0, &out->rtl, error);
}

erg_status erg_quant_array_run(const erg_quant_array *array, const erg_quantized *q, const erg_quantized_layer *layer,
                               const int16_t *input, const int16_t *residual, int16_t *output, erg_error *error) {
  const erg_pass *pass = &q->plan.passes[layer->pass];
  erg_geometry geometry;
  erg_mapping mapping;
  erg_activity activity;
  erg_geometry_at(&array->point, pass, &geometry);
  erg_status status = erg_map(array->point.arch, &geometry, &mapping, error);
  if (status != ERG_OK) return status;
  erg_rtl_run run = {.input = input,
                     .input_zero_point = layer->input.zero_point,
                     .residual = residual,
                     .layer = &layer->codes,
                     .output = output,
                     .rtl = array->rtl,
                     .gap_probability = array->gap_probability,
                     .gap_seed = array->point.seed};
  return erg_systemc(array->point.arch, &geometry, &mapping, &pass->int_counts, &run, &activity, error);
}

void erg_quant_array_close(erg_quant_array *array) {
  erg_rtl_close(array->rtl);
  array->rtl = NULL;
}
