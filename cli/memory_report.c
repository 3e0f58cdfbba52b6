/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory_report.h"

static const double overheads[] = {0.02, 0.05, 0.1, 0.2};

static double share(const erg_training_execution *run) {
  return run->recompute.energy_pj / run->step.energy_pj;
}
static double cycle_share(const erg_training_execution *run) {
  return (double)run->recompute.cycles / (double)run->step.cycles;
}

/* A unit in which the largest peak reads well. */
typedef struct {
  const char *name;
  double bytes;
} unit;
static unit unit_of(int64_t bytes) {
  static const unit units[] = {{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}};
  for (size_t i = 0; i < ERG_COUNT_OF(units); i++)
    if ((double)bytes >= units[i].bytes) return units[i];
  return (unit){"bytes", 1};
}

static void heading(erg_table *table, const char *words, unit u) {
  char text[64];
  snprintf(text, sizeof text, "%s [%s]", words, u.name);
  erg_table_column(table, text, true);
}

static void bytes_cell(erg_table *table, int64_t bytes, unit u) {
  erg_table_cell(table, u.bytes > 1 ? "%.2f" : "%.0f", (double)bytes / u.bytes);
}

static void print_header(const erg_memory_report *r, FILE *stream) {
  char name[32];
  const int64_t resident = erg_training_resident_bytes(r->point.graph, 0);
  fprintf(
      stream,
      "%s, batch %d: a training step in %s on arch %s, tech %s, dataflow %s, model analytic\n%d stages; weights and "
      "their gradients take %.2f MB more in fp32, each moment of an optimizer %.2f MB\n",
      r->point.graph->name, r->point.batch, erg_precision_name(&r->point.precision, name), r->point.arch->name,
      r->point.technology->name, erg_dataflow_names[r->point.dataflow], r->stages.count, (double)resident / 1e6,
      (double)resident / 2e6);
  erg_print_overrides(r->cli, stream);
  fputs("Peaks are of activations and their gradients, as executed; recomputation in shares of the step's energy.\n\n",
        stream);
}

static void print_keep_all(const erg_memory_report *r, erg_table *table, const erg_memory_width *w, unit u) {
  const erg_training_execution *run = &w->keep_all.run;
  erg_table_cell(table, "%d", w->bits);
  bytes_cell(table, run->peak_bytes, u);
  erg_table_cell(table, "%.3f", (double)run->peak_bytes / (double)r->full_bytes);
  erg_table_cell(table, "%.4g", run->step.energy_pj / 1e9);
  erg_table_cell(table, "%.4g", (double)run->step.cycles / 1e6);
}

static erg_table *new_table(unit u) {
  erg_table *table = erg_table_new();
  erg_table_column(table, "bits", true);
  heading(table, "keep all", u);
  erg_table_column(table, "of full", true);
  erg_table_column(table, "energy [mJ]", true);
  erg_table_column(table, "cycles [M]", true);
  return table;
}

static void print_budget(const erg_memory_report *r, FILE *stream) {
  static const char *const headings[] = {"recompute [%]", "of cycles [%]", "energy [mJ]", "cycles [M]"};
  const unit u = unit_of(r->full_bytes);
  erg_table *table = new_table(u);
  fprintf(stream, "Budget: %lld bytes\n\n", (long long)r->cli->budget_bytes);
  heading(table, "| peak", u);
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], true);
  erg_table_column(table, "", false);
  for (int i = 0; i < r->width_count; i++) {
    const erg_memory_width *w = &r->widths[i];
    print_keep_all(r, table, w, u);
    if (w->point_count) {
      const erg_training_execution *run = &w->points[0].run;
      bytes_cell(table, run->peak_bytes, u);
      erg_table_cell(table, "%.2f", 100 * share(run));
      erg_table_cell(table, "%.2f", 100 * cycle_share(run));
      erg_table_cell(table, "%.4g", (run->step.energy_pj + run->recompute.energy_pj) / 1e9);
      erg_table_cell(table, "%.4g", (double)(run->step.cycles + run->recompute.cycles) / 1e6);
      erg_table_cell(table, "%s", "");
    } else {
      for (int k = 0; k < 5; k++) erg_table_cell(table, "-");
      erg_table_cell(table, "does not fit: the least is %lld bytes", (long long)w->least_bytes);
    }
  }
  erg_table_print(table, stream);
  erg_table_free(table);
}

static void print_frontier(const erg_memory_report *r, FILE *stream) {
  const unit u = unit_of(r->full_bytes);
  erg_table *table = new_table(u);
  char words[32];
  for (size_t i = 0; i < ERG_COUNT_OF(overheads); i++) {
    snprintf(words, sizeof words, "+%g %%", 100 * overheads[i]);
    heading(table, words, u);
  }
  heading(table, "least", u);
  erg_table_column(table, "of full", true);
  erg_table_column(table, "recompute [%]", true);
  for (int i = 0; i < r->width_count; i++) {
    const erg_memory_width *w = &r->widths[i];
    print_keep_all(r, table, w, u);
    for (size_t o = 0; o < ERG_COUNT_OF(overheads); o++) {
      int at = 0; /* peaks ascend, recomputation falls to none */
      while (share(&w->points[at].run) > overheads[o]) at++;
      bytes_cell(table, w->points[at].run.peak_bytes, u);
    }
    bytes_cell(table, w->points[0].run.peak_bytes, u);
    erg_table_cell(table, "%.3f", (double)w->points[0].run.peak_bytes / (double)r->full_bytes);
    erg_table_cell(table, "%.2f", 100 * share(&w->points[0].run));
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  fputs("\n+x %: least peak with at most x % of the step's energy spent on recomputation.\n", stream);
}

void erg_memory_print(const erg_memory_report *r, FILE *stream) {
  print_header(r, stream);
  if (r->cli->budget_bytes)
    print_budget(r, stream);
  else
    print_frontier(r, stream);
}

/* ---------------------------------------------------------------- JSON */

static json_t *cost_json(const erg_training_cost *cost) {
  return json_pack("{s:f, s:I, s:f}", "energy_pj", cost->energy_pj, "cycles", (json_int_t)cost->cycles, "dram_bytes",
                   (double)cost->dram_bits / 8);
}

static json_t *schedule_json(const erg_memory_report *r, const erg_schedule *schedule) {
  static const char *const names[] = {"forward", "keep", "tape", "backward"}; /* in the order of erg_step_kind */
  json_t *list = json_array();
  for (int i = 0; i < schedule->count; i++)
    json_array_append_new(list, json_pack("{s:s, s:s}", "op", names[schedule->steps[i].kind], "stage",
                                          r->stages.stages[schedule->steps[i].stage - 1].name));
  return list;
}

static json_t *point_json(const erg_memory_report *r, const erg_memory_point *p) {
  return json_pack("{s:I, s:I, s:f, s:f, s:o, s:o}", "budget_bytes", (json_int_t)p->budget_bytes, "peak_bytes",
                   (json_int_t)p->run.peak_bytes, "recompute_share", share(&p->run), "recompute_cycle_share",
                   cycle_share(&p->run), "recompute", cost_json(&p->run.recompute), "schedule",
                   r->cli->budget_bytes ? schedule_json(r, &p->schedule) : json_null());
}

static json_t *width_json(const erg_memory_report *r, const erg_memory_width *w) {
  json_t *points = json_array();
  for (int i = 0; i < w->point_count; i++) json_array_append_new(points, point_json(r, &w->points[i]));
  return json_pack("{s:i, s:I, s:f, s:o, s:I, s:o}", "bits", w->bits, "keep_all_peak_bytes",
                   (json_int_t)w->keep_all.run.peak_bytes, "keep_all_share",
                   (double)w->keep_all.run.peak_bytes / (double)r->full_bytes, "step", cost_json(&w->keep_all.run.step),
                   "least_budget_bytes", (json_int_t)w->least_bytes, "points", points);
}

static json_t *stage_json(const erg_memory_report *r, const erg_training_stage *g) {
  json_t *nodes = json_array(), *kept = json_array();
  for (int id = g->first; id <= g->last; id++) {
    json_array_append_new(nodes, json_string(r->point.graph->nodes[id].name));
    if (r->stages.kept[id]) json_array_append_new(kept, json_string(r->point.graph->nodes[id].name));
  }
  return json_pack("{s:s, s:o, s:o}", "name", g->name, "nodes", nodes, "kept", kept);
}

void erg_memory_json(const erg_memory_report *r, FILE *stream) {
  json_t *json = erg_envelope_json("ergon.memory", r->cli->command_line, &r->point);
  json_t *widths = json_array(), *stages = json_array();
  char name[32];
  for (int i = 0; i < r->width_count; i++) json_array_append_new(widths, width_json(r, &r->widths[i]));
  for (int i = 0; i < r->stages.count; i++) json_array_append_new(stages, stage_json(r, &r->stages.stages[i]));
  json_t *own = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:I, s:I, s:o, s:o}", "workload", r->point.graph->name,
                          "arch", r->point.arch->name, "technology", r->point.technology->name, "precision",
                          erg_precision_name(&r->point.precision, name), "dataflow",
                          erg_dataflow_names[r->point.dataflow], "batch", r->point.batch, "budget_bytes",
                          r->cli->budget_bytes ? json_integer(r->cli->budget_bytes) : json_null(), "resident_bytes",
                          (json_int_t)erg_training_resident_bytes(r->point.graph, 0), "full_peak_bytes",
                          (json_int_t)r->full_bytes, "stages", stages, "widths", widths);
  json_object_update(json, own);
  json_decref(own);
  json_dumpf(json, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  fputc('\n', stream);
  json_decref(json);
}
