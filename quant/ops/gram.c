/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Gram matrix of each image's map, F^T F / M over its M pixels (Gatys, Ecker and Bethge, arXiv:1508.06576): which
 * channels fire together, wherever they do. [n, H, W, C] -> [n, C, 1, C]. */
#include "shared.h"

void erg_gram(const double *map, int64_t pixels, int channels, double *gram) {
  erg_dgemm(channels, channels, pixels, (erg_matrix){map, 1, channels}, (erg_matrix){map, channels, 1}, gram, channels,
            false);
  for (int64_t i = 0; i < (int64_t)channels * channels; i++) gram[i] /= (double)pixels;
}

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  (void)attrs, (void)saved, (void)error;
  *out = (erg_shape){in[0].n, in[0].c, 1, in[0].c};
  *scratch = (int64_t)in[0].c * in[0].c;
  return ERG_OK;
}

static void forward(erg_tape_step *t) {
  const int64_t pixels = (int64_t)t->in[0].h * t->in[0].w, c = t->in[0].c;
  for (int64_t n = 0; n < t->in[0].n; n++) erg_gram(t->x[0] + n * pixels * c, pixels, t->in[0].c, t->y + n * c * c);
}

/* dF = F (dG + dG') / M. */
static void backward(erg_tape_step *t) {
  const int64_t pixels = (int64_t)t->in[0].h * t->in[0].w, c = t->in[0].c;
  if (!t->dx[0]) return;
  for (int64_t n = 0; n < t->in[0].n; n++) {
    const double *dy = t->dy + n * c * c;
    for (int64_t a = 0; a < c; a++)
      for (int64_t b = 0; b < c; b++) t->scratch[a * c + b] = (dy[a * c + b] + dy[b * c + a]) / (double)pixels;
    erg_dgemm(pixels, c, c, (erg_matrix){t->x[0] + n * pixels * c, c, 1}, (erg_matrix){t->scratch, c, 1},
              t->dx[0] + n * pixels * c, c, true);
  }
}

static const erg_tape_op gram = {"gram",         "products of channels, mean over pixels", 1, infer, forward, backward,
                                 erg_example_one};
ERG_REGISTER(erg_tape_op, gram);
