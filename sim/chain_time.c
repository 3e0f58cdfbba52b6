/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chain's tiles in order and in time (docs/model.md, "Chains"). A tile needs the outputs of the link before it, so
 * tiles never overlap; transfers to and from off chip do, as in stalls.c. */
#include "chain.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int tiles_of(const erg_chain_link *link) {
  return link->mapping.m_tiles / link->geometry.images;
}

/* Input rows [low, high) of a tile, inside the map. */
static void window(const erg_chain_link *link, int tile, int *low, int *high) {
  const erg_geometry *g = &link->geometry;
  int first = tile * link->mapping.out_rows, rows = tile_rows(g, link->mapping.out_rows, tile);
  *low = first * g->stride_h - g->pad_top;
  *high = (first + rows - 1) * g->stride_h - g->pad_top + g->kernel_h;
  if (*low < 0) *low = 0;
  if (*high > g->in_h) *high = g->in_h;
}

typedef struct {
  int tile, made; /**< of this image: tiles done, output rows done */
} progress;

/* The deepest link that has a tile left and its input rows; the first always has them. */
static int ready(const erg_chain_link *links, int count, const progress *at) {
  for (int i = count - 1; i > 0; i--) {
    int low, high;
    if (at[i].tile == tiles_of(&links[i])) continue;
    window(&links[i], at[i].tile, &low, &high);
    if (high <= at[i - 1].made) return i;
  }
  for (int i = 0; i < count; i++) /* all are done but, perhaps, rows at an end that nothing reads */
    if (at[i].tile < tiles_of(&links[i])) return i;
  return -1;
}

static int held(const erg_chain_link *link, const progress *at, int made) {
  int low, high;
  if (at->tile == tiles_of(link)) return 0;
  window(link, at->tile, &low, &high);
  return made > low ? made - low : 0;
}

erg_chain_step *erg_chain_schedule(const erg_chain_link *links, int count, int64_t *step_count, int *most_rows) {
  int64_t steps = 0;
  for (int i = 0; i < count; i++) steps += links[i].mapping.m_tiles;
  erg_chain_step *order = malloc(((size_t)steps + 1) * sizeof *order);
  progress *at = malloc((size_t)count * sizeof *at);
  *step_count = 0;
  if (order && at) memset(most_rows, 0, (size_t)count * sizeof *most_rows);
  for (int image = 0; order && at && image < links[0].geometry.images; image++) {
    memset(at, 0, (size_t)count * sizeof *at);
    for (int i; (i = ready(links, count, at)) >= 0;) {
      order[(*step_count)++] = (erg_chain_step){i, image, at[i].tile};
      at[i].made += tile_rows(&links[i].geometry, links[i].mapping.out_rows, at[i].tile++);
      if (i + 1 == count) continue;
      int rows = held(&links[i + 1], &at[i + 1], at[i].made);
      if (rows > most_rows[i + 1]) most_rows[i + 1] = rows;
    }
  }
  if (!at) {
    free(order);
    order = NULL;
  }
  free(at);
  return order;
}

/* ---- time ---- */

typedef struct {
  int64_t two_before; /**< step of the same link two tiles before, whose slots this one takes; -1: none */
  double loaded, done;
  int level; /**< that its load waited for */
} event;

typedef struct {
  const erg_arch *arch;
  const erg_chain_link *links;
  int count;
  const erg_chain_step *steps;
  event *events;
  int64_t step_count, computed, next_load, next_store;
  double channel_free[ERG_MAX_LEVELS], load_end, store_end, stored[2];
  int64_t stores;
  int store_level;
} timeline;

static void load(timeline *t, double when) {
  const erg_chain_step *s = &t->steps[t->next_load];
  const erg_geometry *g = &t->links[s->link].geometry;
  event *e = &t->events[t->next_load++];
  int rows = tile_rows(g, t->links[s->link].mapping.out_rows, s->tile);
  int done = s->tile * t->links[s->link].mapping.out_rows;
  double end = 0;
  if (s->link == 0) { /* the rows that the tile before has not brought */
    int fresh = erg_touched_rows(g, 0, done + rows) - (done ? erg_touched_rows(g, 0, done) : 0);
    erg_send(t->arch, t->channel_free, NULL, ERG_TENSOR_INPUT, (double)input_rows_bits(g, fresh), 0, when, &end,
             &e->level);
  }
  if (s->image == 0 && s->tile == 0) { /* weights come once and stay */
    double weights = (double)weight_run_bits(g, g->out_c, erg_geometry_reduction(g));
    erg_send(t->arch, t->channel_free, NULL, ERG_TENSOR_WEIGHT, weights, 0, when, &end, &e->level);
    erg_send(t->arch, t->channel_free, NULL, ERG_TENSOR_CONSTANT, (double)constant_run_bits(g, g->out_c), 0, when, &end,
             &e->level);
  }
  if (g->residual)
    erg_send(t->arch, t->channel_free, NULL, ERG_TENSOR_RESIDUAL,
             (double)slice_bits(g, rows, g->out_c, g->residual_bits), 0, when, &end, &e->level);
  if (end > 0) t->load_end = fmax(when, end);
  e->loaded = end > 0 ? t->load_end : 0;
}

static void store(timeline *t, double when) {
  const erg_geometry *g = &t->links[t->count - 1].geometry;
  int rows = tile_rows(g, t->links[t->count - 1].mapping.out_rows, t->steps[t->next_store].tile);
  double end = when;
  erg_send(t->arch, t->channel_free, NULL, ERG_TENSOR_OUTPUT, (double)slice_bits(g, rows, g->out_c, g->out_bits), 0,
           when, &end, &t->store_level);
  t->store_end = end;
  t->stored[t->stores++ % 2] = end;
  t->next_store++;
}

/* All transfers whose start is known, in the order in which they ask; loads before stores. */
static void issue(timeline *t) {
  for (;;) {
    while (t->next_store < t->computed && t->steps[t->next_store].link != t->count - 1) t->next_store++;
    bool can_store = t->next_store < t->computed;
    int64_t two_before = t->next_load < t->step_count ? t->events[t->next_load].two_before : 0;
    bool can_load = t->next_load < t->step_count && two_before < t->computed;
    if (!can_load && !can_store) return;
    double load_when = fmax(t->load_end, can_load && two_before >= 0 ? t->events[two_before].done : 0);
    double store_when = can_store ? fmax(t->events[t->next_store].done, t->store_end) : 0;
    if (can_load && (!can_store || load_when <= store_when))
      load(t, load_when);
    else
      store(t, store_when);
  }
}

static double wait_until(double now, double until, double *stall) {
  if (until <= now) return now;
  *stall += until - now;
  return until;
}

static void run(timeline *t, int mine, double stalls[]) {
  int64_t outputs = 0;
  double now = 0, others[ERG_MAX_LEVELS] = {0};
  issue(t);
  for (; t->computed < t->step_count; issue(t)) {
    const erg_chain_step *s = &t->steps[t->computed];
    event *e = &t->events[t->computed];
    double *booked = s->link == mine ? stalls : others;
    now = wait_until(now, e->loaded, &booked[e->level]);
    if (s->link == t->count - 1) {
      if (outputs >= 2) now = wait_until(now, t->stored[outputs % 2], &booked[t->store_level]);
      outputs++;
    }
    now += (double)erg_tile_cycles(t->arch, &t->links[s->link].geometry, &t->links[s->link].mapping, s->tile);
    e->done = now;
    t->computed++;
  }
  if (mine == t->count - 1) wait_until(now, t->store_end, &stalls[t->store_level]);
}

erg_status erg_chain_cycles(const erg_arch *arch, const erg_chain_link *links, int count, int mine, erg_activity *out,
                            erg_error *error) {
  timeline t = {.arch = arch, .links = links, .count = count};
  double stalls[ERG_MAX_LEVELS] = {0};
  int *most_rows = calloc((size_t)count, sizeof *most_rows);
  int64_t *last = malloc(2 * (size_t)count * sizeof *last);
  erg_chain_step *steps = most_rows ? erg_chain_schedule(links, count, &t.step_count, most_rows) : NULL;
  t.steps = steps;
  t.events = steps ? calloc((size_t)t.step_count + 1, sizeof *t.events) : NULL;
  bool whole = last && t.events;
  if (whole) {
    memset(last, -1, 2 * (size_t)count * sizeof *last);
    for (int64_t i = 0; i < t.step_count; i++) {
      int64_t *two = &last[2 * steps[i].link];
      t.events[i].two_before = two[0];
      two[0] = two[1];
      two[1] = i;
    }
    run(&t, mine, stalls);
    uint64_t work = erg_work_cycles(arch, &links[mine].geometry, &links[mine].mapping);
    out->array_cycles = links[mine].geometry.array ? work : 0;
    out->vector_cycles = work - out->array_cycles;
    out->cycles = work;
    for (int level = 0; level < arch->level_count; level++) {
      out->stall_cycles[level] = (uint64_t)llround(stalls[level]);
      out->cycles += out->stall_cycles[level];
    }
  }
  free(t.events);
  free(steps);
  free(last);
  free(most_rows);
  return whole ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}
