/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file weights.h
 *  The learned tensors of a network, in double precision, and their file format (safetensors). Included by quant.h. */
#ifndef ERGON_WEIGHTS_H
#define ERGON_WEIGHTS_H

#include "ergon/workloads.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One learned tensor of a node. Roles, named as PyTorch names them: "weight" and "bias" of array nodes and affine norms,
 *  "running_mean" and "running_var" of batch norms (not trained by gradients). */
typedef struct {
  const char *name;    /**< "<node>.<role>", e.g. "conv1.weight" */
  const char *role;
  int node;            /**< of the graph */
  bool trained;        /**< false: running statistics */
  int rank;            /**< 4: array weights [K, R, S, C/groups]; 1: [K] or [C] */
  int64_t extents[4];
  int64_t elements;
  double *values;      /**< [elements] */
} erg_parameter;

typedef struct {
  erg_arena arena;
  erg_parameter *items; /**< by node, then weight, bias, running_mean, running_var */
  int count;
} erg_weights;

/** Every learned tensor of `graph`: zeros; 1 in the weights of norms and running variances. */
erg_status erg_weights_new(const erg_graph *graph, erg_weights *out, erg_error *error);
/** Array weights normal with variance 2 / (R S C/groups) (He et al., ICCV 2015), drawn from (seed, parameter name). */
void erg_weights_initialize(erg_weights *weights, uint64_t seed);
/** A copy of its own. */
erg_status erg_weights_copy(const erg_weights *weights, erg_weights *out, erg_error *error);
/** NULL when the node has no tensor of that role. */
erg_parameter *erg_weights_find(const erg_weights *weights, int node, const char *role);
void erg_weights_free(erg_weights *weights);

/** safetensors (8 bytes little-endian header length, JSON header, data): F64, F32, F16, BF16 in. Array weights lie [K, C/groups, R, S]
 *  as PyTorch writes them (an FC may be [K, C R S]: channels outermost) unless the header's __metadata__ says
 *  "ergon.layout": "KRSC". Names "<node>.<role>". All faults at once: missing and unknown tensors, shapes found and
 *  wanted, NaN or infinite values with their index. ERG_ERR_NO_INPUT, ERG_ERR_DATA. */
erg_status erg_weights_read(const char *path, const erg_graph *graph, erg_weights *out, erg_error *error);
/** Writes F32, layout KRSC, through a temporary file that is renamed: nothing half-written. `metadata` is NULL or pairs of
 *  texts ended by NULL. */
erg_status erg_weights_write(const char *path, const erg_weights *weights, const char *const *metadata, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
