/* SPDX-License-Identifier: Apache-2.0 */
/** \file yaml.h
 *  Strict, table-driven YAML. A struct is described by a field table {key, type, unit, range, default, help}; the
 *  reader checks unknown keys (with a did-you-mean), duplicates, missing keys, types, ranges and names, demands that
 *  a number uses its whole token (no `14x`, `1.5pJ`, octal, NaN, inf), collects all faults before it gives up and
 *  writes nothing on a fault. Messages: `file:line:column: key: what was found; what is allowed`. */
#ifndef ERGON_YAML_H
#define ERGON_YAML_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  ERG_FIELD_INT,     /**< int64_t; min..max */
  ERG_FIELD_REAL,    /**< double; min..max, finite */
  ERG_FIELD_BOOL,    /**< bool: true | false | yes | no */
  ERG_FIELD_TEXT,    /**< char * (arena) */
  ERG_FIELD_NAME,    /**< int: index into `names` */
  ERG_FIELD_INTS,    /**< erg_ints: a sequence, or one integer; `max_items` at most */
  ERG_FIELD_TEXTS,   /**< erg_texts: a sequence of texts, or one text */
  ERG_FIELD_RECORD,  /**< a nested struct described by `record`, stored in place */
  ERG_FIELD_RECORDS  /**< erg_records: a sequence of mappings described by `record` */
} erg_field_type;

typedef struct { int64_t *items; int count; } erg_ints;
typedef struct { char **items; int count; } erg_texts;
typedef struct { void *items; int count; } erg_records; /**< `count` structs of `record->size` bytes, contiguous */

typedef struct erg_record erg_record;

/** One key of a mapping. `fallback` is the default as YAML text; NULL makes the key required unless `optional`
 *  (then the struct keeps zeros; NULL for texts). */
typedef struct {
  const char *key;
  erg_field_type type;
  size_t offset;
  const char *unit;
  double min, max; /**< legal range of numbers, both inclusive; ignored when both are 0 */
  const char *fallback;
  bool optional;
  const char *const *names; /**< NULL-terminated, for ERG_FIELD_NAME */
  const erg_record *record; /**< for ERG_FIELD_RECORD and ERG_FIELD_RECORDS */
  int max_items;            /**< for sequences; 0 = 100,000 */
  const char *help;
} erg_field;

/** A struct and its keys. When `position_offset` is not ERG_NO_POSITION the struct holds there an erg_position that
 *  the reader fills, so that later checks can name the user's line. */
struct erg_record {
  const char *name;
  size_t size;
  const erg_field *fields;
  int field_count;
  size_t position_offset;
};
#define ERG_NO_POSITION ((size_t)-1)

typedef struct { int line, column; } erg_position; /**< 1-based */

/** Overrides, as `--set` gives them: `key.key=value` with list items by index (`levels.1.capacity_kib=64`). */
typedef struct { const char *path; const char *value; } erg_override;

/** Decodes `text` (one YAML document) named `file` in messages into `out` (record->size bytes, all strings and lists
 *  in `arena`). Faults: ERG_ERR_DATA; an override that names no key: ERG_ERR_USAGE. `out` is untouched on a fault. */
erg_status erg_yaml_decode(erg_arena *arena, const char *file, const char *text, const erg_record *record,
                           const erg_override *overrides, int override_count, void *out, erg_error *error);

/** Whole-token numbers, for CSV readers and command lines too: decimal digits with optional sign for int, decimal or
 *  scientific for real; no octal, hex, NaN, inf, trailing text. */
bool erg_parse_int(const char *token, int64_t *value);
bool erg_parse_real(const char *token, double *value);

#ifdef __cplusplus
}
#endif
#endif
