/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search: cost(s, t, m) of bringing the gradient from x[t] back to x[s-1] in memory m while x[s-1] is kept
 * elsewhere (Beaumont et al. 2019, with the working memory of checkpoint.h). Either stage s keeps its tape, or the
 * chain runs forward to a checkpoint x[k-1], the rest is done first, and the part before it afterwards in all of m. */
#include "ergon/checkpoint.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 2000
#define MOST_STAGES 512
enum { TAPE = 0, NOTHING = -1 }; /* choices; else k of the checkpoint x[k-1] */

typedef struct {
  const erg_chain *chain;
  int n, slots;
  int *full, *output, *tape; /* in slots: full[0..n] of x, output[s], tape[s] of what is kept */
  double *cost;              /* [s][t][m] */
  short *choice;
  erg_step *steps;
  int step_count, step_room;
} search;

static size_t at(const search *c, int s, int t, int m) {
  return ((size_t)s * (size_t)(c->n + 1) + (size_t)t) * (size_t)(c->slots + 1) + (size_t)m;
}
static double cost_of(const search *c, int s, int t, int m) {
  return m < 0 ? INFINITY : c->cost[at(c, s, t, m)];
}

/* The gradient of x[t] waits while stages before it are computed again; before the loss there is none. */
static int waiting(const search *c, int t) {
  return t < c->n ? c->full[t] : 0;
}
/* Of stage s in a run forward that began, from what is kept, at stage `first`. */
static int forward_need(const search *c, int first, int s, int t) {
  return (s > first ? c->full[s - 1] : 0) + c->full[s] + waiting(c, t);
}

static double with_tape(const search *c, int s, int t, int m) {
  const erg_stage *stage = &c->chain->stages[s - 1];
  int tape = c->tape[s];
  if (tape + forward_need(c, s, s, t) > m || tape + c->full[s] + c->full[s - 1] > m) return INFINITY;
  double rest = s == t ? 0 : cost_of(c, s + 1, t, m - tape);
  return stage->forward_cost + rest + stage->backward_cost;
}

static void solve(search *c, int s, int t) {
  for (int m = 0; m <= c->slots; m++) {
    double best = with_tape(c, s, t, m), forward = 0;
    short choice = isfinite(best) ? TAPE : NOTHING;
    for (int k = s + 1; k <= t; k++) {
      forward += c->chain->stages[k - 2].forward_cost;
      if (forward_need(c, s, k - 1, t) > m) break; /* nor does any later one get there */
      if (forward_need(c, s, k - 1, t) + c->output[k - 1] > m) continue;
      double cost = forward + cost_of(c, k, t, m - c->output[k - 1]) + cost_of(c, s, k - 1, m);
      if (cost < best) best = cost, choice = (short)k;
    }
    c->cost[at(c, s, t, m)] = best;
    c->choice[at(c, s, t, m)] = choice;
  }
}

static void push(search *c, erg_step_kind kind, int stage) {
  if (c->step_count < c->step_room) c->steps[c->step_count] = (erg_step){kind, stage};
  c->step_count++;
}

static void write_steps(search *c, int s, int t, int m) {
  int k = c->choice[at(c, s, t, m)];
  if (k == TAPE) {
    push(c, ERG_STEP_FORWARD_TAPE, s);
    if (s < t) write_steps(c, s + 1, t, m - c->tape[s]);
    push(c, ERG_STEP_BACKWARD, s);
    return;
  }
  for (int j = s; j < k - 1; j++) push(c, ERG_STEP_FORWARD, j);
  push(c, ERG_STEP_FORWARD_KEEP, k - 1);
  write_steps(c, k, t, m - c->output[k - 1]);
  write_steps(c, s, k - 1, m);
}

static int slots_of(int64_t bytes, int64_t slot_bytes) {
  int64_t slots = (bytes + slot_bytes - 1) / slot_bytes;
  return slots > INT32_MAX / 8 ? INT32_MAX / 8 : (int)slots;
}

static erg_status check(const erg_chain *chain, int64_t budget_bytes, int slots, erg_error *error) {
  if (chain->count < 1 || chain->count > MOST_STAGES)
    return erg_fail(error, ERG_ERR_DATA, "checkpoint: found %d stages; allowed: 1 to %d", chain->count, MOST_STAGES);
  if (budget_bytes < 1)
    return erg_fail(error, ERG_ERR_DATA, "checkpoint: found a budget of %lld bytes", (long long)budget_bytes);
  if (slots < 0 || slots > 100000)
    return erg_fail(error, ERG_ERR_DATA, "checkpoint: found %d slots; allowed: up to 100000", slots);
  erg_status status = ERG_OK;
  for (int s = 0; s < chain->count; s++) {
    const erg_stage *g = &chain->stages[s];
    if (!(g->forward_cost >= 0) || !(g->backward_cost >= 0) || g->output_bytes < 0 || g->kept_output_bytes < 0 ||
        g->kept_tape_bytes < 0)
      status = erg_fail(error, ERG_ERR_DATA, "checkpoint: stage %d has a size or cost below 0", s + 1);
  }
  return status;
}

static bool make_room(search *c) {
  size_t states = (size_t)(c->n + 2) * (size_t)(c->n + 1) * (size_t)(c->slots + 1);
  c->full = calloc((size_t)c->n + 1, sizeof *c->full);
  c->output = calloc((size_t)c->n + 1, sizeof *c->output);
  c->tape = calloc((size_t)c->n + 1, sizeof *c->tape);
  c->cost = malloc(states * sizeof *c->cost);
  c->choice = malloc(states * sizeof *c->choice);
  return c->full && c->output && c->tape && c->cost && c->choice;
}

static void free_room(search *c) {
  free(c->full);
  free(c->output);
  free(c->tape);
  free(c->cost);
  free(c->choice);
}

static void fill(search *c, int64_t slot_bytes) {
  c->full[0] = slots_of(c->chain->input_bytes, slot_bytes);
  for (int s = 1; s <= c->n; s++) {
    const erg_stage *g = &c->chain->stages[s - 1];
    c->full[s] = slots_of(g->output_bytes, slot_bytes);
    c->output[s] = slots_of(g->kept_output_bytes, slot_bytes);
    c->tape[s] = slots_of(g->kept_tape_bytes, slot_bytes);
  }
  for (int length = 1; length <= c->n; length++)
    for (int s = 1; s + length - 1 <= c->n; s++) solve(c, s, s + length - 1);
}

static erg_status trace(search *c, erg_arena *arena, erg_schedule *out, erg_error *error) {
  write_steps(c, 1, c->n, c->slots); /* counts */
  c->step_room = c->step_count;
  c->step_count = 0;
  c->steps = erg_arena_alloc(arena, (size_t)c->step_room * sizeof *c->steps);
  if (!c->steps) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  write_steps(c, 1, c->n, c->slots);
  double once = 0, cost = cost_of(c, 1, c->n, c->slots);
  for (int s = 0; s < c->n; s++) once += c->chain->stages[s].forward_cost + c->chain->stages[s].backward_cost;
  *out = (erg_schedule){c->steps, c->step_count, cost, cost - once};
  return ERG_OK;
}

erg_status erg_checkpoint(const erg_chain *chain, int64_t budget_bytes, int slots, erg_arena *arena, erg_schedule *out,
                          erg_error *error) {
  erg_status status = check(chain, budget_bytes, slots, error);
  if (status != ERG_OK) return status;
  int most = slots ? slots : SLOTS;
  int64_t slot_bytes = (budget_bytes + most - 1) / most;
  search c = {.chain = chain, .n = chain->count, .slots = (int)(budget_bytes / slot_bytes)};
  if (!make_room(&c)) {
    free_room(&c);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  fill(&c, slot_bytes);
  if (isfinite(cost_of(&c, 1, c.n, c.slots)))
    status = trace(&c, arena, out, error);
  else
    status =
        erg_fail(error, ERG_ERR_DATA, "checkpoint: no schedule fits in %lld bytes; with every tape kept it takes %lld",
                 (long long)budget_bytes, (long long)erg_checkpoint_all_bytes(chain));
  free_room(&c);
  return status;
}
