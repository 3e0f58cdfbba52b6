/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stalls of the analytic model: a recurrence over the steps of the loop nest. Step i computes while later steps load
 * and earlier ones store; tiles wait for one of two slots, transfers for the channels of the levels they come through,
 * first come first served. Everything is a maximum of times already known, so one walk gives all. */
#include "dataflow.h"
#include <math.h>
#include <string.h>

typedef struct {
  int n, m;
  int64_t k;
  int row, rows, channels;
  int64_t reduction;
  bool last_k;
} step;

static step step_at(const erg_geometry *g, const erg_mapping *m, int64_t index) {
  step s;
  s.k = index % m->k_chunks;
  int64_t tile = index / m->k_chunks;
  bool weights_stay = m->order == ERG_ORDER_WEIGHTS_STAY;
  s.n = (int)(weights_stay ? tile / m->m_tiles : tile % m->n_tiles);
  s.m = (int)(weights_stay ? tile % m->m_tiles : tile / m->n_tiles);
  int tiles_per_image = m->m_tiles / g->images, in_image = s.m % tiles_per_image;
  s.row = in_image * m->out_rows;
  s.rows = tile_rows(g, m->out_rows, in_image);
  s.channels = tile_channels(g, m->out_channels, s.n);
  int64_t left = erg_geometry_reduction(g) - s.k * m->reduction;
  s.reduction = left < m->reduction ? left : m->reduction;
  s.last_k = s.k == m->k_chunks - 1;
  return s;
}

/* Two slots of a scratchpad for the tiles of one tensor. */
typedef struct {
  int64_t loaded, freed;
  double freed_at[2];
} ring;

typedef struct {
  bool input, weight, residual;
} needs;

/* A step and what it needs; made once each, in order, and kept as long as the walk can look at it. */
typedef struct {
  step s;
  needs n;
} leg;
#define LEGS 16 /* more than the eight steps that are loaded ahead, and the next */

typedef struct {
  const erg_arch *arch;
  const erg_geometry *g;
  const erg_mapping *m;
  leg legs[LEGS];
  int64_t made;
  int64_t steps, next_load, computed, outputs, stored;
  double channel_free[ERG_MAX_LEVELS]; /* by level: when its port can take the next transfer */
  ring input, weight, residual;
  double load_end, loaded_at[8]; /* of steps loaded ahead: few, since slots are two */
  int load_level[8];
  double output_ready[2], stored_at[2], store_end;
  step output_step[2];
  int store_level;
  double stalls[ERG_MAX_LEVELS];
} timeline;

void erg_send(const erg_arch *arch, double channel_free[], const bool (*resident)[ERG_TENSOR_COUNT], erg_tensor tensor,
              double bits, double new_bits, double when, double *end, int *level) {
  for (int index = erg_arch_scratchpad(arch, tensor) - 1; index >= 0; index--) {
    const erg_level *l = &arch->levels[index];
    if (!(l->holds_mask >> tensor & 1u) || bits <= 0) continue;
    channel_free[index] = fmax(channel_free[index], when) + bits / l->bandwidth_bits_per_cycle;
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
  erg_send(t->arch, t->channel_free, t->m->resident, tensor, bits, new_bits, when, end, level);
}

static const leg *leg_at(timeline *t, int64_t index) {
  for (; t->made <= index; t->made++) {
    leg *l = &t->legs[t->made % LEGS];
    const step before = t->made > 0 ? t->legs[(t->made - 1) % LEGS].s : (step){0}, s = step_at(t->g, t->m, t->made);
    bool weights = t->g->array || t->g->constants, first = t->made == 0;
    l->s = s;
    l->n.input = first || s.m != before.m;
    l->n.weight = weights && (first || s.n != before.n || s.k != before.k || (t->m->k_chunks > 1 && s.m != before.m));
    l->n.residual = s.last_k && (t->g->residual || t->g->operands == 2);
  }
  return &t->legs[index % LEGS];
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

static bool load_possible(timeline *t) {
  if (t->next_load >= t->steps || t->next_load >= t->computed + 8) return false;
  needs n = leg_at(t, t->next_load)->n;
  return (!n.input || has_slot(&t->input)) && (!n.weight || has_slot(&t->weight)) &&
         (!n.residual || has_slot(&t->residual));
}

static double load_request(timeline *t) {
  return leg_at(t, t->next_load)->n.input ? fmax(t->load_end, slot_free(&t->input)) : t->load_end;
}

static void load(timeline *t) {
  const erg_geometry *g = t->g;
  const step s = leg_at(t, t->next_load)->s;
  const needs n = leg_at(t, t->next_load)->n;
  double when = t->load_end, end = 0;
  int level = 0;
  if (n.input) {
    when = fmax(when, slot_free(&t->input));
    double bits = (double)input_rows_bits(g, erg_touched_rows(g, s.row, s.rows));
    double fresh = (double)input_rows_bits(g, erg_touched_rows(g, 0, s.row + s.rows)) -
                   (s.row ? (double)input_rows_bits(g, erg_touched_rows(g, 0, s.row)) : 0);
    transfer(t, ERG_TENSOR_INPUT, bits, s.n == 0 ? fresh : 0, when, &end, &level);
    t->input.loaded++;
  }
  if (n.weight) {
    when = fmax(when, slot_free(&t->weight));
    double bits = (double)weight_run_bits(g, s.channels, s.reduction),
           constants = (double)constant_run_bits(g, s.channels);
    transfer(t, ERG_TENSOR_WEIGHT, bits, s.m == 0 ? bits : 0, when, &end, &level);
    if (s.last_k) transfer(t, ERG_TENSOR_CONSTANT, constants, s.m == 0 ? constants : 0, when, &end, &level);
    t->weight.loaded++;
  }
  if (n.residual) {
    when = fmax(when, slot_free(&t->residual));
    double bits = (double)slice_bits(g, s.rows, s.channels, g->residual_bits);
    transfer(t, ERG_TENSOR_RESIDUAL, bits, bits, when, &end, &level);
    t->residual.loaded++;
  }
  t->load_end = fmax(when, end);
  t->loaded_at[t->next_load % 8] = t->load_end;
  t->load_level[t->next_load++ % 8] = level;
}

static double store_request(const timeline *t) {
  return fmax(t->output_ready[t->stored % 2], t->store_end);
}

static void store(timeline *t) {
  const step *s = &t->output_step[t->stored % 2];
  double bits = (double)slice_bits(t->g, s->rows, s->channels, t->g->out_bits), when = store_request(t), end = when;
  transfer(t, ERG_TENSOR_OUTPUT, bits, bits, when, &end, &t->store_level);
  t->store_end = end;
  t->stored_at[t->stored++ % 2] = end;
}

/* All transfers whose start is known by now, in the order in which they ask for the channel. */
static void issue(timeline *t) {
  for (;;) {
    bool can_load = load_possible(t), can_store = t->stored < t->outputs;
    if (!can_load && !can_store) return;
    if (can_load && (!can_store || load_request(t) <= store_request(t)))
      load(t);
    else
      store(t);
  }
}

static double compute_cycles(const erg_arch *arch, const erg_geometry *g, const step *s, int64_t index, int64_t steps) {
  int64_t pixels = (int64_t)s->rows * g->out_w;
  if (!g->array) return (double)ceil_div(pixels * s->channels * g->window * g->rounds, arch->cols);
  const erg_dataflow_rules *rules = erg_dataflow_of(g->dataflow);
  const erg_dataflow_step it = {pixels, s->channels, s->reduction, s->last_k};
  int64_t cycles = rules->step_cycles(arch, g, &it);
  if (index == 0) cycles += rules->begin_cycles(arch);
  if (index == steps - 1) cycles += rules->end_cycles(arch, g, &it);
  return (double)cycles;
}

static double wait_until(timeline *t, double now, double until, int level) {
  if (until <= now) return now;
  t->stalls[level] += until - now;
  return until;
}

static double compute(timeline *t, double now, double *work) {
  int64_t index = t->computed;
  const step s = leg_at(t, index)->s;
  now = wait_until(t, now, t->loaded_at[index % 8], t->load_level[index % 8]);
  if (s.last_k && t->outputs >= 2) now = wait_until(t, now, t->stored_at[t->outputs % 2], t->store_level);
  *work = compute_cycles(t->arch, t->g, &s, index, t->steps);
  now += *work;
  needs next = index + 1 < t->steps ? leg_at(t, index + 1)->n : (needs){true, true, false};
  if (next.input) release(&t->input, now);
  if (next.weight && t->weight.loaded > t->weight.freed) release(&t->weight, now);
  if (s.last_k && t->residual.loaded > t->residual.freed) release(&t->residual, now);
  if (s.last_k) {
    t->output_step[t->outputs % 2] = s;
    t->output_ready[t->outputs++ % 2] = now;
  }
  t->computed++;
  return now;
}

/* No walk ends sooner: the first step waits for its tiles and the last output is stored when all work is done; and all
 * loads go through one channel before the last step works and its output is stored. */
uint64_t erg_least_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, bool direct) {
  timeline t = {.arch = arch, .g = g, .m = m, .steps = (int64_t)m->n_tiles * m->m_tiles * m->k_chunks};
  double stored = 0, free_channels[ERG_MAX_LEVELS] = {0};
  int level = 0;
  load(&t);
  const step last = step_at(g, m, t.steps - 1);
  double bits = (double)slice_bits(g, last.rows, last.channels, g->out_bits);
  erg_send(arch, free_channels, m->resident, ERG_TENSOR_OUTPUT, bits, bits, 0, &stored, &level);
  double work = (double)(g->array ? erg_array_cycles(arch, g, m) : erg_work_cycles(arch, g, m));
  double waits = t.load_end + stored;
  if (!direct) return (uint64_t)(work + fmax(0, floor(waits - 0.5 * arch->level_count))); /* rounded level by level */
  double loads = (double)m->offchip_bits;
  for (int n = 0; n < 2; n++) { /* all tiles of channels but the last are alike */
    int channels = tile_channels(g, m->out_channels, n ? m->n_tiles - 1 : 0);
    loads -= (n ? 1 : m->n_tiles - 1) * (double)g->images * (double)slice_bits(g, g->out_h, channels, g->out_bits);
  }
  double through =
      loads / arch->levels[0].bandwidth_bits_per_cycle + stored + compute_cycles(arch, g, &last, t.steps - 1, t.steps);
  return (uint64_t)(work + floor(fmax(waits, through - work) + 0.5));
}

void erg_count_cycles(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m, erg_activity *out) {
  timeline t = {.arch = arch, .g = g, .m = m, .steps = (int64_t)m->n_tiles * m->m_tiles * m->k_chunks};
  double now = 0, work;
  out->vector_cycles = 0;
  issue(&t);
  while (t.computed < t.steps) {
    now = compute(&t, now, &work);
    if (!g->array) out->vector_cycles += (uint64_t)work;
    issue(&t);
  }
  wait_until(&t, now, t.store_end, t.store_level);
  out->array_cycles = erg_array_cycles(arch, g, m);
  out->cycles = out->array_cycles + out->vector_cycles;
  for (int index = 0; index < arch->level_count; index++) {
    out->stall_cycles[index] = (uint64_t)llround(t.stalls[index]);
    out->cycles += out->stall_cycles[index];
  }
}
