/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/base.h"
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  int bits;
} formats[ERG_FORMAT_COUNT] = {
    [ERG_FORMAT_INT] = {"int", 0},    [ERG_FORMAT_FP32] = {"fp32", 32},      [ERG_FORMAT_FP16] = {"fp16", 16},
    [ERG_FORMAT_BF16] = {"bf16", 16}, [ERG_FORMAT_FP8E4M3] = {"fp8e4m3", 8}, [ERG_FORMAT_FP8E5M2] = {"fp8e5m2", 8},
};

const char *erg_format_name(erg_format format) {
  return formats[format].name;
}
int erg_format_bits(erg_format format) {
  return formats[format].bits;
}
bool erg_precision_is_int(const erg_precision *precision) {
  return precision->format == ERG_FORMAT_INT;
}

static erg_status bad(const char *text, const char *why, erg_error *error) {
  return erg_fail(error, ERG_ERR_USAGE,
                  "precision: found '%s': %s; allowed: intN, wNaM, wNaMpAoO (N, M, O 2..16 bits, accumulator A 8..48), "
                  "fp32, fp16, bf16, fp8e4m3, fp8e5m2",
                  text, why);
}

/* Reads `letter` and a width at *at; false when the letter is not there or no digits follow. */
static bool take_width(const char **at, char letter, int *width) {
  if (**at != letter || (*at)[1] < '1' || (*at)[1] > '9') return false;
  long value = strtol(*at + 1, (char **)at, 10);
  *width = value > 1000 ? 1000 : (int)value;
  return true;
}

int erg_default_accumulator_bits(int weight_bits, int activation_bits) {
  return weight_bits + activation_bits <= 16 ? 32 : 48; /* int16 x int16 overflows 32 bits at K = 3 */
}

erg_status erg_precision_parse(const char *text, erg_precision *out, erg_error *error) {
  for (erg_format f = ERG_FORMAT_FP32; f < ERG_FORMAT_COUNT; f++)
    if (strcmp(text, formats[f].name) == 0) {
      int bits = formats[f].bits;
      *out = (erg_precision){f, bits, bits, 32, bits};
      return ERG_OK;
    }
  erg_precision p = {.format = ERG_FORMAT_INT};
  const char *at = text;
  if (strncmp(text, "int", 3) == 0) {
    at = text + 2;
    if (!take_width(&at, 't', &p.weight_bits)) return bad(text, "no width after int", error);
    p.activation_bits = p.weight_bits;
  } else if (!take_width(&at, 'w', &p.weight_bits) || !take_width(&at, 'a', &p.activation_bits)) {
    return bad(text, "not a precision", error);
  }
  p.accumulator_bits = erg_default_accumulator_bits(p.weight_bits, p.activation_bits);
  p.output_bits = p.activation_bits;
  if (text[0] == 'w') {
    take_width(&at, 'p', &p.accumulator_bits);
    take_width(&at, 'o', &p.output_bits);
  }
  if (*at) return bad(text, "text left over", error);
  if (p.weight_bits < 2 || p.weight_bits > 16) return bad(text, "weight width out of range", error);
  if (p.activation_bits < 2 || p.activation_bits > 16) return bad(text, "activation width out of range", error);
  if (p.output_bits < 2 || p.output_bits > 16) return bad(text, "output width out of range", error);
  if (p.accumulator_bits < 8 || p.accumulator_bits > 48) return bad(text, "accumulator width out of range", error);
  *out = p;
  return ERG_OK;
}

char *erg_precision_name(const erg_precision *p, char buffer[32]) {
  if (!erg_precision_is_int(p)) {
    snprintf(buffer, 32, "%s", formats[p->format].name);
    return buffer;
  }
  bool plain = p->accumulator_bits == erg_default_accumulator_bits(p->weight_bits, p->activation_bits);
  bool same_output = p->output_bits == p->activation_bits;
  if (plain && same_output && p->weight_bits == p->activation_bits) {
    snprintf(buffer, 32, "int%d", p->weight_bits);
    return buffer;
  }
  int used = snprintf(buffer, 32, "w%da%d", p->weight_bits, p->activation_bits);
  if (!plain) used += snprintf(buffer + used, (size_t)(32 - used), "p%d", p->accumulator_bits);
  if (!same_output) snprintf(buffer + used, (size_t)(32 - used), "o%d", p->output_bits);
  return buffer;
}
