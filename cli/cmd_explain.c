/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where joules come from: count x coefficient = energy per component of a stored run, or one coefficient with its
 * source. */
#include "command.h"
#include "provenance.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"explain", "RUN.json|DIR|COEFFICIENT",
                                    "count x coefficient = joules of a stored run, or a coefficient's source", 6, run};
ERG_REGISTER(erg_command, command);

#define MOST_ROWS 256
typedef struct {
  erg_item item; /* count: over all layers */
  double pj;
} row;
typedef struct {
  row rows[MOST_ROWS];
  int count;
  bool full;
  erg_spread spread;
} ledger;

static bool same(const erg_item *a, const erg_item *b) {
  return strcmp(a->component, b->component) == 0 && strcmp(a->direction, b->direction) == 0 && a->pj == b->pj &&
         strcmp(a->how, b->how) == 0;
}

static void add(void *context, const erg_item *item) {
  ledger *l = context;
  int i = 0;
  erg_spread_item(&l->spread, item);
  while (i < l->count && !same(&l->rows[i].item, item)) i++;
  if (i == MOST_ROWS) {
    l->full = true;
    return;
  }
  if (i == l->count) {
    l->rows[l->count++].item = *item;
    l->rows[i].item.count = l->rows[i].pj = 0;
  }
  l->rows[i].item.count += item->count;
  l->rows[i].pj += item->count * item->pj;
}

/* In the order in which a total is summed. */
static int rank(const erg_item *item) {
  if (item->op >= 0) return item->op;
  return item->level >= 0 ? 100 + item->level : 200 + item->static_part;
}
static void sort(ledger *l) {
  for (int i = 1; i < l->count; i++)
    for (int j = i; j > 0 && rank(&l->rows[j].item) < rank(&l->rows[j - 1].item); j--) {
      row other = l->rows[j];
      l->rows[j] = l->rows[j - 1];
      l->rows[j - 1] = other;
    }
}

static void print_result(const erg_stored_result *r, const ledger *l, const erg_energy *e, const erg_interval *interval,
                         erg_sources *sources, FILE *stream) {
  fprintf(stream, "%s: arch %s, tech %s, precision %s, fusion %s\n", r->workload, r->arch, r->technology,
          r->precision_name, r->fusion);
  static const char *const headings[] = {"component",   "",          "count", "unit",   "pJ each",
                                         "energy [pJ]", "share [%]", "price", "sources"};
  erg_table *table = erg_table_new();
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], i == 2 || (i > 3 && i < 7));
  for (int i = 0; i < l->count; i++) {
    const erg_item *item = &l->rows[i].item;
    char list[64] = "";
    for (int f = 0; f < item->factor_count; f++)
      snprintf(list + strlen(list), sizeof list - strlen(list), "[%d]",
               erg_sources_index(sources, item->factors[f].provenance) + 1);
    erg_table_cell(table, "%s", item->component);
    erg_table_cell(table, "%s", item->direction);
    erg_table_cell(table, "%.10g", item->count);
    erg_table_cell(table, "%s", item->unit);
    erg_table_cell(table, "%.6g", item->pj);
    erg_table_cell(table, "%.10g", l->rows[i].pj);
    erg_table_cell(table, "%.2f", 100 * l->rows[i].pj / e->total_pj);
    erg_table_cell(table, "%s", item->how);
    erg_table_cell(table, "%s", list);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  fprintf(stream, "total %.17g pJ, 5 to 95 %%: %.4g to %.4g pJ\n\n", e->total_pj, interval->p05, interval->p95);
}

static json_t *result_json(const erg_stored_result *r, const ledger *l, const erg_energy *e,
                           const erg_interval *interval, erg_sources *sources) {
  json_t *items = json_array();
  for (int i = 0; i < l->count; i++) {
    const erg_item *item = &l->rows[i].item;
    json_t *constants = json_array();
    for (int f = 0; f < item->factor_count; f++)
      json_array_append_new(constants, json_integer(erg_sources_index(sources, item->factors[f].provenance)));
    json_array_append_new(items,
                          json_pack("{s:s, s:s, s:f, s:s, s:f, s:f, s:s, s:o}", "component", item->component,
                                    "direction", item->direction, "count", item->count, "unit", item->unit, "pj_each",
                                    item->pj, "energy_pj", l->rows[i].pj, "price", item->how, "constants", constants));
  }
  return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:o, s:f, s:f, s:f}", "workload", r->workload, "arch", r->arch,
                   "mac", r->mac, "technology", r->technology, "precision", r->precision_name, "fusion", r->fusion,
                   "items", items, "total_pj", e->total_pj, "total_pj_p05", interval->p05, "total_pj_p95",
                   interval->p95);
}

static erg_status explain_result(const erg_cli *cli, const erg_technology *t, const erg_stored_result *r,
                                 erg_sources *sources, json_t *list, erg_error *error) {
  if (r->layer_count == 0) {
    if (!cli->json) printf("%s, %s, %s: skipped, because %s\n\n", r->workload, r->precision_name, r->fusion, r->reason);
    return ERG_OK;
  }
  erg_arena arena = {0};
  ledger *l = erg_arena_alloc(&arena, sizeof *l);
  if (!l) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  l->spread.arena = &arena;
  erg_energy energy;
  erg_interval interval = {0};
  erg_status status = erg_stored_price(t, r, add, l, &energy, error);
  if (status == ERG_OK && l->full) status = erg_fail(error, ERG_ERR_INTERNAL, "over %d different prices", MOST_ROWS);
  if (status == ERG_OK && energy.total_pj != r->total_pj)
    status =
        erg_fail(error, ERG_ERR_MISMATCH,
                 "%s, %s, %s: counts times the constants of %s are %.17g pJ, the run says %.17g pJ: give the --tech "
                 "and --set that the run was made with",
                 r->workload, r->precision_name, r->fusion, t->name, energy.total_pj, r->total_pj);
  if (status == ERG_OK) status = erg_spread_interval(&l->spread, &interval, error);
  if (status == ERG_OK) {
    sort(l);
    if (cli->json)
      json_array_append_new(list, result_json(r, l, &energy, &interval, sources));
    else
      print_result(r, l, &energy, &interval, sources, stdout);
  }
  erg_arena_free(&arena);
  return status;
}

static erg_status explain_run(const erg_cli *cli, erg_sources *sources, json_t *list, erg_technology *t,
                              erg_error *error) {
  erg_stored_run stored;
  erg_status status = erg_stored_read(cli->arguments[0], &stored, error);
  if (status != ERG_OK) return status;
  status = erg_technology_load(cli->tech_given ? cli->tech : stored.results[0].technology, cli->tech_sets,
                               cli->tech_set_count, t, error);
  erg_note_version(&stored, cli->arguments[0]);
  if (status == ERG_OK) erg_sources_of(sources, t);
  for (int i = 0; i < stored.count && status == ERG_OK; i++)
    status = explain_result(cli, t, &stored.results[i], sources, list, error);
  erg_stored_free(&stored);
  return status;
}

static bool names_a_run(const char *text) {
  struct stat info;
  size_t length = strlen(text);
  return strcmp(text, "-") == 0 || strchr(text, '/') != NULL || (length > 5 && !strcmp(text + length - 5, ".json")) ||
         stat(text, &info) == 0;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_sources sources = {0};
  erg_technology t = {0};
  json_t *results = json_array(), *constants = json_array();
  erg_cli_parse(&command, ERG_OPTION_TECH | ERG_OPTION_JSON, 1, 3, argc, argv, &cli);
  bool of_run = names_a_run(cli.arguments[0]);
  erg_status status;
  if (of_run) {
    status = explain_run(&cli, &sources, results, &t, error);
  } else {
    char words[256] = "";
    for (int i = 0; i < cli.argument_count; i++)
      snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i ? " " : "", cli.arguments[i]);
    status = erg_technology_load(cli.tech, cli.tech_sets, cli.tech_set_count, &t, error);
    if (status == ERG_OK) {
      erg_sources_of(&sources, &t);
      status = erg_sources_choose(&sources, words, t.name, error);
    }
  }
  if (status == ERG_OK && cli.json) {
    erg_sources_json(&sources, constants);
    json_t *document = erg_envelope_json("ergon.explain", cli.command_line, NULL);
    json_object_set(document, "results", results);
    json_object_set(document, "constants", constants);
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(document);
  } else if (status == ERG_OK) {
    erg_sources_print(&sources, stdout);
  }
  json_decref(results);
  json_decref(constants);
  erg_sources_free(&sources);
  erg_technology_free(&t);
  erg_cli_free(&cli);
  return status;
}
