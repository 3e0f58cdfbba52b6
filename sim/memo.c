/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of passes that have been mapped and counted. Networks repeat their layers, fusion choices share passes, and
 * the compiler asks for tiles that are then run: each is searched for once. */
#include "memo.h"
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096 /* a power of two; full tables forget everything */

typedef unsigned char geometry_bytes[sizeof(erg_geometry)];

typedef struct {
  geometry_bytes key;
  erg_mapping mapping;
  erg_op_counts ops;
  erg_activity activity;
  uint64_t bits;
  bool mapped, counted; /* the mapping, the activity is known; bits always are */
} entry;

struct erg_memo {
  entry *slots[SLOTS];
  int count;
};

struct erg_memo *erg_memo_new(void) {
  return calloc(1, sizeof(struct erg_memo));
}

void erg_memo_clear(struct erg_memo *memo) {
  for (int i = 0; i < SLOTS && memo->count; i++) {
    if (!memo->slots[i]) continue;
    free(memo->slots[i]);
    memo->slots[i] = NULL;
    memo->count--;
  }
}

void erg_memo_free(struct erg_memo *memo) {
  if (!memo) return;
  erg_memo_clear(memo);
  free(memo);
}

/* FNV-1a over eight bytes at a time: the geometry's bytes, which are zero between fields. */
static uint64_t hash_of(const erg_geometry *g) {
  uint64_t hash = 14695981039346656037u, word;
  const char *at = (const char *)g;
  for (size_t i = 0; i + sizeof word <= sizeof *g; i += sizeof word) {
    memcpy(&word, at + i, sizeof word);
    hash = (hash ^ word) * 1099511628211u;
    hash ^= hash >> 29;
  }
  return hash;
}

/* The geometry's entry, or the empty slot where it belongs. */
static entry **find(struct erg_memo *memo, const erg_geometry *g) {
  uint64_t slot = hash_of(g);
  geometry_bytes key;
  memcpy(key, g, sizeof key);
  for (;; slot++) {
    entry **at = &memo->slots[slot % SLOTS];
    if (!*at || memcmp((*at)->key, key, sizeof key) == 0) return at;
  }
}

/* The geometry's entry, made if it is not there; NULL: no memory, nothing is kept. */
static entry *claim(struct erg_memo *memo, const erg_geometry *g) {
  if (memo->count > SLOTS / 2) erg_memo_clear(memo);
  entry **at = find(memo, g);
  if (*at) return *at;
  *at = calloc(1, sizeof **at);
  if (!*at) return NULL;
  memcpy((*at)->key, g, sizeof *g);
  memo->count++;
  return *at;
}

erg_status erg_memo_map(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *g, erg_mapping *out,
                        erg_error *error) {
  entry *e = memo ? *find(memo, g) : NULL;
  if (e && e->mapped) {
    *out = e->mapping;
    return ERG_OK;
  }
  erg_status status = erg_map(arch, g, out, error);
  if (status != ERG_OK || !memo) return status;
  e = claim(memo, g);
  if (!e) return ERG_OK;
  e->mapping = *out;
  e->bits = out->offchip_bits;
  e->mapped = true;
  return ERG_OK;
}

erg_status erg_memo_bits(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *g, uint64_t *bits,
                         erg_error *error) {
  entry *e = memo ? *find(memo, g) : NULL;
  if (e) {
    *bits = e->bits;
    return ERG_OK;
  }
  erg_status status = erg_map_bits(arch, g, bits, error);
  if (status != ERG_OK || !memo) return status;
  e = claim(memo, g);
  if (e) e->bits = *bits;
  return ERG_OK;
}

erg_status erg_memo_analytic(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *g,
                             const erg_mapping *mapping, const erg_op_counts *ops, erg_activity *out,
                             erg_error *error) {
  entry *e = memo ? *find(memo, g) : NULL;
  if (e && e->counted && memcmp(&e->ops, ops, sizeof *ops) == 0) {
    *out = e->activity;
    return ERG_OK;
  }
  erg_analytic(arch, g, mapping, ops, out);
  erg_status status = erg_conserve(arch, g, out, error);
  if (status == ERG_OK && e) {
    e->ops = *ops;
    e->activity = *out;
    e->counted = true;
  }
  return status;
}
