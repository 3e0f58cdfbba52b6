/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

/* Sizes: `rows` times the sum of channels within 2^40; the sum itself cannot overflow before that is seen. */
static erg_status check_sizes(int64_t rows, int64_t channels, int added, erg_error *error) {
  if (added < 1)
    return erg_fail(error, ERG_ERR_DATA, "concat: found an input of %d channels; allowed: at least 1", added);
  return erg_check_elements("concat", rows, channels, error);
}

erg_status erg_concat_s16(int64_t rows, int count, const erg_concat_input *inputs, erg_rule rule,
                          const erg_codes *codes, int16_t *output, erg_error *error) {
  if (!inputs || !codes || !output || count < 1) return erg_fail(error, ERG_ERR_DATA, "concat: a NULL or no input");
  erg_status status = erg_check_clamp("concat", codes->low, codes->high, error);
  int64_t channels = 0;
  for (int i = 0; i < count && status == ERG_OK; i++) {
    if (!inputs[i].codes) return erg_fail(error, ERG_ERR_DATA, "concat: input %d is NULL", i);
    channels += inputs[i].channels;
    status = check_sizes(rows, channels, inputs[i].channels, error);
    if (status == ERG_OK) status = erg_check_rule("concat: scale", rule, inputs[i].scale, error);
  }
  if (status != ERG_OK) return status;
  for (int64_t row = 0; row < rows; row++)
    for (int i = 0; i < count; i++)
      for (int c = 0; c < inputs[i].channels; c++) {
        int64_t x = (int64_t)inputs[i].codes[row * inputs[i].channels + c] - inputs[i].zero_point;
        *output++ = erg_to_code(erg_requantize_rule(x, inputs[i].scale, 32, rule), codes);
      }
  return ERG_OK;
}

erg_status erg_concat_f32(int64_t rows, int count, const float *const *inputs, const int *channels, float *output,
                          erg_error *error) {
  if (!inputs || !channels || !output || count < 1) return erg_fail(error, ERG_ERR_DATA, "concat: a NULL or no input");
  int64_t sum = 0;
  for (int i = 0; i < count; i++) {
    if (!inputs[i]) return erg_fail(error, ERG_ERR_DATA, "concat: input %d is NULL", i);
    sum += channels[i];
    erg_status status = check_sizes(rows, sum, channels[i], error);
    if (status != ERG_OK) return status;
  }
  for (int64_t row = 0; row < rows; row++)
    for (int i = 0; i < count; i++)
      for (int c = 0; c < channels[i]; c++) *output++ = inputs[i][row * channels[i] + c];
  return ERG_OK;
}

/* Values of a floating format are only moved. */
static erg_status attempt(erg_format format, erg_error *error) {
  const char *name = "concat";
  if (format == ERG_FORMAT_INT) {
    int16_t x = 2, y[2] = {0};
    const erg_concat_input inputs[] = {{&x, 1, 0, ERG_UNIT_SCALE}, {&x, 1, 1, ERG_UNIT_SCALE}};
    erg_status status = erg_concat_s16(1, 2, inputs, ERG_RULE_S, &ERG_PLAIN_CODES, y, error);
    return erg_attempted(name, status, y[1], 1, error);
  }
  float x = 2, y[2] = {0};
  erg_status status = erg_concat_f32(1, 2, (const float *[]){&x, &x}, (int[]){1, 1}, y, error);
  return erg_attempted(name, status, (double)y[1], 2, error);
}
static const erg_kernel concat = {"concat", "along channels, each input with its scale", attempt};
ERG_REGISTER(erg_kernel, concat);
