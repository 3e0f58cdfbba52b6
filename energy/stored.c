/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs as they were stored (docs/json.md): counts and machine come back, so that they can be priced again. */
#include "ergon/energy.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  const char *file;
  int result;
  erg_error *error;
} reader;

static const char *text_of(const reader *r, const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  if (!text) erg_fail(r->error, ERG_ERR_DATA, "%s: results[%d].%s: missing, or not a text", r->file, r->result, key);
  return text ? text : "";
}

static double number_of(const reader *r, const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_number(value) || json_number_value(value) < 0) {
    erg_fail(r->error, ERG_ERR_DATA,
             "%s: results[%d].%s: missing, or not a number from 0 up; write the run with this "
             "version of ergon",
             r->file, r->result, key);
    return 0;
  }
  return json_number_value(value);
}

static uint64_t count_of(const reader *r, const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value) || json_integer_value(value) < 0) {
    erg_fail(r->error, ERG_ERR_DATA, "%s: results[%d].%s: missing, or not a count", r->file, r->result, key);
    return 0;
  }
  return (uint64_t)json_integer_value(value);
}

static int index_of(const char *word, const char *const *names) {
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], word) == 0) return i;
  return -1;
}

static void read_machine(const reader *r, const json_t *object, erg_price_machine *m) {
  const json_t *levels = json_object_get(object, "levels");
  size_t count = json_array_size(levels);
  if (count < 3 || count > ERG_ALL_LEVELS) {
    erg_fail(r->error, ERG_ERR_DATA,
             "%s: results[%d].machine.levels: %zu levels; runs of earlier versions have none: run again", r->file,
             r->result, count);
    return;
  }
  m->level_count = (int)count - 2;
  m->pe_count = (int64_t)count_of(r, object, "pes");
  m->clock_mhz = number_of(r, object, "clock_mhz");
  m->mac_products = (int)json_integer_value(json_object_get(object, "mac_products")); /* earlier runs: none */
  if (m->clock_mhz <= 0) erg_fail(r->error, ERG_ERR_DATA, "%s: results[%d].machine.clock_mhz: 0", r->file, r->result);
  for (size_t i = 0; i < count; i++) {
    const json_t *level = json_array_get(levels, i);
    int kind = index_of(text_of(r, level, "kind"), erg_memory_kind_names);
    if (kind < 0)
      erg_fail(r->error, ERG_ERR_DATA,
               "%s: results[%d].machine.levels[%zu].kind: found '%s'; allowed: dram, sram, "
               "register",
               r->file, r->result, i, text_of(r, level, "kind"));
    m->levels[i].name = text_of(r, level, "name");
    m->levels[i].kind = (erg_memory_kind)(kind < 0 ? 0 : kind);
    m->levels[i].bank_bytes = number_of(r, level, "bank_bytes");
    m->levels[i].banks = number_of(r, level, "banks");
    m->levels[i].word_bits = number_of(r, level, "word_bits");
    m->levels[i].wire_mm = number_of(r, level, "wire_mm");
    m->levels[i].bandwidth_bits_per_cycle = number_of(r, level, "bandwidth_bits_per_cycle");
  }
}

static void read_precision(const reader *r, const char *name, erg_precision *out) {
  erg_error fault = {0};
  if (erg_precision_parse(name, out, &fault) != ERG_OK)
    erg_fail(r->error, ERG_ERR_DATA, "%s: results[%d]: %s", r->file, r->result, fault.text);
  erg_error_clear(&fault);
}

static void read_layer(const reader *r, const json_t *object, const erg_stored_result *result,
                       erg_stored_layer *layer) {
  const erg_price_machine *m = &result->machine;
  const json_t *products = json_object_get(object, "mac_products");
  const char *own = json_string_value(json_object_get(object, "precision")); /* earlier runs: none */
  layer->precision = result->precision;
  if (own) read_precision(r, own, &layer->precision);
  layer->mac_products = products ? (int)json_integer_value(products) : m->mac_products;
  const json_t *ops = json_object_get(object, "ops"), *levels = json_object_get(object, "tensor_bits");
  erg_activity *a = &layer->activity;
  layer->name = text_of(r, object, "name");
  layer->total_pj = number_of(r, json_object_get(object, "energy_pj"), "total");
  for (int op = 0; op < ERG_OP_COUNT; op++) a->ops[op] = count_of(r, ops, erg_op_kind_names[op]);
  a->gated_macs = count_of(r, object, "gated_macs");
  a->cycles = count_of(r, object, "cycles");
  for (int level = 0; level <= ERG_LEVEL_REGISTERS(m->level_count); level++) {
    const json_t *tensors = json_object_get(levels, m->levels[level].name);
    if (!json_is_object(tensors))
      erg_fail(r->error, ERG_ERR_DATA, "%s: results[%d]: layer %s has no counts of level %s", r->file, r->result,
               layer->name, m->levels[level].name);
    for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
      const json_t *bits = json_object_get(tensors, erg_tensor_names[t]);
      if (!bits) continue;
      a->read_bits[level][t] = count_of(r, bits, "read_bits");
      a->write_bits[level][t] = count_of(r, bits, "write_bits");
    }
  }
}

static void read_result(const reader *r, const json_t *object, erg_arena *arena, erg_stored_result *out) {
  out->workload = text_of(r, object, "workload");
  out->arch = text_of(r, object, "arch");
  out->technology = text_of(r, object, "technology");
  out->precision_name = text_of(r, object, "precision");
  out->fusion = text_of(r, object, "fusion");
  out->model = text_of(r, object, "model");
  out->status = text_of(r, object, "status");
  out->mac = json_string_value(json_object_get(object, "mac"));
  if (strcmp(out->status, "ok") != 0) {
    out->reason = json_string_value(json_object_get(object, "reason"));
    if (!out->reason) out->reason = "no reason given";
    return;
  }
  read_precision(r, text_of(r, object, "mac_precision"), &out->mac_precision);
  out->precision = out->mac_precision;
  if (!json_is_object(json_object_get(object, "precision_plan")))
    read_precision(r, out->precision_name, &out->precision);
  read_machine(r, json_object_get(object, "machine"), &out->machine);
  const json_t *totals = json_object_get(object, "totals"), *layers = json_object_get(object, "layers");
  out->total_pj = number_of(r, json_object_get(totals, "energy_pj"), "total");
  out->latency_s = number_of(r, totals, "latency_s");
  out->macs = count_of(r, totals, "macs");
  if (r->error->status != ERG_OK) return;
  if (json_array_size(layers) == 0) {
    erg_fail(r->error, ERG_ERR_DATA, "%s: results[%d].layers: none", r->file, r->result);
    return;
  }
  out->layers = erg_arena_alloc(arena, sizeof *out->layers * json_array_size(layers));
  if (!out->layers) {
    erg_fail(r->error, ERG_ERR_INTERNAL, "out of memory");
    return;
  }
  out->layer_count = (int)json_array_size(layers);
  for (int i = 0; i < out->layer_count; i++) read_layer(r, json_array_get(layers, (size_t)i), out, &out->layers[i]);
}

static erg_status load(const char *path, erg_arena *arena, const char **file, json_t **out, erg_error *error) {
  struct stat info;
  json_error_t fault;
  bool standard = strcmp(path, "-") == 0;
  *file = standard ? "stdin" : path;
  if (!standard && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
    *file = erg_arena_printf(arena, "%s/run.json", path);
  FILE *stream = standard ? stdin : fopen(*file, "r");
  if (!stream) return erg_fail(error, ERG_ERR_NO_INPUT, "%s: cannot be opened", *file);
  *out = json_loadf(stream, JSON_REJECT_DUPLICATES, &fault);
  if (!standard) fclose(stream);
  if (!*out) return erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: %s", *file, fault.line, fault.column, fault.text);
  const char *schema = json_string_value(json_object_get(*out, "schema"));
  if (!schema || strcmp(schema, "ergon.run") != 0)
    return erg_fail(error, ERG_ERR_DATA, "%s: schema: found '%s'; allowed: ergon.run", *file, schema ? schema : "none");
  return ERG_OK;
}

static erg_status read_run(const reader *start, erg_status status, erg_stored_run run, erg_stored_run *out,
                           erg_error *error) {
  erg_error faults = *start->error;
  reader r = *start;
  r.error = &faults;
  if (status == ERG_OK) {
    const json_t *results = json_object_get(run.json, "results");
    run.count = (int)json_array_size(results);
    run.results = erg_arena_alloc(&run.arena, sizeof *run.results * (size_t)run.count);
    run.tech_sha256 =
        json_string_value(json_object_get(json_object_get(json_object_get(run.json, "provenance"), "sha256"), "tech"));
    run.model_version = json_integer_value(json_object_get(json_object_get(run.json, "provenance"), "model_version"));
    if (run.count == 0) erg_fail(&faults, ERG_ERR_DATA, "%s: no results", r.file);
    for (r.result = 0; r.result < run.count && faults.count < 20; r.result++)
      read_result(&r, json_array_get(results, (size_t)r.result), &run.arena, &run.results[r.result]);
    status = faults.status;
  }
  if (status == ERG_OK) {
    *out = run;
  } else {
    erg_fail(error, status, "%s", faults.text);
    erg_stored_free(&run);
  }
  erg_error_clear(&faults);
  return status;
}

erg_status erg_stored_read(const char *path, erg_stored_run *out, erg_error *error) {
  erg_stored_run run = {0};
  erg_error faults = {0};
  reader r = {.error = &faults};
  erg_status status = load(path, &run.arena, &r.file, &run.json, &faults);
  return read_run(&r, status, run, out, error);
}

erg_status erg_stored_parse(const char *result, const char *file, erg_stored_run *out, erg_error *error) {
  erg_error faults = {0};
  reader r = {.file = file, .error = &faults};
  json_error_t fault;
  json_t *object = json_loads(result, JSON_REJECT_DUPLICATES, &fault);
  erg_stored_run run = {.json = json_object()};
  if (!object) erg_fail(&faults, ERG_ERR_DATA, "%s: counts: %s", file, fault.text);
  json_t *results = json_array();
  json_array_append_new(results, object);
  json_object_set_new(run.json, "results", results);
  return read_run(&r, faults.status, run, out, error);
}

void erg_stored_free(erg_stored_run *run) {
  json_decref(run->json);
  erg_arena_free(&run->arena);
}

erg_status erg_stored_price(const erg_technology *t, const erg_stored_result *result, erg_item_sink sink, void *context,
                            erg_energy *out, erg_error *error) {
  erg_energy sum = {0};
  for (int i = 0; i < result->layer_count; i++) {
    const erg_stored_layer *l = &result->layers[i];
    erg_price_machine machine = result->machine;
    machine.mac_products = l->mac_products;
    erg_energy layer = {0};
    erg_status status = erg_price(t, &machine, &l->activity, &l->precision, &result->mac_precision, &layer, error);
    if (status == ERG_OK && sink)
      status = erg_itemise(t, &machine, &l->activity, &l->precision, &result->mac_precision, sink, context, error);
    if (status != ERG_OK) return status;
    erg_energy_add(&sum, &layer);
  }
  *out = sum;
  return ERG_OK;
}
