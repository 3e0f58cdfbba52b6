/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/squeeze_excite.h"
#include "check.h"

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
