/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which constant the total hangs on: each alone at its 5 and 95 % end, all others as stated. Prices are products of
 * constants, so what a constant prices moves with it in proportion. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BARS 15
#define SIGMAS_95 1.6448536269514722 /* 95 % of a normal distribution lie below so many standard deviations */

static erg_status write_tornado(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot tornado = {
    "tornado", "of ergon explain: the total over each constant's 5 to 95 %", write_tornado, 1100, 640, "ergon.explain"};
ERG_REGISTER(erg_plot, tornado);

typedef struct {
  int64_t index; /* in the document */
  const char *label;
  double priced_pj, factor; /* what it prices; geometric standard deviation */
  double low_pj, high_pj;   /* the total at its ends */
} constant;
typedef struct {
  constant *constants;
  int count;
  double total_pj, unlisted_pj;
} pricing;

static constant *find(pricing *p, const json_t *index) {
  for (int i = 0; i < p->count; i++)
    if (json_is_integer(index) && p->constants[i].index == json_integer_value(index)) return &p->constants[i];
  return NULL;
}

static erg_status read_constants(const json_t *list, pricing *p, erg_error *error) {
  erg_status status = ERG_OK;
  size_t place;
  json_t *json;
  json_array_foreach((json_t *)list, place, json) {
    const json_t *factor = json_object_get(json, "factor"), *index = json_object_get(json, "index");
    const char *label = json_string_value(json_object_get(json, "label"));
    if (!label || !json_is_integer(index) || !json_is_number(factor) || json_number_value(factor) < 1)
      status = erg_fail(error, ERG_ERR_DATA,
                        "plot tornado: constants[%zu]: needs index, label, and factor, a number from 1", place);
    else
      p->constants[p->count++] = (constant){json_integer_value(index), label, 0, json_number_value(factor), 0, 0};
  }
  return status;
}

static erg_status read_items(const json_t *items, pricing *p, erg_error *error) {
  erg_status status = ERG_OK;
  size_t place, at;
  json_t *item, *index;
  json_array_foreach((json_t *)items, place, item) {
    const json_t *energy = json_object_get(item, "energy_pj"), *list = json_object_get(item, "constants");
    bool listed = json_array_size(list) > 0;
    if (!json_is_number(energy)) {
      status = erg_fail(error, ERG_ERR_DATA, "plot tornado: items[%zu] has no energy_pj", place);
      continue;
    }
    json_array_foreach((json_t *)list, at, index) {
      constant *c = find(p, index);
      if (c)
        c->priced_pj += json_number_value(energy);
      else
        listed = false;
    }
    if (!listed) p->unlisted_pj += json_number_value(energy);
  }
  return status;
}

static int by_width(const void *left, const void *right) {
  const constant *a = left, *b = right;
  double difference = (b->high_pj - b->low_pj) - (a->high_pj - a->low_pj);
  if (difference != 0) return difference > 0 ? 1 : -1;
  return a->index < b->index ? -1 : a->index > b->index;
}

/* Sorted, the widest first; those that move nothing are dropped. */
static void find_ends(pricing *p) {
  int kept = 0;
  for (int i = 0; i < p->count; i++) {
    constant c = p->constants[i];
    double ratio = pow(c.factor, SIGMAS_95);
    c.low_pj = p->total_pj + c.priced_pj * (1 / ratio - 1);
    c.high_pj = p->total_pj + c.priced_pj * (ratio - 1);
    if (c.high_pj > c.low_pj) p->constants[kept++] = c;
  }
  p->count = kept;
  qsort(p->constants, (size_t)p->count, sizeof *p->constants, by_width);
}

static void write_frame(const json_t *document, const json_t *result, const pricing *p, int drawn, plot_unit unit,
                        FILE *gp) {
  char line[1024], quoted[1024], provenance[160];
  const int results = (int)json_array_size(json_object_get(document, "results"));
  plot_style(gp, "xtics");
  snprintf(line, sizeof line, "%s, %s, fusion %s: the total over each constant, %.4g %s as stated",
           plot_text(result, "workload"), plot_text(result, "precision"), plot_text(result, "fusion"),
           p->total_pj / unit.divisor, unit.name);
  fprintf(gp, "set title \"%s\" font ',13'\n", erg_plot_quote(line, quoted, sizeof quoted));
  snprintf(line, sizeof line, "arch %s (%s mac, equal PE count), tech %s; %s", plot_text(result, "arch"),
           plot_text(result, "mac"), plot_text(result, "technology"),
           plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &tornado, 0, line);
  int length =
      snprintf(line, sizeof line,
               "each constant alone from its 5 to its 95 %% end, in brackets what it is multiplied and divided by");
  if (p->count > drawn)
    length += snprintf(line + length, sizeof line - (size_t)length, "; not drawn, because they move it less: %d",
                       p->count - drawn);
  if (p->unlisted_pj > 0)
    length += snprintf(line + length, sizeof line - (size_t)length, "; on no listed constant: %.2g %% of the energy",
                       100 * p->unlisted_pj / p->total_pj);
  if (results > 1) snprintf(line + length, sizeof line - (size_t)length, "; first of %d points", results);
  plot_footer(gp, &tornado, 1, line);
}

static void write_bars(const json_t *result, const pricing *p, int drawn, plot_unit unit, FILE *data, FILE *gp) {
  const json_t *p05 = json_object_get(result, "total_pj_p05"), *p95 = json_object_get(result, "total_pj_p95");
  const bool together = json_is_number(p05) && json_is_number(p95);
  double low = p->constants[0].low_pj, high = p->constants[0].high_pj;
  char quoted[256];
  fprintf(data, "# place label low_%s high_%s factor_to_95_percent priced_%s\n", unit.name, unit.name, unit.name);
  for (int i = 0; i < drawn; i++) {
    const constant *c = &p->constants[i];
    double ratio = pow(c->factor, SIGMAS_95);
    low = fmin(low, c->low_pj), high = fmax(high, c->high_pj);
    fprintf(data, "%d \"%s (%.2f)\" %.10g %.10g %.10g %.10g\n", drawn - 1 - i,
            erg_plot_quote(c->label, quoted, sizeof quoted), ratio, c->low_pj / unit.divisor, c->high_pj / unit.divisor,
            ratio, c->priced_pj / unit.divisor);
  }
  if (together) { /* a block of its own, on top */
    low = fmin(low, json_number_value(p05)), high = fmax(high, json_number_value(p95));
    fprintf(data, "\n\n%d \"all together\" %.10g %.10g NaN %.10g\n", drawn, json_number_value(p05) / unit.divisor,
            json_number_value(p95) / unit.divisor, p->total_pj / unit.divisor);
  }
  double total = p->total_pj / unit.divisor, margin = 0.12 * (high - low);
  fprintf(
      gp,
      "set xlabel 'total energy [%s]'\nset style fill solid 1.0 noborder\nset key inside right bottom reverse Left "
      "font "
      "',10' samplen 1.5\nset lmargin at screen 0.30\nset rmargin at screen 0.97\nset bmargin at screen 0.20\nset "
      "xrange [%.10g:%.10g]\n"
      "set yrange [-0.6:%g]\nset arrow from first %.10g, graph 0 to first %.10g, graph 1 nohead front linecolor rgb "
      "'#333333'\n",
      unit.name, (low - margin) / unit.divisor, (high + margin) / unit.divisor, drawn - 0.4 + together, total, total);
  fprintf(
      gp,
      "plot 'tornado.dat' index 0 using 3:1:3:(%.10g):($1-0.36):($1+0.36):ytic(2) with boxxyerror linecolor rgb "
      "'#0072B2' title 'at its 5 %% end', \\\n"
      "    'tornado.dat' index 0 using 4:1:(%.10g):4:($1-0.36):($1+0.36) with boxxyerror linecolor rgb '#E69F00' title "
      "'at its 95 %% end', \\\n",
      total, total);
  if (together)
    fputs("    'tornado.dat' index 1 using 3:1:3:4:($1-0.36):($1+0.36):ytic(2) with boxxyerror linecolor rgb '#BBBBBB' "
          "title "
          "'5 to 95 %, all together', \\\n",
          gp);
  fputs("    'tornado.dat' using 3:1:(sprintf('%.4g', $3)) with labels right offset -0.6,0 font ',8' notitle, \\\n"
        "    'tornado.dat' using 4:1:(sprintf('%.4g', $4)) with labels left offset 0.6,0 font ',8' notitle\n",
        gp);
}

static erg_status write_tornado(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  const json_t *result = json_array_get(json_object_get(document, "results"), 0);
  const json_t *list = json_object_get(document, "constants"), *total = json_object_get(result, "total_pj");
  if (!result)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot tornado: the document explains no run: nothing to draw; ergon explain RUN.json --json");
  if (!json_is_number(total) || !(json_number_value(total) > 0) || json_array_size(list) == 0)
    return erg_fail(error, ERG_ERR_DATA, "plot tornado: found no total_pj above 0, or no constants: nothing to draw");
  erg_arena arena = {0};
  pricing p = {.total_pj = json_number_value(total)};
  p.constants = erg_arena_alloc(&arena, json_array_size(list) * sizeof *p.constants);
  if (!p.constants) {
    erg_arena_free(&arena);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  erg_status status = read_constants(list, &p, error);
  if (status == ERG_OK) status = read_items(json_object_get(result, "items"), &p, error);
  if (status != ERG_OK) goto out;
  find_ends(&p);
  if (p.count == 0) {
    status = erg_fail(error, ERG_ERR_DATA, "plot tornado: no constant moves the total: nothing to draw");
    goto out;
  }
  const int drawn = p.count < MOST_BARS ? p.count : MOST_BARS;
  const plot_unit unit = plot_energy_unit(p.total_pj);
  write_frame(document, result, &p, drawn, unit, gp);
  write_bars(result, &p, drawn, unit, data, gp);
out:
  erg_arena_free(&arena);
  return status;
}
