/* SPDX-License-Identifier: Apache-2.0 */
/** \file kernels.h
 *  The golden reference. Integer kernels are exact definitions: plain loops over NHWC, no packing, no tiling. Codes of
 *  2..16 bits are stored in int16_t whatever their width (`_s16`); `_f32` are the floating references.
 *  Layouts: activations [N, H, W, C]; weights [K, R, S, C/groups]; 1 MAC = 2 FLOPs. */
#ifndef ERGON_KERNELS_H
#define ERGON_KERNELS_H

#include "ergon/base.h"
#include "ergon/registry.h"
#include "ergon/requant.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct { int n, h, w, c; } erg_shape; /**< NHWC extents, each >= 1 */
int64_t erg_shape_elements(erg_shape shape);

/** Attributes of a node as users write them. Which of them an operator takes is in erg_op.attributes. */
typedef struct {
  int filters;            /**< K: output channels */
  int kernel_h, kernel_w; /**< R, S */
  int stride_h, stride_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  int groups;
  bool bias;
} erg_attrs;

/** A convolution to the last extent; FC and GEMM are convolutions too (FC: kernel = input extents; GEMM: 1 x 1 on
 *  [1, M, 1, K]). Legal: all extents >= 1, pads 0..(kernel-1)*dilation, dilations >= 0, groups divides in.c and filters,
 *  P and Q >= 1, the span of every window (kernel-1)*dilation + 1 meets the map. */
typedef struct {
  erg_shape in;
  int filters, kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, groups;
  int out_h, out_w;           /**< P, Q */
  int dilation_h, dilation_w; /**< distance of neighbouring taps; 0 is read as 1 */
} erg_conv2d_shape;

int64_t erg_conv2d_macs(const erg_conv2d_shape *shape); /**< N P Q K R S C/groups; padding included, as the field counts */
/** K of the GEMM: R S C/groups. */
int64_t erg_conv2d_reduction(const erg_conv2d_shape *shape);

/* ---------------------------------------------------------------- epilogue (epilogue.c); rules: requant.h */

/** The fused epilogue (MODEL 5): y = clamp(zero_point + rq(acc + bias[k], scale[k]) + rq(res - residual_zero_point,
 *  residual_scale), low, high), acc + bias wrapped to accumulator_bits, no intermediate clamp. */
typedef struct {
  const int64_t *bias;      /**< [K] or NULL */
  const erg_requant *scale; /**< [K] */
  int32_t zero_point, low, high;
  const int16_t *residual;  /**< [N, P, Q, K] or NULL */
  int32_t residual_zero_point;
  erg_requant residual_scale;
  erg_rule rule; /**< of both requantizations; 0 = S */
} erg_epilogue;

/** One element of the epilogue, used by kernels and by tests. `k` is the channel. */
int16_t erg_epilogue_apply(const erg_epilogue *epilogue, int64_t accumulator, int k, int16_t residual,
                           int accumulator_bits);

/* ---------------------------------------------------------------- integer kernels (conv2d.c, add.c, ...) */

/** sum over r, s, c of (x - input_zero_point) * w, wrapped to accumulator_bits; x outside the map is the zero point.
 *  input [N, H, W, C], weight [K, R, S, C/groups], accumulator [N, P, Q, K]. */
erg_status erg_conv2d_accumulate_s16(const erg_conv2d_shape *shape, const int16_t *input, int32_t input_zero_point,
                                     const int16_t *weight, int accumulator_bits, int64_t *accumulator,
                                     erg_error *error);
/** The same, then the epilogue. output [N, P, Q, K]. */
erg_status erg_conv2d_s16(const erg_conv2d_shape *shape, const int16_t *input, int32_t input_zero_point,
                          const int16_t *weight, int accumulator_bits, const erg_epilogue *epilogue, int16_t *output,
                          erg_error *error);
erg_status erg_conv2d_f32(const erg_conv2d_shape *shape, const float *input, const float *weight, const float *bias,
                          float *output, erg_error *error);

/** y = clamp(zero_point + rq(a - a_zero_point, a_scale) + rq(b - b_zero_point, b_scale), low, high). */
typedef struct {
  int32_t a_zero_point, b_zero_point, zero_point, low, high;
  erg_requant a_scale, b_scale;
  erg_rule rule; /**< of both requantizations; 0 = S */
} erg_add_params;
erg_status erg_add_s16(int64_t elements, const int16_t *a, const int16_t *b, const erg_add_params *params,
                       int16_t *output, erg_error *error);

/** A pooling window; padding never takes part (max: -inf; average: divisor counts only elements inside the map). */
typedef struct {
  erg_shape in;
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, out_h, out_w;
} erg_pool_shape;
erg_status erg_max_pool_s16(const erg_pool_shape *shape, const int16_t *input, int16_t *output, erg_error *error);
/** Mean of (x - zero_point), rounded half away from zero, plus zero_point: same scale and zero point as the input.
 *  (The rounding of TFLite and CMSIS-NN; oneDNN takes ties to even.) A scale of its own: erg_global_avg_pool_s16. */
erg_status erg_avg_pool_s16(const erg_pool_shape *shape, const int16_t *input, int32_t zero_point, int16_t *output,
                            erg_error *error);
erg_status erg_max_pool_f32(const erg_pool_shape *shape, const float *input, float *output, erg_error *error);
erg_status erg_avg_pool_f32(const erg_pool_shape *shape, const float *input, float *output, erg_error *error);

/* ---------------------------------------------------------------- floating formats (formats/) */

/** A floating storage format: one file in formats/. `round` gives the nearest representable value (RNE, subnormals,
 *  overflow as the format defines): a magnitude that rounds beyond `max`, infinity included, becomes infinity, or NaN in
 *  fp8e4m3, which has none. That is OCP's non-saturating conversion (OCP 8-bit Floating Point Specification,
 *  revision 1.0); the saturating one is erg_float_saturate. NaN stays NaN of its sign. */
typedef struct {
  erg_format format;
  const char *name, *help;
  int bits;
  float (*round)(float value);
  /** Bit pattern of round(value), in the low `bits` bits, the sign on top. NaN: quiet, with the leading bits of the
   *  payload; fp8e4m3 has one NaN a sign (S.1111.111). fp32: the pattern as it is. */
  uint32_t (*encode)(float value);
  /** Exact value of a pattern; bits above `bits` are ignored, NaN becomes quiet (fp32: as it is). */
  float (*decode)(uint32_t pattern);
  float max; /**< largest finite value */
} erg_float_format;
ERG_REGISTRY(erg_float_format)
const erg_float_format *erg_float_format_find(erg_format format); /**< NULL for ERG_FORMAT_INT */
/** As `round`, but what rounds beyond `max`, infinity included, becomes max of its sign (OCP's saturating conversion). */
float erg_float_saturate(const erg_float_format *format, float value);

/* ---------------------------------------------------------------- operators (ops/) */

/** Element operations, by kind. A requantize is one 32-bit multiply, rounding add, shift and clamp; a gate one code or
 *  value through a pointwise function; an rsqrt one 1/sigma of a norm. */
typedef struct { uint64_t mac, requantize, add, multiply, compare, gate, rsqrt; } erg_op_counts;

enum { /* which attributes a node of this kind may carry */
  ERG_ATTR_K = 1, ERG_ATTR_KERNEL = 2, ERG_ATTR_STRIDE = 4, ERG_ATTR_PAD = 8, ERG_ATTR_GROUPS = 16, ERG_ATTR_BIAS = 32
};
#define ERG_MAX_INPUTS 2

/** What a node does inside a fused group (MODEL 5). */
typedef enum { ERG_ROLE_INPUT, ERG_ROLE_ARRAY, ERG_ROLE_BATCH_NORM, ERG_ROLE_NORM, ERG_ROLE_CLAMP, ERG_ROLE_GATE, ERG_ROLE_ADD,
               ERG_ROLE_VECTOR } erg_op_role;

/** Over what a dynamic norm takes its statistics: an image's channel; a pixel's channels; these without their mean. */
typedef enum { ERG_NORM_NONE, ERG_NORM_INSTANCE, ERG_NORM_LAYER, ERG_NORM_RMS } erg_norm_kind;

typedef struct {
  const char *name, *help;
  erg_op_role role;
  int inputs;          /**< number of input tensors */
  unsigned attributes; /**< legal attributes */
  unsigned required;   /**< required attributes */
  /** Shape of the output; checks ranks, channels, groups, windows. ERG_ERR_DATA says what was found and allowed. */
  erg_status (*infer)(const erg_attrs *attrs, const erg_shape *in, erg_shape *out, erg_error *error);
  /** Array operators only: the convolution to run. */
  void (*conv)(const erg_attrs *attrs, const erg_shape *in, erg_conv2d_shape *conv);
  /** Learned parameters, batch-norm affine and biases included. */
  int64_t (*parameters)(const erg_attrs *attrs, const erg_shape *in);
  /** Operations when the node runs as a pass of its own. `integer` adds the requantizations an integer pass needs. Of a
   *  dynamic norm: of its second pass, which applies the statistics. */
  void (*counts)(const erg_attrs *attrs, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *counts);
  /** Pools only: the window. */
  void (*pool)(const erg_attrs *attrs, const erg_shape *in, erg_pool_shape *pool);
  /** Integer golden on codes for vector operators that keep scale and zero point (pools); NULL otherwise. */
  erg_status (*run_s16)(const erg_attrs *attrs, const erg_shape *in, const int16_t *input, int32_t zero_point,
                        int16_t *output, erg_error *error);
  /** Clamp operators: the upper limit in real units (6 for relu6), or infinity. */
  double clamp_high;
  /** Dynamic norms only: their kind, and the operations of their first pass, which takes the statistics S and Q. */
  erg_norm_kind norm;
  void (*gather_counts)(const erg_attrs *attrs, const erg_shape *in, erg_op_counts *counts);
  const char *gate; /**< gates only: the function (gates.h) */
  bool by_channel;  /**< products only: the second input is a number a channel of each image, [N, 1, 1, C] */
} erg_op;
ERG_REGISTRY(erg_op)
const erg_op *erg_op_find(const char *name); /**< NULL when there is none */
/** NULL-terminated names of all operators (for messages), in arena memory. */
const char *const *erg_op_names(erg_arena *arena);

/* ---------------------------------------------------------------- what there is (docs/support.md) */

/** An operator with golden kernels; each file of kernels registers its own. `attempt` computes a case of one or two
 *  elements in `format`: ERG_OK when the kernel is there and gives what it must, ERG_ERR_UNSUPPORTED when there is none. */
typedef struct {
  const char *name, *help;
  erg_status (*attempt)(erg_format format, erg_error *error);
} erg_kernel;
ERG_REGISTRY(erg_kernel)

#ifdef __cplusplus
}
#endif

#include "ergon/certificate.h"
#include "ergon/matmul.h"
#include "ergon/packing.h"
#include "ergon/requantize.h"
#include "ergon/rule_vectors.h"
#include "ergon/vector.h"

#include "ergon/gates.h"
#include "ergon/norms.h"
#include "ergon/softmax.h"
#include "ergon/attention.h"
#include "ergon/squeeze_excite.h"
#endif
