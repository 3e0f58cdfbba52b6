/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What training makes of activations that are kept in few bits: error of its gradients, and accuracy. */
#include "plot.h"
#include <math.h>

static erg_status write_training(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot training = {"training-memory",
                                  "of a study: gradients and accuracy of training on activations kept in few bits",
                                  write_training,
                                  1100,
                                  480,
                                  "ergon.study"};
ERG_REGISTER(erg_plot, training);

static const struct {
  const char *rounding, *masks, *title, *colour;
  int point;
} arms[] = {{"stochastic", "bits", "stochastic, masks in bits", "#0072B2", 7},
            {"nearest", "bits", "nearest, masks in bits", "#000000", 5},
            {"stochastic", "codes", "stochastic, masks from codes", "#D55E00", 9},
            {"nearest", "codes", "nearest, masks from codes", "#E69F00", 11}};
static const char *const bits[] = {"1", "2", "4", "8"};
#define GRADIENT_ARMS 3 /* of arms, those whose mean over draws is drawn */

typedef struct {
  const json_t *study;
  FILE *data, *gp;
  int block;
  const char *lead;
} output;

/* A curve of `column` over the widths, times `scale`; bars are a standard deviation. */
static void curve(output *o, const char *what, size_t arm, const char *column, double scale, const char *look,
                  bool titled) {
  fprintf(o->data, "%s# %s, %s: bits, %s, deviation\n", o->block++ ? "\n\n" : "", what, arms[arm].title, column);
  for (size_t i = 0; i < ERG_COUNT_OF(bits); i++) {
    const char *const texts[] = {what, bits[i], arms[arm].rounding, arms[arm].masks, NULL};
    const plot_mean m = plot_study_mean(o->study, column, texts, NULL);
    if (m.count) fprintf(o->data, "%s %.10g %.10g\n", bits[i], scale * m.mean, scale * m.deviation);
  }
  fprintf(o->gp, "%s 'training-memory.dat' index %d using 1:2:3 with yerrorlines %s pointtype %d linecolor rgb '%s' ",
          o->lead, o->block - 1, look, arms[arm].point, arms[arm].colour);
  if (titled)
    fprintf(o->gp, "title '%s'", arms[arm].title);
  else
    fputs("notitle", o->gp);
  o->lead = ", \\\n    ";
}

static erg_status write_training(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  const json_t *study = plot_study(document, "training-memory");
  char line[512], provenance[160];
  output o = {study, data, gp, 0, "plot"};
  const char *const whole[] = {"training", "full", "-", "-", NULL};
  const plot_mean full = study ? plot_study_mean(study, "accuracy", whole, NULL) : (plot_mean){0};
  if (!full.count)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot training-memory: no study training-memory with points: nothing to draw; ergon study "
                    "training-memory --json");
  plot_style(gp, "xtics ytics");
  snprintf(line, sizeof line, "study training-memory: mean over %lld seeds, bars: one standard deviation; %s",
           (long long)json_integer_value(json_object_get(study, "seeds")),
           plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &training, 0, line);
  plot_footer(gp, &training, 1, "left, dashed: a draw; whole lines: the mean of 200; right, dashed: kept as they are");
  fputs("set multiplot\n", gp);
  plot_box box = plot_panel_box(&training, 0, 2, 2, 10);
  plot_panel(gp, &box, 0, "gradient of a layer's weights: distance from the exact one");
  fputs("set xlabel 'bits of stored activations'\nset ylabel ''\nset logscale x 2\nset "
        "xtics (1, 2, 4, 8)\nset xrange [0.85:9.5]\nset logscale y 10\nset format y '%g'\nset key inside left "
        "bottom reverse Left samplen 1.5 font ',9'\n",
        gp);
  for (size_t a = 0; a < GRADIENT_ARMS; a++) {
    curve(&o, "gradient", a, "error_of_a_draw", 1, "dashtype 2 pointsize 0.5", false);
    curve(&o, "gradient", a, "error_of_the_mean", 1, "pointsize 1", true);
  }
  box = plot_panel_box(&training, 1, 2, 2, 10);
  fputc('\n', gp);
  plot_panel(gp, &box, 1, "accuracy after training");
  fprintf(
      gp,
      "unset logscale y\nset format y '%%g'\nset ylabel 'accuracy [%%]'\nset yrange [*:*]\nset key inside right bottom "
      "reverse Left samplen 1.5 font ',9'\nset arrow from graph 0, first %.10g to graph 1, first %.10g nohead "
      "dashtype 2 linecolor rgb '#888888'\n",
      100 * full.mean, 100 * full.mean);
  o.lead = "plot";
  for (size_t a = 0; a < ERG_COUNT_OF(arms); a++) curve(&o, "training", a, "accuracy", 100, "pointsize 1", true);
  fputs("\nunset multiplot\n", gp);
  return ERG_OK;
}
