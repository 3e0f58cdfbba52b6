/* SPDX-License-Identifier: Apache-2.0 */
/* A tree into a struct, by its field table; all faults before giving up. */
#include "yaml_override.h"
#include <math.h>
#include <string.h>

typedef struct {
  erg_arena *arena;
  const char *file;
  erg_error *error;
} decoder;

#define PATH_BYTES 256

/* `file:line:column: path: found ...; allowed: ...` */
static void complain(decoder *d, const node *at, const char *path, const char *found, const char *allowed) {
  if (at->origin)
    erg_fail(d->error, ERG_ERR_USAGE, "%s: found %s; allowed: %s", at->origin, found, allowed);
  else
    erg_fail(d->error, ERG_ERR_DATA, "%s:%d:%d: %s: found %s; allowed: %s", d->file, at->line, at->column, path, found,
             allowed);
}

static const char *describe(const node *at) {
  if (at->kind == NODE_MAPPING) return "a mapping";
  if (at->kind == NODE_SEQUENCE) return "a list";
  return *at->text ? at->text : "nothing";
}

static void range_text(const erg_field *field, const char *what, char text[160]) {
  const char *unit = field->unit ? field->unit : "";
  if (field->min == 0 && field->max == 0)
    snprintf(text, 160, "%s", what);
  else
    snprintf(text, 160, "%s from %g to %g%s%s", what, field->min, field->max, *unit ? " " : "", unit);
}

static bool in_range(const erg_field *field, double value) {
  return (field->min == 0 && field->max == 0) || (value >= field->min && value <= field->max);
}

static bool decode_int(decoder *d, const node *at, const erg_field *field, const char *path, int64_t *out) {
  char allowed[160];
  range_text(field, "a whole number", allowed);
  bool number = at->kind == NODE_SCALAR && !at->quoted && erg_parse_int(at->text, out);
  if (number && in_range(field, (double)*out)) return true;
  complain(d, at, path, describe(at), allowed);
  return false;
}

static void decode_real(decoder *d, const node *at, const erg_field *field, const char *path, double *out) {
  char allowed[160];
  range_text(field, "a number", allowed);
  bool number = at->kind == NODE_SCALAR && !at->quoted && erg_parse_real(at->text, out);
  if (!number || !in_range(field, *out)) complain(d, at, path, describe(at), allowed);
}

static void decode_bool(decoder *d, const node *at, const char *path, bool *out) {
  if (at->kind == NODE_SCALAR && (strcmp(at->text, "true") == 0 || strcmp(at->text, "yes") == 0))
    *out = true;
  else if (at->kind == NODE_SCALAR && (strcmp(at->text, "false") == 0 || strcmp(at->text, "no") == 0))
    *out = false;
  else
    complain(d, at, path, describe(at), "true, false, yes, no");
}

static void decode_name(decoder *d, const node *at, const erg_field *field, const char *path, int *out) {
  char allowed[512] = "", found[128];
  for (int i = 0; field->names[i]; i++) {
    if (at->kind == NODE_SCALAR && strcmp(at->text, field->names[i]) == 0) {
      *out = i;
      return;
    }
    snprintf(allowed + strlen(allowed), sizeof allowed - strlen(allowed), "%s%s", i ? ", " : "", field->names[i]);
  }
  const char *nearest = at->kind == NODE_SCALAR ? erg_nearest(at->text, field->names) : NULL;
  snprintf(found, sizeof found, "%.60s%s%s%s", describe(at), nearest ? " (did you mean " : "", nearest ? nearest : "",
           nearest ? "?)" : "");
  complain(d, at, path, found, allowed);
}

static char *decode_text(decoder *d, const node *at, const char *path) {
  if (at->kind == NODE_SCALAR && (*at->text || at->quoted)) return erg_arena_strdup(d->arena, at->text);
  complain(d, at, path, describe(at), "a text");
  return NULL;
}

static void decode_record(decoder *d, const node *at, const erg_record *record, const char *path, void *out);

/* Number of items when `at` is a list that may be this long (a single scalar counts as a list of one). */
static int list_length(decoder *d, const node *at, const erg_field *field, const char *path, bool scalar_allowed) {
  int most = field->max_items ? field->max_items : 100000;
  char allowed[64];
  snprintf(allowed, sizeof allowed, "a list of at most %d", most);
  if (at->kind == NODE_SCALAR && scalar_allowed) return 1;
  if (at->kind == NODE_SEQUENCE && at->count <= most) return at->count;
  char found[64];
  snprintf(found, sizeof found, "a list of %d", at->count);
  complain(d, at, path, at->kind == NODE_SEQUENCE ? found : describe(at), allowed);
  return -1;
}

static void decode_list(decoder *d, const node *at, const erg_field *field, const char *path, void *out) {
  bool records = field->type == ERG_FIELD_RECORDS;
  int count = list_length(d, at, field, path, !records);
  if (count < 0) return;
  size_t item_bytes = records ? field->record->size : field->type == ERG_FIELD_INTS ? sizeof(int64_t) : sizeof(char *);
  char *items = erg_arena_alloc(d->arena, item_bytes * (size_t)count);
  if (!items) {
    erg_fail(d->error, ERG_ERR_INTERNAL, "out of memory");
    return;
  }
  const node *item = at->kind == NODE_SCALAR ? at : at->first;
  for (int i = 0; i < count; i++, item = item->next) {
    char item_path[PATH_BYTES];
    snprintf(item_path, sizeof item_path, "%.*s[%d]", PATH_BYTES - 16, path, i);
    void *place = items + item_bytes * (size_t)i;
    if (records)
      decode_record(d, item, field->record, item_path, place);
    else if (field->type == ERG_FIELD_INTS)
      decode_int(d, item, field, item_path, place);
    else
      *(char **)place = decode_text(d, item, item_path);
  }
  /* The three list types share this layout: pointer, count. */
  erg_records list = {items, count};
  memcpy(out, &list, sizeof list);
}

static void decode_value(decoder *d, const node *at, const erg_field *field, const char *path, char *out) {
  switch (field->type) {
  case ERG_FIELD_INT:
    decode_int(d, at, field, path, (int64_t *)(void *)out);
    break;
  case ERG_FIELD_REAL:
    decode_real(d, at, field, path, (double *)(void *)out);
    break;
  case ERG_FIELD_BOOL:
    decode_bool(d, at, path, (bool *)out);
    break;
  case ERG_FIELD_TEXT:
    *(char **)(void *)out = decode_text(d, at, path);
    break;
  case ERG_FIELD_NAME:
    decode_name(d, at, field, path, (int *)(void *)out);
    break;
  case ERG_FIELD_RECORD:
    decode_record(d, at, field->record, path, out);
    break;
  case ERG_FIELD_INTS:
  case ERG_FIELD_TEXTS:
  case ERG_FIELD_RECORDS:
    decode_list(d, at, field, path, out);
    break;
  }
}

static void join_path(char out[PATH_BYTES], const char *path, const char *key) {
  snprintf(out, PATH_BYTES, "%.*s%s%.80s", PATH_BYTES - 96, path, *path ? "." : "", key);
}

static void check_keys(decoder *d, const node *mapping, const erg_record *record, const char *path) {
  for (const node *key = mapping->first; key; key = key->next->next) {
    char where[2 * PATH_BYTES], key_path[PATH_BYTES];
    join_path(key_path, path, key->text);
    if (key->origin) continue; /* overrides were checked when they were applied */
    snprintf(where, sizeof where, "%.120s:%d:%d: %s", d->file, key->line, key->column, key_path);
    if (!erg_record_find(record, key->text)) erg_record_unknown(record, where, key->text, ERG_ERR_DATA, d->error);
    for (const node *other = mapping->first; other != key; other = other->next->next)
      if (strcmp(other->text, key->text) == 0) {
        erg_fail(d->error, ERG_ERR_DATA, "%s: found twice, first on line %d; allowed: once", where, other->line);
        break;
      }
  }
}

static void decode_record(decoder *d, const node *at, const erg_record *record, const char *path, void *out) {
  if (at->kind != NODE_MAPPING) {
    complain(d, at, *path ? path : record->name, describe(at), "a mapping of keys");
    return;
  }
  if (record->position_offset != ERG_NO_POSITION)
    *(erg_position *)(void *)((char *)out + record->position_offset) = (erg_position){at->line, at->column};
  check_keys(d, at, record, path);
  for (int i = 0; i < record->field_count; i++) {
    const erg_field *field = &record->fields[i];
    char field_path[PATH_BYTES];
    join_path(field_path, path, field->key);
    const node *value = erg_yaml_child(at, field->key);
    if (!value && field->fallback) value = erg_yaml_tree(d->arena, "default", field->fallback, NULL, d->error);
    if (value)
      decode_value(d, value, field, field_path, (char *)out + field->offset);
    else if (!field->optional)
      complain(d, at, field_path, "no such key", field->help ? field->help : "this key is required");
  }
}

erg_status erg_yaml_decode(erg_arena *arena, const char *file, const char *text, const erg_record *record,
                           const erg_override *overrides, int override_count, void *out, erg_error *error) {
  erg_error faults = {0};
  decoder d = {arena, file, &faults};
  node *root = erg_yaml_tree(arena, file, text, NULL, &faults);
  void *decoded = erg_arena_alloc(arena, record->size);
  if (!decoded) erg_fail(&faults, ERG_ERR_INTERNAL, "out of memory");
  if (root && decoded) {
    for (int i = 0; i < override_count; i++) erg_yaml_apply(arena, root, record, &overrides[i], &faults);
    decode_record(&d, root, record, "", decoded);
  }
  erg_status status = faults.status;
  if (status == ERG_OK && decoded)
    memcpy(out, decoded, record->size);
  else
    erg_fail(error, status, "%s", faults.text ? faults.text : "out of memory");
  erg_error_clear(&faults);
  return status;
}
