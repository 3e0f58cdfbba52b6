/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stylizing network in integers: distances, energy, and the pictures themselves beside those of float. */
#include "plot.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

static erg_status write_stylized(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot stylized = {
    "stylized",   "of a study: style transfer at few bits, distances, energy and pictures", write_stylized, 1100, 880,
    "ergon.study"};
ERG_REGISTER(erg_plot, stylized);

#define FOOTER_LINES 3
static const struct {
  const char *precision;
  double bits;
} widths[] = {{"2 bit", 2}, {"3 bit", 3}, {"4 bit", 4}, {"5 bit", 5}, {"6 bit", 6}, {"8 bit", 8}};

typedef struct {
  const json_t *study;
  FILE *data, *gp;
  int block;
  const char *lead;
} output;

static plot_mean mean_of(const output *o, const char *column, const char *what, const char *of, const char *precision,
                         const char *fusion) {
  return plot_study_mean(o->study, column, (const char *const[]){what, of, precision, fusion, NULL}, NULL);
}

/* ---------------------------------------------------------------- curves over bits */

/* Above the pictures. `axes` are gnuplot commands; the key's place among them. */
static void panel(output *o, int index, const char *title, const char *axes) {
  const plot_box box = plot_panel_box(&stylized, index, 6, FOOTER_LINES, 10); /* the upper of two rows of three */
  plot_panel(o->gp, &box, index, title);
  fprintf(o->gp, "set key reverse Left samplen 1.5 font ',9'\n%s\n", axes);
  o->lead = "plot";
}

/* `look`: the point's type and colour; no title: not in the key. */
static void curve(output *o, const char *column, double divisor, const char *what, const char *of, const char *fusion,
                  const char *look, const char *title) {
  fprintf(o->data, "%s# %s of %s, fusion %s: bits, mean, deviation\n", o->block ? "\n\n" : "", column, of, fusion);
  for (size_t w = 0; w < ERG_COUNT_OF(widths); w++) {
    const plot_mean m = mean_of(o, column, what, of, widths[w].precision, fusion);
    if (m.count) fprintf(o->data, "%.10g %.10g %.10g\n", widths[w].bits, m.mean / divisor, m.deviation / divisor);
  }
  fprintf(o->gp, "%s 'stylized.dat' index %d using 1:2:3 with yerrorlines %s title '%s'", o->lead, o->block++, look,
          title);
  o->lead = ", \\\n    ";
}

/* What does not turn on the bits. */
static void level(output *o, const char *column, const char *of, const char *precision, const char *colour,
                  const char *title) {
  const plot_mean m = mean_of(o, column, "images", of, precision, "-");
  if (!m.count) return;
  fprintf(o->gp, "%s %.10g with lines dashtype 2 linecolor rgb '%s' title '%s'", o->lead, m.mean, colour, title);
  o->lead = ", \\\n    ";
}

static void write_curves(output *o) {
  static const char network[] = "style-small";
  static const struct {
    const char *fusion, *title, *colour;
  } fusions[] = {
      {"none", "nothing fused", "#000000"}, {"epilogue", "epilogue", "#0072B2"}, {"depth", "depth", "#009E73"}};
  panel(o, 0, "distance to the style",
        "set xlabel 'bits of weights and activations'\nset xrange [1.5:8.5]\nset xtics (2, 3, 4, 5, 6, 8)\n"
        "set ylabel 'relative error of Gram matrices'\nset yrange [0:*]\nset key inside right top");
  curve(o, "style_distance", 1, "images", "instance norm", "-", "pointtype 7 linecolor rgb '#0072B2'",
        "integer network");
  level(o, "style_distance", "content", "-", "#D55E00", "the contents themselves");
  level(o, "style_distance", "other images of the style's class", "-", "#009E73", "textures of its class");
  level(o, "style_distance", "instance norm", "float", "#000000", "float");
  fputc('\n', o->gp);
  panel(o, 1, "nearness to the float output", "set ylabel 'PSNR [dB]'\nset key inside left top");
  curve(o, "psnr_db", 1, "images", "rounded output", "-", "pointtype 6 linecolor rgb '#000000'",
        "float, its output rounded");
  curve(o, "psnr_db", 1, "images", "instance norm", "-", "pointtype 7 linecolor rgb '#0072B2'", "integer network");
  level(o, "psnr_db", "constant statistics", "float", "#D55E00", "float, constant statistics");
  fputc('\n', o->gp);
  const plot_unit unit = plot_energy_unit(mean_of(o, "energy_pj", "machine", network, "8 bit", "none").mean);
  char axes[160], look[96], of[64];
  snprintf(axes, sizeof axes, "set ylabel 'energy an image [%s]'\nset key inside left top", unit.name);
  panel(o, 2, "energy of the machine, by fusion", axes);
  for (int batch_norms = 0; batch_norms < 2; batch_norms++)
    for (size_t f = 0; f < ERG_COUNT_OF(fusions); f++) {
      snprintf(of, sizeof of, "%s%s", network, batch_norms ? " with batch norms" : "");
      snprintf(look, sizeof look, "pointtype %d dashtype %d linecolor rgb '%s'", batch_norms ? 6 : 7,
               batch_norms ? 3 : 1, fusions[f].colour);
      curve(o, "energy_pj", unit.divisor, "machine", of, fusions[f].fusion, look, batch_norms ? "" : fusions[f].title);
    }
  fputc('\n', o->gp);
}

/* ---------------------------------------------------------------- pictures */

#define SIDE 16
#define GAP_X 2
#define GAP_Y 4 /* room for a line of text */
#define CELL_PX 6
#define FLOOR_PX 54 /* above three lines of footer */
#define MOST_PICTURES 3
static const char *const kinds[] = {"content", "style", "float", "8 bit", "6 bit", "5 bit", "4 bit", "3 bit", "2 bit"};
#define COLUMNS ((int)ERG_COUNT_OF(kinds))

/* The text of a picture: two hexadecimal digits a pixel; NULL where there is none or it is none. */
static const char *picture(const json_t *study, const char *number, const char *kind) {
  const json_t *points = json_object_get(study, "points");
  for (size_t i = 0; i < json_array_size(points); i++) {
    const json_t *p = json_array_get(points, i);
    const char *what = json_string_value(json_array_get(p, 1)), *of = json_string_value(json_array_get(p, 2)),
               *precision = json_string_value(json_array_get(p, 3)), *text = json_string_value(json_array_get(p, 5));
    if (!what || !of || !precision || !text || strcmp(what, "picture") != 0 || strcmp(of, number) != 0 ||
        strcmp(precision, kind) != 0)
      continue;
    if (strlen(text) != (size_t)2 * SIDE * SIDE) return NULL;
    for (const char *c = text; *c; c++)
      if (!isxdigit((unsigned char)*c)) return NULL;
    return text;
  }
  return NULL;
}

static int digit(char c) {
  return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* One matrix of all of them, rows from the top, NaN between them. */
static int write_matrix(output *o) {
  int pictures = 0;
  fputs("\n\n# pictures: a matrix of grey levels 0 to 255\n", o->data);
  for (; pictures < MOST_PICTURES; pictures++) {
    char number[16];
    snprintf(number, sizeof number, "%d", pictures + 1);
    if (!picture(o->study, number, kinds[0])) break;
    for (int y = 0; y < SIDE + GAP_Y; y++) {
      for (int k = 0; k < COLUMNS; k++) {
        const char *text = y < SIDE ? picture(o->study, number, kinds[k]) : NULL;
        for (int x = 0; x < SIDE + GAP_X; x++)
          if (text && x < SIDE)
            fprintf(o->data, "%d ", 16 * digit(text[2 * (y * SIDE + x)]) + digit(text[2 * (y * SIDE + x) + 1]));
          else
            fputs("NaN ", o->data);
      }
      fputc('\n', o->data);
    }
  }
  return pictures;
}

/* The kinds above, distances below each. */
static void write_labels(const output *o, int pictures) {
  for (int k = 0; k < COLUMNS; k++) {
    const double x = k * (SIDE + GAP_X) + (SIDE - 1) / 2.0;
    fprintf(o->gp, "set label '%s' at first %.1f, first -2.2 center font ',10'\n", kinds[k], x);
    for (int p = 0; p < pictures; p++) {
      char number[16];
      snprintf(number, sizeof number, "%d", p + 1);
      const plot_mean style = mean_of(o, "style_distance", "picture", number, kinds[k], "-"),
                      psnr = mean_of(o, "psnr_db", "picture", number, kinds[k], "-");
      if (!style.count) continue;
      fprintf(o->gp, "set label '%.2f", style.mean);
      if (psnr.count) fprintf(o->gp, ", %.1f dB", psnr.mean);
      fprintf(o->gp, "' at first %.1f, first %.1f center font ',9'\n", x, p * (SIDE + GAP_Y) + SIDE + 0.9);
    }
  }
}

static void write_pictures(output *o) {
  const int pictures = write_matrix(o), across = COLUMNS * (SIDE + GAP_X), down = pictures * (SIDE + GAP_Y);
  if (!pictures) return;
  const double width = stylized.width_px, height = stylized.height_px, left = (width - across * CELL_PX) / 2;
  fprintf(o->gp,
          "unset label\nunset key\nunset xtics\nunset ytics\nunset border\nunset xlabel\nunset ylabel\nset title "
          "''\nset lmargin at screen %.6f\nset rmargin at screen %.6f\nset bmargin at screen %.6f\nset tmargin at "
          "screen %.6f\nset xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nset cbrange [0:255]\nset palette gray\nunset "
          "colorbox\n",
          left / width, (left + across * CELL_PX) / width, FLOOR_PX / height, (FLOOR_PX + down * CELL_PX) / height,
          across - 1, down - 1);
  write_labels(o, pictures);
  fprintf(o->gp, "plot 'stylized.dat' index %d matrix with image pixels\n", o->block);
}

static erg_status write_stylized(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  char line[512], provenance[160];
  output o = {plot_study(document, "style"), data, gp, 0, "plot"};
  if (!o.study || !mean_of(&o, "style_distance", "images", "instance norm", "float", "-").count)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot stylized: no study style with points: nothing to draw; ergon study style --json");
  plot_style(gp, "xtics ytics");
  snprintf(line, sizeof line, "study style: mean over %lld seeds, bars: one standard deviation, cut at the frame; %s",
           (long long)json_integer_value(json_object_get(o.study, "seeds")),
           plot_provenance(document, provenance, sizeof provenance));
  const char *const notes[] = {
      line, "energy: style-small on edge, 45 nm, batch 1; dotted and hollow with batch norms, which fold",
      "pictures of the first seed by the integer golden kernels, greys over the range of the float output (content and "
      "style: each its own); below each: distance to the style, PSNR to float"};
  for (int i = 0; i < FOOTER_LINES; i++) plot_footer(gp, &stylized, i, notes[i]);
  fputs("set multiplot\n", gp);
  write_curves(&o);
  write_pictures(&o);
  fputs("unset multiplot\n", gp);
  return ERG_OK;
}
