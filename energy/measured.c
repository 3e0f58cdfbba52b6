/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Columns of a measurement file become the rows of a fit. */
#include "ergon/fit.h"
#include <string.h>

const erg_term erg_terms[ERG_MOST_TERMS] = {{"a", "pJ/MAC", "macs", 1},
                                            {"b", "pJ/byte", "bytes", 1},
                                            {"d", "pJ/byte", "dram_bytes", 1},
                                            {"p0", "mW", "time_ms", 1e6}}; /* mW * ms = 1e6 pJ */

static erg_status choose(const erg_csv *csv, const char *list, erg_measured *m, erg_error *error) {
  char words[64], *rest = words;
  if (!list) { /* d not: chips are measured without their DRAM */
    static const int usual[] = {0, 1, 3};
    for (size_t i = 0; i < ERG_COUNT_OF(usual); i++)
      if (erg_csv_column(csv, erg_terms[usual[i]].column) >= 0) m->terms[m->input.terms++] = &erg_terms[usual[i]];
    if (m->input.terms == 0)
      return erg_fail(error, ERG_ERR_DATA, "%s: none of the columns macs, bytes, time_ms", csv->file);
    return ERG_OK;
  }
  if (snprintf(words, sizeof words, "%s", list) >= (int)sizeof words)
    return erg_fail(error, ERG_ERR_USAGE, "--terms: found '%s'; allowed: some of a, b, d, p0", list);
  for (char *word; (word = strsep(&rest, ","));) {
    const erg_term *term = NULL;
    for (int i = 0; i < ERG_MOST_TERMS; i++)
      if (strcmp(erg_terms[i].name, word) == 0) term = &erg_terms[i];
    for (int i = 0; i < m->input.terms; i++)
      if (m->terms[i] == term) term = NULL;
    if (!term) return erg_fail(error, ERG_ERR_USAGE, "--terms: found '%s'; allowed: a, b, d, p0, each once", word);
    if (erg_csv_column(csv, term->column) < 0)
      return erg_fail(error, ERG_ERR_DATA, "%s: no column %s, which %s needs", csv->file, term->column, term->name);
    m->terms[m->input.terms++] = term;
  }
  return ERG_OK;
}

static erg_status energy_of(const erg_csv *csv, int row, double *pj, erg_error *error) {
  const double above_zero = 1e-300;
  int pj_column = erg_csv_column(csv, "energy_pj"), mj = erg_csv_column(csv, "energy_mj");
  int power = erg_csv_column(csv, "power_mw"), time = erg_csv_column(csv, "time_ms");
  double milliseconds = 0;
  if (pj_column >= 0) return erg_csv_number(csv, row, pj_column, above_zero, pj, error);
  if (mj < 0 && (power < 0 || time < 0))
    return erg_fail(error, ERG_ERR_DATA, "%s: no energy; needed: energy_pj, energy_mj, or power_mw and time_ms",
                    csv->file);
  erg_status status = erg_csv_number(csv, row, mj >= 0 ? mj : power, above_zero, pj, error);
  if (status == ERG_OK && mj < 0) status = erg_csv_number(csv, row, time, above_zero, &milliseconds, error);
  *pj *= mj >= 0 ? 1e9 : milliseconds * 1e6;
  return status;
}

static erg_status read_row(const erg_csv *csv, int row, erg_measured *m, double *x, double *y, erg_error *error) {
  int zeros = erg_csv_column(csv, "zeros_pct");
  double share = 0;
  erg_status status = energy_of(csv, row, y, error);
  if (zeros >= 0 && status == ERG_OK) status = erg_csv_number(csv, row, zeros, 0, &share, error);
  if (share > 100)
    return erg_fail(error, ERG_ERR_DATA, "%s:%d: zeros_pct: found %g; allowed: 0 to 100", csv->file, csv->lines[row],
                    share);
  for (int k = 0; k < m->input.terms && status == ERG_OK; k++) {
    status = erg_csv_number(csv, row, erg_csv_column(csv, m->terms[k]->column), 0, &x[k], error);
    x[k] *= m->terms[k]->scale;
    if (m->terms[k] == &erg_terms[0]) x[k] *= 1 - share / 100;
  }
  return status;
}

erg_status erg_measured_of(const erg_csv *csv, const char *terms, const char *column, const char *value,
                           erg_measured *out, erg_error *error) {
  erg_measured m = {.zeros = erg_csv_column(csv, "zeros_pct") >= 0};
  int filter = column ? erg_csv_column(csv, column) : -1, name = erg_csv_column(csv, "name");
  if (name < 0) name = erg_csv_column(csv, "layer");
  if (column && filter < 0) return erg_fail(error, ERG_ERR_DATA, "%s: no column %s", csv->file, column);
  erg_status status = choose(csv, terms, &m, error);
  double *x = erg_arena_alloc(&m.arena, sizeof(double) * (size_t)csv->rows * ERG_MOST_TERMS);
  double *y = erg_arena_alloc(&m.arena, sizeof(double) * (size_t)csv->rows);
  m.row_names = erg_arena_alloc(&m.arena, sizeof *m.row_names * (size_t)csv->rows);
  if (status == ERG_OK && (!x || !y || !m.row_names)) status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int row = 0; row < csv->rows && status == ERG_OK; row++) {
    if (filter >= 0 && strcmp(csv->cells[row][filter], value) != 0) continue;
    int i = m.input.rows++;
    m.row_names[i] = name >= 0 ? erg_arena_strdup(&m.arena, csv->cells[row][name])
                               : erg_arena_printf(&m.arena, "line %d", csv->lines[row]);
    status = read_row(csv, row, &m, &x[i * m.input.terms], &y[i], error);
  }
  if (status == ERG_OK && m.input.rows == 0)
    status = erg_fail(error, ERG_ERR_DATA, "%s: no row with %s = %s", csv->file, column, value);
  m.input.x = x;
  m.input.y = y;
  for (int k = 0; k < m.input.terms; k++) m.input.names[k] = m.terms[k]->name;
  if (status == ERG_OK)
    *out = m;
  else
    erg_arena_free(&m.arena);
  return status;
}

void erg_measured_free(erg_measured *measured) {
  erg_arena_free(&measured->arena);
}
