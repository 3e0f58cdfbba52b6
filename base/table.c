/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/base.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct erg_table {
  erg_arena arena;
  char **headings;
  bool *right;
  char **cells; /* row by row; a NULL cell in the first column is a rule */
  int column_count, cell_count, capacity;
};

erg_table *erg_table_new(void) {
  return calloc(1, sizeof(erg_table));
}

void erg_table_column(erg_table *table, const char *heading, bool right) {
  size_t count = (size_t)table->column_count + 1;
  char **headings = realloc(table->headings, count * sizeof *headings);
  if (headings) table->headings = headings;
  bool *sides = realloc(table->right, count * sizeof *sides);
  if (sides) table->right = sides;
  if (!headings || !sides) return;
  table->headings[table->column_count] = erg_arena_strdup(&table->arena, heading);
  table->right[table->column_count++] = right;
}

static void add(erg_table *table, char *text) {
  if (table->cell_count == table->capacity) {
    int capacity = table->capacity ? 2 * table->capacity : 256;
    char **cells = realloc(table->cells, (size_t)capacity * sizeof *cells);
    if (!cells) return;
    table->cells = cells;
    table->capacity = capacity;
  }
  table->cells[table->cell_count++] = text;
}

void erg_table_cell(erg_table *table, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  add(table, erg_arena_strdup(&table->arena, text));
}

void erg_table_rule(erg_table *table) {
  for (int i = 0; i < table->column_count; i++) add(table, NULL);
}

/* Code points of UTF-8 text: what it takes on a terminal for the symbols used here. */
static int width_of(const char *text) {
  int width = 0;
  for (; *text; text++) width += (*text & 0xc0) != 0x80;
  return width;
}

static void print_cell(const char *text, int width, bool right, bool last, FILE *stream) {
  int padding = width - width_of(text);
  if (right) fprintf(stream, "%*s", padding, "");
  fputs(text, stream);
  if (!right && !last) fprintf(stream, "%*s", padding, "");
  fputs(last ? "\n" : "  ", stream);
}

void erg_table_print(const erg_table *table, FILE *stream) {
  int count = table->column_count, total = 0;
  if (count == 0) return;
  int *widths = calloc((size_t)count, sizeof *widths);
  if (!widths) return;
  for (int c = 0; c < count; c++) widths[c] = width_of(table->headings[c]);
  for (int i = 0; i < table->cell_count; i++)
    if (table->cells[i] && width_of(table->cells[i]) > widths[i % count]) widths[i % count] = width_of(table->cells[i]);
  for (int c = 0; c < count; c++) total += widths[c] + (c ? 2 : 0);
  for (int c = 0; c < count; c++) print_cell(table->headings[c], widths[c], table->right[c], c == count - 1, stream);
  for (int i = -count; i < table->cell_count; i++) {
    bool rule = i < 0 || !table->cells[i];
    if (!rule) {
      print_cell(table->cells[i], widths[i % count], table->right[i % count], i % count == count - 1, stream);
    } else if (i % count == 0) {
      for (int dash = 0; dash < total; dash++) fputc('-', stream);
      fputc('\n', stream);
    }
  }
  free(widths);
}

void erg_table_free(erg_table *table) {
  if (!table) return;
  erg_arena_free(&table->arena);
  free(table->headings);
  free(table->right);
  free(table->cells);
  free(table);
}
