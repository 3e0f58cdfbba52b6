/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/certify.h"

/* bias - zero_point*sum(w): what an array that is fed raw codes adds. */
static void fold_zero_point(const erg_conv2d_shape *s, const erg_synth_layer *layer, int32_t zero_point,
                            int64_t *folded) {
  int64_t reduction = erg_conv2d_reduction(s);
  for (int k = 0; k < s->filters; k++) {
    int64_t sum = 0;
    for (int64_t i = 0; i < reduction; i++) sum += layer->weight[k * reduction + i];
    folded[k] = layer->bias[k] - zero_point * sum;
  }
}

erg_status erg_certify(const erg_pass *pass, const erg_precision *precision, uint64_t seed, erg_certify_row *out,
                       erg_error *error) {
  if (pass->kind != ERG_PASS_ARRAY || !erg_precision_is_int(precision))
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: only integer array passes have an accumulator to certify",
                    pass->name);
  erg_certify_row row = {.pass = pass, .reduction = erg_conv2d_reduction(&pass->conv)};
  int32_t spread = (1 << precision->activation_bits) - 1, edge = 1 << (precision->activation_bits - 1);
  int32_t top = (1 << (precision->weight_bits - 1)) - 1;
  const erg_code_range differences = {-spread, spread, 0}, weights = {-top, top, 0};
  erg_status status = erg_certificate_worst(row.reduction, &differences, &weights, 0, &row.worst, error);
  if (status != ERG_OK) return status;
  /* The chain is not run: the layer's input is synthetic, so its bias is its own; a residual has no part in the sum. */
  erg_pass alone = *pass;
  alone.residual = -1;
  erg_arena arena = {0};
  erg_synth_layer layer;
  int16_t *input;
  int32_t zero_point;
  status = erg_synth_input(&arena, pass->in_shape, precision->activation_bits, seed, &input, &zero_point, error);
  if (status == ERG_OK)
    status = erg_synth_make(&arena, &alone, precision, seed, input, zero_point, NULL, 0, &layer, error);
  if (status != ERG_OK) goto out;
  const erg_code_range golden = {-edge, edge - 1, zero_point}, raw = {-edge, edge - 1, 0};
  int64_t *folded = erg_arena_alloc(&arena, sizeof *folded * (size_t)pass->conv.filters);
  if (!folded) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  fold_zero_point(&pass->conv, &layer, zero_point, folded);
  status = erg_certificate_weights(&pass->conv, layer.weight, layer.bias, &golden, &row.golden, error);
  if (status == ERG_OK) status = erg_certificate_weights(&pass->conv, layer.weight, folded, &raw, &row.array, error);
  if (status == ERG_OK) *out = row;
out:
  erg_arena_free(&arena);
  return status;
}
