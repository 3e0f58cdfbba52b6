/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts times constants, an item at a time, each with the constants it rests on. */
#include "technology.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

const char *const erg_static_part_names[] = {"clock", "pe_leakage", "sram_leakage", "dram_background", NULL};

/* Geometric standard deviations by class; docs/energy.md, "How well a constant is known". */
double erg_provenance_factor(const erg_provenance *p) {
  if (!p->confirmed || p->conflict) return 2;
  return p->sources >= 2 ? 1.15 : 1.3;
}
const char *erg_provenance_class(const erg_provenance *p) {
  if (!p->confirmed) return "not confirmed";
  if (p->conflict) return "sources disagree";
  return p->sources >= 2 ? "several sources" : "one source";
}

/* FNV-1a over what makes a constant: two technologies that quote the same number share its uncertainty. */
static uint64_t mix(uint64_t hash, const void *data, size_t bytes) {
  const unsigned char *byte = data;
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
  return hash;
}

typedef struct {
  const erg_technology *t;
  const erg_price_machine *machine;
  const erg_activity *activity;
  erg_item_sink sink;
  void *context;
  bool explains; /* items say how they come about and on what they rest */
  erg_error *error;
} pass;

static void add_factor(const pass *p, erg_item *item, const char *kind, double value, const erg_provenance *source) {
  if (!p->explains) return;
  uint64_t id = mix(0xcbf29ce484222325u, kind, strlen(kind) + 1);
  id = mix(id, source->source ? source->source : "", source->source ? strlen(source->source) + 1 : 1);
  id = mix(id, source->table ? source->table : "", source->table ? strlen(source->table) + 1 : 1);
  id = mix(id, &value, sizeof value);
  item->factors[item->factor_count++] = (erg_factor){id, log(erg_provenance_factor(source)), source};
}

/* Goes on with what the item says. */
ERG_PRINTF(3, 4)
static void say(const pass *p, erg_item *item, const char *format, ...) {
  if (!p->explains) return;
  size_t used = strlen(item->how);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(item->how + used, sizeof item->how - used, format, arguments);
  va_end(arguments);
}

static erg_item blank(const char *component, const char *unit) {
  return (erg_item){
      .component = component, .op = -1, .level = -1, .tensor = -1, .static_part = -1, .direction = "", .unit = unit};
}

static void add_scale(const pass *p, erg_item *item) {
  if (p->t->scale == 1) return;
  add_factor(p, item, "scale", p->t->scale, &p->t->scale_provenance);
  say(p, item, ", scaled %.4g", p->t->scale);
}

/* ---------------------------------------------------------------- operations */

static void explain_op(const pass *p, erg_item *item, const erg_op_price *price, const erg_precision *precision) {
  char name[32];
  if (!p->explains) return;
  erg_precision_name(precision, name);
  if (price->law)
    say(p, item, "width law at %s%s", name, price->anchor ? " x int8 mac" : "");
  else
    say(p, item, "%s %s", erg_op_kind_names[item->op], name);
  if (price->extra_accumulator_bits)
    say(p, item, " + %d accumulator bits of %g fJ", price->extra_accumulator_bits,
        p->t->width_law.accumulator_fj_per_bit);
  if (price->anchor) add_factor(p, item, "op", price->anchor->pj, &price->anchor->provenance);
  if (price->constant && price->constant != price->anchor)
    add_factor(p, item, price->constant->follows_anchor ? "ratio" : "op", price->constant->pj,
               &price->constant->provenance);
  if (price->law) add_factor(p, item, "law", price->law->c2_fj, &price->law->provenance);
  add_scale(p, item);
}

/* A scalable cell costs its factor times a fixed MAC of 8 x 8 bits a cycle, however many products it makes in it. */
static erg_status scale_mac(const pass *p, erg_item *item) {
  const erg_scalar_constant *c = &p->t->scalable_mac;
  if (c->provenance.source == NULL)
    return erg_fail(p->error, ERG_ERR_UNSUPPORTED, "%s has no constant for a scalable MAC (scalable_mac)", p->t->name);
  item->pj *= c->value / p->machine->mac_products;
  add_factor(p, item, "scalable", c->value, &c->provenance);
  say(p, item, " x %g (scalable) / %d products", c->value, p->machine->mac_products);
  return ERG_OK;
}

static erg_status mac_items(const pass *p, const erg_op_price *price, erg_item *item) {
  uint64_t gated = p->activity->gated_macs, all = p->activity->ops[ERG_OP_MAC];
  if (gated > all) return erg_fail(p->error, ERG_ERR_INTERNAL, "more gated MACs than MACs");
  if (gated && p->t->gated_mac.provenance.source == NULL)
    return erg_fail(p->error, ERG_ERR_UNSUPPORTED, "%s has no constant for a gated MAC (gated_mac)", p->t->name);
  if (gated < all) {
    item->count = (double)(all - gated);
    p->sink(p->context, item);
  }
  if (!gated) return ERG_OK;
  item->count = (double)gated;
  item->direction = "gated";
  item->pj = price->pj * p->t->gated_mac.value;
  add_factor(p, item, "gated", p->t->gated_mac.value, &p->t->gated_mac.provenance);
  say(p, item, " x %g (gated)", p->t->gated_mac.value);
  p->sink(p->context, item);
  return ERG_OK;
}

static erg_status op_items(const pass *p, const erg_precision *precision, const erg_precision *mac_precision) {
  if (p->activity->ops[ERG_OP_REQUANTIZE] && !erg_precision_is_int(precision))
    return erg_fail(p->error, ERG_ERR_INTERNAL, "%llu requantizes were counted in %s, where there are none",
                    (unsigned long long)p->activity->ops[ERG_OP_REQUANTIZE], erg_format_name(precision->format));
  erg_status status = ERG_OK;
  for (int op = 0; op < ERG_OP_COUNT && status == ERG_OK; op++) {
    if (p->activity->ops[op] == 0 || (p->t->book && op != ERG_OP_MAC)) continue;
    const erg_precision *width = op == ERG_OP_MAC ? mac_precision : precision;
    erg_op_price price;
    status = erg_price_op(p->t, (erg_op_kind)op, width, &price, p->error);
    if (status != ERG_OK) return status;
    erg_item item = blank(erg_op_kind_names[op], "op");
    item.op = op;
    item.pj = price.pj;
    explain_op(p, &item, &price, width);
    if (op == ERG_OP_MAC) {
      if (p->machine->mac_products) status = scale_mac(p, &item);
      price.pj = item.pj;
      if (status == ERG_OK) status = mac_items(p, &price, &item);
    } else {
      item.count = (double)p->activity->ops[op];
      p->sink(p->context, &item);
    }
  }
  return status;
}

/* ---------------------------------------------------------------- memories */

/* What a technology does not price costs nothing: the registers inside a MAC, and all but off-chip data in `book`. */
static bool free_of_charge(const erg_technology *t, const erg_price_machine *machine, int level) {
  return (t->book && level > 0) || (t->mac_includes_registers && machine->levels[level].kind == ERG_MEMORY_REGISTER);
}

static double word_bits_of(const erg_price_machine *machine, int level) {
  return machine->levels[level].word_bits > 0 ? machine->levels[level].word_bits : 64;
}

static void explain_level(const pass *p, erg_item *item, int level, const erg_bit_price *price) {
  double bytes = p->machine->levels[level].bank_bytes;
  const erg_memory_constant *c = price->constant;
  if (!p->explains) return;
  if (!c) {
    say(p, item, "CACTI 7 %s %g nm, %.0f B bank, %.0f-bit word", p->t->sram_table->cell, p->t->sram_table->node_nm,
        bytes, word_bits_of(p->machine, level));
    add_factor(p, item, "cacti", p->t->sram_table->node_nm, &p->t->sram_table->provenance);
    return;
  }
  if (c->kind == ERG_MEMORY_SRAM)
    say(p, item, "%g pJ/bit * (%.0f B / %.0f B)^%g", c->pj_per_bit, bytes, c->reference_bytes, c->exponent);
  else
    say(p, item, "%s", c->name ? c->name : erg_memory_kind_names[c->kind]);
  add_factor(p, item, erg_memory_kind_names[c->kind], c->pj_per_bit, &c->provenance);
  if (c->kind != ERG_MEMORY_DRAM) add_scale(p, item);
}

static erg_status wire_item(const pass *p, const erg_item *like, uint64_t bits) {
  double mm = p->machine->levels[like->level].wire_mm;
  if (mm <= 0) return ERG_OK;
  if (!p->t->wire.provenance.source)
    return erg_fail(p->error, ERG_ERR_UNSUPPORTED, "%s has no constant for wires, and level %s states wire_mm",
                    p->t->name, like->component);
  erg_item item = blank(like->component, "bit");
  item.level = like->level;
  item.tensor = like->tensor;
  item.direction = "wire";
  item.count = (double)bits;
  item.pj = p->t->wire.value * mm * p->t->scale;
  say(p, &item, "%g pJ/bit/mm * %g mm", p->t->wire.value, mm);
  add_factor(p, &item, "wire", p->t->wire.value, &p->t->wire.provenance);
  add_scale(p, &item);
  p->sink(p->context, &item);
  return ERG_OK;
}

static erg_status level_items(const pass *p, int level) {
  if (erg_activity_level_bits(p->activity, level) == 0 || free_of_charge(p->t, p->machine, level)) return ERG_OK;
  const char *name = p->machine->levels[level].name ? p->machine->levels[level].name : "?";
  erg_error fault = {0};
  erg_bit_price price = {0};
  erg_status status = erg_price_bit(p->t, p->machine->levels[level].kind, p->machine->levels[level].bank_bytes,
                                    word_bits_of(p->machine, level), &price, &fault);
  if (status != ERG_OK) erg_fail(p->error, status, "level %s: %s", name, fault.text);
  erg_error_clear(&fault);
  erg_item item = blank(name, "bit");
  item.level = level;
  if (status == ERG_OK) explain_level(p, &item, level, &price);
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT && status == ERG_OK; tensor++) {
    uint64_t read = p->activity->read_bits[level][tensor], written = p->activity->write_bits[level][tensor];
    if ((p->t->book && tensor == ERG_TENSOR_CONSTANT) || read + written == 0) continue;
    item.tensor = tensor;
    const bool same = price.read_pj == price.write_pj;
    for (int write = 0; write < (same ? 1 : 2); write++) {
      uint64_t bits = same ? read + written : write ? written : read;
      if (bits == 0) continue;
      item.direction = same ? "" : write ? "write" : "read";
      item.count = (double)bits;
      item.pj = write ? price.write_pj : price.read_pj;
      p->sink(p->context, &item);
    }
    status = wire_item(p, &item, read + written);
  }
  return status;
}

/* ---------------------------------------------------------------- clock, leakage, background */

static const erg_memory_constant *dram_of(const erg_technology *t) {
  const erg_memory_constant *memories = t->memories.items;
  for (int i = 0; i < t->memories.count && !t->dram_part; i++)
    if (memories[i].kind == ERG_MEMORY_DRAM) return &memories[i];
  return t->dram_part;
}

bool erg_technology_has_static(const erg_technology *t) {
  const erg_memory_constant *dram = dram_of(t);
  return t->has_static || t->clock.value > 0 || (!t->book && (t->sram_table || (dram && dram->background_mw > 0)));
}

static void static_item(const pass *p, erg_item *item, int part, double count, double pj, double value,
                        const erg_provenance *provenance) {
  item->static_part = part;
  item->count = count;
  item->pj = pj;
  add_factor(p, item, erg_static_part_names[part], value, provenance);
  if (part == ERG_STATIC_CLOCK) add_scale(p, item);
  p->sink(p->context, item);
}

static erg_status sram_leakage(const pass *p, double us) {
  for (int level = 1; level <= ERG_LEVEL_ACCUMULATOR(p->machine->level_count); level++) {
    double banks = p->machine->levels[level].banks > 0 ? p->machine->levels[level].banks : 1, mw;
    if (p->machine->levels[level].kind != ERG_MEMORY_SRAM) continue;
    erg_status status = erg_sram_lookup(p->t, ERG_SRAM_LEAKAGE_MW, p->machine->levels[level].bank_bytes,
                                        word_bits_of(p->machine, level), &mw, p->error);
    if (status != ERG_OK) return status;
    erg_item item = blank(erg_static_part_names[ERG_STATIC_SRAM], "bank us");
    say(p, &item, "%s: %.4g mW a bank", p->machine->levels[level].name, mw);
    static_item(p, &item, ERG_STATIC_SRAM, banks * us, mw * 1e3, p->t->sram_table->node_nm,
                &p->t->sram_table->provenance);
  }
  return ERG_OK;
}

static erg_status static_items(const pass *p) {
  const erg_technology *t = p->t;
  const double pes = (double)p->machine->pe_count, cycles = (double)p->activity->cycles;
  const double us = cycles / p->machine->clock_mhz;
  const erg_memory_constant *dram = dram_of(t);
  if (cycles <= 0 || t->book) return ERG_OK;
  if (t->clock.value > 0) {
    erg_item item = blank(erg_static_part_names[ERG_STATIC_CLOCK], "PE cycle");
    say(p, &item, "%.4g PEs", pes);
    static_item(p, &item, ERG_STATIC_CLOCK, pes * cycles, t->clock.value * t->scale, t->clock.value,
                &t->clock.provenance);
  }
  if (t->has_static) { /* pW * us = 1e-6 pJ */
    erg_item item = blank(erg_static_part_names[ERG_STATIC_PE], "PE us");
    say(p, &item, "%.4g PEs of %g pW", pes, t->static_pw_per_pe);
    static_item(p, &item, ERG_STATIC_PE, pes * us, t->static_pw_per_pe * 1e-6, t->static_pw_per_pe,
                &t->static_provenance);
  }
  erg_status status = t->sram_table ? sram_leakage(p, us) : ERG_OK;
  if (status == ERG_OK && dram && dram->background_mw > 0) {
    double gbit_per_s = p->machine->levels[0].bandwidth_bits_per_cycle * p->machine->clock_mhz * 1e-3;
    double devices = fmax(1, ceil(gbit_per_s / dram->device_gbit_per_s - 1e-9));
    erg_item item = blank(erg_static_part_names[ERG_STATIC_DRAM], "device us");
    say(p, &item, "%g devices of %g Gbit/s for %g Gbit/s, %g mW each", devices, dram->device_gbit_per_s, gbit_per_s,
        dram->background_mw);
    static_item(p, &item, ERG_STATIC_DRAM, devices * us, dram->background_mw * 1e3, dram->background_mw,
                &dram->provenance);
  }
  return status;
}

erg_status erg_itemise(const erg_technology *t, const erg_price_machine *machine, const erg_activity *activity,
                       const erg_precision *precision, const erg_precision *mac_precision, erg_item_sink sink,
                       void *context, erg_error *error) {
  return erg_itemise_as(t, machine, activity, precision, mac_precision, sink, context, true, error);
}

erg_status erg_itemise_as(const erg_technology *t, const erg_price_machine *machine, const erg_activity *activity,
                          const erg_precision *precision, const erg_precision *mac_precision, erg_item_sink sink,
                          void *context, bool explains, erg_error *error) {
  const pass p = {t, machine, activity, sink, context, explains, error};
  if (machine->level_count < 1 || machine->level_count > ERG_MAX_LEVELS)
    return erg_fail(error, ERG_ERR_INTERNAL, "%d memory levels; 1 to %d can be priced", machine->level_count,
                    ERG_MAX_LEVELS);
  erg_status status = op_items(&p, precision, mac_precision);
  for (int level = 0; level <= ERG_LEVEL_REGISTERS(machine->level_count) && status == ERG_OK; level++)
    status = level_items(&p, level);
  if (status == ERG_OK) status = static_items(&p);
  return status;
}
