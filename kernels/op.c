/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"
#include <string.h>

const erg_op *erg_op_find(const char *name) {
  ERG_EACH(erg_op, item)
  if (strcmp((*item)->name, name) == 0) return *item;
  return NULL;
}

const char *const *erg_op_names(erg_arena *arena) {
  size_t count = 0;
  ERG_EACH(erg_op, item) count++;
  const char **names = erg_arena_alloc(arena, (count + 1) * sizeof *names);
  if (!names) return NULL;
  count = 0;
  ERG_EACH(erg_op, item) names[count++] = (*item)->name;
  return names;
}
