/* SPDX-License-Identifier: Apache-2.0 */
/* `--set key.key=value`: edits the tree before it is decoded, so that an override is checked like the file. */
#include "yaml_override.h"
#include <string.h>

const erg_field *erg_record_find(const erg_record *record, const char *key) {
  for (int i = 0; i < record->field_count; i++)
    if (strcmp(record->fields[i].key, key) == 0) return &record->fields[i];
  return NULL;
}

void erg_record_unknown(const erg_record *record, const char *where, const char *key, erg_status status,
                        erg_error *error) {
  const char *names[64] = {NULL};
  char list[1024] = "";
  for (int i = 0; i < record->field_count && i < 63; i++) {
    names[i] = record->fields[i].key;
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  }
  const char *nearest = erg_nearest(key, names);
  erg_fail(error, status, "%s: unknown key%s%s%s; allowed: %s", where, nearest ? " (did you mean " : "",
           nearest ? nearest : "", nearest ? "?)" : "", list);
}

void erg_yaml_apply(erg_arena *arena, node *root, const erg_record *record, const erg_override *override,
                    erg_error *error) {
  char *origin = erg_arena_printf(arena, "--set %s=%s", override->path, override->value);
  node *value = erg_yaml_tree(arena, "", override->value, origin, error);
  if (!value) return;
  char *path = erg_arena_strdup(arena, override->path), *rest = path;
  node *at = root, *parent = NULL;
  const erg_record *here = record;
  while (rest && *rest) {
    char *word = strsep(&rest, ".");
    parent = at;
    if (at && at->kind == NODE_SEQUENCE) { /* an item by its number */
      int64_t index;
      if (!erg_parse_int(word, &index) || index < 0 || index >= at->count) {
        erg_fail(error, ERG_ERR_USAGE, "%s: found item %s; allowed: 0 to %d", origin, word, at->count - 1);
        return;
      }
      at = at->first;
      while (index-- > 0) at = at->next;
      continue;
    }
    const erg_field *field = here && at && at->kind == NODE_MAPPING ? erg_record_find(here, word) : NULL;
    if (!field) {
      if (here && at && at->kind == NODE_MAPPING)
        erg_record_unknown(here, origin, word, ERG_ERR_USAGE, error);
      else
        erg_fail(error, ERG_ERR_USAGE, "%s: nothing below this key can be set", origin);
      return;
    }
    here = field->record;
    at = erg_yaml_child(parent, word);
    if (!at && (!rest || !*rest)) { /* legal but absent: put it in */
      node *key = erg_arena_alloc(arena, sizeof *key);
      if (!key) return;
      *key = (node){.kind = NODE_SCALAR, .origin = origin, .text = word};
      erg_yaml_append(parent, key);
      erg_yaml_append(parent, value);
      parent->count++;
      return;
    }
  }
  if (!at || !parent) {
    erg_fail(error, ERG_ERR_USAGE, "%s: names no key", origin);
    return;
  }
  node *next = at->next; /* the old value's place in its parent's list */
  *at = *value;
  at->next = next;
}
