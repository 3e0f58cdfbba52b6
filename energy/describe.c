/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants and coverage of a technology as people read them. */
#include "ergon/energy.h"
#include <stdarg.h>
#include <string.h>

static void op_label(const erg_op_constant *c, char *label, size_t bytes) {
  const char *op = erg_op_kind_names[c->op], *format = erg_format_name((erg_format)c->format);
  if (c->format != ERG_FORMAT_INT || (!c->weight_bits && !c->activation_bits))
    snprintf(label, bytes, "%s %s", op, format);
  else if (c->weight_bits == c->activation_bits)
    snprintf(label, bytes, "%s int%d", op, (int)c->weight_bits);
  else
    snprintf(label, bytes, "%s w%da%d", op, (int)c->weight_bits, (int)c->activation_bits);
}

static void memory_constant(const erg_memory_constant *m, erg_constant_sink sink, void *context) {
  char label[64], value[160];
  snprintf(label, sizeof label, "%s%s%s", erg_memory_kind_names[m->kind], m->name ? " " : "", m->name ? m->name : "");
  snprintf(value, sizeof value, "%.10g pJ/bit", m->pj_per_bit);
  if (m->kind == ERG_MEMORY_SRAM)
    snprintf(value, sizeof value, "%.10g pJ/bit * (bank / %.0f B)^%g, %.0f to %.0f B", m->pj_per_bit,
             m->reference_bytes, m->exponent, m->min_bytes, m->max_bytes);
  sink(context, label, value, &m->provenance);
  if (m->background_mw > 0) {
    snprintf(label, sizeof label, "dram background%s%s", m->name ? " " : "", m->name ? m->name : "");
    snprintf(value, sizeof value, "%g mW a device of %g Gbit/s", m->background_mw, m->device_gbit_per_s);
    sink(context, label, value, &m->provenance);
  }
}

void erg_technology_constants(const erg_technology *t, erg_constant_sink sink, void *context) {
  char label[64], value[160];
  const erg_op_constant *operations = t->operations.items;
  const erg_memory_constant *memories = t->memories.items;
  for (int i = 0; i < t->operations.count; i++) {
    op_label(&operations[i], label, sizeof label);
    snprintf(value, sizeof value, "%.10g pJ", operations[i].pj);
    sink(context, label, value, &operations[i].provenance);
  }
  if (t->has_width_law) {
    const erg_width_law *law = &t->width_law;
    snprintf(value, sizeof value, "%g w a + %g (w + a)/2 + %g fJ%s, %d to %d bits", law->c2_fj, law->c1_fj, law->c0_fj,
             law->scaled_to_anchor ? ", scaled to mac int8" : "", (int)law->min_bits, (int)law->max_bits);
    sink(context, "width_law", value, &law->provenance);
  }
  for (int i = 0; i < t->memories.count; i++) {
    bool replaced =
        (memories[i].kind == ERG_MEMORY_DRAM && t->dram_part) || (memories[i].kind == ERG_MEMORY_SRAM && t->sram_table);
    if (!replaced) memory_constant(&memories[i], sink, context);
  }
  if (t->dram_part) memory_constant(t->dram_part, sink, context);
  if (t->sram_table) {
    snprintf(value, sizeof value, "CACTI 7 %s at %g nm, by capacity and word", t->sram_table->cell,
             t->sram_table->node_nm);
    sink(context, "sram", value, &t->sram_table->provenance);
  }
  const struct {
    const char *label, *unit;
    const erg_scalar_constant *c;
  } scalars[] = {{"gated_mac", "of a MAC", &t->gated_mac},
                 {"scalable_mac", "of a fixed MAC", &t->scalable_mac},
                 {"wire", "pJ/bit/mm", &t->wire},
                 {"clock", "pJ a PE and cycle", &t->clock}};
  for (size_t i = 0; i < ERG_COUNT_OF(scalars); i++) {
    if (!scalars[i].c->provenance.source) continue;
    snprintf(value, sizeof value, "%.10g %s", scalars[i].c->value, scalars[i].unit);
    sink(context, scalars[i].label, value, &scalars[i].c->provenance);
  }
  if (t->has_static) {
    snprintf(value, sizeof value, "%.10g pW a PE", t->static_pw_per_pe);
    sink(context, "pe_leakage", value, &t->static_provenance);
  }
  if (t->scale != 1) {
    snprintf(value, sizeof value, "%.6g of on-chip dynamic energies", t->scale);
    sink(context, "scale", value, &t->scale_provenance);
  }
}

static void append(char *text, size_t bytes, const char *format, ...) ERG_PRINTF(3, 4);
static void append(char *text, size_t bytes, const char *format, ...) {
  size_t used = strlen(text);
  va_list arguments;
  if (used + 3 >= bytes) return;
  if (used) used += (size_t)snprintf(text + used, bytes - used, ", ");
  va_start(arguments, format);
  vsnprintf(text + used, bytes - used, format, arguments);
  va_end(arguments);
}

void erg_technology_coverage(const erg_technology *t, char *covers, size_t covers_bytes, char *lacks,
                             size_t lacks_bytes) {
  *covers = *lacks = 0;
  for (int format = 0; format < ERG_FORMAT_COUNT; format++) {
    const erg_precision p = {
        .format = (erg_format)format, .weight_bits = 8, .activation_bits = 8, .accumulator_bits = 32, .output_bits = 8};
    double pj;
    bool has = erg_technology_op_pj(t, ERG_OP_MAC, &p, &pj, NULL, NULL, NULL) == ERG_OK;
    if (format == ERG_FORMAT_INT && has && t->has_width_law)
      append(covers, covers_bytes, "int of %d to %d bits", (int)t->width_law.min_bits, (int)t->width_law.max_bits);
    else
      append(has ? covers : lacks, has ? covers_bytes : lacks_bytes, "%s", erg_format_name((erg_format)format));
  }
  const erg_memory_constant *memories = t->memories.items;
  bool kinds[3] = {t->dram_part != NULL, t->sram_table != NULL, t->mac_includes_registers};
  for (int i = 0; i < t->memories.count; i++) {
    kinds[memories[i].kind] = true;
    if (memories[i].kind == ERG_MEMORY_SRAM && !t->sram_table)
      append(covers, covers_bytes, "sram of %.0f B to %.0f KiB", memories[i].min_bytes, memories[i].max_bytes / 1024);
  }
  if (t->sram_table) append(covers, covers_bytes, "sram of 1 to 8192 KiB (CACTI 7)");
  for (int kind = 0; kind < 3; kind++)
    if (kind != ERG_MEMORY_SRAM || !kinds[kind])
      append(kinds[kind] ? covers : lacks, kinds[kind] ? covers_bytes : lacks_bytes, "%s%s",
             erg_memory_kind_names[kind],
             kind == ERG_MEMORY_REGISTER && t->mac_includes_registers ? " (in the MAC)" : "");
  const struct {
    const char *name;
    bool has;
  } terms[] = {{"clock", t->clock.value > 0},
               {"PE leakage", t->has_static},
               {"SRAM leakage", t->sram_table != NULL},
               {"DRAM background", t->dram_part && t->dram_part->background_mw > 0},
               {"wires", t->wire.provenance.source != NULL},
               {"gated MACs", t->gated_mac.provenance.source != NULL},
               {"scalable MACs", t->scalable_mac.provenance.source != NULL},
               {"scaling", t->voltage_v > 0}};
  for (size_t i = 0; i < ERG_COUNT_OF(terms); i++)
    append(terms[i].has ? covers : lacks, terms[i].has ? covers_bytes : lacks_bytes, "%s", terms[i].name);
}
