/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tile of a layer as a product of its own: what the array sees of it. */
#include "verify_look.h"

static int columns_of(const erg_tile_source *s) { /* columns of channels of a group */
  int channels = s->pass->conv.filters / s->pass->conv.groups, cols = (int)s->arch->cols;
  return (channels + cols - 1) / cols;
}
static int row_tiles(const erg_tile_source *s) { /* of an image */
  return (s->pass->conv.out_h + s->row_tile - 1) / s->row_tile;
}

int erg_tile_count(const erg_tile_source *s) {
  return s->pass->conv.in.n * row_tiles(s) * s->pass->conv.groups * columns_of(s);
}

int erg_tile_of(const erg_tile_source *s, int image, int row, int channel) {
  int channels = s->pass->conv.filters / s->pass->conv.groups, columns = columns_of(s);
  int column = channel / channels * columns + channel % channels / (int)s->arch->cols;
  return (image * row_tiles(s) + row / s->row_tile) * s->pass->conv.groups * columns + column;
}

static void fill_rows(const erg_tile_source *s, const erg_tile_origin *o, const erg_gemm *g) {
  const erg_conv2d_shape *c = &s->pass->conv;
  int channels = c->in.c / c->groups, first = o->channel / (c->filters / c->groups) * channels;
  int dilation_h = c->dilation_h > 1 ? c->dilation_h : 1, dilation_w = c->dilation_w > 1 ? c->dilation_w : 1;
  for (int m = 0; m < g->m; m++)
    for (int k = 0; k < g->k; k++) {
      int tap = k / channels, p = o->row + m / c->out_w, q = m % c->out_w;
      int h = p * c->stride_h - c->pad_top + tap / c->kernel_w * dilation_h;
      int w = q * c->stride_w - c->pad_left + tap % c->kernel_w * dilation_w;
      bool inside = h >= 0 && h < c->in.h && w >= 0 && w < c->in.w;
      int64_t at = (((int64_t)o->image * c->in.h + h) * c->in.w + w) * c->in.c + first + k % channels;
      g->a[(int64_t)m * g->k + k] = inside ? s->input[at] : (int16_t)s->input_zero_point;
    }
}

static void fill_channels(const erg_tile_source *s, const erg_tile_origin *o, const erg_gemm *g) {
  for (int n = 0; n < g->n; n++) {
    const int16_t *filter = s->layer->weight + (int64_t)(o->channel + n) * g->k;
    int64_t sum = 0;
    for (int k = 0; k < g->k; k++) {
      g->w[(int64_t)n * g->k + k] = filter[k];
      sum += filter[k];
    }
    g->bias[n] = erg_wrap(s->layer->bias[o->channel + n] - s->input_zero_point * sum, s->accumulator_bits);
    g->scale[n] = s->layer->scale[o->channel + n];
  }
  const erg_conv2d_shape *c = &s->pass->conv;
  int64_t first = (int64_t)o->image * c->out_h * c->out_w + (int64_t)o->row * c->out_w;
  for (int64_t m = 0; m < g->m && s->residual; m++)
    for (int n = 0; n < g->n; n++) g->residual[m * g->n + n] = s->residual[(first + m) * c->filters + o->channel + n];
}

erg_status erg_tile_make(erg_arena *arena, const erg_tile_source *s, int tile, erg_gemm *out, erg_tile_origin *origin,
                         erg_error *error) {
  const erg_conv2d_shape *c = &s->pass->conv;
  int count = erg_tile_count(s), columns = columns_of(s), channels = c->filters / c->groups, cols = (int)s->arch->cols;
  if (tile < 0 || tile >= count)
    return erg_fail(error, ERG_ERR_USAGE, "verify: --tile: found %d; layer %s has tiles 0 to %d", tile, s->pass->name,
                    count - 1);
  int column = tile % (c->groups * columns), rows = tile / (c->groups * columns), in_group = column % columns * cols;
  erg_tile_origin o = {rows / row_tiles(s), rows % row_tiles(s) * s->row_tile, column / columns * channels + in_group};
  int row_count = c->out_h - o.row < s->row_tile ? c->out_h - o.row : s->row_tile;
  erg_gemm g = {.m = row_count * c->out_w,
                .n = channels - in_group < cols ? channels - in_group : cols,
                .k = (int)erg_conv2d_reduction(c),
                .tile_count = 1,
                .residual_scale = s->layer->residual_scale,
                .layer = {s->layer->zero_point, s->layer->low, s->layer->high, s->residual != NULL,
                          s->layer->residual_zero_point, s->layer->residual_scale.multiplier,
                          31 - s->layer->residual_scale.shift}};
  if (!s->residual) g.layer.residual_multiplier = g.layer.residual_zero_point = 0, g.layer.residual_t = 31;
  size_t m = (size_t)g.m, n = (size_t)g.n, k = (size_t)g.k;
  int *rows_of_tile = erg_arena_alloc(arena, sizeof *rows_of_tile);
  g.a = erg_arena_alloc(arena, sizeof *g.a * m * k);
  g.w = erg_arena_alloc(arena, sizeof *g.w * n * k);
  g.residual = erg_arena_alloc(arena, sizeof *g.residual * m * n);
  g.bias = erg_arena_alloc(arena, sizeof *g.bias * n);
  g.scale = erg_arena_alloc(arena, sizeof *g.scale * n);
  if (!rows_of_tile || !g.a || !g.w || !g.residual || !g.bias || !g.scale)
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  *rows_of_tile = g.m;
  g.tile_rows = rows_of_tile;
  fill_rows(s, &o, &g);
  fill_channels(s, &o, &g);
  *out = g;
  *origin = o;
  return ERG_OK;
}
