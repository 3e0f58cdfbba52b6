/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file command.h
 *  A command is one file, cmd_<name>.c, that registers itself. No logic lives in cli/: it reads options, calls rooms,
 *  prints. Results go to stdout, everything else to stderr; a command returns the exit code's status. */
#ifndef ERGON_CLI_COMMAND_H
#define ERGON_CLI_COMMAND_H

#include "ergon/base.h"
#include "ergon/registry.h"
#include "ergon/sim.h"
#include "ergon/yaml.h"

extern const char *const erg_front_axes[]; /**< "latency", "accuracy"; NULL at the end */

typedef struct {
  const char *name, *arguments, *help;
  int order; /**< in `ergon --help` */
  erg_status (*run)(int argc, char **argv, erg_error *error);
} erg_command;
ERG_REGISTRY(erg_command)

/** Options that commands share; `ERG_OPTION_*` picks which a command takes. */
enum {
  ERG_OPTION_POINT = 1,     /**< arch, tech, precision, fusion, dataflow, model, batch, seed, set */
  ERG_OPTION_REPORT = 2,    /**< json, csv, out */
  ERG_OPTION_RUN = 4,       /**< layers, explain-fusion, certify, training */
  ERG_OPTION_VERIFY = 8,    /**< gaps, mutant, dut, top, dut-template, cycles, cases, case, layer, tile, waves */
  ERG_OPTION_PLOT = 16,     /**< out */
  ERG_OPTION_VECTORS = 1024, /**< layer, random, rule */
  ERG_OPTION_TECH = 2048,    /**< tech, set of a technology */
  ERG_OPTION_PRICE = 4096,   /**< tech as a list, set */
  ERG_OPTION_JSON = 8192,    /**< json alone */
  ERG_OPTION_FIT = 16384,    /**< terms, rows, prior, error, layers, and what the technology file needs */
  ERG_OPTION_COMPARE = 32768, /**< tolerance */
  ERG_OPTION_VALIDATE = 65536, /**< markdown */
  ERG_OPTION_SWEEP = 131072,   /**< store, jobs, chunk, where, sort, limit, front, csv, those of submit */
  ERG_OPTION_EVAL = 1048576,   /**< weights, data, precision, calibration, per-tensor, equalize, model, examples */
  ERG_OPTION_WHERE = 262144,   /**< where alone */
  ERG_OPTION_STUDY = 524288,   /**< seeds, seed, csv, markdown */
  ERG_OPTION_TRAIN = 2097152,  /**< data, out, from, epochs, batch, learning-rate, optimizer, ... */
  ERG_OPTION_SENS = 4194304,   /**< weights, data, bits, probes, examples, calibration, precision, arch, tech, fusion */
  ERG_OPTION_MEMORY = 16777216, /**< arch, tech, precision, dataflow, batch, set, activation-bits, budget */
  ERG_OPTION_ASSIGN = 8388608, /**< estimator, energy-budget, loss-budget, out, name */
};

#define MOST_LIST 16
#define MOST_SETS 64

typedef struct {
  const char *arch, *tech;
  erg_precision precisions[MOST_LIST];
  const char *precision_files[MOST_LIST]; /**< a precision plan, or NULL */
  int precision_count;
  erg_fusion fusions[MOST_LIST];
  int fusion_count;
  erg_dataflow dataflow;
  erg_model model;
  int batch, jobs;
  uint64_t seed;
  erg_override arch_sets[MOST_SETS], tech_sets[MOST_SETS], workload_sets[MOST_SETS];
  int arch_set_count, tech_set_count, workload_set_count;
  bool json, csv, layers, explain_fusion, certify, quiet;
  bool model_given;
  const char *out;
  double gap_probability;
  const char *mutant;
  const char *layer;
  bool random;
  erg_rule rule;
  const char *arguments[16]; /**< positional */
  int argument_count;
  const char *dut, *dut_top;
  bool dut_template, strict_cycles;
  int cases, only_case;     /**< only_case: -1 where none is asked for */
  double zero_share;        /**< --zeros */
  bool activity;            /**< --activity */
  bool tile_given;
  int tile;
  const char *waves;
  const char *input, *weight, *bias; /**< verify: NumPy files */
  const char *coverage;              /**< verify: file */
  bool tech_given, markdown;
  const char *terms, *rows, *priors[MOST_LIST], *name, *memory; /**< fit */
  int prior_count;
  int64_t pes;
  double relative_error, node_nm, bank_bytes, tolerance;
  const char *store, *sort;          /**< sweep */
  const char *wheres[MOST_LIST + 1]; /**< NULL at the end */
  int where_count;
  int64_t chunk, chunk_count, limit;
  int kill_at;
  bool front;
  int front_axis; /**< of erg_front_axes */
  const char *engine, *partition, *time, *points, *trail; /**< sweep submit, and run as a task of a farm */
  const char *extra[MOST_LIST + 1];                       /**< options for sbatch, NULL at the end */
  int extra_count, rounds;
  int64_t chunk_points;
  bool dry_run, retry_failed, kill_pool, interval;
  const char *weights, *data; /**< eval */
  int calibration, integer_model, examples; /**< of erg_calibration_names, erg_integer_names; 0: the default count */
  bool per_tensor, equalize;
  int seeds; /**< of a study; 0: its own number */
  const char *study_case; /**< of its cases, or NULL: all */
  int epochs, train_batch, patience; /**< train */
  double learning_rate, label_smoothing;
  const char *optimizer, *from;
  bool qat;
  int qat_rule, qat_epochs; /**< of erg_qat_names; 0: as many as epochs */
  int bits[15], bit_count, probes;  /**< sens, assign: weight widths; memory: of activations */
  int estimator;                    /**< assign: of erg_sens_names */
  bool energy_given, energy_share, loss_given;
  double energy_budget, loss_budget; /**< pJ, or a share of a uniform network's; nat */
  bool precision_given, bits_given, training, fusion_given;
  int64_t budget_bytes; /**< memory: 0: none */
  char command_line[1024];
  erg_arena arena;
} erg_cli;

/** Parses a command's line with argp; usage faults print and exit 64, as argp does. `least`..`most` positionals. */
void erg_cli_parse(const erg_command *command, unsigned groups, int least, int most, int argc, char **argv, erg_cli *out);
void erg_cli_free(erg_cli *cli);

/** Loaded inputs of a line. */
typedef struct {
  erg_arch arch;
  erg_technology technology;
  erg_graph graph;
  erg_widths widths[MOST_LIST]; /**< of precisions that are plans */
} erg_inputs;
/** `workload` NULL: none, and the points have no graph. */
erg_status erg_inputs_load(const erg_cli *cli, const char *workload, erg_inputs *out, erg_error *error);
void erg_inputs_free(erg_inputs *inputs);
/** Name of a precision of the line: a plan's own. */
const char *erg_cli_precision_name(const erg_cli *cli, const erg_inputs *inputs, int index, char buffer[32]);
/** Point `index` of the precision x fusion grid. */
erg_point erg_cli_point(const erg_cli *cli, const erg_inputs *inputs, int index);

/** Runs all points; `results` has room for them. */
erg_status erg_cli_run(const erg_cli *cli, const erg_inputs *inputs, erg_result *results, erg_error *error);
/** {"schema": "ergon.run", ...} of the results. */
json_t *erg_run_json(const erg_cli *cli, const erg_result *results, int count);

/* report.c: tables for people, CSV for scripts */
/** The line of --set overrides, or nothing: two tables with different numbers never have the same header. */
void erg_print_overrides(const erg_cli *cli, FILE *stream);
void erg_print_header(const erg_cli *cli, const erg_inputs *inputs, FILE *stream);
void erg_print_points(const erg_result *results, int count, FILE *stream);
void erg_print_layers(const erg_result *result, FILE *stream);
void erg_print_toggles(const erg_result *result, FILE *stream); /**< --activity: of the array's registers, by layer */
void erg_print_ratios(const erg_result *wide, const erg_result *narrow, FILE *stream);
void erg_print_notes(const erg_result *result, FILE *stream);
void erg_print_csv(const erg_result *results, int count, FILE *stream);
void erg_print_ledger(const erg_verify_result *result, FILE *stream);

/* certify.c: a table of accumulator certificates, a row an array pass */
erg_status erg_print_certificates(const erg_result *result, FILE *stream, erg_error *error);

/* output.c */
erg_status erg_make_folder(const char *path, erg_error *error);
erg_status erg_write_json(const json_t *json, const char *folder, const char *name, erg_error *error);
/** Flushes stdout: a full disk or a closed pipe behind it is ERG_ERR_IO. */
erg_status erg_flush_stdout(erg_error *error);

#endif
