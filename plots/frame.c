/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Panels of a sweep, and what stands around them. */
#include "plot.h"
#include <math.h>
#include <string.h>

#define MOST_GROUPS 256

static bool together(const plot_row *a, const plot_row *b, bool by_precision) {
  return a->batch == b->batch && strcmp(a->workload, b->workload) == 0 && strcmp(a->technology, b->technology) == 0 &&
         (!by_precision || strcmp(a->precision, b->precision) == 0);
}

void plot_rows_panels(plot_rows *rows, bool by_precision, int most) {
  const plot_row *first[MOST_GROUPS];
  int groups = 0;
  if (most > PLOT_MOST_PANELS) most = PLOT_MOST_PANELS;
  for (int i = 0; i < rows->count; i++) {
    plot_row *row = &rows->rows[i];
    int group = 0;
    while (group < groups && !together(first[group], row, by_precision)) group++;
    if (group == groups && groups < MOST_GROUPS) first[groups++] = row;
    row->panel = group < most ? group : -1;
  }
  rows->panels = groups < most ? groups : most;
  rows->panels_left_out = groups - rows->panels;
  for (int p = 0; p < rows->panels; p++) {
    char batch[32] = "", technology[96] = ""; /* only what tells panels apart: the footer has the rest */
    const plot_row *row = rows->rows;
    while (row->panel != p) row++;
    if (row->batch > 1) snprintf(batch, sizeof batch, ", batch %g", row->batch);
    for (int i = 0; i < rows->count && !technology[0]; i++)
      if (strcmp(row->technology, rows->rows[i].technology) != 0)
        snprintf(technology, sizeof technology, ", %s", row->technology);
    snprintf(rows->titles[p], sizeof rows->titles[p], "%.80s%s%.32s%s%.80s", row->workload, by_precision ? ", " : "",
             by_precision ? row->precision : "", batch, technology);
  }
}

/* "ws", "ws, os", or "5 dataflows". */
static const char *distinct(const plot_rows *rows, size_t offset, const char *plural, char *buffer, size_t bytes) {
  const char *seen[64];
  int count = 0;
  for (int i = 0; i < rows->count; i++) {
    const char *text;
    memcpy(&text, (const char *)&rows->rows[i] + offset, sizeof text);
    int s = 0;
    while (s < count && strcmp(seen[s], text) != 0) s++;
    if (s == count && count < (int)ERG_COUNT_OF(seen)) seen[count++] = text;
  }
  buffer[0] = 0;
  if (count > 3) {
    snprintf(buffer, bytes, "%s%d %s", count == (int)ERG_COUNT_OF(seen) ? "over " : "", count, plural);
    return buffer;
  }
  for (int s = 0; s < count; s++) {
    size_t length = strlen(buffer);
    snprintf(buffer + length, bytes - length, "%s%s", s ? ", " : "", seen[s]);
  }
  return buffer;
}

/* Whether points stand for the same hardware. */
static void array_text(const plot_rows *rows, char *buffer, size_t bytes) {
  const plot_row *least = rows->rows, *most = rows->rows;
  int area = 0;
  for (int i = 0; i < rows->count; i++) {
    const plot_row *row = &rows->rows[i];
    if (row->rows * row->cols < least->rows * least->cols) least = row;
    if (row->rows * row->cols > most->rows * most->cols) most = row;
    area += strcmp(row->equal, "area") == 0;
  }
  if (area == rows->count)
    snprintf(buffer, bytes, "equal area");
  else if (area)
    snprintf(buffer, bytes, "equal area in %d rows, equal PE count in the others", area);
  else if (least->rows * least->cols == most->rows * most->cols)
    snprintf(buffer, bytes, "equal PE count: %g", least->rows * least->cols);
  else
    snprintf(buffer, bytes, "equal PE count within an array, %g x %g to %g x %g", least->rows, least->cols, most->rows,
             most->cols);
}

static void count_text(const plot_rows *rows, char *buffer, size_t bytes) {
  const char *name = json_string_value(json_object_get(rows->document, "name"));
  int used = snprintf(buffer, bytes, "%s%s%d row%s of a sweep", name ? name : "", name ? ": " : "", rows->count,
                      rows->count > 1 ? "s" : "");
  if (rows->left_out && used > 0 && (size_t)used < bytes)
    used += snprintf(buffer + used, bytes - (size_t)used, "; left out, because skipped or failed: %d", rows->left_out);
  if (rows->panels_left_out && used > 0 && (size_t)used < bytes)
    snprintf(buffer + used, bytes - (size_t)used, "; shown are the first %d panels, not shown %s%d", rows->panels,
             rows->panels + rows->panels_left_out == MOST_GROUPS ? "at least " : "", rows->panels_left_out);
}

static int count_notes(const char *const *notes) {
  int count = 0;
  while (notes && notes[count]) count++;
  return count;
}

int plot_footer_lines(const char *const *notes) {
  return 2 + count_notes(notes);
}

void plot_rows_frame(const plot_rows *rows, const erg_plot *plot, const char *title, const char *const *notes,
                     FILE *gp) {
  static const struct {
    size_t offset;
    const char *plural;
  } axes[] = {{offsetof(plot_row, workload), "workloads"}, {offsetof(plot_row, technology), "technologies"},
              {offsetof(plot_row, mac), "mac kinds"},      {offsetof(plot_row, dataflow), "dataflows"},
              {offsetof(plot_row, model), "models"},       {offsetof(plot_row, arch), "architectures"}};
  char words[ERG_COUNT_OF(axes)][128], array[128], provenance[160], line[1024];
  for (size_t i = 0; i < ERG_COUNT_OF(axes); i++)
    distinct(rows, axes[i].offset, axes[i].plural, words[i], sizeof words[i]);
  fputs("set multiplot\n", gp);
  snprintf(line, sizeof line, "%s: %s", words[0], title);
  char quoted[1024];
  fprintf(gp, "set label \"%s\" at screen 0.5, screen %.4f center font ',13'\n",
          erg_plot_quote(line, quoted, sizeof quoted), 1 - 20.0 / plot->height_px);
  array_text(rows, array, sizeof array);
  snprintf(line, sizeof line, "arch %s, tech %s, %s mac, dataflow %s, model %s; %s", words[5], words[1], words[2],
           words[3], words[4], plot_provenance(rows->document, provenance, sizeof provenance));
  plot_footer(gp, plot, 0, line);
  count_text(rows, line, sizeof line);
  size_t length = strlen(line);
  snprintf(line + length, sizeof line - length, "; %s", array);
  plot_footer(gp, plot, 1, line);
  for (int i = 0; i < count_notes(notes); i++) plot_footer(gp, plot, 2 + i, notes[i]);
}

/* ---------------------------------------------------------------- where panels lie */

plot_box plot_panel_box(const erg_plot *plot, int index, int count, int footer_lines, double key_px) {
  const int across = count < 2 ? 1 : count < 5 ? 2 : 3, down = (count + across - 1) / across, line = index / across;
  const double width = plot->width_px, height = plot->height_px;
  const double floor_px = 4.0 + 16 * footer_lines, ceiling_px = height - 36;
  const double cell_w = (width - key_px) / across, cell_h = (ceiling_px - floor_px) / down;
  const double x = (index % across) * cell_w, y = ceiling_px - (line + 1) * cell_h;
  return (plot_box){(x + 72) / width, (x + cell_w - 14) / width, (y + 54) / height, (y + cell_h - 26) / height};
}

void plot_panel(FILE *gp, const plot_box *box, int index, const char *title) {
  char quoted[512];
  if (index > 0) fputs("unset label\nunset key\n", gp); /* of the picture, drawn with its first panel */
  fprintf(gp,
          "set lmargin at screen %.5f\nset rmargin at screen %.5f\nset bmargin at screen %.5f\n"
          "set tmargin at screen %.5f\nset title \"%s\" font ',11' offset 0,-0.5\nset xlabel offset 0,0.4\nset ylabel "
          "offset 1,0\n",
          box->left, box->right, box->bottom, box->top, erg_plot_quote(title, quoted, sizeof quoted));
}

bool plot_place(plot_places *places, double x0, double x1, double y0, double y1) {
  for (int i = 0; i < places->count; i++)
    if (x0 < places->boxes[i].x1 && x1 > places->boxes[i].x0 && y0 < places->boxes[i].y1 && y1 > places->boxes[i].y0)
      return false;
  if (places->count == PLOT_MOST_LABELS) return false;
  places->boxes[places->count].x0 = x0;
  places->boxes[places->count].x1 = x1;
  places->boxes[places->count].y0 = y0;
  places->boxes[places->count++].y1 = y1;
  return true;
}
