/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory against recomputation for one width of the stored activations. */
#include "ergon/training_memory.h"
#include <math.h>
#include <stdlib.h>

#define MOST_POINTS 4096

typedef struct {
  const erg_training_stages *stages;
  const erg_training_step *training;
  erg_chain chain;
  int bits;
  erg_arena *arena;
  erg_memory_width *out;
  erg_error *error;
} job;

static erg_status execute(const job *j, int64_t budget_bytes, erg_memory_point *point) {
  point->budget_bytes = budget_bytes;
  return erg_training_execute(j->stages, j->training, j->bits, &point->schedule, &point->run, j->error);
}

static int by_peak(const void *a, const void *b) {
  const erg_memory_point *p = a, *q = b;
  if (p->run.peak_bytes != q->run.peak_bytes) return p->run.peak_bytes < q->run.peak_bytes ? -1 : 1;
  const double x = p->run.recompute.energy_pj, y = q->run.recompute.energy_pj;
  return x < y ? -1 : x > y;
}

/* What costs no less than a point of no higher peak goes. */
static void keep_the_front(erg_memory_width *out) {
  int kept = 0;
  double least = INFINITY;
  qsort(out->points, (size_t)out->point_count, sizeof *out->points, by_peak);
  for (int i = 0; i < out->point_count; i++) {
    if (!(out->points[i].run.recompute.energy_pj < least)) continue;
    least = out->points[i].run.recompute.energy_pj;
    out->points[kept++] = out->points[i];
  }
  out->point_count = kept;
}

static erg_status add_frontier(job *j) {
  erg_checkpoint_search *search;
  const int64_t all = erg_checkpoint_all_bytes(&j->chain);
  erg_status status = erg_checkpoint_solve(&j->chain, all, 0, &search, j->error);
  if (status != ERG_OK) return status;
  for (int64_t at = 0; status == ERG_OK && (at = erg_checkpoint_next(search, at)) > 0;) {
    if (j->out->point_count == MOST_POINTS - 3) break; /* a cost falls at most once a slot of 2000 */
    erg_memory_point *point = &j->out->points[j->out->point_count++];
    status = erg_checkpoint_trace(search, at, j->arena, &point->schedule, j->error);
    if (status == ERG_OK) status = execute(j, at, point);
  }
  erg_checkpoint_free(search);
  return status;
}

static erg_status add_budget(job *j, int64_t budget_bytes) {
  erg_memory_point *point = &j->out->points[j->out->point_count];
  erg_status status = erg_checkpoint(&j->chain, budget_bytes, 0, j->arena, &point->schedule, j->error);
  if (status == ERG_OK) status = execute(j, budget_bytes, point);
  j->out->point_count += status == ERG_OK;
  return status;
}

/* Of the front the cheapest that the budget holds, or none. */
static void keep_within(erg_memory_width *out, int64_t budget_bytes) {
  int within = 0;
  while (within < out->point_count && out->points[within].run.peak_bytes <= budget_bytes) within++;
  if (within > 0) out->points[0] = out->points[within - 1];
  out->point_count = within > 0;
}

/* The search takes all that lives in a stage to live at once, the executor does not: a schedule that was searched for a
 * larger budget may keep a smaller one. So all are executed, and their peaks decide. */
static erg_status find_points(job *j, int64_t budget_bytes) {
  erg_memory_width *out = j->out;
  int64_t least = 0;
  erg_status status = erg_checkpoint_least(&j->chain, 0, &least, j->error);
  if (status == ERG_OK) status = add_frontier(j);
  if (status == ERG_OK) status = add_budget(j, least);
  if (status == ERG_OK && budget_bytes > least && budget_bytes < out->keep_all.run.peak_bytes)
    status = add_budget(j, budget_bytes); /* with slots of its own size */
  out->points[out->point_count++] = out->keep_all;
  keep_the_front(out);
  out->least_bytes = out->points[0].run.peak_bytes;
  if (budget_bytes) keep_within(out, budget_bytes);
  return status;
}

erg_status erg_training_memory(const erg_point *point, const erg_training_stages *stages, int bits,
                               int64_t budget_bytes, erg_arena *arena, erg_memory_width *out, erg_error *error) {
  erg_memory_width width = {.bits = bits};
  erg_training_step training;
  erg_status status = erg_training_run(point, bits, &training, error);
  if (status != ERG_OK) return status;
  job j = {.stages = stages, .training = &training, .bits = bits, .arena = arena, .out = &width, .error = error};
  width.points = erg_arena_alloc(arena, MOST_POINTS * sizeof *width.points);
  if (!width.points) status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (status == ERG_OK) status = erg_training_chain(stages, &training, bits, arena, &j.chain, error);
  if (status == ERG_OK) status = erg_training_keep_all(stages, arena, &width.keep_all.schedule, error);
  if (status == ERG_OK) status = execute(&j, 0, &width.keep_all);
  width.keep_all.budget_bytes = width.keep_all.run.peak_bytes;
  if (status == ERG_OK) status = find_points(&j, budget_bytes);
  erg_training_free(&training);
  if (status == ERG_OK) *out = width;
  return status;
}
