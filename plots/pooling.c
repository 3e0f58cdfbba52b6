/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much of a token's quantization error is left in the mean over tokens, by what is rounded. */
#include "plot.h"

static erg_status write_pooling(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot pooling = {
    "pooling",     "of a study: error of the mean over tokens against the length of the sequence",
    write_pooling, 900,
    620,           "ergon.study"};
ERG_REGISTER(erg_plot, pooling);

static const char *const lengths[] = {"4", "8", "16", "32", "64", "128"};
static const struct {
  const char *part, *rounded, *column, *title, *colour;
  int point;
} curves[] = {
    {"identical", "all", "ratio", "all, tokens identical (control)", "#999999", 8},
    {"length", "features", "first_ratio", "first token, no mean (control)", "#555555", 6},
    {"length", "weights", "ratio", "weights, 4 bits", "#D55E00", 5},
    {"length", "activations and probabilities", "ratio", "activations and probabilities, 4 bits", "#CC79A7", 13},
    {"length", "all", "ratio", "weights, activations 4, probabilities 8", "#000000", 9},
    {"length", "activations", "ratio", "activations, 4 bits", "#0072B2", 7},
    {"length", "features", "ratio", "last features alone, 4 bits", "#009E73", 11}};

static erg_status write_pooling(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  const json_t *study = plot_study(document, "pooling");
  char line[512], provenance[160];
  int block = 0;
  if (!study)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot pooling: no study pooling with points: nothing to draw; ergon study pooling --json");
  if (!plot_study_mean(study, "ratio", (const char *const[]){"length", "features", "4", NULL}, NULL).count)
    return erg_fail(error, ERG_ERR_DATA, "plot pooling: found no ratio of features: nothing to draw");
  plot_style(gp, "xtics ytics");
  snprintf(line, sizeof line, "study pooling: mean over %lld seeds, bars: one standard deviation; %s",
           (long long)json_integer_value(json_object_get(study, "seeds")),
           plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &pooling, 0, line);
  plot_footer(gp, &pooling, 1,
              "integer kernels; what is not named has 16 bits, scores 8 beside activations of 4; trained at T = 16");
  fputs(
      "set title 'error of the mean over tokens, as a share of the error of a token' font ',13'\nset logscale xy\nset "
      "xlabel 'tokens T'\nset ylabel 'RMS error of the mean / of a token'\nset xrange [3.5:146]\nset yrange "
      "[0.07:1.3]\n"
      "set xtics (4, 8, 16, 32, 64, 128)\nset ytics (0.1, 0.2, 0.3, 0.5, 0.7, 1)\nset key outside right top reverse "
      "Left samplen 1.5 spacing 1.2 font ',10'\nset bmargin at screen 0.18\nplot x**-0.5 with lines dashtype 2 "
      "linecolor rgb '#888888' title '1/sqrt(T), independent errors'",
      gp);
  for (size_t c = 0; c < ERG_COUNT_OF(curves); c++) {
    int lines = 0;
    for (size_t t = 0; t < ERG_COUNT_OF(lengths); t++) {
      plot_mean m = plot_study_mean(study, curves[c].column,
                                    (const char *const[]){curves[c].part, curves[c].rounded, lengths[t], NULL}, NULL);
      if (!m.count) continue;
      if (!lines++) fprintf(data, "%s# %s: T, ratio, deviation\n", block++ ? "\n\n" : "", curves[c].title);
      fprintf(data, "%s %.10g %.10g\n", lengths[t], m.mean, m.deviation);
    }
    if (lines)
      fprintf(
          gp,
          ", \\\n    'pooling.dat' index %d using 1:2:3 with yerrorlines pointtype %d linecolor rgb '%s' title '%s'",
          block - 1, curves[c].point, curves[c].colour, curves[c].title);
  }
  fputc('\n', gp);
  return ERG_OK;
}
