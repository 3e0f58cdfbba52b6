/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stylizing network in integers: distances, energy, and the pictures themselves beside those of float. */
#include "plot.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

static erg_status write_stylized(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot stylized = {
    "stylized",   "of a study: style transfer at few bits, distances, energy and pictures", write_stylized, 1100, 760,
    "ergon.study"};
ERG_REGISTER(erg_plot, stylized);

static const struct {
  const char *precision;
  double bits;
} widths[] = {{"2 bit", 2}, {"3 bit", 3}, {"4 bit", 4}, {"5 bit", 5}, {"6 bit", 6}, {"8 bit", 8}};

typedef struct {
  const json_t *study;
  FILE *data, *gp;
  int block;
} output;

static plot_mean mean_of(const output *o, const char *column, const char *what, const char *of, const char *precision,
                         const char *fusion) {
  return plot_study_mean(o->study, column, (const char *const[]){what, of, precision, fusion, NULL}, NULL);
}

static void draw(output *o, const char **lead, const char *column, double divisor, const char *what, const char *of,
                 const char *fusion, const char *title, const char *look) {
  fprintf(o->data, "%s# %s of %s, fusion %s: bits, mean, deviation\n", o->block ? "\n\n" : "", column, of, fusion);
  for (size_t w = 0; w < ERG_COUNT_OF(widths); w++) {
    const plot_mean m = mean_of(o, column, what, of, widths[w].precision, fusion);
    if (m.count) fprintf(o->data, "%.10g %.10g %.10g\n", widths[w].bits, m.mean / divisor, m.deviation / divisor);
  }
  fprintf(o->gp, "%s 'stylized.dat' index %d using 1:2:3 with yerrorlines %s title '%s'", *lead, o->block++, look,
          title);
  *lead = ", \\\n    ";
}

static void level(output *o, const char **lead, double value, const char *colour, const char *title) {
  if (!isfinite(value)) return;
  fprintf(o->gp, "%s %.10g with lines dashtype 2 linecolor rgb '%s' title '%s'", *lead, value, colour, title);
  *lead = ", \\\n    ";
}

/* Panels stand in the upper half: frame.c knows whole pictures. */
static void panel(output *o, int index, const char *title, const char *axes) {
  plot_box box = plot_panel_box(&stylized, index, 3, 2, 10);
  const double middle = 0.5;
  box.bottom = middle + 0.06;
  plot_panel(o->gp, &box, index, title);
  fprintf(o->gp, "set xlabel 'bits of weights and activations'\nset xrange [1.5:8.5]\nset xtics (2, 3, 4, 5, 6, 8)\n%s",
          axes);
}

/* ---------------------------------------------------------------- pictures */

#define SIDE 16
#define GAP 2
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
static int write_pictures(output *o) {
  int rows = 0;
  fputs("\n\n# pictures: a matrix of grey levels 0 to 255\n", o->data);
  for (int n = 0; n < MOST_PICTURES; n++) {
    char number[16];
    snprintf(number, sizeof number, "%d", n + 1);
    if (!picture(o->study, number, kinds[0])) break;
    for (int y = 0; y < SIDE + GAP; y++, rows++) {
      for (int k = 0; k < COLUMNS; k++) {
        const char *text = y < SIDE ? picture(o->study, number, kinds[k]) : NULL;
        for (int x = 0; x < SIDE + GAP; x++)
          if (text && x < SIDE)
            fprintf(o->data, "%d ", 16 * digit(text[2 * (y * SIDE + x)]) + digit(text[2 * (y * SIDE + x) + 1]));
          else
            fputs("NaN ", o->data);
      }
      fputc('\n', o->data);
    }
  }
  if (!rows) return 0;
  fprintf(
      o->gp,
      "unset label\nunset key\nunset xtics\nunset ytics\nunset border\nunset xlabel\nunset ylabel\nset title ''\nset "
      "lmargin at screen 0.02\nset rmargin at screen 0.98\nset bmargin at screen 0.06\nset tmargin at screen 0.45\n"
      "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nset cbrange [0:255]\nset palette gray\nunset colorbox\n",
      COLUMNS * (SIDE + GAP) - GAP - 1, rows - GAP - 1);
  for (int k = 0; k < COLUMNS; k++)
    fprintf(o->gp, "set label '%s' at first %.1f, graph 1.04 center font ',10'\n", kinds[k],
            k * (SIDE + GAP) + SIDE / 2.0 - 0.5);
  fprintf(o->gp, "plot 'stylized.dat' index %d matrix with image pixels\n", o->block);
  return rows;
}

static erg_status write_stylized(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  char line[512], provenance[160];
  output o = {plot_study(document, "style"), data, gp, 0};
  if (!o.study || !mean_of(&o, "style_distance", "images", "instance norm", "float", "-").count)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot stylized: no study style with points: nothing to draw; ergon study style --json");
  plot_style(gp, "xtics ytics");
  snprintf(
      line, sizeof line,
      "study style: mean over %lld seeds, bars: one standard deviation; pictures of the first, greys over the range "
      "of float; edge, 45 nm; %s",
      (long long)json_integer_value(json_object_get(o.study, "seeds")),
      plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &stylized, 0, line);
  fputs("set multiplot\n", gp);
  const char *lead = "plot";
  panel(&o, 0, "distance to the style",
        "set ylabel 'relative error of Gram matrices'\nset yrange [0:*]\nset key inside right top reverse Left samplen "
        "1.5 font ',9'\n");
  draw(&o, &lead, "style_distance", 1, "images", "instance norm", "-", "stylized",
       "pointtype 7 linecolor rgb '#0072B2'");
  level(&o, &lead, mean_of(&o, "style_distance", "images", "content", "-", "-").mean, "#D55E00", "contents themselves");
  level(&o, &lead, mean_of(&o, "style_distance", "images", "other images of the style's class", "-", "-").mean,
        "#009E73", "textures of its class");
  level(&o, &lead, mean_of(&o, "style_distance", "images", "instance norm", "float", "-").mean, "#000000", "float");
  fputc('\n', gp);
  lead = "plot";
  panel(&o, 1, "nearness to the float output", "set ylabel 'PSNR [dB]'\nset key inside left top\n");
  draw(&o, &lead, "psnr_db", 1, "images", "instance norm", "-", "integer network",
       "pointtype 7 linecolor rgb '#0072B2'");
  draw(&o, &lead, "psnr_db", 1, "images", "rounded output", "-", "float output rounded",
       "pointtype 6 linecolor rgb '#888888'");
  level(&o, &lead, mean_of(&o, "psnr_db", "images", "constant statistics", "float", "-").mean, "#D55E00",
        "constant statistics");
  fputc('\n', gp);
  lead = "plot";
  panel(&o, 2, "energy of style-small", "set ylabel 'nJ an image'\n");
  draw(&o, &lead, "energy_pj", 1e3, "machine", "style-small", "none", "nothing fused",
       "pointtype 7 linecolor rgb '#000000'");
  draw(&o, &lead, "energy_pj", 1e3, "machine", "style-small", "epilogue", "epilogue",
       "pointtype 7 linecolor rgb '#0072B2'");
  draw(&o, &lead, "energy_pj", 1e3, "machine", "style-small", "depth", "depth", "pointtype 7 linecolor rgb '#009E73'");
  draw(&o, &lead, "energy_pj", 1e3, "machine", "style-small with batch norms", "epilogue", "epilogue, batch norms",
       "pointtype 6 linecolor rgb '#0072B2'");
  fputc('\n', gp);
  write_pictures(&o);
  fputs("unset multiplot\n", gp);
  return ERG_OK;
}
