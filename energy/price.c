/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Itemised energy added up. */
#include "technology.h"

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
  energy->static_pj = 0;
  for (int part = 0; part < ERG_STATIC_COUNT; part++) energy->static_pj += energy->static_part_pj[part];
  energy->total_pj += energy->static_pj;
}

static void add_item(void *context, const erg_item *item) {
  erg_energy *sum = context;
  double pj = item->count * item->pj;
  if (item->op >= 0)
    sum->op_pj[item->op] += pj;
  else if (item->level >= 0)
    sum->level_tensor_pj[item->level][item->tensor] += pj;
  else
    sum->static_part_pj[item->static_part] += pj;
}

erg_status erg_price(const erg_technology *t, const erg_price_machine *machine, const erg_activity *activity,
                     const erg_precision *precision, const erg_precision *mac_precision, erg_energy *out,
                     erg_error *error) {
  erg_energy sum = *out;
  erg_status status = erg_itemise_as(t, machine, activity, precision, mac_precision, add_item, &sum, false, error);
  if (status != ERG_OK) return status;
  add_up(&sum);
  *out = sum;
  return ERG_OK;
}

void erg_energy_add(erg_energy *sum, const erg_energy *part) {
  for (int op = 0; op < ERG_OP_COUNT; op++) sum->op_pj[op] += part->op_pj[op];
  for (int level = 0; level < ERG_ALL_LEVELS; level++)
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
      sum->level_tensor_pj[level][tensor] += part->level_tensor_pj[level][tensor];
  for (int part_index = 0; part_index < ERG_STATIC_COUNT; part_index++)
    sum->static_part_pj[part_index] += part->static_part_pj[part_index];
  add_up(sum);
}
