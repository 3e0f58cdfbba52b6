/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file energy.h
 *  Counts in, joules out. Models fill an activity record (counts only); a technology, each constant with its source,
 *  prices it. Nothing here knows how the counts came about, so stored counts can be priced again. */
#ifndef ERGON_ENERGY_H
#define ERGON_ENERGY_H

#include "ergon/base.h"
#include "ergon/yaml.h"
#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- the activity record (activity.c) */

#define ERG_MAX_LEVELS 8

typedef enum { ERG_TENSOR_INPUT, ERG_TENSOR_WEIGHT, ERG_TENSOR_RESIDUAL, ERG_TENSOR_CONSTANT, ERG_TENSOR_OUTPUT,
               ERG_TENSOR_PSUM, ERG_TENSOR_COUNT } erg_tensor;
extern const char *const erg_tensor_names[]; /**< in enum order, NULL-terminated */

typedef enum { ERG_OP_MAC, ERG_OP_REQUANTIZE, ERG_OP_ADD, ERG_OP_MULTIPLY, ERG_OP_COMPARE,
               ERG_OP_GATE, ERG_OP_RSQRT, ERG_OP_COUNT } erg_op_kind;
extern const char *const erg_op_kind_names[];

#define ERG_TOGGLES 4
extern const char *const erg_toggle_names[]; /**< weight, shadow (os: draining sums), activation, partial_sum */

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
  uint64_t gated_macs; /**< of ops[ERG_OP_MAC]: those with a zero operand that the hardware gates; 0: no gating */
  /** Bits of the array's registers that changed their value, counted in the Verilated array where that was asked for: by
   *  register (erg_toggle_names). A count, not priced. */
  uint64_t register_toggles[ERG_TOGGLES];
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
  double node_nm, voltage_v; /**< of the number itself; 0: the technology's */
  int64_t sources;           /**< independent publications that agree */
  bool conflict;             /**< another source differs by a factor of two or more */
} erg_provenance;

/** A MAC, or another operation, in one format. For integers `pj` holds at weight_bits x activation_bits. */
typedef struct {
  int op;     /**< erg_op_kind */
  int format; /**< erg_format */
  int64_t weight_bits, activation_bits; /**< 0 = any width */
  double pj, area_um2; /**< area 0 = not stated */
  erg_provenance provenance;
  erg_position position; /**< in the technology file */
  bool follows_anchor;   /**< a ratio to the int8 MAC of the technology: shares that constant's uncertainty */
} erg_op_constant;

/** E_PE(w, a) = c2*w*a + c1*(w + a)/2 + c0 femtojoule: the width law of an integer PE. scaled_to_anchor: the technology's
 *  int8 MAC times E_PE(w,a)/E_PE(8,8); otherwise the law itself is the price. */
typedef struct {
  double c2_fj, c1_fj, c0_fj;
  int64_t min_bits, max_bits; /**< validity of each width, inclusive */
  bool scaled_to_anchor;
  erg_provenance provenance;
  erg_position position;
  double accumulator_fj_per_bit; /**< of an integer MAC, for each accumulator bit above or below that of its widths
                                      (32 where weight + activation <= 16, else 48); 0: the width is not priced */
} erg_width_law;

/** SRAM: pj_per_bit = reference_pj_per_bit * (bank capacity / reference_bytes)^exponent within the validity range.
 *  DRAM and registers: pj_per_bit. */
typedef struct {
  int kind; /**< erg_memory_kind */
  double pj_per_bit;
  double reference_bytes, exponent, min_bytes, max_bytes;
  erg_provenance provenance;
  erg_position position;
  char *name;               /**< of a DRAM part; NULL otherwise */
  double background_mw;     /**< of a DRAM device with open rows; 0: not stated */
  double device_gbit_per_s; /**< peak rate of a device, to count devices by */
} erg_memory_constant;

/** A single number with its source: gating, wires, the clock. */
typedef struct {
  double value;
  erg_provenance provenance;
  erg_position position;
} erg_scalar_constant;

/** SRAM of one node and cell from the CACTI 7 table: values on a grid of capacities and word widths (sram.c). */
#define ERG_SRAM_CAPACITIES 14
#define ERG_SRAM_WORDS 6
typedef enum { ERG_SRAM_READ_PJ_PER_BIT, ERG_SRAM_WRITE_PJ_PER_BIT, ERG_SRAM_LEAKAGE_MW, ERG_SRAM_AREA_UM2,
               ERG_SRAM_QUANTITIES } erg_sram_quantity;
typedef struct {
  double node_nm;
  char cell[8]; /**< hp, lop or lstp */
  double value[ERG_SRAM_QUANTITIES][ERG_SRAM_CAPACITIES][ERG_SRAM_WORDS]; /**< from 1 KiB and 8 bits, doubling */
  erg_provenance provenance;
} erg_sram_table;

typedef struct erg_technology {
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
  char *dram;                    /**< a part of tech/parts/dram.yaml instead of the file's own, or NULL */
  const erg_memory_constant *dram_part;
  char *sram;                    /**< cell type of the CACTI 7 table instead of the file's own law, or NULL */
  const erg_sram_table *sram_table;
  erg_scalar_constant gated_mac; /**< share of a MAC's energy that a gated one costs; value 0: no gating */
  erg_scalar_constant scalable_mac; /**< energy of a precision-scalable 8 x 8 bit cell a cycle over that of a fixed one's
                                         MAC; 0: not stated */
  erg_scalar_constant wire;      /**< pJ a bit and mm; 0: not stated */
  erg_scalar_constant clock;     /**< pJ a PE and cycle; 0: not stated */
  double scale_to_node_nm, scale_to_voltage_v; /**< 0: as published */
  double scale;                  /**< of on-chip dynamic energy; 1 without scaling (scaling.c) */
  erg_provenance static_provenance, scale_provenance;
  char *extends;                 /**< a technology whose constants stand where the file states none, or NULL */
  struct erg_technology *base;
} erg_technology;

/** Interpolates in the table, or refuses with the range it covers. */
erg_status erg_sram_lookup(const erg_technology *technology, erg_sram_quantity quantity, double bank_bytes,
                           double word_bits, double *value, erg_error *error);

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
  struct {
    const char *name;
    erg_memory_kind kind;
    double bank_bytes;
    double banks, word_bits, wire_mm, bandwidth_bits_per_cycle; /**< 0: 1 bank, 64 bits, no wire, 1 DRAM device */
  } levels[ERG_ALL_LEVELS]; /**< accumulator, registers last */
  int64_t pe_count;
  double clock_mhz;
  int mac_products; /**< precision-scalable MACs: products a cell makes at once in this run; 0: not scalable */
} erg_price_machine;

typedef struct {
  double mac_pj, other_ops_pj;
  double op_pj[ERG_OP_COUNT];                 /**< by kind; op_pj[ERG_OP_MAC] == mac_pj */
  double level_pj[ERG_ALL_LEVELS];        /**< by level, accumulator and registers last */
  double level_tensor_pj[ERG_ALL_LEVELS][ERG_TENSOR_COUNT];
  double static_pj;                           /**< its four parts, summed in their order */
  double total_pj;                            /**< mac + other ops + levels + static, summed in this order */
  double static_part_pj[4];                   /**< erg_static_part */
} erg_energy;
typedef enum { ERG_STATIC_CLOCK, ERG_STATIC_PE, ERG_STATIC_SRAM, ERG_STATIC_DRAM, ERG_STATIC_COUNT } erg_static_part;
extern const char *const erg_static_part_names[];
/** True where the technology states any of the parts. */
bool erg_technology_has_static(const erg_technology *technology);

/* ---------------------------------------------------------------- itemised energy (items.c) */

/** A constant that an item's price is made of, with the width of its uncertainty. */
typedef struct {
  uint64_t id;  /**< the same constant has the same id in every technology */
  double sigma; /**< standard deviation of the logarithm */
  const erg_provenance *provenance;
} erg_factor;
#define ERG_MOST_FACTORS 5

/** count * pj = energy. Prices of one item are products of constants, so their factors multiply. */
typedef struct {
  const char *component; /**< an operation, a level, or a static part */
  int op, level, tensor, static_part; /**< which of them; -1 for those it is not */
  const char *direction; /**< "read", "write" or "" */
  double count;
  const char *unit; /**< "op", "bit", "PE cycle", "PE us", "us" */
  double pj;        /**< a unit */
  char how[160];    /**< the formula of the price, in words */
  erg_factor factors[ERG_MOST_FACTORS];
  int factor_count;
} erg_item;
typedef void (*erg_item_sink)(void *context, const erg_item *item);

/** The items of a pass in the order in which they are summed; erg_price is their sum. */
erg_status erg_itemise(const erg_technology *technology, const erg_price_machine *machine, const erg_activity *activity,
                       const erg_precision *precision, const erg_precision *mac_precision, erg_item_sink sink,
                       void *context, erg_error *error);
/** Geometric standard deviation of a constant by how well it is known (docs/energy.md). */
double erg_provenance_factor(const erg_provenance *provenance);
const char *erg_provenance_class(const erg_provenance *provenance);

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

/** One constant as people read it: "mac int8", "0.3 pJ", where it comes from. */
typedef void (*erg_constant_sink)(void *context, const char *label, const char *value, const erg_provenance *provenance);
/** Every constant of a technology, in the order of the file (describe.c). */
void erg_technology_constants(const erg_technology *technology, erg_constant_sink sink, void *context);
/** What it covers and what it does not, one text each, into `covers` and `lacks`. */
void erg_technology_coverage(const erg_technology *technology, char *covers, size_t covers_bytes, char *lacks,
                             size_t lacks_bytes);

/* ---------------------------------------------------------------- stored runs (stored.c) */

typedef struct {
  const char *name;
  erg_activity activity;
  double total_pj; /**< as stored */
  erg_precision precision; /**< its own, where the run had a plan; else the result's */
  int mac_products;        /**< of a scalable cell in this layer */
} erg_stored_layer;

/** A result of an `ergon.run` document: counts and machine, to be priced again. Texts live in the document. */
typedef struct {
  const char *workload, *arch, *technology, *precision_name, *fusion, *model, *status, *reason;
  erg_precision precision, mac_precision; /**< precision: of a run with a precision plan the MAC's */
  erg_price_machine machine;
  erg_stored_layer *layers;
  int layer_count; /**< 0 where the point was skipped */
  double total_pj, latency_s;
  uint64_t macs;
  const char *mac; /**< kind of the MAC hardware; NULL: not stated */
} erg_stored_result;
typedef struct {
  erg_arena arena;
  json_t *json;
  erg_stored_result *results;
  int count;
  const char *tech_sha256;
  int64_t model_version; /**< of the program that counted */
} erg_stored_run;
/** A file, a folder with run.json in it, or `-` for stdin. ERG_ERR_DATA names what is missing. */
erg_status erg_stored_read(const char *path, erg_stored_run *out, erg_error *error);
/** One result of such a document alone, as text; `file` names it in messages. */
erg_status erg_stored_parse(const char *result, const char *file, erg_stored_run *out, erg_error *error);
void erg_stored_free(erg_stored_run *run);
/** Sum over the layers, in the order in which the run summed. `sink` (may be NULL) sees every item. */
erg_status erg_stored_price(const erg_technology *technology, const erg_stored_result *result, erg_item_sink sink,
                            void *context, erg_energy *out, erg_error *error);

/* ---------------------------------------------------------------- intervals (interval.c) */

/** Energy grouped by the constants it rests on: all that an interval needs of a run. Start with `{0}`; lives in an arena. */
typedef struct {
  uint64_t ids[ERG_MOST_FACTORS];
  double sigmas[ERG_MOST_FACTORS];
  int factor_count;
  double pj;
} erg_spread_group;
typedef struct {
  erg_spread_group *groups;
  int count, room;
  erg_arena *arena;
  bool failed; /**< memory ran out */
} erg_spread;
/** An erg_item_sink; `context` is an erg_spread with its arena set. */
void erg_spread_item(void *context, const erg_item *item);

typedef struct { double p05, p95; } erg_interval;
/** Monte Carlo over lognormal factors (GSL, a fixed seed, ERG_DRAWS draws). A constant draws the same numbers wherever it
 *  occurs, so what two energies share cancels in their ratio. */
#define ERG_DRAWS 10000
erg_status erg_spread_interval(const erg_spread *spread, erg_interval *out, erg_error *error);
erg_status erg_spread_ratio(const erg_spread *numerator, const erg_spread *denominator, erg_interval *out,
                            erg_error *error);
/** False where the interval holds 1: the comparison is *not resolved*. */
bool erg_interval_resolved(const erg_interval *ratio);

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
