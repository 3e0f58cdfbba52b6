/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CSV reader of measurements. */
#include "ergon/fit.h"
#include "ergon/yaml.h"
#include <math.h>
#include <string.h>

#define MOST_COLUMNS 64

/* Cells of one line, in place; -1 where a quote is not closed. `*rest` moves behind the line. */
static int split(char **rest, char *cells[MOST_COLUMNS]) {
  char *in = *rest;
  int count = 0;
  for (;;) {
    char *out = in, *begin = in;
    bool quoted = *in == '"';
    if (quoted) in++;
    while (*in && (quoted || (*in != ',' && *in != '\n'))) {
      if (quoted && *in == '"' && in[1] == '"') {
        in++;
      } else if (quoted && *in == '"') {
        in++;
        quoted = false;
        continue;
      }
      *out++ = *in++;
    }
    if (quoted) return -1;
    char end = *in;
    if (out > begin && out[-1] == '\r') out--;
    *out = 0;
    if (count < MOST_COLUMNS) cells[count] = begin;
    count++;
    if (end) in++;
    if (end != ',') break;
  }
  *rest = in;
  return count;
}

static int line_count(const char *text) {
  int lines = 1;
  for (; *text; text++) lines += *text == '\n';
  return lines;
}

erg_status erg_csv_parse(const char *file, const char *text, erg_csv *out, erg_error *error) {
  erg_csv csv = {0};
  erg_status status = ERG_OK;
  size_t most = (size_t)line_count(text);
  char *rest = erg_arena_strdup(&csv.arena, text);
  csv.file = erg_arena_strdup(&csv.arena, file);
  csv.cells = erg_arena_alloc(&csv.arena, sizeof *csv.cells * most);
  csv.lines = erg_arena_alloc(&csv.arena, sizeof *csv.lines * most);
  if (!rest || !csv.file || !csv.cells || !csv.lines) status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int line = 1; status == ERG_OK && rest && *rest;) {
    char *cells[MOST_COLUMNS];
    bool comment = *rest == '#' || *rest == '\n' || (*rest == '\r' && rest[1] == '\n');
    int here = line;
    char *next = strchr(rest, '\n');
    if (comment) {
      rest = next ? next + 1 : rest + strlen(rest);
      line++;
      continue;
    }
    int count = split(&rest, cells);
    line++; /* a quoted cell with a line break would count as one line: measurements have none */
    if (count < 1 || count > MOST_COLUMNS) {
      status = erg_fail(error, ERG_ERR_DATA, "%s:%d: %s", file, here,
                        count < 0 ? "a quote is not closed" : "over 64 columns");
      break;
    }
    char **row = erg_arena_alloc(&csv.arena, sizeof *row * (size_t)count);
    if (!row) {
      status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
      break;
    }
    memcpy(row, cells, sizeof *row * (size_t)count);
    if (!csv.headers) {
      csv.headers = row;
      csv.columns = count;
    } else if (count != csv.columns) {
      status =
          erg_fail(error, ERG_ERR_DATA, "%s:%d: found %d columns; the header has %d", file, here, count, csv.columns);
    } else {
      csv.lines[csv.rows] = here;
      csv.cells[csv.rows++] = row;
    }
  }
  if (status == ERG_OK && !csv.headers) status = erg_fail(error, ERG_ERR_DATA, "%s: empty", file);
  if (status == ERG_OK && csv.rows == 0) status = erg_fail(error, ERG_ERR_DATA, "%s: a header and no rows", file);
  if (status == ERG_OK)
    *out = csv;
  else
    erg_arena_free(&csv.arena);
  return status;
}

erg_status erg_csv_load(const char *name, erg_csv *out, erg_error *error) {
  erg_arena arena = {0};
  char *path, *text;
  erg_status status = erg_data_find(&arena, "measurements", name, ".csv", &path, error);
  if (status == ERG_OK) status = erg_file_read(&arena, path, &text, NULL, error);
  if (status == ERG_OK) status = erg_csv_parse(path, text, out, error);
  erg_arena_free(&arena);
  return status;
}

void erg_csv_free(erg_csv *csv) {
  erg_arena_free(&csv->arena);
}

int erg_csv_column(const erg_csv *csv, const char *header) {
  for (int i = 0; i < csv->columns; i++)
    if (strcmp(csv->headers[i], header) == 0) return i;
  return -1;
}

erg_status erg_csv_number(const erg_csv *csv, int row, int column, double least, double *value, erg_error *error) {
  const char *cell = csv->cells[row][column];
  if (erg_parse_real(cell, value) && isfinite(*value) && *value >= least) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "%s:%d: %s: found '%s'; allowed: a number from %g up", csv->file,
                  csv->lines[row], csv->headers[column], cell, least);
}
