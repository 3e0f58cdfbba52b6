/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sweep_interval.h"
#include <math.h>
#include <string.h>

#define MOST_SETS 64

void erg_row_pricer_free(erg_row_pricer *p) {
  if (*p->id) erg_technology_free(&p->technology);
  *p->id = 0;
}

static bool unknown(erg_row_pricer *p, const char *why) {
  if (p->unknown++ == 0) snprintf(p->why, sizeof p->why, "%s", why);
  return false;
}

/* "tech.dram=ddr4" of a row's `set`; others are no business of a technology. */
static int overrides_of(const char *set, erg_arena *arena, erg_override *out) {
  int count = 0;
  char *rest = erg_arena_strdup(arena, set);
  for (char *word; rest && (word = strsep(&rest, " "));) {
    char *value = strchr(word, '=');
    if (!value || strncmp(word, "tech.", 5) != 0 || count == MOST_SETS) continue;
    *value++ = 0;
    out[count++] = (erg_override){word + 5, value};
  }
  return count;
}

/* The row's technology with its overrides, the one that its point was computed with. */
static bool load(erg_row_pricer *p, const erg_sweep_row *row, erg_arena *arena) {
  const char *name = row->cells[ERG_SWEEP_TECHNOLOGY].text, *set = row->cells[ERG_SWEEP_SET].text;
  erg_override overrides[MOST_SETS];
  int count = overrides_of(set ? set : "", arena, overrides);
  const char *id = erg_arena_strdup(arena, name);
  for (int i = 0; id && i < count; i++)
    id = erg_arena_printf(arena, "%s %s=%s", id, overrides[i].path, overrides[i].value);
  if (!id || strlen(id) >= sizeof p->id) return unknown(p, "its overrides are too long");
  if (strcmp(id, p->id) != 0) {
    erg_error fault = {0};
    erg_row_pricer_free(p);
    if (erg_technology_load(name, overrides, count, &p->technology, &fault) == ERG_OK)
      strcpy(p->id, id);
    else
      unknown(p, fault.text);
    erg_error_clear(&fault);
    if (!*p->id) return false;
  }
  const char *line = erg_arena_printf(arena, "\ntechnology %s %s\n", p->technology.name, p->technology.sha256);
  if (!line || !row->cells[ERG_SWEEP_POINT].known || !strstr(row->cells[ERG_SWEEP_POINT].text, line))
    return unknown(p, erg_arena_printf(arena, "technology %s is no longer what it was", name));
  return true;
}

bool erg_row_interval(erg_row_pricer *p, const erg_sweep_row *row, erg_interval *out) {
  const erg_cell *energy = &row->cells[ERG_SWEEP_ENERGY_PJ], *counts = &row->cells[ERG_SWEEP_COUNTS];
  if (!energy->known || !counts->known) return false; /* skipped or failed: no energy, and none that is unknown */
  erg_arena arena = {0};
  erg_stored_run stored = {0};
  erg_spread spread = {.arena = &arena};
  erg_energy priced;
  erg_error fault = {0};
  bool known = load(p, row, &arena);
  if (known && erg_stored_parse(counts->text, "counts", &stored, &fault) != ERG_OK) {
    known = unknown(p, fault.text);
  } else if (known) {
    if (erg_stored_price(&p->technology, &stored.results[0], erg_spread_item, &spread, &priced, &fault) != ERG_OK ||
        erg_spread_interval(&spread, out, &fault) != ERG_OK)
      known = unknown(p, fault.text);
    else if (fabs(priced.total_pj - energy->real) > 1e-9 * energy->real)
      known = unknown(p, "its counts give another energy than the one stored");
    erg_stored_free(&stored);
  }
  erg_error_clear(&fault);
  erg_arena_free(&arena);
  return known;
}
