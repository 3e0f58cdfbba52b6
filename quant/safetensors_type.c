/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "safetensors.h"
#include <string.h>

static double f64(uint64_t pattern) {
  double value;
  memcpy(&value, &pattern, sizeof value);
  return value;
}

static double f32(uint64_t pattern) {
  uint32_t word = (uint32_t)pattern;
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

static double f16(uint64_t pattern) {
  return erg_float_format_find(ERG_FORMAT_FP16)->decode((uint32_t)pattern);
}

static double bf16(uint64_t pattern) {
  return erg_float_format_find(ERG_FORMAT_BF16)->decode((uint32_t)pattern);
}

static const erg_safetensors_type types[] = {{"F64", 8, f64}, {"F32", 4, f32}, {"F16", 2, f16}, {"BF16", 2, bf16}};

const erg_safetensors_type *erg_safetensors_type_find(const char *name) {
  for (size_t i = 0; i < ERG_COUNT_OF(types); i++)
    if (strcmp(types[i].name, name) == 0) return &types[i];
  return NULL;
}

int64_t erg_safetensors_torch_index(const erg_parameter *p, int64_t at) {
  if (p->rank != 4) return at;
  int64_t taps = p->extents[1] * p->extents[2], channels = p->extents[3];
  int64_t channel = at % channels, tap = at / channels % taps, filter = at / (channels * taps);
  return (filter * channels + channel) * taps + tap;
}
