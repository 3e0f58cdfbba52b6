/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is left of features at few bits: retrieval, its share above random weights, and the neighbours themselves. */
#include "plot.h"
#include <math.h>

static erg_status write_features(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot features = {
    "features",
    "of a study: retrieval by features of few bits, against a classifier and random weights",
    write_features,
    1100,
    480,
    "ergon.study"};
ERG_REGISTER(erg_plot, features);

#define FLOAT_X 9.5 /* where float stands on the axis of bits */
static const struct {
  const char *encoder;
  double x;
} encoders[] = {{"2 bit", 2}, {"3 bit", 3}, {"4 bit", 4}, {"5 bit", 5}, {"6 bit", 6}, {"8 bit", 8}, {"float", FLOAT_X}};

typedef struct {
  const char *what, *of, *column, *title, *colour;
  int point; /* filled: seen classes; hollow: unseen */
} curve;
static const curve maps[] = {{"pooled", "seen", "map", "pooled features", "#0072B2", 7},
                             {"pooled", "unseen", "map", "pooled, unseen classes", "#0072B2", 6},
                             {"gram", "seen", "map", "Gram matrices", "#D55E00", 9},
                             {"gram", "unseen", "map", "Gram, unseen classes", "#D55E00", 8}},
                   shares[] = {{"pooled", "seen", "map", "mAP, pooled", "#0072B2", 7},
                               {"gram", "seen", "map", "mAP, Gram", "#D55E00", 9},
                               {"classifier", "seen", "accuracy", "accuracy", "#000000", 5}},
                   overlaps[] = {{"pooled", "seen", "overlap_10", "pooled", "#0072B2", 7},
                                 {"gram", "seen", "overlap_10", "Gram", "#D55E00", 9}};

typedef struct {
  const json_t *study;
  FILE *data, *gp;
  int block, drawn;
} output;

static plot_mean mean_of(const output *o, const curve *c, const char *encoder) {
  return plot_study_mean(o->study, c->column, (const char *const[]){c->what, c->of, encoder, NULL}, NULL);
}

/* A curve a row of the table; `share`: of what float is above random weights. */
static void draw(output *o, const curve *curves, size_t count, bool share, bool floors) {
  const char *lead = "plot";
  for (size_t c = 0; c < count; c++) {
    const plot_mean real = mean_of(o, &curves[c], "float"), floor = mean_of(o, &curves[c], "random weights");
    const double origin = share ? floor.mean : 0, scale = share ? real.mean - floor.mean : 1;
    fprintf(o->data, "%s# %s of %s: bits (float at %.1f), %s%s, deviation\n", o->block ? "\n\n" : "", curves[c].column,
            curves[c].title, FLOAT_X, curves[c].column, share ? " kept above random weights" : "");
    for (size_t e = 0; e < ERG_COUNT_OF(encoders); e++) {
      const plot_mean m = mean_of(o, &curves[c], encoders[e].encoder);
      if (!m.count) continue;
      fprintf(o->data, "%.10g %.10g %.10g\n", encoders[e].x, (m.mean - origin) / scale, share ? 0 : m.deviation);
      o->drawn++;
    }
    fprintf(o->gp, "%s 'features.dat' index %d using 1:2:3 with yerrorlines pointtype %d linecolor rgb '%s' title '%s'",
            lead, o->block++, curves[c].point, curves[c].colour, curves[c].title);
    lead = ", \\\n    ";
    if (floors && floor.count)
      fprintf(o->gp, "%s %.10g with lines dashtype %d linecolor rgb '%s' notitle", lead, floor.mean,
              curves[c].point % 2 ? 2 : 3, curves[c].colour);
  }
  fputc('\n', o->gp);
}

static void panel(const output *o, int index, const char *title, const char *axes) {
  const plot_box box = plot_panel_box(&features, index, 3, 2, 10);
  plot_panel(o->gp, &box, index, title);
  fprintf(o->gp,
          "set xlabel 'bits of weights and activations'\nset xrange [1.5:10]\nset xtics (2, 3, 4, 5, 6, 8, 'float' "
          "%.1f)\nset key inside right bottom reverse Left samplen 1.5 font ',9'\n%s",
          FLOAT_X, axes);
}

static erg_status write_features(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  char line[512], provenance[160];
  output o = {plot_study(document, "features"), data, gp, 0, 0};
  if (!o.study || !mean_of(&o, &maps[0], "float").count)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot features: no study features with points: nothing to draw; ergon study features --json");
  plot_style(gp, "xtics ytics");
  snprintf(line, sizeof line, "study features: mean over %lld seeds, bars: one standard deviation; %s",
           (long long)json_integer_value(json_object_get(o.study, "seeds")),
           plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &features, 0, line);
  plot_footer(gp, &features, 1,
              "dashed: an encoder of random weights in float; seen: the 7 classes trained on, unseen: 3 others");
  fputs("set multiplot\n", gp);
  panel(&o, 0, "retrieval, leave one out", "set ylabel 'mAP'\nset yrange [0:1]\n");
  draw(&o, maps, ERG_COUNT_OF(maps), false, true);
  panel(&o, 1, "kept of the use above random weights", "set ylabel 'share kept'\nset yrange [-0.1:1.1]\n");
  draw(&o, shares, ERG_COUNT_OF(shares), true, false);
  panel(&o, 2, "the ten nearest of float among the ten nearest", "set ylabel 'share'\nset yrange [0:1.05]\n");
  draw(&o, overlaps, ERG_COUNT_OF(overlaps), false, true);
  fputs("unset multiplot\n", gp);
  return ERG_OK;
}
