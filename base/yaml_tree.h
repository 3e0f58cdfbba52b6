/* SPDX-License-Identifier: Apache-2.0 */
/* Inside base: a YAML document as a tree of nodes that know where they stand. */
#ifndef ERGON_BASE_YAML_TREE_H
#define ERGON_BASE_YAML_TREE_H

#include "ergon/yaml.h"

typedef enum { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING } node_kind;

typedef struct node {
  node_kind kind;
  int line, column;
  const char *origin;   /* the override that put it here, or NULL: the file */
  bool quoted;          /* a quoted scalar is text, whatever it looks like */
  char *text;           /* scalar */
  struct node *first, *last, *next; /* children; of a mapping: key, value, key, value */
  int count;            /* children; of a mapping: pairs */
} node;

/* Parses one document. NULL on a fault, which is in `error`. */
node *erg_yaml_tree(erg_arena *arena, const char *file, const char *text, const char *origin, erg_error *error);
node *erg_yaml_child(const node *mapping, const char *key); /* value, or NULL */
void erg_yaml_append(node *parent, node *child);

#endif
