/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file sweep.h
 *  Sweeps: a YAML file says which points, a pool of workers evaluates them, an SQLite file keeps a row a point. The key of
 *  a row is the hash of the point's canonical text, model version included: whatever asks for the same point twice,
 *  it is computed and stored once. */
#ifndef ERGON_SWEEP_H
#define ERGON_SWEEP_H

#include "ergon/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- specifications (spec.c) */

/** One more axis: any fields of arch, tech or workload, set together. Value i holds a word a field, "-" leaves one alone. */
typedef struct {
  erg_texts set, values;
  erg_position position;
} erg_sweep_axis;

/** A grid of integer widths. Absent accumulator and output: the defaults of the precision. */
typedef struct { erg_ints weight, activation, accumulator, output; erg_position position; } erg_sweep_widths;

/** What a point has to keep; 0 or NULL: nothing. Points that do not are stored as skipped, with the figures. */
typedef struct {
  char *equal_area; /**< a precision: each array gets the rows and columns whose MACs fit the area of that one's */
  double max_mac_area_mm2, max_buffer_kib, min_buffer_kib, max_power_mw;
} erg_sweep_limits;

/** What points are judged on beside energy and cycles; `data` NULL: nothing. */
typedef struct {
  erg_texts weights; /**< safetensors files, one a workload; a single one serves all */
  char *data;        /**< erg_dataset_load's name */
  int64_t seed, examples; /**< of built-in data; examples 0: as many as usual */
  erg_position position;
} erg_sweep_accuracy;

typedef struct {
  erg_arena arena;
  char *name, *help;
  const char *file;
  erg_texts workloads, archs, techs, precision_names, fusion_names, dataflow_names, model_names;
  erg_ints batches;
  int64_t seed;
  erg_sweep_widths widths;
  erg_records axis_records;
  const erg_sweep_axis *axes;
  int axis_count;
  erg_sweep_limits limits;
  erg_sweep_accuracy accuracy;
  erg_precision *precisions; /**< names and widths together, each once */
  int precision_count;
  erg_precision reference;   /**< of limits.equal_area */
  const char **plan_files;   /**< [precision_count]: a precision plan, which has to fit every workload; NULL: none */
} erg_sweep;

/** Loads `name`: of sweep/specs, or a file. All faults at once; every workload, architecture and technology named is
 *  opened, and every axis tried. ERG_ERR_NO_INPUT, ERG_ERR_DATA. */
erg_status erg_sweep_load(const char *name, erg_sweep *out, erg_error *error);
erg_status erg_sweep_parse(const char *file, const char *text, erg_sweep *out, erg_error *error);
void erg_sweep_free(erg_sweep *sweep);
int64_t erg_sweep_size(const erg_sweep *sweep); /**< points */

/* ---------------------------------------------------------------- rows (row.c) */

typedef enum { ERG_COLUMN_TEXT, ERG_COLUMN_INTEGER, ERG_COLUMN_REAL } erg_column_type;

/** Columns of a row, in the order of the store, of CSV and of JSON: id, name with unit, type. */
#define ERG_SWEEP_COLUMNS(X) \
  X(STATUS, status, TEXT) X(REASON, reason, TEXT) X(WORKLOAD, workload, TEXT) X(ARCH, arch, TEXT) \
  X(TECHNOLOGY, technology, TEXT) X(PRECISION, precision, TEXT) X(FORMAT, format, TEXT) \
  X(WEIGHT_BITS, weight_bits, INTEGER) X(ACTIVATION_BITS, activation_bits, INTEGER) \
  X(ACCUMULATOR_BITS, accumulator_bits, INTEGER) X(OUTPUT_BITS, output_bits, INTEGER) X(FUSION, fusion, TEXT) \
  X(DATAFLOW, dataflow, TEXT) X(MODEL, model, TEXT) X(MAC, mac, TEXT) X(SET, set, TEXT) X(BATCH, batch, INTEGER) \
  X(SEED, seed, INTEGER) X(ROWS, rows, INTEGER) X(COLS, cols, INTEGER) X(EQUAL, equal, TEXT) X(MACS, macs, INTEGER) \
  X(PARAMETERS, parameters, INTEGER) X(CYCLES, cycles, INTEGER) X(ARRAY_CYCLES, array_cycles, INTEGER) \
  X(VECTOR_CYCLES, vector_cycles, INTEGER) X(STALL_CYCLES, stall_cycles, INTEGER) X(CYCLES_BOUND, cycles_bound, TEXT) \
  X(LATENCY_S, latency_s, REAL) X(UTILIZATION, utilization, REAL) X(BUFFER_KIB, buffer_kib, REAL) \
  X(MAC_AREA_MM2, mac_area_mm2, REAL) X(PEAK_MACS_PER_S, peak_macs_per_s, REAL) \
  X(DRAM_BYTES_PER_S, dram_bytes_per_s, REAL) X(DRAM_BYTES, dram_bytes, REAL) \
  X(SCRATCHPAD_BYTES, scratchpad_bytes, REAL) X(ACCUMULATOR_BYTES, accumulator_bytes, REAL) \
  X(REGISTER_BYTES, register_bytes, REAL) X(ENERGY_PJ, energy_pj, REAL) X(MAC_PJ, mac_pj, REAL) \
  X(OTHER_OPS_PJ, other_ops_pj, REAL) X(REGISTERS_PJ, registers_pj, REAL) X(PARTIAL_SUMS_PJ, partial_sums_pj, REAL) \
  X(SCRATCHPADS_PJ, scratchpads_pj, REAL) X(DRAM_PJ, dram_pj, REAL) X(STATIC_PJ, static_pj, REAL) \
  X(POWER_MW, power_mw, REAL) X(EDP_PJ_S, edp_pj_s, REAL) X(WEIGHTS, weights, TEXT) X(DATA, data, TEXT) \
  X(ACCURACY, accuracy, REAL) X(LOSS_NAT, loss_nat, REAL) X(ACCURACY_REASON, accuracy_reason, TEXT) \
  X(COUNTS, counts, TEXT) X(POINT, point, TEXT) X(ERGON, ergon, TEXT)

#define ERG_SWEEP_ID(id, name, type) ERG_SWEEP_##id,
enum { ERG_SWEEP_COLUMNS(ERG_SWEEP_ID) ERG_SWEEP_COLUMN_COUNT };
#undef ERG_SWEEP_ID
typedef struct { const char *name; erg_column_type type; } erg_column;
extern const erg_column erg_sweep_columns[ERG_SWEEP_COLUMN_COUNT];

typedef struct { bool known; union { const char *text; int64_t integer; double real; }; } erg_cell;
/** A row. COUNTS is a result of docs/json.md with all layers of the same precision summed into one: enough to price it again. POINT is the
 *  canonical text, ERGON the version and commit that computed it. Texts live where the row's maker says. */
typedef struct { char key[65]; erg_cell cells[ERG_SWEEP_COLUMN_COUNT]; } erg_sweep_row;

/** Text for one column; unknown: nothing. Returns `buffer`. */
char *erg_cell_text(const erg_sweep_row *row, int column, char *buffer, size_t bytes);
json_t *erg_row_json(const erg_sweep_row *row); /**< without counts, point and ergon */

/* ---------------------------------------------------------------- points (point.c, evaluate.c) */

typedef struct erg_judge erg_judge;
/** Inputs loaded for the last point; the next one mostly needs the same. Start with `{0}`. */
typedef struct {
  erg_arch arch;
  erg_technology technology;
  erg_graph graph;
  char arch_id[512], technology_id[512], graph_id[512]; /**< what they are; empty: none */
  struct erg_memo *memo;                                /**< of passes on this architecture */
  erg_widths widths;                                    /**< of the last plan and workload */
  char widths_id[1024];
  erg_judge *judge;                                     /**< of accuracies, where the sweep asks for them */
} erg_sweep_inputs;
void erg_sweep_inputs_free(erg_sweep_inputs *inputs);

/** Loads the inputs of point `index` and fills the key and the cells that name the point. Texts in `arena`. */
erg_status erg_sweep_point(const erg_sweep *sweep, int64_t index, erg_sweep_inputs *inputs, erg_arena *arena,
                           erg_point *point, erg_sweep_row *row, erg_error *error);
/** The same, evaluated. What cannot be covered (no constant, no tile that fits) is a row with status skipped and the
 *  reason; what cannot be computed (a file that changed) one with status failed. */
void erg_sweep_evaluate(const erg_sweep *sweep, int64_t index, erg_sweep_inputs *inputs, erg_arena *arena,
                        erg_sweep_row *row);
/** A row for a point that could not be evaluated. */
void erg_sweep_fail(erg_sweep_row *row, erg_arena *arena, const char *reason);

/* ---------------------------------------------------------------- the store (store.c) */

typedef struct erg_store erg_store;
/** Opens FILE, made when `create` and not there. ERG_ERR_NO_INPUT; ERG_ERR_CREATE: folder that cannot be written;
 *  ERG_ERR_DATA: no store, a damaged one, or, with `create`, one of another model version. Nothing is changed then. */
erg_status erg_store_open(const char *path, bool create, erg_store **out, erg_error *error);
void erg_store_close(erg_store *store);
typedef enum { ERG_NOT_STORED, ERG_STORED, ERG_STORED_FAILED /**< with status failed */ } erg_stored;
/** Whether it has a row of this key. Errors as for erg_store_put. */
erg_status erg_store_find(erg_store *store, const char *key, erg_stored *found, erg_error *error);
/** Takes a row with status failed out, so that it is computed again. Errors as for erg_store_put. */
erg_status erg_store_forget_failed(erg_store *store, const char *key, erg_error *error);
/** Rows are kept until erg_store_flush, or until a thousand wait; a row whose key is there already is left alone.
 *  ERG_ERR_IO: the disk is full, or does not take or give what it should; ERG_ERR_DATA: the store is damaged. Rows
 *  stored before stay, those that waited are given up: the same command computes them again. */
erg_status erg_store_put(erg_store *store, const erg_sweep_row *row, erg_error *error);
erg_status erg_store_flush(erg_store *store, erg_error *error);
int64_t erg_store_count(erg_store *store, const char *status); /**< NULL: all */
int64_t erg_store_model_version(erg_store *store);
bool erg_store_has_accuracy(erg_store *store); /**< of any row */

typedef struct {
  const char *const *where; /**< COLUMN=VALUE each, NULL at the end; or NULL */
  const char *sort;         /**< a column, ascending; "-column": descending; NULL: by point */
  const char *then;         /**< of rows that `sort` leaves equal, ascending; NULL: by point */
  int64_t limit;            /**< 0: all */
  bool comparable;          /**< rows of one workload, batch and technology stand together, sorted within */
} erg_store_query;
/** Calls `use` for each row; texts live until it returns. ERG_ERR_USAGE: no such column. */
erg_status erg_store_each(erg_store *store, const erg_store_query *query,
                          erg_status (*use)(void *context, const erg_sweep_row *row, erg_error *error), void *context,
                          erg_error *error);
/** Adds the rows of another store of the same model version that are not there. */
erg_status erg_store_merge(erg_store *store, const char *path, int64_t *added, erg_error *error);

/* ---------------------------------------------------------------- lists of points (ranges.c) */

typedef struct { int64_t first, last; } erg_index_range; /**< numbers of points, both inclusive */
/** In the order in which they were added. Start with `{0}`. */
typedef struct { erg_index_range *items; int64_t count, room, points; } erg_index_ranges;
bool erg_ranges_add(erg_index_ranges *ranges, int64_t first, int64_t last); /**< false: memory ran out */
void erg_ranges_free(erg_index_ranges *ranges);
/** Line `line` (from 0) of a file that holds a list a line, such as `0-99 103 205-300`, `lines` lines in all; numbers
 *  below `size`. ERG_ERR_NO_INPUT, ERG_ERR_DATA. */
erg_status erg_ranges_load(const char *path, int64_t line, int64_t lines, int64_t size, erg_index_ranges *out,
                           erg_error *error);
/** Points that the store does not have (with `failed_too`, or has as failed), ascending, and a hash of all keys of the
 *  sweep in order: it moves when a file behind a point does. `failed` counts failed rows; it and `plan` may be NULL. */
erg_status erg_sweep_missing(const erg_sweep *sweep, erg_store *store, bool failed_too, erg_index_ranges *missing,
                             int64_t *failed, char plan[65], erg_error *error);

/* ---------------------------------------------------------------- workers (pool.c) */

typedef struct {
  int jobs;                 /**< forked workers, 1 and up */
  int64_t chunk, chunk_count; /**< only points i with i * chunk_count / size == chunk; chunk_count 0: all */
  bool quiet;
  int kill_at;              /**< tests: a worker kills itself before its point `kill_at - 1` (mod 1000), every time; 0: none */
  const erg_index_ranges *only;   /**< NULL: all; chunk_count is 0 then */
  bool retry_failed;        /**< rows that are stored as failed are computed again */
  const char *trail;        /**< a file that names the points under evaluation as long as the pool runs; NULL: none */
  bool kill_pool;           /**< tests: kill_at kills the pool with the worker */
} erg_pool_options;
typedef struct { int64_t points, known, computed, skipped, failed, worker_deaths; } erg_pool_report;

/** Evaluates every point that the store does not have. A worker that dies is forked anew and its points are tried again;
 *  one that kills its worker three times is stored as failed. SIGINT and SIGTERM: what is computed is stored, then
 *  ERG_ERR_IO. */
erg_status erg_sweep_run(const erg_sweep *sweep, erg_store *store, const erg_pool_options *options,
                         erg_pool_report *report, erg_error *error);

/* ---------------------------------------------------------------- farms (farm.c, engines/) */

typedef struct {
  const char *engine;         /**< a name of the registry of engines: "slurm" */
  const char *partition, *time; /**< in the engine's own words; NULL: its default */
  const char *const *extra;   /**< more options for the engine's submission, each beginning with --, NULL at the end */
  int64_t chunk_points;       /**< points a task; 0: 1000, or 20 where a model is simulated; never over 1000 tasks */
  int rounds;                 /**< array submissions before what is missing is given up, 1 and up */
  int jobs;                   /**< workers a task */
  bool retry_failed, dry_run; /**< dry_run: scripts are written, nothing is submitted */
  int kill_at;                /**< tests: as for the pool */
  bool kill_pool;
} erg_farm_options;

typedef struct { int64_t pending, running; char reason[64]; } erg_farm_jobs; /**< reason: of one that waits */

/** What a submission is doing. Texts live in `arena`; erg_farm_report_free. */
typedef struct {
  erg_arena arena;
  const char *engine, *state; /**< "submitted", "under way", "stopped", "complete", "incomplete", "dry run" */
  const char *name, *folder, *array_job, *reconcile_job; /**< jobs NULL: none */
  int round, last_round;
  int64_t points, missing, failed, tasks, merged; /**< failed -1: not counted; merged: rows added to the store by this call */
  bool queue_known;           /**< the two below were asked for and answered */
  const char *queue_fault;    /**< why they were not */
  erg_farm_jobs array, reconcile;
  const char *commands[2];    /**< of a dry run, as they can be pasted into a shell */
  const char *notes;          /**< lines about what went wrong without ending the work, or NULL */
} erg_farm_report;

/** Submits what `store` does not have of `spec`: an array of tasks, each a chunk of points into a shard of its own, and a
 *  job behind it that merges the shards and submits again what is missing. Files go to the folder `<store>.farm`.
 *  Submitting while jobs are at work or when nothing is missing changes nothing and says so in `state`.
 *  ERG_ERR_USAGE: no such engine, or the jobs at work are of another specification; ERG_ERR_TOOL: the engine's program is
 *  missing or refused. */
erg_status erg_farm_submit(const char *spec, const char *store, const erg_farm_options *options,
                           erg_farm_report *report, erg_error *error);
/** Merges the shards of the submission that belongs to `store`; when its tasks have ended, submits again what is
 *  missing, or after the last round gives up. ERG_ERR_NO_INPUT: there is no submission. */
erg_status erg_farm_reconcile(const char *store, erg_farm_report *report, erg_error *error);
/** What the engine's queue says of it; changes nothing. ERG_ERR_NO_INPUT: there is no submission. */
erg_status erg_farm_status(const char *store, erg_farm_report *report, erg_error *error);
void erg_farm_report_free(erg_farm_report *report);

#ifdef __cplusplus
}
#endif
#endif
