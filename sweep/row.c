/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/sweep.h"

#define DESCRIBE(id, name, type) {#name, ERG_COLUMN_##type},
const erg_column erg_sweep_columns[ERG_SWEEP_COLUMN_COUNT] = {ERG_SWEEP_COLUMNS(DESCRIBE)};
#undef DESCRIBE

char *erg_cell_text(const erg_sweep_row *row, int column, char *buffer, size_t bytes) {
  const erg_cell *cell = &row->cells[column];
  buffer[0] = 0;
  if (!cell->known) return buffer;
  if (erg_sweep_columns[column].type == ERG_COLUMN_TEXT)
    snprintf(buffer, bytes, "%s", cell->text);
  else if (erg_sweep_columns[column].type == ERG_COLUMN_INTEGER)
    snprintf(buffer, bytes, "%lld", (long long)cell->integer);
  else
    snprintf(buffer, bytes, "%.17g", cell->real);
  return buffer;
}

json_t *erg_row_json(const erg_sweep_row *row) {
  json_t *object = json_object();
  json_object_set_new(object, "key", json_string(row->key));
  for (int c = 0; c < ERG_SWEEP_COUNTS; c++) {
    const erg_cell *cell = &row->cells[c];
    json_t *value = !cell->known                                      ? json_null()
                    : erg_sweep_columns[c].type == ERG_COLUMN_TEXT    ? json_string(cell->text)
                    : erg_sweep_columns[c].type == ERG_COLUMN_INTEGER ? json_integer((json_int_t)cell->integer)
                                                                      : json_real(cell->real);
    json_object_set_new(object, erg_sweep_columns[c].name, value);
  }
  return object;
}
