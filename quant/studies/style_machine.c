/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stylizing networks cost on a machine, by width and fusion, and what they would with norms that fold. */
#include "ergon/sim.h"
#include "style.h"
#include "stylize.h"
#include <math.h>

static const erg_fusion fusions[] = {ERG_FUSION_NONE, ERG_FUSION_EPILOGUE, ERG_FUSION_DEPTH};

static erg_status price(erg_point *point, const char *of, const style_width *w, erg_fusion fusion,
                        erg_study_result *out, erg_error *error) {
  erg_result result = {0};
  point->fusion = fusion;
  erg_status status = erg_precision_parse(w->precision, &point->precision, error);
  if (status == ERG_OK) status = erg_run(point, NULL, &result, error);
  if (status == ERG_OK && result.skipped)
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: %s", point->graph->name, result.reason);
  if (status == ERG_OK) {
    double values[STYLE_NUMBERS] = {[STYLE_DISTANCE] = NAN,
                                    [STYLE_CONTENT_DISTANCE] = NAN,
                                    [STYLE_PSNR] = NAN,
                                    [STYLE_ENERGY] = result.energy.total_pj,
                                    [STYLE_MAC] = result.energy.mac_pj,
                                    [STYLE_PARTIAL_SUMS] = result.energy.level_pj[point->arch->level_count],
                                    [STYLE_DRAM] = (double)erg_activity_level_bits(&result.activity, 0) / 8,
                                    [STYLE_CYCLES] = (double)result.activity.cycles,
                                    [STYLE_PASSES] = result.plan.pass_count};
    status = style_add(out, out->first_seed, (style_row){STYLE_MACHINE, of, w->name, erg_fusion_names[fusion], NULL},
                       values, error);
  }
  erg_result_free(&result);
  return status;
}

static erg_status price_net(erg_point *point, const char *net, bool batch_norms, erg_study_result *out,
                            erg_error *error) {
  erg_graph graph = {0};
  char of[64];
  snprintf(of, sizeof of, "%s%s", net, batch_norms ? STYLE_BATCH_NORMS : "");
  erg_status status = stylize_net(net, batch_norms, 1, &graph, error);
  point->graph = &graph;
  for (size_t w = 0; w < STYLE_WIDTHS; w++)
    for (size_t f = 0; f < ERG_COUNT_OF(fusions) && status == ERG_OK; f++)
      status = price(point, of, &style_widths[w], fusions[f], out, error);
  erg_graph_free(&graph);
  return status;
}

erg_status style_price(erg_study_result *out, erg_error *error) {
  static const char *const nets[] = {STYLE_SMALL, STYLE_RESIDUAL};
  erg_arch arch = {0};
  erg_technology technology = {0};
  erg_point point = {.arch = &arch, .technology = &technology, .batch = 1, .seed = 1, .totals_only = true};
  erg_status status = erg_arch_load("edge", NULL, 0, &arch, error);
  if (status == ERG_OK) status = erg_technology_load("horowitz-45nm", NULL, 0, &technology, error);
  for (size_t n = 0; n < ERG_COUNT_OF(nets); n++)
    for (int batch_norms = 0; batch_norms < 2 && status == ERG_OK; batch_norms++)
      status = price_net(&point, nets[n], batch_norms, out, error);
  erg_technology_free(&technology);
  erg_arch_free(&arch);
  return status;
}
