/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/squeeze_excite.h"
#include "check.h"

static erg_status check_rescale(const char *what, const erg_rescale *r, erg_error *error) {
  if (!r) return erg_fail(error, ERG_ERR_DATA, "%s: no output codes", what);
  erg_status status = erg_check_clamp(what, r->low, r->high, error);
  return status == ERG_OK ? erg_check_rule(what, r->rule, r->scale, error) : status;
}

static erg_status check_shape(const char *what, erg_shape s, erg_error *error) {
  erg_pool_shape whole = {.in = s, .kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .out_h = 1, .out_w = 1};
  if (erg_check_pool(&whole, NULL) == ERG_OK) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA,
                  "%s: found [%d, %d, %d, %d]; allowed: extents of at least 1, at most 2^40 elements", what, s.n, s.h,
                  s.w, s.c);
}

static int16_t rescaled(const erg_rescale *r, int64_t value, int accumulator_bits) {
  __int128 y = (__int128)r->zero_point + erg_requantize_rule(value, r->scale, accumulator_bits, r->rule);
  return (int16_t)(y < r->low ? r->low : y > r->high ? r->high : (int32_t)y);
}

erg_status erg_global_average_s16(erg_shape s, const int16_t *input, int32_t input_zero_point, int accumulator_bits,
                                  const erg_rescale *rescale, int16_t *output, erg_error *error) {
  if (!input || !output) return erg_fail(error, ERG_ERR_DATA, "global average: a tensor is NULL");
  if (accumulator_bits < 8 || accumulator_bits > 48)
    return erg_fail(error, ERG_ERR_DATA, "global average: found %d accumulator bits; allowed: 8 to 48",
                    accumulator_bits);
  erg_status status = check_shape("global average", s, error);
  if (status == ERG_OK) status = check_rescale("global average", rescale, error);
  int64_t map = (int64_t)s.h * s.w;
  for (int64_t n = 0; n < s.n && status == ERG_OK; n++)
    for (int c = 0; c < s.c; c++) {
      int64_t sum = 0;
      for (int64_t i = 0; i < map; i++) sum += (int64_t)input[(n * map + i) * s.c + c] - input_zero_point;
      output[n * s.c + c] = rescaled(rescale, erg_wrap(sum, accumulator_bits), accumulator_bits);
    }
  return status;
}

erg_status erg_channel_multiply_s16(erg_shape s, const int16_t *input, int32_t input_zero_point, const int16_t *gate,
                                    int32_t gate_zero_point, const erg_rescale *rescale, int16_t *output,
                                    erg_error *error) {
  if (!input || !gate || !output) return erg_fail(error, ERG_ERR_DATA, "channel multiply: a tensor is NULL");
  erg_status status = check_shape("channel multiply", s, error);
  if (status == ERG_OK) status = check_rescale("channel multiply", rescale, error);
  int64_t map = (int64_t)s.h * s.w;
  for (int64_t n = 0; n < s.n && status == ERG_OK; n++)
    for (int64_t i = n * map; i < (n + 1) * map; i++)
      for (int c = 0; c < s.c; c++) {
        int64_t x = (int64_t)input[i * s.c + c] - input_zero_point, g = (int64_t)gate[n * s.c + c] - gate_zero_point;
        output[i * s.c + c] = rescaled(rescale, erg_wrap((int64_t)((uint64_t)x * (uint64_t)g), 32), 32);
      }
  return status;
}

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
  erg_status status = check_shape("squeeze and excite", se->shape, error);
  if (status == ERG_OK) status = check_rescale("squeeze and excite", &se->multiply, error);
  if (status != ERG_OK) return status;
  int n = se->shape.n, c = se->shape.c, m = se->squeezed;
  int16_t *mean = scratch, *gate = mean + (int64_t)n * c, *hidden = gate + (int64_t)n * c;
  erg_conv2d_shape reduce = layer(n, c, m), expand = layer(n, m, c);
  status = erg_global_average_s16(se->shape, input, se->input_zero_point, se->accumulator_bits, &se->mean, mean, error);
  if (status == ERG_OK)
    status = erg_conv2d_s16(&reduce, mean, se->mean.zero_point, se->reduce_weight, se->accumulator_bits, se->reduce,
                            hidden, error);
  if (status == ERG_OK && se->hidden_table)
    status = erg_gate_s16((int64_t)n * m, hidden, se->hidden_bits, se->hidden_table, hidden, error);
  if (status == ERG_OK)
    status = erg_conv2d_s16(&expand, hidden, se->hidden_zero_point, se->expand_weight, se->accumulator_bits, se->expand,
                            gate, error);
  if (status == ERG_OK) status = erg_gate_s16((int64_t)n * c, gate, se->gate_bits, se->gate_table, gate, error);
  if (status == ERG_OK)
    status = erg_channel_multiply_s16(se->shape, input, se->input_zero_point, gate, se->gate_zero_point, &se->multiply,
                                      output, error);
  return status;
}
