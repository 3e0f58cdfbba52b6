/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml events to a bounded tree. Anchors and aliases are refused: they make billion-laughs files possible. */
#include "yaml_tree.h"
#include <string.h>
#include <yaml.h>

#define MOST_NODES 200000
#define DEEPEST 32

typedef struct {
  erg_arena *arena;
  const char *file, *origin;
  yaml_parser_t parser;
  int nodes;
  erg_error *error;
} loader;

static erg_status fault_at(loader *l, yaml_mark_t mark, const char *text) {
  if (l->origin) return erg_fail(l->error, ERG_ERR_USAGE, "%s: %s", l->origin, text);
  return erg_fail(l->error, ERG_ERR_DATA, "%s:%d:%d: %s", l->file, (int)mark.line + 1, (int)mark.column + 1, text);
}

static bool next_event(loader *l, yaml_event_t *event) {
  if (yaml_parser_parse(&l->parser, event)) return true;
  char text[256];
  snprintf(text, sizeof text, "malformed YAML: %s%s%s", l->parser.problem ? l->parser.problem : "unreadable",
           l->parser.context ? ", " : "", l->parser.context ? l->parser.context : "");
  yaml_mark_t mark = l->parser.problem_mark;
  if (l->parser.error == YAML_READER_ERROR) mark = l->parser.mark;
  fault_at(l, mark, text);
  return false;
}

void erg_yaml_append(node *parent, node *child) {
  child->next = NULL;
  if (parent->last)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
}

static node *load(loader *l, yaml_event_t *event, int depth);

/* Children up to the event that ends the collection. */
static bool load_children(loader *l, node *parent, yaml_event_type_t end, int depth) {
  int children = 0;
  for (;; children++) {
    yaml_event_t event;
    if (!next_event(l, &event)) return false;
    if (event.type == end) {
      yaml_event_delete(&event);
      break;
    }
    node *child = load(l, &event, depth + 1);
    if (!child) return false;
    if (parent->kind == NODE_MAPPING && children % 2 == 0 && child->kind != NODE_SCALAR) {
      fault_at(l, (yaml_mark_t){0, (size_t)child->line - 1, (size_t)child->column - 1}, "a key must be a word");
      return false;
    }
    erg_yaml_append(parent, child);
  }
  parent->count = parent->kind == NODE_MAPPING ? children / 2 : children;
  return true;
}

/* Takes over the event. */
static node *load(loader *l, yaml_event_t *event, int depth) {
  node *made = NULL;
  yaml_mark_t mark = event->start_mark;
  if (event->type == YAML_ALIAS_EVENT) {
    fault_at(l, mark, "found an alias (*); aliases and anchors are not allowed");
    goto out;
  }
  if (++l->nodes > MOST_NODES || depth > DEEPEST) {
    fault_at(l, mark, "too large: allowed are 200,000 values, 32 levels deep");
    goto out;
  }
  made = erg_arena_alloc(l->arena, sizeof *made);
  if (!made) {
    erg_fail(l->error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  made->line = (int)mark.line + 1;
  made->column = (int)mark.column + 1;
  made->origin = l->origin;
  if (event->type == YAML_SCALAR_EVENT) {
    made->kind = NODE_SCALAR;
    made->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    made->text = erg_arena_strdup(l->arena, (const char *)event->data.scalar.value);
    if (strlen(made->text) != event->data.scalar.length) {
      fault_at(l, mark, "found a NUL character in a text");
      made = NULL;
    }
  } else {
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    made->kind = mapping ? NODE_MAPPING : NODE_SEQUENCE;
    if (!load_children(l, made, mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth)) made = NULL;
  }
out:
  yaml_event_delete(event);
  return made;
}

node *erg_yaml_tree(erg_arena *arena, const char *file, const char *text, const char *origin, erg_error *error) {
  loader l = {.arena = arena, .file = file, .origin = origin, .error = error};
  node *root = NULL;
  if (!yaml_parser_initialize(&l.parser)) {
    erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    return NULL;
  }
  yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, strlen(text));
  bool ended = false;
  while (!ended) {
    yaml_event_t event;
    if (!next_event(&l, &event)) {
      root = NULL;
      break;
    }
    switch (event.type) {
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
    case YAML_ALIAS_EVENT:
      if (root) {
        fault_at(&l, event.start_mark, "found a second document; allowed: one");
        yaml_event_delete(&event);
        root = NULL;
        ended = true;
      } else {
        root = load(&l, &event, 0);
        ended = !root;
      }
      break;
    default:
      ended = event.type == YAML_STREAM_END_EVENT;
      if (ended && !root) fault_at(&l, (yaml_mark_t){0}, "the document is empty");
      yaml_event_delete(&event);
    }
  }
  yaml_parser_delete(&l.parser);
  return root;
}

node *erg_yaml_child(const node *mapping, const char *key) {
  if (mapping->kind != NODE_MAPPING) return NULL;
  for (node *at = mapping->first; at; at = at->next->next)
    if (strcmp(at->text, key) == 0) return at->next;
  return NULL;
}
