/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stored run priced under other technologies: the counts stay, nothing is simulated. */
#include "command.h"
#include "provenance.h"
#include <math.h>
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"price", "RUN.json|DIR", "a stored run priced under other technologies", 7, run};
ERG_REGISTER(erg_command, command);

typedef struct {
  bool skipped;
  char *reason;
  erg_energy energy;
  erg_spread spread;
  erg_interval interval, ratio; /* ratio: to the first technology */
  double ratio_nominal;         /* NAN where either was skipped */
} priced;

static erg_status price(const erg_technology *t, const erg_stored_result *r, const priced *first, erg_arena *arena,
                        priced *out, erg_error *error) {
  erg_error fault = {0};
  *out = (priced){.spread = {.arena = arena}, .ratio_nominal = NAN};
  erg_status status = ERG_OK;
  if (r->layer_count == 0)
    erg_fail(&fault, status = ERG_ERR_UNSUPPORTED, "%s", r->reason);
  else
    status = erg_stored_price(t, r, erg_spread_item, &out->spread, &out->energy, &fault);
  if (status == ERG_OK) status = erg_spread_interval(&out->spread, &out->interval, &fault);
  if (status == ERG_OK && first && !first->skipped && first->energy.total_pj > 0) {
    out->ratio_nominal = out->energy.total_pj / first->energy.total_pj;
    status = erg_spread_ratio(&out->spread, &first->spread, &out->ratio, &fault);
  }
  if (status == ERG_ERR_UNSUPPORTED) {
    out->skipped = true;
    out->reason = erg_arena_strdup(arena, fault.text);
    status = ERG_OK;
  }
  if (status != ERG_OK) erg_fail(error, status, "%s", fault.text);
  erg_error_clear(&fault);
  return status;
}

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *energy_json(const erg_stored_result *r, const erg_technology *t, const erg_energy *e) {
  json_t *levels = json_object(), *parts = json_object();
  for (int i = 0; i <= ERG_LEVEL_REGISTERS(r->machine.level_count); i++)
    json_object_set_new(levels, r->machine.levels[i].name, json_real(e->level_pj[i]));
  for (int i = 0; i < ERG_STATIC_COUNT; i++)
    json_object_set_new(parts, erg_static_part_names[i],
                        e->static_part_pj[i] > 0 ? json_real(e->static_part_pj[i]) : json_null());
  return json_pack("{s:f, s:f, s:o, s:o, s:o, s:f}", "mac", e->mac_pj, "other_ops", e->other_ops_pj, "levels", levels,
                   "static", erg_technology_has_static(t) ? json_real(e->static_pj) : json_null(), "static_parts",
                   parts, "total", e->total_pj);
}

static json_t *row_json(const erg_stored_result *r, const erg_technology *t, const priced *p, bool first) {
  bool compared = !p->skipped && isfinite(p->ratio_nominal) && !first;
  return json_pack(
      "{s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "workload", r->workload, "precision",
      r->precision_name, "fusion", r->fusion, "technology", t->name, "status", p->skipped ? "skipped" : "ok", "reason",
      p->reason, "energy_pj", p->skipped ? json_null() : energy_json(r, t, &p->energy), "energy_pj_p05",
      number(p->skipped ? NAN : p->interval.p05), "energy_pj_p95", number(p->skipped ? NAN : p->interval.p95),
      "ratio_to_first", number(compared ? p->ratio_nominal : NAN), "ratio_p05", number(compared ? p->ratio.p05 : NAN),
      "ratio_p95", number(compared ? p->ratio.p95 : NAN), "resolved",
      compared ? json_boolean(erg_interval_resolved(&p->ratio)) : json_null());
}

static void row_cells(erg_table *table, const erg_stored_result *r, const erg_technology *t, const priced *p,
                      bool first) {
  erg_table_cell(table, "%s", r->precision_name);
  erg_table_cell(table, "%s", r->fusion);
  erg_table_cell(table, "%s", t->name);
  if (p->skipped) {
    for (int i = 0; i < 7; i++) erg_table_cell(table, "-");
    erg_table_cell(table, "skipped, because %s", p->reason);
    return;
  }
  const erg_energy *e = &p->energy;
  erg_table_cell(table, "%.3f", (e->mac_pj + e->other_ops_pj) / 1e6);
  erg_table_cell(table, "%.3f", (e->total_pj - e->mac_pj - e->other_ops_pj - e->static_pj) / 1e6);
  erg_table_cell(table, "%.3f", e->static_pj / 1e6);
  erg_table_cell(table, "%.3f", e->total_pj / 1e6);
  erg_table_cell(table, "%.3f to %.3f", p->interval.p05 / 1e6, p->interval.p95 / 1e6);
  if (first || !isfinite(p->ratio_nominal)) {
    for (int i = 0; i < 3; i++) erg_table_cell(table, i == 2 ? "" : "-");
    return;
  }
  erg_table_cell(table, "%.3f", p->ratio_nominal);
  erg_table_cell(table, "%.3f to %.3f", p->ratio.p05, p->ratio.p95);
  erg_table_cell(table, "%s", erg_interval_resolved(&p->ratio) ? "" : "not resolved");
}

static erg_status price_all(const erg_cli *cli, const erg_stored_run *stored, const erg_technology *techs, int count,
                            erg_table *table, json_t *list, erg_error *error) {
  erg_status status = ERG_OK;
  for (int i = 0; i < stored->count && status == ERG_OK; i++) {
    erg_arena arena = {0};
    priced rows[MOST_LIST];
    for (int t = 0; t < count && status == ERG_OK; t++) {
      status = price(&techs[t], &stored->results[i], t ? &rows[0] : NULL, &arena, &rows[t], error);
      if (status != ERG_OK) break;
      if (cli->json)
        json_array_append_new(list, row_json(&stored->results[i], &techs[t], &rows[t], t == 0));
      else
        row_cells(table, &stored->results[i], &techs[t], &rows[t], t == 0);
    }
    if (!cli->json && i + 1 < stored->count) erg_table_rule(table);
    erg_arena_free(&arena);
  }
  return status;
}

static erg_status load_all(const erg_cli *cli, erg_arena *arena, erg_technology *techs, int *count, erg_error *error) {
  char *rest = erg_arena_strdup(arena, cli->tech);
  erg_status status = ERG_OK;
  for (char *word; (word = strsep(&rest, ",")) && status == ERG_OK;) {
    if (*count == MOST_LIST) return erg_fail(error, ERG_ERR_USAGE, "--tech: more than %d", MOST_LIST);
    status = erg_technology_load(word, cli->tech_sets, cli->tech_set_count, &techs[*count], error);
    if (status == ERG_OK) ++*count;
  }
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  static const char *const headings[] = {"precision",
                                         "fusion",
                                         "technology",
                                         "operations [uJ]",
                                         "memories [uJ]",
                                         "static [uJ]",
                                         "total [uJ]",
                                         "5 to 95 % [uJ]",
                                         "ratio to first",
                                         "5 to 95 %",
                                         ""};
  erg_cli cli;
  erg_stored_run stored;
  erg_arena arena = {0};
  erg_technology techs[MOST_LIST];
  int count = 0;
  erg_cli_parse(&command, ERG_OPTION_PRICE | ERG_OPTION_JSON, 1, 1, argc, argv, &cli);
  erg_status status = erg_stored_read(cli.arguments[0], &stored, error);
  if (status == ERG_OK) {
    erg_table *table = erg_table_new();
    for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], i > 2 && i < 10);
    json_t *list = json_array();
    erg_note_version(&stored, cli.arguments[0]);
    status = load_all(&cli, &arena, techs, &count, error);
    if (status == ERG_OK) status = price_all(&cli, &stored, techs, count, table, list, error);
    if (status == ERG_OK && cli.json) {
      json_t *document = erg_envelope_json("ergon.price", cli.command_line, NULL);
      json_object_set(document, "results", list);
      json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
      fputc('\n', stdout);
      json_decref(document);
    } else if (status == ERG_OK) {
      printf("%s, arch %s, counts of model %s\n", stored.results[0].workload, stored.results[0].arch,
             stored.results[0].model);
      erg_table_print(table, stdout);
    }
    for (int t = 0; t < count; t++) erg_technology_free(&techs[t]);
    json_decref(list);
    erg_table_free(table);
    erg_stored_free(&stored);
  }
  erg_arena_free(&arena);
  erg_cli_free(&cli);
  return status;
}
