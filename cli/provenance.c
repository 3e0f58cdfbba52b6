/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provenance.h"
#include <math.h>
#include <string.h>

static void take(void *context, const char *label, const char *value, const erg_provenance *provenance) {
  erg_sources *s = context;
  if (s->count < (int)ERG_COUNT_OF(s->items))
    s->items[s->count++] =
        (erg_source){erg_arena_strdup(&s->arena, label), erg_arena_strdup(&s->arena, value), provenance, false};
}

void erg_sources_of(erg_sources *sources, const erg_technology *technology) {
  sources->node_nm = technology->node_nm;
  sources->voltage_v = technology->voltage_v;
  erg_technology_constants(technology, take, sources);
}

int erg_sources_index(erg_sources *s, const erg_provenance *provenance) {
  for (int i = 0; i < s->count; i++)
    if (s->items[i].provenance == provenance) {
      s->items[i].shown = true;
      return i;
    }
  return -1;
}

erg_status erg_sources_choose(erg_sources *s, const char *words, const char *technology, erg_error *error) {
  size_t length = strlen(words);
  char names[1024] = "";
  bool any = false;
  for (int pass = 0; pass < 2 && !any; pass++) /* the constant itself, else those that begin so */
    for (int i = 0; i < s->count; i++) {
      const char *label = s->items[i].label;
      bool begins = strncmp(label, words, length) == 0 && (label[length] == 0 || (pass && label[length] == ' '));
      s->items[i].shown = begins;
      any |= begins;
    }
  if (any) return ERG_OK;
  for (int i = 0; i < s->count; i++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "", s->items[i].label);
  return erg_fail(error, ERG_ERR_NO_INPUT,
                  "explain: '%s' is no coefficient of %s and no run (FILE.json or a folder); "
                  "coefficients: %s",
                  words, technology, names);
}

/* A memory off the chip is of no chip's node. */
static double node_of(const erg_sources *s, const erg_source *item) {
  if (item->provenance->node_nm > 0) return item->provenance->node_nm;
  return strncmp(item->label, "dram", 4) == 0 ? 0 : s->node_nm;
}
static double voltage_of(const erg_sources *s, const erg_source *item) {
  if (item->provenance->voltage_v > 0) return item->provenance->voltage_v;
  return strncmp(item->label, "dram", 4) == 0 ? 0 : s->voltage_v;
}

static void print_number(FILE *stream, const char *name, double value, const char *unit) {
  if (value > 0)
    fprintf(stream, ", %g %s", value, unit);
  else
    fprintf(stream, ", %s not stated", name);
}

void erg_sources_print(const erg_sources *s, FILE *stream) {
  for (int i = 0; i < s->count; i++) {
    const erg_provenance *p = s->items[i].provenance;
    if (!s->items[i].shown) continue;
    fprintf(stream, "[%d] %s: %s\n    %s; %s", i + 1, s->items[i].label, s->items[i].value, p->source, p->table);
    if (p->year) fprintf(stream, "; %d", (int)p->year);
    print_number(stream, "node", node_of(s, &s->items[i]), "nm");
    print_number(stream, "voltage", voltage_of(s, &s->items[i]), "V");
    fprintf(stream, "; confirmed: %s, derived: %s; %s, 5 to 95 %%: times %.2f to %.2f\n", p->confirmed ? "yes" : "no",
            p->derived ? "yes" : "no", erg_provenance_class(p), pow(erg_provenance_factor(p), -1.6449),
            pow(erg_provenance_factor(p), 1.6449));
    if (p->note) fprintf(stream, "    %s\n", p->note);
  }
}

static json_t *number(double value) {
  return value > 0 ? json_real(value) : json_null();
}

void erg_sources_json(const erg_sources *s, json_t *list) {
  for (int i = 0; i < s->count; i++) {
    const erg_provenance *p = s->items[i].provenance;
    if (!s->items[i].shown) continue;
    json_array_append_new(list,
                          json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:s, s:f, s:s?}", "index", i,
                                    "label", s->items[i].label, "value", s->items[i].value, "source", p->source,
                                    "table", p->table, "year", p->year ? json_integer(p->year) : json_null(), "node_nm",
                                    number(node_of(s, &s->items[i])), "voltage_v", number(voltage_of(s, &s->items[i])),
                                    "confirmed", p->confirmed, "derived", p->derived, "class", erg_provenance_class(p),
                                    "factor", erg_provenance_factor(p), "note", p->note));
  }
}

void erg_sources_free(erg_sources *s) {
  erg_arena_free(&s->arena);
}

void erg_note_version(const erg_stored_run *run, const char *file) {
  if (run->json && run->model_version != ERG_MODEL_VERSION)
    fprintf(stderr,
            "note: %s was counted by model version %lld, this program has %d: numbers for the same input differ "
            "(CHANGELOG.md)\n",
            file, (long long)run->model_version, ERG_MODEL_VERSION);
}
