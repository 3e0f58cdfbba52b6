/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results as JSON (docs/json.md). Units stand in the names; a quantity that does not exist is null. */
#include "commit.h"
#include "ergon/sim.h"
#include <math.h>
#include <string.h>

static json_t *real_or_null(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}
static json_t *count_json(uint64_t value) {
  return json_integer((json_int_t)value);
}

static const char *level_name(const erg_arch *arch, int level) {
  if (level == ERG_LEVEL_ACCUMULATOR(arch->level_count)) return "accumulator";
  return level == ERG_LEVEL_REGISTERS(arch->level_count) ? "registers" : arch->levels[level].name;
}

static json_t *traffic_json(const erg_arch *arch, const erg_activity *activity) {
  json_t *object = json_object();
  for (int level = 0; level < arch->level_count + 2; level++)
    json_object_set_new(object, level_name(arch, level),
                        json_real((double)erg_activity_level_bits(activity, level) / 8));
  return object;
}

static json_t *tensors_json(const erg_arch *arch, const erg_activity *activity) {
  json_t *object = json_object();
  for (int level = 0; level < arch->level_count + 2; level++) {
    json_t *tensors = json_object();
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
      uint64_t read = activity->read_bits[level][tensor], written = activity->write_bits[level][tensor];
      if (read || written)
        json_object_set_new(tensors, erg_tensor_names[tensor],
                            json_pack("{s:o, s:o}", "read_bits", count_json(read), "write_bits", count_json(written)));
    }
    json_object_set_new(object, level_name(arch, level), tensors);
  }
  return object;
}

static json_t *stalls_json(const erg_arch *arch, const erg_activity *activity) {
  json_t *object = json_object();
  for (int level = 0; level < arch->level_count; level++)
    json_object_set_new(object, arch->levels[level].name, count_json(activity->stall_cycles[level]));
  return object;
}

static json_t *energy_json(const erg_point *point, const erg_energy *energy) {
  json_t *levels = json_object();
  for (int level = 0; level < point->arch->level_count + 2; level++)
    json_object_set_new(levels, level_name(point->arch, level), json_real(energy->level_pj[level]));
  bool any = erg_technology_has_static(point->technology);
  json_t *parts = json_object();
  for (int part = 0; part < ERG_STATIC_COUNT; part++)
    json_object_set_new(parts, erg_static_part_names[part],
                        energy->static_part_pj[part] > 0 ? json_real(energy->static_part_pj[part]) : json_null());
  return json_pack("{s:f, s:f, s:o, s:o, s:o, s:f}", "mac", energy->mac_pj, "other_ops", energy->other_ops_pj, "levels",
                   levels, "static", any ? json_real(energy->static_pj) : json_null(), "static_parts", parts, "total",
                   energy->total_pj);
}

static json_t *ops_json(const erg_activity *activity) {
  json_t *object = json_object();
  for (int op = 0; op < ERG_OP_COUNT; op++)
    json_object_set_new(object, erg_op_kind_names[op], count_json(activity->ops[op]));
  return object;
}

static json_t *tile_json(const erg_layer_result *layer) {
  const erg_mapping *m = &layer->mapping;
  return json_pack("{s:i, s:i, s:I, s:s, s:i, s:i, s:i}", "out_channels", m->out_channels, "out_rows", m->out_rows,
                   "reduction", (json_int_t)m->reduction, "stays",
                   m->order == ERG_ORDER_WEIGHTS_STAY ? "weights" : "inputs", "n_tiles", m->n_tiles, "m_tiles",
                   m->m_tiles, "k_chunks", m->k_chunks);
}

static json_t *toggles_json(const erg_point *point, const erg_activity *a) {
  if (!point->count_toggles || a->array_cycles == 0) return json_null();
  json_t *object = json_object();
  double sum = 0, pe_cycles = (double)(point->arch->rows * point->arch->cols) * (double)a->array_cycles;
  for (int i = 0; i < ERG_TOGGLES; i++) {
    json_object_set_new(object, erg_toggle_names[i], count_json(a->register_toggles[i]));
    sum += (double)a->register_toggles[i];
  }
  json_object_set_new(object, "per_pe_cycle", json_real(sum / pe_cycles));
  return object;
}

static json_t *chain_json(const erg_pass *pass) {
  if (pass->chain == 0) return json_null();
  return json_pack("{s:i, s:b, s:b}", "number", pass->chain, "input_on_chip", pass->from_chain, "output_on_chip",
                   pass->to_chain);
}

static json_t *nodes_json(const erg_point *point, const erg_pass *pass) {
  json_t *names = json_array();
  for (int i = 0; i < pass->node_count; i++)
    json_array_append_new(names, json_string(point->graph->nodes[pass->nodes[i]].name));
  return names;
}

static json_t *layer_json(const erg_point *point, const erg_layer_result *layer) {
  const erg_activity *a = &layer->activity;
  double peak = (double)a->cycles * erg_pass_peak_macs_per_cycle(point, layer->pass);
  const erg_precision precision = erg_precision_at(point, layer->pass);
  char name[32];
  json_t *object = json_object();
  json_object_set_new(object, "name", json_string(layer->pass->name));
  json_object_set_new(object, "nodes", nodes_json(point, layer->pass));
  json_object_set_new(object, "pass", json_string(layer->pass->kind_name));
  json_object_set_new(object, "precision", json_string(erg_precision_name(&precision, name)));
  json_object_set_new(object, "mac_products", json_integer(layer->geometry.products));
  json_object_set_new(object, "macs", count_json(a->ops[ERG_OP_MAC]));
  json_object_set_new(object, "ops", ops_json(a));
  json_object_set_new(object, "gated_macs", count_json(a->gated_macs));
  json_object_set_new(object, "cycles", count_json(a->cycles));
  json_object_set_new(object, "array_cycles", count_json(a->array_cycles));
  json_object_set_new(object, "vector_cycles", count_json(a->vector_cycles));
  json_object_set_new(object, "stall_cycles", stalls_json(point->arch, a));
  json_object_set_new(object, "utilization", real_or_null(peak > 0 ? (double)a->ops[ERG_OP_MAC] / peak : NAN));
  json_object_set_new(object, "tile", tile_json(layer));
  json_object_set_new(object, "chain", chain_json(layer->pass));
  json_object_set_new(object, "register_toggles", toggles_json(point, a));
  json_object_set_new(object, "traffic_bytes", traffic_json(point->arch, a));
  json_object_set_new(object, "tensor_bits", tensors_json(point->arch, a));
  json_object_set_new(object, "energy_pj", energy_json(point, &layer->energy));
  return object;
}

static json_t *law_json(const erg_result *r) {
  const erg_law *law = &r->law;
  json_t *object = json_object();
  json_object_set_new(object, "fitted", json_boolean(law->fitted));
  json_object_set_new(object, "reason", law->reason ? json_string(law->reason) : json_null());
  json_object_set_new(object, "a_pj_per_flop", law->fitted ? json_real(law->a_pj_per_flop) : json_null());
  json_object_set_new(object, "b_pj_per_byte", law->fitted ? json_real(law->b_pj_per_byte) : json_null());
  json_object_set_new(object, "rms_relative_error", law->fitted ? json_real(law->rms_relative_error) : json_null());
  json_object_set_new(object, "worst_relative_error", law->fitted ? json_real(law->worst_relative_error) : json_null());
  json_object_set_new(object, "worst_layer",
                      law->fitted && law->worst_layer >= 0 ? json_string(r->layers[law->worst_layer].pass->name)
                                                           : json_null());
  return object;
}

/* Of all SRAM, the accumulator memory included; NAN where the technology has no table of SRAM. */
static double sram_area_um2(const erg_point *point) {
  erg_price_machine m;
  double sum = 0, um2;
  erg_arch_price_machine(point->arch, &point->precision, &m);
  for (int i = 0; i <= ERG_LEVEL_ACCUMULATOR(m.level_count); i++) {
    if (m.levels[i].kind != ERG_MEMORY_SRAM) continue;
    if (erg_sram_lookup(point->technology, ERG_SRAM_AREA_UM2, m.levels[i].bank_bytes, m.levels[i].word_bits, &um2,
                        NULL) != ERG_OK)
      return NAN;
    sum += um2 * m.levels[i].banks;
  }
  return sum;
}

/* What pricing needs beside the counts, so that a stored run can be priced again. */
static json_t *machine_json(const erg_point *point) {
  erg_price_machine m;
  erg_arch_price_machine(point->arch, &point->precision, &m);
  json_t *levels = json_array();
  for (int i = 0; i <= ERG_LEVEL_REGISTERS(m.level_count); i++)
    json_array_append_new(levels, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "name", m.levels[i].name, "kind",
                                            erg_memory_kind_names[m.levels[i].kind], "bank_bytes",
                                            m.levels[i].bank_bytes, "banks", m.levels[i].banks, "word_bits",
                                            m.levels[i].word_bits, "wire_mm", m.levels[i].wire_mm,
                                            "bandwidth_bits_per_cycle", m.levels[i].bandwidth_bits_per_cycle));
  return json_pack("{s:I, s:f, s:i, s:o}", "pes", (json_int_t)m.pe_count, "clock_mhz", m.clock_mhz, "mac_products",
                   m.mac_products, "levels", levels);
}

static json_t *totals_json(const erg_result *r) {
  const erg_arch *arch = r->point.arch;
  double energy_j = r->energy.total_pj * 1e-12;
  json_t *t = json_object();
  json_object_set_new(t, "macs", count_json(r->macs));
  json_object_set_new(t, "flops", count_json(2 * r->macs));
  json_object_set_new(t, "params", json_integer(r->parameters));
  json_object_set_new(t, "cycles", count_json(r->activity.cycles));
  json_object_set_new(t, "array_cycles", count_json(r->activity.array_cycles));
  json_object_set_new(t, "vector_cycles", count_json(r->activity.vector_cycles));
  json_object_set_new(t, "stall_cycles", stalls_json(arch, &r->activity));
  json_object_set_new(t, "latency_s", json_real(r->latency_s));
  json_object_set_new(t, "utilization", json_real(r->utilization));
  json_object_set_new(t, "area_um2", r->area_um2 >= 0 ? json_real(r->area_um2) : json_null());
  json_object_set_new(t, "sram_area_um2", real_or_null(sram_area_um2(&r->point)));
  json_object_set_new(t, "traffic_bytes", traffic_json(arch, &r->activity));
  json_object_set_new(t, "initial_write_bytes", json_real((double)r->activity.initial_write_bits / 8));
  json_object_set_new(t, "ops", ops_json(&r->activity));
  json_object_set_new(t, "gated_macs", count_json(r->activity.gated_macs));
  json_object_set_new(t, "energy_pj", energy_json(&r->point, &r->energy));
  erg_interval interval;
  bool known = erg_spread_interval(&r->spread, &interval, NULL) == ERG_OK;
  json_object_set_new(t, "energy_pj_p05", known ? json_real(interval.p05) : json_null());
  json_object_set_new(t, "energy_pj_p95", known ? json_real(interval.p95) : json_null());
  json_object_set_new(t, "a_pj_per_flop", real_or_null(r->law.a_effective_pj_per_flop));
  json_object_set_new(t, "b_pj_per_byte", real_or_null(r->law.b_effective_pj_per_byte));
  json_object_set_new(t, "law_test", law_json(r));
  json_object_set_new(t, "power_mw", real_or_null(energy_j / r->latency_s * 1e3));
  json_object_set_new(t, "tops_per_w", real_or_null(2.0 * (double)r->macs / energy_j * 1e-12));
  json_object_set_new(t, "edp_pj_s", json_real(r->energy.total_pj * r->latency_s));
  json_object_set_new(t, "inferences_per_s", real_or_null(r->point.batch / r->latency_s));
  return t;
}

static const char *evidence_of(erg_model model) {
  static const char *const names[] = {"formula", "systemc", "rtl"};
  return names[model];
}

json_t *erg_plan_json(const erg_widths *widths) {
  char fallback[32];
  if (!widths) return json_null();
  return json_pack("{s:s, s:s, s:s, s:i}", "file", widths->plan.file, "sha256", widths->plan.sha256, "default",
                   erg_precision_name(&widths->plan.fallback.precision, fallback), "entries", widths->plan.count);
}

json_t *erg_result_json(const erg_result *r) {
  const erg_point *p = &r->point;
  char precision[32];
  json_t *object = json_object();
  json_object_set_new(object, "workload", json_string(p->graph->name));
  json_object_set_new(object, "arch", json_string(p->arch->name));
  json_object_set_new(object, "mac", json_string(erg_mac_kind_names[p->arch->mac]));
  json_object_set_new(object, "technology", json_string(p->technology->name));
  json_object_set_new(object, "precision", json_string(erg_point_precision_name(p, precision)));
  json_object_set_new(object, "precision_plan", erg_plan_json(p->widths));
  json_object_set_new(object, "fusion", json_string(erg_fusion_names[p->fusion]));
  json_object_set_new(object, "dataflow", json_string(erg_dataflow_names[p->dataflow]));
  json_object_set_new(object, "model", json_string(erg_model_names[p->model]));
  json_object_set_new(object, "batch", json_integer(p->batch));
  json_object_set_new(object, "seed", json_integer((json_int_t)p->seed));
  erg_precision hardware;
  bool built = erg_point_hardware(p, &hardware, NULL) == ERG_OK;
  json_object_set_new(object, "mac_precision",
                      built ? json_string(erg_precision_name(&hardware, precision)) : json_null());
  json_object_set_new(object, "zeros", json_real(p->zero_share));
  json_object_set_new(object, "machine", machine_json(p));
  json_object_set_new(object, "status", json_string(r->skipped ? "skipped" : "ok"));
  json_object_set_new(object, "reason", r->skipped ? json_string(r->reason) : json_null());
  json_object_set_new(object, "evidence", r->skipped ? json_null() : json_string(evidence_of(p->model)));
  json_object_set_new(object, "totals", r->skipped ? json_null() : totals_json(r));
  json_t *layers = r->skipped ? json_null() : json_array();
  for (int i = 0; i < r->layer_count; i++) json_array_append_new(layers, layer_json(p, &r->layers[i]));
  json_object_set_new(object, "layers", layers);
  return object;
}

json_t *erg_envelope_json(const char *schema, const char *command, const erg_point *point) {
  json_t *sha256 =
      !point ? json_null()
             : json_pack("{s:s?, s:s, s:s?, s:s?}", "workload", point->graph ? point->graph->sha256 : NULL, "arch",
                         point->arch->sha256, "tech", point->technology ? point->technology->sha256 : NULL,
                         "precision_plan", point->widths ? point->widths->plan.sha256 : NULL);
  json_t *provenance = json_pack("{s:s, s:s, s:i, s:s, s:o}", "ergon_version", ERGON_VERSION, "commit", ERGON_COMMIT,
                                 "model_version", ERG_MODEL_VERSION, "command", command, "sha256", sha256);
  return json_pack("{s:s, s:i, s:o}", "schema", schema, "version", 1, "provenance", provenance);
}

const char *erg_version_text(void) {
  return "ergon " ERGON_VERSION " (commit " ERGON_COMMIT ")";
}
