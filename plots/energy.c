/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stacked bars: a group a precision, a bar a fusion choice, one colour a component, totals above. `energy` in joules,
 * `energy-relative` in percent of the first bar. */
#include "plot.h"
#include <math.h>
#include <string.h>

#define MOST_BARS 64

typedef struct {
  const char *precision, *fusion, *reason; /* reason: why it was skipped, or NULL */
  double x, pj[PLOT_MOST_PARTS], total_pj, p05_pj, p95_pj;
} bar;

typedef struct {
  bar bars[MOST_BARS];
  int bar_count;
  plot_parts parts;
} chart;

static erg_status same(const json_t *results, const char *key, erg_error *error) {
  const char *first = json_string_value(json_object_get(json_array_get(results, 0), key));
  size_t index;
  json_t *result;
  json_array_foreach((json_t *)results, index, result) {
    const char *other = json_string_value(json_object_get(result, key));
    if (!first || !other || strcmp(first, other) != 0)
      return erg_fail(error, ERG_ERR_DATA, "plot energy: results differ in %s (%s, %s); one plot shows one %s", key,
                      first ? first : "none", other ? other : "none", key);
  }
  return ERG_OK;
}

static erg_status read_chart(const json_t *run, chart *c, erg_error *error) {
  const json_t *results = json_object_get(run, "results");
  size_t index;
  json_t *result;
  memset(c, 0, sizeof *c);
  if (!json_is_array(results) || json_array_size(results) == 0)
    return erg_fail(error, ERG_ERR_DATA, "plot energy: the run holds no results: nothing to draw");
  if (json_array_size(results) > MOST_BARS)
    return erg_fail(error, ERG_ERR_DATA, "plot energy: found %zu results; allowed: %d", json_array_size(results),
                    MOST_BARS);
  static const char *const keys[] = {"workload", "arch", "technology", "dataflow", "model"};
  for (size_t i = 0; i < ERG_COUNT_OF(keys); i++) {
    erg_status status = same(results, keys[i], error);
    if (status != ERG_OK) return status;
  }
  double x = 0;
  bool any = false;
  json_array_foreach((json_t *)results, index, result) {
    bar *b = &c->bars[c->bar_count];
    b->precision = json_string_value(json_object_get(result, "precision"));
    b->fusion = json_string_value(json_object_get(result, "fusion"));
    if (!b->precision || !b->fusion)
      return erg_fail(error, ERG_ERR_DATA, "plot energy: result %zu names no precision or fusion", index);
    x += c->bar_count && strcmp(b->precision, c->bars[c->bar_count - 1].precision) != 0 ? 1.6 : 1;
    b->x = x;
    c->bar_count++;
    const json_t *totals = json_object_get(result, "totals"), *energy = json_object_get(totals, "energy_pj");
    if (!json_is_object(energy)) {
      b->reason = json_string_value(json_object_get(result, "reason"));
      if (!b->reason) b->reason = "no reason given";
      continue;
    }
    plot_parts_find(&c->parts, energy);
    any = true;
    for (int i = 0; i < c->parts.count; i++) b->pj[i] = plot_part_pj(energy, c->parts.names[i]);
    b->total_pj = json_number_value(json_object_get(energy, "total"));
    b->p05_pj = json_number_value(json_object_get(totals, "energy_pj_p05"));
    b->p95_pj = json_number_value(json_object_get(totals, "energy_pj_p95"));
  }
  return any ? ERG_OK : erg_fail(error, ERG_ERR_DATA, "plot energy: every result was skipped: nothing to draw");
}

static void write_data(const chart *c, double divisor, const char *unit, FILE *data) {
  char precision[64], fusion[64];
  fprintf(data, "# x precision fusion total_%s p05_%s p95_%s", unit, unit, unit);
  for (int i = 0; i < c->parts.count; i++)
    fprintf(data, " %s_%s", erg_plot_quote(c->parts.names[i], precision, sizeof precision), unit);
  fputc('\n', data);
  for (int b = 0; b < c->bar_count; b++) {
    const bar *bar = &c->bars[b];
    fprintf(data, "%g \"%s\" \"%s\"", bar->x, erg_plot_quote(bar->precision, precision, sizeof precision),
            erg_plot_quote(bar->fusion, fusion, sizeof fusion));
    if (bar->reason) {
      fputs(" NaN NaN NaN", data);
      for (int i = 0; i < c->parts.count; i++) fputs(" NaN", data);
    } else {
      fprintf(data, " %.10g", bar->total_pj / divisor);
      for (int e = 0; e < 2; e++) {
        double interval = e ? bar->p95_pj : bar->p05_pj;
        if (interval > 0)
          fprintf(data, " %.10g", interval / divisor);
        else
          fputs(" NaN", data);
      }
      for (int i = 0; i < c->parts.count; i++) fprintf(data, " %.10g", bar->pj[i] / divisor);
    }
    fputc('\n', data);
  }
}

static const char *field(const json_t *run, const char *key) {
  const char *text = json_string_value(json_object_get(json_array_get(json_object_get(run, "results"), 0), key));
  return text ? text : "?";
}

static void write_labels(const json_t *run, const chart *c, const char *unit, FILE *gp) {
  char quoted[512], title[512];
  const json_t *provenance = json_object_get(run, "provenance"),
               *first = json_array_get(json_object_get(run, "results"), 0);
  const char *version = json_string_value(json_object_get(provenance, "ergon_version"));
  const char *commit = json_string_value(json_object_get(provenance, "commit"));
  snprintf(title, sizeof title, "%s: energy of one inference by precision and fusion", field(run, "workload"));
  if (json_integer_value(json_object_get(first, "batch")) > 1)
    snprintf(title, sizeof title, "%s: energy of a batch of %lld by precision and fusion", field(run, "workload"),
             (long long)json_integer_value(json_object_get(first, "batch")));
  fprintf(gp, "set title \"%s\" font ',13'\n", erg_plot_quote(title, quoted, sizeof quoted));
  fprintf(gp, "set ylabel \"energy [%s]\"\n", erg_plot_quote(unit, quoted, sizeof quoted));
  char footer[512];
  snprintf(footer, sizeof footer,
           "arch %s (%s mac, equal PE count), tech %s, dataflow %s, model %s; ergon %s (%s), model version %lld",
           field(run, "arch"), field(run, "mac"), field(run, "technology"), field(run, "dataflow"), field(run, "model"),
           version ? version : "?", commit ? commit : "?",
           (long long)json_integer_value(json_object_get(provenance, "model_version")));
  fprintf(gp, "set label \"%s\" at screen 0.01, screen 0.025 font ',8' textcolor rgb '#555555'\n",
          erg_plot_quote(footer, quoted, sizeof quoted));
  double y = 0.055;
  for (int b = 0; b < c->bar_count; b++) {
    if (!c->bars[b].reason) continue;
    fprintf(gp, "set label 'skipped' at first %g, graph 0.01 rotate by 90 font ',9' textcolor rgb '#777777'\n",
            c->bars[b].x);
    bool told = false; /* one line a reason, not one a bar */
    for (int e = 0; e < b; e++) told |= c->bars[e].reason && strcmp(c->bars[e].reason, c->bars[b].reason) == 0;
    if (told) continue;
    snprintf(footer, sizeof footer, "skipped, because %s", c->bars[b].reason);
    fprintf(gp, "set label \"%s\" at screen 0.01, screen %g font ',8' textcolor rgb '#555555'\n",
            erg_plot_quote(footer, quoted, sizeof quoted), y);
    y += 0.03;
  }
  for (int b = 0; b < c->bar_count;) { /* a precision's name under the middle of its group */
    int end = b;
    while (end + 1 < c->bar_count && strcmp(c->bars[end + 1].precision, c->bars[b].precision) == 0) end++;
    fprintf(gp, "set label \"%s\" at first %g, graph -0.115 center font ',12'\n",
            erg_plot_quote(c->bars[b].precision, quoted, sizeof quoted), (c->bars[b].x + c->bars[end].x) / 2);
    b = end + 1;
  }
}

static void write_commands(const json_t *run, const chart *c, const char *unit, double most, const char *file,
                           FILE *gp) {
  char buffer[64], quoted[128];
  bool intervals = false;
  for (int b = 0; b < c->bar_count; b++) intervals |= c->bars[b].p95_pj > 0;
  write_labels(run, c, unit, gp);
  fputs(
      "set border 3 linecolor rgb '#444444'\nset tics nomirror out\nset xtics font ',8'\nset grid ytics linecolor rgb "
      "'#e5e5e5' linetype 1\n"
      "set style fill solid 1.0 border rgb 'white'\nset boxwidth 0.86\nset key outside right top reverse Left samplen "
      "1.5 spacing 1.2 font ',10'\n"
      "set bmargin 7\nset rmargin 24\n",
      gp);
  fprintf(gp, "set xrange [%g:%g]\nset yrange [0:%g]\n", c->bars[0].x - 0.8, c->bars[c->bar_count - 1].x + 0.8,
          most * 1.08);
  /* From the whole stack down to its lowest part, each drawn over the one before: the key then reads like the stack. */
  const char *lead = "plot";
  for (int part = c->parts.count - 1; part >= 0; part--) {
    double largest = 0;
    for (int b = 0; b < c->bar_count; b++) largest = fmax(largest, c->bars[b].pj[part]);
    if (largest <= 0) continue;
    fprintf(gp, "%s '%s.dat' using 1:(sum [i=7:%d] column(i)):xtic(3) with boxes linecolor rgb '%s' title \"%s\"", lead,
            file, 7 + part, plot_part_colour(&c->parts, part),
            erg_plot_quote(plot_part_label(c->parts.names[part], buffer), quoted, sizeof quoted));
    lead = ", \\\n    ";
  }
  if (intervals)
    fprintf(gp, "%s '%s.dat' using 1:4:5:6 with yerrorbars linecolor rgb '#222222' pointtype 0 title '5 to 95 %%'",
            lead, file);
  fprintf(gp,
          "%s '%s.dat' using 1:4:(sprintf($4 >= 100 ? '%%.0f' : $4 >= 10 ? '%%.1f' : '%%.2f', $4)) with labels %s font "
          "',9' notitle\n",
          lead, file, intervals ? "left offset 0.5,0.6" : "offset 0,0.6");
}

static double tallest(const chart *c) {
  double most = 0;
  for (int b = 0; b < c->bar_count; b++) most = fmax(most, fmax(c->bars[b].total_pj, c->bars[b].p95_pj));
  return most;
}

static erg_status write_energy(const json_t *run, FILE *data, FILE *gp, erg_error *error) {
  chart c;
  erg_status status = read_chart(run, &c, error);
  if (status != ERG_OK) return status;
  double most = tallest(&c);
  const char *unit = most >= 1e12 ? "J" : most >= 1e9 ? "mJ" : most >= 1e6 ? "uJ" : "nJ";
  double divisor = most >= 1e12 ? 1e12 : most >= 1e9 ? 1e9 : most >= 1e6 ? 1e6 : 1e3;
  write_data(&c, divisor, unit, data);
  write_commands(run, &c, unit, most / divisor, "energy", gp);
  return ERG_OK;
}

static erg_status write_relative(const json_t *run, FILE *data, FILE *gp, erg_error *error) {
  chart c;
  erg_status status = read_chart(run, &c, error);
  if (status != ERG_OK) return status;
  int first = 0;
  while (c.bars[first].reason) first++;
  char unit[128];
  snprintf(unit, sizeof unit, "%% of %s, %s", c.bars[first].precision, c.bars[first].fusion);
  double divisor = c.bars[first].total_pj / 100;
  for (int b = 0; b < c.bar_count; b++) { /* of the ratio itself, in which what both share cancels */
    const json_t *totals = json_object_get(json_array_get(json_object_get(run, "results"), (size_t)b), "totals");
    c.bars[b].p05_pj = json_number_value(json_object_get(totals, "energy_ratio_p05")) * 100 * divisor;
    c.bars[b].p95_pj = json_number_value(json_object_get(totals, "energy_ratio_p95")) * 100 * divisor;
  }
  write_data(&c, divisor, "percent", data);
  write_commands(run, &c, unit, tallest(&c) / divisor, "energy-relative", gp);
  return ERG_OK;
}

static const erg_plot energy = {"energy", "stacked energy bars, precisions x fusion choices", write_energy, 1100, 580,
                                NULL};
static const erg_plot energy_relative = {
    "energy-relative", "the same in percent of the first bar", write_relative, 1100, 580, NULL};
ERG_REGISTER(erg_plot, energy);
ERG_REGISTER(erg_plot, energy_relative);
