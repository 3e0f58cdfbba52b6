/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERGON_BASE_YAML_OVERRIDE_H
#define ERGON_BASE_YAML_OVERRIDE_H
#include "yaml_tree.h"
const erg_field *erg_record_find(const erg_record *record, const char *key);
/* `key` is not legal in `record`: says so with the nearest and all legal keys. `where` is the message's start. */
void erg_record_unknown(const erg_record *record, const char *where, const char *key, erg_status status,
                        erg_error *error);
/* Puts an override's value into the tree where its path leads. */
void erg_yaml_apply(erg_arena *arena, node *root, const erg_record *record, const erg_override *override,
                    erg_error *error);
#endif
