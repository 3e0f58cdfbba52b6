/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Energy against latency, or against the error on test data. Widths do not buy the same accuracy, which is no axis of
 * the first: so each precision family has a front of its own in its colour, points behind it are grey, and the front of
 * all is the dark one, with labels. Fronts are steps: between two of their points there is no design. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PANELS 4
#define CHARACTER_PX 6.6 /* of labels, font size 9 */
#define LINE_PX 14.0
#define KEY_PX 165.0

static erg_status write_latency(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static erg_status write_error(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot pareto = {
    "pareto", "of a sweep: energy against latency, with Pareto fronts", write_latency, 1100, 760, "ergon.sweep"};
static const erg_plot pareto_error = {
    "pareto-error", "of a sweep with accuracies: energy against test error, with Pareto fronts", write_error, 1100, 760,
    "ergon.sweep"};
ERG_REGISTER(erg_plot, pareto);
ERG_REGISTER(erg_plot, pareto_error);

/* What stands on the other axis. */
typedef struct {
  const erg_plot *plot;
  const char *title, *label, *note;
  bool error; /* test error in %, else latency */
} axis;
#define LEAST_ERROR 0.01 /* %: where no error has its place on a logarithmic axis */

typedef struct {
  const plot_row *row;
  double x, y; /* in the axes' units */
  int family;
  bool family_front, front;
} point;
typedef struct {
  point *points; /* of one panel, by x, then energy, then place in the document */
  int count, front_count, labelled;
  double x0, x1, y0, y1, width_px, height_px; /* of the axes */
} panel;

static int by_x(const void *left, const void *right) {
  const point *a = left, *b = right;
  if (a->x != b->x) return a->x < b->x ? -1 : 1;
  if (a->y != b->y) return a->y < b->y ? -1 : 1;
  return a->row < b->row ? -1 : a->row > b->row;
}

/* In this order a point is on the front if it needs less than all before it, or is the last of them once more. */
static bool ahead(const point **best, const point *p) {
  if (*best && p->y >= (*best)->y && !(p->y == (*best)->y && p->x == (*best)->x)) return false;
  *best = p;
  return true;
}

static double across(const axis *a, const plot_row *row, plot_unit time) {
  return a->error ? fmax(100 * (1 - row->accuracy), LEAST_ERROR) : row->latency_s / time.divisor;
}

static bool fill(const axis *a, const plot_rows *rows, int index, plot_unit time, plot_unit energy, erg_arena *arena,
                 panel *p) {
  memset(p, 0, sizeof *p);
  p->points = erg_arena_alloc(arena, (size_t)rows->count * sizeof *p->points);
  if (!p->points) return false;
  for (int i = 0; i < rows->count; i++) {
    const plot_row *row = &rows->rows[i];
    if (row->panel == index)
      p->points[p->count++] =
          (point){row, across(a, row, time), row->energy_pj / energy.divisor, plot_family(row), false, false};
  }
  qsort(p->points, (size_t)p->count, sizeof *p->points, by_x);
  const point *best = NULL, *family_best[PLOT_FAMILIES] = {0};
  for (int i = 0; i < p->count; i++) {
    point *point = &p->points[i];
    point->front = ahead(&best, point);
    point->family_front = ahead(&family_best[point->family], point);
  }
  return true;
}

static void label_of(const plot_row *row, char *buffer, size_t bytes) {
  snprintf(buffer, bytes, "%s %s %gx%g", row->precision, row->fusion, row->rows, row->cols);
}

/* `before` and `after` are shares of the axis that no point takes; at least half a decade is shown. */
static void widen(double *low, double *high, double before, double after) {
  double middle = sqrt(*low * *high), decades = fmax(log10(*high / *low), 0.5);
  *low = middle / pow(10, decades / 2 + decades * before / (1 - before - after));
  *high = middle * pow(10, decades / 2 + decades * after / (1 - before - after));
}

/* Left of the fastest point there is room for its label, and below the least energy for the last one's. */
static void find_range(panel *p, const erg_plot *plot, const plot_box *box) {
  double longest = 0;
  p->x0 = p->points[0].x, p->x1 = p->points[p->count - 1].x;
  p->y0 = p->y1 = p->points[0].y;
  for (int i = 0; i < p->count; i++) {
    char label[128];
    p->y0 = fmin(p->y0, p->points[i].y);
    p->y1 = fmax(p->y1, p->points[i].y);
    label_of(p->points[i].row, label, sizeof label);
    if (p->points[i].front) longest = fmax(longest, (double)strlen(label));
  }
  p->width_px = (box->right - box->left) * plot->width_px;
  p->height_px = (box->top - box->bottom) * plot->height_px;
  widen(&p->x0, &p->x1, fmin(0.5, (longest * CHARACTER_PX + 12) / p->width_px), 0.04);
  widen(&p->y0, &p->y1, 2.5 * LINE_PX / p->height_px, 0.05);
}

/* ---------------------------------------------------------------- labels */

static double x_px(const panel *p, double x) {
  return log10(x / p->x0) / log10(p->x1 / p->x0) * p->width_px;
}
static double y_px(const panel *p, double y) {
  return log10(y / p->y0) / log10(p->y1 / p->y0) * p->height_px;
}

static bool over_a_point(const panel *p, double left, double right, double middle) {
  for (int i = 0; i < p->count; i++) {
    double x = x_px(p, p->points[i].x), y = y_px(p, p->points[i].y);
    if (x > left - 4 && x < right + 4 && fabs(y - middle) < LINE_PX / 2 + 3) return true;
  }
  return false;
}

/* Below and left of the front of all there is no point. Labels of the families' fronts may stand on any side, but on no
 * point. */
static bool place_label(const panel *p, const point *point, plot_places *places, FILE *gp) {
  static const struct { int across, up; } sides[] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
  char label[128], quoted[256];
  label_of(point->row, label, sizeof label);
  double width = (double)strlen(label) * CHARACTER_PX;
  for (size_t s = 0; s < (point->front ? 1 : ERG_COUNT_OF(sides)); s++) {
    double edge = x_px(p, point->x) + 6 * sides[s].across, middle = y_px(p, point->y) + 10 * sides[s].up;
    double left = sides[s].across < 0 ? edge - width : edge, right = left + width;
    if (left < 0 || right > p->width_px || middle < LINE_PX / 2 || middle > p->height_px - LINE_PX / 2) continue;
    if (!point->front && over_a_point(p, left, right, middle)) continue;
    if (!plot_place(places, left, right, middle - LINE_PX / 2, middle + LINE_PX / 2)) continue;
    fprintf(gp, "set label \"%s\" at graph %.5f, graph %.5f %s font ',9' textcolor rgb '%s' front\n",
            erg_plot_quote(label, quoted, sizeof quoted), edge / p->width_px, middle / p->height_px,
            sides[s].across < 0 ? "right" : "left", point->front ? "#000000" : plot_families[point->family].colour);
    return true;
  }
  return false;
}

/* The front of all first, from the least energy up, then what room is left to the families'. The same point more than
 * once is one place with one label, its first row's. */
static void write_labels(panel *p, FILE *gp) {
  plot_places places = {0};
  for (int of_all = 1; of_all >= 0; of_all--)
    for (int i = p->count - 1; i >= 0; i--) {
      const point *point = &p->points[i], *before = i ? &p->points[i - 1] : NULL;
      if (point->front != of_all || !point->family_front) continue;
      if (before && before->front == of_all && before->x == point->x && before->y == point->y) continue;
      bool placed = place_label(p, point, &places, gp);
      p->front_count += of_all;
      p->labelled += of_all && placed;
    }
}

/* ---------------------------------------------------------------- data and commands */

typedef struct {
  FILE *data, *gp;
  int block;
  const char *lead, *name;
} output;

/* Blocks are told apart by two empty lines; one without a point would be a fault to gnuplot. */
static void begin_block(output *o, const char *what) {
  fprintf(o->data, "%s# %s\n", o->block ? "\n\n" : "", what);
  fprintf(o->gp, "%s '%s.dat' index %d ", o->lead, o->name, o->block++);
  o->lead = ", \\\n    ";
}

static void write_point(const point *point, FILE *data) {
  char label[128], quoted[256];
  label_of(point->row, label, sizeof label);
  fprintf(data, "%.10g %.10g \"%s\"\n", point->x, point->y, erg_plot_quote(label, quoted, sizeof quoted));
}

static bool on_front(const point *point, int family) {
  return family < 0 ? point->front : point->family == family && point->family_front;
}

/* From the top edge down along the front, then to the right edge. `family` -1: the front of all. */
static void write_steps(const panel *p, int family, const char *colour, double width, output *o) {
  char what[96];
  const point *last = NULL;
  snprintf(what, sizeof what, "%s: the front as steps", family < 0 ? "all" : plot_families[family].name);
  for (int i = 0; i < p->count; i++) {
    const point *point = &p->points[i];
    if (!on_front(point, family)) continue;
    if (!last) {
      begin_block(o, what);
      fprintf(o->gp, "with steps linewidth %g linecolor rgb '%s' notitle", width, colour);
      fprintf(o->data, "%.10g %.10g\n", point->x, p->y1);
    }
    fprintf(o->data, "%.10g %.10g\n", point->x, point->y);
    last = point;
  }
  if (last) fprintf(o->data, "%.10g %.10g\n", p->x1, last->y);
}

static void write_points(const panel *p, int family, bool front, output *o) {
  char what[96];
  bool any = false;
  snprintf(what, sizeof what, "%s, %s", plot_families[family].name, front ? "front" : "dominated");
  for (int i = 0; i < p->count; i++) {
    const point *point = &p->points[i];
    if (point->family != family || point->family_front != front) continue;
    if (!any) {
      begin_block(o, what);
      fprintf(o->gp, "with points pointtype %d pointsize %s linecolor rgb '%s' notitle", plot_families[family].point,
              front ? "1" : "0.5", front ? plot_families[family].colour : "#C4C4C4");
    }
    any = true;
    write_point(point, o->data);
  }
}

static void write_panel(const axis *a, panel *p, plot_unit time, plot_unit energy, const bool *key, output *o) {
  fprintf(o->gp, "set xlabel '%s [%s]'\nset ylabel 'energy [%s]'\nset xrange [%.10g:%.10g]\nset yrange [%.10g:%.10g]\n",
          a->label, a->error ? "%" : time.name, energy.name, p->x0, p->x1, p->y0, p->y1);
  plot_log_tics(o->gp, "x", p->x0, p->x1);
  plot_log_tics(o->gp, "y", p->y0, p->y1);
  write_labels(p, o->gp);
  o->lead = "plot";
  for (int family = 0; family < PLOT_FAMILIES; family++) write_points(p, family, false, o);
  for (int family = 0; family < PLOT_FAMILIES; family++) write_steps(p, family, plot_families[family].colour, 1, o);
  write_steps(p, -1, "#333333", 2, o);
  for (int family = 0; family < PLOT_FAMILIES; family++) write_points(p, family, true, o);
  for (int family = 0; key && family < PLOT_FAMILIES; family++)
    if (key[family])
      fprintf(o->gp, "%s keyentry with linespoints pointtype %d linecolor rgb '%s' title '%s'", o->lead,
              plot_families[family].point, plot_families[family].colour, plot_families[family].name);
  if (key)
    fprintf(
        o->gp,
        "%s keyentry with points pointtype 7 pointsize 0.5 linecolor rgb '#C4C4C4' title 'dominated'%s keyentry with "
        "lines linewidth 2 linecolor rgb '#333333' title 'front of all'",
        o->lead, o->lead);
  fputc('\n', o->gp);
}

/* Units that suit the middle of what is shown; which families there are. */
static void survey(const plot_rows *rows, plot_unit *time, plot_unit *energy, bool key[PLOT_FAMILIES]) {
  double low_s = INFINITY, high_s = 0, low_pj = INFINITY, high_pj = 0;
  for (int i = 0; i < rows->count; i++) {
    const plot_row *row = &rows->rows[i];
    if (row->panel < 0) continue;
    low_s = fmin(low_s, row->latency_s), high_s = fmax(high_s, row->latency_s);
    low_pj = fmin(low_pj, row->energy_pj), high_pj = fmax(high_pj, row->energy_pj);
    key[plot_family(row)] = true;
  }
  *time = plot_time_unit(sqrt(low_s * high_s));
  *energy = plot_energy_unit(sqrt(low_pj * high_pj));
}

/* Leaves only rows with an accuracy. */
static erg_status keep_judged(const axis *a, plot_rows *rows, erg_error *error) {
  int kept = 0;
  for (int i = 0; i < rows->count; i++)
    if (!a->error || rows->rows[i].accuracy >= 0) rows->rows[kept++] = rows->rows[i];
  rows->left_out += rows->count - kept;
  rows->count = kept;
  if (kept) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA,
                  "plot %s: no row has an accuracy: nothing to draw; state `accuracy:` in the sweep (docs/sweeps.md)",
                  a->plot->name);
}

static erg_status write_axis(const axis *a, const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  static const char *const needed[] = {"latency_s",   "energy_pj",       "rows", "cols",
                                       "weight_bits", "activation_bits", NULL};
  erg_arena arena = {0};
  plot_rows rows;
  plot_unit time, energy;
  bool key[PLOT_FAMILIES] = {0};
  char *body = NULL, note[192];
  size_t bytes = 0;
  int front = 0, labelled = 0;
  erg_status status = plot_rows_read(document, a->plot->name, needed, &arena, &rows, error);
  if (status == ERG_OK) status = keep_judged(a, &rows, error);
  if (status != ERG_OK) goto out;
  output o = {data, open_memstream(&body, &bytes), 0, "plot",
              a->plot->name}; /* the footer counts labels, which the panels place */
  if (!o.gp) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  plot_rows_panels(&rows, false, MOST_PANELS);
  survey(&rows, &time, &energy, key);
  for (int i = 0; i < rows.panels && status == ERG_OK; i++) {
    panel p;
    plot_box box = plot_panel_box(a->plot, i, rows.panels, 3, KEY_PX);
    if (!fill(a, &rows, i, time, energy, &arena, &p)) {
      status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
      break;
    }
    find_range(&p, a->plot, &box);
    plot_panel(o.gp, &box, i, rows.panels > 1 ? rows.titles[i] : "");
    write_panel(a, &p, time, energy, i == 0 ? key : NULL, &o);
    front += p.front_count;
    labelled += p.labelled;
  }
  fclose(o.gp);
  if (status == ERG_OK) {
    snprintf(note, sizeof note, "grey: dominated within its family; front of all: %d point%s, %d labelled%s", front,
             front > 1 ? "s" : "", labelled, a->note);
    plot_style(gp, "xtics ytics");
    plot_rows_frame(&rows, a->plot, a->title, (const char *const[]){note, NULL}, gp);
    fprintf(gp, "set key at screen %.4f, screen 0.93 left top reverse Left samplen 1.5 spacing 1.2 font ',10'\n",
            1 - (KEY_PX - 4) / a->plot->width_px);
    fputs(body, gp);
    fputs("unset multiplot\n", gp);
  }
  free(body);
out:
  erg_arena_free(&arena);
  return status;
}

static erg_status write_latency(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  static const axis latency = {&pareto, "energy against latency", "latency", "; accuracy is no axis here", false};
  return write_axis(&latency, document, data, gp, error);
}

static erg_status write_error(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  static const axis test_error = {&pareto_error, "energy against test error", "test error",
                                  "; rows without an accuracy are left out", true};
  return write_axis(&test_error, document, data, gp, error);
}
