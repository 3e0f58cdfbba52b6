/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strips of 8 columns of b are copied side by side; 4 rows of a at a time run along them with 32 sums in registers. The
 * matrices here are small (a layer of a small network), so nothing else is blocked. */
#include "ergon/tape.h"
#include <string.h>

#define ROWS 4
#define COLUMNS 8
#define DEPTH 256 /* a strip of 16 KB stays in the first-level cache */

/* The same C for two widths of vector registers. Products are not fused with sums (quant/CMakeLists.txt), so that both
 * give the same bits. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

typedef double vector __attribute__((vector_size(32)));

/* sums [4][8] = a [4, depth] * strip [depth][8] */
CLONES static void tile(int64_t depth, const double *const a[ROWS], int64_t step, const double *strip, double *sums) {
  vector s[ROWS][2] = {0};
  for (int64_t k = 0; k < depth; k++, strip += COLUMNS) {
    vector low, high;
    memcpy(&low, strip, sizeof low);
    memcpy(&high, strip + 4, sizeof high);
    for (int i = 0; i < ROWS; i++) {
      s[i][0] += a[i][k * step] * low;
      s[i][1] += a[i][k * step] * high;
    }
  }
  memcpy(sums, s, sizeof s);
}

static void pack(erg_matrix b, int64_t first, int64_t depth, int64_t column, int width, double *strip) {
  for (int64_t k = 0; k < depth; k++, strip += COLUMNS) {
    const double *from = b.at + (first + k) * b.row + column * b.column;
    for (int j = 0; j < COLUMNS; j++) strip[j] = j < width ? from[j * b.column] : 0;
  }
}

void erg_dgemm(int64_t m, int64_t n, int64_t k, erg_matrix a, erg_matrix b, double *c, int64_t c_row, bool add) {
  double strip[DEPTH * COLUMNS], sums[ROWS * COLUMNS];
  for (int64_t first = 0; first < k; first += DEPTH) {
    int64_t depth = k - first < DEPTH ? k - first : DEPTH;
    for (int64_t column = 0; column < n; column += COLUMNS) {
      int width = n - column < COLUMNS ? (int)(n - column) : COLUMNS;
      pack(b, first, depth, column, width, strip);
      for (int64_t row = 0; row < m; row += ROWS) {
        const double *rows[ROWS];
        int height = m - row < ROWS ? (int)(m - row) : ROWS;
        for (int i = 0; i < ROWS; i++) rows[i] = a.at + (row + (i < height ? i : 0)) * a.row + first * a.column;
        tile(depth, rows, a.column, strip, sums);
        for (int i = 0; i < height; i++) {
          double *to = c + (row + i) * c_row + column;
          for (int j = 0; j < width; j++) to[j] = (add || first ? to[j] : 0) + sums[i * COLUMNS + j];
        }
      }
    }
  }
}
