/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What registers of logits lose, by how they are trained, and whether confidences mean what they say. */
#include "plot.h"
#include <math.h>

static erg_status write_confidence(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot confidence = {"confidence",
                                    "of a study: accuracy lost to registers of logits, and a reliability diagram",
                                    write_confidence,
                                    1100,
                                    760,
                                    "ergon.study"};
ERG_REGISTER(erg_plot, confidence);

static const struct {
  const char *name, *colour, *title, *size;
  int point;
} arms[] = {{"temperature", "#D55E00", "temperature scaling", "1.3", 5}, /* below plain, which it equals on the left */
            {"smoothed", "#009E73", "label smoothing 0.1", "1", 9},
            {"plain", "#000000", "plain", "0.7", 7}};

typedef struct {
  const char *setting;
  double x;
} place;
static const place bits[] = {{"3 bit", 3}, {"4 bit", 4}, {"5 bit", 5}, {"6 bit", 6}, {"8 bit", 8}},
                   steps[] = {{"step 0.5", 0.5}, {"step 1", 1}, {"step 2", 2}, {"step 4", 4}};
static const char *const exact[] = {"range", "16 bit"};

typedef struct {
  FILE *data, *gp;
  int block, drawn;
  const char *lead;
} output;

static void begin(output *o, const char *what) {
  fprintf(o->data, "%s# %s\n", o->block++ ? "\n\n" : "", what);
}

static void draw(output *o, size_t arm, bool titled) {
  fprintf(
      o->gp,
      "%s 'confidence.dat' index %d using 1:2:3 with yerrorlines pointtype %d pointsize %s linecolor rgb '%s' %s%s%s",
      o->lead, o->block - 1, arms[arm].point, arms[arm].size, arms[arm].colour, titled ? "title '" : "notitle",
      titled ? arms[arm].title : "", titled ? "'" : "");
  o->lead = ", \\\n    ";
}

/* Points of accuracy lost by one kind of register, a curve an arm. */
static void write_losses(const json_t *study, const char *kind, const place *places, size_t count, bool titled,
                         output *o) {
  char what[96];
  o->lead = "plot";
  for (size_t a = 0; a < ERG_COUNT_OF(arms); a++) {
    int lines = 0;
    for (size_t i = 0; i < count; i++) {
      const char *texts[] = {kind, places[i].setting, arms[a].name, "all", NULL},
                 *base[] = {exact[0], exact[1], arms[a].name, "all", NULL};
      plot_mean m = plot_study_mean(study, "accuracy", texts, base);
      if (!m.count) continue;
      snprintf(what, sizeof what, "register %s, %s: x, points lost, deviation", kind, arms[a].name);
      if (!lines++) begin(o, what);
      fprintf(o->data, "%.10g %.10g %.10g\n", places[i].x, -100 * m.mean, 100 * m.deviation);
      o->drawn++;
    }
    if (lines) draw(o, a, titled);
  }
}

/* Accuracy against confidence in the float network's bins. */
static void write_reliability(const json_t *study, output *o) {
  char what[96], middle[16];
  o->lead = "plot x with lines dashtype 2 linecolor rgb '#888888' notitle, \\\n    ";
  for (size_t a = 0; a < ERG_COUNT_OF(arms); a++) {
    int lines = 0;
    for (int i = 0; i < 15; i++) {
      snprintf(middle, sizeof middle, "%.3f", (i + 0.5) / 15);
      const char *texts[] = {"float", "-", arms[a].name, middle, NULL};
      plot_mean x = plot_study_mean(study, "confidence", texts, NULL),
                y = plot_study_mean(study, "bin_accuracy", texts, NULL);
      if (!x.count || !y.count) continue;
      snprintf(what, sizeof what, "float, %s: confidence, accuracy, deviation", arms[a].name);
      if (!lines++) begin(o, what);
      fprintf(o->data, "%.10g %.10g %.10g\n", x.mean, y.mean, y.deviation);
    }
    if (lines) draw(o, a, false);
  }
}

static void panel(output *o, int index, const char *title, const char *axes) {
  const plot_box box = plot_panel_box(&confidence, index, 3, 1, 10);
  plot_panel(o->gp, &box, index, title);
  fputs(axes, o->gp);
}

static erg_status write_confidence(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  const json_t *study = plot_study(document, "confidence");
  char line[512], provenance[160];
  output o = {data, gp, 0, 0, "plot"};
  if (!study)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot confidence: no study confidence with points: nothing to draw; ergon study confidence --json");
  if (!plot_study_mean(study, "accuracy", (const char *const[]){exact[0], exact[1], "plain", "all", NULL}, NULL).count)
    return erg_fail(error, ERG_ERR_DATA, "plot confidence: found no accuracy of a register of %s: nothing to draw",
                    exact[1]);
  plot_style(gp, "xtics ytics");
  snprintf(line, sizeof line,
           "study confidence: mean over %lld seeds, bars: one standard deviation; against logits of 16 bits; %s",
           (long long)json_integer_value(json_object_get(study, "seeds")),
           plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &confidence, 0, line);
  fputs("set multiplot\n", gp);
  panel(&o, 0, "register calibrated to the range",
        "set xlabel 'bits of the register'\nset ylabel 'accuracy lost [points]'\nset xrange [2.5:8.5]\nset yrange "
        "[-1:*]\nset xtics 3,1\nset key inside right top reverse Left samplen 1.5 font ',10'\n");
  write_losses(study, "range", bits, ERG_COUNT_OF(bits), true, &o);
  fputc('\n', gp);
  panel(&o, 1, "register with a fixed binary point",
        "set xlabel 'step of the register [logits]'\nset ylabel ''\nset logscale x 2\nset xrange [0.4:5]\nset xtics "
        "(0.5, 1, 2, 4)\n");
  write_losses(study, "fixed", steps, ERG_COUNT_OF(steps), false, &o);
  fputc('\n', gp);
  panel(&o, 2, "reliability in float",
        "unset logscale x\nset xlabel 'confidence'\nset ylabel 'accuracy'\nset xrange [0:1]\nset yrange [0:1]\nset "
        "xtics 0,0.2\nset ytics 0,0.2\n");
  write_reliability(study, &o);
  fputs("\nunset multiplot\n", gp);
  return ERG_OK;
}
