/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What single fields of a technology file cannot show. */
#include "technology.h"

typedef struct {
  const erg_technology *technology;
  erg_error *error;
  const char *list; /* "operations", "memories", "width_law" */
  int index;        /* in the list; -1 for a record of its own */
  erg_position at;
} place;

static void complain(const place *p, const char *key, const char *found, const char *allowed) {
  char item[32] = "";
  if (p->index >= 0) snprintf(item, sizeof item, "[%d]", p->index);
  erg_fail(p->error, ERG_ERR_DATA, "%s:%d:%d: %s%s%s: found %s; allowed: %s", p->technology->file, p->at.line,
           p->at.column, p->list, item, key, found, allowed);
}

static void check_provenance(const place *p, const erg_provenance *provenance) {
  if (!*provenance->source) complain(p, ".source", "nothing", "where the number was read");
  if (!*provenance->table) complain(p, ".table", "nothing", "table, figure or file within the source");
  if (provenance->derived && (!provenance->note || !*provenance->note))
    complain(p, ".note", "nothing", "how this derived number was computed");
}

/* The int8 mac, where it is another constant than `self`. */
static bool anchor_of(const erg_technology *t, const erg_op_constant *self) {
  const erg_op_constant *operations = t->operations.items;
  for (int i = 0; i < t->operations.count; i++) {
    const erg_op_constant *c = &operations[i];
    if (c != self && c->op == ERG_OP_MAC && c->format == ERG_FORMAT_INT && !c->follows_anchor &&
        (c->weight_bits == 0 || c->weight_bits == 8) && (c->activation_bits == 0 || c->activation_bits == 8))
      return true;
  }
  return false;
}

static void check_operation(const place *p, const erg_op_constant *c) {
  bool integer = c->format == ERG_FORMAT_INT;
  if (!integer && (c->weight_bits || c->activation_bits))
    complain(p, "", "widths of a floating format", "widths of int only");
  if (c->weight_bits == 1 || c->activation_bits == 1)
    complain(p, "", "a width of 1 bit", "0 (any width) or 2 to 16 bits");
  if (!integer && c->op == ERG_OP_REQUANTIZE)
    complain(p, ".op", "requantize in a floating format", "requantize of int only");
  if (c->follows_anchor && (c->op != ERG_OP_MAC || !integer))
    complain(p, ".follows_anchor", "yes of another than an int mac", "no, or an int mac");
  if (c->follows_anchor && !anchor_of(p->technology, c))
    complain(p, ".follows_anchor", "yes without an int mac of 8 x 8 bits", "no, or such a mac");
  const erg_op_constant *others = p->technology->operations.items;
  for (int j = 0; j < p->index; j++)
    if (others[j].op == c->op && others[j].format == c->format && others[j].weight_bits == c->weight_bits &&
        others[j].activation_bits == c->activation_bits) {
      char found[96];
      snprintf(found, sizeof found, "%s in %s of the same widths as operations[%d]", erg_op_kind_names[c->op],
               erg_format_name((erg_format)c->format), j);
      complain(p, "", found, "each once");
    }
  check_provenance(p, &c->provenance);
}

static void check_memory(const place *p, const erg_memory_constant *m) {
  if (m->kind == ERG_MEMORY_SRAM) {
    if (m->reference_bytes <= 0) complain(p, ".reference_bytes", "none", "above 0: the bank at which pj_per_bit holds");
    if (m->max_bytes <= 0 || m->max_bytes < m->min_bytes)
      complain(p, ".max_bytes", "no range of banks", "min_bytes to max_bytes, where the law was held against a source");
  } else if (m->reference_bytes > 0 || m->exponent > 0 || m->min_bytes > 0 || m->max_bytes > 0) {
    complain(p, "", "keys of a capacity law", "reference_bytes, exponent, min_bytes, max_bytes of kind sram only");
  }
  if (m->kind != ERG_MEMORY_DRAM && (m->name || m->background_mw > 0 || m->device_gbit_per_s > 0))
    complain(p, "", "keys of a DRAM part", "name, background_mw, device_gbit_per_s of kind dram only");
  if (m->background_mw > 0 && m->device_gbit_per_s <= 0)
    complain(p, ".device_gbit_per_s", "none", "above 0 beside background_mw: devices are counted by it");
  const erg_memory_constant *others = p->technology->memories.items;
  for (int j = 0; j < p->index; j++)
    if (others[j].kind == m->kind) {
      complain(p, ".kind", erg_memory_kind_names[m->kind], "each kind once");
      break;
    }
  check_provenance(p, &m->provenance);
}

static void check_width_law(const place *p, const erg_width_law *law) {
  if (law->min_bits > law->max_bits) complain(p, ".min_bits", "more than max_bits", "min_bits up to max_bits");
  if (law->scaled_to_anchor && !anchor_of(p->technology, NULL))
    complain(p, ".scaled_to_anchor", "yes without an int mac of 8 x 8 bits", "no, or such a mac");
  if (law->c2_fj + law->c1_fj + law->c0_fj <= 0)
    complain(p, "", "a law that is 0 everywhere", "a positive coefficient");
  check_provenance(p, &law->provenance);
}

void erg_technology_check(const erg_technology *t, erg_error *error) {
  const erg_op_constant *operations = t->operations.items;
  const erg_memory_constant *memories = t->memories.items;
  for (int i = 0; i < t->operations.count; i++)
    check_operation(&(place){t, error, "operations", i, operations[i].position}, &operations[i]);
  for (int i = 0; i < t->memories.count; i++)
    check_memory(&(place){t, error, "memories", i, memories[i].position}, &memories[i]);
  if (t->has_width_law) check_width_law(&(place){t, error, "width_law", -1, t->width_law.position}, &t->width_law);
  const struct {
    const char *name;
    const erg_scalar_constant *constant;
  } scalars[] = {
      {"gated_mac", &t->gated_mac}, {"scalable_mac", &t->scalable_mac}, {"wire", &t->wire}, {"clock", &t->clock}};
  for (size_t i = 0; i < ERG_COUNT_OF(scalars); i++)
    if (scalars[i].constant->provenance.source)
      check_provenance(&(place){t, error, scalars[i].name, -1, scalars[i].constant->position},
                       &scalars[i].constant->provenance);
  if (t->gated_mac.value > 1)
    complain(&(place){t, error, "gated_mac.value", -1, t->gated_mac.position}, "", "more than 1",
             "0 to 1: a share of a MAC");
  if (t->clock.value > 0 && t->book)
    complain(&(place){t, error, "clock", -1, t->clock.position}, "", "a clock term with book: yes", "one of the two");
  const place top = {t, error, "static_pw_per_pe", -1, {1, 1}};
  if (t->has_static && (!t->static_source || !*t->static_source))
    complain(&top, "", "a number without static_source", "both, or neither");
  if (t->has_static && t->book) complain(&top, "", "a clock and leakage term with book: yes", "one of the two");
}
