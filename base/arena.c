/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/base.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* One calloc per allocation keeps AddressSanitizer's eyes open; nothing here is in a hot loop. */
struct erg_arena_block {
  struct erg_arena_block *next;
  max_align_t data[];
};

void *erg_arena_alloc(erg_arena *arena, size_t bytes) {
  if (bytes > SIZE_MAX - sizeof(struct erg_arena_block)) return NULL;
  struct erg_arena_block *block = calloc(1, sizeof *block + bytes);
  if (!block) return NULL;
  block->next = arena->head;
  arena->head = block;
  return block->data;
}

char *erg_arena_strdup(erg_arena *arena, const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = erg_arena_alloc(arena, bytes);
  return copy ? memcpy(copy, text, bytes) : NULL;
}

char *erg_arena_printf(erg_arena *arena, const char *format, ...) {
  char small[512]; /* most texts fit: they are formatted once */
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(small, sizeof small, format, arguments);
  char *text = length < 0 ? NULL : erg_arena_alloc(arena, (size_t)length + 1);
  if (text && (size_t)length < sizeof small)
    memcpy(text, small, (size_t)length + 1);
  else if (text)
    vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  va_end(arguments);
  return text;
}

void erg_arena_free(erg_arena *arena) {
  while (arena->head) {
    struct erg_arena_block *next = arena->head->next;
    free(arena->head);
    arena->head = next;
  }
}
