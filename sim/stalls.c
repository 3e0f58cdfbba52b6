/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stalls of the analytic model: a recurrence over the steps of the loop nest. Step i computes while later steps load
 * and earlier ones store; tiles wait for one of two slots, transfers for the channels of the levels they come through,
 * first come first served. Everything is a maximum of times already known, so one walk gives all; where iterations of
 * the outer loop come to repeat, the walk leaps to the last of them. What a step moves and how long it computes stands
 * in its leg (legs.c). */
#include "legs.h"
#include <math.h>
#include <string.h>

static double later(double a, double b) {
  return a > b ? a : b;
}

#define AHEAD 8 /* steps are loaded ahead: few, since slots are two */

/* Two slots of a scratchpad for the tiles of one tensor. */
typedef struct {
  int64_t loaded, freed;
  double freed_at[2]; /* the last first */
} ring;
enum { INPUT, WEIGHT, RESIDUAL, RINGS };

typedef struct {
  double loaded_at;
  int level; /* that it waited for */
} arrival;

/* Between two steps all outputs are on their way: a step makes one at most, and it is sent as soon as it is made. */
typedef struct {
  int64_t computed;
  int ahead; /* steps loaded and not computed */
  arrival arrivals[AHEAD];
  ring rings[RINGS];
  double load_end;
  bool stores; /* an output of so many bits waits to be stored */
  double output, output_ready, stored_at[2];
  int outputs, store_level;            /* outputs: of those made up to now, two at most */
  double channel_free[ERG_MAX_LEVELS]; /* by level: when its port can take the next transfer */
  double now, stalls[ERG_MAX_LEVELS], all_stalls;
} moment;

/* Where one channel serves all, the unit of time is what a bit takes: times are whole numbers, and who asked first is
 * not decided by how they are rounded. Else it is a cycle. */
typedef struct {
  moment at;
  double cycle, latency; /* in units of time; the latency of the outermost level */
  erg_legs legs;
} timeline;

static void begin(timeline *t, const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  memset(&t->at, 0, sizeof t->at);
  t->cycle = arch->direct ? arch->levels[0].bandwidth_bits_per_cycle : 1;
  t->latency = (double)arch->levels[0].latency_cycles * t->cycle;
  erg_legs_begin(&t->legs, arch, g, m);
}

static void push(double pair[2], double last) {
  pair[1] = pair[0];
  pair[0] = last;
}

void erg_send(const erg_arch *arch, double channel_free[], const bool (*resident)[ERG_TENSOR_COUNT], erg_tensor tensor,
              double bits, double new_bits, double when, double *end, int *level) {
  for (int index = arch->scratchpads[tensor] - 1; index >= 0; index--) {
    const erg_level *l = &arch->levels[index];
    if (!(l->holds_mask >> tensor & 1u) || bits <= 0) continue;
    channel_free[index] = later(channel_free[index], when) + bits / l->bandwidth_bits_per_cycle;
    double done = channel_free[index] + (double)l->latency_cycles;
    if (done > *end) {
      *end = done;
      *level = index;
    }
    if (resident && resident[index][tensor]) bits = new_bits;
  }
}

static void transfer(timeline *t, erg_tensor tensor, double bits, double new_bits, double when, double *end,
                     int *level) {
  if (!t->legs.arch->direct) {
    erg_send(t->legs.arch, t->at.channel_free, t->legs.mapping->resident, tensor, bits, new_bits, when, end, level);
  } else if (bits > 0) {
    t->at.channel_free[0] = later(t->at.channel_free[0], when) + bits;
    *end = later(*end, t->at.channel_free[0] + t->latency);
  }
}

static bool has_slot(const ring *r) {
  return r->loaded - r->freed < 2;
}
/* When the slot of the tile to be loaded next was freed: it is that of the tile two before. */
static double slot_free(const ring *r) {
  return r->loaded < 2 ? 0 : r->freed_at[r->freed + 1 - r->loaded];
}
static void release(ring *r, double when) {
  if (r->loaded == r->freed) return;
  r->freed++;
  push(r->freed_at, when);
}

/* The next leg to load, or NULL while it has to wait for a step that has not been computed. */
static const erg_leg *loadable(timeline *t) {
  const int64_t next = t->at.computed + t->at.ahead;
  if (next >= t->legs.steps || t->at.ahead == AHEAD) return NULL;
  const erg_leg *l = erg_legs_at(&t->legs, next);
  bool can = (!l->needs_input || has_slot(&t->at.rings[INPUT])) &&
             (!l->needs_weight || has_slot(&t->at.rings[WEIGHT])) &&
             (!l->needs_residual || has_slot(&t->at.rings[RESIDUAL]));
  return can ? l : NULL;
}

static double load_request(const timeline *t, const erg_leg *l) {
  return l->needs_input ? later(t->at.load_end, slot_free(&t->at.rings[INPUT])) : t->at.load_end;
}

static void load(timeline *t, const erg_leg *l) {
  double when = load_request(t, l), end = 0;
  int level = 0;
  if (l->needs_input) {
    transfer(t, ERG_TENSOR_INPUT, l->input, l->fresh, when, &end, &level);
    t->at.rings[INPUT].loaded++;
  }
  if (l->needs_weight) {
    const double weight = l->kind->weight, constant = l->kind->constant;
    when = later(when, slot_free(&t->at.rings[WEIGHT]));
    transfer(t, ERG_TENSOR_WEIGHT, weight, l->first_m ? weight : 0, when, &end, &level);
    if (l->last_k) transfer(t, ERG_TENSOR_CONSTANT, constant, l->first_m ? constant : 0, when, &end, &level);
    t->at.rings[WEIGHT].loaded++;
  }
  if (l->needs_residual) {
    when = later(when, slot_free(&t->at.rings[RESIDUAL]));
    transfer(t, ERG_TENSOR_RESIDUAL, l->kind->residual, l->kind->residual, when, &end, &level);
    t->at.rings[RESIDUAL].loaded++;
  }
  t->at.load_end = later(when, end);
  t->at.arrivals[t->at.ahead++] = (arrival){t->at.load_end, level};
}

static double store_request(const timeline *t) {
  return later(t->at.output_ready, t->at.stored_at[0]);
}

static void store(timeline *t) {
  double when = store_request(t), end = when;
  transfer(t, ERG_TENSOR_OUTPUT, t->at.output, t->at.output, when, &end, &t->at.store_level);
  push(t->at.stored_at, end);
  t->at.stores = false;
}

/* All transfers whose start is known by now, in the order in which they ask for the channel. */
static void issue(timeline *t) {
  for (;;) {
    const erg_leg *next = loadable(t);
    if (!next && !t->at.stores) return;
    if (next && (!t->at.stores || load_request(t, next) <= store_request(t)))
      load(t, next);
    else
      store(t);
  }
}

static void wait_until(timeline *t, double until, int level) {
  if (until <= t->at.now) return;
  t->at.stalls[level] += until - t->at.now;
  t->at.all_stalls += until - t->at.now;
  t->at.now = until;
}

static void compute(timeline *t) {
  const erg_leg *l = erg_legs_at(&t->legs, t->at.computed), *next = NULL;
  if (t->at.computed + 1 < t->legs.steps) next = erg_legs_at(&t->legs, t->at.computed + 1);
  wait_until(t, t->at.arrivals[0].loaded_at, t->at.arrivals[0].level);
  for (int i = 1; i < t->at.ahead; i++) t->at.arrivals[i - 1] = t->at.arrivals[i];
  t->at.ahead--;
  if (l->last_k && t->at.outputs == 2)
    wait_until(t, t->at.stored_at[1], t->at.store_level); /* one of two slots is free */
  t->at.now += l->work_cycles * t->cycle;
  if (!next || next->needs_input) release(&t->at.rings[INPUT], t->at.now);
  if (!next || next->needs_weight) release(&t->at.rings[WEIGHT], t->at.now);
  if (l->last_k) {
    release(&t->at.rings[RESIDUAL], t->at.now);
    t->at.stores = true;
    t->at.output = l->kind->output;
    t->at.output_ready = t->at.now;
    if (t->at.outputs < 2) t->at.outputs++;
  }
  t->at.computed++;
}

/* ---- iterations that repeat ---- */

static bool moved(double from, double to, double by) {
  return to - from == by;
}

/* Whether all that matters is as it was an iteration ago, but later. A ring that took no tile meanwhile takes none. */
static bool steady(const moment *from, const moment *to, int channels) {
  double by = to->now - from->now;
  bool same = from->ahead == to->ahead && from->outputs == to->outputs && moved(from->load_end, to->load_end, by) &&
              moved(from->stored_at[0], to->stored_at[0], by) && moved(from->stored_at[1], to->stored_at[1], by) &&
              from->store_level == to->store_level;
  for (int i = 0; i < to->ahead && same; i++)
    same = from->arrivals[i].level == to->arrivals[i].level &&
           moved(from->arrivals[i].loaded_at, to->arrivals[i].loaded_at, by);
  for (int i = 0; i < channels && same; i++) same = moved(from->channel_free[i], to->channel_free[i], by);
  for (int i = 0; i < RINGS && same; i++) {
    const ring *a = &from->rings[i], *b = &to->rings[i];
    if (a->loaded == b->loaded) continue;
    same = a->loaded >= 2 && b->loaded - a->loaded == b->freed - a->freed &&
           moved(a->freed_at[0], b->freed_at[0], by) && moved(a->freed_at[1], b->freed_at[1], by);
  }
  return same;
}

static void move(double pair[2], double by) {
  pair[0] += by;
  pair[1] += by;
}

static void leap(timeline *t, const moment *from, int channels, int64_t iterations, int64_t steps) {
  moment *at = &t->at;
  double by = (double)iterations * (at->now - from->now);
  at->computed += iterations * steps;
  at->now += by, at->load_end += by;
  move(at->stored_at, by);
  for (int i = 0; i < at->ahead; i++) at->arrivals[i].loaded_at += by;
  for (int i = 0; i < channels; i++) at->channel_free[i] += by;
  for (int i = 0; i < RINGS; i++)
    if (at->rings[i].loaded > from->rings[i].loaded) move(at->rings[i].freed_at, by);
  for (int i = 0; i < ERG_MAX_LEVELS; i++) at->stalls[i] += (double)iterations * (at->stalls[i] - from->stalls[i]);
  at->all_stalls += (double)iterations * (at->all_stalls - from->all_stalls);
  erg_legs_skip(&t->legs, at->computed);
}

/* After each iteration of the outer loop: leaps as far as the steps ahead, and the first that is then looked at, are
 * like those of the iteration before. `before`: the walk as it was then. */
static void leap_if_steady(timeline *t, moment *before) {
  const erg_arch *arch = t->legs.arch;
  int channels = arch->direct ? 1 : arch->level_count - 1;
  int64_t alike = erg_legs_alike(&t->legs, t->at.computed) - 1 - (t->at.computed + t->at.ahead);
  int64_t iterations = alike / t->legs.period;
  if (iterations > 0 && steady(before, &t->at, channels)) leap(t, before, channels, iterations, t->legs.period);
  *before = t->at;
}

/* False: the walk was given up, since stalls are more than that. */
static bool walk(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, double most_stalls,
                 double stalls[ERG_MAX_LEVELS]) {
  timeline t;
  begin(&t, arch, g, m);
  issue(&t);
  moment before = t.at;
  for (int64_t rest = t.legs.period; t.at.computed < t.legs.steps && t.at.all_stalls <= most_stalls * t.cycle;) {
    compute(&t);
    issue(&t);
    if (--rest > 0) continue;
    rest = t.legs.period;
    leap_if_steady(&t, &before);
  }
  if (t.at.computed < t.legs.steps) return false;
  wait_until(&t, t.at.stored_at[0], t.at.store_level);
  for (int level = 0; level < arch->level_count; level++) stalls[level] = t.at.stalls[level] / t.cycle;
  return true;
}

bool erg_count_cycles_upto(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, uint64_t most_cycles,
                           erg_activity *out) {
  double stalls[ERG_MAX_LEVELS] = {0};
  memset(out->stall_cycles, 0, sizeof out->stall_cycles);
  out->array_cycles = erg_array_cycles(arch, g, m);
  out->vector_cycles = g->array ? 0 : erg_work_cycles(arch, g, m);
  out->cycles = out->array_cycles + out->vector_cycles;
  if (out->cycles > most_cycles) return false;
  double most_stalls = (double)(most_cycles - out->cycles) + 0.5 * arch->level_count; /* rounded level by level */
  if (!erg_stalls_at_ends(arch, g, m, &stalls[0]) && !walk(arch, g, m, most_stalls, stalls)) return false;
  for (int index = 0; index < arch->level_count; index++) {
    out->stall_cycles[index] = (uint64_t)llround(stalls[index]);
    out->cycles += out->stall_cycles[index];
  }
  return out->cycles <= most_cycles;
}

void erg_count_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, erg_activity *out) {
  erg_count_cycles_upto(arch, g, m, UINT64_MAX, out);
}
