/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prices.h"
#include <string.h>

erg_status prices_of(const prices *p, const int *option, erg_fusion fusion, double *pj, erg_error *error) {
  char text[2048];
  int length = snprintf(text, sizeof text, "name: plan\ndefault: int8\nlayers:\n");
  for (int l = 0; l < p->layers; l++)
    length += snprintf(text + length, sizeof text - (size_t)length, "  %s: w%da8\n", p->graph.nodes[p->nodes[l]].name,
                       p->bits[option[l]]);
  erg_widths widths = {0};
  erg_result result = {0};
  erg_point point = {.arch = &p->arch,
                     .technology = &p->technology,
                     .graph = &p->graph,
                     .fusion = fusion,
                     .batch = 1,
                     .seed = 1,
                     .totals_only = true};
  erg_status status = erg_widths_parse("plan", text, &p->graph, &widths, error);
  if (status != ERG_OK) return status;
  erg_point_widths(&point, &widths);
  status = erg_run(&point, NULL, &result, error);
  if (status == ERG_OK && result.skipped) status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s", result.reason);
  if (status == ERG_OK) *pj = result.energy.total_pj;
  erg_result_free(&result);
  erg_widths_free(&widths);
  return status;
}

/* A layer's price is what the network costs more than with that layer at the widest; those of all layers at the widest are
 * shares of nothing, so that sums of the table, plus the rest, are totals. */
static erg_status fill(prices *p, erg_error *error) {
  int option[PRICES_MOST_LAYERS], widest = p->options - 1;
  double least = 0;
  for (int l = 0; l < p->layers; l++) option[l] = widest;
  erg_status status = prices_of(p, option, ERG_FUSION_EPILOGUE, &p->rest_pj, error);
  for (int l = 0; l < p->layers && status == ERG_OK; l++) {
    double lowest = 0;
    for (int o = 0; o < p->options && status == ERG_OK; o++) {
      double pj = 0;
      option[l] = o;
      status = prices_of(p, option, ERG_FUSION_EPILOGUE, &pj, error);
      p->energy_pj[l * p->options + o] = pj - p->rest_pj;
      if (pj - p->rest_pj < lowest) lowest = pj - p->rest_pj;
    }
    option[l] = widest;
    for (int o = 0; o < p->options; o++) p->energy_pj[l * p->options + o] -= lowest; /* 0 and up, as the solver asks */
    least += lowest;
  }
  p->rest_pj += least;
  return status;
}

erg_status prices_open(const char *net, const char *arch, const char *mac, const int *bits, int options, prices *out,
                       erg_error *error) {
  prices p = {.bits = bits, .options = options};
  const erg_override kind = {"mac", mac};
  erg_status status = erg_graph_load(net, 1, NULL, 0, &p.graph, error);
  if (status == ERG_OK) status = erg_arch_load(arch, &kind, mac != NULL, &p.arch, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", NULL, 0, &p.technology, error);
  for (int id = 0; id < p.graph.node_count && status == ERG_OK; id++) {
    if (p.graph.nodes[id].op->role != ERG_ROLE_ARRAY) continue;
    if (p.layers == PRICES_MOST_LAYERS)
      status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s has more than %d layers", net, PRICES_MOST_LAYERS);
    else
      p.nodes[p.layers++] = id;
  }
  if (status == ERG_OK) status = fill(&p, error);
  if (status == ERG_OK)
    *out = p;
  else
    prices_close(&p);
  return status;
}

void prices_close(prices *p) {
  erg_technology_free(&p->technology);
  erg_arch_free(&p->arch);
  erg_graph_free(&p->graph);
  erg_arena_free(&p->arena);
  memset(p, 0, sizeof *p);
}
