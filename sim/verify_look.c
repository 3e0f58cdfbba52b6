/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first difference from close by. The run that found it was built for speed; a second one, of its tile alone, is
 * built to show sums, a third to write the edges around it as a waveform. */
#include "verify_look.h"
#include <stdlib.h>
#include <string.h>

#define EDGES_BEFORE 64 /* of the differing row in the waveform: its way through a 16 x 16 array and the epilogue */
#define EDGES_BEHIND 4

static erg_status run_again(const erg_point *point, const erg_verify_options *options, erg_rtl_look look,
                            const erg_gemm *g, const char *waves, erg_gemm_run *run, bool *written, erg_error *error) {
  erg_verify_options seeing = *options;
  erg_rtl *rtl = NULL;
  seeing.look = look;
  erg_status status = erg_verify_open(point, &seeing, 0, &rtl, error);
  if (status != ERG_OK) return status;
  if (waves) {
    uint64_t edge = run->watch_edge, first = edge > EDGES_BEFORE ? edge - EDGES_BEFORE : 1;
    erg_rtl_waves(rtl, waves, first, edge + EDGES_BEHIND);
  }
  status = erg_gemm_drive(rtl, (int)point->arch->rows, (int)point->arch->cols, g, run, error);
  bool good = erg_rtl_waves_end(rtl);
  if (written) *written = good;
  erg_rtl_close(rtl);
  return status;
}

erg_status erg_verify_look(const erg_point *point, const erg_verify_options *options, const erg_gemm *g, int64_t index,
                           double gap_probability, uint64_t gap_seed, const erg_verify_result *result,
                           erg_verify_row *row, erg_error *error) {
  erg_verify_detail *d = &row->detail;
  const char *waves = options->waves;
  for (int i = 0; i < result->row_count; i++)
    if (result->rows[i].detail.waves[0]) waves = NULL;
  size_t outputs = (size_t)g->m * (size_t)g->n;
  erg_arena arena = {0};
  int16_t *golden = erg_arena_alloc(&arena, outputs * sizeof *golden);
  int64_t *sums = erg_arena_alloc(&arena, outputs * sizeof *sums);
  erg_gemm_run run = {.gap_probability = gap_probability,
                      .gap_seed = gap_seed,
                      .watch = index,
                      .accumulator_bits = point->precision.accumulator_bits,
                      .output = erg_arena_alloc(&arena, outputs * sizeof *run.output)};
  bool written = false;
  erg_status status = ERG_OK;
  if (!golden || !sums || !run.output) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = erg_gemm_golden(g, point->precision.accumulator_bits, golden, sums, error);
  if (status == ERG_OK) status = run_again(point, options, ERG_LOOK_SUMS, g, NULL, &run, NULL, error);
  if (status != ERG_OK) goto out;
  d->present = true;
  d->tile_row = (int)(index / g->n);
  d->array_column = (int)(index % g->n) % (int)point->arch->cols;
  d->replayed = run.output[index] != golden[index];
  d->cycle = run.watch_edge;
  d->sum_expected = sums[index];
  d->sum_shown = run.watch_has_sum;
  d->sum_got = run.watch_sum;
  if (!waves || !d->replayed) goto out;
  status = run_again(point, options, ERG_LOOK_WAVES, g, waves, &run, &written, error);
  if (status == ERG_OK && !written)
    status = erg_fail(error, ERG_ERR_CREATE, "%s: the waveform could not be written", waves);
  if (written) {
    snprintf(d->waves, sizeof d->waves, "%s", waves);
    d->first_edge = run.watch_edge > EDGES_BEFORE ? run.watch_edge - EDGES_BEFORE : 1;
    d->last_edge = run.watch_edge + EDGES_BEHIND;
  }
out:
  erg_arena_free(&arena);
  return status;
}

void erg_verify_replay(const erg_verify_options *options, const char *what, erg_verify_row *row) {
  if (!options->command) return;
  const char *waves = options->waves ? "" : " --waves first-difference.fst";
  snprintf(row->detail.replay, sizeof row->detail.replay, "%s%s%s", options->command, what, waves);
}
