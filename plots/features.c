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
    760,
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
#define BLUE "#0072B2"
#define ORANGE "#D55E00"
static const curve seen[] = {{"pooled", "seen", "map", "pooled features", BLUE, 7},
                             {"gram", "seen", "map", "Gram matrices", ORANGE, 9}},
                   unseen[] = {{"pooled", "unseen", "map", "pooled features", BLUE, 6},
                               {"gram", "unseen", "map", "Gram matrices", ORANGE, 8}},
                   shares[] = {{"pooled", "seen", "map", "mAP, pooled features", BLUE, 7},
                               {"pooled", "unseen", "map", "the same, unseen classes", BLUE, 6},
                               {"gram", "seen", "map", "mAP, Gram matrices", ORANGE, 9},
                               {"gram", "unseen", "map", "the same, unseen classes", ORANGE, 8},
                               {"classifier", "seen", "accuracy", "accuracy of the classifier", "#000000", 5}},
                   overlaps[] = {{"pooled", "seen", "overlap_10", "pooled features", BLUE, 7},
                                 {"gram", "seen", "overlap_10", "Gram matrices", ORANGE, 9}};

typedef struct {
  const json_t *study;
  FILE *data, *gp;
  int block;
} output;

/* Less that of float, seed by seed, where `lost`. */
static plot_mean mean_of(const output *o, const curve *c, const char *encoder, bool lost) {
  const char *real[] = {c->what, c->of, "float", NULL};
  return plot_study_mean(o->study, c->column, (const char *const[]){c->what, c->of, encoder, NULL}, lost ? real : NULL);
}

/* A curve a row of the table. `kept`: of what float is above random weights, the share that is not lost; its spread is
 * that of the loss. Else a dashed line is random weights'. */
static void draw(output *o, const curve *curves, size_t count, bool kept) {
  const char *lead = "plot";
  for (size_t c = 0; c < count; c++) {
    const plot_mean floor = mean_of(o, &curves[c], "random weights", kept);
    const double scale = kept ? -floor.mean : 1, origin = kept ? scale : 0;
    fprintf(o->data, "%s# %s, %s, %s classes: bits (float at %.1f), %s%s, deviation\n", o->block ? "\n\n" : "",
            curves[c].column, curves[c].title, curves[c].of, FLOAT_X, curves[c].column,
            kept ? " kept above random weights" : "");
    for (size_t e = 0; e < ERG_COUNT_OF(encoders); e++) {
      const plot_mean m = mean_of(o, &curves[c], encoders[e].encoder, kept);
      if (m.count)
        fprintf(o->data, "%.10g %.10g %.10g\n", encoders[e].x, (m.mean + origin) / scale, m.deviation / scale);
    }
    /* side by side, so that bars do not cover one another */
    fprintf(o->gp,
            "%s 'features.dat' index %d using ($1 + %.2f):2:3 with yerrorlines pointtype %d linecolor rgb '%s' title "
            "'%s'",
            lead, o->block++, 0.08 * ((double)c - (double)(count - 1) / 2), curves[c].point, curves[c].colour,
            curves[c].title);
    lead = ", \\\n    ";
    if (!kept && floor.count)
      fprintf(o->gp, "%s %.10g with lines dashtype %d linewidth 1.5 linecolor rgb '%s' title 'of random weights'", lead,
              floor.mean, c ? 3 : 2, curves[c].colour);
  }
  fputs(kept ? ", \\\n     0 with lines dashtype 2 linecolor rgb '#888888' title 'random weights'\n" : "\n", o->gp);
}

static void panel(const output *o, int index, const char *title, const char *axes) {
  const plot_box box = plot_panel_box(&features, index, 4, 2, 10);
  plot_panel(o->gp, &box, index, title);
  fprintf(o->gp, "set key inside right %s reverse Left samplen 1.5 font ',9' maxrows %d\nset ylabel %s\n",
          index < 2 ? "bottom" : "center", index < 2 ? 2 : 6, axes);
}

static erg_status write_features(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  char line[512], provenance[160];
  output o = {plot_study(document, "features"), data, gp, 0};
  if (!o.study || !mean_of(&o, &seen[0], "float", false).count)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot features: no study features with points: nothing to draw; ergon study features --json");
  plot_style(gp, "xtics ytics");
  snprintf(line, sizeof line, "study features: mean over %lld seeds; integer golden kernels; %s",
           (long long)json_integer_value(json_object_get(o.study, "seeds")),
           plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &features, 0, line);
  plot_footer(
      gp, &features, 1,
      "bars: one standard deviation, cut at the frame, of shares that of the loss against float; hollow: classes that "
      "were never trained on; random weights: an encoder in float, as training began");
  fprintf(gp,
          "set multiplot\nset xlabel 'bits of weights and activations'\nset xrange [1.5:10]\nset xtics (2, 3, 4, 5, 6, "
          "8, 'float' %.1f)\n",
          FLOAT_X);
  panel(&o, 0, "retrieval, the 7 classes trained on", "'mAP'\nset yrange [0:0.85]");
  draw(&o, seen, ERG_COUNT_OF(seen), false);
  panel(&o, 1, "retrieval, 3 unseen classes", "'mAP'");
  draw(&o, unseen, ERG_COUNT_OF(unseen), false);
  panel(&o, 2, "kept of the use above random weights", "'share kept'\nset yrange [-0.15:1.1]");
  draw(&o, shares, ERG_COUNT_OF(shares), true);
  panel(&o, 3, "the ten nearest of float still among the ten nearest", "'share'\nset yrange [0:1.05]");
  draw(&o, overlaps, ERG_COUNT_OF(overlaps), false);
  fputs("unset multiplot\n", gp);
  return ERG_OK;
}
