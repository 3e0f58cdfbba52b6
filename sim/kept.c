/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kept.h"
#include <string.h>

typedef unsigned char geometry_bytes[sizeof(erg_geometry)]; /* zero between fields (geometry.c) */

static void bytes_of(const erg_pass *pass, const erg_precision *precision, geometry_bytes out) {
  erg_geometry g;
  erg_geometry_of(pass, precision, &g);
  memcpy(out, &g, sizeof g);
}

/* Passes are alike where they make the same geometry and counts of any widths. Widths that all differ, and a format
 * without widths, tell apart whatever a geometry may take of them. */
static bool alike(const erg_pass *a, const erg_pass *b) {
  static const erg_precision probes[] = {
      {.format = ERG_FORMAT_INT, .weight_bits = 3, .activation_bits = 5, .accumulator_bits = 37, .output_bits = 7},
      {.format = ERG_FORMAT_FP32, .weight_bits = 32, .activation_bits = 32, .accumulator_bits = 32, .output_bits = 32}};
  for (int i = 0; i < 2; i++) {
    geometry_bytes left, right;
    bytes_of(a, &probes[i], left);
    bytes_of(b, &probes[i], right);
    if (memcmp(left, right, sizeof left) != 0) return false;
  }
  return strcmp(a->kind_name, b->kind_name) == 0 && memcmp(&a->int_counts, &b->int_counts, sizeof a->int_counts) == 0 &&
         memcmp(&a->float_counts, &b->float_counts, sizeof a->float_counts) == 0;
}

typedef struct {
  erg_kept_plan *kept;
  const erg_point *point;
} asker;

static bool asked_before(const erg_kept_plan *kept, const erg_pass *fused, const erg_pass *parts, int part_count) {
  for (int i = 0; i < kept->question_count; i++) {
    const erg_question *q = &kept->questions[i];
    bool same = part_count == q->part_count && alike(fused, &q->fused);
    for (int p = 0; p < part_count && same; p++) same = alike(&parts[p], &q->parts[p]);
    if (same) return true;
  }
  return false;
}

static bool judge(void *context, const erg_pass *fused, const erg_pass *parts, int part_count, char *reason,
                  size_t reason_bytes) {
  asker *a = context;
  erg_kept_plan *kept = a->kept;
  bool verdict = erg_judge_fusion((void *)a->point, fused, parts, part_count, reason, reason_bytes);
  if (asked_before(kept, fused, parts, part_count)) return verdict;
  erg_question *q = &kept->questions[kept->question_count++];
  *q = (erg_question){.fused = *fused, .part_count = part_count, .verdict = verdict};
  memcpy(q->parts, parts, (size_t)part_count * sizeof *parts);
  return verdict;
}

static bool judged_as_before(const erg_kept_plan *kept, const erg_point *point) {
  char reason[256];
  for (int i = 0; i < kept->question_count; i++) {
    const erg_question *q = &kept->questions[i];
    if (erg_judge_fusion((void *)point, &q->fused, q->parts, q->part_count, reason, sizeof reason) != q->verdict)
      return false;
  }
  return true;
}

static void count_alike(const erg_plan *plan, int *times) {
  for (int i = 0; i < plan->pass_count; i++) {
    int first = 0;
    while (first < i && !(times[first] && alike(&plan->passes[first], &plan->passes[i]))) first++;
    times[first]++;
  }
}

static erg_status make(erg_kept_plan *kept, const erg_point *point, erg_error *error) {
  size_t nodes = (size_t)point->graph->node_count; /* a node asks once at most, and makes two passes at most */
  asker a = {kept, point};
  kept->questions = erg_arena_alloc(&kept->arena, nodes * sizeof *kept->questions);
  kept->times = erg_arena_alloc(&kept->arena, 2 * nodes * sizeof *kept->times);
  if (!kept->questions || !kept->times) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = erg_plan_build(point->graph, point->fusion, judge, &a, &kept->plan, error);
  if (status == ERG_OK) count_alike(&kept->plan, kept->times);
  return status;
}

erg_status erg_kept_plan_at(erg_kept_plan *kept, const erg_point *point, erg_error *error) {
  if (kept->made && judged_as_before(kept, point)) return ERG_OK;
  erg_kept_plan_free(kept);
  erg_status status = make(kept, point, error);
  kept->made = status == ERG_OK;
  return status;
}

void erg_kept_plan_free(erg_kept_plan *kept) {
  erg_plan_free(&kept->plan);
  erg_arena_free(&kept->arena);
  *kept = (erg_kept_plan){0};
}
