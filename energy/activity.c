/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/energy.h"

const char *const erg_tensor_names[] = {"input", "weight", "residual", "constant", "output", "psum", NULL};
const char *const erg_op_kind_names[] = {"mac", "requantize", "add", "multiply", "compare", "gate", "rsqrt", NULL};

const char *const erg_toggle_names[] = {"weight", "shadow", "activation", "partial_sum", NULL};

void erg_activity_add(erg_activity *sum, const erg_activity *part) {
  for (int op = 0; op < ERG_OP_COUNT; op++) sum->ops[op] += part->ops[op];
  for (int level = 0; level < ERG_ALL_LEVELS; level++) {
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
      sum->read_bits[level][tensor] += part->read_bits[level][tensor];
      sum->write_bits[level][tensor] += part->write_bits[level][tensor];
    }
    sum->stall_cycles[level] += part->stall_cycles[level];
  }
  sum->initial_write_bits += part->initial_write_bits;
  sum->array_cycles += part->array_cycles;
  sum->vector_cycles += part->vector_cycles;
  sum->cycles += part->cycles;
  sum->gated_macs += part->gated_macs;
  for (int i = 0; i < ERG_TOGGLES; i++) sum->register_toggles[i] += part->register_toggles[i];
}

uint64_t erg_activity_level_bits(const erg_activity *activity, int level) {
  uint64_t bits = 0;
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
    bits += activity->read_bits[level][tensor] + activity->write_bits[level][tensor];
  return bits;
}
