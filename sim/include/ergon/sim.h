/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file sim.h
 *  The machine: architecture files, tiles, the analytic model, the SystemC model (behavioural or Verilated array), and
 *  the comparison of models. docs/model.md defines every count and cycle; names there are the names here. */
#ifndef ERGON_SIM_H
#define ERGON_SIM_H

#include "ergon/base.h"
#include "ergon/energy.h"
#include "ergon/kernels.h"
#include "ergon/rtl.h"
#include "ergon/widths.h"
#include "ergon/workloads.h"
#include "ergon/yaml.h"
#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Moves whenever a number for an unchanged input does (CHANGELOG.md). */
#define ERG_MODEL_VERSION 3
/** Epilogue depth E in cycles: register stages from the array's last row to the output (docs/model.md). The RTL
 *  package states its own; a test holds the two together. */
#define ERG_EPILOGUE_DEPTH 5

/* ---------------------------------------------------------------- architectures (arch.c) */

typedef enum { ERG_MAC_NATIVE, ERG_MAC_FIXED, ERG_MAC_SCALABLE } erg_mac_kind;
typedef enum { ERG_DATAFLOW_WS, ERG_DATAFLOW_OS, ERG_DATAFLOW_IS } erg_dataflow;
extern const char *const erg_mac_kind_names[];
extern const char *const erg_dataflow_names[];

/** A memory level. The innermost level that holds a tensor is its scratchpad: double-buffered, so a tile may fill half
 *  of it. Levels between DRAM and a scratchpad keep a whole tensor when it fits, else pass it through. */
typedef struct {
  char *name;
  int kind;                        /**< erg_memory_kind */
  double capacity_kib;             /**< 0 for dram */
  int64_t banks;                   /**< an access opens one; energy follows the bank's capacity */
  double bandwidth_bits_per_cycle; /**< to and from the next level inward, reads and writes together */
  int64_t latency_cycles;          /**< of a tile's transfer */
  erg_texts holds;                 /**< tensor names: input, weight, residual, constant, output */
  unsigned holds_mask;             /**< bit per erg_tensor */
  erg_position position;
  int64_t word_bits;               /**< of a bank's port: energy a bit follows it where the technology has a table */
  double wire_mm;                  /**< length of the wires to the array; 0: none are priced */
} erg_level;

typedef struct {
  erg_arena arena;
  char *name, *help;
  const char *file;
  char sha256[65];
  int64_t rows, cols, accumulator_depth, accumulator_banks;
  double clock_mhz;
  int mac; /**< erg_mac_kind */
  int64_t mac_weight_bits, mac_activation_bits; /**< when mac is fixed */
  erg_records level_records;
  erg_level *levels; /**< outermost first; levels[0] is "dram" */
  int level_count;
  int scratchpads[ERG_TENSOR_COUNT]; /**< erg_arch_scratchpad, found once */
  bool direct;                       /**< every scratchpad is filled from off chip: nothing lies between */
} erg_arch;

erg_status erg_arch_load(const char *name, const erg_override *overrides, int override_count, erg_arch *out,
                         erg_error *error);
erg_status erg_arch_parse(const char *file, const char *text, const erg_override *overrides, int override_count,
                          erg_arch *out, erg_error *error);
void erg_arch_free(erg_arch *arch);
/** Innermost level that holds `tensor`. */
int erg_arch_scratchpad(const erg_arch *arch, erg_tensor tensor);
/** What pricing needs of the machine; the accumulator memory and the array registers come after the levels. */
void erg_arch_price_machine(const erg_arch *arch, const erg_precision *hardware, erg_price_machine *out);
/** Widths of the MAC hardware for data at `precision` (native: the same). ERG_ERR_UNSUPPORTED with the reason. */
/** Products a scalable cell makes a cycle: 64 over the two widths, each rounded up to 2, 4 or 8 bits; 0 on other machines.
 *  The slices are log2 of two-bit slices a code. */
int erg_arch_products(const erg_arch *arch, const erg_precision *precision);
int erg_slices_log2(int bits);
erg_status erg_arch_hardware(const erg_arch *arch, const erg_precision *precision, erg_precision *hardware,
                             erg_error *error);

/* ---------------------------------------------------------------- a pass on a machine (geometry.c) */

/** A pass as the machine sees it. Array passes: a GEMM [m_rows*row_pixels x reduction x channels] per group over an
 *  NHWC map. Vector passes: the same maps without weights. Rows are rows of output pixels over all images. */
typedef struct {
  bool array;
  int images, in_h, in_w, in_c;
  int out_h, out_w, out_c;
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, groups;
  int operands;                       /**< maps read: 1, or 2 (add pass: the second is the residual tensor) */
  bool residual, constants;           /**< residual map read by the epilogue; per-channel constants exist */
  int in_bits, out_bits, weight_bits, residual_bits, psum_bits, constant_bits; /**< constant_bits: per channel */
  int64_t window;                     /**< vector passes: elements visited per output element */
  bool whole_map;                     /**< makes nothing before its whole input is there: an instance norm */
  int rounds;                         /**< vector passes: times the unit goes over the map; 2: a norm's statistics first */
  bool from_chain, to_chain;          /**< `depth`: the input comes from, the output goes to the next pass on chip */
  erg_dataflow dataflow;              /**<  erg_geometry_of leaves it 0, erg_geometry_at sets the point's */
  int products;                       /**< `mac: scalable`: codes of neighbours in K that a cell takes at once; else 0 */
} erg_geometry;

void erg_geometry_of(const erg_pass *pass, const erg_precision *precision, erg_geometry *out);
int64_t erg_geometry_reduction(const erg_geometry *geometry); /**< K of the GEMM, per group */

/* ---------------------------------------------------------------- tiles (map.c) */

typedef enum { ERG_ORDER_WEIGHTS_STAY, ERG_ORDER_INPUTS_STAY } erg_loop_order; /**< n-tile outer; m-tile outer */

/** The chosen tile: out_channels is a multiple of the array's columns (or all), out_rows whole rows of one image,
 *  reduction = K, or a multiple of the array's rows when even one column of folds does not fit (weights then stream
 *  through the scratchpad again for every m-tile). */
typedef struct {
  int out_channels, out_rows;
  int64_t reduction;
  erg_loop_order order;
  int n_tiles, m_tiles, k_chunks; /**< m_tiles over all images */
  uint64_t offchip_bits;
  bool resident[ERG_MAX_LEVELS][ERG_TENSOR_COUNT]; /**< intermediate levels: the whole tensor is kept there */
} erg_mapping;

/** Chooses by: least off-chip bits, then fewest cycles, then lexicographically smallest (out_channels, out_rows, order).
 *  ERG_ERR_DATA naming the tensor, what the smallest tile needs and what half the scratchpad holds. */
erg_status erg_map(const erg_arch *arch, const erg_geometry *geometry, erg_mapping *out, erg_error *error);
/** Off-chip bits of the tile that erg_map chooses, without settling which of those that tie it is. */
erg_status erg_map_bits(const erg_arch *arch, const erg_geometry *geometry, uint64_t *bits, erg_error *error);
/** Completes a mapping whose tile (out_channels, out_rows, reduction, order) is given: replay, and equal-tile
 *  comparisons across precisions. Fit is checked. */
erg_status erg_map_given(const erg_arch *arch, const erg_geometry *geometry, erg_mapping *mapping, erg_error *error);

/* ---------------------------------------------------------------- models */

typedef enum { ERG_MODEL_ANALYTIC, ERG_MODEL_SYSTEMC, ERG_MODEL_RTL } erg_model;
extern const char *const erg_model_names[];

/** Closed formulas (analytic.c). */
void erg_analytic(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping,
                  const erg_op_counts *ops, erg_activity *out);
/** Array cycles of a pass by its dataflow (docs/model.md, "Dataflows"). The second form takes the folds' lengths L one by
 *  one, M (ws) or K (os): R + sum over all folds but the last of max(L, R) + L_last + (R-1) + (C-1) + E; the R is the
 *  first fold's weights (ws) or the last one's drain (os). */
uint64_t erg_array_cycles(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping);
uint64_t erg_fold_cycles(const erg_arch *arch, const int *m_rows, int fold_count);

/** Data of an array pass for the Verilated array: codes in NHWC, parameters, output to fill. */
typedef struct {
  const int16_t *input, *residual;
  int32_t input_zero_point;
  const erg_synth_layer *layer;
  int16_t *output;
  erg_rtl *rtl;           /**< the opened array; its rows and columns are the architecture's */
  double gap_probability; /**< random input gaps (tests) */
  uint64_t gap_seed;
  bool fault_packing;     /**< tests: two weights of a channel change places in the DRAM image */
  void (*progress)(void *context, double macs_done); /**< may be NULL */
  void *progress_context;
  uint64_t rtl_cycles, rtl_gap_cycles; /**< out: counted by the RTL */
} erg_rtl_run;

/** Runs one pass through the SystemC machine (sc/): tile by tile, TLM-2.0 transactions, contention for channels. With
 *  `run` the array is the Verilated one and real data move. One machine a process; calls in sequence are fine. */
erg_status erg_systemc(const erg_arch *arch, const erg_geometry *geometry, const erg_mapping *mapping,
                       const erg_op_counts *ops, erg_rtl_run *run, erg_activity *out, erg_error *error);

/** Array cycles of a list of folds by the SystemC model's schedule of the array's ports. */
uint64_t erg_systemc_fold_cycles(const erg_arch *arch, erg_dataflow dataflow, const int *lengths, int fold_count);

/** Checks counts against docs/model.md with code that shares nothing with the models: fills = parent reads, drains = parent
 *  writes, reads >= distinct bits, partial sums, MACs. ERG_ERR_MISMATCH names level, tensor and both numbers. */
erg_status erg_conserve(const erg_arch *arch, const erg_geometry *geometry, const erg_activity *activity,
                        erg_error *error);

/* ---------------------------------------------------------------- results (run.c) */

/** One design point. */
typedef struct {
  const erg_arch *arch;
  const erg_technology *technology;
  const erg_graph *graph;
  erg_precision precision;
  erg_fusion fusion;
  erg_dataflow dataflow;
  erg_model model;
  int batch;
  uint64_t seed;
  double zero_share; /**< of the MACs, those with a zero operand, gated by the hardware; 0: no gating */
  bool totals_only;      /**< price the sum of all layers once: no energy by layer, no law's test, no interval */
  struct erg_memo *memo; /**< passes counted before on this very arch, plans of this very graph; or NULL */
  bool count_toggles; /**< model rtl: of the cells' registers, exactly (a network through RTL took 1.3 times as long) */
  const erg_widths *widths; /**< each layer's own widths (erg_point_widths); NULL: all have `precision` */
} erg_point;

/** Gives each layer of the point its own widths: `precision` becomes the widest of them, for which native hardware is
 *  built. NULL: none. The widths outlive the point. */
void erg_point_widths(erg_point *point, const erg_widths *widths);
/** The plan's name, or the precision's in `buffer`. */
const char *erg_point_precision_name(const erg_point *point, char buffer[32]);
/** Widths of a pass: its weights, what it reads first, its sums, what it writes. */
erg_precision erg_precision_at(const erg_point *point, const erg_pass *pass);
/** Bits of a node's output at this point. */
int erg_tensor_bits(const erg_point *point, int node);

typedef struct {
  const erg_pass *pass;
  int times; /**< alike passes that this one stands for: 1, or more where totals alone are asked */
  erg_geometry geometry;
  erg_mapping mapping;
  erg_activity activity;
  erg_energy energy;
} erg_layer_result;

typedef struct {
  erg_point point;
  bool skipped;
  char *reason; /**< why it was skipped */
  erg_plan plan;
  erg_layer_result *layers;
  int layer_count;
  erg_activity activity;
  erg_energy energy;
  uint64_t macs;
  int64_t parameters;
  double latency_s, utilization, area_um2; /**< area < 0: the technology states none */
  erg_law law;
  erg_spread spread; /**< total energy by the constants it rests on; lives in the plan's arena */
} erg_result;

/** MACs a cycle when every PE works: rows x columns, times what a scalable cell takes at once of the (widest) precision. */
double erg_peak_macs_per_cycle(const erg_point *point);
/** The same of one pass, in its own precision. */
double erg_pass_peak_macs_per_cycle(const erg_point *point, const erg_pass *pass);
/** erg_arch_hardware for all layers of a point; every layer that it cannot compute is told. */
erg_status erg_point_hardware(const erg_point *point, erg_precision *hardware, erg_error *error);
/** erg_geometry_of in the point's precisions and dataflow. */
void erg_geometry_at(const erg_point *point, const erg_pass *pass, erg_geometry *out);
/** The judge that erg_plan_build asks; `context` is the erg_point. */
bool erg_judge_fusion(void *context, const erg_pass *fused, const erg_pass *parts, int part_count, char *reason,
                      size_t reason_bytes);
/** Evaluates a point: plan, map, count (analytic, systemc, or rtl: a whole erg_verify, whose mismatch is a fault), check
 *  conservation, price. A point that a technology or
 *  architecture does not cover comes back `skipped` with the reason and ERG_OK. `progress` may be NULL. */
erg_status erg_run(const erg_point *point, erg_progress *progress, erg_result *out, erg_error *error);
/** Tiles and counts of passes, and plans, that points of one architecture and network share, for `point.memo`: identical
 *  layers are counted once. Clear it before either changes. With totals_only a result's passes live in it, until the next
 *  run. */
struct erg_memo *erg_memo_new(void);
void erg_memo_clear(struct erg_memo *memo);
void erg_memo_free(struct erg_memo *memo);
void erg_result_free(erg_result *result);
json_t *erg_result_json(const erg_result *result); /**< one entry of "results" */
json_t *erg_plan_json(const erg_widths *widths);    /**< file, hash, default, entries of a precision plan; null without one */
/** The envelope {"schema", "version", "provenance"}; the caller adds what the schema holds. No point (NULL): sha256 is
 *  null. */
json_t *erg_envelope_json(const char *schema, const char *command, const erg_point *point);
const char *erg_version_text(void);

/* ---------------------------------------------------------------- RTL against golden (verify.c) */

/** The first difference from close by, found by running its tile (a random case: the case) again by itself. */
typedef struct {
  bool present;
  bool replayed;           /**< it differs there too; else the fault needs what ran before, or lies around the array */
  int tile;                /**< of the layer, as `--tile` counts them; -1: a random case */
  int tile_row, array_column;
  uint64_t cycle;          /**< clock edge of that run, from 1, at which the output row left */
  int64_t sum_expected;    /**< accumulator before requantization, bias added */
  bool sum_shown;          /**< the array shows its own */
  int64_t sum_got;
  uint64_t first_edge, last_edge; /**< of the waveform; its path is empty where none was written */
  char waves[256];
  char replay[1400];       /**< the command that runs it again; empty where the caller gave none */
} erg_verify_detail;

typedef struct {
  const char *name;
  const char *status;      /**< "ok", "mismatch", "uninitialised", "fault", "uninformative", "cycles differ", "skipped" */
  char reason[400];        /**< what differs or why it was skipped; empty when ok */
  uint64_t outputs, mismatches, macs;
  int distinct_codes;
  double rail_share;       /**< outputs on a clamp limit; a ReLU's lower limit counts only in low_rail_share */
  double low_rail_share;
  uint64_t cycles_formula, cycles_systemc, cycles_rtl; /**< array cycles; RTL without frozen ones */
  uint64_t gap_cycles;
  erg_activity activity;   /**< counts of the machine with the Verilated array in it */
  /* the first difference; expected != got only where mismatches > 0 */
  int first_image, first_row, first_col, first_channel, first_expected, first_got;
  bool unit;               /**< a norm or a table behind the epilogue: no array cycles */
  int cases;               /**< of a random suite's row; 0 for a layer */
  int first_case;          /**< which of the suite's cases differs first (-1: a product of given tensors); row and channel above are those of its GEMM */
  erg_verify_detail detail; /**< of the first difference */
} erg_verify_row;

/** Coverage of one source of the array. Toggles: bits of its registers and wires that rose and fell, a point each. */
typedef struct {
  const char *source;
  int lines, lines_hit, toggles, toggles_hit;
  int *missed; /**< [lines - lines_hit] numbers of lines that never ran, ascending */
} erg_verify_coverage;

typedef struct {
  erg_arena arena;
  erg_verify_row *rows;
  int row_count;
  uint64_t checked_outputs, mismatches, macs_checked, macs_total;
  double cpu_s;
  bool foreign;            /**< the array is not Ergon's: its cycles are measured, and judged only when asked for */
  bool random;             /**< random cases, no network */
  bool own;                /**< one product of given tensors, no network */
  erg_verify_coverage *coverage; /**< where it was asked for, a source each */
  int coverage_count;
} erg_verify_result;

typedef struct {
  const char *mutant;      /**< tests: a deliberate RTL fault */
  double gap_probability;
  bool quiet;
  bool fault_packing;      /**< tests: a wrong packing index in the driver */
  bool fault_tile;         /**< tests: the driver cuts tiles of another size than the formula knows */
  const char *const *dut_files; /**< a foreign array (erg_rtl_config): its sources, NULL at the end */
  const char *dut_top;     /**< its top module; NULL: Ergon's array */
  bool strict_cycles;      /**< a foreign array's cycles must be the formula's */
  int cases;               /**< random suite: how many */
  int only_case;           /**< random suite: this one alone; -1: all */
  erg_rtl_look look;       /**< what the opened array shows */
  const char *command;     /**< the command line, for the one that replays; may be NULL */
  const char *waves;       /**< FST file to write around the first difference, or NULL */
  const char *only_layer;  /**< this pass alone; those before it by the golden kernel. NULL: all */
  erg_rule rule;           /**< S, D or A, on both sides */
  const int *only_tile;    /**< with only_layer: this tile alone, on the array without the machine; NULL: all */
  /** erg_verify_random: instead of cases one product of these tensors, NumPy files of integers: input [M, K], weight
   *  [N, K], bias [N] or NULL. Codes fit the precision. NULL: random cases. */
  const char *input, *weight, *bias;
  const char *coverage;    /**< file for the coverage of the house's array, in Verilator's format; NULL: not counted */
} erg_verify_options;

/** Opens the array of a point and its options; `seed` is that of uninitialised state. */
erg_status erg_verify_open(const erg_point *point, const erg_verify_options *options, int seed, erg_rtl **out,
                           erg_error *error);
/** Random shapes and values on the array alone, a row a kind of case: random, rails (corner values), ties, edges (extents
 *  of 1, of the array's size and one beside it), deep (all of the accumulator memory). Every case runs without and with
 *  input gaps, a foreign array also from other random bits in what it leaves uninitialised. The point's graph is not
 *  read. Errors as erg_verify. */
erg_status erg_verify_random(const erg_point *point, const erg_verify_options *options, erg_verify_result *out,
                             erg_error *error);

/** Every array pass of the `epilogue` plan through SystemC with the Verilated array, every dynamic norm and pointwise
 *  table through the Verilated unit behind it, each compared with the golden kernel on the same input; the input of a layer is the previous layer's RTL output. ERG_ERR_MISMATCH when any output
 *  or cycle count differs, a row is uninformative, or nothing was checked. Rows are filled in any case. */
erg_status erg_verify(const erg_point *point, const erg_verify_options *options, erg_verify_result *out,
                      erg_error *error);
void erg_verify_result_free(erg_verify_result *result);
/** Adds the fields of docs/json.md to `envelope`. */
void erg_verify_json(const erg_verify_result *result, json_t *envelope);

#ifdef __cplusplus
}
#endif
#endif
