/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where in the network the energy goes: a stacked bar a layer, of the first point of a run that was not skipped. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BARS 80 /* names below more cannot be read: the least are drawn as one */

static erg_status write_layers(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot layers = {
    "layers", "stacked energy bars, a layer of the first point each", write_layers, 1200, 640, NULL};
ERG_REGISTER(erg_plot, layers);

typedef struct {
  const char *name;
  double pj[PLOT_MOST_PARTS], total_pj;
  bool drawn;
} bar;

static const json_t *first_result(const json_t *document, int *count) {
  const json_t *results = json_object_get(document, "results"), *found = NULL;
  size_t index;
  json_t *result;
  *count = (int)json_array_size(results);
  json_array_foreach((json_t *)results, index,
                     result) if (!found && json_array_size(json_object_get(result, "layers")) > 0) found = result;
  return found;
}

static erg_status read_bars(const json_t *list, const plot_parts *parts, bar *bars, erg_error *error) {
  size_t index;
  json_t *layer;
  erg_status status = ERG_OK;
  json_array_foreach((json_t *)list, index, layer) {
    bar *b = &bars[index];
    const json_t *energy = json_object_get(layer, "energy_pj"), *total = json_object_get(energy, "total");
    b->name = json_string_value(json_object_get(layer, "name"));
    if (!b->name || !json_is_number(total)) {
      status = erg_fail(error, ERG_ERR_DATA, "plot layers: layers[%zu] has no name or no energy_pj.total", index);
      continue;
    }
    b->total_pj = json_number_value(total);
    for (int i = 0; i < parts->count; i++) b->pj[i] = plot_part_pj(energy, parts->names[i]);
  }
  return status;
}

static int by_total(const void *left, const void *right) {
  const bar *a = *(const bar *const *)left, *b = *(const bar *const *)right;
  if (a->total_pj != b->total_pj) return a->total_pj > b->total_pj ? -1 : 1;
  return a < b ? -1 : a > b;
}

/* Marks what is drawn by itself; the sum of the others goes to `rest`. Returns how many others there are. */
static int choose(bar *bars, int count, const plot_parts *parts, bar *rest, erg_arena *arena) {
  const bar **order = erg_arena_alloc(arena, (size_t)count * sizeof *order);
  memset(rest, 0, sizeof *rest);
  if (!order) return -1;
  for (int i = 0; i < count; i++) order[i] = &bars[i];
  qsort(order, (size_t)count, sizeof *order, by_total);
  const int kept = count > MOST_BARS ? MOST_BARS - 1 : count;
  for (int i = 0; i < kept; i++) bars[order[i] - bars].drawn = true;
  for (int i = 0; i < count; i++) {
    if (bars[i].drawn) continue;
    rest->total_pj += bars[i].total_pj;
    for (int part = 0; part < parts->count; part++) rest->pj[part] += bars[i].pj[part];
  }
  return count - kept;
}

static void write_bar(int place, const bar *b, const plot_parts *parts, double divisor, FILE *data) {
  char quoted[256];
  fprintf(data, "%d \"%s\" %.10g", place, erg_plot_quote(b->name, quoted, sizeof quoted), b->total_pj / divisor);
  for (int i = 0; i < parts->count; i++) fprintf(data, " %.10g", b->pj[i] / divisor);
  fputc('\n', data);
}

static void write_frame(const json_t *document, const json_t *result, int results, double total_pj, FILE *gp) {
  char line[1024], quoted[1024], provenance[160];
  const plot_unit unit = plot_energy_unit(total_pj);
  plot_style(gp, "ytics");
  snprintf(line, sizeof line, "%s, %s, fusion %s: energy by layer, %.4g %s in all", plot_text(result, "workload"),
           plot_text(result, "precision"), plot_text(result, "fusion"), total_pj / unit.divisor, unit.name);
  fprintf(gp, "set title \"%s\" font ',13'\n", erg_plot_quote(line, quoted, sizeof quoted));
  snprintf(line, sizeof line, "arch %s (%s mac, equal PE count: %lld), tech %s, dataflow %s, model %s, batch %lld; %s",
           plot_text(result, "arch"), plot_text(result, "mac"),
           (long long)json_integer_value(json_object_get(json_object_get(result, "machine"), "pes")),
           plot_text(result, "technology"), plot_text(result, "dataflow"), plot_text(result, "model"),
           (long long)json_integer_value(json_object_get(result, "batch")),
           plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &layers, 0, line);
  if (results > 1) {
    snprintf(line, sizeof line, "the first point of %d that was not skipped", results);
    plot_footer(gp, &layers, 1, line);
  }
}

static erg_status write_layers(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  int results;
  const json_t *result = first_result(document, &results), *list = json_object_get(result, "layers");
  if (!result)
    return erg_fail(error, ERG_ERR_DATA, "plot layers: the run holds %s: nothing to draw",
                    results ? "no point with layers, each was skipped" : "no results");
  erg_arena arena = {0};
  plot_parts parts = {0};
  size_t index;
  json_t *layer;
  bar rest;
  char quoted[128];
  double most = 0, total = 0;
  int place = 0, others = 0;
  const int count = (int)json_array_size(list);
  json_array_foreach((json_t *)list, index, layer) plot_parts_find(&parts, json_object_get(layer, "energy_pj"));
  bar *bars = erg_arena_alloc(&arena, (size_t)count * sizeof *bars);
  if (!bars) {
    erg_arena_free(&arena);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  erg_status status = read_bars(list, &parts, bars, error);
  if (status != ERG_OK) goto out;
  others = choose(bars, count, &parts, &rest, &arena);
  if (others < 0) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  most = rest.total_pj;
  for (int i = 0; i < count; i++) most = fmax(most, bars[i].total_pj), total += bars[i].total_pj;
  if (!(most > 0)) {
    status = erg_fail(error, ERG_ERR_DATA, "plot layers: no layer needs energy: nothing to draw");
    goto out;
  }
  const plot_unit unit = plot_energy_unit(most);
  fprintf(data, "# place layer total_%s", unit.name);
  for (int i = 0; i < parts.count; i++)
    fprintf(data, " %s_%s", erg_plot_quote(parts.names[i], quoted, sizeof quoted), unit.name);
  fputc('\n', data);
  for (int i = 0; i < count; i++)
    if (bars[i].drawn) write_bar(place++, &bars[i], &parts, unit.divisor, data);
  if (others) {
    rest.name = erg_arena_printf(&arena, "%d others", others);
    if (rest.name) write_bar(place++, &rest, &parts, unit.divisor, data);
  }
  write_frame(document, result, results, total, gp);
  const double spare = place < 8 ? (8 - place) / 2.0 : 0; /* no bar as wide as the picture */
  fprintf(
      gp,
      "set ylabel 'energy [%s]' offset 1,0\nset xtics rotate by 90 right font ',%d'\nset style fill solid 1.0 "
      "noborder\n"
      "set boxwidth 0.86\nset key outside right top reverse Left samplen 1.5 spacing 1.2 font ',10'\nset bmargin at "
      "screen 0.26\nset rmargin at screen 0.845\nset lmargin at screen 0.06\nset xrange [%g:%g]\nset yrange "
      "[0:%.10g]\n",
      unit.name, place > 60 ? 7 : 8, -0.7 - spare, place - 0.3 + spare, most / unit.divisor * 1.04);
  const char *lead = "plot";
  for (int part = parts.count - 1; part >= 0; part--) { /* the whole stack first, each lower sum over it */
    double largest = 0;
    char label[64];
    for (int i = 0; i < count; i++) largest = fmax(largest, bars[i].pj[part]);
    if (largest <= 0) continue;
    fprintf(gp, "%s 'layers.dat' using 1:(sum [i=4:%d] column(i)):xtic(2) with boxes linecolor rgb '%s' title \"%s\"",
            lead, 4 + part, plot_part_colour(&parts, part),
            erg_plot_quote(plot_part_label(parts.names[part], label), quoted, sizeof quoted));
    lead = ", \\\n    ";
  }
  fputc('\n', gp);
out:
  erg_arena_free(&arena);
  return status;
}
