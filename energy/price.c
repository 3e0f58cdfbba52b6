/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts times constants. A format, width or capacity that a technology does not cover is refused, never borrowed. */
#include "ergon/energy.h"
#include <math.h>

static const erg_op_constant *find_op(const erg_technology *t, erg_op_kind kind, const erg_precision *p) {
  const erg_op_constant *constants = t->operations.items;
  for (int i = 0; i < t->operations.count; i++) {
    const erg_op_constant *c = &constants[i];
    bool width = (c->weight_bits == 0 || c->weight_bits == p->weight_bits) &&
                 (c->activation_bits == 0 || c->activation_bits == p->activation_bits);
    if (c->op == (int)kind && c->format == (int)p->format && (width || p->format != ERG_FORMAT_INT)) return c;
  }
  return NULL;
}

/* E_PE(w, a) of docs/energy.md, in pJ. */
static double law_pj(const erg_width_law *law, double w, double a) {
  return (law->c2_fj * w * a + law->c1_fj * (w + a) / 2 + law->c0_fj) * 1e-3;
}

erg_status erg_technology_op_pj(const erg_technology *t, erg_op_kind kind, const erg_precision *p, double *pj,
                                const erg_op_constant **constant, bool *by_law, erg_error *error) {
  const erg_op_constant *found = find_op(t, kind, p);
  if (by_law) *by_law = false;
  if (constant) *constant = found;
  if (found) {
    *pj = found->pj;
    return ERG_OK;
  }
  char name[32];
  erg_precision_name(p, name);
  if (kind != ERG_OP_MAC || p->format != ERG_FORMAT_INT || !t->has_width_law)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s has no constant for %s in %s", t->name, erg_op_kind_names[kind], name);
  const erg_width_law *law = &t->width_law;
  if (p->weight_bits < law->min_bits || p->activation_bits < law->min_bits || p->weight_bits > law->max_bits ||
      p->activation_bits > law->max_bits)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: the width law holds for %d to %d bits, not for %s", t->name,
                    (int)law->min_bits, (int)law->max_bits, name);
  if (by_law) *by_law = true;
  double price = law_pj(law, p->weight_bits, p->activation_bits);
  if (law->scaled_to_anchor) {
    const erg_precision int8 = {ERG_FORMAT_INT, 8, 8, 32, 8};
    found = find_op(t, kind, &int8);
    if (!found)
      return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: its width law needs an int8 mac, which it does not state", t->name);
    if (constant) *constant = found;
    price *= found->pj / law_pj(law, 8, 8);
  }
  *pj = price;
  return ERG_OK;
}

erg_status erg_technology_mac_area(const erg_technology *t, const erg_precision *p, double *um2, erg_error *error) {
  const erg_op_constant *found = find_op(t, ERG_OP_MAC, p);
  char name[32];
  if (!found || found->area_um2 <= 0)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s states no area for a mac in %s", t->name, erg_precision_name(p, name));
  *um2 = found->area_um2;
  return ERG_OK;
}

erg_status erg_technology_bit_pj(const erg_technology *t, erg_memory_kind kind, double bank_bytes, double *pj_per_bit,
                                 const erg_memory_constant **constant, erg_error *error) {
  const erg_memory_constant *memories = t->memories.items, *found = NULL;
  for (int i = 0; i < t->memories.count && !found; i++)
    if (memories[i].kind == (int)kind) found = &memories[i];
  if (!found)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s has no constant for %s", t->name, erg_memory_kind_names[kind]);
  if (constant) *constant = found;
  double price = found->pj_per_bit;
  if (kind == ERG_MEMORY_SRAM) {
    if (bank_bytes < found->min_bytes || bank_bytes > found->max_bytes)
      return erg_fail(error, ERG_ERR_UNSUPPORTED,
                      "%s: its SRAM law holds for banks of %g to %g bytes, not %g; change capacity or banks", t->name,
                      found->min_bytes, found->max_bytes, bank_bytes);
    price *= pow(bank_bytes / found->reference_bytes, found->exponent);
  }
  *pj_per_bit = price;
  return ERG_OK;
}

static erg_status price_level(const erg_technology *t, const erg_price_machine *machine, int level,
                              const erg_activity *activity, erg_energy *out, erg_error *error) {
  if (erg_activity_level_bits(activity, level) == 0) return ERG_OK;
  if (machine->levels[level].kind == ERG_MEMORY_REGISTER && t->mac_includes_registers) return ERG_OK;
  if (t->book && level > 0) return ERG_OK;
  double price;
  erg_status status =
      erg_technology_bit_pj(t, machine->levels[level].kind, machine->levels[level].bank_bytes, &price, NULL, error);
  if (status != ERG_OK) return status;
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
    if (t->book && tensor == ERG_TENSOR_CONSTANT) continue;
    double pj = price * (double)(activity->read_bits[level][tensor] + activity->write_bits[level][tensor]);
    out->level_tensor_pj[level][tensor] += pj;
    out->level_pj[level] += pj;
  }
  return ERG_OK;
}

/* The total is always the same sum of the same parts. */
static void total(erg_energy *energy) {
  energy->mac_pj = energy->op_pj[ERG_OP_MAC];
  energy->other_ops_pj = 0;
  for (int op = ERG_OP_MAC + 1; op < ERG_OP_COUNT; op++) energy->other_ops_pj += energy->op_pj[op];
  energy->total_pj = energy->mac_pj + energy->other_ops_pj + energy->static_pj;
  for (int level = 0; level < ERG_ALL_LEVELS; level++) energy->total_pj += energy->level_pj[level];
}

erg_status erg_price(const erg_technology *t, const erg_price_machine *machine, const erg_activity *activity,
                     const erg_precision *precision, const erg_precision *mac_precision, erg_energy *out,
                     erg_error *error) {
  erg_energy sum = *out;
  erg_status status = ERG_OK;
  for (int op = 0; op < ERG_OP_COUNT && status == ERG_OK; op++) {
    if (activity->ops[op] == 0 || (t->book && op != ERG_OP_MAC)) continue;
    double price;
    status = erg_technology_op_pj(t, (erg_op_kind)op, op == ERG_OP_MAC ? mac_precision : precision, &price, NULL, NULL,
                                  error);
    if (status == ERG_OK) sum.op_pj[op] += price * (double)activity->ops[op];
  }
  for (int level = 0; level < machine->level_count + 2 && status == ERG_OK; level++)
    status = price_level(t, machine, level, activity, &sum, error);
  if (status != ERG_OK) return status;
  if (t->has_static) /* pW * us = 1e-6 pJ */
    sum.static_pj += t->static_pw_per_pe * (double)machine->pe_count * (double)activity->cycles / machine->clock_mhz * 1e-6;
  total(&sum);
  *out = sum;
  return ERG_OK;
}

void erg_energy_add(erg_energy *sum, const erg_energy *part) {
  for (int op = 0; op < ERG_OP_COUNT; op++) sum->op_pj[op] += part->op_pj[op];
  for (int level = 0; level < ERG_ALL_LEVELS; level++) {
    sum->level_pj[level] += part->level_pj[level];
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
      sum->level_tensor_pj[level][tensor] += part->level_tensor_pj[level][tensor];
  }
  sum->static_pj += part->static_pj;
  total(sum);
}
