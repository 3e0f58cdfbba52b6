/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stalls of the analytic model: a recurrence over the steps of the loop nest. Step i computes while later steps load
 * and earlier ones store; tiles wait for one of two slots, transfers for the channels of the levels they come through,
 * first come first served. Everything is a maximum of times already known, so one walk gives all. What a step moves and
 * how long it computes stands in its leg (legs.c). */
#include "legs.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

static double later(double a, double b) {
  return a > b ? a : b;
}

/* Two slots of a scratchpad for the tiles of one tensor. */
typedef struct {
  int64_t loaded, freed;
  double freed_at[2];
} ring;

typedef struct {
  erg_legs legs;
  bool direct; /* every tensor comes and goes through the outermost channel alone */
  int64_t next_load, computed, outputs, stored;
  double latency_cycles;               /* direct: of every transfer */
  double channel_free[ERG_MAX_LEVELS]; /* by level: when its port can take the next transfer */
  ring input, weight, residual;
  double load_end, loaded_at[8]; /* of steps loaded ahead: few, since slots are two */
  int load_level[8];
  double output_ready[2], stored_at[2], store_end;
  erg_leg_move output[2];
  int store_level;
  double stalls[ERG_MAX_LEVELS], all_stalls;
} timeline;

static void begin(timeline *t, const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  memset(&t->next_load, 0, sizeof *t - offsetof(timeline, next_load));
  t->direct = arch->direct;
  t->latency_cycles = (double)arch->levels[0].latency_cycles;
  erg_legs_begin(&t->legs, arch, g, m);
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

static void transfer(timeline *t, erg_tensor tensor, const erg_leg_move *move, double new_bits, double when, double *end,
                     int *level) {
  if (!t->direct) {
    erg_send(t->legs.arch, t->channel_free, t->legs.mapping->resident, tensor, move->bits, new_bits, when, end, level);
  } else if (move->bits > 0) { /* the same, with all that is known beforehand */
    t->channel_free[0] = later(t->channel_free[0], when) + move->cycles;
    *end = later(*end, t->channel_free[0] + t->latency_cycles);
  }
}

static bool has_slot(const ring *r) {
  return r->loaded - r->freed < 2;
}
static double slot_free(const ring *r) {
  return r->loaded < 2 ? 0 : r->freed_at[r->loaded % 2];
}
static void release(ring *r, double when) {
  r->freed_at[r->freed++ % 2] = when;
}

/* The next leg to load, or NULL while it has to wait for a step that has not been computed. */
static const erg_leg *loadable(timeline *t) {
  if (t->next_load >= t->legs.steps || t->next_load >= t->computed + 8) return NULL;
  const erg_leg *l = erg_legs_at(&t->legs, t->next_load);
  bool can = (!l->needs_input || has_slot(&t->input)) && (!l->needs_weight || has_slot(&t->weight)) &&
             (!l->needs_residual || has_slot(&t->residual));
  return can ? l : NULL;
}

static double load_request(const timeline *t, const erg_leg *l) {
  return l->needs_input ? later(t->load_end, slot_free(&t->input)) : t->load_end;
}

static void load(timeline *t, const erg_leg *l) {
  double when = t->load_end, end = 0;
  int level = 0;
  if (l->needs_input) {
    when = later(when, slot_free(&t->input));
    transfer(t, ERG_TENSOR_INPUT, &l->input, l->fresh, when, &end, &level);
    t->input.loaded++;
  }
  if (l->needs_weight) {
    when = later(when, slot_free(&t->weight));
    const erg_leg_move *weight = &l->kind->weight, *constant = &l->kind->constant;
    transfer(t, ERG_TENSOR_WEIGHT, weight, l->first_m ? weight->bits : 0, when, &end, &level);
    if (l->last_k) transfer(t, ERG_TENSOR_CONSTANT, constant, l->first_m ? constant->bits : 0, when, &end, &level);
    t->weight.loaded++;
  }
  if (l->needs_residual) {
    when = later(when, slot_free(&t->residual));
    transfer(t, ERG_TENSOR_RESIDUAL, &l->kind->residual, l->kind->residual.bits, when, &end, &level);
    t->residual.loaded++;
  }
  t->load_end = later(when, end);
  t->loaded_at[t->next_load % 8] = t->load_end;
  t->load_level[t->next_load++ % 8] = level;
}

static double store_request(const timeline *t) {
  return later(t->output_ready[t->stored % 2], t->store_end);
}

static void store(timeline *t) {
  const erg_leg_move *output = &t->output[t->stored % 2];
  double when = store_request(t), end = when;
  transfer(t, ERG_TENSOR_OUTPUT, output, output->bits, when, &end, &t->store_level);
  t->store_end = end;
  t->stored_at[t->stored++ % 2] = end;
}

/* All transfers whose start is known by now, in the order in which they ask for the channel. */
static void issue(timeline *t) {
  for (;;) {
    const erg_leg *next = loadable(t);
    bool can_store = t->stored < t->outputs;
    if (!next && !can_store) return;
    if (next && (!can_store || load_request(t, next) <= store_request(t)))
      load(t, next);
    else
      store(t);
  }
}

static double wait_until(timeline *t, double now, double until, int level) {
  if (until <= now) return now;
  t->stalls[level] += until - now;
  t->all_stalls += until - now;
  return until;
}

static double compute(timeline *t, double now) {
  int64_t index = t->computed;
  const erg_leg *l = erg_legs_at(&t->legs, index), *next = NULL;
  if (index + 1 < t->legs.steps) next = erg_legs_at(&t->legs, index + 1);
  now = wait_until(t, now, t->loaded_at[index % 8], t->load_level[index % 8]);
  if (l->last_k && t->outputs >= 2) now = wait_until(t, now, t->stored_at[t->outputs % 2], t->store_level);
  now += l->work_cycles;
  if (!next || next->needs_input) release(&t->input, now);
  if ((!next || next->needs_weight) && t->weight.loaded > t->weight.freed) release(&t->weight, now);
  if (l->last_k && t->residual.loaded > t->residual.freed) release(&t->residual, now);
  if (l->last_k) {
    t->output[t->outputs % 2] = l->kind->output;
    t->output_ready[t->outputs++ % 2] = now;
  }
  t->computed++;
  return now;
}

/* No walk ends sooner: the first step waits for its tiles and the last output is stored when all work is done; and all
 * loads go through one channel before the last step works and its output is stored. */
uint64_t erg_least_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  timeline t;
  double stored = 0, last_work, free_channels[ERG_MAX_LEVELS] = {0};
  int level = 0;
  begin(&t, arch, g, m);
  load(&t, erg_legs_at(&t.legs, 0));
  const erg_leg_kind *last = erg_legs_last(&t.legs, &last_work);
  erg_send(arch, free_channels, m->resident, ERG_TENSOR_OUTPUT, last->output.bits, last->output.bits, 0, &stored, &level);
  double work = (double)(g->array ? erg_array_cycles(arch, g, m) : erg_work_cycles(arch, g, m));
  double waits = t.load_end + stored;
  if (!arch->direct) return (uint64_t)(work + later(0, floor(waits - 0.5 * arch->level_count))); /* rounded level by level */
  double loads = (double)m->offchip_bits;
  for (int n = 0; n < 2; n++) { /* all tiles of channels but the last are alike */
    int channels = tile_channels(g, m->out_channels, n ? m->n_tiles - 1 : 0);
    loads -= (n ? 1 : m->n_tiles - 1) * (double)g->images * (double)slice_bits(g, g->out_h, channels, g->out_bits);
  }
  double through = loads / arch->levels[0].bandwidth_bits_per_cycle + stored + last_work;
  return (uint64_t)(work + floor(later(waits, through - work) + 0.5));
}

bool erg_count_cycles_upto(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, uint64_t most_cycles,
                           erg_activity *out) {
  timeline t;
  double now = 0;
  out->array_cycles = erg_array_cycles(arch, g, m);
  out->vector_cycles = g->array ? 0 : erg_work_cycles(arch, g, m);
  out->cycles = out->array_cycles + out->vector_cycles;
  if (out->cycles > most_cycles) return false;
  double most_stalls = (double)(most_cycles - out->cycles) + 0.5 * arch->level_count; /* rounded level by level */
  begin(&t, arch, g, m);
  issue(&t);
  while (t.computed < t.legs.steps && t.all_stalls <= most_stalls) {
    now = compute(&t, now);
    issue(&t);
  }
  if (t.computed < t.legs.steps) return false;
  wait_until(&t, now, t.store_end, t.store_level);
  for (int index = 0; index < arch->level_count; index++) {
    out->stall_cycles[index] = (uint64_t)llround(t.stalls[index]);
    out->cycles += out->stall_cycles[index];
  }
  return out->cycles <= most_cycles;
}

void erg_count_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, erg_activity *out) {
  erg_count_cycles_upto(arch, g, m, UINT64_MAX, out);
}
