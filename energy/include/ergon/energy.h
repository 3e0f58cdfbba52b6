/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file energy.h
 *  Counts in, joules out. Models fill an activity record (counts only); a technology, each constant with its source,
 *  prices it. Nothing here knows how the counts came about, so stored counts can be priced again. */
#ifndef ERGON_ENERGY_H
#define ERGON_ENERGY_H

#include "ergon/base.h"
#include "ergon/yaml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- the activity record (activity.c) */

#define ERG_MAX_LEVELS 8

typedef enum { ERG_TENSOR_INPUT, ERG_TENSOR_WEIGHT, ERG_TENSOR_RESIDUAL, ERG_TENSOR_CONSTANT, ERG_TENSOR_OUTPUT,
               ERG_TENSOR_PSUM, ERG_TENSOR_COUNT } erg_tensor;
extern const char *const erg_tensor_names[]; /**< in enum order, NULL-terminated */

typedef enum { ERG_OP_MAC, ERG_OP_REQUANTIZE, ERG_OP_ADD, ERG_OP_MULTIPLY, ERG_OP_COMPARE, ERG_OP_COUNT } erg_op_kind;
extern const char *const erg_op_kind_names[];

/** Counts of one pass, additive over passes of equal precision. Levels 0..level_count-1 are the architecture's memory
 *  levels, outermost ("dram") first; after them the accumulator memory and the registers of the array. */
#define ERG_LEVEL_ACCUMULATOR(level_count) (level_count)
#define ERG_LEVEL_REGISTERS(level_count) ((level_count) + 1)
#define ERG_ALL_LEVELS (ERG_MAX_LEVELS + 2)
typedef struct {
  uint64_t ops[ERG_OP_COUNT];
  uint64_t read_bits[ERG_ALL_LEVELS][ERG_TENSOR_COUNT];
  uint64_t write_bits[ERG_ALL_LEVELS][ERG_TENSOR_COUNT];
  uint64_t initial_write_bits; /**< network input and constants placed in the outermost level; not priced */
  uint64_t array_cycles, vector_cycles;
  uint64_t stall_cycles[ERG_ALL_LEVELS]; /**< by the level that was waited for */
  uint64_t cycles;                           /**< array + vector + all stalls */
} erg_activity;

void erg_activity_add(erg_activity *sum, const erg_activity *part);
uint64_t erg_activity_level_bits(const erg_activity *activity, int level); /**< reads + writes, all tensors */

/* ---------------------------------------------------------------- technologies (technology.c) */

typedef enum { ERG_MEMORY_DRAM, ERG_MEMORY_SRAM, ERG_MEMORY_REGISTER } erg_memory_kind;
extern const char *const erg_memory_kind_names[];

/** Where a constant comes from. */
typedef struct {
  const char *source; /**< publication or file */
  const char *table;  /**< table or figure */
  int64_t year;
  bool confirmed;     /**< the number was read in a public source, not remembered or assumed */
  bool derived;       /**< our arithmetic on sourced values; `note` says how */
  const char *note;
} erg_provenance;

/** A MAC, or another operation, in one format. For integers `pj` holds at weight_bits x activation_bits. */
typedef struct {
  int op;     /**< erg_op_kind */
  int format; /**< erg_format */
  int64_t weight_bits, activation_bits; /**< 0 = any width */
  double pj, area_um2; /**< area 0 = not stated */
  erg_provenance provenance;
  erg_position position; /**< in the technology file */
} erg_op_constant;

/** E_PE(w, a) = c2*w*a + c1*(w + a)/2 + c0 femtojoule: the width law of an integer PE. scaled_to_anchor: the technology's
 *  int8 MAC times E_PE(w,a)/E_PE(8,8); otherwise the law itself is the price. */
typedef struct {
  double c2_fj, c1_fj, c0_fj;
  int64_t min_bits, max_bits; /**< validity of each width, inclusive */
  bool scaled_to_anchor;
  erg_provenance provenance;
  erg_position position;
} erg_width_law;

/** SRAM: pj_per_bit = reference_pj_per_bit * (bank capacity / reference_bytes)^exponent within the validity range.
 *  DRAM and registers: pj_per_bit. */
typedef struct {
  int kind; /**< erg_memory_kind */
  double pj_per_bit;
  double reference_bytes, exponent, min_bytes, max_bytes;
  erg_provenance provenance;
  erg_position position;
} erg_memory_constant;

typedef struct {
  char *name, *help;
  double node_nm, voltage_v;
  bool mac_includes_registers;
  bool has_static;         /**< false: tables say *no clock and leakage term* */
  double static_pw_per_pe; /**< clock and leakage */
  char *static_source;     /**< where static_pw_per_pe comes from; NULL without it */
  bool book;               /**< prices MACs and off-chip element bytes only */
  const char *file;
  char sha256[65];
  erg_arena arena;
  erg_records operations;  /**< erg_op_constant */
  bool has_width_law;
  erg_width_law width_law;
  erg_records memories;    /**< erg_memory_constant */
} erg_technology;

/** Name of a built-in technology or a path. All faults of the file at once. */
erg_status erg_technology_load(const char *name, const erg_override *overrides, int override_count,
                               erg_technology *out, erg_error *error);
erg_status erg_technology_parse(const char *file, const char *text, const erg_override *overrides, int override_count,
                                erg_technology *out, erg_error *error);
void erg_technology_free(erg_technology *technology);

/* ---------------------------------------------------------------- pricing (price.c) */

/** What pricing needs to know of a machine: kinds and bank capacities of its levels. */
typedef struct {
  int level_count; /**< architecture levels, without the accumulator memory */
  struct { const char *name; erg_memory_kind kind; double bank_bytes; } levels[ERG_ALL_LEVELS]; /**< accumulator, registers last */
  int64_t pe_count;
  double clock_mhz;
} erg_price_machine;

typedef struct {
  double mac_pj, other_ops_pj;
  double op_pj[ERG_OP_COUNT];                 /**< by kind; op_pj[ERG_OP_MAC] == mac_pj */
  double level_pj[ERG_ALL_LEVELS];        /**< by level, accumulator and registers last */
  double level_tensor_pj[ERG_ALL_LEVELS][ERG_TENSOR_COUNT];
  double static_pj;
  double total_pj;                            /**< mac + other ops + levels + static, summed in this order */
} erg_energy;

/** Price of one operation of `kind` at `precision`: ERG_ERR_UNSUPPORTED with the reason when the technology has no
 *  constant for it (never borrowed). `constant`/`law` (may be NULL) receive where it came from. */
erg_status erg_technology_op_pj(const erg_technology *technology, erg_op_kind kind, const erg_precision *precision,
                                double *pj, const erg_op_constant **constant, bool *by_law, erg_error *error);
erg_status erg_technology_bit_pj(const erg_technology *technology, erg_memory_kind kind, double bank_bytes,
                                 double *pj_per_bit, const erg_memory_constant **constant, erg_error *error);
/** Area of one MAC unit in um^2; ERG_ERR_UNSUPPORTED when the technology states none for the format. */
erg_status erg_technology_mac_area(const erg_technology *technology, const erg_precision *precision, double *um2,
                                   erg_error *error);
/** Prices counts. mac_precision is that of the hardware (differs from the data's on fixed hardware). `out` is added to,
 *  so parts sum over passes. Only constants whose count is not zero are asked for; ERG_ERR_UNSUPPORTED says which one is
 *  missing and what the technology covers. A requantize counted in a floating format is ERG_ERR_INTERNAL. */
erg_status erg_price(const erg_technology *technology, const erg_price_machine *machine, const erg_activity *activity,
                     const erg_precision *precision, const erg_precision *mac_precision, erg_energy *out,
                     erg_error *error);
void erg_energy_add(erg_energy *sum, const erg_energy *part);

/* ---------------------------------------------------------------- the book form and the law's test (law.c) */

/** E = a*FLOPs + b*Mem. `effective`: an identity (a = (MAC + other ops)/FLOPs, b = all memory levels/off-chip bytes).
 *  `fitted`: one a and one b for all layers by least squares (GSL), each layer weighted 1/E^2 (relative error), with
 *  how far the itemised energy is from it. */
typedef struct {
  double a_effective_pj_per_flop, b_effective_pj_per_byte;
  bool fitted;
  const char *reason; /**< not fitted: fewer than 3 layers with energy, or FLOPs and bytes collinear. Fitted: NULL, or
                           which coefficient came out negative and is held at 0 */
  double a_pj_per_flop, b_pj_per_byte, rms_relative_error, worst_relative_error;
  int worst_layer;
} erg_law;
/** Arrays of `layers` values: FLOPs (2*MACs), off-chip bytes, arithmetic pJ (MAC + other), memory pJ. */
erg_status erg_law_test(int layers, const double *flops, const double *bytes, const double *arithmetic_pj,
                        const double *memory_pj, erg_law *out, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
