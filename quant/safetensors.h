/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: element types of safetensors files and the permutation of PyTorch's layout.
 * https://huggingface.co/docs/safetensors (format) */
#ifndef ERGON_QUANT_SAFETENSORS_H
#define ERGON_QUANT_SAFETENSORS_H
#include "ergon/weights.h"

#define ERG_SAFETENSORS_MOST_HEADER ((int64_t)100 << 20) /* the format's own limit, in bytes */
#define ERG_SAFETENSORS_LAYOUT "ergon.layout"

typedef struct {
  const char *name;
  int bytes;
  double (*decode)(uint64_t pattern);
} erg_safetensors_type;
/* NULL for a type that is not read (integers, fp8). */
const erg_safetensors_type *erg_safetensors_type_find(const char *name);

/* Where element `at` of `p` (order K, R, S, C/groups) lies in a file of order K, C/groups, R, S. */
int64_t erg_safetensors_torch_index(const erg_parameter *p, int64_t at);
#endif
