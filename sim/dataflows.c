/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dataflows (docs/model.md, "Dataflows"). */
#include "dataflow.h"

const char *const erg_dataflow_names[] = {"ws", "os", "is", NULL};

static int64_t longer(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* Columns of folds of all groups: groups do not share a fold. */
static int64_t columns(const erg_arch *arch, const erg_geometry *g, int64_t channels) {
  return g->groups * ceil_div(channels / g->groups, arch->cols);
}

static int64_t skew_and_epilogue(const erg_arch *arch) {
  return (arch->rows - 1) + (arch->cols - 1) + ERG_EPILOGUE_DEPTH;
}

static int64_t rows_first(const erg_arch *arch) {
  return arch->rows;
}
static int64_t nothing_first(const erg_arch *arch) {
  (void)arch;
  return 0;
}

static int64_t no_drain(const erg_arch *arch, const erg_geometry *g, int64_t pixels) {
  (void)arch, (void)g, (void)pixels;
  return 0;
}

static int64_t one_visit(const erg_arch *arch, int64_t pixels) {
  (void)arch, (void)pixels;
  return 1;
}

static int64_t a_column_each(const erg_arch *arch, const erg_geometry *g, int64_t channels) {
  return ceil_div(channels / g->groups, arch->cols);
}

/* ---- weight-stationary: R of K by C channels lie still, pixels stream */

static int64_t ws_step(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *s) {
  return columns(arch, g, s->channels) * ceil_div(s->reduction, fold_rows(arch, g)) * longer(s->pixels, arch->rows);
}

static int64_t ws_end(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *last) {
  (void)g;
  return last->pixels - longer(last->pixels, arch->rows) + skew_and_epilogue(arch);
}

static bool ws_fits(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  return (int64_t)m->out_rows * g->out_w <= arch->accumulator_depth;
}

static const char *ws_why_not(const erg_arch *arch, const erg_geometry *g, erg_arena *arena) {
  return erg_arena_printf(arena,
                          "one output row has %d pixels, the accumulator memory of %s has %d rows; raise "
                          "accumulator_depth",
                          g->out_w, arch->name, (int)arch->accumulator_depth);
}

/* ---- output-stationary: R pixels by C channels lie still, K streams */

static int64_t os_blocks(const erg_arch *arch, int64_t pixels) {
  return ceil_div(pixels, arch->rows);
}

/* Where K comes in stretches a step is one fold, and the wait for the fold before to drain comes with the last. */
static int64_t os_step(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *s) {
  int64_t k = erg_geometry_reduction(g), wait = s->last_k ? longer(k, arch->rows) - k : 0;
  return columns(arch, g, s->channels) * os_blocks(arch, s->pixels) * (s->reduction + wait);
}

static int64_t os_end(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *last) {
  (void)last;
  int64_t k = erg_geometry_reduction(g);
  return k - longer(k, arch->rows) + skew_and_epilogue(arch) + arch->rows;
}

/* Sums stay in the cells, so K is cut only where a step is one fold. */
static bool os_fits(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  return m->reduction >= erg_geometry_reduction(g) ||
         (m->out_channels <= arch->cols && (int64_t)m->out_rows * g->out_w <= arch->rows);
}

static const char *os_why_not(const erg_arch *arch, const erg_geometry *g, erg_arena *arena) {
  return erg_arena_printf(arena,
                          "dataflow os keeps sums in the array, so K can be cut only where one output row (%d pixels) "
                          "has at most %d; use larger scratchpads or more rows on %s",
                          g->out_w, (int)arch->rows, arch->name);
}

/* A sum is captured, and moves through all cells below its own: pixel p of a block through p + 1 registers. */
static int64_t os_drain(const erg_arch *arch, const erg_geometry *g, int64_t pixels) {
  int64_t full = pixels / arch->rows, rest = pixels % arch->rows;
  return (full * arch->rows * (arch->rows + 1) / 2 + rest * (rest + 1) / 2) * g->psum_bits;
}

/* ---- input-stationary: weight-stationary with operands and widths exchanged; R of K by C pixels lie still, channels
 * stream */

static int64_t is_blocks(const erg_arch *arch, int64_t pixels) {
  return ceil_div(pixels, arch->cols);
}

static int64_t is_step(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *s) {
  return g->groups * is_blocks(arch, s->pixels) * ceil_div(s->reduction, arch->rows) *
         longer(s->channels / g->groups, arch->rows);
}

static int64_t is_end(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *last) {
  int64_t channels = last->channels / g->groups;
  return channels - longer(channels, arch->rows) + skew_and_epilogue(arch);
}

static int64_t is_inputs(const erg_arch *arch, const erg_geometry *g, int64_t channels) {
  (void)arch, (void)g, (void)channels;
  return 1;
}

static bool is_fits(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m) {
  int channels = m->out_channels < g->out_c ? m->out_channels : g->out_c;
  return channels / g->groups <= arch->accumulator_depth;
}

static const char *is_why_not(const erg_arch *arch, const erg_geometry *g, erg_arena *arena) {
  return erg_arena_printf(arena,
                          "dataflow is streams %d channels a fold, the accumulator memory of %s has %d rows; raise "
                          "accumulator_depth",
                          g->out_c / g->groups, arch->name, (int)arch->accumulator_depth);
}

static const erg_dataflow_rules rules[] = {
    [ERG_DATAFLOW_WS] = {"weight-stationary: R of K by C channels in the cells, pixels stream", "ergon_top", NULL,
                         rows_first, ws_end, ws_step, a_column_each, one_visit, ws_fits, ws_why_not, true,
                         ERG_TENSOR_WEIGHT, no_drain},
    [ERG_DATAFLOW_OS] = {"output-stationary: R pixels by C channels in the cells, K streams", "ergon_top_os", NULL,
                         nothing_first, os_end, os_step, a_column_each, os_blocks, os_fits, os_why_not, false,
                         ERG_TENSOR_PSUM, os_drain},
    [ERG_DATAFLOW_IS] = {"input-stationary: ws with operands and widths exchanged; channels stream", NULL,
                         "its sums leave a channel a row, and the epilogue takes constants a column", rows_first,
                         is_end, is_step, is_inputs, is_blocks, is_fits, is_why_not, true, ERG_TENSOR_INPUT, no_drain},
};

const erg_dataflow_rules *erg_dataflow_of(erg_dataflow dataflow) {
  return &rules[dataflow];
}
