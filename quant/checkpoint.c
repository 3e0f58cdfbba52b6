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

typedef struct erg_checkpoint_search {
  const erg_chain *chain;
  int n, slots;
  int64_t slot_bytes;
  int *full, *output, *tape; /* in slots: full[0..n] of x, output[s], tape[s] of what is kept */
  int *forward, *backward;   /* [s]: what lives within a stage */
  double *cost;              /* [fresh][s][t][m]; fresh: x[s-1] has just been computed */
  short *choice;
  erg_step *steps;
  int step_count, step_room;
} search;

static size_t at(const search *c, bool fresh, int s, int t, int m) {
  const size_t n = (size_t)c->n;
  return (((fresh ? n + 2 : 0) + (size_t)s) * (n + 1) + (size_t)t) * (size_t)(c->slots + 1) + (size_t)m;
}
static double cost_of(const search *c, bool fresh, int s, int t, int m) {
  return m < 0 ? INFINITY : c->cost[at(c, fresh, s, t, m)];
}

/* The gradient of x[t] waits while stages before it are computed again; before the loss there is none. */
static int waiting(const search *c, int t) {
  return t < c->n ? c->full[t] : 0;
}
/* Of stage s; `full`: x[s-1] is there in full. */
static int forward_need(const search *c, bool full, int s, int t) {
  return (full ? c->full[s - 1] : 0) + c->full[s] + c->forward[s] + waiting(c, t);
}

static double with_tape(const search *c, bool fresh, int s, int t, int m) {
  const erg_stage *stage = &c->chain->stages[s - 1];
  int tape = c->tape[s];
  if (tape + forward_need(c, fresh, s, t) > m || tape + c->full[s] + c->full[s - 1] + c->backward[s] > m)
    return INFINITY;
  double rest = s == t ? 0 : cost_of(c, c->chain->coded, s + 1, t, m - tape);
  return stage->forward_cost + rest + stage->backward_cost;
}

static void solve(search *c, bool fresh, int s, int t) {
  for (int m = 0; m <= c->slots; m++) {
    double best = with_tape(c, fresh, s, t, m), forward = 0;
    short choice = isfinite(best) ? TAPE : NOTHING;
    for (int k = s + 1; k <= t; k++) {
      forward += c->chain->stages[k - 2].forward_cost;
      const int need = forward_need(c, fresh || k - 1 > s, k - 1, t);
      if (need > m) break; /* nor does any later one get there */
      if (need + c->output[k - 1] > m) continue;
      double cost = forward + c->chain->stages[k - 2].keep_cost +
                    cost_of(c, c->chain->coded, k, t, m - c->output[k - 1]) + cost_of(c, false, s, k - 1, m);
      if (cost < best) best = cost, choice = (short)k;
    }
    c->cost[at(c, fresh, s, t, m)] = best;
    c->choice[at(c, fresh, s, t, m)] = choice;
  }
}

static void push(search *c, erg_step_kind kind, int stage) {
  if (c->step_count < c->step_room) c->steps[c->step_count] = (erg_step){kind, stage};
  c->step_count++;
}

static void write_steps(search *c, bool fresh, int s, int t, int m) {
  int k = c->choice[at(c, fresh, s, t, m)];
  if (k == TAPE) {
    push(c, ERG_STEP_FORWARD_TAPE, s);
    if (s < t) write_steps(c, c->chain->coded, s + 1, t, m - c->tape[s]);
    push(c, ERG_STEP_BACKWARD, s);
    return;
  }
  for (int j = s; j < k - 1; j++) push(c, ERG_STEP_FORWARD, j);
  push(c, ERG_STEP_FORWARD_KEEP, k - 1);
  write_steps(c, c->chain->coded, k, t, m - c->output[k - 1]);
  write_steps(c, false, s, k - 1, m);
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
    if (!(g->forward_cost >= 0) || !(g->backward_cost >= 0) || !(g->keep_cost >= 0) || g->output_bytes < 0 ||
        g->kept_output_bytes < 0 || g->kept_tape_bytes < 0 || g->forward_extra_bytes < 0 || g->backward_extra_bytes < 0)
      status = erg_fail(error, ERG_ERR_DATA, "checkpoint: stage %d has a size or cost below 0", s + 1);
  }
  return status;
}

static bool make_room(search *c) {
  size_t states = (c->chain->coded ? 2 : 1) * (size_t)(c->n + 2) * (size_t)(c->n + 1) * (size_t)(c->slots + 1);
  c->full = calloc((size_t)c->n + 1, sizeof *c->full);
  c->output = calloc((size_t)c->n + 1, sizeof *c->output);
  c->tape = calloc((size_t)c->n + 1, sizeof *c->tape);
  c->forward = calloc((size_t)c->n + 1, sizeof *c->forward);
  c->backward = calloc((size_t)c->n + 1, sizeof *c->backward);
  c->cost = malloc(states * sizeof *c->cost);
  c->choice = malloc(states * sizeof *c->choice);
  return c->full && c->output && c->tape && c->forward && c->backward && c->cost && c->choice;
}

void erg_checkpoint_free(erg_checkpoint_search *c) {
  if (!c) return;
  free(c->full);
  free(c->output);
  free(c->tape);
  free(c->forward);
  free(c->backward);
  free(c->cost);
  free(c->choice);
  free(c);
}

static void fill(search *c) {
  c->full[0] = slots_of(c->chain->input_bytes, c->slot_bytes);
  for (int s = 1; s <= c->n; s++) {
    const erg_stage *g = &c->chain->stages[s - 1];
    c->full[s] = slots_of(g->output_bytes, c->slot_bytes);
    c->output[s] = slots_of(g->kept_output_bytes, c->slot_bytes);
    c->tape[s] = slots_of(g->kept_tape_bytes, c->slot_bytes);
    c->forward[s] = slots_of(g->forward_extra_bytes, c->slot_bytes);
    c->backward[s] = slots_of(g->backward_extra_bytes, c->slot_bytes);
  }
  for (int length = 1; length <= c->n; length++)
    for (int s = 1; s + length - 1 <= c->n; s++)
      for (int fresh = 0; fresh <= c->chain->coded; fresh++) solve(c, fresh, s, s + length - 1);
}

erg_status erg_checkpoint_solve(const erg_chain *chain, int64_t most_bytes, int slots, erg_checkpoint_search **out,
                                erg_error *error) {
  erg_status status = check(chain, most_bytes, slots, error);
  if (status != ERG_OK) return status;
  search *c = calloc(1, sizeof *c);
  int most = slots ? slots : SLOTS;
  if (c) {
    c->chain = chain;
    c->n = chain->count;
    c->slot_bytes = (most_bytes + most - 1) / most;
    c->slots = (int)(most_bytes / c->slot_bytes);
  }
  if (!c || !make_room(c)) {
    erg_checkpoint_free(c);
    erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    return ERG_ERR_INTERNAL;
  }
  fill(c);
  *out = c;
  return ERG_OK;
}

static int slot_of(const search *c, int64_t bytes) {
  const int64_t slot = bytes / c->slot_bytes;
  return slot > c->slots ? c->slots : (int)slot;
}

double erg_checkpoint_cost(const erg_checkpoint_search *c, int64_t budget_bytes) {
  return cost_of(c, false, 1, c->n, slot_of(c, budget_bytes));
}

int64_t erg_checkpoint_next(const erg_checkpoint_search *c, int64_t beyond_bytes) {
  const double before = beyond_bytes ? erg_checkpoint_cost(c, beyond_bytes) : INFINITY;
  for (int m = beyond_bytes ? slot_of(c, beyond_bytes) : 0; m <= c->slots; m++)
    if (cost_of(c, false, 1, c->n, m) < before) return m * c->slot_bytes;
  return 0;
}

erg_status erg_checkpoint_trace(erg_checkpoint_search *c, int64_t budget_bytes, erg_arena *arena, erg_schedule *out,
                                erg_error *error) {
  const int m = slot_of(c, budget_bytes);
  double once = 0, cost = cost_of(c, false, 1, c->n, m);
  if (!isfinite(cost))
    return erg_fail(error, ERG_ERR_DATA, "checkpoint: no schedule fits in %lld bytes", (long long)budget_bytes);
  c->step_count = c->step_room = 0;
  write_steps(c, false, 1, c->n, m); /* counts */
  c->step_room = c->step_count;
  c->step_count = 0;
  c->steps = erg_arena_alloc(arena, (size_t)c->step_room * sizeof *c->steps);
  if (!c->steps) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  write_steps(c, false, 1, c->n, m);
  for (int s = 0; s < c->n; s++) once += c->chain->stages[s].forward_cost + c->chain->stages[s].backward_cost;
  *out = (erg_schedule){c->steps, c->step_count, cost, cost - once};
  return ERG_OK;
}

/* Searches within `most`; *found: the least budget of that search, 0: none. */
static erg_status search_within(const erg_chain *chain, int64_t most, int slots, int64_t *found, erg_error *error) {
  erg_checkpoint_search *c;
  erg_status status = erg_checkpoint_solve(chain, most, slots, &c, error);
  if (status != ERG_OK) return status;
  *found = erg_checkpoint_next(c, 0);
  erg_checkpoint_free(c);
  return ERG_OK;
}

/* What one search found is the next one's most, whose slots are finer. Rounding up may yet make them too many: then a
 * few slots more. Confirmed is a budget only by a search of its own. */
erg_status erg_checkpoint_least(const erg_chain *chain, int slots, int64_t *bytes, erg_error *error) {
  const int64_t all = erg_checkpoint_all_bytes(chain);
  int64_t confirmed = all > 0 ? all : 1, candidate = 0, found = 0;
  erg_status status = search_within(chain, confirmed, slots, &candidate, error);
  while (status == ERG_OK && !candidate && confirmed / 8 <= all)
    status = search_within(chain, confirmed += confirmed / 8 + 1, slots, &candidate, error);
  if (status == ERG_OK && !candidate)
    status = erg_fail(error, ERG_ERR_DATA, "checkpoint: %d slots are too few for %d stages", slots, chain->count);
  for (int round = 0; round < 3 && status == ERG_OK && candidate < confirmed; round++) {
    status = search_within(chain, candidate, slots, &found, error);
    if (status != ERG_OK || !found) break;
    confirmed = candidate;
    candidate = found;
  }
  for (int64_t more = 1 + candidate / SLOTS; status == ERG_OK && candidate + more < confirmed; more *= 2) {
    status = search_within(chain, candidate + more, slots, &found, error);
    if (status == ERG_OK && found) confirmed = candidate + more;
  }
  if (status == ERG_OK) *bytes = confirmed;
  return status;
}

erg_status erg_checkpoint(const erg_chain *chain, int64_t budget_bytes, int slots, erg_arena *arena, erg_schedule *out,
                          erg_error *error) {
  erg_checkpoint_search *c;
  erg_status status = erg_checkpoint_solve(chain, budget_bytes, slots, &c, error);
  if (status != ERG_OK) return status;
  int64_t least = 0;
  if (isfinite(erg_checkpoint_cost(c, budget_bytes)))
    status = erg_checkpoint_trace(c, budget_bytes, arena, out, error);
  else if ((status = erg_checkpoint_least(chain, slots, &least, error)) == ERG_OK)
    status = erg_fail(error, ERG_ERR_DATA,
                      "checkpoint: no schedule fits in %lld bytes; the least that one was found for is %lld, with "
                      "every tape kept it takes %lld",
                      (long long)budget_bytes, (long long)least, (long long)erg_checkpoint_all_bytes(chain));
  erg_checkpoint_free(c);
  return status;
}
