/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/kernels.h"

int64_t erg_shape_elements(erg_shape shape) {
  return (int64_t)shape.n * shape.h * shape.w * shape.c;
}

int64_t erg_conv2d_reduction(const erg_conv2d_shape *shape) {
  return (int64_t)shape->kernel_h * shape->kernel_w * (shape->in.c / shape->groups);
}

int64_t erg_conv2d_macs(const erg_conv2d_shape *shape) {
  return (int64_t)shape->in.n * shape->out_h * shape->out_w * shape->filters * erg_conv2d_reduction(shape);
}
