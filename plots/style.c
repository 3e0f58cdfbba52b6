/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot.h"
#include <math.h>

static plot_unit unit_of(const plot_unit *units, size_t count, double value) {
  size_t i = 0;
  while (i + 1 < count && value < units[i].divisor) i++;
  return units[i];
}

plot_unit plot_energy_unit(double pj) {
  static const plot_unit units[] = {{"J", 1e12}, {"mJ", 1e9}, {"uJ", 1e6}, {"nJ", 1e3}, {"pJ", 1}};
  return unit_of(units, ERG_COUNT_OF(units), pj);
}

plot_unit plot_time_unit(double seconds) {
  static const plot_unit units[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};
  return unit_of(units, ERG_COUNT_OF(units), seconds);
}

plot_unit plot_rate_unit(double per_s) {
  static const plot_unit units[] = {{"TMAC/s", 1e12}, {"GMAC/s", 1e9}, {"MMAC/s", 1e6}, {"MAC/s", 1}};
  return unit_of(units, ERG_COUNT_OF(units), per_s);
}

void plot_style(FILE *gp, const char *grid) {
  fprintf(gp,
          "set border 3 linecolor rgb '#444444'\nset tics nomirror out font ',9'\n"
          "set grid %s linecolor rgb '#e5e5e5' linetype 1\n",
          grid);
}

void plot_footer(FILE *gp, const erg_plot *plot, int line, const char *text) {
  char quoted[1024];
  fprintf(gp, "set label \"%s\" at screen 0.01, screen %.4f font ',8' textcolor rgb '#555555'\n",
          erg_plot_quote(text, quoted, sizeof quoted), (14.0 + 16 * line) / plot->height_px);
}

char *plot_provenance(const json_t *document, char *buffer, size_t bytes) {
  const json_t *provenance = json_object_get(document, "provenance");
  const json_t *model = json_object_get(provenance, "model_version");
  int length = snprintf(buffer, bytes, "ergon %s (%s), model version ", plot_text(provenance, "ergon_version"),
                        plot_text(provenance, "commit"));
  if (length < 0 || (size_t)length >= bytes) return buffer;
  if (json_is_integer(model))
    snprintf(buffer + length, bytes - (size_t)length, "%lld", (long long)json_integer_value(model));
  else
    snprintf(buffer + length, bytes - (size_t)length, "?");
  return buffer;
}

void plot_log_tics(FILE *gp, const char *axis, double low, double high) {
  const double decades = log10(high / low);
  fprintf(gp, "set logscale %s 10\nset %stics (", axis, axis);
  const char *comma = "";
  for (int decade = (int)floor(log10(low)); decade <= (int)ceil(log10(high)); decade++)
    for (int step = 10; step < 100; step++) { /* tenths of the decade */
      bool wanted = step == 10 || (decades < 3 && (step == 20 || step == 50)) || (decades < 0.7 && step % 10 == 0) ||
                    (decades < 0.2 && step % 2 == 0 && step <= 50) || (decades < 0.1 && step <= 30);
      double value = step / 10.0 * pow(10, decade);
      if (!wanted || value < low || value > high) continue;
      if (value >= 1e5 || value < 1e-3)
        fprintf(gp, "%s'%.2g' %.10g", comma, value, value);
      else
        fprintf(gp, "%s'%.4g' %.10g", comma, value, value);
      comma = ", ";
    }
  fputs(")\n", gp);
}

const char *plot_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "?";
}
