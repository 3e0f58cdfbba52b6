/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `extends: NAME`: what a technology file does not state is taken from another technology. */
#include "technology.h"
#include <string.h>

static bool states_op(const erg_technology *t, const erg_op_constant *of) {
  const erg_op_constant *own = t->operations.items;
  for (int i = 0; i < t->operations.count; i++)
    if (own[i].op == of->op && own[i].format == of->format) return true;
  return false;
}
static bool states_memory(const erg_technology *t, int kind) {
  const erg_memory_constant *own = t->memories.items;
  for (int i = 0; i < t->memories.count; i++)
    if (own[i].kind == kind) return true;
  return false;
}
static bool has_int8(const erg_technology *t) {
  const erg_op_constant *own = t->operations.items;
  for (int i = 0; i < t->operations.count; i++)
    if (own[i].op == ERG_OP_MAC && own[i].format == ERG_FORMAT_INT && (own[i].weight_bits % 8) == 0 &&
        own[i].weight_bits <= 8 && own[i].activation_bits == own[i].weight_bits)
      return true;
  return false;
}

/* A constant of the base keeps its own node and supply when it is used elsewhere. */
static void settle(const erg_technology *base, erg_provenance *p) {
  if (p->node_nm <= 0) p->node_nm = base->node_nm;
  if (p->voltage_v <= 0) p->voltage_v = base->voltage_v;
}

/* The own list with those of the base that `wanted` picks behind it. */
static void *joined(erg_technology *t, const erg_records *own, const erg_records *base, size_t bytes) {
  char *items = erg_arena_alloc(&t->arena, bytes * (size_t)(own->count + base->count));
  if (items && own->count) memcpy(items, own->items, bytes * (size_t)own->count);
  return items;
}

static void take_scalar(const erg_technology *base, const erg_scalar_constant *from, erg_scalar_constant *to) {
  if (to->provenance.source || !from->provenance.source) return;
  *to = *from;
  settle(base, &to->provenance);
}

erg_status erg_technology_extend(erg_technology *t, erg_error *error) {
  erg_technology *base;
  if (!t->extends || !*t->extends) return ERG_OK;
  base = erg_arena_alloc(&t->arena, sizeof *base);
  if (!base) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = erg_technology_load(t->extends, NULL, 0, base, error);
  if (status != ERG_OK) return status;
  t->base = base;
  if (base->base)
    return erg_fail(error, ERG_ERR_DATA, "%s: extends: %s itself extends %s; allowed: a technology that stands alone",
                    t->file, t->extends, base->extends);
  erg_op_constant *operations = joined(t, &t->operations, &base->operations, sizeof *operations);
  erg_memory_constant *memories = joined(t, &t->memories, &base->memories, sizeof *memories);
  if (!operations || !memories) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  int op_count = t->operations.count, memory_count = t->memories.count;
  for (int i = 0; i < base->operations.count; i++) {
    const erg_op_constant *c = &((const erg_op_constant *)base->operations.items)[i];
    if (states_op(t, c)) continue;
    operations[op_count] = *c;
    settle(base, &operations[op_count++].provenance);
  }
  for (int i = 0; i < base->memories.count; i++) {
    const erg_memory_constant *m = &((const erg_memory_constant *)base->memories.items)[i];
    if (states_memory(t, m->kind) || (m->kind == ERG_MEMORY_REGISTER && t->mac_includes_registers)) continue;
    memories[memory_count] = *m;
    settle(base, &memories[memory_count++].provenance);
  }
  t->operations = (erg_records){operations, op_count};
  t->memories = (erg_records){memories, memory_count};
  bool own_law = t->has_width_law;
  if (!own_law && base->has_width_law && (!base->width_law.scaled_to_anchor || has_int8(t))) {
    t->width_law = base->width_law;
    t->has_width_law = true;
    settle(base, &t->width_law.provenance);
  }
  take_scalar(base, &base->gated_mac, &t->gated_mac);
  take_scalar(base, &base->scalable_mac, &t->scalable_mac);
  take_scalar(base, &base->wire, &t->wire);
  return ERG_OK;
}
