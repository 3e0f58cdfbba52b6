/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For every n: a [n, M, 1, K] times b [n, K, 1, N], or the transpose of b [n, N, 1, K]. */
#include "shared.h"

static erg_status infer(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved,
                        int64_t *scratch, erg_error *error) {
  (void)saved, (void)scratch;
  int depth = attrs->transpose_b ? in[1].c : in[1].h, columns = attrs->transpose_b ? in[1].h : in[1].c;
  if (in[0].n != in[1].n || in[0].w != 1 || in[1].w != 1 || in[0].c != depth)
    return erg_fail(error, ERG_ERR_DATA,
                    "matmul: found [%d, %d, %d, %d] and [%d, %d, %d, %d]; allowed: [n, M, 1, K] and %s", in[0].n,
                    in[0].h, in[0].w, in[0].c, in[1].n, in[1].h, in[1].w, in[1].c,
                    attrs->transpose_b ? "[n, N, 1, K]" : "[n, K, 1, N]");
  *out = (erg_shape){in[0].n, in[0].h, 1, columns};
  return ERG_OK;
}

static void forward(erg_tape_step *t) {
  int64_t m = t->out.h, k = t->in[0].c, columns = t->out.c;
  bool turned = t->attrs.transpose_b;
  for (int64_t n = 0; n < t->out.n; n++)
    erg_dgemm(m, columns, k, (erg_matrix){t->x[0] + n * m * k, k, 1},
              (erg_matrix){t->x[1] + n * k * columns, turned ? 1 : columns, turned ? k : 1}, t->y + n * m * columns,
              columns, false);
}

static void backward(erg_tape_step *t) {
  int64_t m = t->out.h, k = t->in[0].c, columns = t->out.c;
  bool turned = t->attrs.transpose_b;
  for (int64_t n = 0; n < t->out.n; n++) {
    erg_matrix dy = {t->dy + n * m * columns, columns, 1}, a = {t->x[0] + n * m * k, k, 1};
    const double *b = t->x[1] + n * k * columns;
    if (t->dx[0]) /* dy b' */
      erg_dgemm(m, k, columns, dy, (erg_matrix){b, turned ? k : 1, turned ? 1 : columns}, t->dx[0] + n * m * k, k,
                true);
    if (!t->dx[1]) continue;
    if (turned) /* dy' a */
      erg_dgemm(columns, k, m, (erg_matrix){dy.at, 1, columns}, a, t->dx[1] + n * k * columns, k, true);
    else /* a' dy */
      erg_dgemm(k, columns, m, (erg_matrix){a.at, 1, k}, dy, t->dx[1] + n * k * columns, columns, true);
  }
}

static void example(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in) {
  (void)arena;
  int n = erg_example_extent(random, 1, 3), m = erg_example_extent(random, 1, 6), k = erg_example_extent(random, 1, 9);
  int columns = erg_example_extent(random, 1, 11);
  attrs->transpose_b = erg_example_extent(random, 0, 1);
  in[0] = (erg_shape){n, m, 1, k};
  in[1] = attrs->transpose_b ? (erg_shape){n, columns, 1, k} : (erg_shape){n, k, 1, columns};
}

static const erg_tape_op matmul = {"matmul", "product of two maps of matrices", 2, infer, forward, backward, example};
ERG_REGISTER(erg_tape_op, matmul);
