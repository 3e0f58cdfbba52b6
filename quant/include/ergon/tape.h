/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file tape.h
 *  Reverse-mode differentiation in double precision over NHWC tensors. A step writes what it computes on a tape, then runs
 *  the tape backwards. One operator a file in ops/, with its forward and its backward. Included by quant.h. */
#ifndef ERGON_TAPE_H
#define ERGON_TAPE_H

#include "ergon/quantized.h"
#include "ergon/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ERG_TAPE_INPUTS 3

/** What operators need to know beside their inputs; each reads its own part. */
typedef struct {
  erg_conv2d_shape conv;         /**< conv2d */
  erg_pool_shape pool;           /**< max_pool, avg_pool */
  bool transpose_b;              /**< matmul */
  double epsilon;                /**< norms */
  bool training;                 /**< batch_norm: statistics of the batch instead of the running ones */
  double momentum;               /**< batch_norm: running = (1 - momentum) running + momentum batch */
  double *running_mean, *running_var; /**< batch_norm: [C]; training updates them unless they are NULL */
  const int *labels;             /**< cross_entropy: [rows] */
  double smoothing;              /**< cross_entropy: share of the target spread over all classes, 0 to 1 */
  const void *own;               /**< of operators outside ops/, such as fake quantization */
} erg_tape_attrs;

/** What forward and backward see. A gradient that nobody needs is NULL; backward adds, never sets. */
typedef struct {
  erg_tape_attrs attrs;
  erg_shape in[ERG_TAPE_INPUTS], out;
  const double *x[ERG_TAPE_INPUTS];
  double *y;
  double *dx[ERG_TAPE_INPUTS];
  const double *dy;
  double *saved;   /**< [saved elements]: from forward to backward */
  double *scratch; /**< [scratch elements]: within one call */
} erg_tape_step;

typedef struct {
  const char *name, *help;
  int inputs;
  /** Shape of the output, and how much memory the step wants beside it. ERG_ERR_DATA says what was found and allowed. */
  erg_status (*infer)(const erg_tape_attrs *attrs, const erg_shape *in, erg_shape *out, int64_t *saved, int64_t *scratch,
                      erg_error *error);
  void (*forward)(erg_tape_step *step);
  void (*backward)(erg_tape_step *step);
  /** A random legal case, for the contract test: shapes and attributes (memory from `arena`). */
  void (*example)(erg_random *random, erg_arena *arena, erg_tape_attrs *attrs, erg_shape *in);
} erg_tape_op;
ERG_REGISTRY(erg_tape_op)
const erg_tape_op *erg_tape_op_find(const char *name); /**< NULL when there is none */

typedef struct erg_tape erg_tape;

erg_tape *erg_tape_new(void); /**< NULL when memory ran out */
void erg_tape_free(erg_tape *tape);
/** Forgets all variables and keeps their memory for the next step: from the second step of equal shapes on nothing is
 *  allocated. */
void erg_tape_reset(erg_tape *tape);

/** Variables are numbered from 0 in order; -1: see `error`. Values are not copied and must outlive the step. A constant
 *  has no gradient; the gradient of a parameter is added to `gradient` [elements]. */
int erg_tape_constant(erg_tape *tape, erg_shape shape, const double *values, erg_error *error);
int erg_tape_parameter(erg_tape *tape, erg_shape shape, const double *values, double *gradient, erg_error *error);
/** `inputs` [op->inputs] are variables; one that is -1 makes the result -1 without a further fault. */
int erg_tape_apply(erg_tape *tape, const erg_tape_op *op, const erg_tape_attrs *attrs, const int *inputs,
                   erg_error *error);
erg_shape erg_tape_shape(const erg_tape *tape, int variable);
const double *erg_tape_value(const erg_tape *tape, int variable);
/** The result of an operator, to be replaced by what backward shall find, once every operator that reads it has been applied. NULL for
 *  constants and parameters, whose memory is the caller's. */
double *erg_tape_overwrite(erg_tape *tape, int variable);
/** After erg_tape_backward; NULL where none was needed. */
const double *erg_tape_gradient(const erg_tape *tape, int variable);
/** d variable / d everything before it; `variable` has one element. ERG_ERR_DATA otherwise. */
erg_status erg_tape_backward(erg_tape *tape, int variable, erg_error *error);

/** Runs the graph (its erg_op names map to tape operators) on `count` examples of the graph's input shape [H, W, C].
 *  `gradients`, shaped as the weights, takes their gradients; NULL: none are needed. training: batch norms use the
 *  batch's statistics and update the running ones in `weights`. `variables` [node_count] receives the variable of every
 *  node, or NULL. The result in *output is the last node's. Norms have ERG_NORM_EPSILON.
 *  ERG_ERR_UNSUPPORTED names the nodes that no tape operator covers. */
erg_status erg_network_forward(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                               const erg_weights *gradients, const double *inputs, int count, bool training,
                               int *variables, int *output, erg_error *error);
/** The same on a variable [N, H, W, C] instead of examples, so that networks follow one another. ERG_ERR_DATA: another
 *  shape than the graph's input. */
erg_status erg_network_apply(erg_tape *tape, const erg_graph *graph, const erg_weights *weights,
                             const erg_weights *gradients, int input, bool training, int *variables, int *output,
                             erg_error *error);
#define ERG_BATCH_NORM_MOMENTUM 0.1

/** c [m, n] (+)= a [m, k] b [k, n], each with the distance of its rows and of its columns in elements. `add` keeps what
 *  c holds. The order of summation depends on the shapes alone: the same bits on every machine. */
typedef struct { const double *at; int64_t row, column; } erg_matrix;
void erg_dgemm(int64_t m, int64_t n, int64_t k, erg_matrix a, erg_matrix b, double *c, int64_t c_row, bool add);
/** gram [channels, channels] = F^T F / pixels of a map F [pixels, channels]. */
void erg_gram(const double *map, int64_t pixels, int channels, double *gram);

#ifdef __cplusplus
}
#endif
#endif
