/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weight bits x activation bits, in percent of int8: what each operand's width is worth by itself. */
#include "plot.h"
#include <math.h>
#include <string.h>

#define MOST_PANELS 4
#define MOST_BITS 33 /* integers have 2 to 16 */

typedef struct {
  double least[MOST_BITS][MOST_BITS]; /* [weight][activation]; 0: no row */
  bool weights[MOST_BITS], activations[MOST_BITS];
  int most_rows; /* in one cell */
} grid;

static erg_status write_energy(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static erg_status write_edp(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot heat = {"heat",       "of a sweep: energy by weight bits x activation bits, int8 = 100 %",
                              write_energy, 1100,
                              760,          "ergon.sweep"};
static const erg_plot heat_edp = {"heat-edp", "the same of energy x delay", write_edp, 1100, 760, "ergon.sweep"};
ERG_REGISTER(erg_plot, heat);
ERG_REGISTER(erg_plot, heat_edp);

static double value_of(const plot_row *row, bool edp) {
  return edp ? row->edp_pj_s : row->energy_pj;
}

static void fill(const plot_rows *rows, int panel, bool edp, grid *g) {
  int counts[MOST_BITS][MOST_BITS] = {{0}};
  for (int i = 0; i < rows->count; i++) {
    const plot_row *row = &rows->rows[i];
    if (row->panel != panel) continue;
    const int w = (int)row->weight_bits, a = (int)row->activation_bits;
    double *cell = &g->least[w][a];
    if (*cell == 0 || value_of(row, edp) < *cell) *cell = value_of(row, edp);
    g->weights[w] = g->activations[a] = true;
    if (++counts[w][a] > g->most_rows) g->most_rows = counts[w][a];
  }
}

/* Integers alone, and of the panels those that have an int8 to be relative to. */
static erg_status keep_integers(plot_rows *rows, const char *plot, int *others, erg_error *error) {
  int kept = 0;
  for (int i = 0; i < rows->count; i++) {
    const plot_row *row = &rows->rows[i];
    if (strcmp(row->format, "int") != 0) continue;
    if (row->weight_bits >= MOST_BITS || row->activation_bits >= MOST_BITS)
      return erg_fail(error, ERG_ERR_DATA, "plot %s: found integers of %g x %g bits; allowed: at most %d", plot,
                      row->weight_bits, row->activation_bits, MOST_BITS - 1);
    rows->rows[kept++] = *row;
  }
  *others = rows->count - kept;
  rows->count = kept;
  return kept ? ERG_OK
              : erg_fail(error, ERG_ERR_DATA, "plot %s: no row has an integer precision: nothing to draw", plot);
}

/* One hue, even in lightness, so that it is the same picture to every eye and in print. */
static unsigned colour_of(double share) {
  static const double stops[3][3] = {{235, 243, 251}, {107, 174, 214}, {8, 48, 107}};
  double place = 2 * fmin(fmax(share, 0), 1);
  int stop = place < 1 ? 0 : 1;
  unsigned colour = 0;
  for (int c = 0; c < 3; c++)
    colour = colour << 8 | (unsigned)lround(stops[stop][c] + (place - stop) * (stops[stop + 1][c] - stops[stop][c]));
  return colour;
}

static void write_tics(FILE *gp, const char *axis, const bool *present) {
  fprintf(gp, "set %stics (", axis);
  int place = 0;
  for (int bits = 0; bits < MOST_BITS; bits++)
    if (present[bits]) {
      fprintf(gp, "%s'%d' %d", place ? ", " : "", bits, place);
      place++;
    }
  const double spare = place < 5 ? (5 - place) / 2.0 : 0; /* no cell as large as the picture */
  fprintf(gp, ")\nset %srange [%g:%g]\n", axis, -0.5 - spare, place - 0.5 + spare);
}

static void write_panel(const grid *g, const char *name, int panel, double low, double high, const char *title,
                        FILE *data, FILE *gp) {
  char quoted[512];
  fprintf(data,
          "%s# %s: weight_place activation_place percent_of_int8 colour text_colour weight_bits activation_bits\n",
          panel ? "\n\n" : "", erg_plot_quote(title, quoted, sizeof quoted));
  write_tics(gp, "x", g->activations);
  write_tics(gp, "y", g->weights);
  int cells = 0, x = 0, y = 0;
  for (int w = 0; w < MOST_BITS; w++) {
    x = 0;
    for (int a = 0; a < MOST_BITS && g->weights[w]; a++) {
      if (!g->activations[a]) continue;
      if (g->least[w][a] > 0) {
        double percent = 100 * g->least[w][a] / g->least[8][8];
        double share = high > low ? log(percent / low) / log(high / low) : 0;
        fprintf(data, "%d %d %.10g 0x%06x 0x%06x %d %d\n", x, y, percent, colour_of(share),
                share > 0.6 ? 0xffffffu : 0x000000u, w, a);
        cells++;
      }
      x++;
    }
    y += g->weights[w];
  }
  bool small = x > 9 || y > 9;
  fprintf(gp,
          "set xlabel 'activation bits'\nset ylabel 'weight bits' offset 0,0\n"
          "plot '%s.dat' index %d using 1:2:($1-0.48):($1+0.48):($2-0.48):($2+0.48):4 with boxxyerror fillstyle solid "
          "1.0 noborder linecolor rgb variable notitle, \\\n"
          "    '%s.dat' index %d using ($6 == 8 && $7 == 8 ? $1 : NaN):2:($1-0.48):($1+0.48):($2-0.48):($2+0.48) with "
          "boxxyerror fillstyle empty linecolor rgb '#222222' linewidth 2 notitle, \\\n"
          "    '%s.dat' index %d using 1:2:(sprintf($3 < 9.95 ? '%%.1f' : '%%.0f', $3)):5 with labels font ',%d' "
          "textcolor rgb variable notitle\n",
          name, panel, name, panel, name, panel, small ? 8 : 11);
}

static erg_status write_heat(const json_t *document, const erg_plot *plot, bool edp, FILE *data, FILE *gp,
                             erg_error *error) {
  const char *needed[] = {"weight_bits", "activation_bits", "rows", "cols", edp ? "edp_pj_s" : "energy_pj", NULL};
  erg_arena arena = {0};
  plot_rows rows;
  grid grids[MOST_PANELS] = {0};
  double low = INFINITY, high = 0;
  int floats = 0, most_rows = 0;
  erg_status status = plot_rows_read(document, plot->name, needed, &arena, &rows, error);
  if (status == ERG_OK) status = keep_integers(&rows, plot->name, &floats, error);
  if (status != ERG_OK) goto out;
  plot_rows_panels(&rows, false, MOST_PANELS);
  for (int p = 0; p < rows.panels; p++) {
    fill(&rows, p, edp, &grids[p]);
    if (!(grids[p].least[8][8] > 0)) {
      status = erg_fail(error, ERG_ERR_DATA, "plot %s: %s has no int8 row, which is 100 %%: add int8 to the sweep",
                        plot->name, rows.titles[p]);
      continue;
    }
    for (int w = 0; w < MOST_BITS; w++)
      for (int a = 0; a < MOST_BITS; a++) {
        if (!(grids[p].least[w][a] > 0)) continue;
        low = fmin(low, 100 * grids[p].least[w][a] / grids[p].least[8][8]);
        high = fmax(high, 100 * grids[p].least[w][a] / grids[p].least[8][8]);
      }
    if (grids[p].most_rows > most_rows) most_rows = grids[p].most_rows;
  }
  if (status != ERG_OK) goto out;
  char note[256];
  int length = snprintf(note, sizeof note, "darker is more, on a logarithmic scale");
  if (most_rows > 1)
    length += snprintf(note + length, sizeof note - (size_t)length,
                       "; a cell is the least of up to %d rows (fusion, array, ...)", most_rows);
  if (floats)
    snprintf(note + length, sizeof note - (size_t)length, "; %d rows of no integer precision are left out", floats);
  const char *const notes[] = {note, NULL};
  plot_style(gp, "noxtics noytics");
  plot_rows_frame(&rows, plot, edp ? "energy x delay in percent of int8" : "energy in percent of int8", notes, gp);
  for (int p = 0; p < rows.panels; p++) {
    plot_box box = plot_panel_box(plot, p, rows.panels, plot_footer_lines(notes), 0);
    plot_panel(gp, &box, p, rows.panels > 1 ? rows.titles[p] : "");
    write_panel(&grids[p], plot->name, p, low, high, rows.titles[p], data, gp);
  }
  fputs("unset multiplot\n", gp);
out:
  erg_arena_free(&arena);
  return status;
}

static erg_status write_energy(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  return write_heat(document, &heat, false, data, gp, error);
}

static erg_status write_edp(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  return write_heat(document, &heat_edp, true, data, gp, error);
}
