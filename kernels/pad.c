/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

static erg_status check(erg_shape shape, const erg_padding *p, const void *input, const void *output,
                        erg_error *error) {
  if (!p || !input || !output) return erg_fail(error, ERG_ERR_DATA, "pad: an argument is NULL");
  erg_status status = erg_check_shape("pad", shape, error);
  if (status != ERG_OK) return status;
  if (p->top < 0 || p->left < 0 || p->bottom < 0 || p->right < 0)
    return erg_fail(error, ERG_ERR_DATA, "pad: found padding %d %d %d %d; allowed: at least 0", p->top, p->left,
                    p->bottom, p->right);
  int64_t h = (int64_t)p->top + shape.h + p->bottom, w = (int64_t)p->left + shape.w + p->right;
  if (h > INT32_MAX || w > INT32_MAX)
    return erg_fail(error, ERG_ERR_DATA, "pad: found a padded map of %lld x %lld; allowed: extents of 31 bits",
                    (long long)h, (long long)w);
  return erg_check_shape("pad: output", (erg_shape){shape.n, (int)h, (int)w, shape.c}, error);
}

/* Index in the input of output element (n, y, x, c), or -1 in the frame. */
static int64_t source(erg_shape s, const erg_padding *p, int n, int y, int x, int c) {
  int h = y - p->top, w = x - p->left;
  return h < 0 || w < 0 || h >= s.h || w >= s.w ? -1 : (((int64_t)n * s.h + h) * s.w + w) * s.c + c;
}

#define FOR_PADDED(s, p)                                                                                               \
  for (int n = 0; n < (s).n; n++)                                                                                      \
    for (int y = 0; y < (p)->top + (s).h + (p)->bottom; y++)                                                           \
      for (int x = 0; x < (p)->left + (s).w + (p)->right; x++)                                                         \
        for (int c = 0; c < (s).c; c++)

erg_status erg_pad_s16(erg_shape shape, const erg_padding *padding, const int16_t *input, int16_t zero_point,
                       int16_t *output, erg_error *error) {
  erg_status status = check(shape, padding, input, output, error);
  if (status != ERG_OK) return status;
  FOR_PADDED(shape, padding) {
    int64_t from = source(shape, padding, n, y, x, c);
    *output++ = from < 0 ? zero_point : input[from];
  }
  return ERG_OK;
}

erg_status erg_pad_f32(erg_shape shape, const erg_padding *padding, const float *input, float *output,
                       erg_error *error) {
  erg_status status = check(shape, padding, input, output, error);
  if (status != ERG_OK) return status;
  FOR_PADDED(shape, padding) {
    int64_t from = source(shape, padding, n, y, x, c);
    *output++ = from < 0 ? 0 : input[from];
  }
  return ERG_OK;
}

/* Values of a floating format are only moved. */
static erg_status attempt(erg_format format, erg_error *error) {
  const erg_padding left = {.left = 1};
  if (format == ERG_FORMAT_INT) {
    int16_t y[2] = {0};
    erg_status status = erg_pad_s16((erg_shape){1, 1, 1, 1}, &left, (int16_t[]){2}, 7, y, error);
    return erg_attempted("pad", status, y[0], 7, error);
  }
  float y[2] = {1};
  erg_status status = erg_pad_f32((erg_shape){1, 1, 1, 1}, &left, (float[]){2}, y, error);
  return erg_attempted("pad", status, (double)y[0], 0, error);
}
static const erg_kernel pad = {"pad", "with the zero point", attempt};
ERG_REGISTER(erg_kernel, pad);
