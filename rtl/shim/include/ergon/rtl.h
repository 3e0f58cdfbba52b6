/* SPDX-License-Identifier: Apache-2.0 */
/** \file rtl.h
 *  The only door between C and a Verilated array. A variant (size, widths, mutant) is a small shared object, built
 *  when first asked for with Verilator and the C++ compiler, cached by hash, opened with dlopen. */
#ifndef ERGON_RTL_H
#define ERGON_RTL_H

#include "ergon/base.h"
#include "ergon/rtl_norm.h"
#include "ergon/rtl_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Names of the deliberate faults that the sources hold, NULL at the end. */
extern const char *const erg_rtl_mutants[];

/** What a variant shows beyond its ports. SUMS: erg_rtl_sums and erg_rtl_toggles of the array of the house; WAVES: that,
 *  and erg_rtl_waves of any array. */
typedef enum { ERG_LOOK_NONE, ERG_LOOK_SUMS, ERG_LOOK_WAVES } erg_rtl_look;

/** What to build. `mutant` is NULL for the true array, else one of erg_rtl_mutants, compiled in with
 *  `+define+ERGON_MUTANT_<NAME>` (tests only); another name is ERG_ERR_USAGE. */
typedef struct {
  int rows, cols;        /**< 2..64 each */
  int weight_bits;       /**< 2..16 */
  int activation_bits;   /**< 2..16; also the width of residual codes */
  int accumulator_bits;  /**< 16..48 */
  int accumulator_depth; /**< rows of the accumulator memory, 2..65536 */
  const char *mutant;
  /* A foreign array behind the ports of rtl/dut_template.sv; all zero for the array of the house. */
  const char *const *dut_files; /**< its sources, NULL at the end */
  const char *dut_top;          /**< its top module */
  int seed;                     /**< of what it leaves uninitialised (registers, memories, x); 0 and up. Of the house's
                                     array: which fault of a netlist with many (port mutsel); 0: none */
  erg_rtl_look look;            /**< what can be seen of it; 0 is the fastest */
  int rule;                     /**< of requantization, as erg_rule: 0 S, 1 D, 3 A; the array of the house only */
  int output_bits;              /**< 2..16; 0: activation_bits, which a foreign array always has */
  const char *top;              /**< top module of another dataflow of the house; NULL: ergon_top, weight-stationary */
  bool coverage;                /**< erg_rtl_coverage of the house's array; it then runs hundreds of times slower */
} erg_rtl_config;

typedef struct erg_rtl erg_rtl;

/** Builds (or finds in the cache) and opens a variant, in reset. The cache is $ERGON_CACHE, else
 *  $XDG_CACHE_HOME/ergon, else ~/.cache/ergon. ERG_ERR_TOOL with the failing command and its last lines when
 *  Verilator or the compiler is missing or fails. A foreign array: ERG_ERR_NO_INPUT when a source is not there,
 *  ERG_ERR_DATA when Verilator refuses it or its ports are not those of the contract (all such ports, with both widths). `log` (may be NULL) gets one line when a build starts. */
erg_status erg_rtl_open(const erg_rtl_config *config, FILE *log, erg_rtl **out, erg_error *error);
void erg_rtl_close(erg_rtl *rtl);

/** Resets the array, sets the layer's constants. The first request is then visible. */
void erg_rtl_start(erg_rtl *rtl, const erg_rtl_layer *layer);
/** Requests for the coming cycle (depends on registers only, not on what is supplied). */
const erg_rtl_request *erg_rtl_requests(const erg_rtl *rtl);
/** One clock edge. Returns the output row [cols] when one left the epilogue at this edge, else NULL; valid until the
 *  next call. */
const int32_t *erg_rtl_clock(erg_rtl *rtl, const erg_rtl_supply *supply);
/** done_o: the last output row of the last fold has left the epilogue. */
bool erg_rtl_done(const erg_rtl *rtl);
/** Edges counted in the model from the first operand accepted up to and including the one that raised done_o. */
uint64_t erg_rtl_cycles(const erg_rtl *rtl);
/** Of these, edges at which the array was frozen because something asked for was not given. */
uint64_t erg_rtl_gap_cycles(const erg_rtl *rtl);
/** Epilogue depth E of docs/model.md, as the RTL package states it; 0 for a foreign array. */
int erg_rtl_epilogue_depth(const erg_rtl *rtl);

/* ---------------------------------------------------------------- foreign arrays */

/** What a foreign array has done against its contract (a row too many, $finish, ...), or NULL. It then stands still. */
const char *erg_rtl_fault(const erg_rtl *rtl);
/** Each operand is offered a random number of cycles late from now on: late by one more with `probability` (0: off). A
 *  foreign array only; for the array of the house the driver withholds. */
void erg_rtl_gaps(erg_rtl *rtl, double probability, uint64_t seed);
bool erg_rtl_foreign(const erg_rtl *rtl);

/* ---------------------------------------------------------------- looking inside */

/** Sums before requantization, bias added, of the row that erg_rtl_clock last returned [cols]; NULL where the array does
 *  not show them (a foreign one without the port acc_o, one of the house built without ERG_LOOK_SUMS). */
const int64_t *erg_rtl_sums(const erg_rtl *rtl);
/** Toggles of the cells' registers since erg_rtl_start; NULL where they are not counted. */
const erg_rtl_toggles *erg_rtl_toggles_of(const erg_rtl *rtl);
/** Writes clock edges first..last of the coming run, counted from 1 behind the reset, to an FST file; cycle n rises at
 *  10 n ns. Needs ERG_LOOK_WAVES; else nothing. */
void erg_rtl_waves(erg_rtl *rtl, const char *path, uint64_t first_edge, uint64_t last_edge);
/** Writes line and toggle coverage since erg_rtl_open in Verilator's format (verilator_coverage reads it): whether it was
 *  written. Needs `coverage`. */
bool erg_rtl_coverage(erg_rtl *rtl, const char *path);
/** Closes the file: whether it was written. */
bool erg_rtl_waves_end(erg_rtl *rtl);

/* ---------------------------------------------------------------- the unit behind the epilogue */

typedef struct erg_rtl_norm erg_rtl_norm;
/** Builds (or finds) and opens the unit: `cols` 2..64 columns, codes of `bits` 2..16, rows statistics of `depth` rows
 *  are kept for (cols..65536). Groups of up to 2^20 elements. `mutant`: NULL or "ROUNDING". Errors and `log` as in
 *  erg_rtl_open. */
erg_status erg_rtl_norm_open(int cols, int bits, int depth, const char *mutant, FILE *log, erg_rtl_norm **out,
                             erg_error *error);
void erg_rtl_norm_close(erg_rtl_norm *unit);
/** Both passes over one tensor, by the unit's own statistics. *cycles: clock edges, gaps included. ERG_ERR_MISMATCH when a
 *  root or a row does not come within its cycles. */
erg_status erg_rtl_norm_run(erg_rtl_norm *unit, const erg_rtl_norm_job *job, uint64_t *cycles, erg_error *error);

#ifdef __cplusplus
}
#endif
#endif
