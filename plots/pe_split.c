/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a MAC costs, split into multiplier, partial sums and the rest, against the size of the array: more rows add a
 * sum inside the array, of which fewer parts go through the accumulator memory. A panel a precision. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BARS 24 /* a panel */
#define MOST_FAULTS 10

static erg_status write_split(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot pe_split = {
    "pe-split",   "of a sweep: pJ per MAC in multiplier, partial sums, rest, by array rows", write_split, 1100, 760,
    "ergon.sweep"};
ERG_REGISTER(erg_plot, pe_split);

typedef struct {
  const plot_row *rows[MOST_BARS]; /* of each array the one that needs the least energy */
  int counts[MOST_BARS];
  int count, left_out;
} panel;

static int by_array(const plot_row *a, const plot_row *b) {
  if (a->rows != b->rows) return a->rows < b->rows ? -1 : 1;
  return a->cols < b->cols ? -1 : a->cols > b->cols;
}

/* Kept sorted by array. */
static void add(panel *p, const plot_row *row) {
  int place = 0;
  while (place < p->count && by_array(p->rows[place], row) < 0) place++;
  if (place < p->count && by_array(p->rows[place], row) == 0) {
    p->counts[place]++;
    if (row->energy_pj < p->rows[place]->energy_pj) p->rows[place] = row;
    return;
  }
  if (p->count == MOST_BARS) {
    p->left_out++;
    return;
  }
  for (int i = p->count++; i > place; i--) {
    p->rows[i] = p->rows[i - 1];
    p->counts[i] = p->counts[i - 1];
  }
  p->rows[place] = row;
  p->counts[place] = 1;
}

static double rest_pj(const plot_row *row) {
  return row->energy_pj - row->mac_pj - row->partial_sums_pj;
}

static void write_panel(const panel *p, int index, const char *title, double most, bool key, FILE *data, FILE *gp) {
  char quoted[256];
  fprintf(data, "%s# %s: place \"rows x columns\" multiplier partial_sums rest total [pJ/MAC] \"fusion\"\n",
          index ? "\n\n" : "", erg_plot_quote(title, quoted, sizeof quoted));
  for (int i = 0; i < p->count; i++) {
    const plot_row *row = p->rows[i];
    fprintf(data, "%d \"%gx%g\" %.10g %.10g %.10g %.10g \"%s\"\n", i, row->rows, row->cols, row->mac_pj / row->macs,
            row->partial_sums_pj / row->macs, fmax(0, rest_pj(row)) / row->macs, row->energy_pj / row->macs,
            erg_plot_quote(row->fusion, quoted, sizeof quoted));
  }
  const double spare = p->count < 4 ? (4 - p->count) / 2.0 : 0; /* no bar as wide as the picture */
  static const struct {
    const char *sum, *colour, *title;
  } stack[] = {{"$3+$4+$5", "#BBBBBB", "memories and all else"},
               {"$3+$4", "#009E73", "partial sums"},
               {"$3", "#0072B2", "multiplier"}};
  fprintf(gp,
          "set xlabel 'array, rows x columns'\nset ylabel 'energy [pJ/MAC]'\nset xrange [%g:%g]\nset yrange "
          "[0:%.10g]\n",
          -0.6 - spare, p->count - 0.4 + spare, most * 1.1);
  for (size_t s = 0; s < ERG_COUNT_OF(stack); s++)
    fprintf(gp, "%s 'pe-split.dat' index %d using 1:(%s):xtic(2) with boxes linecolor rgb '%s' title '%s'",
            s ? ", \\\n    " : "plot", index, stack[s].sum, stack[s].colour, key ? stack[s].title : "");
  fprintf(gp,
          ", \\\n    'pe-split.dat' index %d using 1:6:(sprintf($6 >= 9.95 ? '%%.1f' : '%%.2f', $6)) with labels "
          "offset 0,0.6 font "
          "',8' notitle\n",
          index);
}

static erg_status write_split(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  static const char *const needed[] = {"macs", "energy_pj", "mac_pj", "partial_sums_pj", "rows", "cols", NULL};
  erg_arena arena = {0};
  plot_rows rows;
  panel panels[PLOT_MOST_PANELS] = {0};
  double most = 0;
  int shared = 1, left_out = 0, faults = 0;
  erg_status status = plot_rows_read(document, pe_split.name, needed, &arena, &rows, error);
  if (status != ERG_OK) goto out;
  plot_rows_panels(&rows, true, PLOT_MOST_PANELS);
  for (int i = 0; i < rows.count; i++) {
    const plot_row *row = &rows.rows[i];
    if (row->panel < 0) continue;
    if (rest_pj(row) >= -1e-9 * row->energy_pj)
      add(&panels[row->panel], row);
    else if (faults++ < MOST_FAULTS)
      status = erg_fail(error, ERG_ERR_DATA,
                        "plot %s: %s %s %gx%g: mac_pj and partial_sums_pj together are over energy_pj (%g + %g > %g)",
                        pe_split.name, row->workload, row->precision, row->rows, row->cols, row->mac_pj,
                        row->partial_sums_pj, row->energy_pj);
  }
  if (status != ERG_OK) goto out;
  for (int p = 0; p < rows.panels; p++) {
    left_out += panels[p].left_out;
    for (int i = 0; i < panels[p].count; i++) {
      most = fmax(most, panels[p].rows[i]->energy_pj / panels[p].rows[i]->macs);
      if (panels[p].counts[i] > shared) shared = panels[p].counts[i];
    }
  }
  char note[192];
  int length = snprintf(note, sizeof note, "a bar is %s", shared > 1 ? "the row of least energy" : "a row");
  if (shared > 1)
    length += snprintf(note + length, sizeof note - (size_t)length,
                       " of up to %d that share precision and array (fusion, ...)", shared);
  if (left_out)
    snprintf(note + length, sizeof note - (size_t)length, "; %d rows of further arrays are left out", left_out);
  const char *const notes[] = {note, NULL};
  plot_style(gp, "ytics");
  plot_rows_frame(&rows, &pe_split, "what a MAC costs, by size of the array", notes, gp);
  fprintf(gp,
          "set style fill solid 1.0 noborder\nset boxwidth 0.8\nset key at screen %.4f, screen 0.93 left top "
          "reverse Left samplen 1.5 spacing 1.2 font ',10'\n",
          1 - 186.0 / pe_split.width_px);
  for (int p = 0; p < rows.panels; p++) {
    plot_box box = plot_panel_box(&pe_split, p, rows.panels, plot_footer_lines(notes), 190);
    plot_panel(gp, &box, p, rows.titles[p]);
    write_panel(&panels[p], p, rows.titles[p], most, p == 0, data, gp);
  }
  fputs("unset multiplot\n", gp);
out:
  erg_arena_free(&arena);
  return status;
}
