/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sweep_report.h"
#include "../sweep/space.h"
#include "sweep_farm.h"
#include "sweep_interval.h"
#include <math.h>
#include <string.h>

void erg_print_sweep(const erg_cli *cli, const erg_sweep *s, FILE *stream) {
  long long size = (long long)erg_sweep_size(s);
  if (cli->json) {
    json_t *document = erg_envelope_json("ergon.sweep.plan", cli->command_line, NULL), *axes = json_array();
    for (int d = 0; d < erg_space_dimensions(s); d++)
      json_array_append_new(
          axes, json_pack("{s:s, s:I}", "name", erg_space_name(s, d), "values", (json_int_t)erg_space_extent(s, d)));
    json_object_set_new(document, "name", json_string(s->name));
    json_object_set_new(document, "points", json_integer(size));
    json_object_set_new(document, "axes", axes);
    json_dumpf(document, stream, JSON_INDENT(1));
    fputc('\n', stream);
    json_decref(document);
    return;
  }
  fprintf(stream, "%s: %lld points%s%s\n\n", s->name, size, s->help ? "; " : "", s->help ? s->help : "");
  erg_table *table = erg_table_new();
  erg_table_column(table, "axis", false);
  erg_table_column(table, "values", true);
  for (int d = 0; d < erg_space_dimensions(s); d++) {
    erg_table_cell(table, "%s", erg_space_name(s, d));
    erg_table_cell(table, "%lld", (long long)erg_space_extent(s, d));
  }
  erg_table_rule(table);
  erg_table_cell(table, "points");
  erg_table_cell(table, "%lld", size);
  erg_table_print(table, stream);
  erg_table_free(table);
  if (s->limits.equal_area)
    fprintf(stream, "Every array gets the rows and columns that fit the MAC area of %s.\n", s->limits.equal_area);
}

void erg_print_pool(const erg_cli *cli, const erg_sweep *s, const erg_pool_report *r, FILE *stream) {
  if (cli->json) {
    json_t *document = erg_envelope_json("ergon.sweep.run", cli->command_line, NULL);
    const struct {
      const char *name;
      int64_t value;
    } counts[] = {{"points", r->points},   {"known", r->known},   {"computed", r->computed},
                  {"skipped", r->skipped}, {"failed", r->failed}, {"worker_deaths", r->worker_deaths}};
    json_object_set_new(document, "name", json_string(s->name));
    for (size_t i = 0; i < ERG_COUNT_OF(counts); i++)
      json_object_set_new(document, counts[i].name, json_integer((json_int_t)counts[i].value));
    json_dumpf(document, stream, JSON_INDENT(1));
    fputc('\n', stream);
    json_decref(document);
    return;
  }
  fprintf(stream,
          "%s: %lld points: %lld were stored already, %lld computed (%lld skipped, %lld failed); %lld workers died\n",
          s->name, (long long)r->points, (long long)r->known, (long long)r->computed, (long long)r->skipped,
          (long long)r->failed, (long long)r->worker_deaths);
}

erg_status erg_sweep_status(const erg_cli *cli, erg_store *store, erg_error *error) {
  static const char *const names[] = {"ok", "skipped", "failed"};
  json_t *document = erg_envelope_json("ergon.sweep.status", cli->command_line, NULL);
  json_object_set_new(document, "rows", json_integer((json_int_t)erg_store_count(store, NULL)));
  json_object_set_new(document, "stored_model_version", json_integer((json_int_t)erg_store_model_version(store)));
  if (!cli->json)
    printf("%s: %lld rows of model version %lld:", cli->store, (long long)erg_store_count(store, NULL),
           (long long)erg_store_model_version(store));
  for (size_t i = 0; i < ERG_COUNT_OF(names); i++) {
    long long count = (long long)erg_store_count(store, names[i]);
    json_object_set_new(document, names[i], json_integer(count));
    if (!cli->json) printf("%s %lld %s", i ? "," : "", count, names[i]);
  }
  if (!cli->json) putchar('\n');
  erg_status status = erg_farm_show_status(cli, document, error);
  if (status == ERG_OK && cli->json) {
    json_dumpf(document, stdout, JSON_INDENT(1));
    putchar('\n');
  }
  json_decref(document);
  return status;
}

static erg_store_query query_of(const erg_cli *cli) {
  return (erg_store_query){.where = cli->wheres, .sort = cli->sort, .limit = cli->limit};
}

/* ---------------------------------------------------------------- query: a table, the front of it */

typedef struct {
  const erg_cli *cli;
  erg_table *table;
  json_t *rows;
  long long shown, unavailable;
  erg_arena arena;
  int fronts;
  char *workload, *technology; /* of the front at hand, with its batch and the least energy so far */
  int64_t batch;
  double least_pj;
  bool judged; /* rows have accuracies: two more columns */
  erg_row_pricer pricer;
} listing;

/* With --interval: two more members. */
static json_t *row_json(const erg_cli *cli, erg_row_pricer *pricer, const erg_sweep_row *row) {
  json_t *object = erg_row_json(row);
  erg_interval interval;
  if (!cli->interval) return object;
  bool known = erg_row_interval(pricer, row, &interval);
  json_object_set_new(object, "energy_pj_p05", known ? json_real(interval.p05) : json_null());
  json_object_set_new(object, "energy_pj_p95", known ? json_real(interval.p95) : json_null());
  return object;
}

static void end_pricer(erg_row_pricer *pricer) {
  if (pricer->unknown)
    fprintf(stderr, "note: %lld rows have no interval, the first because: %s\n", (long long)pricer->unknown,
            pricer->why);
  erg_row_pricer_free(pricer);
}

static void show_interval(listing *l, const erg_sweep_row *row) {
  erg_interval interval;
  if (!l->cli->interval) return;
  if (erg_row_interval(&l->pricer, row, &interval))
    erg_table_cell(l->table, "%.4f to %.4f", interval.p05 / 1e9, interval.p95 / 1e9);
  else
    erg_table_cell(l->table, "-");
}

static void show(listing *l, const erg_sweep_row *row) {
  const erg_cell *c = row->cells;
  l->shown++;
  if (l->rows) {
    json_array_append_new(l->rows, row_json(l->cli, &l->pricer, row));
    return;
  }
  const int names[] = {ERG_SWEEP_WORKLOAD, ERG_SWEEP_ARCH,     ERG_SWEEP_TECHNOLOGY, ERG_SWEEP_PRECISION,
                       ERG_SWEEP_FUSION,   ERG_SWEEP_DATAFLOW, ERG_SWEEP_MAC};
  for (size_t i = 0; i < ERG_COUNT_OF(names); i++) erg_table_cell(l->table, "%s", c[names[i]].text);
  erg_table_cell(l->table, "%lld x %lld", (long long)c[ERG_SWEEP_ROWS].integer, (long long)c[ERG_SWEEP_COLS].integer);
  erg_table_cell(l->table, "%s", c[ERG_SWEEP_SET].text);
  if (!c[ERG_SWEEP_ENERGY_PJ].known || strcmp(c[ERG_SWEEP_STATUS].text, "ok") != 0) {
    for (int i = 0; i < (l->judged ? 7 : 5); i++) erg_table_cell(l->table, "-");
    erg_table_cell(l->table, "%s: %s", c[ERG_SWEEP_STATUS].text,
                   c[ERG_SWEEP_REASON].known ? c[ERG_SWEEP_REASON].text : "");
    show_interval(l, row);
    return;
  }
  erg_table_cell(l->table, "%.4f", c[ERG_SWEEP_ENERGY_PJ].real / 1e9);
  erg_table_cell(l->table, "%.4f", c[ERG_SWEEP_LATENCY_S].real * 1e3);
  erg_table_cell(l->table, "%.3f", c[ERG_SWEEP_DRAM_BYTES].real / 1e6);
  erg_table_cell(l->table, "%.1f", c[ERG_SWEEP_UTILIZATION].real * 100);
  erg_table_cell(l->table, c[ERG_SWEEP_MAC_AREA_MM2].known ? "%.4f" : "-", c[ERG_SWEEP_MAC_AREA_MM2].real);
  if (l->judged) {
    erg_table_cell(l->table, c[ERG_SWEEP_ACCURACY].known ? "%.2f" : "-", c[ERG_SWEEP_ACCURACY].real * 100);
    erg_table_cell(l->table, c[ERG_SWEEP_LOSS_NAT].known ? "%.4f" : "-", c[ERG_SWEEP_LOSS_NAT].real);
  }
  erg_table_cell(l->table, "%s%s%s", c[ERG_SWEEP_CYCLES_BOUND].text,
                 l->judged && c[ERG_SWEEP_ACCURACY_REASON].known ? "; no accuracy: " : "",
                 l->judged && c[ERG_SWEEP_ACCURACY_REASON].known ? c[ERG_SWEEP_ACCURACY_REASON].text : "");
  show_interval(l, row);
}

/* A front is of rows that can stand for one another: of one workload, batch and technology, as a panel of the plot. */
static erg_status choose_front(listing *l, const erg_sweep_row *row, erg_error *error) {
  const erg_cell *c = row->cells;
  const char *workload = c[ERG_SWEEP_WORKLOAD].text, *technology = c[ERG_SWEEP_TECHNOLOGY].text;
  if (l->fronts && l->batch == c[ERG_SWEEP_BATCH].integer && strcmp(l->workload, workload) == 0 &&
      strcmp(l->technology, technology) == 0)
    return ERG_OK;
  l->fronts++;
  l->workload = erg_arena_strdup(&l->arena, workload);
  l->technology = erg_arena_strdup(&l->arena, technology);
  l->batch = c[ERG_SWEEP_BATCH].integer;
  l->least_pj = INFINITY;
  return l->workload && l->technology ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

static erg_status use_row(void *context, const erg_sweep_row *row, erg_error *error) {
  listing *l = context;
  if (!l->cli->front) {
    show(l, row);
  } else if (strcmp(row->cells[ERG_SWEEP_STATUS].text, "ok") != 0 ||
             (l->cli->front_axis && !row->cells[ERG_SWEEP_ACCURACY].known)) {
    l->unavailable++;
  } else {
    erg_status status = choose_front(l, row, error);
    if (status != ERG_OK) return status;
    /* sorted: faster, or more accurate, ones cost at least this */
    if (row->cells[ERG_SWEEP_ENERGY_PJ].real < l->least_pj) {
      l->least_pj = row->cells[ERG_SWEEP_ENERGY_PJ].real;
      if (l->cli->limit == 0 || l->shown < l->cli->limit) show(l, row);
    }
  }
  return ERG_OK;
}

erg_status erg_sweep_query(const erg_cli *cli, erg_store *store, erg_error *error) {
  static const char *const headings[] = {
      "workload", "arch",           "technology",   "precision",   "fusion",       "dataflow",
      "mac",      "array",          "set",          "energy [mJ]", "latency [ms]", "dram [MB]",
      "util [%]", "MAC area [mm2]", "accuracy [%]", "loss [nat]",  "cycles follow"};
  enum { JUDGED = 14, FIRST_NUMBER = 9 };
  listing l = {.cli = cli,
               .table = erg_table_new(),
               .rows = cli->json ? json_array() : NULL,
               .judged = erg_store_has_accuracy(store)};
  erg_store_query q = query_of(cli);
  if (cli->front) { /* of all rows; the limit is one on what is shown of it */
    q = (erg_store_query){.where = cli->wheres,
                          .sort = cli->front_axis ? "-accuracy" : "latency_s",
                          .then = "energy_pj",
                          .comparable = true};
  }
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++)
    if (l.judged || (i != JUDGED && i != JUDGED + 1))
      erg_table_column(l.table, headings[i], i >= FIRST_NUMBER && i < JUDGED + 2);
  if (cli->interval) erg_table_column(l.table, "5 to 95 % [mJ]", true);
  erg_status status = erg_store_each(store, &q, use_row, &l, error);
  if (status == ERG_OK && cli->json) {
    json_t *document = erg_envelope_json("ergon.sweep", cli->command_line, NULL);
    json_object_set(document, "rows", l.rows);
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(document);
  } else if (status == ERG_OK) {
    erg_table_print(l.table, stdout);
    printf("%lld rows", l.shown);
    if (l.fronts > 1)
      printf(" on %d fronts, one a workload, batch and technology, of energy against %s", l.fronts,
             erg_front_axes[cli->front_axis]);
    else if (cli->front)
      printf(" on the front of energy against %s", erg_front_axes[cli->front_axis]);
    putchar('\n');
    if (l.unavailable)
      printf("%lld rows that were skipped, failed%s are left out\n", l.unavailable,
             cli->front_axis ? " or have no accuracy" : "");
  }
  end_pricer(&l.pricer);
  erg_arena_free(&l.arena);
  json_decref(l.rows);
  erg_table_free(l.table);
  return status;
}

/* ---------------------------------------------------------------- export */

typedef struct {
  const erg_cli *cli;
  json_t *rows; /* or CSV on stdout */
  erg_row_pricer pricer;
} exporting;

static erg_status to_json(void *context, const erg_sweep_row *row, erg_error *error) {
  exporting *e = context;
  (void)error;
  json_array_append_new(e->rows, row_json(e->cli, &e->pricer, row));
  return ERG_OK;
}

erg_status erg_sweep_json(const erg_cli *cli, erg_store *store, json_t **out, erg_error *error) {
  erg_store_query q = query_of(cli);
  exporting e = {.cli = cli, .rows = json_array()};
  erg_status status = erg_store_each(store, &q, to_json, &e, error);
  if (status == ERG_OK) {
    *out = erg_envelope_json("ergon.sweep", cli->command_line, NULL);
    json_object_set(*out, "rows", e.rows);
  }
  end_pricer(&e.pricer);
  json_decref(e.rows);
  return status;
}

static erg_status to_csv(void *context, const erg_sweep_row *row, erg_error *error) {
  exporting *e = context;
  char number[64];
  erg_interval interval;
  (void)error;
  erg_csv_text(stdout, row->key, true);
  for (int c = 0; c < ERG_SWEEP_COUNTS; c++) {
    bool text = erg_sweep_columns[c].type == ERG_COLUMN_TEXT;
    if (text)
      erg_csv_text(stdout, row->cells[c].known ? row->cells[c].text : "", false);
    else
      printf(",%s", erg_cell_text(row, c, number, sizeof number));
  }
  if (e->cli->interval && erg_row_interval(&e->pricer, row, &interval))
    printf(",%.17g,%.17g", interval.p05, interval.p95);
  else if (e->cli->interval)
    printf(",,");
  putchar('\n');
  return ERG_OK;
}

erg_status erg_sweep_export(const erg_cli *cli, erg_store *store, erg_error *error) {
  if (!cli->json && !cli->csv) return erg_fail(error, ERG_ERR_USAGE, "sweep export: needs --csv or --json");
  if (cli->json) {
    json_t *document;
    erg_status status = erg_sweep_json(cli, store, &document, error);
    if (status != ERG_OK) return status;
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(document);
    return ERG_OK;
  }
  erg_store_query q = query_of(cli);
  exporting e = {.cli = cli};
  printf("key");
  for (int c = 0; c < ERG_SWEEP_COUNTS; c++) printf(",%s", erg_sweep_columns[c].name);
  if (cli->interval) printf(",energy_pj_p05,energy_pj_p95");
  putchar('\n');
  erg_status status = erg_store_each(store, &q, to_csv, &e, error);
  end_pricer(&e.pricer);
  return status;
}

/* ---------------------------------------------------------------- price */

typedef struct {
  const erg_cli *cli;
  erg_technology technologies[MOST_LIST];
  int count;
  erg_table *table;
  json_t *rows;
  long long priced, left_out;
} pricing;

static void put_price(pricing *p, const erg_sweep_row *row, const char *technology, const char *reason, double pj,
                      const erg_interval *interval) {
  const erg_cell *c = row->cells;
  if (p->rows) {
    json_array_append_new(p->rows,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s?}", "key", row->key,
                                    "workload", c[ERG_SWEEP_WORKLOAD].text, "arch", c[ERG_SWEEP_ARCH].text, "precision",
                                    c[ERG_SWEEP_PRECISION].text, "fusion", c[ERG_SWEEP_FUSION].text, "set",
                                    c[ERG_SWEEP_SET].text, "technology", technology, "energy_pj",
                                    reason ? json_null() : json_real(pj), "energy_pj_p05",
                                    interval ? json_real(interval->p05) : json_null(), "energy_pj_p95",
                                    interval ? json_real(interval->p95) : json_null(), "reason", reason));
    return;
  }
  const int names[] = {ERG_SWEEP_WORKLOAD, ERG_SWEEP_ARCH, ERG_SWEEP_PRECISION, ERG_SWEEP_FUSION, ERG_SWEEP_SET};
  for (size_t i = 0; i < ERG_COUNT_OF(names); i++) erg_table_cell(p->table, "%s", c[names[i]].text);
  erg_table_cell(p->table, "%s", technology);
  erg_table_cell(p->table, reason ? "-" : "%.4f", pj / 1e9);
  erg_table_cell(p->table, interval ? "%.4f to %.4f" : "-", interval ? interval->p05 / 1e9 : 0,
                 interval ? interval->p95 / 1e9 : 0);
  erg_table_cell(p->table, "%s%s", reason ? "skipped, because " : "", reason ? reason : "");
}

static erg_status price_row(void *context, const erg_sweep_row *row, erg_error *error) {
  pricing *p = context;
  erg_stored_run stored;
  if (!row->cells[ERG_SWEEP_COUNTS].known) {
    p->left_out++;
    return ERG_OK;
  }
  erg_status status = erg_stored_parse(row->cells[ERG_SWEEP_COUNTS].text, p->cli->store, &stored, error);
  for (int t = 0; t < p->count && status == ERG_OK; t++) {
    erg_arena arena = {0};
    erg_spread spread = {.arena = &arena};
    erg_energy energy;
    erg_error fault = {0};
    erg_interval interval;
    erg_status priced =
        erg_stored_price(&p->technologies[t], &stored.results[0], erg_spread_item, &spread, &energy, &fault);
    bool known = priced == ERG_OK && erg_spread_interval(&spread, &interval, NULL) == ERG_OK;
    if (priced == ERG_OK || priced == ERG_ERR_UNSUPPORTED)
      put_price(p, row, p->technologies[t].name, priced == ERG_OK ? NULL : fault.text,
                priced == ERG_OK ? energy.total_pj : 0, known ? &interval : NULL);
    else
      status = erg_fail(error, priced, "%s", fault.text);
    p->priced++;
    erg_error_clear(&fault);
    erg_arena_free(&arena);
  }
  if (status == ERG_OK) erg_stored_free(&stored);
  return status;
}

erg_status erg_sweep_price(const erg_cli *cli, erg_store *store, erg_error *error) {
  static const char *const headings[] = {"workload",   "arch",       "precision",      "fusion", "set",
                                         "technology", "total [mJ]", "5 to 95 % [mJ]", ""};
  pricing p = {.cli = cli, .table = erg_table_new(), .rows = cli->json ? json_array() : NULL};
  char *names = erg_arena_strdup((erg_arena *)&cli->arena, cli->tech);
  erg_status status = ERG_OK;
  for (char *name; status == ERG_OK && names && (name = strsep(&names, ","));) {
    if (p.count == MOST_LIST) status = erg_fail(error, ERG_ERR_USAGE, "--tech: more than %d", MOST_LIST);
    if (status == ERG_OK)
      status = erg_technology_load(name, cli->tech_sets, cli->tech_set_count, &p.technologies[p.count], error);
    if (status == ERG_OK) p.count++;
  }
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(p.table, headings[i], i == 6 || i == 7);
  erg_store_query q = query_of(cli);
  if (status == ERG_OK) status = erg_store_each(store, &q, price_row, &p, error);
  if (status == ERG_OK && cli->json) {
    json_t *document = erg_envelope_json("ergon.sweep.price", cli->command_line, NULL);
    json_object_set(document, "rows", p.rows);
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(document);
  } else if (status == ERG_OK) {
    erg_table_print(p.table, stdout);
    printf("%lld prices from stored counts; %lld rows without counts are left out\n", p.priced, p.left_out);
  }
  for (int t = 0; t < p.count; t++) erg_technology_free(&p.technologies[t]);
  json_decref(p.rows);
  erg_table_free(p.table);
  return status;
}
