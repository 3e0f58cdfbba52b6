/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "space.h"
#include <string.h>

int erg_space_dimensions(const erg_sweep *s) {
  return ERG_DIM_AXES + s->axis_count + ERG_DIM_BEHIND;
}

int erg_space_behind(const erg_sweep *s, int which) {
  return ERG_DIM_AXES + s->axis_count + which;
}

int64_t erg_space_extent(const erg_sweep *s, int dimension) {
  const int before[] = {s->workloads.count, s->batches.count, s->archs.count};
  const int behind[] = {s->techs.count, s->model_names.count, s->dataflow_names.count, s->fusion_names.count,
                        s->precision_count};
  if (dimension < ERG_DIM_AXES) return before[dimension];
  if (dimension < ERG_DIM_AXES + s->axis_count) return s->axes[dimension - ERG_DIM_AXES].values.count;
  return behind[dimension - ERG_DIM_AXES - s->axis_count];
}

int64_t erg_space_stride(const erg_sweep *s, int dimension) {
  int64_t stride = 1;
  for (int d = erg_space_dimensions(s) - 1; d > dimension; d--)
    if (__builtin_mul_overflow(stride, erg_space_extent(s, d), &stride)) return INT64_MAX;
  return stride;
}

int erg_space_digit(const erg_sweep *s, int64_t index, int dimension) {
  return (int)(index / erg_space_stride(s, dimension) % erg_space_extent(s, dimension));
}

int64_t erg_sweep_size(const erg_sweep *s) {
  return erg_space_stride(s, -1);
}

const char *erg_space_name(const erg_sweep *s, int dimension) {
  static const char *const before[] = {"workload", "batch", "arch"};
  static const char *const behind[] = {"technology", "model", "dataflow", "fusion", "precision"};
  if (dimension < ERG_DIM_AXES) return before[dimension];
  if (dimension < ERG_DIM_AXES + s->axis_count) return s->axes[dimension - ERG_DIM_AXES].set.items[0];
  return behind[dimension - ERG_DIM_AXES - s->axis_count];
}

int erg_space_words(const char *text) {
  int words = 0;
  for (const char *at = text + strspn(text, " "); *at; words++) {
    at += strcspn(at, " ");
    at += strspn(at, " ");
  }
  return words;
}
