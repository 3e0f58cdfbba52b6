/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prices.h"
#include <stdlib.h>
#include <string.h>

static erg_point point_of(const prices *p, erg_fusion fusion) {
  erg_point point = {.arch = &p->arch,
                     .technology = &p->technology,
                     .graph = &p->graph,
                     .fusion = fusion,
                     .batch = p->batch,
                     .seed = 1,
                     .totals_only = true};
  erg_precision_parse("int8", &point.precision, NULL);
  return point;
}

erg_status prices_of(const prices *p, const int *option, erg_fusion fusion, double *pj, erg_error *error) {
  const erg_point point = point_of(p, fusion);
  int *weight_bits = calloc((size_t)p->graph.node_count, sizeof *weight_bits);
  if (!weight_bits) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int l = 0; l < p->layers; l++) weight_bits[p->nodes[l]] = p->bits[option[l]];
  erg_status status = erg_bits_run(&point, weight_bits, pj, error);
  free(weight_bits);
  return status;
}

erg_status prices_open(const char *net, const char *arch, const char *mac, int batch, const int *bits, int options,
                       prices *out, erg_error *error) {
  prices p = {.batch = batch};
  const erg_override kind = {"mac", mac};
  erg_status status = erg_graph_load(net, batch, NULL, 0, &p.graph, error);
  if (status == ERG_OK) status = erg_arch_load(arch, &kind, mac != NULL, &p.arch, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", NULL, 0, &p.technology, error);
  if (status == ERG_OK) {
    erg_point point = point_of(&p, ERG_FUSION_EPILOGUE);
    point.totals_only = false;
    status = erg_energy_table_make(&point, bits, options, bits[options - 1], &p.table, error);
  }
  if (status == ERG_OK && (p.table.layers > PRICES_MOST_LAYERS || p.table.options != options))
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s on %s: more than %d layers, or a width that is not covered", net,
                      arch, PRICES_MOST_LAYERS);
  if (status != ERG_OK) {
    prices_close(&p);
    return status;
  }
  *out = p;
  out->layers = p.table.layers, out->options = p.table.options;
  out->nodes = out->table.nodes, out->bits = out->table.bits, out->energy_pj = out->table.energy_pj;
  return ERG_OK;
}

void prices_close(prices *p) {
  erg_energy_table_free(&p->table);
  erg_technology_free(&p->technology);
  erg_arch_free(&p->arch);
  erg_graph_free(&p->graph);
  memset(p, 0, sizeof *p);
}
