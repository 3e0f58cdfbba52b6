/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory of a training step against the energy of recomputation, a curve a width of the stored activations. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>

static erg_status write_memory(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot memory = {
    "memory",      "of a training step: peak memory against energy of recomputation, by width", write_memory, 1000, 560,
    "ergon.memory"};
ERG_REGISTER(erg_plot, memory);

/* Okabe and Ito's colours, and gnuplot's points. */
static const struct {
  const char *colour;
  int point;
} looks[] = {{"#000000", 5}, {"#0072B2", 7}, {"#D55E00", 9}, {"#009E73", 11}, {"#CC79A7", 13}, {"#56B4E9", 15}};

static double number(const json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}

/* "MB" and its like for the largest peak. */
static plot_unit bytes_unit(double bytes) {
  static const plot_unit units[] = {{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"bytes", 1}};
  size_t i = 0;
  while (i + 1 < ERG_COUNT_OF(units) && bytes < units[i].divisor) i++;
  return units[i];
}

/* A width's points as a staircase: with less memory than a point has, the next one costs more. Returns how many. */
static size_t write_width(const json_t *width, int block, plot_unit bytes, plot_unit energy, FILE *data,
                          FILE *commands) {
  const json_t *points = json_object_get(width, "points");
  const size_t count = json_array_size(points);
  if (!count) return 0;
  fprintf(data, "%s# %g bits: recomputation [%s], peak [%s]\n", block ? "\n\n" : "", number(width, "bits"), energy.name,
          bytes.name);
  for (size_t i = count; i-- > 0;) { /* ascending recomputation */
    const json_t *point = json_array_get(points, i);
    fprintf(data, "%.10g %.10g\n", number(json_object_get(point, "recompute"), "energy_pj") / energy.divisor,
            number(point, "peak_bytes") / bytes.divisor);
  }
  fprintf(
      commands,
      "%s 'memory.dat' index %d using 1:2 with steps linewidth 1.5 linecolor rgb '%s' notitle, \\\n    'memory.dat' "
      "index %d using 1:2 with points pointtype %d pointsize 0.7 linecolor rgb '%s' title '%g bits'",
      block ? ", \\\n    " : "plot", block, looks[block].colour, block, looks[block].point, looks[block].colour,
      number(width, "bits"));
  return count;
}

static erg_status write_memory(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  const json_t *widths = json_object_get(document, "widths");
  const plot_unit bytes = bytes_unit(number(document, "full_peak_bytes"));
  double most_pj = 0;
  char line[512], quoted[512], provenance[160];
  for (size_t w = 0; w < json_array_size(widths); w++) {
    const json_t *points = json_object_get(json_array_get(widths, w), "points");
    for (size_t i = 0; i < json_array_size(points); i++)
      most_pj = fmax(most_pj, number(json_object_get(json_array_get(points, i), "recompute"), "energy_pj"));
  }
  const plot_unit energy = plot_energy_unit(most_pj);
  char *body = NULL;
  size_t size = 0;
  FILE *commands = open_memstream(&body, &size); /* the frame stands before them */
  if (!commands) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  int drawn = 0;
  for (size_t w = 0; w < json_array_size(widths) && drawn < (int)ERG_COUNT_OF(looks); w++)
    drawn += write_width(json_array_get(widths, w), drawn, bytes, energy, data, commands) > 0;
  fclose(commands);
  erg_status status = drawn ? ERG_OK : erg_fail(error, ERG_ERR_DATA, "plot memory: no width has a point");
  if (drawn) {
    plot_style(gp, "xtics ytics");
    snprintf(line, sizeof line,
             "arch %s, tech %s, dataflow %s, model analytic; activations and their gradients, peaks as executed",
             plot_text(document, "arch"), plot_text(document, "technology"), plot_text(document, "dataflow"));
    plot_footer(gp, &memory, 1, line);
    snprintf(line, sizeof line, "dashed: all kept as computed; %s",
             plot_provenance(document, provenance, sizeof provenance));
    plot_footer(gp, &memory, 0, line);
    snprintf(line, sizeof line, "%s, batch %g: a training step in %s, activations kept in b bits",
             plot_text(document, "workload"), number(document, "batch"), plot_text(document, "precision"));
    fprintf(gp, "set title \"%s\" font ',13'\n", erg_plot_quote(line, quoted, sizeof quoted));
    fprintf(gp,
            "set xlabel 'energy of recomputation [%s]'\nset ylabel 'peak memory [%s]'\nset yrange [0:*]\nset xrange "
            "[%g:*]\nset arrow from graph 0, first %.10g to graph 1, first %.10g nohead dashtype 2 linecolor rgb "
            "'#888888'\nset key outside right top reverse Left samplen 1.2 spacing 1.15 font ',10'\nset bmargin at "
            "screen 0.19\n",
            energy.name, bytes.name, -0.02 * most_pj / energy.divisor,
            number(document, "full_peak_bytes") / bytes.divisor, number(document, "full_peak_bytes") / bytes.divisor);
    fputs(body, gp);
    fputc('\n', gp);
  }
  free(body);
  return status;
}
