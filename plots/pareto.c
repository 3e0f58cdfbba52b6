/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Energy against latency: points that no other beats in both are coloured by precision family, joined as steps (between
 * two of them there is no design) and labelled; the others are grey. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PANELS 4
#define CHARACTER_PX 5.9 /* of labels, font size 9 */
#define LINE_PX 14.0

static erg_status write_pareto(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot pareto = {
    "pareto", "of a sweep: energy against latency, with the Pareto front", write_pareto, 1100, 760, "ergon.sweep"};
ERG_REGISTER(erg_plot, pareto);

typedef struct {
  const plot_row **points; /* of one panel, by latency, then energy, then place in the document */
  bool *front;
  int count, front_count, labelled;
  double x0, x1, y0, y1; /* of the axes, in their units */
} panel;

static int by_latency(const void *left, const void *right) {
  const plot_row *a = *(const plot_row *const *)left, *b = *(const plot_row *const *)right;
  if (a->latency_s != b->latency_s) return a->latency_s < b->latency_s ? -1 : 1;
  if (a->energy_pj != b->energy_pj) return a->energy_pj < b->energy_pj ? -1 : 1;
  return a < b ? -1 : a > b;
}

static bool fill(const plot_rows *rows, int index, erg_arena *arena, panel *p) {
  memset(p, 0, sizeof *p);
  p->points = erg_arena_alloc(arena, (size_t)rows->count * sizeof(const plot_row *));
  p->front = erg_arena_alloc(arena, (size_t)rows->count * sizeof *p->front);
  if (!p->points || !p->front) return false;
  for (int i = 0; i < rows->count; i++)
    if (rows->rows[i].panel == index) p->points[p->count++] = &rows->rows[i];
  qsort(p->points, (size_t)p->count, sizeof(const plot_row *), by_latency);
  const plot_row *best = NULL;
  for (int i = 0; i < p->count; i++) {
    const plot_row *point = p->points[i];
    p->front[i] = !best || point->energy_pj < best->energy_pj ||
                  (point->energy_pj == best->energy_pj && point->latency_s == best->latency_s);
    if (p->front[i]) best = point;
    p->front_count += p->front[i];
  }
  return true;
}

static void label_of(const plot_row *row, char *buffer, size_t bytes) {
  snprintf(buffer, bytes, "%s %s %gx%g", row->precision, row->fusion, row->rows, row->cols);
}

/* Left of the fastest point there is room for its label, and below the least energy for the last one's. */
static void find_range(panel *p, const erg_plot *plot, const plot_box *box, plot_unit time, plot_unit energy) {
  p->x0 = p->x1 = p->points[0]->latency_s / time.divisor;
  p->y0 = p->y1 = p->points[0]->energy_pj / energy.divisor;
  for (int i = 0; i < p->count; i++) {
    p->x1 = fmax(p->x1, p->points[i]->latency_s / time.divisor);
    p->y0 = fmin(p->y0, p->points[i]->energy_pj / energy.divisor);
    p->y1 = fmax(p->y1, p->points[i]->energy_pj / energy.divisor);
  }
  double longest = 0;
  for (int i = 0; i < p->count; i++) {
    char label[128];
    if (p->front[i]) label_of(p->points[i], label, sizeof label), longest = fmax(longest, (double)strlen(label));
  }
  double width_px = (box->right - box->left) * plot->width_px, height_px = (box->top - box->bottom) * plot->height_px;
  double room = fmin(0.45, (longest * CHARACTER_PX + 14) / width_px), below = 3 * LINE_PX / height_px;
  double wide = fmax(log10(p->x1 / p->x0), 0.1), high = fmax(log10(p->y1 / p->y0), 0.1);
  p->x0 /= pow(10, wide * room / (0.95 - room));
  p->x1 *= pow(10, wide * 0.05 / (0.95 - room));
  p->y0 /= pow(10, high * below / (0.93 - below));
  p->y1 *= pow(10, high * 0.07 / (0.93 - below));
}

static void write_points(const panel *p, int family, bool front, plot_unit time, plot_unit energy, FILE *data) {
  for (int i = 0; i < p->count; i++) {
    if (p->front[i] != front || plot_family(p->points[i]) != family) continue;
    char label[128], quoted[256];
    label_of(p->points[i], label, sizeof label);
    fprintf(data, "%.10g %.10g \"%s\"\n", p->points[i]->latency_s / time.divisor,
            p->points[i]->energy_pj / energy.divisor, erg_plot_quote(label, quoted, sizeof quoted));
  }
}

static bool has(const panel *p, int family, bool front) {
  for (int i = 0; i < p->count; i++)
    if (p->front[i] == front && plot_family(p->points[i]) == family) return true;
  return false;
}

static void write_steps(const panel *p, plot_unit time, plot_unit energy, FILE *data) {
  const plot_row *last = NULL;
  for (int i = 0; i < p->count; i++) {
    if (!p->front[i]) continue;
    double x = p->points[i]->latency_s / time.divisor, y = p->points[i]->energy_pj / energy.divisor;
    if (!last) fprintf(data, "%.10g %.10g\n", x, p->y1);
    fprintf(data, "%.10g %.10g\n", x, y);
    last = p->points[i];
  }
  if (last) fprintf(data, "%.10g %.10g\n", p->x1, last->energy_pj / energy.divisor);
}

/* Below and left of the front there is no point: labels stand there, further down where another stands in the way. */
static void write_labels(panel *p, const erg_plot *plot, const plot_box *box, plot_unit time, plot_unit energy,
                         FILE *gp) {
  plot_places places = {0};
  double width_px = (box->right - box->left) * plot->width_px, height_px = (box->top - box->bottom) * plot->height_px;
  const plot_row *last = NULL;
  for (int i = p->count - 1; i >= 0; i--) { /* from the least energy up: each has the room below the one before */
    if (!p->front[i]) continue;
    const plot_row *row = p->points[i];
    bool twin = last && last->latency_s == row->latency_s && last->energy_pj == row->energy_pj;
    last = row;
    if (twin) continue; /* the same point twice: one label */
    char label[128], quoted[256];
    label_of(row, label, sizeof label);
    double x = row->latency_s / time.divisor, y = row->energy_pj / energy.divisor;
    double x_px = log10(x / p->x0) / log10(p->x1 / p->x0) * width_px;
    double y_px = log10(y / p->y0) / log10(p->y1 / p->y0) * height_px;
    double right = x_px - 6, left = right - (double)strlen(label) * CHARACTER_PX, middle = y_px - 10;
    if (left < 0 || middle < LINE_PX / 2 ||
        !plot_place(&places, left, right, middle - LINE_PX / 2, middle + LINE_PX / 2))
      continue;
    p->labelled++;
    fprintf(gp, "set label \"%s\" at graph %.5f, graph %.5f right font ',9' front\n",
            erg_plot_quote(label, quoted, sizeof quoted), right / width_px, middle / height_px);
  }
}

static void write_panel(panel *p, const erg_plot *plot, const plot_box *box, plot_unit time, plot_unit energy,
                        int *block, const bool *key, FILE *data, FILE *gp) {
  fprintf(gp, "set xlabel 'latency [%s]'\nset ylabel 'energy [%s]'\nset xrange [%.10g:%.10g]\nset yrange [%.10g:%.10g]\n",
          time.name, energy.name, p->x0, p->x1, p->y0, p->y1);
  plot_log_tics(gp, "x", p->x0, p->x1);
  plot_log_tics(gp, "y", p->y0, p->y1);
  write_labels(p, plot, box, time, energy, gp);
  const char *lead = "plot";
  for (int front = 0; front < 2; front++) {
    if (front) {
      fprintf(data, "%s# the front as steps: latency_%s energy_%s\n", *block ? "\n\n" : "", time.name, energy.name);
      write_steps(p, time, energy, data);
      fprintf(gp, "%s 'pareto.dat' index %d with steps linewidth 1.5 linecolor rgb '#444444' notitle", lead,
              (*block)++);
      lead = ", \\\n    ";
    }
    for (int family = 0; family < PLOT_FAMILIES; family++) {
      if (!has(p, family, front)) continue;
      fprintf(data, "%s# %s, %s: latency_%s energy_%s point\n", *block ? "\n\n" : "", plot_families[family].name,
              front ? "front" : "dominated", time.name, energy.name);
      write_points(p, family, front, time, energy, data);
      fprintf(gp, "%s 'pareto.dat' index %d with points pointtype %d pointsize %s linecolor rgb '%s' notitle", lead,
              (*block)++, plot_families[family].point, front ? "1.1" : "0.6",
              front ? plot_families[family].colour : "#BBBBBB");
      lead = ", \\\n    ";
    }
  }
  for (int family = 0; key && family < PLOT_FAMILIES; family++)
    if (key[family])
      fprintf(gp, "%s keyentry with points pointtype %d pointsize 1.1 linecolor rgb '%s' title '%s'", lead,
              plot_families[family].point, plot_families[family].colour, plot_families[family].name);
  if (key) fprintf(gp, "%s keyentry with points pointtype 7 pointsize 0.6 linecolor rgb '#BBBBBB' title 'dominated'", lead);
  fputs("\n", gp);
}

static erg_status write_pareto(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  static const char *const needed[] = {"latency_s", "energy_pj", "rows", "cols", "weight_bits", "activation_bits", NULL};
  erg_arena arena = {0};
  plot_rows rows;
  panel panels[MOST_PANELS];
  bool key[PLOT_FAMILIES] = {0};
  int block = 0, front = 0, labelled = 0;
  erg_status status = plot_rows_read(document, pareto.name, needed, &arena, &rows, error);
  if (status != ERG_OK) goto out;
  plot_rows_panels(&rows, false, MOST_PANELS);
  double least_pj = rows.rows[0].energy_pj, least_s = rows.rows[0].latency_s;
  for (int i = 0; i < rows.count; i++) {
    if (rows.rows[i].panel < 0) continue;
    least_pj = fmin(least_pj, rows.rows[i].energy_pj);
    least_s = fmin(least_s, rows.rows[i].latency_s);
    key[plot_family(&rows.rows[i])] = true;
  }
  plot_unit time = plot_time_unit(least_s), energy = plot_energy_unit(least_pj);
  char *body = NULL;
  size_t bytes = 0;
  FILE *later = open_memstream(&body, &bytes); /* the footer counts labels, which the panels place */
  if (!later) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  for (int i = 0; i < rows.panels && status == ERG_OK; i++) {
    plot_box box = plot_panel_box(&pareto, i, rows.panels, 3);
    if (!fill(&rows, i, &arena, &panels[i])) {
      status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
      break;
    }
    find_range(&panels[i], &pareto, &box, time, energy);
    plot_panel(later, &box, i, rows.titles[i]);
    write_panel(&panels[i], &pareto, &box, time, energy, &block, i == 0 ? key : NULL, data, later);
    front += panels[i].front_count;
    labelled += panels[i].labelled;
  }
  fclose(later);
  if (status == ERG_OK) {
    char note[128];
    snprintf(note, sizeof note, "front: %d points, %d with a label of their own", front, labelled);
    plot_style(gp, "xtics ytics");
    plot_rows_frame(&rows, &pareto, "energy against latency", (const char *const[]){note, NULL}, gp);
    fputs("set key at screen 0.99, screen 0.93 right top reverse Left samplen 1 spacing 1.2 font ',10'\n", gp);
    fputs(body, gp);
    fputs("unset multiplot\n", gp);
  }
  free(body);
out:
  erg_arena_free(&arena);
  return status;
}
