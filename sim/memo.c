/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of passes that have been mapped and counted. Networks repeat their layers, fusion choices share passes, and
 * the compiler asks for tiles that are then run: each is searched for once. */
#include "memo.h"
#include "rows.h"
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096          /* a power of two */
#define ENTRIES (SLOTS / 2) /* a full table forgets everything */
#define ROW_TABLES 64

typedef unsigned char geometry_bytes[sizeof(erg_geometry)];

typedef struct {
  geometry_bytes key;
  erg_mapping mapping;
  erg_op_counts ops;
  uint64_t bits;
  bool mapped, counted; /* the mapping and its cycles, all of the activity is known; bits always are */
} entry;

/* Entries stay where they are when the table forgets: a sweep fills it again and again. */
struct erg_memo {
  uint16_t slots[SLOTS]; /* 0: empty; else one more than an entry's place */
  entry *entries;
  erg_activity *activities; /* of each entry */
  int count;
  erg_kept_plan plans[ERG_FUSION_DEPTH];
  erg_rows rows[ROW_TABLES]; /* of geometries, whatever the architecture; each at or behind the place of its extents */
};

struct erg_memo *erg_memo_new(void) {
  struct erg_memo *memo = calloc(1, sizeof *memo);
  if (!memo) return NULL;
  memo->entries = malloc(ENTRIES * sizeof *memo->entries);
  memo->activities = malloc(ENTRIES * sizeof *memo->activities);
  if (memo->entries && memo->activities) return memo;
  erg_memo_free(memo);
  return NULL;
}

static void forget_passes(struct erg_memo *memo) {
  if (memo->count) memset(memo->slots, 0, sizeof memo->slots);
  memo->count = 0;
}

void erg_memo_clear(struct erg_memo *memo) {
  for (int i = 0; i < ERG_FUSION_DEPTH; i++) erg_kept_plan_free(&memo->plans[i]);
  forget_passes(memo);
}

erg_kept_plan *erg_memo_plan(struct erg_memo *memo, erg_fusion fusion) {
  return &memo->plans[fusion];
}

void erg_memo_free(struct erg_memo *memo) {
  if (!memo) return;
  erg_memo_clear(memo);
  for (int i = 0; i < ROW_TABLES; i++) erg_rows_free(&memo->rows[i]);
  free(memo->activities);
  free(memo->entries);
  free(memo);
}

static erg_rows *rows_of(struct erg_memo *memo, const erg_geometry *g) {
  unsigned place = (unsigned)g->out_h * 7 + (unsigned)g->in_h * 5 + (unsigned)g->kernel_h * 3 + (unsigned)g->stride_h;
  for (unsigned tried = 0; tried < ROW_TABLES; tried++) {
    erg_rows *rows = &memo->rows[(place + tried) % ROW_TABLES];
    if (rows->known == 0 || erg_rows_are_of(rows, g)) return rows;
  }
  return &memo->rows[place % ROW_TABLES]; /* full: another geometry's is begun anew */
}

/* FNV-1a over eight bytes at a time, in two lanes that need not wait for each other: the geometry's bytes, which are
 * zero between fields. */
static uint64_t hash_of(const erg_geometry *g) {
  uint64_t even = 14695981039346656037u, odd = even, words[(sizeof *g + 15) / 16 * 2] = {0};
  memcpy(words, g, sizeof *g);
  for (size_t i = 0; i < ERG_COUNT_OF(words); i += 2) {
    even = (even ^ words[i]) * 1099511628211u, odd = (odd ^ words[i + 1]) * 1099511628211u;
    even ^= even >> 29, odd ^= odd >> 29;
  }
  return even ^ odd * 31;
}

/* The geometry's slot, or the empty one where it belongs. */
static uint16_t *slot_of(struct erg_memo *memo, const erg_geometry *g) {
  geometry_bytes key;
  memcpy(key, g, sizeof key);
  for (uint64_t place = hash_of(g);; place++) {
    uint16_t *slot = &memo->slots[place % SLOTS];
    if (!*slot || memcmp(memo->entries[*slot - 1].key, key, sizeof key) == 0) return slot;
  }
}

static entry *find(struct erg_memo *memo, const erg_geometry *g) {
  const uint16_t *slot = slot_of(memo, g);
  return *slot ? &memo->entries[*slot - 1] : NULL;
}

/* The geometry's entry, made if it is not there. */
static entry *claim(struct erg_memo *memo, const erg_geometry *g) {
  if (memo->count == ENTRIES) forget_passes(memo);
  uint16_t *slot = slot_of(memo, g);
  if (!*slot) {
    *slot = (uint16_t)++memo->count;
    entry *e = &memo->entries[*slot - 1];
    memcpy(e->key, g, sizeof e->key);
    e->mapped = e->counted = false;
  }
  return &memo->entries[*slot - 1];
}

erg_status erg_memo_map(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *g, erg_mapping *out,
                        erg_error *error) {
  if (!memo) return erg_map(arch, g, out, error);
  entry *e = find(memo, g);
  if (e && e->mapped) {
    *out = e->mapping;
    return ERG_OK;
  }
  erg_activity walk;
  erg_status status = erg_map_by_rows(arch, g, rows_of(memo, g), out, &walk, error);
  if (status != ERG_OK) return status;
  e = claim(memo, g);
  erg_activity_cycles(&memo->activities[e - memo->entries], &walk);
  e->mapping = *out;
  e->bits = out->offchip_bits;
  e->mapped = true;
  return ERG_OK;
}

erg_status erg_memo_bits(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *g, uint64_t *bits,
                         erg_error *error) {
  if (!memo) return erg_map_bits(arch, g, bits, error);
  const entry *e = find(memo, g);
  if (e) {
    *bits = e->bits;
    return ERG_OK;
  }
  erg_status status = erg_map_bits_by_rows(arch, g, rows_of(memo, g), bits, error);
  if (status == ERG_OK) claim(memo, g)->bits = *bits;
  return status;
}

erg_status erg_memo_analytic(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *g,
                             const erg_mapping *mapping, const erg_op_counts *ops, erg_activity *out,
                             erg_error *error) {
  entry *e = memo ? find(memo, g) : NULL;
  if (e && e->counted && memcmp(&e->ops, ops, sizeof *ops) == 0) {
    *out = memo->activities[e - memo->entries];
    return ERG_OK;
  }
  if (e && e->mapped)
    erg_analytic_walked(arch, g, mapping, ops, &memo->activities[e - memo->entries], out);
  else
    erg_analytic(arch, g, mapping, ops, out);
  erg_status status = erg_conserve(arch, g, out, error);
  if (status == ERG_OK && e) {
    e->ops = *ops;
    memo->activities[e - memo->entries] = *out;
    e->counted = true;
  }
  return status;
}
