/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire.h"
#include <stdlib.h>
#include <string.h>

bool erg_bytes_add(erg_bytes *b, const void *data, size_t count) {
  if (b->count + count > b->room) {
    size_t room = 2 * (b->count + count) + 256;
    char *bytes = realloc(b->bytes, room);
    if (!bytes) return false;
    b->bytes = bytes;
    b->room = room;
  }
  memcpy(b->bytes + b->count, data, count);
  b->count += count;
  return true;
}

bool erg_wire_put(erg_bytes *b, int64_t index, const erg_sweep_row *row) {
  size_t start = b->count;
  uint32_t bytes = 0;
  bool good = erg_bytes_add(b, &bytes, sizeof bytes) && erg_bytes_add(b, &index, sizeof index) &&
              erg_bytes_add(b, row->key, sizeof row->key);
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT && good; c++) {
    const erg_cell *cell = &row->cells[c];
    uint8_t known = cell->known;
    good = erg_bytes_add(b, &known, 1);
    if (!good || !known) continue;
    if (erg_sweep_columns[c].type == ERG_COLUMN_TEXT)
      good = erg_bytes_add(b, cell->text, strlen(cell->text) + 1);
    else
      good = erg_bytes_add(b, &cell->integer, sizeof cell->integer); /* or the real in its place */
  }
  bytes = (uint32_t)(b->count - start);
  if (good) memcpy(b->bytes + start, &bytes, sizeof bytes);
  return good;
}

bool erg_wire_take(erg_bytes *b, int64_t *index, erg_sweep_row *row, erg_arena *arena) {
  uint32_t bytes;
  if (b->count < sizeof bytes) return false;
  memcpy(&bytes, b->bytes, sizeof bytes);
  if (b->count < bytes) return false;
  const char *at = b->bytes + sizeof bytes;
  memset(row, 0, sizeof *row);
  memcpy(index, at, sizeof *index);
  at += sizeof *index;
  memcpy(row->key, at, sizeof row->key);
  at += sizeof row->key;
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT; c++) {
    erg_cell *cell = &row->cells[c];
    cell->known = *at++;
    if (!cell->known) continue;
    if (erg_sweep_columns[c].type == ERG_COLUMN_TEXT) {
      cell->text = erg_arena_strdup(arena, at);
      at += strlen(at) + 1;
      cell->known = cell->text != NULL;
    } else {
      memcpy(&cell->integer, at, sizeof cell->integer);
      at += sizeof cell->integer;
    }
  }
  b->count -= bytes;
  memmove(b->bytes, b->bytes + bytes, b->count);
  return true;
}
