/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a technology takes from elsewhere: a DRAM part, and SRAM from the CACTI 7 table. */
#include "technology.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  erg_records parts;
} part_list;

static const erg_field list_fields[] = {
    {.key = "parts",
     .offset = offsetof(part_list, parts),
     .type = ERG_FIELD_RECORDS,
     .record = &erg_memory_record,
     .max_items = 64,
     .help = "DRAM by type"},
};
static const erg_record list_record = {"parts", sizeof(part_list), list_fields, ERG_COUNT_OF(list_fields),
                                       ERG_NO_POSITION};

static erg_status read_part(erg_technology *t, const char *file, char **text, erg_error *error) {
  char *folder;
  erg_status status = erg_data_dir(&t->arena, &folder, error);
  if (status != ERG_OK) return status;
  return erg_file_read(&t->arena, erg_arena_printf(&t->arena, "%s/tech/parts/%s", folder, file), text, NULL, error);
}

static erg_status find_dram(erg_technology *t, erg_error *error) {
  part_list list = {0};
  char *text, names[256] = "";
  erg_status status = read_part(t, "dram.yaml", &text, error);
  if (status == ERG_OK) status = erg_yaml_decode(&t->arena, "dram.yaml", text, &list_record, NULL, 0, &list, error);
  if (status != ERG_OK) return status;
  const erg_memory_constant *parts = list.parts.items;
  for (int i = 0; i < list.parts.count; i++) {
    if (parts[i].name && strcmp(parts[i].name, t->dram) == 0) t->dram_part = &parts[i];
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", parts[i].name ? parts[i].name : "?");
  }
  return t->dram_part ? ERG_OK
                      : erg_fail(error, ERG_ERR_DATA, "%s: dram: found '%s'; allowed: %s", t->file, t->dram, names);
}

static int power_of_two(double value, double first, int count) {
  for (int i = 0; i < count; i++, first *= 2)
    if (value == first) return i;
  return -1;
}

/* A line of the table into its cell of the grid, where it is of this node and cell type. */
static bool take_row(erg_sram_table *table, char *line, int *taken) {
  double numbers[8];
  const char *cell = NULL;
  int column = 0;
  for (char *word; (word = strsep(&line, ",")); column++) {
    if (column == 1) cell = word;
    if (column > 7 || (column != 1 && !erg_parse_real(word, &numbers[column]))) return false;
  }
  if (column != 8) return false;
  if (numbers[0] != table->node_nm || strcmp(cell, table->cell) != 0) return true;
  int c = power_of_two(numbers[2], 1024, ERG_SRAM_CAPACITIES), w = power_of_two(numbers[3], 8, ERG_SRAM_WORDS);
  if (c < 0 || w < 0) return false;
  for (int q = 0; q < ERG_SRAM_QUANTITIES; q++) {
    if (!(numbers[4 + q] > 0)) return false;
    table->value[q][c][w] = numbers[4 + q];
  }
  ++*taken;
  return true;
}

static erg_status find_sram(erg_technology *t, erg_error *error) {
  char *text;
  if (strcmp(t->sram, "hp") != 0 && strcmp(t->sram, "lop") != 0 && strcmp(t->sram, "lstp") != 0)
    return erg_fail(error, ERG_ERR_DATA, "%s: sram: found '%s'; allowed: hp, lop, lstp (CACTI 7 cell types)", t->file,
                    t->sram);
  erg_status status = read_part(t, "cacti7-sram.csv", &text, error);
  if (status != ERG_OK) return status;
  erg_sram_table *table = erg_arena_alloc(&t->arena, sizeof *table);
  if (!table) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  table->node_nm = t->scale_to_node_nm > 0 ? t->scale_to_node_nm : t->node_nm;
  snprintf(table->cell, sizeof table->cell, "%s", t->sram);
  table->provenance = (erg_provenance){
      .source = "CACTI 7.0 (N. Muralimanohar, R. Balasubramonian et al.; HewlettPackard/cacti, commit 1ffd8dfb)",
      .table = "scratchpad, one bank, one read-write port, 300 K, least energy * delay^2",
      .year = 2017,
      .confirmed = true,
      .sources = 1,
      .node_nm = table->node_nm,
      .note = "an estimator's output, not silicon; interpolated between powers of two"};
  int line_number = 0, taken = 0;
  bool header = true;
  for (char *line; (line = strsep(&text, "\n"));) {
    line_number++;
    if (*line == '#' || *line == 0) continue;
    if (!header && !take_row(table, line, &taken))
      return erg_fail(error, ERG_ERR_DATA, "cacti7-sram.csv:%d: not a row of the table", line_number);
    header = false;
  }
  if (taken != ERG_SRAM_CAPACITIES * ERG_SRAM_WORDS)
    return erg_fail(error, ERG_ERR_DATA, "%s: sram: %s at %g nm; the CACTI 7 table has 22, 32, 45, 65 and 90 nm",
                    t->file, t->sram, table->node_nm);
  t->sram_table = table;
  return ERG_OK;
}

erg_status erg_technology_parts(erg_technology *t, erg_error *error) {
  if (t->dram && *t->dram && find_dram(t, error) != ERG_OK) return error->status;
  if (t->sram && *t->sram && find_sram(t, error) != ERG_OK) return error->status;
  return ERG_OK;
}

/* Where `value` lies between the points first, 2 first, 4 first ...: an index and a share of the next. */
static bool between(double value, double first, int count, int *index, double *share) {
  double at = log2(value / first);
  if (!(at >= -1e-9 && at <= count - 1 + 1e-9)) return false;
  *index = (int)fmin(fmax(floor(at + 1e-9), 0), count - 2);
  *share = fmin(fmax(at - *index, 0), 1);
  return true;
}

erg_status erg_sram_lookup(const erg_technology *t, erg_sram_quantity quantity, double bank_bytes, double word_bits,
                           double *value, erg_error *error) {
  int c, w;
  double cs, ws;
  const erg_sram_table *table = t->sram_table;
  if (!table) return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s takes no SRAM from the CACTI 7 table", t->name);
  if (!between(bank_bytes, 1024, ERG_SRAM_CAPACITIES, &c, &cs))
    return erg_fail(error, ERG_ERR_UNSUPPORTED,
                    "%s: the CACTI 7 table holds banks of 1024 to 8388608 bytes, not of %.0f; change capacity or banks",
                    t->name, bank_bytes);
  if (!between(word_bits, 8, ERG_SRAM_WORDS, &w, &ws))
    return erg_fail(error, ERG_ERR_UNSUPPORTED,
                    "%s: the CACTI 7 table holds words of 8 to 256 bits, not of %.0f; change word_bits or banks",
                    t->name, word_bits);
  double log_value = 0;
  for (int i = 0; i < 4; i++) {
    double weight = (i & 1 ? cs : 1 - cs) * (i & 2 ? ws : 1 - ws);
    if (weight > 0) log_value += weight * log(table->value[quantity][c + (i & 1)][w + (i >> 1)]);
  }
  *value = exp(log_value);
  return ERG_OK;
}
