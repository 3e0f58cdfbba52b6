/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Technology files: the field tables are the format. Every constant carries where it comes from. */
#include "technology.h"
#include <string.h>

const char *const erg_memory_kind_names[] = {"dram", "sram", "register", NULL};
static const char *const format_names[] = {"int", "fp32", "fp16", "bf16", "fp8e4m3", "fp8e5m2", NULL};

#define FIELD(struct_type, member) .key = #member, .offset = offsetof(struct_type, member)
#define PROVENANCE(struct_type)                                                                                        \
  {.key = "source",                                                                                                    \
   .offset = offsetof(struct_type, provenance.source),                                                                 \
   .type = ERG_FIELD_TEXT,                                                                                             \
   .help = "publication or file the number was read in"},                                                              \
      {.key = "table",                                                                                                 \
       .offset = offsetof(struct_type, provenance.table),                                                              \
       .type = ERG_FIELD_TEXT,                                                                                         \
       .help = "table, figure or file within it"},                                                                     \
      {.key = "year",                                                                                                  \
       .offset = offsetof(struct_type, provenance.year),                                                               \
       .type = ERG_FIELD_INT,                                                                                          \
       .min = 1950,                                                                                                    \
       .max = 2100,                                                                                                    \
       .help = "year of publication"},                                                                                 \
      {.key = "confirmed",                                                                                             \
       .offset = offsetof(struct_type, provenance.confirmed),                                                          \
       .type = ERG_FIELD_BOOL,                                                                                         \
       .help = "yes: the number was read in a public source"},                                                         \
      {.key = "derived",                                                                                               \
       .offset = offsetof(struct_type, provenance.derived),                                                            \
       .type = ERG_FIELD_BOOL,                                                                                         \
       .fallback = "no",                                                                                               \
       .help = "yes: our arithmetic on sourced numbers; note says how"},                                               \
      {.key = "node_nm",                                                                                               \
       .offset = offsetof(struct_type, provenance.node_nm),                                                            \
       .type = ERG_FIELD_REAL,                                                                                         \
       .max = 1000,                                                                                                    \
       .fallback = "0",                                                                                                \
       .help = "node of this number; 0: the technology's"},                                                            \
      {.key = "voltage_v",                                                                                             \
       .offset = offsetof(struct_type, provenance.voltage_v),                                                          \
       .type = ERG_FIELD_REAL,                                                                                         \
       .max = 20,                                                                                                      \
       .fallback = "0",                                                                                                \
       .help = "supply of this number; 0: the technology's"},                                                          \
      {.key = "sources",                                                                                               \
       .offset = offsetof(struct_type, provenance.sources),                                                            \
       .type = ERG_FIELD_INT,                                                                                          \
       .min = 1,                                                                                                       \
       .max = 99,                                                                                                      \
       .fallback = "1",                                                                                                \
       .help = "independent publications that agree on the number"},                                                   \
      {.key = "conflict",                                                                                              \
       .offset = offsetof(struct_type, provenance.conflict),                                                           \
       .type = ERG_FIELD_BOOL,                                                                                         \
       .fallback = "no",                                                                                               \
       .help = "yes: another source differs by a factor of two or more"},                                              \
  {                                                                                                                    \
    .key = "note", .offset = offsetof(struct_type, provenance.note), .type = ERG_FIELD_TEXT, .optional = true,         \
    .help = "how it was derived, what it leaves out"                                                                   \
  }

static const erg_field op_fields[] = {
    {FIELD(erg_op_constant, op), .type = ERG_FIELD_NAME, .names = erg_op_kind_names, .help = "operation"},
    {FIELD(erg_op_constant, format), .type = ERG_FIELD_NAME, .names = format_names, .help = "number format"},
    {FIELD(erg_op_constant, weight_bits), .type = ERG_FIELD_INT, .unit = "bit", .max = 16, .fallback = "0",
     .help = "of an integer MAC; 0: any width"},
    {FIELD(erg_op_constant, activation_bits), .type = ERG_FIELD_INT, .unit = "bit", .max = 16, .fallback = "0",
     .help = "of an integer MAC; 0: any width"},
    {FIELD(erg_op_constant, pj), .type = ERG_FIELD_REAL, .unit = "pJ", .max = 1e6, .help = "energy of one operation"},
    {FIELD(erg_op_constant, area_um2), .type = ERG_FIELD_REAL, .unit = "um^2", .max = 1e9, .fallback = "0",
     .help = "area of one unit; 0: not stated"},
    {FIELD(erg_op_constant, follows_anchor), .type = ERG_FIELD_BOOL, .fallback = "no",
     .help = "yes: a ratio to the int8 mac, whose uncertainty it shares"},
    PROVENANCE(erg_op_constant),
};
static const erg_record op_record = {"operation", sizeof(erg_op_constant), op_fields, ERG_COUNT_OF(op_fields),
                                     offsetof(erg_op_constant, position)};

static const erg_field memory_fields[] = {
    {FIELD(erg_memory_constant, kind), .type = ERG_FIELD_NAME, .names = erg_memory_kind_names, .help = "memory kind"},
    {FIELD(erg_memory_constant, pj_per_bit), .type = ERG_FIELD_REAL, .unit = "pJ/bit", .max = 1e6,
     .help = "read or write; of an SRAM: at reference_bytes"},
    {FIELD(erg_memory_constant, reference_bytes), .type = ERG_FIELD_REAL, .unit = "byte", .max = 1e12, .fallback = "0",
     .help = "sram: capacity of the bank at which pj_per_bit holds"},
    {FIELD(erg_memory_constant, exponent), .type = ERG_FIELD_REAL, .max = 2, .fallback = "0",
     .help = "sram: energy goes with (bank capacity / reference_bytes)^exponent"},
    {FIELD(erg_memory_constant, min_bytes), .type = ERG_FIELD_REAL, .unit = "byte", .max = 1e12, .fallback = "0",
     .help = "sram: smallest bank the law was held against"},
    {FIELD(erg_memory_constant, max_bytes), .type = ERG_FIELD_REAL, .unit = "byte", .max = 1e12, .fallback = "0",
     .help = "sram: largest bank the law was held against"},
    {FIELD(erg_memory_constant, name), .type = ERG_FIELD_TEXT, .optional = true, .help = "dram: name of the part"},
    {FIELD(erg_memory_constant, background_mw), .type = ERG_FIELD_REAL, .unit = "mW", .max = 1e6, .fallback = "0",
     .help = "dram: power of a device whose rows are open; 0: not stated"},
    {FIELD(erg_memory_constant, device_gbit_per_s), .type = ERG_FIELD_REAL, .unit = "Gbit/s", .max = 1e6,
     .fallback = "0", .help = "dram: peak rate of a device; as many are counted as the level's bandwidth needs"},
    PROVENANCE(erg_memory_constant),
};
const erg_record erg_memory_record = {"memory", sizeof(erg_memory_constant), memory_fields, ERG_COUNT_OF(memory_fields),
                                      offsetof(erg_memory_constant, position)};

static const erg_field law_fields[] = {
    {FIELD(erg_width_law, c2_fj), .type = ERG_FIELD_REAL, .unit = "fJ", .max = 1e6, .help = "times w*a"},
    {FIELD(erg_width_law, c1_fj), .type = ERG_FIELD_REAL, .unit = "fJ", .max = 1e6, .help = "times (w + a)/2"},
    {FIELD(erg_width_law, c0_fj), .type = ERG_FIELD_REAL, .unit = "fJ", .max = 1e6, .help = "constant"},
    {FIELD(erg_width_law, min_bits), .type = ERG_FIELD_INT, .unit = "bit", .min = 2, .max = 16, .help = "validity"},
    {FIELD(erg_width_law, max_bits), .type = ERG_FIELD_INT, .unit = "bit", .min = 2, .max = 16, .help = "validity"},
    {FIELD(erg_width_law, scaled_to_anchor), .type = ERG_FIELD_BOOL,
     .help = "yes: the law only scales the technology's int8 MAC"},
    {FIELD(erg_width_law, accumulator_fj_per_bit), .type = ERG_FIELD_REAL, .unit = "fJ", .max = 1e6, .fallback = "0",
     .help = "for each accumulator bit of an integer MAC beyond 32 (48 where the widths sum to more than 16)"},
    PROVENANCE(erg_width_law),
};
static const erg_record law_record = {"width_law", sizeof(erg_width_law), law_fields, ERG_COUNT_OF(law_fields),
                                      offsetof(erg_width_law, position)};

static const erg_field scalar_fields[] = {
    {FIELD(erg_scalar_constant, value), .type = ERG_FIELD_REAL, .max = 1e6, .help = "the number"},
    PROVENANCE(erg_scalar_constant),
};
static const erg_record scalar_record = {"constant", sizeof(erg_scalar_constant), scalar_fields,
                                         ERG_COUNT_OF(scalar_fields), offsetof(erg_scalar_constant, position)};

static const erg_field technology_fields[] = {
    {FIELD(erg_technology, name), .type = ERG_FIELD_TEXT, .help = "name in tables"},
    {FIELD(erg_technology, help), .type = ERG_FIELD_TEXT, .optional = true, .help = "one line for `ergon list techs`"},
    {FIELD(erg_technology, node_nm), .type = ERG_FIELD_REAL, .unit = "nm", .min = 1, .max = 1000, .help = "node"},
    {FIELD(erg_technology, voltage_v), .type = ERG_FIELD_REAL, .unit = "V", .max = 5, .fallback = "0",
     .help = "supply; 0: not stated"},
    {FIELD(erg_technology, mac_includes_registers), .type = ERG_FIELD_BOOL,
     .help = "no: the array's registers are a memory level of their own"},
    {FIELD(erg_technology, static_pw_per_pe), .type = ERG_FIELD_REAL, .unit = "pW", .max = 1e12, .fallback = "0",
     .help = "clock and leakage of a PE; 0: no such term"},
    {FIELD(erg_technology, static_source), .type = ERG_FIELD_TEXT, .optional = true,
     .help = "publication static_pw_per_pe was read in"},
    {FIELD(erg_technology, book), .type = ERG_FIELD_BOOL, .fallback = "no",
     .help = "yes: prices MACs and off-chip element bytes only"},
    {FIELD(erg_technology, operations), .type = ERG_FIELD_RECORDS, .record = &op_record, .max_items = 256,
     .help = "energies of operations"},
    {FIELD(erg_technology, width_law), .type = ERG_FIELD_RECORD, .record = &law_record, .optional = true,
     .help = "integer MACs of widths without a constant of their own"},
    {FIELD(erg_technology, memories), .type = ERG_FIELD_RECORDS, .record = &erg_memory_record, .max_items = 64,
     .help = "energies of memories"},
    {FIELD(erg_technology, extends), .type = ERG_FIELD_TEXT, .optional = true,
     .help = "a technology whose operations, memories and laws stand where this file states none"},
    {FIELD(erg_technology, dram), .type = ERG_FIELD_TEXT, .optional = true,
     .help = "ddr3, ddr4, lpddr4, gddr6, hbm2, hbm2e: instead of the dram among memories"},
    {FIELD(erg_technology, sram), .type = ERG_FIELD_TEXT, .optional = true,
     .help = "hp, lop, lstp: SRAM of this cell from the CACTI 7 table instead of the sram among memories"},
    {FIELD(erg_technology, gated_mac), .type = ERG_FIELD_RECORD, .record = &scalar_record, .optional = true,
     .help = "share of a MAC's energy that one with a zero operand costs where the hardware gates it"},
    {FIELD(erg_technology, scalable_mac), .type = ERG_FIELD_RECORD, .record = &scalar_record, .optional = true,
     .help = "energy of a precision-scalable cell of 8 x 8 bits a cycle over that of a fixed MAC of 8 x 8"},
    {FIELD(erg_technology, wire), .type = ERG_FIELD_RECORD, .record = &scalar_record, .optional = true,
     .help = "pJ a bit and mm of wire_mm of the architecture's levels"},
    {FIELD(erg_technology, clock), .type = ERG_FIELD_RECORD, .record = &scalar_record, .optional = true,
     .help = "pJ a PE and cycle, working or idle"},
    {FIELD(erg_technology, scale_to_node_nm), .type = ERG_FIELD_REAL, .unit = "nm", .max = 1000, .fallback = "0",
     .help = "scales on-chip dynamic energies, two nodes at most; 0: as published"},
    {FIELD(erg_technology, scale_to_voltage_v), .type = ERG_FIELD_REAL, .unit = "V", .max = 5, .fallback = "0",
     .help = "scales on-chip dynamic energies; 0: as published"},
};
static const erg_record technology_record = {"tech", sizeof(erg_technology), technology_fields,
                                             ERG_COUNT_OF(technology_fields), ERG_NO_POSITION};

/* A what-if on the command line is its own source. */
static void credit_static(erg_technology *t, const erg_override *overrides, int override_count) {
  for (int i = 0; i < override_count && !t->static_source; i++)
    if (strcmp(overrides[i].path, "static_pw_per_pe") == 0)
      t->static_source = erg_arena_strdup(&t->arena, "set on the command line");
  t->static_provenance =
      (erg_provenance){.source = t->static_source, .table = "static_pw_per_pe", .confirmed = true, .sources = 1};
}

erg_status erg_technology_parse(const char *file, const char *text, const erg_override *overrides, int override_count,
                                erg_technology *out, erg_error *error) {
  erg_technology t = {0};
  erg_arena arena = {0};
  erg_error faults = {0};
  erg_status status = erg_yaml_decode(&arena, file, text, &technology_record, overrides, override_count, &t, &faults);
  t.arena = arena;
  if (status == ERG_OK) {
    t.file = erg_arena_strdup(&t.arena, file);
    t.has_static = t.static_pw_per_pe > 0;
    t.has_width_law = t.width_law.max_bits > 0;
    erg_sha256_hex(text, strlen(text), t.sha256);
    credit_static(&t, overrides, override_count);
    erg_technology_extend(&t, &faults);
    if (faults.status == ERG_OK) erg_technology_check(&t, &faults);
    if (faults.status == ERG_OK) erg_technology_parts(&t, &faults);
    if (faults.status == ERG_OK) erg_technology_scale(&t, &faults);
    status = faults.status;
  }
  if (status == ERG_OK) {
    *out = t;
  } else {
    erg_fail(error, status, "%s", faults.text ? faults.text : file);
    erg_technology_free(&t);
  }
  erg_error_clear(&faults);
  return status;
}

erg_status erg_technology_load(const char *name, const erg_override *overrides, int override_count, erg_technology *out,
                               erg_error *error) {
  erg_arena arena = {0};
  char *path, *text;
  erg_status status = erg_data_find(&arena, "tech", name, ".yaml", &path, error);
  if (status == ERG_OK) status = erg_file_read(&arena, path, &text, NULL, error);
  if (status == ERG_OK) status = erg_technology_parse(path, text, overrides, override_count, out, error);
  erg_arena_free(&arena);
  return status;
}

void erg_technology_free(erg_technology *technology) {
  if (technology->base) erg_technology_free(technology->base);
  erg_arena_free(&technology->arena);
}
