/* SPDX-License-Identifier: Apache-2.0 */
/* Precision plans: a strict record whose keys are the layers of the network at hand. */
#include "ergon/precision_plan.h"
#include "yaml_tree.h"
#include <string.h>

/* What the record is decoded into; the layers' texts lie behind it. */
typedef struct {
  char *name, *help, *fallback;
} head;

bool erg_precision_is_plan(const char *word) {
  size_t length = strlen(word);
  return (length > 5 && strcmp(word + length - 5, ".yaml") == 0) ||
         (length > 4 && strcmp(word + length - 4, ".yml") == 0);
}

static int count_names(const char *const *names) {
  int count = 0;
  while (names[count]) count++;
  return count;
}

/* Texts of the file by key: {head, [count] texts}. */
static erg_status decode(erg_arena *arena, const char *file, const char *text, const char *const *layers, int count,
                         void *out, erg_error *error) {
  erg_field *keys = erg_arena_alloc(arena, sizeof *keys * (size_t)(count + 1));
  if (!keys) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < count; i++)
    keys[i] = (erg_field){.key = layers[i],
                          .type = ERG_FIELD_TEXT,
                          .offset = (size_t)i * sizeof(char *),
                          .optional = true,
                          .help = "its precision, such as w4a8"};
  const erg_record layer_record = {"layers", (size_t)count * sizeof(char *), keys, count, ERG_NO_POSITION};
  const erg_field fields[] = {
      {.key = "name", .type = ERG_FIELD_TEXT, .offset = offsetof(head, name), .help = "name in tables"},
      {.key = "help", .type = ERG_FIELD_TEXT, .offset = offsetof(head, help), .optional = true, .help = "one line"},
      {.key = "default",
       .type = ERG_FIELD_TEXT,
       .offset = offsetof(head, fallback),
       .help = "precision of layers without an entry, such as int8"},
      {.key = "layers",
       .type = ERG_FIELD_RECORD,
       .offset = sizeof(head),
       .optional = true,
       .record = &layer_record,
       .help = "LAYER: PRECISION"},
  };
  const erg_record record = {"precision plan", sizeof(head) + layer_record.size, fields, ERG_COUNT_OF(fields),
                             ERG_NO_POSITION};
  return erg_yaml_decode(arena, file, text, &record, NULL, 0, out, error);
}

static void check(const char *file, const char *text, erg_precision_entry *e, erg_error *error) {
  erg_error fault = {0};
  char at[512];
  snprintf(at, sizeof at, "%.300s:%d:%d: %s%.120s", file, e->position.line, e->position.column,
           e->layer ? "layers." : "", e->layer ? e->layer : "default");
  if (erg_precision_parse(text, &e->precision, &fault) != ERG_OK)
    erg_fail(error, ERG_ERR_DATA, "%s: %s", at, fault.text);
  else if (!erg_precision_is_int(&e->precision))
    erg_fail(
        error, ERG_ERR_DATA,
        "%s: found %s; allowed in a plan: integers, such as int8, w4a8, w4a8p24 (a whole network in floating point "
        "is --precision %s)",
        at, text, text);
  else if (e->precision.output_bits != e->precision.activation_bits)
    erg_fail(error, ERG_ERR_DATA,
             "%s: found %s; allowed in a plan: no o, since a is the width of the tensor that the layer writes", at,
             text);
  e->accumulator_stated = strchr(text, 'p') != NULL;
  erg_error_clear(&fault);
}

static bool is_text(const node *value) {
  return value && value->kind == NODE_SCALAR && *value->text;
}

/* Values with their places, whatever the keys' faults are: the record's decoder has no places, and stops at faults. */
static void read_entries(erg_precision_plan *plan, const node *root, erg_error *error) {
  const node *fallback = erg_yaml_child(root, "default"), *layers = erg_yaml_child(root, "layers");
  if (is_text(fallback)) {
    plan->fallback.position = (erg_position){fallback->line, fallback->column};
    check(plan->file, fallback->text, &plan->fallback, error);
  }
  if (!layers || layers->kind != NODE_MAPPING) return;
  plan->entries = erg_arena_alloc(&plan->arena, sizeof *plan->entries * (size_t)(layers->count + 1));
  if (!plan->entries) {
    erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    return;
  }
  for (const node *key = layers->first; key; key = key->next->next) {
    if (!is_text(key->next)) continue;
    erg_precision_entry *e = &plan->entries[plan->count++];
    e->layer = key->text;
    e->position = (erg_position){key->next->line, key->next->column};
    check(plan->file, key->next->text, e, error);
  }
}

erg_status erg_precision_plan_parse(const char *file, const char *text, const char *const *layers,
                                    erg_precision_plan *out, erg_error *error) {
  erg_precision_plan plan = {0};
  erg_error faults = {0};
  int count = count_names(layers);
  head *texts = erg_arena_alloc(&plan.arena, sizeof *texts + sizeof(char *) * (size_t)count);
  plan.file = erg_arena_strdup(&plan.arena, file);
  if (!texts || !plan.file) {
    erg_arena_free(&plan.arena);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  if (decode(&plan.arena, file, text, layers, count, texts, &faults) == ERG_OK) {
    plan.name = texts->name;
    plan.help = texts->help;
  }
  erg_error ignored = {0}; /* the decoder has told them */
  const node *root = erg_yaml_tree(&plan.arena, file, text, NULL, &ignored);
  erg_error_clear(&ignored);
  if (root && root->kind == NODE_MAPPING) read_entries(&plan, root, &faults);
  erg_sha256_hex(text, strlen(text), plan.sha256);
  erg_status status = faults.status;
  if (status == ERG_OK) {
    *out = plan;
  } else {
    erg_fail(error, status, "%s", faults.text ? faults.text : "failed");
    erg_arena_free(&plan.arena);
  }
  erg_error_clear(&faults);
  return status;
}

void erg_precision_plan_free(erg_precision_plan *plan) {
  erg_arena_free(&plan->arena);
}
