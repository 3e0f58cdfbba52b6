/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Architecture files: one field table is the format, its ranges and its help. */
#include "ergon/sim.h"
#include <math.h>
#include <string.h>

const char *const erg_mac_kind_names[] = {"native", "fixed", "scalable", NULL};
const char *const erg_model_names[] = {"analytic", "systemc", "rtl", NULL};

#define FIELD(struct_type, member) .key = #member, .offset = offsetof(struct_type, member)

static const erg_field level_fields[] = {
    {FIELD(erg_level, name), .type = ERG_FIELD_TEXT, .help = "name in tables and JSON; the first level is dram"},
    {FIELD(erg_level, kind), .type = ERG_FIELD_NAME, .names = erg_memory_kind_names, .help = "how it is priced"},
    {FIELD(erg_level, capacity_kib), .type = ERG_FIELD_REAL, .unit = "KiB", .min = 0, .max = 1e9, .fallback = "0",
     .help = "all banks together; absent for dram"},
    {FIELD(erg_level, banks), .type = ERG_FIELD_INT, .min = 1, .max = 65536, .fallback = "1",
     .help = "an access opens one bank"},
    {FIELD(erg_level, bandwidth_bits_per_cycle), .type = ERG_FIELD_REAL, .unit = "bit/cycle", .min = 0, .max = 1e9,
     .fallback = "0", .help = "to the next level inward; not needed for a scratchpad"},
    {FIELD(erg_level, latency_cycles), .type = ERG_FIELD_INT, .unit = "cycle", .min = 0, .max = 1e6, .fallback = "0",
     .help = "before the first bit of a tile"},
    {FIELD(erg_level, word_bits), .type = ERG_FIELD_INT, .unit = "bit", .min = 1, .max = 65536, .fallback = "64",
     .help = "word of a bank; matters to technologies with `sram`"},
    {FIELD(erg_level, wire_mm), .type = ERG_FIELD_REAL, .unit = "mm", .min = 0, .max = 1000, .fallback = "0",
     .help = "length of the wires to the array; 0: not priced"},
    {FIELD(erg_level, holds), .type = ERG_FIELD_TEXTS, .optional = true, .max_items = 8,
     .help = "input, weight, residual, constant, output; dram holds all"},
};
static const erg_record level_record = {"level", sizeof(erg_level), level_fields, ERG_COUNT_OF(level_fields),
                                        offsetof(erg_level, position)};

static const erg_field arch_fields[] = {
    {FIELD(erg_arch, name), .type = ERG_FIELD_TEXT, .help = "name in tables"},
    {FIELD(erg_arch, help), .type = ERG_FIELD_TEXT, .optional = true, .help = "one line for `ergon list archs`"},
    {FIELD(erg_arch, rows), .type = ERG_FIELD_INT, .min = 2, .max = 1024, .help = "R: the reduction runs down"},
    {FIELD(erg_arch, cols), .type = ERG_FIELD_INT, .min = 2, .max = 1024, .help = "C: output channels; vector lanes"},
    {FIELD(erg_arch, clock_mhz), .type = ERG_FIELD_REAL, .unit = "MHz", .min = 1e-3, .max = 1e5, .help = "clock"},
    {FIELD(erg_arch, mac), .type = ERG_FIELD_NAME, .names = erg_mac_kind_names, .fallback = "native",
     .help = "native: built for each point's precision; fixed: mac_weight_bits x mac_activation_bits"},
    {FIELD(erg_arch, mac_weight_bits), .type = ERG_FIELD_INT, .unit = "bit", .min = 2, .max = 16, .fallback = "8",
     .help = "when mac is fixed"},
    {FIELD(erg_arch, mac_activation_bits), .type = ERG_FIELD_INT, .unit = "bit", .min = 2, .max = 16, .fallback = "8",
     .help = "when mac is fixed"},
    {FIELD(erg_arch, accumulator_depth), .type = ERG_FIELD_INT, .unit = "row", .min = 2, .max = 1 << 20,
     .help = "rows of COLS partial sums"},
    {FIELD(erg_arch, accumulator_banks), .type = ERG_FIELD_INT, .min = 1, .max = 1024, .fallback = "1",
     .help = "macros side by side; the energy of a bit follows one macro's capacity"},
    {.key = "levels",
     .offset = offsetof(erg_arch, level_records),
     .type = ERG_FIELD_RECORDS,
     .record = &level_record,
     .max_items = ERG_MAX_LEVELS,
     .help = "memory levels, outermost first"},
};
static const erg_record arch_record = {"arch", sizeof(erg_arch), arch_fields, ERG_COUNT_OF(arch_fields),
                                       ERG_NO_POSITION};

/* The tensors a level can hold, without partial sums: these never leave the array. */
#define HELD_TENSORS 5

static int tensor_of(const char *word) {
  for (int t = 0; t < HELD_TENSORS; t++)
    if (strcmp(word, erg_tensor_names[t]) == 0) return t;
  return -1;
}

static bool is_dram(const erg_level *level) {
  return level->kind == ERG_MEMORY_DRAM;
}

/* Below this, cycles of the largest pass no longer fit 64 bits. */
#define LEAST_BANDWIDTH 1e-3

static void check_level(const erg_arch *arch, int index, erg_error *error) {
  erg_level *level = &arch->levels[index];
  const char *file = arch->file;
  int line = level->position.line, column = level->position.column;
  if (level->bandwidth_bits_per_cycle > 0 && level->bandwidth_bits_per_cycle < LEAST_BANDWIDTH)
    erg_fail(error, ERG_ERR_DATA,
             "%s:%d:%d: levels[%d].bandwidth_bits_per_cycle: found %g; allowed: 0 (none) or at least %g", file, line,
             column, index, level->bandwidth_bits_per_cycle, LEAST_BANDWIDTH);
  if ((index == 0) != is_dram(level) || (index == 0 && strcmp(level->name, "dram") != 0))
    erg_fail(error, ERG_ERR_DATA,
             "%s:%d:%d: levels[%d]: found %s of kind %s; the first level, and only it, is named dram and of kind dram",
             file, line, column, index, level->name, erg_memory_kind_names[level->kind]);
  if (index == 0) {
    level->holds_mask = (1u << HELD_TENSORS) - 1;
    if (level->bandwidth_bits_per_cycle <= 0)
      erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: levels[0].bandwidth_bits_per_cycle: dram needs a bandwidth above 0",
               file, line, column);
    return;
  }
  if (level->kind != ERG_MEMORY_SRAM || level->capacity_kib <= 0)
    erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: levels[%d] (%s): an on-chip level has kind sram and capacity_kib above 0",
             file, line, column, index, level->name);
  if (level->holds.count == 0)
    erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: levels[%d].holds: found nothing; name at least one tensor", file, line,
             column, index);
  for (int i = 0; i < level->holds.count; i++) {
    int tensor = tensor_of(level->holds.items[i]);
    if (tensor < 0)
      erg_fail(error, ERG_ERR_DATA,
               "%s:%d:%d: levels[%d].holds: found %s; allowed: input, weight, residual, constant, output", file, line,
               column, index, level->holds.items[i]);
    else
      level->holds_mask |= 1u << tensor;
  }
  for (int other = 0; other < index; other++)
    if (strcmp(arch->levels[other].name, level->name) == 0)
      erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: levels[%d].name: %s is the name of levels[%d] too", file, line, column,
               index, level->name, other);
}

static void find_scratchpads(erg_arch *arch) {
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
    for (int index = 1; index < arch->level_count; index++)
      if (arch->levels[index].holds_mask >> tensor & 1u) arch->scratchpads[tensor] = index;
  arch->direct = true;
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
    for (int index = 1; index < arch->scratchpads[tensor]; index++)
      if (arch->levels[index].holds_mask >> tensor & 1u) arch->direct = false;
}

static void check_levels(erg_arch *arch, erg_error *error) {
  if (arch->level_count < 2) {
    erg_fail(error, ERG_ERR_DATA, "%s: levels: found %d; at least dram and one scratchpad are needed", arch->file,
             arch->level_count);
    return;
  }
  for (int index = 0; index < arch->level_count; index++) check_level(arch, index, error);
  find_scratchpads(arch);
  for (int tensor = 0; tensor < HELD_TENSORS; tensor++) {
    if (erg_arch_scratchpad(arch, (erg_tensor)tensor) == 0)
      erg_fail(error, ERG_ERR_DATA, "%s: levels: no on-chip level holds %s", arch->file, erg_tensor_names[tensor]);
    for (int index = 1; index < arch->level_count; index++) {
      const erg_level *level = &arch->levels[index];
      if ((level->holds_mask >> tensor & 1u) && index != erg_arch_scratchpad(arch, (erg_tensor)tensor) &&
          level->bandwidth_bits_per_cycle <= 0)
        erg_fail(error, ERG_ERR_DATA,
                 "%s:%d:%d: levels[%d].bandwidth_bits_per_cycle: %s feeds a level inward and needs a bandwidth above 0",
                 arch->file, level->position.line, level->position.column, index, level->name);
    }
  }
}

erg_status erg_arch_parse(const char *file, const char *text, const erg_override *overrides, int override_count,
                          erg_arch *out, erg_error *error) {
  erg_arch arch = {0};
  erg_error faults = {0};
  erg_arena arena = {0};
  erg_status status = erg_yaml_decode(&arena, file, text, &arch_record, overrides, override_count, &arch, &faults);
  arch.arena = arena;
  if (status == ERG_OK) {
    arch.file = erg_arena_strdup(&arch.arena, file);
    arch.levels = arch.level_records.items;
    arch.level_count = arch.level_records.count;
    erg_sha256_hex(text, strlen(text), arch.sha256);
    check_levels(&arch, &faults);
    status = faults.status;
  }
  if (status != ERG_OK) {
    erg_fail(error, status, "%s", faults.text ? faults.text : file);
    erg_arena_free(&arch.arena);
  } else {
    *out = arch;
  }
  erg_error_clear(&faults);
  return status;
}

erg_status erg_arch_load(const char *name, const erg_override *overrides, int override_count, erg_arch *out,
                         erg_error *error) {
  erg_arena arena = {0};
  char *path, *text;
  erg_status status = erg_data_find(&arena, "archs", name, ".yaml", &path, error);
  if (status == ERG_OK) status = erg_file_read(&arena, path, &text, NULL, error);
  if (status == ERG_OK) status = erg_arch_parse(path, text, overrides, override_count, out, error);
  erg_arena_free(&arena);
  return status;
}

void erg_arch_free(erg_arch *arch) {
  erg_arena_free(&arch->arena);
}

int erg_arch_scratchpad(const erg_arch *arch, erg_tensor tensor) {
  return arch->scratchpads[tensor];
}

int erg_slices_log2(int bits) {
  return bits <= 2 ? 0 : bits <= 4 ? 1 : 2;
}

int erg_arch_products(const erg_arch *arch, const erg_precision *p) {
  if (arch->mac != ERG_MAC_SCALABLE) return 0;
  return 16 >> (erg_slices_log2(p->weight_bits) + erg_slices_log2(p->activation_bits));
}

/* Sixteen blocks of 2 x 2 bits a cell: up to 8 x 8. */
static erg_status scalable_hardware(const erg_arch *arch, erg_precision *hardware, erg_error *error) {
  char name[32];
  if (!erg_precision_is_int(hardware))
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: the scalable integer MAC cannot compute %s", arch->name,
                    erg_precision_name(hardware, name));
  if (hardware->weight_bits > 8 || hardware->activation_bits > 8)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s is wider than the scalable MAC's 8 x 8 bits", arch->name,
                    erg_precision_name(hardware, name));
  hardware->weight_bits = hardware->activation_bits = 8;
  return ERG_OK;
}

erg_status erg_arch_hardware(const erg_arch *arch, const erg_precision *precision, erg_precision *hardware,
                             erg_error *error) {
  char name[32];
  *hardware = *precision;
  if (arch->mac == ERG_MAC_SCALABLE) return scalable_hardware(arch, hardware, error);
  if (arch->mac == ERG_MAC_NATIVE) return ERG_OK;
  if (!erg_precision_is_int(precision))
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: the fixed integer MAC cannot compute %s", arch->name,
                    erg_precision_name(precision, name));
  if (precision->weight_bits > arch->mac_weight_bits || precision->activation_bits > arch->mac_activation_bits)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s is wider than the fixed %d x %d bit MAC", arch->name,
                    erg_precision_name(precision, name), (int)arch->mac_weight_bits, (int)arch->mac_activation_bits);
  hardware->weight_bits = (int)arch->mac_weight_bits;
  hardware->activation_bits = (int)arch->mac_activation_bits;
  return ERG_OK;
}

void erg_arch_price_machine(const erg_arch *arch, const erg_precision *precision, erg_price_machine *out) {
  erg_price_machine machine = {.level_count = arch->level_count,
                               .pe_count = arch->rows * arch->cols,
                               .clock_mhz = arch->clock_mhz,
                               .mac_products = erg_arch_products(arch, precision)};
  for (int i = 0; i < arch->level_count; i++) {
    machine.levels[i].name = arch->levels[i].name;
    machine.levels[i].kind = (erg_memory_kind)arch->levels[i].kind;
    machine.levels[i].bank_bytes = arch->levels[i].capacity_kib * 1024 / (double)arch->levels[i].banks;
    machine.levels[i].banks = (double)arch->levels[i].banks;
    machine.levels[i].word_bits = (double)arch->levels[i].word_bits;
    machine.levels[i].wire_mm = arch->levels[i].wire_mm;
    machine.levels[i].bandwidth_bits_per_cycle = arch->levels[i].bandwidth_bits_per_cycle;
  }
  int accumulator = ERG_LEVEL_ACCUMULATOR(arch->level_count), registers = ERG_LEVEL_REGISTERS(arch->level_count);
  double bits = (double)arch->accumulator_depth * (double)arch->cols * precision->accumulator_bits;
  machine.levels[accumulator].name = "accumulator";
  machine.levels[accumulator].kind = ERG_MEMORY_SRAM;
  machine.levels[accumulator].bank_bytes = bits / 8 / (double)arch->accumulator_banks;
  machine.levels[accumulator].banks = (double)arch->accumulator_banks;
  machine.levels[accumulator].word_bits = bits / (double)arch->accumulator_depth / (double)arch->accumulator_banks;
  machine.levels[registers].name = "registers";
  machine.levels[registers].kind = ERG_MEMORY_REGISTER;
  *out = machine;
}
