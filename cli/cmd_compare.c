/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run against another run, or against a CSV of someone else's numbers, layer by layer. */
#include "command.h"
#include "ergon/fit.h"
#include "provenance.h"
#include <math.h>
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"compare", "RUN OTHER", "a run against a run or a CSV, layer by layer", 9, run};
ERG_REGISTER(erg_command, command);

#define MOST_QUANTITIES (ERG_ALL_LEVELS + 2)

/* Layers with the quantities that are known of them; NAN: not known. */
typedef struct {
  const char *quantities[MOST_QUANTITIES];
  int quantity_count, layers;
  const char **names;
  double *values; /* [layer * MOST_QUANTITIES + quantity] */
  bool *matched;
} side;

static erg_status room_for(side *s, int layers, erg_arena *arena, erg_error *error) {
  s->layers = layers;
  s->names = erg_arena_alloc(arena, sizeof *s->names * (size_t)layers);
  s->values = erg_arena_alloc(arena, sizeof *s->values * (size_t)layers * MOST_QUANTITIES);
  s->matched = erg_arena_alloc(arena, sizeof *s->matched * (size_t)layers);
  bool good = s->names && s->values && s->matched;
  return good ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

static erg_status of_run(const erg_stored_run *stored, const char *file, side *s, erg_arena *arena, erg_error *error) {
  const erg_stored_result *r = NULL;
  for (int i = 0; i < stored->count; i++) {
    if (stored->results[i].layer_count == 0) continue;
    if (r)
      return erg_fail(error, ERG_ERR_DATA, "%s: holds several points; compare takes a run of one precision and fusion",
                      file);
    r = &stored->results[i];
  }
  if (!r) return erg_fail(error, ERG_ERR_DATA, "%s: its points were skipped", file);
  erg_status status = room_for(s, r->layer_count, arena, error);
  if (status != ERG_OK) return status;
  s->quantities[s->quantity_count++] = "cycles";
  s->quantities[s->quantity_count++] = "energy_pj";
  int levels = ERG_LEVEL_REGISTERS(r->machine.level_count) + 1;
  for (int level = 0; level < levels; level++)
    s->quantities[s->quantity_count++] = erg_arena_printf(arena, "%s_bytes", r->machine.levels[level].name);
  for (int i = 0; i < r->layer_count; i++) {
    double *values = &s->values[i * MOST_QUANTITIES];
    s->names[i] = r->layers[i].name;
    values[0] = (double)r->layers[i].activity.cycles;
    values[1] = r->layers[i].total_pj;
    for (int level = 0; level < levels; level++)
      values[2 + level] = (double)erg_activity_level_bits(&r->layers[i].activity, level) / 8;
  }
  return ERG_OK;
}

static erg_status of_csv(const erg_csv *csv, const side *like, side *s, erg_arena *arena, erg_error *error) {
  int name = erg_csv_column(csv, "layer"), columns[MOST_QUANTITIES];
  if (name < 0) return erg_fail(error, ERG_ERR_DATA, "%s: no column layer", csv->file);
  for (int q = 0; q < like->quantity_count; q++) {
    int column = erg_csv_column(csv, like->quantities[q]);
    if (column < 0 && strcmp(like->quantities[q], "energy_pj") == 0) column = erg_csv_column(csv, "total_pj");
    if (column < 0) continue;
    columns[s->quantity_count] = column;
    s->quantities[s->quantity_count++] = like->quantities[q];
  }
  if (s->quantity_count == 0)
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: nothing to compare; needed: cycles, energy_pj, or <level>_bytes, such as %s", csv->file,
                    like->quantities[2]);
  erg_status status = room_for(s, csv->rows, arena, error);
  for (int i = 0; i < csv->rows && status == ERG_OK; i++) {
    s->names[i] = csv->cells[i][name];
    for (int j = 0; j < i; j++)
      if (strcmp(s->names[j], s->names[i]) == 0)
        return erg_fail(error, ERG_ERR_DATA, "%s:%d: layer %s stands twice", csv->file, csv->lines[i], s->names[i]);
    for (int q = 0; q < s->quantity_count && status == ERG_OK; q++) {
      double *value = &s->values[i * MOST_QUANTITIES + q];
      if (*csv->cells[i][columns[q]] == 0)
        *value = NAN; /* not known of this layer */
      else
        status = erg_csv_number(csv, i, columns[q], 0, value, error);
    }
  }
  return status;
}

typedef struct {
  int compared;
  double sum_of_errors, worst, a_total, b_total;
  const char *worst_layer;
} summary;

static int find(const side *s, const char *name) {
  for (int i = 0; i < s->layers; i++)
    if (strcmp(s->names[i], name) == 0) return i;
  return -1;
}

/* Relative error of A against B; both 0 agree, and against 0 alone nothing is small. */
static double error_of(double a, double b) {
  if (a == b) return 0;
  return b > 0 ? a / b - 1 : INFINITY;
}

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static void compare(side *a, side *b, int qa, int qb, summary *s, json_t *rows, erg_table *table) {
  for (int i = 0; i < a->layers; i++) {
    int j = find(b, a->names[i]);
    if (j < 0) continue;
    a->matched[i] = b->matched[j] = true;
    double va = a->values[i * MOST_QUANTITIES + qa], vb = b->values[j * MOST_QUANTITIES + qb];
    if (isnan(va) || isnan(vb)) continue;
    double e = error_of(va, vb);
    s->compared++;
    s->sum_of_errors += fabs(e);
    s->a_total += va;
    s->b_total += vb;
    if (s->compared == 1 || fabs(e) > fabs(s->worst)) {
      s->worst = e;
      s->worst_layer = a->names[i];
    }
    if (rows)
      json_array_append_new(rows, json_pack("{s:s, s:s, s:f, s:f, s:o}", "layer", a->names[i], "quantity",
                                            a->quantities[qa], "run", va, "other", vb, "ratio", number(e + 1)));
    if (table) {
      erg_table_cell(table, "%s", a->names[i]);
      erg_table_cell(table, "%s", a->quantities[qa]);
      erg_table_cell(table, "%.6g", va);
      erg_table_cell(table, "%.6g", vb);
      erg_table_cell(table, "%.4f", e + 1);
    }
  }
}

static json_t *unmatched_json(const side *s) {
  json_t *list = json_array();
  for (int i = 0; i < s->layers; i++)
    if (!s->matched[i]) json_array_append_new(list, json_string(s->names[i]));
  return list;
}
static void print_unmatched(const side *s, const char *where, FILE *stream) {
  int count = 0;
  for (int i = 0; i < s->layers; i++)
    if (!s->matched[i]) fprintf(stream, "%s%s", count++ ? ", " : where, s->names[i]);
  if (count) fputc('\n', stream);
}

/* ---- the interval of the total energy ratio, where both sides are runs whose constants are at hand ---- */

typedef struct {
  bool known;
  const char *reason; /* why not */
  double nominal;
  erg_interval interval;
} energy_ratio;

static const erg_stored_result *only(const erg_stored_run *run) {
  for (int i = 0; i < run->count; i++)
    if (run->results[i].layer_count) return &run->results[i];
  return NULL;
}

static bool spread_of(const erg_stored_result *r, erg_arena *arena, erg_spread *spread) {
  erg_technology t;
  erg_energy energy;
  *spread = (erg_spread){.arena = arena};
  if (erg_technology_load(r->technology, NULL, 0, &t, NULL) != ERG_OK) return false;
  bool good =
      erg_stored_price(&t, r, erg_spread_item, spread, &energy, NULL) == ERG_OK && energy.total_pj == r->total_pj;
  erg_technology_free(&t);
  return good;
}

static energy_ratio ratio_of(const erg_stored_run *first, const erg_stored_run *second, erg_arena *arena) {
  erg_spread a, b;
  const erg_stored_result *one = only(first), *other = only(second);
  if (!one || !other || !second->json) return (energy_ratio){.reason = "the other side states no constants"};
  if (!spread_of(one, arena, &a) || !spread_of(other, arena, &b))
    return (energy_ratio){.reason = "a run was priced with a technology file or --set that are not at hand"};
  energy_ratio ratio = {.nominal = one->total_pj / other->total_pj};
  ratio.known = erg_spread_ratio(&a, &b, &ratio.interval, NULL) == ERG_OK;
  return ratio;
}

static void print_ratio(const energy_ratio *r, FILE *stream) {
  if (!r->known)
    fprintf(stream, "total energy ratio: no interval, because %s\n", r->reason ? r->reason : "an energy is 0");
  else
    fprintf(stream, "total energy ratio %.4f, 5 to 95 %%: %.4f to %.4f%s\n", r->nominal, r->interval.p05,
            r->interval.p95, erg_interval_resolved(&r->interval) ? "" : ": not resolved");
}

static json_t *ratio_json(const energy_ratio *r) {
  return json_pack("{s:o, s:o, s:o, s:o, s:s?}", "value", r->known ? json_real(r->nominal) : json_null(), "p05",
                   r->known ? json_real(r->interval.p05) : json_null(), "p95",
                   r->known ? json_real(r->interval.p95) : json_null(), "resolved",
                   r->known ? json_boolean(erg_interval_resolved(&r->interval)) : json_null(), "reason", r->reason);
}

static erg_status report(const erg_cli *cli, side *a, side *b, const energy_ratio *ratio, erg_error *error) {
  erg_table *layers = NULL, *sums = erg_table_new();
  json_t *rows = json_array(), *list = json_array();
  static const char *const headings[] = {"quantity", "layers", "mean error [%]", "worst [%]", "in", "total ratio", ""};
  static const char *const layer_headings[] = {"layer", "quantity", "run", "other", "ratio"};
  bool beyond = false, any = false;
  if (!cli->json) layers = erg_table_new();
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(sums, headings[i], i > 0 && i != 4 && i != 6);
  for (size_t i = 0; i < ERG_COUNT_OF(layer_headings) && layers; i++)
    erg_table_column(layers, layer_headings[i], i > 1);
  for (int qa = 0; qa < a->quantity_count; qa++)
    for (int qb = 0; qb < b->quantity_count; qb++) {
      summary s = {0};
      if (strcmp(a->quantities[qa], b->quantities[qb]) != 0) continue;
      compare(a, b, qa, qb, &s, rows, layers);
      if (s.compared == 0) continue;
      any = true;
      bool within = fabs(s.worst) <= cli->tolerance;
      double mean = s.sum_of_errors / s.compared;
      beyond |= !within;
      erg_table_cell(sums, "%s", a->quantities[qa]);
      erg_table_cell(sums, "%d", s.compared);
      erg_table_cell(sums, "%.2f", 100 * mean);
      erg_table_cell(sums, "%+.2f", 100 * s.worst);
      erg_table_cell(sums, "%s", s.worst_layer);
      erg_table_cell(sums, "%.4f", error_of(s.a_total, s.b_total) + 1);
      erg_table_cell(sums, "%s", within ? "" : "beyond tolerance");
      json_array_append_new(list, json_pack("{s:s, s:i, s:o, s:o, s:s, s:o, s:b}", "name", a->quantities[qa], "layers",
                                            s.compared, "mean_relative_error", number(mean), "worst_relative_error",
                                            number(s.worst), "worst_layer", s.worst_layer, "total_ratio",
                                            number(error_of(s.a_total, s.b_total) + 1), "within", within));
    }
  if (cli->json) {
    json_t *document = erg_envelope_json("ergon.compare", cli->command_line, NULL);
    json_object_set(document, "quantities", list);
    json_object_set(document, "layers", rows);
    json_object_set_new(document, "unmatched_run", unmatched_json(a));
    json_object_set_new(document, "unmatched_other", unmatched_json(b));
    json_object_set_new(document, "energy_ratio", ratio_json(ratio));
    json_object_set_new(document, "tolerance", json_real(cli->tolerance));
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(document);
  } else {
    erg_table_print(layers, stdout);
    fputc('\n', stdout);
    erg_table_print(sums, stdout);
    print_ratio(ratio, stdout);
    print_unmatched(a, "only in the run: ", stdout);
    print_unmatched(b, "only in the other: ", stdout);
    erg_table_free(layers);
  }
  erg_table_free(sums);
  json_decref(rows);
  json_decref(list);
  if (!any) return erg_fail(error, ERG_ERR_DATA, "compare: no layer of the one has the name of a layer of the other");
  return beyond ? erg_fail(error, ERG_ERR_MISMATCH, "beyond the tolerance of %g %%", 100 * cli->tolerance) : ERG_OK;
}

static bool is_csv(const char *path) {
  size_t length = strlen(path);
  return length > 4 && strcmp(path + length - 4, ".csv") == 0;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_stored_run first = {0}, second = {0};
  erg_csv csv = {0};
  side a = {0}, b = {0};
  erg_cli_parse(&command, ERG_OPTION_COMPARE | ERG_OPTION_JSON, 2, 2, argc, argv, &cli);
  const char *other = cli.arguments[1];
  erg_status status = erg_stored_read(cli.arguments[0], &first, error);
  if (status == ERG_OK) status = of_run(&first, cli.arguments[0], &a, &cli.arena, error);
  if (status == ERG_OK)
    status = is_csv(other) ? erg_csv_load(other, &csv, error) : erg_stored_read(other, &second, error);
  if (status == ERG_OK)
    status = is_csv(other) ? of_csv(&csv, &a, &b, &cli.arena, error) : of_run(&second, other, &b, &cli.arena, error);
  if (status == ERG_OK) {
    erg_note_version(&first, cli.arguments[0]);
    erg_note_version(&second, other);
    energy_ratio ratio = ratio_of(&first, &second, &cli.arena);
    status = report(&cli, &a, &b, &ratio, error);
  }
  erg_csv_free(&csv);
  erg_stored_free(&first);
  erg_stored_free(&second);
  erg_cli_free(&cli);
  return status;
}
