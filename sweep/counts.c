/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row's counts as JSON. Rows are many and numbers in them more: they are written without a format to be read. */
#include "counts.h"
#include "wire.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  erg_bytes bytes;
  bool no_memory;
} writer;

static void put_bytes(writer *w, const char *text, size_t count) {
  if (!erg_bytes_add(&w->bytes, text, count)) w->no_memory = true;
}

static void put(writer *w, const char *text) {
  put_bytes(w, text, strlen(text));
}

static void put_count(writer *w, uint64_t value) {
  char digits[20], *at = digits + sizeof digits;
  do *--at = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  put_bytes(w, at, (size_t)(digits + sizeof digits - at));
}

/* As %.17g, which writes whole numbers of up to 17 digits like integers. */
static void put_real(writer *w, double value) {
  char text[32];
  if (!signbit(value) && value < 1e15 && value == (double)(uint64_t)value)
    put_count(w, (uint64_t)value);
  else
    put_bytes(w, text, (size_t)snprintf(text, sizeof text, "%.17g", value));
}

/* "name":"text" */
static void put_text(writer *w, const char *before, const char *text) {
  put(w, before);
  put_bytes(w, "\"", 1);
  put(w, text);
  put_bytes(w, "\"", 1);
}

static void put_named_count(writer *w, const char *before, uint64_t value) {
  put(w, before);
  put_count(w, value);
}

static void put_named_real(writer *w, const char *before, double value) {
  put(w, before);
  put_real(w, value);
}

static const char *level_name(const erg_arch *arch, int level) {
  return level == ERG_LEVEL_ACCUMULATOR(arch->level_count) ? "accumulator"
         : level < arch->level_count                       ? arch->levels[level].name
                                                           : "registers";
}

static void write_level(writer *w, const erg_activity *a, int level) {
  bool more = false;
  for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
    if (!a->read_bits[level][t] && !a->write_bits[level][t]) continue;
    put(w, more ? ",\"" : "\"");
    put(w, erg_tensor_names[t]);
    put_named_count(w, "\":{\"read_bits\":", a->read_bits[level][t]);
    put_named_count(w, ",\"write_bits\":", a->write_bits[level][t]);
    put(w, "}");
    more = true;
  }
}

/* Sum of the layers of one precision as a layer of docs/json.md. */
static void write_sum(writer *w, const erg_arch *arch, const erg_activity *a, const char *name, double total_pj) {
  put_text(w, "{\"name\":", name);
  put_named_count(w, ",\"cycles\":", a->cycles);
  put_named_count(w, ",\"gated_macs\":", a->gated_macs);
  put_named_real(w, ",\"energy_pj\":{\"total\":", total_pj);
  put(w, "},\"ops\":{");
  for (int op = 0; op < ERG_OP_COUNT; op++) {
    put(w, op ? ",\"" : "\"");
    put(w, erg_op_kind_names[op]);
    put_named_count(w, "\":", a->ops[op]);
  }
  put(w, "},\"tensor_bits\":{");
  for (int l = 0; l <= ERG_LEVEL_REGISTERS(arch->level_count); l++) {
    put(w, l ? ",\"" : "\"");
    put(w, level_name(arch, l));
    put(w, "\":{");
    write_level(w, a, l);
    put(w, "}");
  }
  put(w, "}");
}

/* With a plan a sum for each precision that occurs: what an operation costs depends on it. */
static void write_layers(writer *w, const erg_result *r) {
  const erg_point *p = &r->point;
  if (!p->widths) {
    write_sum(w, p->arch, &r->activity, "all layers", r->energy.total_pj);
    put(w, "}");
    return;
  }
  for (int i = 0; i < r->layer_count; i++) {
    const erg_precision own = erg_precision_at(p, r->layers[i].pass);
    erg_activity sum = {0};
    double total_pj = 0;
    bool first = true;
    for (int j = 0; j < r->layer_count; j++) {
      const erg_precision other = erg_precision_at(p, r->layers[j].pass);
      if (memcmp(&own, &other, sizeof own) != 0) continue;
      first &= j >= i;
      erg_activity_add(&sum, &r->layers[j].activity);
      total_pj += r->layers[j].energy.total_pj;
    }
    char name[32];
    if (!first) continue;
    erg_precision_name(&own, name);
    if (i) put(w, ",");
    write_sum(w, p->arch, &sum, name, total_pj);
    put_text(w, ",\"precision\":", name);
    put_named_count(w, ",\"mac_products\":", (uint64_t)r->layers[i].geometry.products);
    put(w, "}");
  }
}

static void write_machine(writer *w, const erg_price_machine *m) {
  put_named_count(w, ",\"machine\":{\"pes\":", (uint64_t)m->pe_count);
  put_named_real(w, ",\"clock_mhz\":", m->clock_mhz);
  put_named_count(w, ",\"mac_products\":", (uint64_t)m->mac_products);
  put(w, ",\"levels\":[");
  for (int l = 0; l <= ERG_LEVEL_REGISTERS(m->level_count); l++) {
    put_text(w, l ? ",{\"name\":" : "{\"name\":", m->levels[l].name);
    put_text(w, ",\"kind\":", erg_memory_kind_names[m->levels[l].kind]);
    put_named_real(w, ",\"bank_bytes\":", m->levels[l].bank_bytes);
    put_named_real(w, ",\"banks\":", m->levels[l].banks);
    put_named_real(w, ",\"word_bits\":", m->levels[l].word_bits);
    put_named_real(w, ",\"wire_mm\":", m->levels[l].wire_mm);
    put_named_real(w, ",\"bandwidth_bits_per_cycle\":", m->levels[l].bandwidth_bits_per_cycle);
    put(w, "}");
  }
  put(w, "]}");
}

char *erg_counts_text(const erg_result *r, erg_arena *arena) {
  const erg_point *p = &r->point;
  erg_price_machine machine;
  erg_precision hardware;
  char name[32];
  writer w = {0};
  erg_arch_price_machine(p->arch, &p->precision, &machine);
  if (erg_point_hardware(p, &hardware, NULL) != ERG_OK) hardware = p->precision;
  put_text(&w, "{\"workload\":", p->graph->name);
  put_text(&w, ",\"arch\":", p->arch->name);
  put_text(&w, ",\"technology\":", p->technology->name);
  put_text(&w, ",\"precision\":", erg_precision_name(&p->precision, name));
  put_text(&w, ",\"fusion\":", erg_fusion_names[p->fusion]);
  put_text(&w, ",\"model\":", erg_model_names[p->model]);
  put_text(&w, ",\"status\":\"ok\",\"mac_precision\":", erg_precision_name(&hardware, name));
  write_machine(&w, &machine);
  put_named_count(&w, ",\"totals\":{\"macs\":", r->macs);
  put_named_real(&w, ",\"latency_s\":", r->latency_s);
  put_named_real(&w, ",\"energy_pj\":{\"total\":", r->energy.total_pj);
  put(&w, "}},\"layers\":[");
  write_layers(&w, r);
  put_bytes(&w, "]}", 3); /* with its end */
  char *text = w.no_memory ? NULL : erg_arena_strdup(arena, w.bytes.bytes);
  free(w.bytes.bytes);
  return text;
}
