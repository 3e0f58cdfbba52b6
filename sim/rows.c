/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rows.h"
#include <stdlib.h>

bool erg_rows_are_of(const erg_rows *r, const erg_geometry *g) {
  return r->out_h == g->out_h && r->in_h == g->in_h && r->kernel_h == g->kernel_h && r->stride_h == g->stride_h &&
         r->pad_top == g->pad_top;
}

void erg_rows_begin(erg_rows *r, const erg_geometry *g) {
  r->out_h = g->out_h, r->in_h = g->in_h;
  r->kernel_h = g->kernel_h, r->stride_h = g->stride_h, r->pad_top = g->pad_top;
  r->known = 0;
}

static erg_row_cut cut_of(const erg_rows *r, int rows) {
  const erg_geometry g = {
      .out_h = r->out_h, .in_h = r->in_h, .kernel_h = r->kernel_h, .stride_h = r->stride_h, .pad_top = r->pad_top};
  erg_row_cut cut = {.tiles = (int)ceil_div(r->out_h, rows), .first = rows, .last = r->out_h};
  if (cut.tiles > 1) cut.last = (r->out_h - 1) / (cut.tiles - 1);
  for (int tile = 0; tile < cut.tiles; tile++) {
    int touched = erg_touched_rows(&g, tile * rows, tile_rows(&g, rows, tile));
    cut.touched += touched;
    if (touched > cut.most) cut.most = touched;
  }
  cut.most_before = cut.most;
  cut.least_of_count = cut.least = cut.touched;
  if (rows == 1) return cut;
  const erg_row_cut *before = erg_rows_at(r, rows - 1);
  if (before->most_before > cut.most) cut.most_before = before->most_before;
  if (before->least < cut.least) cut.least = before->least;
  if (before->tiles != cut.tiles) return cut;
  cut.first = before->first;
  if (before->least_of_count < cut.least_of_count) cut.least_of_count = before->least_of_count;
  return cut;
}

bool erg_rows_fill(erg_rows *r, int most) {
  if (most > r->room) {
    int room = most > 2 * r->room ? most : 2 * r->room;
    erg_row_cut *cuts = realloc(r->cuts, (size_t)room * sizeof *cuts);
    if (!cuts) return false;
    r->cuts = cuts;
    r->room = room;
  }
  for (; r->known < most; r->known++) r->cuts[r->known] = cut_of(r, r->known + 1);
  return true;
}

void erg_rows_free(erg_rows *r) {
  free(r->cuts);
  *r = (erg_rows){0};
}
