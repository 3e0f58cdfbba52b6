/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/squeeze_excite.h"
#include "check.h"
#include <string.h>

static erg_conv2d_shape layer(int n, int inputs, int outputs) {
  return (erg_conv2d_shape){.in = {n, 1, 1, inputs},
                            .filters = outputs,
                            .kernel_h = 1,
                            .kernel_w = 1,
                            .stride_h = 1,
                            .stride_w = 1,
                            .groups = 1,
                            .out_h = 1,
                            .out_w = 1};
}

erg_status erg_squeeze_excite_s16(const erg_squeeze_excite *se, const int16_t *input, int16_t *scratch, int16_t *output,
                                  erg_error *error) {
  if (!se || !scratch || !output || !se->reduce || se->squeezed < 1)
    return erg_fail(error, ERG_ERR_DATA, "squeeze and excite: a NULL, or no channels between the layers");
  erg_status status = erg_check_shape("squeeze and excite", se->shape, error);
  if (status != ERG_OK) return status;
  int n = se->shape.n, c = se->shape.c, m = se->squeezed;
  int16_t *mean = scratch, *gate = mean + (int64_t)n * c, *hidden = gate + (int64_t)n * c;
  erg_conv2d_shape reduce = layer(n, c, m), expand = layer(n, m, c);
  status = erg_global_avg_pool_s16(se->shape, input, se->multiply.a_zero_point, se->accumulator_bits, &se->mean_scale,
                                   &se->mean, mean, error);
  if (status == ERG_OK)
    status = erg_conv2d_s16(&reduce, mean, se->mean.zero_point, se->reduce_weight, se->accumulator_bits, se->reduce,
                            hidden, error);
  if (status == ERG_OK && se->hidden_table)
    status = erg_gate_s16((int64_t)n * m, hidden, se->hidden_bits, se->hidden_table, hidden, error);
  if (status == ERG_OK)
    status = erg_conv2d_s16(&expand, hidden, se->hidden_zero_point, se->expand_weight, se->accumulator_bits, se->expand,
                            gate, error);
  if (status == ERG_OK) status = erg_gate_s16((int64_t)n * c, gate, se->gate_bits, se->gate_table, gate, error);
  if (status == ERG_OK) status = erg_channel_mul_s16(se->shape, input, gate, &se->multiply, output, error);
  return status;
}

static erg_status attempt(erg_format format, erg_error *error) {
  const erg_shape shape = {1, 1, 1, 1};
  if (format == ERG_FORMAT_INT) {
    const erg_epilogue e = {.scale = &ERG_UNIT_SCALE, .low = -2, .high = 1};
    const int16_t one[] = {1}, table[] = {0, 1, 2, 3};
    const erg_squeeze_excite se = {
        .shape = shape,
        .squeezed = 1,
        .accumulator_bits = 32,
        .mean_scale = {.scale = ERG_UNIT_SCALE},
        .mean = ERG_PLAIN_CODES,
        .reduce_weight = one,
        .reduce = &e,
        .expand_weight = one,
        .expand = &e,
        .gate_table = table,
        .gate_bits = 2,
        .multiply = {.accumulator_bits = 32, .scale = {.scale = ERG_UNIT_SCALE}, .codes = ERG_PLAIN_CODES}};
    int16_t scratch[3], y = 0;
    erg_status status = erg_squeeze_excite_s16(&se, one, scratch, &y, error);
    return erg_attempted("squeeze-and-excitation", status, y, 3, error);
  }
  if (format != ERG_FORMAT_FP32) return erg_no_kernel("squeeze-and-excitation", format, error);
  const erg_gate *gate = NULL;
  ERG_EACH(erg_gate, item) if (strcmp((*item)->name, "sigmoid") == 0) gate = *item;
  float scratch[3], y = 0, zero = 0;
  erg_status status =
      erg_squeeze_excite_f32(shape, 1, (float[]){4}, &zero, NULL, NULL, &zero, NULL, gate, scratch, &y, error);
  return erg_attempted("squeeze-and-excitation", status, (double)y, 2, error);
}
static const erg_kernel squeeze_excite = {"squeeze-and-excitation", "mean, two layers, a gate, channel mul", attempt};
ERG_REGISTER(erg_kernel, squeeze_excite);
