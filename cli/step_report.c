/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "step_report.h"
#include "ergon/training.h"

#define PARTS ERG_TRAINING_STORE /* what a step has without coded copies; they come in this order */

/* A step in one precision. */
typedef struct {
  erg_point point;
  bool skipped;
  char *reason;
  erg_training_step step;
} row;

static erg_training_cost total(const erg_training_cost *parts) {
  erg_training_cost sum = {0};
  for (int part = 0; part < PARTS; part++) erg_training_add(&sum, &parts[part]);
  return sum;
}

static erg_status check(const erg_cli *cli, erg_error *error) {
  const struct {
    const char *option;
    bool given;
  } useless[] = {{"--fusion", cli->fusion_given},
                 {"--certify", cli->certify},
                 {"--explain-fusion", cli->explain_fusion},
                 {"--activity", cli->activity},
                 {"--csv", cli->csv},
                 {"--out", cli->out != NULL},
                 {"--zeros", cli->zero_share > 0},
                 {"--model", cli->model != ERG_MODEL_ANALYTIC}};
  erg_status status = ERG_OK;
  for (size_t i = 0; i < ERG_COUNT_OF(useless); i++)
    if (useless[i].given)
      status = erg_fail(error, ERG_ERR_USAGE, "run: --training counts by formulas and fuses nothing; it takes no %s",
                        useless[i].option);
  for (int i = 0; i < cli->precision_count; i++)
    if (cli->precision_files[i])
      status = erg_fail(error, ERG_ERR_USAGE, "run: --training has one precision for all layers; found the plan %s",
                        cli->precision_files[i]);
  return status;
}

static void cost_cells(erg_table *table, const erg_training_cost *parts) {
  const erg_training_cost sum = total(parts);
  for (int part = 0; part < PARTS; part++) erg_table_cell(table, "%.4g", parts[part].energy_pj / 1e9);
  erg_table_cell(table, "%.4g", sum.energy_pj / 1e9);
  for (int part = 0; part < PARTS; part++) erg_table_cell(table, "%.4g", (double)parts[part].cycles / 1e6);
  erg_table_cell(table, "%.4g", (double)sum.cycles / 1e6);
}

static erg_table *new_table(const char *first) {
  static const char *const units[] = {"mJ", "Mcycles"};
  erg_table *table = erg_table_new();
  char heading[64];
  erg_table_column(table, first, false);
  for (size_t u = 0; u < ERG_COUNT_OF(units); u++)
    for (int part = 0; part <= PARTS; part++) {
      snprintf(heading, sizeof heading, "%s [%s]", part < PARTS ? erg_training_part_names[part] : "step", units[u]);
      erg_table_column(table, heading, true);
    }
  return table;
}

static void print(const erg_cli *cli, const erg_inputs *inputs, const row *rows) {
  char name[32];
  printf("%s, batch %d: a training step on arch %s, tech %s, dataflow %s, model analytic\n", inputs->graph.name,
         cli->batch, inputs->arch.name, inputs->technology.name, erg_dataflow_names[cli->dataflow]);
  erg_print_overrides(cli, stdout);
  fputs("inputs, weights: gradients of layers' inputs and weights. Nothing folds or fuses.\n\n", stdout);
  erg_table *table = new_table("precision");
  erg_table_column(table, "step over forward", true);
  for (int i = 0; i < cli->precision_count; i++) {
    erg_table_cell(table, "%s", erg_precision_name(&rows[i].point.precision, name));
    if (rows[i].skipped) {
      for (int k = 0; k < 2 * (PARTS + 1) + 1; k++) erg_table_cell(table, "-");
      continue;
    }
    const erg_training_cost *parts = rows[i].step.parts;
    cost_cells(table, parts);
    erg_table_cell(table, "%.2f", total(parts).energy_pj / parts[ERG_TRAINING_FORWARD].energy_pj);
  }
  erg_table_print(table, stdout);
  erg_table_free(table);
  for (int i = 0; i < cli->precision_count; i++) {
    if (rows[i].skipped)
      printf("\n%s: skipped, because %s\n", erg_precision_name(&rows[i].point.precision, name), rows[i].reason);
    if (rows[i].skipped || (cli->precision_count > 1 && !cli->layers)) continue;
    printf("\n%s\n", erg_precision_name(&rows[i].point.precision, name));
    table = new_table("node");
    for (int id = 0; id < inputs->graph.node_count; id++) {
      if (inputs->graph.nodes[id].op->role == ERG_ROLE_INPUT) continue;
      erg_table_cell(table, "%s", inputs->graph.nodes[id].name);
      cost_cells(table, rows[i].step.nodes[id]);
    }
    erg_table_print(table, stdout);
    erg_table_free(table);
  }
}

static json_t *costs_json(const erg_training_cost *parts) {
  json_t *costs = json_object();
  const erg_training_cost sum = total(parts);
  for (int part = 0; part <= PARTS; part++) {
    const erg_training_cost cost = part < PARTS ? parts[part] : sum;
    json_object_set_new(costs, part < PARTS ? erg_training_part_names[part] : "step",
                        json_pack("{s:f, s:I, s:I, s:f}", "energy_pj", cost.energy_pj, "cycles",
                                  (json_int_t)cost.cycles, "macs", (json_int_t)cost.macs, "dram_bytes",
                                  (double)cost.dram_bits / 8));
  }
  return costs;
}

static json_t *row_json(const erg_inputs *inputs, const row *r) {
  json_t *nodes = json_array();
  char name[32];
  for (int id = 0; id < inputs->graph.node_count && !r->skipped && r->step.nodes; id++) {
    const erg_node *node = &inputs->graph.nodes[id];
    if (node->op->role == ERG_ROLE_INPUT) continue;
    json_array_append_new(nodes, json_pack("{s:s, s:s, s:o}", "name", node->name, "op", node->op->name, "costs",
                                           costs_json(r->step.nodes[id])));
  }
  return json_pack("{s:s, s:s, s:s?, s:o, s:o}", "precision", erg_precision_name(&r->point.precision, name), "status",
                   r->skipped ? "skipped" : "ok", "reason", r->reason, "totals",
                   r->skipped ? json_null() : costs_json(r->step.parts), "nodes", nodes);
}

static void print_json(const erg_cli *cli, const erg_inputs *inputs, const row *rows) {
  json_t *json = erg_envelope_json("ergon.training", cli->command_line, &rows[0].point), *results = json_array();
  for (int i = 0; i < cli->precision_count; i++) json_array_append_new(results, row_json(inputs, &rows[i]));
  json_t *own = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o}", "workload", inputs->graph.name, "arch", inputs->arch.name,
                          "technology", inputs->technology.name, "dataflow", erg_dataflow_names[cli->dataflow], "batch",
                          cli->batch, "results", results);
  json_object_update(json, own);
  json_decref(own);
  json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  putchar('\n');
  json_decref(json);
}

/* What the machine or the technology does not cover is a row that says so. */
static erg_status measure(erg_arena *arena, row *r, erg_error *error) {
  erg_error fault = {0};
  erg_status status = erg_training_run(&r->point, 0, &r->step, &fault);
  r->skipped = status == ERG_ERR_UNSUPPORTED;
  if (r->skipped) {
    r->reason = erg_arena_strdup(arena, fault.text);
    status = ERG_OK;
  } else if (status != ERG_OK) {
    erg_fail(error, status, "%s", fault.text);
  }
  erg_error_clear(&fault);
  return status;
}

erg_status erg_cli_run_training(const erg_cli *cli, erg_error *error) {
  erg_inputs inputs = {0};
  erg_arena arena = {0};
  row rows[MOST_LIST];
  int done = 0;
  erg_status status = check(cli, error);
  if (status == ERG_OK) status = erg_inputs_load(cli, cli->arguments[0], &inputs, error);
  if (status != ERG_OK) return status;
  for (; done < cli->precision_count && status == ERG_OK; done++) {
    rows[done] = (row){.point = erg_cli_point(cli, &inputs, done * cli->fusion_count)};
    status = measure(&arena, &rows[done], error);
  }
  if (status == ERG_OK && cli->json)
    print_json(cli, &inputs, rows);
  else if (status == ERG_OK)
    print(cli, &inputs, rows);
  for (int i = 0; i < done; i++)
    if (!rows[i].skipped) erg_training_free(&rows[i].step);
  erg_arena_free(&arena);
  erg_inputs_free(&inputs);
  return status;
}
