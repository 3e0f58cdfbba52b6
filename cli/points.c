/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

erg_status erg_inputs_load(const erg_cli *cli, const char *workload, erg_inputs *out, erg_error *error) {
  erg_inputs inputs = {0};
  /* All three are tried, so that all faults come at once. */
  erg_status arch = erg_arch_load(cli->arch, cli->arch_sets, cli->arch_set_count, &inputs.arch, error);
  erg_status tech = erg_technology_load(cli->tech, cli->tech_sets, cli->tech_set_count, &inputs.technology, error);
  erg_status graph =
      workload ? erg_graph_load(workload, cli->batch, cli->workload_sets, cli->workload_set_count, &inputs.graph, error)
               : ERG_OK;
  for (int i = 0; i < cli->precision_count && graph == ERG_OK; i++) {
    const char *file = cli->precision_files[i];
    if (file && !workload)
      graph = erg_fail(error, ERG_ERR_USAGE, "--precision %s: a plan is of a network's layers; give a WORKLOAD", file);
    else if (file && erg_widths_load(file, &inputs.graph, &inputs.widths[i], error) != ERG_OK)
      graph = error->status;
  }
  if (arch == ERG_OK && tech == ERG_OK && graph == ERG_OK) {
    *out = inputs;
    return ERG_OK;
  }
  erg_inputs_free(&inputs);
  return error->status;
}

void erg_inputs_free(erg_inputs *inputs) {
  erg_arch_free(&inputs->arch);
  erg_technology_free(&inputs->technology);
  erg_graph_free(&inputs->graph);
  for (int i = 0; i < MOST_LIST; i++) erg_widths_free(&inputs->widths[i]);
}

const char *erg_cli_precision_name(const erg_cli *cli, const erg_inputs *inputs, int index, char buffer[32]) {
  return cli->precision_files[index] ? inputs->widths[index].plan.name
                                     : erg_precision_name(&cli->precisions[index], buffer);
}

erg_point erg_cli_point(const erg_cli *cli, const erg_inputs *inputs, int index) {
  erg_point point = {.arch = &inputs->arch,
                     .technology = &inputs->technology,
                     .graph = inputs->graph.name ? &inputs->graph : NULL,
                     .precision = cli->precisions[index / cli->fusion_count],
                     .fusion = cli->fusions[index % cli->fusion_count],
                     .dataflow = cli->dataflow,
                     .model = cli->model,
                     .batch = cli->batch,
                     .seed = cli->seed,
                     .zero_share = cli->zero_share,
                     .count_toggles = cli->activity};
  int precision = index / cli->fusion_count;
  if (cli->precision_files[precision]) erg_point_widths(&point, &inputs->widths[precision]);
  return point;
}

erg_status erg_cli_run(const erg_cli *cli, const erg_inputs *inputs, erg_result *results, erg_error *error) {
  int count = cli->precision_count * cli->fusion_count;
  erg_progress progress;
  for (int i = 0; i < count; i++) {
    erg_point point = erg_cli_point(cli, inputs, i);
    char name[32];
    erg_progress_start(&progress, erg_point_precision_name(&point, name), "MAC", (double)erg_graph_macs(&inputs->graph),
                       cli->quiet);
    if (cli->model == ERG_MODEL_ANALYTIC) progress.wait_s = 1; /* mostly done before a bar could be read */
    erg_status status = erg_run(&point, &progress, &results[i], error);
    if (status != ERG_OK) {
      while (i-- > 0) erg_result_free(&results[i]);
      return status;
    }
    erg_progress_end(&progress);
  }
  return ERG_OK;
}

/* Ratios to the first point that was not skipped: what both share cancels, so these intervals are narrower than those
 * of the totals. */
static void add_ratios(json_t *result, const erg_result *first, const erg_result *r) {
  json_t *totals = json_object_get(result, "totals");
  erg_interval interval;
  if (!json_is_object(totals)) return;
  bool known = first != r && erg_spread_ratio(&r->spread, &first->spread, &interval, NULL) == ERG_OK;
  json_object_set_new(totals, "energy_ratio", json_real(r->energy.total_pj / first->energy.total_pj));
  json_object_set_new(totals, "energy_ratio_p05", known ? json_real(interval.p05) : json_null());
  json_object_set_new(totals, "energy_ratio_p95", known ? json_real(interval.p95) : json_null());
}

json_t *erg_run_json(const erg_cli *cli, const erg_result *results, int count) {
  json_t *envelope = erg_envelope_json("ergon.run", cli->command_line, &results[0].point), *list = json_array();
  const erg_result *first = NULL;
  for (int i = 0; i < count; i++) {
    json_t *result = erg_result_json(&results[i]);
    if (!first && !results[i].skipped) first = &results[i];
    if (first) add_ratios(result, first, &results[i]);
    json_array_append_new(list, result);
  }
  json_object_set_new(envelope, "results", list);
  return envelope;
}
