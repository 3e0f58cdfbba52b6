/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any arguments at all: a kernel answers with a status, never with undefined behaviour (the sanitizers watch), writes
 * nothing on an error and only codes within its clamp otherwise. Tensors are allocated to the byte, so that one element
 * too far is seen; a legal shape too large for that is called with a NULL, which must be refused. */
#include "ergon/fast.h"
#include "ergon/float_kernels.h"
#include "ergon/kernels.h"
#include <stdlib.h>
#include <string.h>

#define MOST 4096
#define FILL 0x5A

typedef struct {
  const uint8_t *at, *end;
} bytes;

static int64_t raw(bytes *b, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count && b->at < b->end; i++) value |= (uint64_t)*b->at++ << (8 * i);
  return (int64_t)value;
}

/* Elements of up to four extents; more than MOST when there is no counting them, -1 when one is negative. */
static int64_t count(int64_t a, int64_t b, int64_t c, int64_t d) {
  const int64_t extents[] = {a, b, c, d};
  int64_t product = 1;
  for (int i = 0; i < 4; i++)
    if (extents[i] < 0) return -1;
  for (int i = 0; i < 4; i++) {
    if (extents[i] == 0) return 0;
    if (product <= MOST) product *= extents[i] > MOST ? MOST + 1 : extents[i];
  }
  return product;
}

/* Mostly small, now and then anything. */
static int number(bytes *b, int low, int high) {
  int64_t pick = raw(b, 1);
  if (pick == 255) return (int)(int32_t)(uint32_t)raw(b, 4);
  if (pick == 254) return INT32_MAX;
  if (pick == 253) return INT32_MIN;
  return low + (int)(pick % (high - low + 1));
}

/* At most four tensors a call; freed at its end. */
static struct {
  void *memory;
  size_t size;
} held[8];
static int held_count;

/* `elements` of `size` bytes, or NULL when there are too many, none, or the input asks for a NULL. */
static void *tensor(bytes *b, int64_t elements, size_t size) {
  if (raw(b, 1) == 255 || elements < 0 || elements > MOST) return NULL;
  size_t total = (size_t)elements * size;
  unsigned char *memory = malloc(total ? total : 1);
  if (!memory) abort();
  memset(memory, FILL, total);
  held[held_count].memory = memory;
  held[held_count++].size = total;
  return memory;
}

static void fill(bytes *b, void *memory, int64_t elements, size_t size) {
  unsigned char *at = memory;
  for (int64_t i = 0; memory && i < elements * (int64_t)size; i++) at[i] = (unsigned char)raw(b, 1);
}

static void release(void) {
  while (held_count > 0) free(held[--held_count].memory);
}

static void expect(bool holds) {
  if (!holds) abort();
}

/* A status that is honest: a text if and only if it failed, and the output as it was. */
static bool honest(erg_status status, erg_error *error, const void *output) {
  expect(status == ERG_OK || status == ERG_ERR_DATA);
  expect((status != ERG_OK) == (error->text != NULL));
  expect(status != ERG_OK || output);
  for (int i = 0; status != ERG_OK && i < held_count; i++)
    if (held[i].memory == output)
      for (size_t k = 0; k < held[i].size; k++) expect(((const unsigned char *)output)[k] == FILL);
  erg_error_clear(error);
  return status == ERG_OK;
}

static void within(const int16_t *output, int64_t elements, int low, int high) {
  for (int64_t i = 0; i < elements; i++) expect(output[i] >= low && output[i] <= high);
}

static erg_requant scale(bytes *b) {
  erg_requant q = {(int32_t)(1 << 30) + (int32_t)(raw(b, 3) << 6), number(b, -31, 30), 0.25f};
  int odd = (int)raw(b, 1);
  if (odd == 0) q.multiplier = number(b, -1, 1);
  if (odd == 1) {
    uint32_t word = (uint32_t)raw(b, 4);
    memcpy(&q.real, &word, sizeof word);
  }
  return q;
}

static erg_codes codes(bytes *b) {
  return (erg_codes){number(b, -9, 9), number(b, -129, -1), number(b, -1, 128)};
}

static erg_conv2d_shape conv2d_shape(bytes *b) {
  return (erg_conv2d_shape){{number(b, 0, 2), number(b, 0, 5), number(b, 0, 5), number(b, 0, 4)},
                            number(b, 0, 4),
                            number(b, 0, 3),
                            number(b, 0, 3),
                            number(b, 0, 3),
                            number(b, 0, 3),
                            number(b, 0, 3),
                            number(b, 0, 3),
                            number(b, 0, 3),
                            number(b, 0, 6),
                            number(b, 0, 6),
                            number(b, 0, 3),
                            number(b, 0, 3)};
}

static void fuzz_conv2d(bytes *b) {
  erg_conv2d_shape s = conv2d_shape(b);
  int groups = s.groups > 0 ? s.groups : 1, bits = number(b, 7, 49), zero = number(b, -9, 9);
  int64_t in = count(s.in.n, s.in.h, s.in.w, s.in.c), out = count(s.in.n, s.out_h, s.out_w, s.filters);
  int64_t w = count(s.filters, s.kernel_h, s.kernel_w, s.in.c / groups);
  /* A kernel beyond the map is legal for its padding; its loops are then as long as its weights, no longer. */
  int16_t *x = tensor(b, in, sizeof *x), *weight = tensor(b, w, sizeof *weight), *y = tensor(b, out, sizeof *y);
  int64_t *sums = tensor(b, out, sizeof *sums);
  fill(b, x, in, 2);
  fill(b, weight, w, 2);
  erg_error error = {0};
  honest(erg_conv2d_accumulate_s16(&s, x, zero, weight, bits, sums, &error), &error, sums);
  if (sums) memset(sums, FILL, (size_t)out * sizeof *sums);
  erg_accumulation policy = (erg_accumulation)number(b, 0, 2);
  honest(erg_conv2d_accumulate_policy_s16(&s, x, zero, weight, bits, policy, sums, NULL, &error), &error, sums);
  erg_requant *scales = tensor(b, s.filters, sizeof *scales);
  for (int k = 0; scales && k < s.filters; k++) scales[k] = scale(b);
  erg_codes c = codes(b);
  erg_epilogue e = {NULL, scales, c.zero_point, c.low, c.high, NULL, 0, {0}, (erg_rule)number(b, 0, 4)};
  if (honest(erg_conv2d_s16(&s, x, zero, weight, bits, &e, y, &error), &error, y)) within(y, out, c.low, c.high);
  erg_code_range range = {number(b, -128, 0), number(b, 0, 127), number(b, -128, 127)};
  erg_certificate certificate;
  memset(&certificate, FILL, sizeof certificate);
  honest(erg_certificate_weights(&s, weight, NULL, &range, &certificate, &error), &error, &certificate);
}

static void fuzz_matmul(bytes *b) {
  erg_matmul_shape s = {number(b, 0, 3), number(b, 0, 5), number(b, 0, 9), number(b, 0, 5)};
  int64_t left = count(s.batch, s.m, s.k, 1), right = count(s.batch, s.k, s.n, 1), out = count(s.batch, s.m, s.n, 1);
  int16_t *x = tensor(b, left, sizeof *x), *w = tensor(b, right, sizeof *w), *y = tensor(b, out, sizeof *y);
  fill(b, x, left, 2);
  fill(b, w, right, 2);
  erg_requant *scales = tensor(b, s.n, sizeof *scales);
  for (int k = 0; scales && k < s.n; k++) scales[k] = scale(b);
  erg_codes c = codes(b);
  erg_epilogue e = {NULL, scales, c.zero_point, c.low, c.high, NULL, 0, {0}, (erg_rule)number(b, 0, 4)};
  int a_zero = number(b, -9, 9), b_zero = number(b, -9, 9), bits = number(b, 7, 49);
  erg_error error = {0};
  if (honest(erg_matmul_s16(&s, x, a_zero, w, b_zero, bits, &e, y, &error), &error, y)) within(y, out, c.low, c.high);
}

static void fuzz_pools(bytes *b) {
  erg_pool_shape s = {{number(b, 0, 2), number(b, 0, 5), number(b, 0, 5), number(b, 0, 4)},
                      number(b, 0, 3),
                      number(b, 0, 3),
                      number(b, 0, 3),
                      number(b, 0, 3),
                      number(b, 0, 3),
                      number(b, 0, 3),
                      number(b, 0, 6),
                      number(b, 0, 6)};
  int64_t in = count(s.in.n, s.in.h, s.in.w, s.in.c), out = count(s.in.n, s.out_h, s.out_w, s.in.c);
  int16_t *x = tensor(b, in, sizeof *x), *y = tensor(b, out, sizeof *y);
  fill(b, x, in, 2);
  erg_error error = {0};
  bool done = honest(erg_max_pool_s16(&s, x, y, &error), &error, y);
  if (done) memset(y, FILL, (size_t)out * sizeof *y);
  expect(done == honest(erg_avg_pool_s16(&s, x, number(b, -9, 9), y, &error), &error, y));
}

static void fuzz_elementwise(bytes *b) {
  int64_t rows = number(b, 0, 9);
  int channels = number(b, 0, 6), bits = number(b, 7, 49), kind = (int)raw(b, 1) % 6;
  int64_t all = count(rows, channels, 1, 1);
  int16_t *x = tensor(b, all, sizeof *x), *z = tensor(b, all, sizeof *z), *y = tensor(b, all, sizeof *y);
  fill(b, x, all, 2);
  fill(b, z, all, 2);
  erg_rule rule = (erg_rule)number(b, 0, 4);
  erg_codes c = codes(b);
  erg_requant q = scale(b), *scales = tensor(b, channels, sizeof *scales);
  for (int k = 0; scales && k < channels; k++) scales[k] = scale(b);
  erg_requant_tensor one = {rule, q};
  erg_requant_channels many = {rule, channels, scales};
  erg_mul_params mul = {number(b, -9, 9), number(b, -9, 9), bits, one, c};
  erg_concat_input input = {x, channels, number(b, -9, 9), q};
  erg_add_params add = {0, number(b, -9, 9), c.zero_point, c.low, c.high, q, scale(b), rule};
  erg_error error = {0};
  erg_status status = ERG_OK;
  if (kind == 0) status = erg_requantize_channels_s16(rows, x, number(b, -9, 9), &many, &c, y, &error);
  if (kind == 1) status = erg_mul_s16(all, x, z, &mul, y, &error);
  if (kind == 2) status = erg_concat_s16(rows, 1, &input, rule, &c, y, &error);
  if (kind == 3) status = erg_add_s16(all, x, z, &add, y, &error);
  if (kind == 4) status = erg_requantize_tensor_s16(all, x, number(b, -9, 9), &one, &c, y, &error);
  if (kind == 5) {
    int32_t *weight = tensor(b, channels, sizeof *weight);
    int64_t *bias = tensor(b, channels, sizeof *bias);
    fill(b, weight, channels, sizeof *weight);
    fill(b, bias, channels, sizeof *bias);
    erg_batch_norm_params norm = {number(b, -9, 9), weight, bias, many, c};
    status = erg_batch_norm_s16(rows, x, &norm, y, &error);
  }
  if (honest(status, &error, y)) within(y, all, c.low, c.high);
}

/* By any path: a refusal with its reason, or what the golden loops give. */
static void fuzz_fast(bytes *b) {
  erg_conv2d_shape s = conv2d_shape(b);
  int groups = s.groups > 0 ? s.groups : 1, bits = number(b, 7, 49), zero = number(b, -9, 9), low = number(b, -200, 0);
  int64_t in = count(s.in.n, s.in.h, s.in.w, s.in.c), out = count(s.in.n, s.out_h, s.out_w, s.filters);
  int64_t w = count(s.filters, s.kernel_h, s.kernel_w, s.in.c / groups);
  int16_t *x = tensor(b, in, sizeof *x), *weight = tensor(b, w, sizeof *weight);
  int64_t *sums = tensor(b, out, sizeof *sums), *golden = tensor(b, out, sizeof *golden);
  for (int64_t i = 0; x && i < in; i++) x[i] = (int16_t)raw(b, 1);
  fill(b, weight, w, 2);
  erg_error error = {0};
  erg_fast_conv2d *prepared = NULL;
  erg_status status = erg_fast_conv2d_prepare(&s, zero, low, number(b, 0, 300), weight, bits,
                                              (erg_fast_path)number(b, -1, 4), &prepared, &error);
  expect((status == ERG_OK) == (prepared != NULL) && (status != ERG_OK) == (error.text != NULL));
  erg_error_clear(&error);
  if (prepared && honest(erg_fast_conv2d_accumulate(prepared, x, sums, &error), &error, sums) && golden &&
      erg_conv2d_accumulate_s16(&s, x, zero, weight, bits, golden, &error) == ERG_OK)
    expect(memcmp(sums, golden, (size_t)out * sizeof *sums) == 0);
  erg_error_clear(&error);
  erg_fast_conv2d_free(prepared);
}

static void fuzz_float(bytes *b) {
  erg_conv2d_shape s = conv2d_shape(b);
  int groups = s.groups > 0 ? s.groups : 1;
  int64_t in = count(s.in.n, s.in.h, s.in.w, s.in.c), out = count(s.in.n, s.out_h, s.out_w, s.filters);
  int64_t w = count(s.filters, s.kernel_h, s.kernel_w, s.in.c / groups);
  float *x = tensor(b, in, sizeof *x), *weight = tensor(b, w, sizeof *weight), *y = tensor(b, out, sizeof *y);
  fill(b, x, in, sizeof *x); /* any pattern: NaN, infinities, subnormals */
  fill(b, weight, w, sizeof *weight);
  erg_float_arithmetic arithmetic = {erg_float_format_find((erg_format)number(b, 0, 5)), raw(b, 1) % 2 == 0};
  erg_error error = {0};
  honest(erg_conv2d_float(&arithmetic, &s, x, weight, NULL, y, &error), &error, y);
  int64_t elements = number(b, -1, 9);
  float *sum = tensor(b, elements, sizeof *sum);
  if (elements <= in && elements <= w)
    honest(erg_add_float(arithmetic.format, elements, x, weight, sum, &error), &error, sum);
}

static void fuzz_packing(bytes *b) {
  int64_t runs = number(b, 0, 4), elements = number(b, 0, 20);
  int bits = number(b, 1, 17);
  int64_t all = count(runs, elements, 1, 1);
  int64_t size = erg_packed_bytes(runs, elements, bits);
  int16_t *x = tensor(b, all, sizeof *x), *back = tensor(b, all, sizeof *back);
  uint8_t *image = tensor(b, size, 1);
  for (int64_t i = 0; x && i < all; i++) x[i] = (int16_t)(raw(b, 1) % 8 - 4);
  erg_error error = {0};
  if (!honest(erg_pack_s16(runs, elements, bits, x, image, &error), &error, image)) return;
  if (honest(erg_unpack_s16(runs, elements, bits, image, back, &error), &error, back))
    expect(memcmp(x, back, (size_t)all * sizeof *x) == 0);
}

static void fuzz_maps(bytes *b) {
  erg_shape s = {number(b, 0, 2), number(b, 0, 5), number(b, 0, 5), number(b, 0, 4)};
  erg_padding p = {number(b, 0, 2), number(b, 0, 2), number(b, 0, 2), number(b, 0, 2)};
  int64_t in = count(s.n, s.h, s.w, s.c), sums = count(s.n, s.c, 1, 1);
  int64_t out = count(s.n, (int64_t)s.h + p.top + p.bottom, (int64_t)s.w + p.left + p.right, s.c);
  int16_t *x = tensor(b, in, sizeof *x), *y = tensor(b, out, sizeof *y), *mean = tensor(b, sums, sizeof *mean);
  fill(b, x, in, 2);
  erg_error error = {0};
  honest(erg_pad_s16(s, &p, x, (int16_t)raw(b, 2), y, &error), &error, y);
  erg_requant_tensor one = {(erg_rule)number(b, 0, 4), scale(b)};
  erg_codes c = codes(b);
  erg_status status = erg_global_avg_pool_s16(s, x, number(b, -9, 9), number(b, 7, 49), &one, &c, mean, &error);
  if (honest(status, &error, mean)) within(mean, sums, c.low, c.high);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const targets[])(bytes *) = {fuzz_conv2d,  fuzz_matmul, fuzz_pools, fuzz_elementwise,
                                             fuzz_packing, fuzz_maps,   fuzz_fast,  fuzz_float};
  bytes b = {data, data + size};
  targets[raw(&b, 1) % (int64_t)ERG_COUNT_OF(targets)](&b);
  release();
  return 0;
}
