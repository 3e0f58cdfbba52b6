/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution, prepared and run. BLOCKED is a GEMM over blocks of output pixels: their windows side by side (im2col),
 * padding filled with the zero point, and zero_point * sum w taken off at the end. */
#include "../check.h"
#include "fast.h"
#include <stdlib.h>
#include <string.h>

#define BLOCK_CODES (1 << 17) /* windows of a block stay in a second-level cache */

struct erg_fast_conv2d {
  erg_conv2d_shape s;
  int32_t zero_point;
  int low, high, accumulator_bits;
  erg_fast_path path;
  bool depthwise;
  int64_t block_pixels;
  uint8_t *bytes;            /* ONEDNN: the map */
  erg_onednn_conv2d *onednn; /* its weights */
  int16_t *weight;           /* as given (PLAIN), in panels, by tap (depthwise) */
  int16_t *block;            /* windows of block_pixels */
  uint32_t *correction;      /* [K]; NULL where zero points are taken off already */
  uint32_t *sums;            /* of block_pixels */
};

static int64_t pixels_of(const erg_conv2d_shape *s) {
  return (int64_t)s->in.n * s->out_h * s->out_w;
}

/* NULL, or why not. */
static const char *prepare_onednn(erg_fast_conv2d *c, const int16_t *weight) {
  int64_t count = c->s.filters * erg_conv2d_reduction(&c->s);
  int least, greatest;
  erg_fast_range(weight, count, &least, &greatest);
  bool bytes = c->high - c->low < 256 && c->zero_point >= c->low && c->zero_point <= c->low + 255 &&
               least >= INT8_MIN && greatest <= INT8_MAX;
  const char *reason = erg_fast_no_onednn(bytes, c->accumulator_bits, erg_conv2d_reduction(&c->s));
  if (reason) return reason;
  uint8_t *weight_bytes = malloc((size_t)count);
  c->bytes = malloc((size_t)erg_shape_elements(c->s.in));
  if (weight_bytes && c->bytes) {
    erg_fast_to_bytes(weight, count, 0, weight_bytes);
    c->onednn = erg_onednn_conv2d_new(&c->s, c->zero_point - c->low, (const int8_t *)weight_bytes);
  }
  free(weight_bytes);
  return c->onednn ? NULL : "oneDNN refuses the shape";
}

static const char *no_blocked(const erg_fast_conv2d *c) {
  if (c->depthwise) return erg_fast_no_blocked(c->accumulator_bits);
  if (c->s.groups > 1) return "groups of several channels";
  if (c->zero_point < INT16_MIN || c->zero_point > INT16_MAX) return "a zero point of more than 16 bits";
  return erg_fast_no_blocked(c->accumulator_bits);
}

static erg_status prepare_blocked(erg_fast_conv2d *c, const int16_t *weight, erg_error *error) {
  int64_t reduction = erg_conv2d_reduction(&c->s), depth = erg_blocked_depth(reduction), filters = c->s.filters;
  int64_t most = c->depthwise ? 1 : BLOCK_CODES / depth > 8 ? BLOCK_CODES / depth : 8;
  if (c->block_pixels > most) c->block_pixels = most;
  int64_t codes = c->depthwise ? filters * reduction : erg_blocked_panel_codes(reduction, filters);
  c->weight = malloc(sizeof *c->weight * (size_t)codes);
  if (!c->depthwise) c->block = calloc((size_t)(c->block_pixels * depth), sizeof *c->block);
  if (!c->depthwise) c->correction = calloc((size_t)filters, sizeof *c->correction);
  if (!c->weight || (!c->depthwise && (!c->block || !c->correction))) return erg_fast_no_memory("conv2d", error);
  if (c->depthwise) {
    erg_fast_by_tap(&c->s, weight, c->weight);
    return ERG_OK;
  }
  erg_blocked_pack(weight, reduction, filters, true, c->weight);
  for (int64_t k = 0; k < filters; k++) {
    for (int64_t i = 0; i < reduction; i++) c->correction[k] += (uint32_t)weight[k * reduction + i] * 1u;
    c->correction[k] *= (uint32_t)c->zero_point;
  }
  return ERG_OK;
}

static erg_status prepare_plain(erg_fast_conv2d *c, const int16_t *weight, erg_error *error) {
  size_t bytes = sizeof *weight * (size_t)(c->s.filters * erg_conv2d_reduction(&c->s));
  c->weight = malloc(bytes);
  if (!c->weight) return erg_fast_no_memory("conv2d", error);
  memcpy(c->weight, weight, bytes);
  return ERG_OK;
}

static erg_status prepare(erg_fast_conv2d *c, const int16_t *weight, erg_fast_path asked, erg_error *error) {
  bool wanted = asked == ERG_FAST_AUTO || asked == ERG_FAST_ONEDNN;
  const char *no_onednn = wanted ? prepare_onednn(c, weight) : NULL; /* some shapes it refuses only when it sees them */
  erg_status status = erg_fast_choose("conv2d", asked, no_onednn, no_blocked(c), &c->path, error);
  if (status != ERG_OK) return status;
  c->block_pixels = pixels_of(&c->s);
  if (c->path == ERG_FAST_BLOCKED) status = prepare_blocked(c, weight, error);
  if (c->path == ERG_FAST_PLAIN) return prepare_plain(c, weight, error);
  if (status != ERG_OK) return status;
  c->sums = malloc(sizeof *c->sums * (size_t)(c->block_pixels * c->s.filters));
  return c->sums ? ERG_OK : erg_fast_no_memory("conv2d", error);
}

erg_status erg_fast_conv2d_prepare(const erg_conv2d_shape *shape, int32_t input_zero_point, int input_low,
                                   int input_high, const int16_t *weight, int accumulator_bits, erg_fast_path path,
                                   erg_fast_conv2d **prepared, erg_error *error) {
  if (!prepared) return erg_fail(error, ERG_ERR_DATA, "conv2d: no place for what is prepared");
  *prepared = NULL;
  erg_status status = erg_check_conv2d_call(shape, weight, weight, weight, accumulator_bits, error);
  if (status == ERG_OK) status = erg_check_clamp("conv2d: input", input_low, input_high, error);
  if (status != ERG_OK) return status;
  /* oneDNN refuses some shapes only when it is asked for them. */
  erg_fast_conv2d *c = calloc(1, sizeof *c);
  if (!c) return erg_fast_no_memory("conv2d", error);
  c->s = *shape;
  c->zero_point = input_zero_point, c->low = input_low, c->high = input_high;
  c->accumulator_bits = accumulator_bits;
  c->depthwise = shape->groups == shape->in.c && shape->groups == shape->filters && shape->groups > 1;
  status = prepare(c, weight, path, error);
  if (status == ERG_OK)
    *prepared = c;
  else
    erg_fast_conv2d_free(c);
  return status;
}

erg_fast_path erg_fast_conv2d_path(const erg_fast_conv2d *prepared) {
  return prepared->path;
}

void erg_fast_conv2d_free(erg_fast_conv2d *c) {
  if (!c) return;
  erg_onednn_conv2d_free(c->onednn);
  free(c->bytes);
  free(c->weight);
  free(c->block);
  free(c->correction);
  free(c->sums);
  free(c);
}

/* Sums of `count` output pixels from `first` on. */
static bool sums_of(const erg_fast_conv2d *c, const int16_t *input, int64_t first, int64_t count) {
  const erg_conv2d_shape *s = &c->s;
  if (c->path == ERG_FAST_ONEDNN) return erg_onednn_conv2d_run(c->onednn, c->bytes, c->sums); /* all at once */
  int64_t depth = erg_blocked_depth(erg_conv2d_reduction(s));
  for (int64_t i = 0; i < count; i++) {
    if (c->depthwise)
      erg_fast_depthwise(s, input, c->zero_point, c->weight, first + i, c->sums + i * s->filters);
    else
      erg_fast_gather(s, input, (int16_t)c->zero_point, first + i, c->block + i * depth);
  }
  if (!c->depthwise) erg_blocked_gemm(count, s->filters, erg_conv2d_reduction(s), c->block, c->weight, c->sums);
  return true;
}

static erg_status run(const erg_fast_conv2d *c, const int16_t *input, erg_fast_sink *sink, erg_error *error) {
  sink->accumulator_bits = c->accumulator_bits, sink->columns = c->s.filters;
  erg_status status = erg_fast_sink_open(sink, "conv2d", c->correction, error);
  if (status != ERG_OK) return status;
  int64_t pixels = pixels_of(&c->s);
  for (int64_t first = 0; first < pixels && status == ERG_OK; first += c->block_pixels) {
    int64_t count = pixels - first < c->block_pixels ? pixels - first : c->block_pixels;
    if (sums_of(c, input, first, count))
      erg_fast_store(sink, first, count, c->sums);
    else
      status = erg_fail(error, ERG_ERR_INTERNAL, "conv2d: oneDNN failed");
  }
  erg_fast_sink_close(sink);
  return status;
}

/* ONEDNN's bytes are made on the way. */
static erg_status check(const erg_fast_conv2d *c, const int16_t *input, const void *output, erg_error *error) {
  if (!c || !input || !output) return erg_fail(error, ERG_ERR_DATA, "conv2d: nothing prepared, or a tensor is NULL");
  int64_t count = erg_shape_elements(c->s.in);
  if (c->path == ERG_FAST_ONEDNN && erg_fast_into_bytes(input, count, -c->low, c->high - c->low, c->bytes))
    return ERG_OK;
  int least, greatest;
  erg_fast_range(input, count, &least, &greatest);
  if (least >= c->low && greatest <= c->high) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "conv2d: found input codes %d..%d; prepared for %d..%d", least, greatest, c->low,
                  c->high);
}

erg_status erg_fast_conv2d_run(erg_fast_conv2d *c, const int16_t *input, const erg_epilogue *epilogue, int16_t *output,
                               erg_error *error) {
  erg_status status = check(c, input, output, error);
  if (status == ERG_OK) status = erg_check_epilogue("conv2d", epilogue, c->s.filters, error);
  if (status != ERG_OK) return status;
  if (c->path == ERG_FAST_PLAIN)
    return erg_conv2d_s16(&c->s, input, c->zero_point, c->weight, c->accumulator_bits, epilogue, output, error);
  return run(c, input, &(erg_fast_sink){.epilogue = epilogue, .output = output}, error);
}

erg_status erg_fast_conv2d_accumulate(erg_fast_conv2d *c, const int16_t *input, int64_t *accumulator,
                                      erg_error *error) {
  erg_status status = check(c, input, accumulator, error);
  if (status != ERG_OK) return status;
  if (c->path == ERG_FAST_PLAIN)
    return erg_conv2d_accumulate_s16(&c->s, input, c->zero_point, c->weight, c->accumulator_bits, accumulator, error);
  return run(c, input, &(erg_fast_sink){.accumulator = accumulator}, error);
}

erg_status erg_fast_conv2d_accumulate_s32(erg_fast_conv2d *c, const int16_t *input, int32_t *accumulator,
                                          erg_error *error) {
  erg_status status = check(c, input, accumulator, error);
  if (status == ERG_OK && (c->accumulator_bits > 32 || c->path == ERG_FAST_PLAIN))
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "conv2d: 32-bit accumulators: skipped, because %s",
                      c->accumulator_bits > 32 ? "they are wider" : "the plain loops give 64-bit ones");
  if (status != ERG_OK) return status;
  if (c->path != ERG_FAST_ONEDNN || c->accumulator_bits < 32)
    return run(c, input, &(erg_fast_sink){.accumulator_s32 = accumulator}, error);
  if (erg_onednn_conv2d_run(c->onednn, c->bytes, (uint32_t *)accumulator)) return ERG_OK;
  return erg_fail(error, ERG_ERR_INTERNAL, "conv2d: oneDNN failed");
}
