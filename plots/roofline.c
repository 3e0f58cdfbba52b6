/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MAC/s reached against MAC per off-chip byte, below the roofs of the machines: peak = rows x columns x products x
 * clock, and the DRAM's bandwidth (S. Williams, A. Waterman, D. Patterson, CACM 52(4), 2009, with MAC for FLOP). */
#include "plot.h"
#include <math.h>
#include <string.h>

#define MOST_PANELS 4
#define MOST_ROOFS 64
#define CHARACTER_PX 6.6
#define KEY_PX 165.0

static erg_status write_roofline(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot roofline = {"roofline",
                                  "of a sweep: MAC/s against MAC per off-chip byte, below the machines' roofs",
                                  write_roofline,
                                  1100,
                                  760,
                                  "ergon.sweep"};
ERG_REGISTER(erg_plot, roofline);

typedef struct {
  double peak, bandwidth; /* MAC/s, byte/s (0: no limit) */
  double rows, cols;      /* 0: arrays of several shapes have this peak */
  int family;             /* -1: several */
} roof;
typedef struct {
  roof roofs[MOST_ROOFS];
  int count, left_out;
} roof_list;
typedef struct {
  double x0, x1, y0, y1, width_px, height_px;
} axes;

static double intensity(const plot_row *row) {
  return row->macs / row->dram_bytes;
}
static double reached(const plot_row *row) {
  return row->macs / row->latency_s;
}

static void add_roof(roof_list *list, const plot_row *row) {
  const int family = plot_family(row);
  for (int i = 0; i < list->count; i++) {
    roof *known = &list->roofs[i];
    if (known->peak != row->peak_macs_per_s || known->bandwidth != row->dram_bytes_per_s) continue;
    if (known->family != family) known->family = -1;
    if (known->rows != row->rows || known->cols != row->cols) known->rows = known->cols = 0;
    return;
  }
  if (list->count == MOST_ROOFS)
    list->left_out++; /* rows, not roofs */
  else
    list->roofs[list->count++] = (roof){row->peak_macs_per_s, row->dram_bytes_per_s, row->rows, row->cols, family};
}

static void find_axes(const plot_rows *rows, int panel, const roof_list *roofs, const erg_plot *plot,
                      const plot_box *box, axes *a) {
  a->x0 = a->y0 = INFINITY;
  a->x1 = a->y1 = 0;
  for (int i = 0; i < rows->count; i++) {
    if (rows->rows[i].panel != panel) continue;
    a->x0 = fmin(a->x0, intensity(&rows->rows[i])), a->x1 = fmax(a->x1, intensity(&rows->rows[i]));
    a->y0 = fmin(a->y0, reached(&rows->rows[i])), a->y1 = fmax(a->y1, reached(&rows->rows[i]));
  }
  for (int i = 0; i < roofs->count; i++) { /* ridges are worth seeing */
    const roof *roof = &roofs->roofs[i];
    a->y1 = fmax(a->y1, roof->peak);
    if (roof->bandwidth > 0)
      a->x0 = fmin(a->x0, roof->peak / roof->bandwidth), a->x1 = fmax(a->x1, roof->peak / roof->bandwidth);
  }
  a->x0 /= 2, a->x1 *= 2, a->y0 /= 2, a->y1 *= 2;
  a->width_px = (box->right - box->left) * plot->width_px;
  a->height_px = (box->top - box->bottom) * plot->height_px;
}

static const char *roof_colour(const roof *roof) {
  return roof->family < 0 ? "#333333" : plot_families[roof->family].colour;
}

/* Peaks are named on their lines at the right edge, bandwidths along their slopes: no point can stand above a roof. */
static void write_roof_labels(const roof_list *roofs, const axes *a, plot_unit rate, FILE *gp) {
  plot_places places = {0};
  const double x_decades = log10(a->x1 / a->x0), y_decades = log10(a->y1 / a->y0);
  double named[MOST_ROOFS];
  int named_count = 0;
  for (int i = 0; i < roofs->count; i++) {
    const roof *roof = &roofs->roofs[i];
    char label[128];
    int length = roof->rows > 0 ? snprintf(label, sizeof label, "%gx%g: ", roof->rows, roof->cols) : 0;
    snprintf(label + length, sizeof label - (size_t)length, "%.4g %s", roof->peak / rate.divisor, rate.name);
    double middle = log10(roof->peak / a->y0) / y_decades * a->height_px + 8;
    if (plot_place(&places, a->width_px - (double)strlen(label) * CHARACTER_PX, a->width_px, middle - 7, middle + 7))
      fprintf(gp, "set label \"%s\" at graph 0.995, graph %.5f right font ',9' textcolor rgb '%s' front\n", label,
              middle / a->height_px, roof_colour(roof));
    int n = 0;
    while (n < named_count && named[n] != roof->bandwidth) n++;
    if (roof->bandwidth <= 0 || n < named_count) continue;
    named[named_count++] = roof->bandwidth;
    double from = fmax(0, log10(a->y0 / roof->bandwidth / a->x0) / x_decades),
           slope_px = a->height_px / y_decades * x_decades / a->width_px;
    double x = from + 0.08, y = (log10(roof->bandwidth * a->x0 / a->y0) + x * x_decades) / y_decades;
    if (y < 0 || y > 0.95) continue;
    fprintf(gp,
            "set label '%.4g GB/s' at graph %.5f, graph %.5f center rotate by %.0f font ',9' textcolor rgb '#333333' "
            "front\n",
            roof->bandwidth / 1e9, x - 10 / a->width_px, y + 10 / a->height_px, atan(slope_px) * 180 / acos(-1));
  }
}

typedef struct {
  FILE *data, *gp;
  int block;
  const char *lead;
} output;

static void begin_block(output *o, const char *what) {
  fprintf(o->data, "%s# %s\n", o->block ? "\n\n" : "", what);
  fprintf(o->gp, "%s 'roofline.dat' index %d ", o->lead, o->block++);
  o->lead = ", \\\n    ";
}

static void write_points(const plot_rows *rows, int panel, int family, plot_unit rate, output *o) {
  bool any = false;
  for (int i = 0; i < rows->count; i++) {
    const plot_row *row = &rows->rows[i];
    if (row->panel != panel || plot_family(row) != family) continue;
    if (!any) { /* smaller from family to family: equal points of two still show */
      begin_block(o, plot_families[family].name);
      fprintf(o->gp, "with points pointtype %d pointsize %.1f linecolor rgb '%s' notitle", plot_families[family].point,
              1.3 - 0.1 * family, plot_families[family].colour);
    }
    any = true;
    char label[128], quoted[256];
    snprintf(label, sizeof label, "%s %s %gx%g", row->precision, row->fusion, row->rows, row->cols);
    fprintf(o->data, "%.10g %.10g \"%s\"\n", intensity(row), reached(row) / rate.divisor,
            erg_plot_quote(label, quoted, sizeof quoted));
  }
}

static void write_panel(const plot_rows *rows, int panel, const roof_list *roofs, const axes *a, plot_unit rate,
                        const bool *key, output *o) {
  fprintf(o->gp,
          "set xlabel 'MAC per off-chip byte [MAC/B]'\nset ylabel 'MAC rate [%s]'\nset xrange [%.10g:%.10g]\nset "
          "yrange [%.10g:%.10g]\n",
          rate.name, a->x0, a->x1, a->y0 / rate.divisor, a->y1 / rate.divisor);
  plot_log_tics(o->gp, "x", a->x0, a->x1);
  plot_log_tics(o->gp, "y", a->y0 / rate.divisor, a->y1 / rate.divisor);
  write_roof_labels(roofs, a, rate, o->gp);
  o->lead = "plot";
  for (int i = 0; i < roofs->count; i++) {
    const roof *roof = &roofs->roofs[i];
    begin_block(o, "a roof");
    fprintf(o->gp, "with lines linewidth 1.5 linecolor rgb '%s' notitle", roof_colour(roof));
    double ridge = roof->bandwidth > 0 ? roof->peak / roof->bandwidth : a->x0;
    if (ridge > a->x0) fprintf(o->data, "%.10g %.10g\n", a->x0, roof->bandwidth * a->x0 / rate.divisor);
    fprintf(o->data, "%.10g %.10g\n%.10g %.10g\n", ridge, roof->peak / rate.divisor, a->x1, roof->peak / rate.divisor);
  }
  for (int family = 0; family < PLOT_FAMILIES; family++) write_points(rows, panel, family, rate, o);
  for (int family = 0; key && family < PLOT_FAMILIES; family++)
    if (key[family])
      fprintf(o->gp, "%s keyentry with points pointtype %d linecolor rgb '%s' title '%s'", o->lead,
              plot_families[family].point, plot_families[family].colour, plot_families[family].name);
  fputc('\n', o->gp);
}

/* Rows that move nothing off the chip have no place on the axis. */
static int drop_unmoved(plot_rows *rows) {
  int kept = 0, dropped;
  for (int i = 0; i < rows->count; i++)
    if (rows->rows[i].dram_bytes > 0) rows->rows[kept++] = rows->rows[i];
  dropped = rows->count - kept;
  rows->count = kept;
  return dropped;
}

static erg_status write_roofline(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  static const char *const needed[] = {"macs", "latency_s", "dram_bytes",  "peak_macs_per_s", "dram_bytes_per_s",
                                       "rows", "cols",      "weight_bits", "activation_bits", NULL};
  erg_arena arena = {0};
  plot_rows rows;
  roof_list *roofs = NULL;
  bool key[PLOT_FAMILIES] = {0};
  double most = 0;
  int above = 0, undrawn = 0;
  erg_status status = plot_rows_read(document, roofline.name, needed, &arena, &rows, error);
  if (status != ERG_OK) goto out;
  const int unmoved = drop_unmoved(&rows);
  if (rows.count == 0) {
    status = erg_fail(error, ERG_ERR_DATA, "plot %s: no row moves a byte off the chip: nothing to draw", roofline.name);
    goto out;
  }
  plot_rows_panels(&rows, false, MOST_PANELS);
  roofs = erg_arena_alloc(&arena, sizeof *roofs * MOST_PANELS);
  if (!roofs) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  for (int i = 0; i < rows.count; i++) {
    const plot_row *row = &rows.rows[i];
    if (row->panel < 0) continue;
    double limit = row->dram_bytes_per_s > 0 ? fmin(row->peak_macs_per_s, intensity(row) * row->dram_bytes_per_s)
                                             : row->peak_macs_per_s;
    above += reached(row) > limit * (1 + 1e-9);
    most = fmax(most, row->peak_macs_per_s);
    key[plot_family(row)] = true;
    add_roof(&roofs[row->panel], row);
  }
  for (int p = 0; p < rows.panels; p++) undrawn += roofs[p].left_out;
  char note[256];
  int length = snprintf(note, sizeof note, "dark roofs: of several precision families");
  if (unmoved)
    length += snprintf(note + length, sizeof note - (size_t)length, "; no byte off the chip, not shown: %d", unmoved);
  if (above) length += snprintf(note + length, sizeof note - (size_t)length, "; above their roof: %d points", above);
  if (undrawn) snprintf(note + length, sizeof note - (size_t)length, "; roofs of %d points are not drawn", undrawn);
  const char *const notes[] = {note, NULL};
  const plot_unit rate = plot_rate_unit(most / 10);
  output o = {data, gp, 0, "plot"};
  plot_style(gp, "xtics ytics");
  plot_rows_frame(&rows, &roofline, "MAC rate against operational intensity", notes, gp);
  fprintf(gp, "set key at screen %.4f, screen 0.93 left top reverse Left samplen 1.5 spacing 1.2 font ',10'\n",
          1 - (KEY_PX - 4) / roofline.width_px);
  for (int p = 0; p < rows.panels; p++) {
    axes a;
    plot_box box = plot_panel_box(&roofline, p, rows.panels, plot_footer_lines(notes), KEY_PX);
    find_axes(&rows, p, &roofs[p], &roofline, &box, &a);
    plot_panel(gp, &box, p, rows.panels > 1 ? rows.titles[p] : "");
    write_panel(&rows, p, &roofs[p], &a, rate, p == 0 ? key : NULL, &o);
  }
  fputs("unset multiplot\n", gp);
out:
  erg_arena_free(&arena);
  return status;
}
