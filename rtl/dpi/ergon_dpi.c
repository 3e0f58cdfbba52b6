/* SPDX-License-Identifier: Apache-2.0 */
/* The C side of ergon_dpi_pkg.sv: translates DPI types to the golden kernels and computes nothing itself. C and C++
 * both compile it, because some simulators hand every source to the C++ compiler. Arrays are copied element by element
 * where a simulator does not keep them as C does (svGetArrayPtr may return NULL). */
#include "ergon/kernels.h"
#include <stdlib.h>
#include <string.h>
#include <svdpi.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { /* word_e of ergon_dpi_pkg.sv, in its order */
       W_N,
       W_H,
       W_W,
       W_C,
       W_FILTERS,
       W_KERNEL_H,
       W_KERNEL_W,
       W_STRIDE_H,
       W_STRIDE_W,
       W_PAD_TOP,
       W_PAD_LEFT,
       W_GROUPS,
       W_OUT_H,
       W_OUT_W,
       W_DILATION_H,
       W_DILATION_W,
       W_ACCUMULATOR_BITS,
       W_INPUT_ZERO_POINT,
       W_B_ZERO_POINT,
       W_ZERO_POINT,
       W_LOW,
       W_HIGH,
       W_HAS_RESIDUAL,
       W_RESIDUAL_ZERO_POINT,
       W_RESIDUAL_MULTIPLIER,
       W_RESIDUAL_SHIFT,
       W_RESIDUAL_REAL,
       W_RULE,
       W_USED
};

static char fault_text[512];

static int fail(erg_status status, const char *text) {
  snprintf(fault_text, sizeof fault_text, "%s", text);
  return (int)status;
}

static int report(erg_status status, erg_error *error) {
  fail(status, status == ERG_OK ? "" : error->text ? error->text : "failed");
  erg_error_clear(error);
  return (int)status;
}

const char *erg_dpi_error(void) {
  return fault_text;
}

/* ---------------------------------------------------------------- scalars */

static erg_requant scale_of(int multiplier, int shift, int real_bits) {
  erg_requant scale;
  scale.multiplier = multiplier;
  scale.shift = shift;
  memcpy(&scale.real, &real_bits, sizeof scale.real);
  return scale;
}

void erg_dpi_scale(double m, int *multiplier, int *shift, int *real_bits) {
  erg_requant scale = erg_requant_from_real(m);
  *multiplier = scale.multiplier;
  *shift = scale.shift;
  memcpy(real_bits, &scale.real, sizeof *real_bits);
}

/* A scalar function has no status to return: a fault gives 0 and its text, and is never undefined. */
static bool legal(const char *what, erg_requant scale, int accumulator_bits, int rule) {
  char text[200];
  bool multiplier = scale.multiplier == 0 || scale.multiplier >= 1 << 30;
  fail(ERG_OK, "");
  if (multiplier && scale.shift >= -31 && scale.shift <= 30 && accumulator_bits >= 8 && accumulator_bits <= 48 &&
      rule >= 0 && rule < ERG_RULE_COUNT)
    return true;
  snprintf(
      text, sizeof text,
      "%s: found multiplier %d, shift %d, accumulator bits %d, rule %d; allowed: 0 or 2^30..2^31-1, -31..30, 8..48, "
      "0..3",
      what, scale.multiplier, scale.shift, accumulator_bits, rule);
  fail(ERG_ERR_DATA, text);
  return false;
}

long long erg_dpi_requantize(long long x, int multiplier, int shift, int real_bits, int accumulator_bits, int rule) {
  erg_requant scale = scale_of(multiplier, shift, real_bits);
  if (!legal("requantize", scale, accumulator_bits, rule)) return 0;
  return erg_requantize_rule(x, scale, accumulator_bits, (erg_rule)rule);
}

static int one_element(erg_epilogue e, long long accumulator, long long bias, erg_requant scale, int zero_point,
                       int low, int high, int accumulator_bits, int rule) {
  int64_t own_bias = bias;
  if (!legal("epilogue", scale, accumulator_bits, rule)) return 0;
  e.bias = &own_bias;
  e.scale = &scale;
  e.zero_point = zero_point;
  e.low = low;
  e.high = high;
  e.rule = (erg_rule)rule;
  return erg_epilogue_apply(&e, accumulator, 0, e.residual ? *e.residual : (int16_t)0, accumulator_bits);
}

int erg_dpi_epilogue(long long accumulator, long long bias, int multiplier, int shift, int real_bits, int zero_point,
                     int low, int high, int accumulator_bits, int rule) {
  erg_epilogue e;
  memset(&e, 0, sizeof e);
  return one_element(e, accumulator, bias, scale_of(multiplier, shift, real_bits), zero_point, low, high,
                     accumulator_bits, rule);
}

int erg_dpi_epilogue_residual(long long accumulator, long long bias, int multiplier, int shift, int real_bits,
                              int residual, int residual_zero_point, int residual_multiplier, int residual_shift,
                              int residual_real_bits, int zero_point, int low, int high, int accumulator_bits,
                              int rule) {
  int16_t own_residual = (int16_t)residual;
  erg_epilogue e;
  memset(&e, 0, sizeof e);
  e.residual = &own_residual;
  e.residual_zero_point = residual_zero_point;
  e.residual_scale = scale_of(residual_multiplier, residual_shift, residual_real_bits);
  if (!legal("epilogue: residual", e.residual_scale, accumulator_bits, rule)) return 0;
  return one_element(e, accumulator, bias, scale_of(multiplier, shift, real_bits), zero_point, low, high,
                     accumulator_bits, rule);
}

long long erg_dpi_mac(long long accumulator, int x, int zero_point, int w, int accumulator_bits) {
  if (accumulator_bits < 8 || accumulator_bits > 48) {
    fail(ERG_ERR_DATA, "mac: accumulator_bits outside 8..48");
    return 0;
  }
  uint64_t term = (uint64_t)(((int64_t)x - zero_point) * w);
  return erg_wrap((int64_t)((uint64_t)accumulator + term), accumulator_bits);
}

/* ---------------------------------------------------------------- open arrays */

static int64_t length_of(const svOpenArrayHandle array) {
  return svDimensions(array) == 1 ? svSize(array, 1) : -1;
}

/* A C copy of the first `count` elements of `size` bytes each; NULL when the array is shorter or memory ran out. */
static void *take(const svOpenArrayHandle array, int64_t count, size_t size) {
  if (count < 1 || length_of(array) < count) return NULL;
  char *copy = (char *)malloc((size_t)count * size);
  const char *whole = (const char *)svGetArrayPtr(array);
  if (!copy) return NULL;
  if (whole) return memcpy(copy, whole, (size_t)count * size);
  int first = svLeft(array, 1), step = svIncrement(array, 1) > 0 ? -1 : 1; /* svIncrement: 1 when left >= right */
  for (int64_t i = 0; i < count; i++)
    memcpy(copy + (size_t)i * size, svGetArrElemPtr1(array, first + (int)i * step), size);
  return copy;
}

static void give(const svOpenArrayHandle array, const void *values, int64_t count, size_t size) {
  char *whole = (char *)svGetArrayPtr(array);
  if (whole) {
    memcpy(whole, values, (size_t)count * size);
    return;
  }
  int first = svLeft(array, 1), step = svIncrement(array, 1) > 0 ? -1 : 1;
  for (int64_t i = 0; i < count; i++)
    memcpy(svGetArrElemPtr1(array, first + (int)i * step), (const char *)values + (size_t)i * size, size);
}

/* ---------------------------------------------------------------- dot, conv2d, matmul */

long long erg_dpi_dot(int count, const svOpenArrayHandle x, int zero_point, const svOpenArrayHandle w,
                      int accumulator_bits) {
  int16_t *codes = (int16_t *)take(x, count, sizeof *codes), *weights = (int16_t *)take(w, count, sizeof *weights);
  long long sum = 0;
  if (codes && weights) {
    fail(ERG_OK, "");
    for (int i = 0; i < count; i++) sum = erg_dpi_mac(sum, codes[i], zero_point, weights[i], accumulator_bits);
  } else {
    fail(ERG_ERR_DATA, "dot: an array holds fewer elements than count, or count < 1");
  }
  free(codes);
  free(weights);
  return sum;
}

typedef struct {
  int *d, *scale;
  int16_t *left, *right, *residual, *output;
  int64_t *bias, *accumulator;
  erg_requant *scales;
} operands;

static void free_operands(operands *o) {
  free(o->d);
  free(o->scale);
  free(o->left);
  free(o->right);
  free(o->residual);
  free(o->output);
  free(o->bias);
  free(o->accumulator);
  free(o->scales);
}

static erg_conv2d_shape conv_of(const int *d) {
  erg_conv2d_shape s;
  memset(&s, 0, sizeof s);
  s.in.n = d[W_N];
  s.in.h = d[W_H];
  s.in.w = d[W_W];
  s.in.c = d[W_C];
  s.filters = d[W_FILTERS];
  s.kernel_h = d[W_KERNEL_H];
  s.kernel_w = d[W_KERNEL_W];
  s.stride_h = d[W_STRIDE_H];
  s.stride_w = d[W_STRIDE_W];
  s.pad_top = d[W_PAD_TOP];
  s.pad_left = d[W_PAD_LEFT];
  s.groups = d[W_GROUPS];
  s.out_h = d[W_OUT_H];
  s.out_w = d[W_OUT_W];
  s.dilation_h = d[W_DILATION_H];
  s.dilation_w = d[W_DILATION_W];
  return s;
}

/* Product of extents, or -1 when one is below 1 or the product beyond what an array index holds. */
static int64_t product(const int *extents, int count) {
  int64_t all = 1;
  for (int i = 0; i < count; i++) {
    if (extents[i] < 1) return -1;
    all *= extents[i];
    if (all > INT32_MAX) return -1;
  }
  return all;
}

static int64_t inputs_of(const int *d) {
  return product(d + W_N, 4);
}

static int64_t weights_of(const int *d) {
  const int extents[] = {d[W_FILTERS], d[W_KERNEL_H], d[W_KERNEL_W], d[W_GROUPS] > 0 ? d[W_C] / d[W_GROUPS] : -1};
  return product(extents, 4);
}

static int64_t outputs_of(const int *d) {
  const int extents[] = {d[W_N], d[W_OUT_H], d[W_OUT_W], d[W_FILTERS]};
  return product(extents, 4);
}

/* Bias, scales, residual of `channels` columns and `outputs` elements, as the description says. */
static bool take_epilogue(operands *o, const svOpenArrayHandle bias, const svOpenArrayHandle scale,
                          const svOpenArrayHandle residual, int64_t channels, int64_t outputs, erg_epilogue *e) {
  o->bias = (int64_t *)take(bias, channels, sizeof *o->bias);
  o->scale = (int *)take(scale, 3 * channels, sizeof *o->scale);
  if (o->d[W_HAS_RESIDUAL]) o->residual = (int16_t *)take(residual, outputs, sizeof *o->residual);
  if (!o->bias || !o->scale || (o->d[W_HAS_RESIDUAL] && !o->residual)) return false;
  o->scales = (erg_requant *)malloc((size_t)channels * sizeof *o->scales);
  o->output = (int16_t *)malloc((size_t)outputs * sizeof *o->output);
  if (!o->scales || !o->output) return false;
  for (int64_t k = 0; k < channels; k++)
    o->scales[k] = scale_of(o->scale[3 * k], o->scale[3 * k + 1], o->scale[3 * k + 2]);
  memset(e, 0, sizeof *e);
  e->bias = o->bias;
  e->scale = o->scales;
  e->zero_point = o->d[W_ZERO_POINT];
  e->low = o->d[W_LOW];
  e->high = o->d[W_HIGH];
  e->residual = o->residual;
  e->residual_zero_point = o->d[W_RESIDUAL_ZERO_POINT];
  e->residual_scale = scale_of(o->d[W_RESIDUAL_MULTIPLIER], o->d[W_RESIDUAL_SHIFT], o->d[W_RESIDUAL_REAL]);
  e->rule = (erg_rule)o->d[W_RULE];
  return true;
}

static const char too_short[] = "an array is shorter than the description says, or an extent is below 1";

int erg_dpi_conv2d_accumulate(const svOpenArrayHandle d, const svOpenArrayHandle x, const svOpenArrayHandle weight,
                              const svOpenArrayHandle accumulator) {
  operands o;
  int result;
  memset(&o, 0, sizeof o);
  o.d = (int *)take(d, W_USED, sizeof *o.d);
  int64_t outputs = o.d ? outputs_of(o.d) : -1;
  if (o.d) o.left = (int16_t *)take(x, inputs_of(o.d), sizeof *o.left);
  if (o.d) o.right = (int16_t *)take(weight, weights_of(o.d), sizeof *o.right);
  if (outputs > 0) o.accumulator = (int64_t *)malloc((size_t)outputs * sizeof *o.accumulator);
  if (!o.left || !o.right || !o.accumulator || length_of(accumulator) < outputs) {
    result = fail(ERG_ERR_DATA, too_short);
  } else {
    erg_error error = {ERG_OK, NULL, 0};
    erg_conv2d_shape shape = conv_of(o.d);
    result = report(erg_conv2d_accumulate_s16(&shape, o.left, o.d[W_INPUT_ZERO_POINT], o.right, o.d[W_ACCUMULATOR_BITS],
                                              o.accumulator, &error),
                    &error);
    if (result == 0) give(accumulator, o.accumulator, outputs, sizeof *o.accumulator);
  }
  free_operands(&o);
  return result;
}

int erg_dpi_conv2d(const svOpenArrayHandle d, const svOpenArrayHandle x, const svOpenArrayHandle weight,
                   const svOpenArrayHandle bias, const svOpenArrayHandle scale, const svOpenArrayHandle residual,
                   const svOpenArrayHandle y) {
  operands o;
  erg_epilogue epilogue;
  int result;
  memset(&o, 0, sizeof o);
  o.d = (int *)take(d, W_USED, sizeof *o.d);
  int64_t outputs = o.d ? outputs_of(o.d) : -1;
  if (o.d) o.left = (int16_t *)take(x, inputs_of(o.d), sizeof *o.left);
  if (o.d) o.right = (int16_t *)take(weight, weights_of(o.d), sizeof *o.right);
  if (!o.left || !o.right || outputs < 1 || length_of(y) < outputs ||
      !take_epilogue(&o, bias, scale, residual, o.d[W_FILTERS], outputs, &epilogue)) {
    result = fail(ERG_ERR_DATA, too_short);
  } else {
    erg_error error = {ERG_OK, NULL, 0};
    erg_conv2d_shape shape = conv_of(o.d);
    result = report(erg_conv2d_s16(&shape, o.left, o.d[W_INPUT_ZERO_POINT], o.right, o.d[W_ACCUMULATOR_BITS], &epilogue,
                                   o.output, &error),
                    &error);
    if (result == 0) give(y, o.output, outputs, sizeof *o.output);
  }
  free_operands(&o);
  return result;
}

int erg_dpi_matmul(const svOpenArrayHandle d, const svOpenArrayHandle a, const svOpenArrayHandle b,
                   const svOpenArrayHandle bias, const svOpenArrayHandle scale, const svOpenArrayHandle residual,
                   const svOpenArrayHandle y) {
  operands o;
  erg_epilogue epilogue;
  int result;
  int64_t lefts = -1, rights = -1, outputs = -1;
  memset(&o, 0, sizeof o);
  o.d = (int *)take(d, W_USED, sizeof *o.d);
  if (o.d) {
    const int left[] = {o.d[W_N], o.d[W_H], o.d[W_C]}, right[] = {o.d[W_N], o.d[W_C], o.d[W_W]};
    const int out[] = {o.d[W_N], o.d[W_H], o.d[W_W]};
    lefts = product(left, 3);
    rights = product(right, 3);
    outputs = product(out, 3);
    o.left = (int16_t *)take(a, lefts, sizeof *o.left);
    o.right = (int16_t *)take(b, rights, sizeof *o.right);
  }
  if (!o.left || !o.right || outputs < 1 || length_of(y) < outputs ||
      !take_epilogue(&o, bias, scale, residual, o.d[W_W], outputs, &epilogue)) {
    result = fail(ERG_ERR_DATA, too_short);
  } else {
    erg_error error = {ERG_OK, NULL, 0};
    erg_matmul_shape shape = {o.d[W_N], o.d[W_H], o.d[W_C], o.d[W_W]};
    result = report(erg_matmul_s16(&shape, o.left, o.d[W_INPUT_ZERO_POINT], o.right, o.d[W_B_ZERO_POINT],
                                   o.d[W_ACCUMULATOR_BITS], &epilogue, o.output, &error),
                    &error);
    if (result == 0) give(y, o.output, outputs, sizeof *o.output);
  }
  free_operands(&o);
  return result;
}

#ifdef __cplusplus
}
#endif
