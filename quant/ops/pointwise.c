/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions of one element. A kink has the derivative of the side that is flat. */
#include "shared.h"
#include <math.h>

static double logistic(double x) {
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double normal_distribution(double x) {
  return 0.5 * erfc(-x * 0.707106781186547524);
}

static double clip(double x, double high) {
  return x < 0 ? 0 : x > high ? high : x;
}

/* Value and derivative as expressions of x. */
#define POINTWISE(function, text, value, derivative)                                                                   \
  static void function##_forward(erg_tape_step *t) {                                                                   \
    const int64_t count = erg_shape_elements(t->out);                                                                  \
    for (int64_t i = 0; i < count; i++) {                                                                              \
      double x = t->x[0][i];                                                                                           \
      t->y[i] = (value);                                                                                               \
    }                                                                                                                  \
  }                                                                                                                    \
  static void function##_backward(erg_tape_step *t) {                                                                  \
    const int64_t count = t->dx[0] ? erg_shape_elements(t->out) : 0;                                                   \
    for (int64_t i = 0; i < count; i++) {                                                                              \
      double x = t->x[0][i];                                                                                           \
      t->dx[0][i] += t->dy[i] * (derivative);                                                                          \
    }                                                                                                                  \
  }                                                                                                                    \
  static const erg_tape_op function##_op = {.name = #function,                                                         \
                                            .help = text,                                                              \
                                            .inputs = 1,                                                               \
                                            .infer = erg_tape_infer_same,                                              \
                                            .forward = function##_forward,                                             \
                                            .backward = function##_backward,                                           \
                                            .example = erg_example_one};                                               \
  ERG_REGISTER(erg_tape_op, function##_op)

POINTWISE(relu, "max(x, 0)", x<0 ? 0 : x, /* NaN stays NaN */ x> 0 ? 1 : 0);
POINTWISE(relu6, "min(max(x, 0), 6)", clip(x, 6), x > 0 && x < 6 ? 1 : 0);
POINTWISE(tanh, "hyperbolic tangent", tanh(x), (1 - tanh(x)) * (1 + tanh(x)));
POINTWISE(sigmoid, "1/(1 + exp(-x))", logistic(x), logistic(x) * logistic(-x));
POINTWISE(silu, "x/(1 + exp(-x))", x *logistic(x), logistic(x) * (1 + x * logistic(-x)));
POINTWISE(gelu, "x times the normal distribution function", x *normal_distribution(x),
          normal_distribution(x) + x * 0.398942280401432678 * exp(-0.5 * x * x));
POINTWISE(hard_sigmoid, "clamp(x + 3, 0, 6)/6", clip(x + 3, 6) / 6, x > -3 && x < 3 ? 1.0 / 6 : 0);
POINTWISE(hard_swish, "x clamp(x + 3, 0, 6)/6", x *clip(x + 3, 6) / 6, x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6);
