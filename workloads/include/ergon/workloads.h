/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file workloads.h
 *  Networks as graphs: readers (YAML, SCALE-Sim CSV), shapes, and the passes `fold` and `fuse` that turn a graph into
 *  the list of passes a machine runs. Flat arrays and integer ids: easy to hash, print, compare. */
#ifndef ERGON_WORKLOADS_H
#define ERGON_WORKLOADS_H

#include "ergon/base.h"
#include "ergon/kernels.h"
#include "ergon/yaml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- the graph (graph.c) */

typedef struct {
  const char *name;
  const erg_op *op;
  erg_attrs attrs;
  int inputs[ERG_MAX_INPUTS]; /**< node ids, always smaller than this node's id */
  erg_shape out;
  int consumers;              /**< how many nodes read the output */
  erg_position position;      /**< in the user's file */
} erg_node;

typedef struct {
  erg_arena arena;
  const char *name;
  const char *file;  /**< path as given or found */
  const char *text;  /**< the file itself */
  char sha256[65];
  erg_node *nodes;
  int node_count;
  const char **notes; /**< what a reader took note of (ignored columns, sparsity read as dense), one line each */
  int note_count;
} erg_graph;

/** Loads a network. `name` is a built-in name ("resnet50"), a .yaml file in the format of workloads/nets, or a SCALE-Sim
 *  topology or GEMM .csv (told apart by its header: a GEMM file names M, N, K). batch >= 1. Layers of a CSV are
 *  independent: each has an input node of its own. ERG_ERR_NO_INPUT, ERG_ERR_DATA, ERG_ERR_USAGE (overrides). */
erg_status erg_graph_load(const char *name, int batch, const erg_override *overrides, int override_count,
                          erg_graph *out, erg_error *error);
/** The same from text; `file` names it in messages and its ending (.yaml, .csv) picks the reader. */
erg_status erg_graph_parse(const char *file, const char *text, int batch, const erg_override *overrides,
                           int override_count, erg_graph *out, erg_error *error);
void erg_graph_free(erg_graph *graph);
int64_t erg_graph_macs(const erg_graph *graph);
int64_t erg_graph_parameters(const erg_graph *graph);

/* ---------------------------------------------------------------- fold and fuse (plan.c) */

typedef enum {
  ERG_FUSION_WIDE, ERG_FUSION_NONE, ERG_FUSION_FOLD, ERG_FUSION_EPILOGUE,
  ERG_FUSION_DEPTH, /**< passes of `epilogue`; sim forms chains of them (ergon/chain.h) */
  ERG_FUSION_COUNT
} erg_fusion;
extern const char *const erg_fusion_names[]; /**< NULL-terminated, in enum order */

typedef enum { ERG_PASS_ARRAY, ERG_PASS_VECTOR } erg_pass_kind;
/** Which width a tensor has in a pass: the activation width b, the output width, or the accumulator width A (`wide`). */
typedef enum { ERG_WIDTH_NARROW, ERG_WIDTH_WIDE } erg_width;

#define ERG_PASS_NODES 8
/** One pass over the data. Elements move once per tensor named here (times what tiling re-reads). */
typedef struct {
  const char *name;               /**< of the main node; vector passes of other kinds append it, e.g. "conv1/requantize" */
  const char *kind_name;          /**< "array", "batch_norm", "requantize", "relu", "add", "max_pool", ... */
  erg_pass_kind kind;
  int nodes[ERG_PASS_NODES];      /**< nodes computed here, first the main one */
  int node_count;
  erg_conv2d_shape conv;          /**< array passes */
  bool pool_window;               /**< vector passes of pools: `pool` is their window */
  erg_pool_shape pool;
  bool bias;                      /**< per-channel bias (own, or from a folded batch norm) */
  bool requantize;                /**< array passes: the result is narrowed in this pass (integer formats) */
  bool clamp;                     /**< a ReLU is part of the pass */
  double clamp_high;              /**< its upper limit in real units, or infinity */
  erg_norm_kind gathers;          /**< array passes: the epilogue takes the statistics of a norm of this kind */
  erg_norm_kind norm;             /**< vector passes: the second pass of such a norm */
  bool own_statistics;            /**< and its first one: nobody took them before */
  bool by_channel;                /**< vector passes: the second tensor read is a number a channel of each image */
  const char *gate;               /**< a table at the end of the pass (gates.h), or NULL */
  int input_count;                /**< tensors read (1, or 2 for an add; for an instance norm that reads its map twice) */
  int inputs[ERG_MAX_INPUTS];     /**< producing node ids */
  erg_width input_width;
  int residual;                   /**< node id of the fused residual input, or -1 */
  int output;                     /**< node id whose tensor this pass writes */
  erg_width output_width;
  erg_shape in_shape, out_shape;
  erg_op_counts int_counts;       /**< operations in an integer format, epilogue included */
  erg_op_counts float_counts;     /**< operations in a floating format */
  int chain;                      /**< `depth`: number of its chain from 1, or 0 */
  bool from_chain, to_chain;      /**< its input, its output stays on chip */
  int chain_rows;                 /**< output rows it makes at a time in its chain */
} erg_pass;

/** What a pass of the compiler did or refused at a node, and why: one line for `--explain-fusion`. */
typedef struct {
  int node;
  const char *pass; /**< "fold", "fuse" or "chain" */
  bool done;        /**< false: refused */
  const char *text;
} erg_plan_note;

typedef struct {
  erg_arena arena;
  const erg_graph *graph;
  erg_fusion fusion;
  erg_pass *passes;
  int pass_count;
  erg_plan_note *notes;
  int note_count;    /**< up to 4 a node */
} erg_plan;

/** Decides for one proposed fusion whether mapped off-chip bits would rise: `fused` against the passes it replaces.
 *  Supplied by sim (workloads cannot see machines). Returns true to keep; else writes why into `reason`. */
typedef bool (*erg_fusion_judge)(void *context, const erg_pass *fused, const erg_pass *parts, int part_count,
                                 char *reason, size_t reason_bytes);

/** Turns a graph into passes (docs/fusion.md). Folding: a batch norm whose only producer is an array node with no other
 *  consumer. Epilogue: chains conv [-> batch norm] [-> add] [-> clamp] [-> gate], each link single-consumer; a clamp
 *  before an add is refused (no intermediate clamp); the add is taken by its later producer, the earlier one is the
 *  residual. The statistics of a dynamic norm behind such a chain are taken in its epilogue; norm [-> clamp] is a pass.
 *  `judge` may be NULL. */
erg_status erg_plan_build(const erg_graph *graph, erg_fusion fusion, erg_fusion_judge judge, void *judge_context,
                          erg_plan *out, erg_error *error);
void erg_plan_free(erg_plan *plan);

/** The pass table of docs/fusion.md as data: which passes a fusion choice makes of a node kind and what each reads and writes
 *  per element. Source of plan.c, `--explain-fusion` and docs/fusion.md. */
typedef struct {
  erg_fusion fusion;
  const char *node;   /**< "array", "batch_norm", "requantize", "norm", "clamp", "gate", "add", "vector" */
  const char *reads;  /**< e.g. "b", "A", "2b", "b (+b residual)", "" when it makes no pass */
  const char *writes; /**< e.g. "A", "b" */
  bool own_pass;
  const char *why;
} erg_fusion_rule;
const erg_fusion_rule *erg_fusion_rules(int *count);

/* ---------------------------------------------------------------- synthetic parameters (synth.c) */

/** Quantized parameters of an array pass. Labelled synthetic everywhere: seeded weights, calibrated so that outputs
 *  are informative (docs/model.md), not trained. */
typedef struct {
  int16_t *weight;      /**< [K, R, S, C/groups], codes in [-(2^(w-1)-1), 2^(w-1)-1] */
  int64_t *bias;        /**< [K] */
  erg_requant *scale;   /**< [K] */
  int32_t zero_point, low, high;
  int32_t residual_zero_point;
  erg_requant residual_scale;
} erg_synth_layer;

/** Seeded codes for a network input: a mixture of smooth and noisy values over the whole range. zero point out. */
erg_status erg_synth_input(erg_arena *arena, erg_shape shape, int bits, uint64_t seed, int16_t **codes,
                           int32_t *zero_point, erg_error *error);
/** Parameters for `pass` given its input codes (and residual codes or NULL): weights from (seed, pass name), bias,
 *  multipliers, zero point and clamp limits calibrated per channel on sampled output positions (own dot products, not
 *  the golden kernel). Uses precision->weight_bits and output_bits. */
erg_status erg_synth_make(erg_arena *arena, const erg_pass *pass, const erg_precision *precision, uint64_t seed,
                          const int16_t *input, int32_t input_zero_point, const int16_t *residual,
                          int32_t residual_zero_point, erg_synth_layer *out, erg_error *error);

/** Parameters of a norm pass: gamma around 1 and beta around 0, drawn from (seed, pass name); the input's codes are
 *  taken to spread by one real unit, which matters beside eps = 1e-5 alone; outputs spread as those of an array pass. */
typedef struct {
  uint64_t epsilon;
  erg_norm_affine affine;
} erg_synth_norm;
/** ERG_ERR_DATA: groups of more than 2^20 elements. Integer precisions. */
erg_status erg_synth_norm_make(erg_arena *arena, const erg_pass *pass, const erg_precision *precision, uint64_t seed,
                               erg_synth_norm *out, erg_error *error);
/** The table [2^activation_bits] of a pass's gate for inputs with this zero point: codes span the gate's own range
 *  (erg_gate_default_codes), outputs its values. */
erg_status erg_synth_gate_make(erg_arena *arena, const char *gate, const erg_precision *precision, int32_t zero_point,
                               int16_t **table, int32_t *output_zero_point, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
