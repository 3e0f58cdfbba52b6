/* SPDX-License-Identifier: Apache-2.0 */
/* What an output pixel sees of the map. */
#include "../check.h"
#include "fast.h"
#include <string.h>

typedef struct {
  const erg_conv2d_shape *s;
  int dilation_h, dilation_w, n, q;
  int64_t top, left;  /* of the window in the map */
  int r0, r1, s0, s1; /* taps inside the map */
} window;

static window window_of(const erg_conv2d_shape *s, int64_t pixel) {
  int64_t line = pixel / s->out_w;
  int p = (int)(line % s->out_h), q = (int)(pixel % s->out_w);
  window w = {.s = s,
              .dilation_h = s->dilation_h > 1 ? s->dilation_h : 1,
              .dilation_w = s->dilation_w > 1 ? s->dilation_w : 1,
              .n = (int)(line / s->out_h),
              .top = (int64_t)p * s->stride_h - s->pad_top,
              .left = (int64_t)q * s->stride_w - s->pad_left};
  erg_taps(p, s->stride_h, s->pad_top, s->kernel_h, w.dilation_h, s->in.h, &w.r0, &w.r1);
  erg_taps(q, s->stride_w, s->pad_left, s->kernel_w, w.dilation_w, s->in.w, &w.s0, &w.s1);
  if (w.s1 < w.s0) w.s1 = w.s0 = 0; /* between two columns of the map there is nothing to visit */
  return w;
}

static const int16_t *at(const window *w, const int16_t *input, int r, int t) {
  int64_t h = w->top + (int64_t)r * w->dilation_h, column = w->left + (int64_t)t * w->dilation_w;
  return input + ((w->n * (int64_t)w->s->in.h + h) * w->s->in.w + column) * w->s->in.c;
}

static void fill(int16_t *out, int64_t count, int16_t code) {
  for (int64_t i = 0; i < count; i++) out[i] = code;
}

void erg_fast_gather(const erg_conv2d_shape *s, const int16_t *input, int16_t zero_point, int64_t pixel, int16_t *out) {
  window w = window_of(s, pixel);
  int64_t channels = s->in.c;
  int together = w.dilation_w == 1 ? w.s1 - w.s0 : 1; /* taps side by side in the map too */
  for (int r = 0; r < s->kernel_h; r++, out += channels * s->kernel_w) {
    bool inside = r >= w.r0 && r < w.r1;
    int s0 = inside ? w.s0 : 0, s1 = inside ? w.s1 : 0;
    fill(out, s0 * channels, zero_point);
    fill(out + s1 * channels, (s->kernel_w - s1) * channels, zero_point);
    for (int t = s0; t < s1; t += together)
      memcpy(out + t * channels, at(&w, input, r, t), (size_t)(together * channels) * sizeof *out);
  }
}

void erg_fast_by_tap(const erg_conv2d_shape *s, const int16_t *weight, int16_t *by_tap) {
  int taps = s->kernel_h * s->kernel_w;
  for (int64_t c = 0; c < s->in.c; c++)
    for (int tap = 0; tap < taps; tap++) by_tap[tap * (int64_t)s->in.c + c] = weight[c * taps + tap];
}

/* Vectors run across channels: a tap is a product of two numbers. */
ERG_VECTOR_CLONES static void add_tap(const int16_t *restrict x, const int16_t *restrict w, uint32_t zero_point,
                                      int channels, uint32_t *restrict sums) {
  for (int c = 0; c < channels; c++) sums[c] += ((uint32_t)x[c] - zero_point) * (uint32_t)w[c];
}

void erg_fast_depthwise(const erg_conv2d_shape *s, const int16_t *input, int32_t zero_point, const int16_t *by_tap,
                        int64_t pixel, uint32_t *sums) {
  window w = window_of(s, pixel);
  memset(sums, 0, (size_t)s->in.c * sizeof *sums);
  for (int r = w.r0; r < w.r1; r++)
    for (int t = w.s0; t < w.s1; t++)
      add_tap(at(&w, input, r, t), by_tap + ((int64_t)r * s->kernel_w + t) * s->in.c, (uint32_t)zero_point, s->in.c,
              sums);
}
