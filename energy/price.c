/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts times constants, itemised. */
#include "ergon/energy.h"

/* Every sum from its smallest parts in one fixed order, so that parts always add up to the last bit. */
static void add_up(erg_energy *energy) {
  energy->mac_pj = energy->op_pj[ERG_OP_MAC];
  energy->other_ops_pj = 0;
  for (int op = ERG_OP_MAC + 1; op < ERG_OP_COUNT; op++) energy->other_ops_pj += energy->op_pj[op];
  energy->total_pj = energy->mac_pj + energy->other_ops_pj;
  for (int level = 0; level < ERG_ALL_LEVELS; level++) {
    energy->level_pj[level] = 0;
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
      energy->level_pj[level] += energy->level_tensor_pj[level][tensor];
    energy->total_pj += energy->level_pj[level];
  }
  energy->total_pj += energy->static_pj;
}

static erg_status price_ops(const erg_technology *t, const erg_activity *activity, const erg_precision *precision,
                            const erg_precision *mac_precision, erg_energy *sum, erg_error *error) {
  if (activity->ops[ERG_OP_REQUANTIZE] && !erg_precision_is_int(precision))
    return erg_fail(error, ERG_ERR_INTERNAL, "%llu requantizes were counted in %s, where there are none",
                    (unsigned long long)activity->ops[ERG_OP_REQUANTIZE], erg_format_name(precision->format));
  for (int op = 0; op < ERG_OP_COUNT; op++) {
    if (activity->ops[op] == 0 || (t->book && op != ERG_OP_MAC)) continue;
    double pj;
    erg_status status =
        erg_technology_op_pj(t, (erg_op_kind)op, op == ERG_OP_MAC ? mac_precision : precision, &pj, NULL, NULL, error);
    if (status != ERG_OK) return status;
    sum->op_pj[op] += pj * (double)activity->ops[op];
  }
  return ERG_OK;
}

/* What a technology does not price costs nothing: the registers inside a MAC, and all but off-chip data in `book`. */
static bool free_of_charge(const erg_technology *t, const erg_price_machine *machine, int level) {
  return (t->book && level > 0) || (t->mac_includes_registers && machine->levels[level].kind == ERG_MEMORY_REGISTER);
}

static erg_status price_level(const erg_technology *t, const erg_price_machine *machine, int level,
                              const erg_activity *activity, erg_energy *sum, erg_error *error) {
  if (erg_activity_level_bits(activity, level) == 0 || free_of_charge(t, machine, level)) return ERG_OK;
  erg_error fault = {0};
  double pj_per_bit;
  erg_status status = erg_technology_bit_pj(t, machine->levels[level].kind, machine->levels[level].bank_bytes,
                                            &pj_per_bit, NULL, &fault);
  if (status != ERG_OK)
    erg_fail(error, status, "level %s: %s", machine->levels[level].name ? machine->levels[level].name : "?",
             fault.text);
  erg_error_clear(&fault);
  if (status != ERG_OK) return status;
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
    if (t->book && tensor == ERG_TENSOR_CONSTANT) continue;
    uint64_t bits = activity->read_bits[level][tensor] + activity->write_bits[level][tensor];
    sum->level_tensor_pj[level][tensor] += pj_per_bit * (double)bits;
  }
  return ERG_OK;
}

erg_status erg_price(const erg_technology *t, const erg_price_machine *machine, const erg_activity *activity,
                     const erg_precision *precision, const erg_precision *mac_precision, erg_energy *out,
                     erg_error *error) {
  erg_energy sum = *out;
  if (machine->level_count < 1 || machine->level_count > ERG_MAX_LEVELS)
    return erg_fail(error, ERG_ERR_INTERNAL, "%d memory levels; 1 to %d can be priced", machine->level_count,
                    ERG_MAX_LEVELS);
  erg_status status = price_ops(t, activity, precision, mac_precision, &sum, error);
  for (int level = 0; level <= ERG_LEVEL_REGISTERS(machine->level_count) && status == ERG_OK; level++)
    status = price_level(t, machine, level, activity, &sum, error);
  if (status != ERG_OK) return status;
  if (t->has_static) /* pW * us = 1e-6 pJ */
    sum.static_pj +=
        t->static_pw_per_pe * (double)machine->pe_count * (double)activity->cycles / machine->clock_mhz * 1e-6;
  add_up(&sum);
  *out = sum;
  return ERG_OK;
}

void erg_energy_add(erg_energy *sum, const erg_energy *part) {
  for (int op = 0; op < ERG_OP_COUNT; op++) sum->op_pj[op] += part->op_pj[op];
  for (int level = 0; level < ERG_ALL_LEVELS; level++)
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
      sum->level_tensor_pj[level][tensor] += part->level_tensor_pj[level][tensor];
  sum->static_pj += part->static_pj;
  add_up(sum);
}
