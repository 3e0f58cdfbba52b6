/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which block suits an array: accuracy in int8 against energy, of networks that differ in their blocks alone. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>

static erg_status write_blocks(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot blocks = {
    "blocks",     "of a study: accuracy against energy of networks that differ in norms, gates and convolutions",
    write_blocks, 1000,
    620,          "ergon.study"};
ERG_REGISTER(erg_plot, blocks);

static const char *const convs[] = {"dense", "depthwise"}, *const gates[] = {"none", "table", "hard"};
static const struct {
  const char *name, *title, *colour;
} norms[] = {{"none", "no norm", "#000000"},
             {"batch_norm", "batch norm", "#0072B2"},
             {"instance_norm", "instance norm", "#D55E00"},
             {"rms_norm", "RMSNorm", "#009E73"}};
/* gnuplot's points: filled for dense, hollow for depthwise; a circle without a gate, a triangle with one. */
static const int points[2][2] = {{7, 9}, {6, 8}};

static erg_status write_blocks(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  const json_t *study = plot_study(document, "blocks");
  char line[512], provenance[160];
  double low = INFINITY, high = 0;
  if (!study)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot blocks: no study blocks with points: nothing to draw; ergon study blocks --json");
  char *body = NULL;
  size_t bytes = 0;
  FILE *commands = open_memstream(&body, &bytes); /* ranges stand before them */
  if (!commands) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  int block = 0;
  for (size_t c = 0; c < ERG_COUNT_OF(convs); c++)
    for (size_t n = 0; n < ERG_COUNT_OF(norms); n++)
      for (size_t g = 0; g < ERG_COUNT_OF(gates); g++) {
        const char *judged[] = {convs[c], norms[n].name, gates[g], "int8", NULL},
                   *priced[] = {convs[c], norms[n].name, gates[g], "small buffers", NULL};
        plot_mean accuracy = plot_study_mean(study, "accuracy", judged, NULL),
                  energy = plot_study_mean(study, "energy_pj", priced, NULL);
        if (!accuracy.count || !energy.count || energy.mean <= 0) continue;
        const double uj = energy.mean / 1e6;
        low = fmin(low, uj), high = fmax(high, uj);
        fprintf(data, "%s# %s %s, gate %s: uJ, accuracy [%%], deviation\n%.10g %.10g %.10g\n", block ? "\n\n" : "",
                convs[c], norms[n].name, gates[g], uj, 100 * accuracy.mean, 100 * accuracy.deviation);
        fprintf(commands,
                "%s 'blocks.dat' index %d using 1:2:3 with yerrorbars pointtype %d pointsize 1.3 linecolor rgb '%s' ",
                block ? ", \\\n    " : "plot", block, points[c][g > 0], norms[n].colour);
        if (g == 0)
          fprintf(commands, "title '%s, %s'", norms[n].title, convs[c]);
        else
          fputs("notitle", commands);
        block++;
      }
  fclose(commands);
  erg_status status = block ? ERG_OK
                            : erg_fail(error, ERG_ERR_DATA,
                                       "plot blocks: no network has both an accuracy and an energy: nothing to draw");
  if (status == ERG_OK) {
    plot_style(gp, "xtics ytics");
    snprintf(
        line, sizeof line,
        "study blocks: mean over %lld seeds, bars: one standard deviation; edge with small buffers, fusion depth; %s",
        (long long)json_integer_value(json_object_get(study, "seeds")),
        plot_provenance(document, provenance, sizeof provenance));
    plot_footer(gp, &blocks, 0, line);
    plot_footer(gp, &blocks, 1, "circles: no gate; triangles: squeeze-and-excitation with a table or a hard gate");
    plot_log_tics(gp, "x", low * 0.9, high * 1.1);
    fprintf(
        gp,
        "set title 'accuracy in int8 against energy, blocks of about equal MACs' font ',13'\nset xlabel 'energy per "
        "inference [uJ]'\nset ylabel 'accuracy [%%]'\nset xrange [%.10g:%.10g]\nset key outside right top reverse Left "
        "samplen 1.2 spacing 1.15 font ',10'\nset bmargin at screen 0.18\n",
        low * 0.9, high * 1.1);
    fputs(body, gp);
    fputc('\n', gp);
  }
  free(body);
  return status;
}
