/* SPDX-License-Identifier: Apache-2.0 */
/* Inside kernels: argument checks that all kernels share. */
#ifndef ERGON_KERNELS_CHECK_H
#define ERGON_KERNELS_CHECK_H
#include "ergon/kernels.h"
erg_status erg_check_conv2d(const erg_conv2d_shape *shape, erg_error *error);
erg_status erg_check_pool(const erg_pool_shape *shape, erg_error *error);
erg_status erg_check_requant(const char *what, erg_requant scale, erg_error *error);
/** Positions of an output's window inside the map, along one axis: [first, last). */
static inline void erg_window(int output, int stride, int pad, int kernel, int extent, int *first, int *last) {
  int start = output * stride - pad;
  *first = start < 0 ? -start : 0;
  *last = start + kernel > extent ? extent - start : kernel;
}
#endif
