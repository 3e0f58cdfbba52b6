/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN's convolution primitive: uint8 map, int8 weights packed once, int32 sums. */
#include "fast.h"

#if defined(ERGON_ONEDNN) && defined(__x86_64__)
#include "onednn.h"
#include <stdlib.h>

struct erg_onednn_conv2d {
  dnnl_stream_t stream;
  dnnl_primitive_t convolution;
  dnnl_memory_t input, weights, output;
};

/* Descriptions of the tensors in Ergon's layouts. */
typedef struct {
  dnnl_memory_desc_t input, weights, any, output;
} tensors;

static bool describe(const erg_conv2d_shape *s, tensors *t) {
  const dnnl_dims_t in = {s->in.n, s->in.c, s->in.h, s->in.w}, out = {s->in.n, s->filters, s->out_h, s->out_w};
  int g = s->groups, k = s->filters / g, c = s->in.c / g;
  const dnnl_dims_t grouped = {g, k, c, s->kernel_h, s->kernel_w}, single = {k, c, s->kernel_h, s->kernel_w};
  const dnnl_dim_t *dims = g > 1 ? grouped : single;
  int rank = g > 1 ? 5 : 4;
  return !erg_onednn.memory_desc_init_by_tag(&t->input, 4, in, dnnl_u8, dnnl_nhwc) &&
         !erg_onednn.memory_desc_init_by_tag(&t->weights, rank, dims, dnnl_s8, g > 1 ? dnnl_gohwi : dnnl_ohwi) &&
         !erg_onednn.memory_desc_init_by_tag(&t->any, rank, dims, dnnl_s8, dnnl_format_tag_any) &&
         !erg_onednn.memory_desc_init_by_tag(&t->output, 4, out, dnnl_s32, dnnl_nhwc);
}

static int apart(int dilation) { /* 0 is neighbours here */
  return dilation > 1 ? dilation - 1 : 0;
}
static int past(int out, int stride, int kernel, int dilation, int pad, int extent) { /* padding at the far end */
  return (out - 1) * stride + (kernel - 1) * (apart(dilation) + 1) + 1 - extent - pad;
}

static dnnl_primitive_desc_t plan(const erg_conv2d_shape *s, int32_t zero_point, const tensors *t) {
  const dnnl_dims_t strides = {s->stride_h, s->stride_w}, dilates = {apart(s->dilation_h), apart(s->dilation_w)};
  const dnnl_dims_t low = {s->pad_top, s->pad_left};
  const dnnl_dims_t high = {past(s->out_h, s->stride_h, s->kernel_h, s->dilation_h, s->pad_top, s->in.h),
                            past(s->out_w, s->stride_w, s->kernel_w, s->dilation_w, s->pad_left, s->in.w)};
  dnnl_convolution_desc_t description;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_primitive_desc_t made = NULL;
  if (!erg_onednn.dilated_convolution_forward_desc_init(&description, dnnl_forward_inference, dnnl_convolution_direct,
                                                        &t->input, &t->any, NULL, &t->output, strides, dilates, low,
                                                        high) &&
      !erg_onednn.primitive_attr_create(&attributes) &&
      !erg_onednn.primitive_attr_set_zero_points(attributes, DNNL_ARG_SRC, 1, 0, &zero_point) &&
      erg_onednn.primitive_desc_create(&made, &description, attributes, erg_onednn_engine, NULL))
    made = NULL;
  if (attributes) erg_onednn.primitive_attr_destroy(attributes);
  return made;
}

static bool pack(erg_onednn_conv2d *c, const tensors *t, const dnnl_memory_desc_t *packed, const int8_t *weight) {
  dnnl_primitive_desc_t description = NULL;
  dnnl_primitive_t reorder = NULL;
  dnnl_memory_t plain = NULL;
  bool good = !erg_onednn.memory_create(&plain, &t->weights, erg_onednn_engine, (void *)(uintptr_t)weight) &&
              !erg_onednn.memory_create(&c->weights, packed, erg_onednn_engine, DNNL_MEMORY_ALLOCATE) &&
              !erg_onednn.reorder_primitive_desc_create(&description, &t->weights, erg_onednn_engine, packed,
                                                        erg_onednn_engine, NULL) &&
              !erg_onednn.primitive_create(&reorder, description);
  if (good) {
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, c->weights}};
    good = !erg_onednn.primitive_execute(reorder, c->stream, 2, arguments) && !erg_onednn.stream_wait(c->stream);
  }
  if (reorder) erg_onednn.primitive_destroy(reorder);
  if (description) erg_onednn.primitive_desc_destroy(description);
  if (plain) erg_onednn.memory_destroy(plain);
  return good;
}

erg_onednn_conv2d *erg_onednn_conv2d_new(const erg_conv2d_shape *shape, int32_t zero_point, const int8_t *weight) {
  erg_onednn_conv2d *c = calloc(1, sizeof *c);
  tensors t;
  dnnl_primitive_desc_t description = c && describe(shape, &t) ? plan(shape, zero_point, &t) : NULL;
  bool good = description && !erg_onednn.stream_create(&c->stream, erg_onednn_engine, dnnl_stream_default_flags) &&
              pack(c, &t, erg_onednn.primitive_desc_query_md(description, dnnl_query_weights_md, 0), weight) &&
              !erg_onednn.memory_create(&c->input, &t.input, erg_onednn_engine, DNNL_MEMORY_NONE) &&
              !erg_onednn.memory_create(&c->output, &t.output, erg_onednn_engine, DNNL_MEMORY_NONE) &&
              !erg_onednn.primitive_create(&c->convolution, description);
  if (description) erg_onednn.primitive_desc_destroy(description);
  if (good) return c;
  erg_onednn_conv2d_free(c);
  return NULL;
}

bool erg_onednn_conv2d_run(erg_onednn_conv2d *c, const uint8_t *input, uint32_t *sums) {
  const dnnl_exec_arg_t arguments[] = {
      {DNNL_ARG_SRC, c->input}, {DNNL_ARG_WEIGHTS, c->weights}, {DNNL_ARG_DST, c->output}};
  return !erg_onednn.memory_set_data_handle(c->input, (void *)(uintptr_t)input) &&
         !erg_onednn.memory_set_data_handle(c->output, sums) &&
         !erg_onednn.primitive_execute(c->convolution, c->stream, 3, arguments) && !erg_onednn.stream_wait(c->stream);
}

void erg_onednn_conv2d_free(erg_onednn_conv2d *c) {
  if (!c) return;
  if (c->convolution) erg_onednn.primitive_destroy(c->convolution);
  if (c->input) erg_onednn.memory_destroy(c->input);
  if (c->weights) erg_onednn.memory_destroy(c->weights);
  if (c->output) erg_onednn.memory_destroy(c->output);
  if (c->stream) erg_onednn.stream_destroy(c->stream);
  free(c);
}
#else
erg_onednn_conv2d *erg_onednn_conv2d_new(const erg_conv2d_shape *shape, int32_t zero_point, const int8_t *weight) {
  (void)shape, (void)zero_point, (void)weight;
  return NULL;
}
bool erg_onednn_conv2d_run(erg_onednn_conv2d *convolution, const uint8_t *input, uint32_t *sums) {
  (void)convolution, (void)input, (void)sums;
  return false;
}
void erg_onednn_conv2d_free(erg_onednn_conv2d *convolution) {
  (void)convolution;
}
#endif
