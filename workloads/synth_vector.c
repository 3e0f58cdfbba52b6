/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Synthetic parameters of what follows an array: dynamic norms and pointwise tables. */
#include "ergon/workloads.h"
#include <math.h>

#define EPSILON 1e-5 /* of all three norms, as PyTorch's and LLaMA's defaults are about */

erg_status erg_synth_norm_make(erg_arena *arena, const erg_pass *pass, const erg_precision *precision, uint64_t seed,
                               erg_synth_norm *out, erg_error *error) {
  int channels = pass->in_shape.c, top = (1 << (precision->output_bits - 1)) - 1;
  int64_t count = pass->norm == ERG_NORM_INSTANCE ? (int64_t)pass->in_shape.h * pass->in_shape.w : channels;
  double *gamma = erg_arena_alloc(arena, sizeof *gamma * (size_t)channels);
  double *beta = erg_arena_alloc(arena, sizeof *beta * (size_t)channels);
  int32_t *multiplier = erg_arena_alloc(arena, sizeof *multiplier * (size_t)channels);
  int64_t *bias = erg_arena_alloc(arena, sizeof *bias * (size_t)channels);
  if (!gamma || !beta || !multiplier || !bias) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  /* Behind a ReLU half of the codes would be lost, so the spread is larger and the zero point lowest (synth.c). */
  double spread = (pass->clamp ? 0.30 : 0.18) * (2 * top + 1), scale = 1 / spread;
  erg_random random;
  erg_random_stream(&random, seed, pass->name);
  for (int c = 0; c < channels; c++) {
    gamma[c] = 0.7 + 0.6 * erg_random_unit(&random);
    beta[c] = pass->norm == ERG_NORM_RMS ? 0 : 0.2 * erg_random_normal(&random) + (pass->clamp ? 0.33 : 0);
  }
  erg_synth_norm made = {
      .affine = {.channels = channels,
                 .multiplier = multiplier,
                 .bias = bias,
                 .zero_point = pass->clamp ? -top - 1 : (int32_t)erg_random_range(&random, -top / 16, top / 16),
                 .low = -top - 1,
                 .high = top}};
  if (pass->clamp && isfinite(pass->clamp_high)) made.affine.high -= 2 * top + 1 < 32 ? 1 : (2 * top + 1) / 32;
  erg_status status = erg_norm_epsilon(count, EPSILON, scale, &made.epsilon, error);
  if (status == ERG_OK)
    status = erg_norm_affine_build(channels, gamma, beta, scale, multiplier, bias, &made.affine.shift, error);
  *out = made;
  return status;
}

erg_status erg_synth_gate_make(erg_arena *arena, const char *name, const erg_precision *precision, int32_t zero_point,
                               int16_t **table, int32_t *output_zero_point, erg_error *error) {
  const erg_gate *gate = erg_gate_find(name);
  erg_quantization in, out, unused;
  if (!gate) return erg_fail(error, ERG_ERR_INTERNAL, "no gate is called %s", name);
  erg_gate_default_codes(gate, precision->activation_bits, &in, &unused);
  erg_gate_default_codes(gate, precision->output_bits, &unused, &out);
  in.zero_point = zero_point;
  *output_zero_point = out.zero_point;
  *table = erg_arena_alloc(arena, sizeof **table << precision->activation_bits);
  if (!*table) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  return erg_gate_table_build(gate, in, out, *table, error);
}
