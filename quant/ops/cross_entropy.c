/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mean over pixels of -sum over c of target[c] log softmax(x)[c], target = (1 - smoothing) at the label plus
 * smoothing/C everywhere. */
#include "shared.h"
#include <math.h>

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  (void)scratch;
  *out = (erg_shape){1, 1, 1, 1};
  *saved = erg_shape_elements(in[0]);
  if (!attrs->labels) return erg_fail(error, ERG_ERR_DATA, "cross_entropy: no labels");
  if (!(attrs->smoothing >= 0 && attrs->smoothing <= 1))
    return erg_fail(error, ERG_ERR_DATA, "cross_entropy: found label smoothing %g; allowed: 0 to 1", attrs->smoothing);
  for (int64_t row = 0; row < erg_shape_elements(in[0]) / in[0].c; row++)
    if (attrs->labels[row] < 0 || attrs->labels[row] >= in[0].c)
      return erg_fail(error, ERG_ERR_DATA, "cross_entropy: found label %d; allowed: 0 to %d", attrs->labels[row],
                      in[0].c - 1);
  return ERG_OK;
}

static void forward(erg_tape_step *t) {
  int classes = t->in[0].c;
  int64_t rows = erg_shape_elements(t->in[0]) / classes;
  double loss = 0, *p = t->saved;
  for (int64_t row = 0; row < rows; row++, p += classes) {
    const double *x = t->x[0] + row * classes;
    double most = x[0], sum = 0, all = 0;
    for (int c = 1; c < classes; c++) most = fmax(most, x[c]);
    for (int c = 0; c < classes; c++) sum += p[c] = exp(x[c] - most), all += x[c] - most;
    for (int c = 0; c < classes; c++) p[c] /= sum;
    double spread = t->attrs.smoothing, own = x[t->attrs.labels[row]] - most;
    loss += log(sum) - (1 - spread) * own - spread * all / classes;
  }
  t->y[0] = loss / (double)rows;
}

static void backward(erg_tape_step *t) {
  int classes = t->in[0].c;
  int64_t rows = erg_shape_elements(t->in[0]) / classes;
  double share = t->dy[0] / (double)rows, spread = t->attrs.smoothing;
  for (int64_t row = 0; t->dx[0] && row < rows; row++)
    for (int c = 0; c < classes; c++) {
      double target = spread / classes + (c == t->attrs.labels[row] ? 1 - spread : 0);
      t->dx[0][row * classes + c] += share * (t->saved[row * classes + c] - target);
    }
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  in[0] = erg_example_map(random);
  int64_t rows = erg_shape_elements(in[0]) / in[0].c;
  int *labels = erg_arena_alloc(arena, sizeof *labels * (size_t)rows);
  for (int64_t i = 0; labels && i < rows; i++) labels[i] = erg_example_extent(random, 0, in[0].c - 1);
  attrs->labels = labels;
  attrs->smoothing = erg_example_extent(random, 0, 1) ? 0.1 : 0;
}

static const erg_tape_op cross_entropy = {
    "cross_entropy", "of logits and labels, with label smoothing", 1, infer, forward, backward, example};
ERG_REGISTER(erg_tape_op, cross_entropy);
