/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which passes form chains. A sequence of passes, each the only reader of the one before, is cut so that least bits
 * move off chip; a piece is a chain when all of its weights and line buffers fit at once. */
#include "chain.h"
#include "memo.h"
#include <stdarg.h>
#include <string.h>

void erg_chain_map(const erg_arch *arch, const erg_geometry *g, int rows, erg_mapping *out) {
  *out = (erg_mapping){.out_channels = g->out_c,
                       .out_rows = rows,
                       .reduction = erg_geometry_reduction(g),
                       .order = ERG_ORDER_WEIGHTS_STAY,
                       .n_tiles = 1,
                       .m_tiles = (int)ceil_div(g->out_h, rows) * g->images,
                       .k_chunks = 1};
  erg_demand demand;
  erg_activity activity = {0};
  erg_demand_of(g, out, &demand);
  erg_levels_traffic(arch, &demand, out, &activity);
  out->offchip_bits = erg_activity_level_bits(&activity, 0);
}

/* Input rows from the first to the last that a tile reads. */
static int extent(const erg_chain_link *link) {
  const erg_geometry *g = &link->geometry;
  int64_t rows = (int64_t)(link->mapping.out_rows - 1) * g->stride_h + g->kernel_h;
  return rows < g->in_h ? (int)rows : g->in_h;
}

int erg_chain_buffer_rows(const erg_chain_link *links, int index) {
  if (index == 0) return 2 * extent(&links[0]);
  int rows = extent(&links[index]) - 1 + links[index - 1].mapping.out_rows;
  return rows < links[index].geometry.in_h ? rows : links[index].geometry.in_h;
}

/* Bits that a chain occupies in each level; weights stay for as long as it runs. */
static void room(const erg_arch *arch, const erg_chain_link *links, int count, double bits[ERG_MAX_LEVELS]) {
  int output = erg_arch_scratchpad(arch, ERG_TENSOR_OUTPUT), input = erg_arch_scratchpad(arch, ERG_TENSOR_INPUT);
  double largest_tile = 0;
  memset(bits, 0, ERG_MAX_LEVELS * sizeof *bits);
  for (int i = 0; i < count; i++) {
    const erg_geometry *g = &links[i].geometry;
    int rows = links[i].mapping.out_rows;
    bits[input] += (double)input_rows_bits(g, erg_chain_buffer_rows(links, i));
    bits[erg_arch_scratchpad(arch, ERG_TENSOR_WEIGHT)] +=
        (double)weight_run_bits(g, g->out_c, erg_geometry_reduction(g));
    bits[erg_arch_scratchpad(arch, ERG_TENSOR_CONSTANT)] += (double)constant_run_bits(g, g->out_c);
    if (g->residual)
      bits[erg_arch_scratchpad(arch, ERG_TENSOR_RESIDUAL)] +=
          2 * (double)slice_bits(g, rows, g->out_c, g->residual_bits);
    double tile = (double)slice_bits(g, rows, g->out_c, g->out_bits);
    /* Where input and output share a scratchpad, a link writes into the next one's line buffer. */
    if ((output != input || i == count - 1) && tile > largest_tile) largest_tile = tile;
  }
  bits[output] += 2 * largest_tile;
}

/* Level that overflows, or -1; ERG_LEVEL_ACCUMULATOR where one row has more pixels than the accumulator memory. */
static int overflow(const erg_arch *arch, const erg_chain_link *links, int count, double *need_bits) {
  double bits[ERG_MAX_LEVELS];
  for (int i = 0; i < count; i++)
    if (links[i].geometry.array &&
        (int64_t)links[i].mapping.out_rows * links[i].geometry.out_w > arch->accumulator_depth)
      return ERG_LEVEL_ACCUMULATOR(arch->level_count);
  room(arch, links, count, bits);
  for (int level = 1; level < arch->level_count; level++)
    if (bits[level] > arch->levels[level].capacity_kib * 8192) {
      *need_bits = bits[level];
      return level;
    }
  return -1;
}

/* Rows of each link such that the last makes `last_rows` at a time, no more than the accumulator memory holds. */
static void set_rows(const erg_arch *arch, erg_chain_link *links, int count, int64_t last_rows) {
  int64_t rows = last_rows;
  for (int i = count - 1; i >= 0; i--) {
    const erg_geometry *g = &links[i].geometry;
    int64_t most = g->out_h, deep = g->array ? arch->accumulator_depth / g->out_w : most;
    int64_t mine = g->whole_map ? most : rows;
    if (deep < most) most = deep > 0 ? deep : 1;
    if (mine > most) mine = most;
    erg_chain_map(arch, g, (int)mine, &links[i].mapping);
    if (rows < INT32_MAX) rows *= g->stride_h;
  }
}

static uint64_t work_of(const erg_arch *arch, const erg_chain_link *links, int count) {
  uint64_t cycles = 0;
  for (int i = 0; i < count; i++) cycles += erg_work_cycles(arch, &links[i].geometry, &links[i].mapping);
  return cycles;
}

/* Of the rows that fit the fewest cycles, then the fewest rows: bits off chip do not depend on them. */
static void choose_rows(const erg_arch *arch, erg_chain_link *links, int count) {
  uint64_t best = UINT64_MAX;
  int64_t best_rows = 1;
  double need;
  for (int64_t rows = 1; rows <= links[count - 1].geometry.out_h; rows++) {
    set_rows(arch, links, count, rows);
    if (overflow(arch, links, count, &need) >= 0) break;
    uint64_t cycles = work_of(arch, links, count);
    if (cycles < best) {
      best = cycles;
      best_rows = rows;
    }
  }
  set_rows(arch, links, count, best_rows);
}

/* ---- which passes may follow each other ---- */

/* A pass that makes its output rows one after the other from rows of one input, or all of them from its whole map: an
 * instance norm whose producer takes the statistics. Where it takes them itself it reads the map twice. */
static bool by_rows(const erg_geometry *g, const erg_pass *pass) {
  bool window = g->array || pass->pool_window;
  return pass->input_count == 1 && !(g->whole_map && pass->own_statistics) && g->images == pass->in_shape.n &&
         g->in_h == pass->in_shape.h && (window || (g->in_h == g->out_h && g->in_w == g->out_w));
}

typedef struct {
  const erg_point *point;
  erg_plan *plan;
  erg_chain_link *links; /**< by pass */
  bool *taken;           /**< by pass: it is in a sequence that has been cut */
  int *order;            /**< passes of the sequence at hand */
  uint64_t *bits;        /**< [n + 1] least off-chip bits of the first i passes of the sequence */
  int *cut;              /**< [n + 1] where the last piece of these begins */
  int *piece_end;        /**< by first pass of a piece: one past its last */
  erg_chain_link *piece;
  int chains;
} planner;

ERG_PRINTF(4, 5)
static void note(erg_plan *plan, int pass, bool done, const char *format, ...) {
  char text[320];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const char *kept = erg_arena_strdup(&plan->arena, text);
  plan->notes[plan->note_count++] = (erg_plan_note){plan->passes[pass].nodes[0], "chain", done, kept ? kept : ""};
}

static bool reads(const erg_pass *pass, int node) {
  bool found = pass->residual == node;
  for (int i = 0; i < pass->input_count; i++) found = found || pass->inputs[i] == node;
  return found;
}

/* The pass that alone reads this one's map and may follow it, or -1. */
static int follower(const planner *p, int index) {
  erg_plan *plan = p->plan;
  const erg_pass *pass = &plan->passes[index];
  int readers = plan->graph->nodes[pass->output].consumers, next = index + 1;
  if (readers == 0) return -1;
  if (readers > 1) {
    note(plan, index, false, "its map has %d readers: it goes off chip", readers);
    return -1;
  }
  while (next < plan->pass_count && !reads(&plan->passes[next], pass->output)) next++;
  if (next == plan->pass_count) return -1;
  const erg_geometry *g = &p->links[index].geometry, *reader = &p->links[next].geometry;
  if (plan->passes[next].input_count > 1 || plan->passes[next].inputs[0] != pass->output)
    note(plan, next, false, "reads %s's map beside another one", pass->name);
  else if (!by_rows(reader, &plan->passes[next]))
    note(plan, next, false, "needs the whole map of %s first", pass->name);
  else if (!by_rows(g, pass))
    note(plan, next, false, "%s makes no rows of its map one after the other", pass->name);
  else if (g->out_bits != reader->in_bits)
    note(plan, next, false, "%s writes %d bits, %s reads %d", pass->name, g->out_bits, plan->passes[next].name,
         reader->in_bits);
  else
    return next;
  return -1;
}

/* ---- cutting a sequence ---- */

/* Passes order[first..last] as a chain in p->piece, a row of the last at a time: the least room a chain can do with. */
static int chain_of(const planner *p, int first, int last, double *need_bits) {
  int count = last - first + 1;
  for (int i = 0; i < count; i++) {
    p->piece[i].geometry = p->links[p->order[first + i]].geometry;
    p->piece[i].geometry.from_chain = i > 0;
    p->piece[i].geometry.to_chain = i < count - 1;
  }
  set_rows(p->point->arch, p->piece, count, 1);
  return overflow(p->point->arch, p->piece, count, need_bits);
}

static uint64_t piece_bits(const planner *p, int first, int last) {
  if (first == last) {
    uint64_t lone;
    const erg_geometry *g = &p->links[p->order[first]].geometry;
    return erg_memo_bits(p->point->memo, p->point->arch, g, &lone, NULL) == ERG_OK ? lone : UINT64_MAX;
  }
  uint64_t bits = 0;
  double need;
  if (chain_of(p, first, last, &need) >= 0) return UINT64_MAX;
  for (int i = 0; i <= last - first; i++) bits += p->piece[i].mapping.offchip_bits;
  return bits;
}

static void mark(planner *p, int first, int last) {
  int count = last - first + 1;
  double need;
  chain_of(p, first, last, &need);
  choose_rows(p->point->arch, p->piece, count);
  p->chains++;
  const char *end = p->plan->passes[p->order[last]].name;
  for (int i = 0; i < count; i++) {
    int index = p->order[first + i];
    erg_pass *pass = &p->plan->passes[index];
    pass->chain = p->chains;
    pass->from_chain = i > 0;
    pass->to_chain = i < count - 1;
    pass->chain_rows = p->piece[i].mapping.out_rows;
    if (pass->to_chain)
      note(p->plan, index, true, "chain %d, to %s: %d rows at a time, its map stays on chip", p->chains, end,
           pass->chain_rows);
    else
      note(p->plan, index, true, "ends chain %d: %d rows at a time", p->chains, pass->chain_rows);
  }
}

/* Why the chain that ends before order[next] does not take it. */
static void note_cut(planner *p, int first, int next) {
  const erg_arch *arch = p->point->arch;
  double need = 0;
  int level = chain_of(p, first, next, &need), accumulator = ERG_LEVEL_ACCUMULATOR(arch->level_count);
  const char *head = p->plan->passes[p->order[first]].name;
  if (level == accumulator)
    note(p->plan, p->order[next], false, "a chain from %s: a row has more pixels than the accumulator memory's %d rows",
         head, (int)arch->accumulator_depth);
  else if (level >= 0)
    note(p->plan, p->order[next], false, "a chain from %s would need %.1f KiB of %s, which has %.1f", head, need / 8192,
         arch->levels[level].name, arch->levels[level].capacity_kib);
  else
    note(p->plan, p->order[next], false, "a chain from %s fits, but cut elsewhere less moves off chip", head);
}

static void cut(planner *p, int length) {
  p->bits[0] = 0;
  for (int end = 1; end <= length; end++) {
    p->bits[end] = UINT64_MAX;
    p->cut[end] = end - 1;
    for (int first = end - 1; first >= 0; first--) {
      uint64_t bits = piece_bits(p, first, end - 1);
      if (bits == UINT64_MAX || p->bits[first] == UINT64_MAX || p->bits[first] + bits >= p->bits[end]) continue;
      p->bits[end] = p->bits[first] + bits;
      p->cut[end] = first;
    }
  }
  for (int end = length; end > 0; end = p->cut[end]) p->piece_end[p->cut[end]] = end;
  for (int first = 0; first < length; first = p->piece_end[first]) {
    int end = p->piece_end[first];
    if (end - first > 1) mark(p, first, end - 1);
    if (end < length) note_cut(p, first, end);
  }
}

static bool reserve(planner *p) {
  erg_arena *arena = &p->plan->arena;
  size_t n = (size_t)p->plan->pass_count;
  p->links = erg_arena_alloc(arena, n * sizeof *p->links);
  p->piece = erg_arena_alloc(arena, n * sizeof *p->piece);
  p->taken = erg_arena_alloc(arena, n * sizeof *p->taken);
  p->order = erg_arena_alloc(arena, n * sizeof *p->order);
  p->bits = erg_arena_alloc(arena, (n + 1) * sizeof *p->bits);
  p->cut = erg_arena_alloc(arena, (n + 1) * sizeof *p->cut);
  p->piece_end = erg_arena_alloc(arena, n * sizeof *p->piece_end);
  return p->links && p->piece && p->taken && p->order && p->bits && p->cut && p->piece_end;
}

erg_status erg_chain_plan(const erg_point *point, erg_plan *plan, erg_error *error) {
  planner p = {.point = point, .plan = plan};
  if (!reserve(&p)) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < plan->pass_count; i++) {
    erg_geometry_at(point, &plan->passes[i], &p.links[i].geometry);
    p.taken[i] = false;
  }
  for (int i = 0; i < plan->pass_count; i++) {
    if (p.taken[i]) continue;
    int length = 0;
    for (int at = i; at >= 0; at = follower(&p, at)) {
      p.taken[at] = true;
      p.order[length++] = at;
    }
    if (length > 1) cut(&p, length);
  }
  return ERG_OK;
}

erg_chain_link *erg_chain_links(const erg_point *point, const erg_plan *plan, int pass, erg_arena *arena, int *count,
                                int *mine) {
  erg_chain_link *links = erg_arena_alloc(arena, (size_t)plan->pass_count * sizeof *links);
  *count = 0;
  for (int i = 0; links && i < plan->pass_count; i++) {
    if (plan->passes[i].chain != plan->passes[pass].chain) continue;
    if (i == pass) *mine = *count;
    erg_chain_link *link = &links[(*count)++];
    erg_geometry_at(point, &plan->passes[i], &link->geometry);
    erg_chain_map(point->arch, &link->geometry, plan->passes[i].chain_rows, &link->mapping);
  }
  return links;
}
