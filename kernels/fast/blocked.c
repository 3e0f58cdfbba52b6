/* SPDX-License-Identifier: Apache-2.0 */
/* The portable GEMM. One instruction of every x86 multiplies pairs of 16-bit codes and adds each pair in 32 bits: a
 * pair of a row of `a` meets a vector of such pairs of b, one column a lane. Tiles of rows x two vectors stay in
 * registers. */
#include "fast.h"
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

#define MOST_ROWS 8
#define MOST_COLUMNS 32

/* out [rows][stride] = the products of one tile; pairs of b as [pairs][columns][2]. */
typedef void tile_function(int64_t pairs, const int16_t *const *a, const int16_t *b, uint32_t *out, int64_t stride);
typedef struct {
  int rows, columns;
  tile_function *multiply;
} tile;

#if defined(__x86_64__) && defined(__GNUC__)
#define TILE(name, isa, row_count, lanes, vector, prefix, bits)                                                        \
  __attribute__((target(isa))) static void name(int64_t pairs, const int16_t *const *a, const int16_t *b,              \
                                                uint32_t *out, int64_t stride) {                                       \
    vector left[row_count], right[row_count];                                                                          \
    for (int m = 0; m < row_count; m++) left[m] = right[m] = prefix##_setzero_##bits();                                \
    for (int64_t p = 0; p < pairs; p++, b += 4 * lanes) {                                                              \
      vector b0 = prefix##_loadu_##bits((const void *)b), b1 = prefix##_loadu_##bits((const void *)(b + 2 * lanes));   \
      for (int m = 0; m < row_count; m++) {                                                                            \
        int32_t pair;                                                                                                  \
        memcpy(&pair, a[m] + 2 * p, sizeof pair);                                                                      \
        vector x = prefix##_set1_epi32(pair);                                                                          \
        left[m] = prefix##_add_epi32(left[m], prefix##_madd_epi16(x, b0));                                             \
        right[m] = prefix##_add_epi32(right[m], prefix##_madd_epi16(x, b1));                                           \
      }                                                                                                                \
    }                                                                                                                  \
    for (int m = 0; m < row_count; m++) {                                                                              \
      prefix##_storeu_##bits((void *)(out + m * stride), left[m]);                                                     \
      prefix##_storeu_##bits((void *)(out + m * stride + lanes), right[m]);                                            \
    }                                                                                                                  \
  }
TILE(multiply_512, "avx512bw", 8, 16, __m512i, _mm512, si512)
TILE(multiply_256, "avx2", 4, 8, __m256i, _mm256, si256)
TILE(multiply_128, "sse2", 4, 4, __m128i, _mm, si128)
#endif

static void multiply_plain(int64_t pairs, const int16_t *const *a, const int16_t *b, uint32_t *out, int64_t stride) {
  enum { ROWS = 4, COLUMNS = 8 };
  uint32_t sums[ROWS][COLUMNS] = {{0}};
  for (int64_t p = 0; p < pairs; p++, b += 2 * COLUMNS)
    for (int m = 0; m < ROWS; m++)
      for (int n = 0; n < COLUMNS; n++)
        sums[m][n] += (uint32_t)(a[m][2 * p] * b[2 * n]) + (uint32_t)(a[m][2 * p + 1] * b[2 * n + 1]);
  for (int m = 0; m < ROWS; m++) memcpy(out + m * stride, sums[m], sizeof sums[m]);
}

/* The widest that the machine has; the environment may ask for a narrower one, to try it. */
static tile machine(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  const char *asked = getenv("ERGON_VECTOR");
  int most = !asked || !strcmp(asked, "avx512") ? 3 : !strcmp(asked, "avx2") ? 2 : !strcmp(asked, "sse2") ? 1 : 0;
  if (most >= 3 && __builtin_cpu_supports("avx512bw")) return (tile){8, 32, multiply_512};
  if (most >= 2 && __builtin_cpu_supports("avx2")) return (tile){4, 16, multiply_256};
  if (most >= 1) return (tile){4, 8, multiply_128};
#endif
  return (tile){4, 8, multiply_plain};
}

static int64_t panels_of(int64_t columns, int width) {
  return (columns + width - 1) / width;
}

int64_t erg_blocked_depth(int64_t depth) {
  return (depth + 1) / 2 * 2;
}

int64_t erg_blocked_panel_codes(int64_t depth, int64_t columns) {
  int width = machine().columns;
  return panels_of(columns, width) * width * erg_blocked_depth(depth);
}

void erg_blocked_pack(const int16_t *b, int64_t depth, int64_t columns, bool by_column, int16_t *panels) {
  int width = machine().columns;
  int64_t down = by_column ? 1 : columns, across = by_column ? depth : 1;
  for (int64_t first = 0; first < columns; first += width)
    for (int64_t k = 0; k < depth; k += 2)
      for (int64_t n = first; n < first + width; n++, panels += 2) {
        const int16_t *at = b + k * down + n * across;
        panels[0] = n < columns ? at[0] : 0;
        panels[1] = n < columns && k + 1 < depth ? at[down] : 0;
      }
}

/* A row past the edge is computed as a copy of the last one; whatever lies past an edge is not stored. */
void erg_blocked_gemm(int64_t rows, int64_t columns, int64_t depth, const int16_t *a, const int16_t *panels,
                      uint32_t *sums) {
  tile t = machine();
  int64_t padded = erg_blocked_depth(depth);
  uint32_t edge[MOST_ROWS * MOST_COLUMNS];
  for (int64_t n = 0; n < columns; n += t.columns, panels += padded * t.columns)
    for (int64_t m = 0; m < rows; m += t.rows) {
      const int16_t *a_rows[MOST_ROWS];
      for (int i = 0; i < t.rows; i++) a_rows[i] = a + (m + i < rows ? m + i : rows - 1) * padded;
      uint32_t *out = sums + m * columns + n;
      if (m + t.rows <= rows && n + t.columns <= columns) {
        t.multiply(padded / 2, a_rows, panels, out, columns);
        continue;
      }
      int64_t wide = columns - n < t.columns ? columns - n : t.columns;
      t.multiply(padded / 2, a_rows, panels, edge, t.columns);
      for (int i = 0; i < t.rows && m + i < rows; i++)
        memcpy(out + i * columns, edge + (int64_t)i * t.columns, (size_t)wide * sizeof *out);
    }
}
