/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A design point from graph to joules: plan, map, count, check, price. */
#include "chain.h"
#include "ergon/sim.h"
#include "memo.h"
#include "traffic.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A pass's counts in the point's format; a requantize pass does not exist in floats. */
static const erg_op_counts *counts_of(const erg_pass *pass, const erg_precision *precision) {
  return erg_precision_is_int(precision) ? &pass->int_counts : &pass->float_counts;
}

static bool exists(const erg_pass *pass, const erg_precision *precision) {
  return erg_precision_is_int(precision) || strcmp(pass->kind_name, "requantize") != 0;
}

bool erg_judge_fusion(void *context, const erg_pass *fused, const erg_pass *parts, int part_count, char *reason,
                      size_t reason_bytes) {
  const erg_point *point = context;
  erg_error error = {0};
  erg_geometry geometry;
  erg_mapping mapping;
  uint64_t apart = 0, bits;
  bool fits = true;
  erg_geometry_at(point, fused, &geometry);
  if (erg_memo_map(point->memo, point->arch, &geometry, &mapping, &error) != ERG_OK) {
    snprintf(reason, reason_bytes, "the fused pass does not fit: %s", error.text);
    erg_error_clear(&error);
    return false;
  }
  for (int i = 0; i < part_count; i++) {
    erg_geometry_at(point, &parts[i], &geometry);
    apart += erg_distinct_bits(&geometry);
  }
  if (mapping.offchip_bits <= apart) return true; /* no tiles of the parts move less: they need not be found */
  apart = 0;
  for (int i = 0; i < part_count && fits; i++) {
    erg_geometry_at(point, &parts[i], &geometry);
    fits = erg_memo_bits(point->memo, point->arch, &geometry, &bits, &error) == ERG_OK;
    apart += fits ? bits : 0;
  }
  erg_error_clear(&error);
  if (!fits || mapping.offchip_bits <= apart) return true; /* parts that do not fit are no alternative */
  snprintf(reason, reason_bytes, "off-chip traffic would rise from %.3f to %.3f MB", (double)apart / 8e6,
           (double)mapping.offchip_bits / 8e6);
  return false;
}

/* Counts of a pass by the point's model. `rtl`: the ledger of the whole network, whose array passes have been run. */
static erg_status count_pass(const erg_point *point, const erg_verify_result *rtl, const erg_op_counts *ops,
                             erg_layer_result *layer, erg_error *error) {
  if (point->model == ERG_MODEL_ANALYTIC && layer->pass->chain) { /* its tiles are the chain's own */
    erg_analytic(point->arch, &layer->geometry, &layer->mapping, ops, &layer->activity);
    return ERG_OK;
  }
  if (point->model == ERG_MODEL_ANALYTIC)
    return erg_memo_analytic(point->memo, point->arch, &layer->geometry, &layer->mapping, ops, &layer->activity, error);
  for (int i = 0; i < rtl->row_count && layer->geometry.array; i++)
    if (strcmp(rtl->rows[i].name, layer->pass->name) == 0) {
      layer->activity = rtl->rows[i].activity;
      return ERG_OK;
    }
  return erg_systemc(point->arch, &layer->geometry, &layer->mapping, ops, NULL, &layer->activity, error);
}

/* Cycles of a link: it waits for its neighbours, so the whole chain is walked. */
static erg_status count_chain(const erg_point *point, const erg_plan *plan, erg_layer_result *layer, erg_error *error) {
  erg_arena arena = {0};
  int count, mine = 0;
  erg_chain_link *links = erg_chain_links(point, plan, (int)(layer->pass - plan->passes), &arena, &count, &mine);
  erg_status status = links ? erg_chain_cycles(point->arch, links, count, mine, &layer->activity, error)
                            : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_arena_free(&arena);
  return status;
}

static erg_status run_pass(const erg_point *point, const erg_precision *hardware, const erg_verify_result *rtl,
                           const erg_plan *plan, erg_layer_result *layer, erg_spread *spread, erg_error *error) {
  const erg_pass *pass = layer->pass;
  const erg_op_counts *ops = counts_of(pass, &point->precision);
  erg_error fault = {0};
  erg_geometry_at(point, pass, &layer->geometry);
  erg_status status = ERG_OK;
  if (pass->chain)
    erg_chain_map(point->arch, &layer->geometry, pass->chain_rows, &layer->mapping);
  else
    status = erg_memo_map(point->memo, point->arch, &layer->geometry, &layer->mapping, &fault);
  if (status == ERG_OK) status = count_pass(point, rtl, ops, layer, &fault);
  if (status == ERG_OK && pass->chain) status = count_chain(point, plan, layer, &fault);
  if (status == ERG_OK && (pass->chain || point->model != ERG_MODEL_ANALYTIC))
    status = erg_conserve(point->arch, &layer->geometry, &layer->activity, &fault);
  layer->activity.gated_macs = (uint64_t)llround(point->zero_share * (double)layer->activity.ops[ERG_OP_MAC]);
  if (status == ERG_OK && !point->totals_only) {
    erg_price_machine machine;
    const erg_precision precision = erg_precision_at(point, pass);
    erg_arch_price_machine(point->arch, &point->precision, &machine);
    machine.mac_products = layer->geometry.products;
    status = erg_price(point->technology, &machine, &layer->activity, &precision, hardware, &layer->energy, &fault);
    if (status == ERG_OK)
      status = erg_itemise(point->technology, &machine, &layer->activity, &precision, hardware, erg_spread_item, spread,
                           &fault);
  }
  if (status == ERG_ERR_UNSUPPORTED)
    erg_fail(error, status, "%s", fault.text); /* the point's reason, not the layer's */
  else if (status != ERG_OK)
    erg_fail(error, status, "%s: layer %s: %s", point->graph->file, pass->name, fault.text);
  erg_error_clear(&fault);
  return status;
}

/* Area of the array's MACs when the technology states one: other parts have no source. */
static double area_of(const erg_point *point, const erg_precision *hardware) {
  double um2;
  if (point->arch->mac == ERG_MAC_SCALABLE) return -1; /* no source states its area */
  if (erg_technology_mac_area(point->technology, hardware, &um2, NULL) != ERG_OK) return -1;
  return um2 * (double)point->arch->rows * (double)point->arch->cols;
}

static erg_status test_law(const erg_point *point, erg_result *r, erg_error *error) {
  size_t bytes = sizeof(double) * (size_t)r->layer_count;
  erg_arena *arena = &r->plan.arena;
  double *flops = erg_arena_alloc(arena, bytes), *moved = erg_arena_alloc(arena, bytes);
  double *arithmetic = erg_arena_alloc(arena, bytes), *memory = erg_arena_alloc(arena, bytes);
  if (!flops || !moved || !arithmetic || !memory) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < r->layer_count; i++) {
    const erg_layer_result *layer = &r->layers[i];
    flops[i] = 2.0 * (double)layer->activity.ops[ERG_OP_MAC];
    moved[i] = (double)erg_activity_level_bits(&layer->activity, 0) / 8;
    arithmetic[i] = layer->energy.mac_pj + layer->energy.other_ops_pj;
    for (int level = 0; level < point->arch->level_count + 2; level++) memory[i] += layer->energy.level_pj[level];
  }
  return erg_law_test(r->layer_count, flops, moved, arithmetic, memory, &r->law, error);
}

double erg_peak_macs_per_cycle(const erg_point *point) {
  int products = erg_arch_products(point->arch, &point->precision);
  return (double)point->arch->rows * (double)point->arch->cols * (products ? products : 1);
}

double erg_pass_peak_macs_per_cycle(const erg_point *point, const erg_pass *pass) {
  erg_point alone = *point;
  alone.precision = erg_precision_at(point, pass);
  return erg_peak_macs_per_cycle(&alone);
}

static erg_status price_sum(const erg_point *point, const erg_precision *hardware, erg_result *r, erg_error *error) {
  erg_price_machine machine;
  erg_arch_price_machine(point->arch, &point->precision, &machine);
  return erg_price(point->technology, &machine, &r->activity, &point->precision, hardware, &r->energy, error);
}

static void sum_up(const erg_point *point, const erg_precision *hardware, erg_result *r) {
  for (int i = 0; i < r->layer_count; i++) {
    for (int t = 0; t < r->layers[i].times; t++) erg_activity_add(&r->activity, &r->layers[i].activity);
    if (!point->totals_only) erg_energy_add(&r->energy, &r->layers[i].energy);
  }
  for (int i = 0; i < point->graph->node_count; i++) { /* a CSV workload has an input a layer */
    const erg_node *node = &point->graph->nodes[i];
    if (node->op->role == ERG_ROLE_INPUT)
      r->activity.initial_write_bits += (uint64_t)erg_shape_elements(node->out) * (uint64_t)erg_tensor_bits(point, i);
  }
  r->macs = r->activity.ops[ERG_OP_MAC];
  r->parameters = erg_graph_parameters(point->graph);
  r->latency_s = (double)r->activity.cycles / (point->arch->clock_mhz * 1e6);
  double work = 0; /* cycles of an array whose cells all work; products are powers of two: exact */
  for (int i = 0; i < r->layer_count; i++)
    work += r->layers[i].times * (double)r->layers[i].activity.ops[ERG_OP_MAC] /
            (r->layers[i].geometry.products ? r->layers[i].geometry.products : 1);
  double cells = (double)r->activity.cycles * (double)point->arch->rows * (double)point->arch->cols;
  r->utilization = cells > 0 ? work / cells : 0;
  r->area_um2 = area_of(point, hardware);
}

/* The plan, and how many passes are alike where it is kept in the caller's memo for points of which totals are asked.
 */
static erg_status plan_point(const erg_point *point, erg_result *r, const int **times, erg_error *error) {
  *times = NULL;
  if (!r->point.memo || !point->totals_only || point->model != ERG_MODEL_ANALYTIC ||
      point->fusion == ERG_FUSION_DEPTH) {
    erg_status status = erg_plan_build(point->graph, point->fusion, erg_judge_fusion, (void *)point, &r->plan, error);
    if (status == ERG_OK && point->fusion == ERG_FUSION_DEPTH) status = erg_chain_plan(point, &r->plan, error);
    return status;
  }
  erg_kept_plan *kept = erg_memo_plan(point->memo, point->fusion);
  erg_status status = erg_kept_plan_at(kept, point, error);
  if (status != ERG_OK) return status;
  r->plan = kept->plan;
  r->plan.arena = (erg_arena){0}; /* the result's own */
  *times = kept->times;
  return ERG_OK;
}

static erg_status run_point(const erg_point *point, erg_progress *progress, erg_verify_result *rtl, erg_result *r,
                            erg_error *error) {
  erg_precision hardware;
  const int *times;
  if (point->dataflow != ERG_DATAFLOW_WS && point->fusion == ERG_FUSION_DEPTH)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "fusion depth: chains run weight-stationary; found dataflow %s",
                    erg_dataflow_names[point->dataflow]);
  if (point->fusion == ERG_FUSION_DEPTH && point->model != ERG_MODEL_ANALYTIC)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "fusion depth has formulas only: %s runs one pass after the other",
                    erg_model_names[point->model]);
  if (point->dataflow != ERG_DATAFLOW_WS && point->arch->mac == ERG_MAC_SCALABLE)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "mac: scalable is weight-stationary; found dataflow %s",
                    erg_dataflow_names[point->dataflow]);
  erg_status status = erg_point_hardware(point, &hardware, error);
  if (status == ERG_OK) status = plan_point(point, r, &times, error);
  if (status != ERG_OK) return status;
  r->layers = erg_arena_alloc(&r->plan.arena, sizeof *r->layers * (size_t)r->plan.pass_count);
  if (!r->layers) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (point->model == ERG_MODEL_RTL) {
    const erg_verify_options options = {.quiet = progress == NULL || progress->quiet,
                                        .look = point->count_toggles ? ERG_LOOK_SUMS : ERG_LOOK_NONE};
    status = erg_verify(point, &options, rtl, error);
    if (status != ERG_OK) return status;
  }
  double macs_done = 0;
  r->spread.arena = &r->plan.arena;
  for (int i = 0; i < r->plan.pass_count && status == ERG_OK; i++) {
    const erg_pass *pass = &r->plan.passes[i];
    if (!exists(pass, &point->precision) || (times && times[i] == 0)) continue;
    erg_layer_result *layer = &r->layers[r->layer_count++];
    layer->pass = pass;
    layer->times = times ? times[i] : 1;
    status = run_pass(point, &hardware, rtl, &r->plan, layer, &r->spread, error);
    macs_done += (double)pass->int_counts.mac;
    if (progress) erg_progress_update(progress, macs_done, pass->name);
  }
  if (status != ERG_OK) return status;
  sum_up(point, &hardware, r);
  return point->totals_only ? price_sum(point, &hardware, r, error) : test_law(point, r, error);
}

erg_status erg_run(const erg_point *asked, erg_progress *progress, erg_result *out, erg_error *error) {
  erg_result result = {.point = *asked};
  erg_error fault = {0};
  erg_verify_result rtl = {0};
  erg_point own = *asked;
  const erg_point *point = &own;
  if (!own.memo) own.memo = erg_memo_new(); /* identical layers of one network, if no more */
  if (own.widths) own.totals_only = false;  /* what a sum costs depends on the widths of its layers */
  erg_status status = run_point(point, progress, &rtl, &result, &fault);
  if (!asked->memo) erg_memo_free(own.memo);
  erg_verify_result_free(&rtl);
  if (status == ERG_ERR_UNSUPPORTED) {
    result.skipped = true;
    result.reason = strdup(fault.text ? fault.text : "not supported");
    result.layer_count = 0;
    status = ERG_OK;
  }
  if (status == ERG_OK) {
    *out = result;
    out->spread.arena = &out->plan.arena;
  } else {
    erg_fail(error, status, "%s", fault.text ? fault.text : "failed");
    erg_plan_free(&result.plan);
  }
  erg_error_clear(&fault);
  return status;
}

void erg_result_free(erg_result *result) {
  erg_plan_free(&result->plan);
  free(result->reason);
}
