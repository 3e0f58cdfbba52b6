/* SPDX-License-Identifier: Apache-2.0 */
/* Whether oneDNN is there and to be believed, and its integer GEMM. */
#include "fast.h"

#if defined(ERGON_ONEDNN) && defined(__x86_64__)
#include "onednn.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

erg_onednn_functions erg_onednn;
dnnl_engine_t erg_onednn_engine;

bool erg_onednn_gemm(int64_t rows, int64_t columns, int64_t depth, const uint8_t *a, const int8_t *b, uint32_t *sums) {
  const int32_t no_offset = 0;
  return erg_onednn.gemm_u8s8s32('N', 'N', 'F', rows, columns, depth, 1.0F, a, depth, 0, b, columns, 0, 0.0F,
                                 (int32_t *)sums, columns, &no_offset) == dnnl_success;
}

/* Rails, whose pairs of products pass 16 bits, among random codes. */
static void fill(int16_t *codes, int count, int low, int high, uint32_t state) {
  for (int i = 0; i < count; i++) {
    state = state * 1664525 + 1013904223;
    codes[i] = (int16_t)(i % 3 == 0   ? low + (int)((state >> 16) % (uint32_t)(high - low + 1))
                         : i / 67 % 2 ? low
                                      : high);
  }
}

enum { ROWS = 25, COLUMNS = 37, DEPTH = 67, TAPS = 9 }; /* off any block: a 5 x 5 map of 67 channels, 3 x 3 taps */
typedef struct {
  int16_t a[ROWS * DEPTH], b[COLUMNS * DEPTH * TAPS];
  uint8_t a_bytes[ROWS * DEPTH];
  int8_t b_bytes[COLUMNS * DEPTH * TAPS];
  uint32_t sums[ROWS * COLUMNS];
  int64_t golden[ROWS * COLUMNS];
} trial;

static bool equal(const trial *t) {
  for (int i = 0; i < ROWS * COLUMNS; i++)
    if ((int64_t)(int32_t)t->sums[i] != t->golden[i]) return false;
  return true;
}

static bool exact(trial *t) {
  erg_error error = {0};
  erg_matmul_shape product = {1, ROWS, DEPTH, COLUMNS};
  erg_conv2d_shape s = {.in = {1, 5, 5, DEPTH},
                        .filters = COLUMNS,
                        .kernel_h = 3,
                        .kernel_w = 3,
                        .stride_h = 1,
                        .stride_w = 1,
                        .pad_top = 1,
                        .pad_left = 1,
                        .groups = 1,
                        .out_h = 5,
                        .out_w = 5};
  fill(t->a, ROWS * DEPTH, 0, 255, 1);
  fill(t->b, COLUMNS * DEPTH * TAPS, -128, 127, 2);
  for (int i = 0; i < ROWS * DEPTH; i++) t->a_bytes[i] = (uint8_t)t->a[i];
  for (int i = 0; i < COLUMNS * DEPTH * TAPS; i++) t->b_bytes[i] = (int8_t)t->b[i];
  bool good = erg_matmul_accumulate_s16(&product, t->a, 0, t->b, 0, 32, t->golden, &error) == ERG_OK &&
              erg_onednn_gemm(ROWS, COLUMNS, DEPTH, t->a_bytes, t->b_bytes, t->sums) && equal(t) &&
              erg_conv2d_accumulate_s16(&s, t->a, 201, t->b, 32, t->golden, &error) == ERG_OK;
  erg_onednn_conv2d *convolution = good ? erg_onednn_conv2d_new(&s, 201, t->b_bytes) : NULL;
  good = convolution && erg_onednn_conv2d_run(convolution, t->a_bytes, t->sums) && equal(t);
  erg_onednn_conv2d_free(convolution);
  erg_error_clear(&error);
  return good;
}

/* Found once a process, then only read. */
static const char *missing;
static once_flag searched = ONCE_FLAG_INIT;

static void search(void) {
  if (!__builtin_cpu_supports("avx512vnni")) {
    missing = "the machine has no AVX512-VNNI, without which oneDNN saturates";
    return;
  }
  void *library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    missing = "libdnnl.so.2 cannot be opened (apt-get install libdnnl2 ocl-icd-libopencl1)";
    return;
  }
  bool found = true;
#define FIND(name) found &= (*(void **)&erg_onednn.name = dlsym(library, "dnnl_" #name)) != NULL;
  ERG_ONEDNN_FUNCTIONS(FIND)
  trial *t = calloc(1, sizeof *t);
  if (!t || !found || erg_onednn.engine_create(&erg_onednn_engine, dnnl_cpu, 0) != dnnl_success || !exact(t))
    missing = "the oneDNN of this machine does not give the golden sums (DNNL_MAX_CPU_ISA below avx512_core_vnni?)";
  free(t);
}

const char *erg_onednn_unavailable(void) {
  call_once(&searched, search);
  return missing;
}
#else
const char *erg_onednn_unavailable(void) {
  return "Ergon was built without oneDNN's headers (libdnnl-dev), or not for x86-64";
}
bool erg_onednn_gemm(int64_t rows, int64_t columns, int64_t depth, const uint8_t *a, const int8_t *b, uint32_t *sums) {
  (void)rows, (void)columns, (void)depth, (void)a, (void)b, (void)sums;
  return false;
}
#endif
