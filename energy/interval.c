/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intervals: every constant is known up to a lognormal factor, whose width follows from its provenance alone. */
#include "ergon/energy.h"
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

#define SEED 20140209u

static bool same_factors(const erg_spread_group *group, const erg_item *item) {
  if (group->factor_count != item->factor_count) return false;
  for (int i = 0; i < group->factor_count; i++)
    if (group->ids[i] != item->factors[i].id) return false;
  return true;
}

static erg_spread_group *group_of(erg_spread *spread, const erg_item *item) {
  for (int i = 0; i < spread->count; i++)
    if (same_factors(&spread->groups[i], item)) return &spread->groups[i];
  if (spread->count == spread->room) {
    int room = spread->room ? 2 * spread->room : 32;
    erg_spread_group *groups = erg_arena_alloc(spread->arena, sizeof *groups * (size_t)room);
    if (!groups) return NULL;
    if (spread->count) memcpy(groups, spread->groups, sizeof *groups * (size_t)spread->count);
    spread->groups = groups;
    spread->room = room;
  }
  erg_spread_group *group = &spread->groups[spread->count++];
  group->factor_count = item->factor_count;
  for (int i = 0; i < item->factor_count; i++) {
    group->ids[i] = item->factors[i].id;
    group->sigmas[i] = item->factors[i].sigma;
  }
  return group;
}

void erg_spread_item(void *context, const erg_item *item) {
  erg_spread *spread = context;
  erg_spread_group *group = spread->failed ? NULL : group_of(spread, item);
  if (group)
    group->pj += item->count * item->pj;
  else
    spread->failed = true;
}

/* ---------------------------------------------------------------- draws */

#define MOST_IDS 512
typedef struct {
  erg_arena arena;
  uint64_t ids[MOST_IDS];
  double *draws[MOST_IDS];
  int count;
} matrix;

/* The standard normal numbers of a constant. The stream's seed is the constant's own, so neither the order of items nor
 * the company of other constants changes it. */
static const double *draws_of(matrix *m, uint64_t id) {
  for (int i = 0; i < m->count; i++)
    if (m->ids[i] == id) return m->draws[i];
  if (m->count == MOST_IDS) return NULL;
  double *draws = erg_arena_alloc(&m->arena, sizeof(double) * ERG_DRAWS);
  gsl_rng *generator = gsl_rng_alloc(gsl_rng_mt19937);
  if (!draws || !generator) {
    if (generator) gsl_rng_free(generator);
    return NULL;
  }
  gsl_rng_set(generator, (unsigned long)((id ^ (id >> 32) ^ SEED) & 0xffffffffu));
  for (int i = 0; i < ERG_DRAWS; i++) draws[i] = gsl_ran_gaussian_ziggurat(generator, 1);
  gsl_rng_free(generator);
  m->ids[m->count] = id;
  m->draws[m->count++] = draws;
  return draws;
}

static bool sample(matrix *m, const erg_spread *spread, double *sums) {
  double *exponents = erg_arena_alloc(&m->arena, sizeof(double) * ERG_DRAWS);
  if (!exponents || spread->failed) return false;
  for (int g = 0; g < spread->count; g++) {
    const erg_spread_group *group = &spread->groups[g];
    memset(exponents, 0, sizeof(double) * ERG_DRAWS);
    for (int f = 0; f < group->factor_count; f++) {
      const double *draws = draws_of(m, group->ids[f]);
      if (!draws) return false;
      for (int i = 0; i < ERG_DRAWS; i++) exponents[i] += group->sigmas[f] * draws[i];
    }
    for (int i = 0; i < ERG_DRAWS; i++) sums[i] += group->pj * exp(exponents[i]);
  }
  return true;
}

static void percentiles(double *values, erg_interval *out) {
  gsl_sort(values, 1, ERG_DRAWS);
  out->p05 = gsl_stats_quantile_from_sorted_data(values, 1, ERG_DRAWS, 0.05);
  out->p95 = gsl_stats_quantile_from_sorted_data(values, 1, ERG_DRAWS, 0.95);
}

static erg_status estimate(const erg_spread *above, const erg_spread *below, erg_interval *out, erg_error *error) {
  matrix *m = NULL;
  erg_arena arena = {0};
  double *sums = erg_arena_alloc(&arena, sizeof(double) * ERG_DRAWS);
  double *others = erg_arena_alloc(&arena, sizeof(double) * ERG_DRAWS);
  m = erg_arena_alloc(&arena, sizeof *m);
  bool good = sums && others && m && sample(m, above, sums) && (!below || sample(m, below, others));
  if (good) {
    for (int i = 0; i < ERG_DRAWS && below; i++) sums[i] /= others[i];
    percentiles(sums, out);
  }
  if (m) erg_arena_free(&m->arena);
  erg_arena_free(&arena);
  return good ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "intervals: out of memory, or over %d constants", MOST_IDS);
}

erg_status erg_spread_interval(const erg_spread *spread, erg_interval *out, erg_error *error) {
  return estimate(spread, NULL, out, error);
}

erg_status erg_spread_ratio(const erg_spread *numerator, const erg_spread *denominator, erg_interval *out,
                            erg_error *error) {
  double below = 0;
  for (int i = 0; i < denominator->count; i++) below += denominator->groups[i].pj;
  if (!(below > 0)) return erg_fail(error, ERG_ERR_UNSUPPORTED, "a ratio to an energy of 0");
  return estimate(numerator, denominator, out, error);
}

bool erg_interval_resolved(const erg_interval *ratio) {
  return ratio->p05 > 1 || ratio->p95 < 1;
}
