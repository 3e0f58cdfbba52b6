/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/gates.h"
#include "ergon/squeeze_excite.h"

static erg_status layer(int n, int inputs, int outputs, const float *x, const float *weight, const float *bias,
                        float *y, erg_error *error) {
  const erg_conv2d_shape shape = {.in = {n, 1, 1, inputs},
                                  .filters = outputs,
                                  .kernel_h = 1,
                                  .kernel_w = 1,
                                  .stride_h = 1,
                                  .stride_w = 1,
                                  .groups = 1,
                                  .out_h = 1,
                                  .out_w = 1};
  return erg_conv2d_f32(&shape, x, weight, bias, y, error);
}

erg_status erg_squeeze_excite_f32(erg_shape s, int squeezed, const float *input, const float *reduce,
                                  const float *reduce_bias, const erg_gate *hidden_gate, const float *expand,
                                  const float *expand_bias, const erg_gate *gate, float *scratch, float *output,
                                  erg_error *error) {
  if (!input || !scratch || !output || !gate || squeezed < 1)
    return erg_fail(error, ERG_ERR_DATA, "squeeze and excite: a NULL, or no channels between the layers");
  const erg_pool_shape whole = {
      .in = s, .kernel_h = s.h, .kernel_w = s.w, .stride_h = 1, .stride_w = 1, .out_h = 1, .out_w = 1};
  erg_status status = erg_avg_pool_f32(&whole, input, scratch, error);
  if (status != ERG_OK) return status;
  int64_t channels = (int64_t)s.n * s.c, inner = (int64_t)s.n * squeezed;
  float *gates = scratch + channels, *hidden = gates + channels;
  status = layer(s.n, s.c, squeezed, scratch, reduce, reduce_bias, hidden, error);
  if (status == ERG_OK && hidden_gate) status = erg_gate_f32(hidden_gate, inner, hidden, hidden, error);
  for (int64_t i = 0; i < inner && status == ERG_OK && !hidden_gate; i++) hidden[i] = hidden[i] > 0 ? hidden[i] : 0;
  if (status == ERG_OK) status = layer(s.n, squeezed, s.c, hidden, expand, expand_bias, gates, error);
  if (status == ERG_OK) status = erg_gate_f32(gate, channels, gates, gates, error);
  if (status == ERG_OK) status = erg_channel_mul_f32(s, input, gates, output, error);
  return status;
}
