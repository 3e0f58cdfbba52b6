/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a joule buys: loss increase over float against energy per inference, mean and spread over seeds. Uniform widths,
 * plans by sensitivity, and the controls that a plan has to beat. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static erg_status write_front(const json_t *document, FILE *data, FILE *gp, erg_error *error);
static const erg_plot front = {
    "accuracy-energy", "of a study: loss increase against energy, plans and their controls", write_front, 1000, 680,
    "ergon.study"};
ERG_REGISTER(erg_plot, front);

/* Columns that a study's points must have to be drawn here. */
enum { NET, FAMILY, TRAINING, SERIES, BUDGET, ENERGY, LOSS, COLUMNS };
static const char *const names[COLUMNS] = {"net",    "family",    "training",         "series",
                                           "budget", "energy_pj", "loss_increase_nat"};

#define MOST_KINDS 24
typedef struct {
  const char *family, *training, *series;
} curve;
typedef struct {
  int kind;
  const char *budget;
  int count;
  double energy_pj, loss, squares; /* sums, then means and the deviation */
} group;
typedef struct {
  curve kinds[MOST_KINDS];
  int kind_count;
  group *groups;
  int group_count, unseen, others; /* no mean above 0; of another network */
  const char *net;                 /* of the first point */
} picture;

static const json_t *find_study(const json_t *document, int *columns) {
  const json_t *studies = json_object_get(document, "studies");
  for (size_t s = 0; s < json_array_size(studies); s++) {
    const json_t *study = json_array_get(studies, s), *list = json_object_get(study, "columns");
    int found = 0;
    for (int c = 0; c < COLUMNS; c++)
      for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name || strcmp(name, names[c]) != 0) continue;
        columns[c] = (int)i;
        found++;
      }
    if (found == COLUMNS && json_array_size(json_object_get(study, "points"))) return study;
  }
  return NULL;
}

/* Random plans are a cloud: each stands for itself. */
static bool is_cloud(const char *series) {
  return strcmp(series, "random") == 0;
}

static int kind_of(picture *p, curve k) {
  for (int i = 0; i < p->kind_count; i++)
    if (strcmp(p->kinds[i].family, k.family) == 0 && strcmp(p->kinds[i].training, k.training) == 0 &&
        strcmp(p->kinds[i].series, k.series) == 0)
      return i;
  if (p->kind_count == MOST_KINDS) return -1;
  p->kinds[p->kind_count] = k;
  return p->kind_count++;
}

static group *group_of(picture *p, int kind, const char *budget) {
  for (int i = 0; i < p->group_count && !is_cloud(p->kinds[kind].series); i++)
    if (p->groups[i].kind == kind && strcmp(p->groups[i].budget, budget) == 0) return &p->groups[i];
  p->groups[p->group_count] = (group){.kind = kind, .budget = budget};
  return &p->groups[p->group_count++];
}

static erg_status read_points(const json_t *study, const int *columns, picture *p, erg_error *error) {
  size_t index;
  json_t *point;
  erg_status status = ERG_OK;
  json_array_foreach(json_object_get(study, "points"), index, point) {
    const char *text[ENERGY];
    bool whole = true;
    for (int c = 0; c < ENERGY; c++) {
      text[c] = json_string_value(json_array_get(point, (size_t)columns[c]));
      whole = whole && text[c];
    }
    const json_t *energy = json_array_get(point, (size_t)columns[ENERGY]),
                 *loss = json_array_get(point, (size_t)columns[LOSS]);
    if (whole && json_is_null(energy) && json_is_null(loss)) continue; /* of something else */
    if (!whole || !json_is_number(energy) || !(json_number_value(energy) > 0) || !json_is_number(loss)) {
      status = erg_fail(error, ERG_ERR_DATA, "plot accuracy-energy: points[%zu] needs texts and numbers in its columns",
                        index);
      continue;
    }
    if (!p->net) p->net = text[NET];
    if (strcmp(p->net, text[NET]) != 0) {
      p->others++;
      continue;
    }
    int k = kind_of(p, (curve){text[FAMILY], text[TRAINING], text[SERIES]});
    if (k < 0) return erg_fail(error, ERG_ERR_DATA, "plot accuracy-energy: more than %d kinds of series", MOST_KINDS);
    group *g = group_of(p, k, text[BUDGET]);
    double value = json_number_value(loss);
    g->count++, g->energy_pj += json_number_value(energy), g->loss += value, g->squares += value * value;
  }
  return status;
}

static int by_energy(const void *left, const void *right) {
  const group *a = left, *b = right;
  if (a->kind != b->kind) return a->kind - b->kind;
  return (a->energy_pj > b->energy_pj) - (a->energy_pj < b->energy_pj);
}

/* Means and deviations; what has no mean above 0 has no place on a logarithmic axis. */
static void reduce(picture *p) {
  int kept = 0;
  for (int i = 0; i < p->group_count; i++) {
    group g = p->groups[i];
    double n = g.count, mean = g.loss / n, variance = n > 1 ? fmax(g.squares - n * mean * mean, 0) / (n - 1) : 0;
    g.energy_pj /= n, g.loss = mean, g.squares = sqrt(variance);
    if (mean > 0)
      p->groups[kept++] = g;
    else
      p->unseen++;
  }
  p->group_count = kept;
  qsort(p->groups, (size_t)p->group_count, sizeof *p->groups, by_energy);
}

static const char *colour_of(const char *series) {
  static const char *const colours[][2] = {{"uniform", "#000000"},  {"random", "#c4c4c4"},     {"anti", "#D55E00"},
                                           {"scan", "#0072B2"},     {"fisher", "#009E73"},     {"quad", "#56B4E9"},
                                           {"shuffled", "#CC79A7"}, {"hutchinson", "#882255"}, {"trace", "#999933"}};
  for (size_t i = 0; i < ERG_COUNT_OF(colours); i++)
    if (strncmp(series, colours[i][0], strlen(colours[i][0])) == 0) return colours[i][1];
  return "#E69F00";
}

/* Filled for the first family, hollow for others; a shape a way of training. */
static int point_of(const picture *p, int kind) {
  const curve *k = &p->kinds[kind];
  bool other = strcmp(k->family, p->kinds[0].family) != 0;
  return strcmp(k->training, "qat") == 0 ? (other ? 8 : 9) : (other ? 6 : 7);
}

static void write_series(const picture *p, double divisor, FILE *data, FILE *gp) {
  const char *lead = "plot";
  int block = 0;
  char quoted[256], title[256];
  for (int pass = 0; pass < 2; pass++) /* clouds lie below */
    for (int k = 0; k < p->kind_count; k++) {
      const curve *kind = &p->kinds[k];
      bool cloud = is_cloud(kind->series);
      int lines = 0;
      if (cloud != (pass == 0)) continue;
      for (int i = 0; i < p->group_count; i++) {
        const group *g = &p->groups[i];
        if (g->kind != k) continue;
        if (!lines++)
          fprintf(data, "%s# %s %s %s: energy loss_increase_nat low high budget\n", block ? "\n\n" : "", kind->family,
                  kind->training, kind->series);
        fprintf(data, "%.10g %.10g %.10g %.10g \"%s\"\n", g->energy_pj / divisor, g->loss,
                fmax(g->loss - g->squares, g->loss / 20), g->loss + g->squares,
                erg_plot_quote(g->budget, quoted, sizeof quoted));
      }
      if (!lines) continue;
      snprintf(title, sizeof title, "%s, %s, %s", kind->series, kind->training, kind->family);
      if (!cloud) {
        fprintf(gp, "%s 'accuracy-energy.dat' index %d using 1:2 with lines linecolor rgb '%s' notitle", lead, block,
                colour_of(kind->series));
        lead = ", \\\n    ";
        fprintf(
            gp,
            "%s 'accuracy-energy.dat' index %d using 1:2:3:4 with yerrorbars pointsize 0 linecolor rgb '%s' notitle",
            lead, block, colour_of(kind->series));
      }
      fprintf(
          gp,
          "%s 'accuracy-energy.dat' index %d using 1:2 with points pointtype %d pointsize %s linecolor rgb '%s' title "
          "\"%s\"",
          lead, block, cloud ? 7 : point_of(p, k), cloud ? "0.35" : "1.1", colour_of(kind->series),
          erg_plot_quote(title, quoted, sizeof quoted));
      lead = ", \\\n    ";
      block++;
    }
  fputc('\n', gp);
}

static void write_frame(const json_t *document, const json_t *study, const picture *p, plot_unit unit, FILE *gp) {
  char line[1024], quoted[1024], provenance[160];
  double low = INFINITY, high = 0, least = INFINITY, most = 0;
  for (int i = 0; i < p->group_count; i++) {
    const group *g = &p->groups[i];
    low = fmin(low, g->energy_pj / unit.divisor), high = fmax(high, g->energy_pj / unit.divisor);
    least = fmin(least, g->loss), most = fmax(most, g->loss + (is_cloud(p->kinds[g->kind].series) ? 0 : g->squares));
  }
  plot_style(gp, "xtics ytics");
  snprintf(line, sizeof line, "%s: loss increase over float against energy per inference", p->net);
  fprintf(gp, "set title \"%s\" font ',13'\n", erg_plot_quote(line, quoted, sizeof quoted));
  snprintf(line, sizeof line,
           "study %s: mean over %lld seeds, bars: one standard deviation; not drawn: %d without an increase, %d of "
           "other networks; %s",
           plot_text(study, "name"), (long long)json_integer_value(json_object_get(study, "seeds")), p->unseen,
           p->others, plot_provenance(document, provenance, sizeof provenance));
  plot_footer(gp, &front, 0, line);
  low *= 0.92, high *= 1.08, least *= 0.6, most *= 1.4;
  plot_log_tics(gp, "x", low, high);
  plot_log_tics(gp, "y", least, most);
  fprintf(
      gp,
      "set xlabel 'energy per inference [%s]'\nset ylabel 'loss increase [nat]'\nset xrange [%.10g:%.10g]\nset yrange "
      "[%.10g:%.10g]\nset key outside right top reverse Left samplen 1.2 spacing 1.15 font ',9'\nset bmargin at screen "
      "0.14\n",
      unit.name, low, high, least, most);
}

static erg_status write_front(const json_t *document, FILE *data, FILE *gp, erg_error *error) {
  int columns[COLUMNS];
  const json_t *study = find_study(document, columns);
  if (!study)
    return erg_fail(
        error, ERG_ERR_DATA,
        "plot accuracy-energy: no study has points with net, family, training, series, budget, energy_pj and "
        "loss_increase_nat: nothing to draw; ergon study mixed --json");
  erg_arena arena = {0};
  picture p = {0};
  p.groups = erg_arena_alloc(&arena, json_array_size(json_object_get(study, "points")) * sizeof *p.groups);
  if (!p.groups) {
    erg_arena_free(&arena);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  erg_status status = read_points(study, columns, &p, error);
  if (status != ERG_OK) goto out;
  reduce(&p);
  if (p.group_count == 0) {
    status = erg_fail(error, ERG_ERR_DATA, "plot accuracy-energy: no loss rises above float's: nothing to draw");
    goto out;
  }
  double most = 0;
  for (int i = 0; i < p.group_count; i++) most = fmax(most, p.groups[i].energy_pj);
  plot_unit unit = plot_energy_unit(most);
  write_frame(document, study, &p, unit, gp);
  write_series(&p, unit.divisor, data, gp);
out:
  erg_arena_free(&arena);
  return status;
}
