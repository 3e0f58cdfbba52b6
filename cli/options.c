/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/quant.h"
#include "option_values.h"
#include <argp.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  KEY_ARCH = 'a',
  KEY_TECH = 't',
  KEY_PRECISION = 'p',
  KEY_FUSION = 'f',
  KEY_DATAFLOW = 'd',
  KEY_MODEL = 'm',
  KEY_BATCH = 'b',
  KEY_SEED = 's',
  KEY_JOBS = 'j',
  KEY_QUIET = 'q',
  KEY_OUT = 'o',
  KEY_SET = 256,
  KEY_JSON,
  KEY_CSV,
  KEY_LAYERS,
  KEY_EXPLAIN,
  KEY_COVERAGE,
  KEY_ACTIVITY,
  KEY_CERTIFY,
  KEY_GAPS,
  KEY_MUTANT,
  KEY_LAYER,
  KEY_RANDOM,
  KEY_RULE,
  KEY_DUT,
  KEY_TOP,
  KEY_TEMPLATE,
  KEY_CYCLES,
  KEY_CASES,
  KEY_CASE,
  KEY_ZEROS,
  KEY_TILE,
  KEY_INPUT,
  KEY_WEIGHT,
  KEY_BIAS,
  KEY_WAVES,
  KEY_TERMS,
  KEY_PRIOR,
  KEY_ERROR,
  KEY_PES,
  KEY_NAME,
  KEY_NODE,
  KEY_MEMORY,
  KEY_ROWS,
  KEY_TOLERANCE,
  KEY_MARKDOWN,
  KEY_STORE,
  KEY_CHUNK,
  KEY_WHERE,
  KEY_SORT,
  KEY_LIMIT,
  KEY_FRONT,
  KEY_KILL_AT,
  KEY_KILL_POOL_AT,
  KEY_RETRY_FAILED,
  KEY_POINTS,
  KEY_TRAIL,
  KEY_ENGINE,
  KEY_CHUNK_POINTS,
  KEY_ROUNDS,
  KEY_PARTITION,
  KEY_TIME,
  KEY_EXTRA,
  KEY_DRY_RUN,
  KEY_INTERVAL,
  KEY_WEIGHTS,
  KEY_DATA,
  KEY_CALIBRATION,
  KEY_PER_TENSOR,
  KEY_EQUALIZE,
  KEY_KERNELS,
  KEY_EXAMPLES,
  KEY_SEEDS,
  KEY_FOR,
  KEY_EPOCHS,
  KEY_TRAIN_BATCH,
  KEY_RATE,
  KEY_OPTIMIZER,
  KEY_SMOOTHING,
  KEY_PATIENCE,
  KEY_FROM,
  KEY_QAT,
  KEY_QAT_EPOCHS,
  KEY_BITS,
  KEY_PROBES,
  KEY_ESTIMATOR,
  KEY_ENERGY_BUDGET,
  KEY_LOSS_BUDGET,
  KEY_ACTIVATION_BITS,
  KEY_BUDGET,
  KEY_TRAINING
};

const char *const erg_front_axes[] = {"latency", "accuracy", NULL};

static const struct {
  unsigned groups;
  struct argp_option option;
} all_options[] = {
    {ERG_OPTION_POINT | ERG_OPTION_MEMORY, {"arch", KEY_ARCH, "NAME|FILE", 0, "architecture (default edge)", 1}},
    {ERG_OPTION_POINT | ERG_OPTION_MEMORY, {"tech", KEY_TECH, "NAME|FILE", 0, "technology (default horowitz-45nm)", 1}},
    {ERG_OPTION_TECH, {"tech", KEY_TECH, "NAME|FILE", 0, "technology (default: the run's, else horowitz-45nm)", 1}},
    {ERG_OPTION_PRICE, {"tech", KEY_TECH, "T[,T...]", 0, "technologies, names or files", 1}},
    {ERG_OPTION_TECH | ERG_OPTION_PRICE,
     {"set", KEY_SET, "tech.KEY=VALUE", 0, "overrides a field of the technology", 1}},
    {ERG_OPTION_POINT,
     {"precision", KEY_PRECISION, "P[,P...]", 0,
      "int8, w4a8, w4a8p24o8, fp32, fp16, bf16, ..., or a precision plan FILE.yaml (default int8)", 1}},
    {ERG_OPTION_POINT,
     {"fusion", KEY_FUSION, "F[,F...]", 0, "wide, none, fold, epilogue, depth (default epilogue)", 1}},
    {ERG_OPTION_POINT | ERG_OPTION_MEMORY, {"dataflow", KEY_DATAFLOW, "ws|os|is", 0, "dataflow (default ws)", 1}},
    {ERG_OPTION_POINT, {"model", KEY_MODEL, "MODEL", 0, "analytic, systemc, rtl (default analytic; verify: rtl)", 1}},
    {ERG_OPTION_POINT | ERG_OPTION_MEMORY, {"batch", KEY_BATCH, "N", 0, "images (default 1)", 1}},
    {ERG_OPTION_POINT, {"seed", KEY_SEED, "N", 0, "seed of synthetic data (default 1)", 1}},
    {ERG_OPTION_POINT, {"jobs", KEY_JOBS, "N", 0, "accepted for scripts; this command runs in one process", 1}},
    {ERG_OPTION_POINT | ERG_OPTION_MEMORY,
     {"set", KEY_SET, "KEY=VALUE", 0, "overrides a field: arch.rows=32, tech.node_nm=40, workload.input.height=64", 1}},
    {ERG_OPTION_POINT,
     {"zeros", KEY_ZEROS, "SHARE", 0, "share of MACs with a zero operand, gated (0 to 1; default 0: no gating)", 1}},
    {ERG_OPTION_RUN, {"layers", KEY_LAYERS, 0, 0, "the table of layers for every point, not only for a single one", 2}},
    {ERG_OPTION_RUN,
     {"activity", KEY_ACTIVITY, 0, 0, "with --model rtl: toggles of the array's registers, layer by layer", 2}},
    {ERG_OPTION_RUN, {"explain-fusion", KEY_EXPLAIN, 0, 0, "what folding and fusing did and refused, node by node", 2}},
    {ERG_OPTION_RUN,
     {"training", KEY_TRAINING, 0, 0, "a training step instead: forward, gradients, update (docs/training-memory.md)",
      2}},
    {ERG_OPTION_RUN, {"certify", KEY_CERTIFY, 0, 0, "the narrowest safe accumulator of each layer, and why", 2}},
    {ERG_OPTION_VERIFY, {"gaps", KEY_GAPS, "P", 0, "withhold each operand with probability P a cycle (0 to 0.9)", 2}},
    {ERG_OPTION_VERIFY,
     {"mutant", KEY_MUTANT, "NAME", 0,
      "build a deliberately wrong array: ROUNDING, SKEW, CLAMP, WEIGHT_ORDER, EXTRA_REGISTER, FREEZE", 2}},
    {ERG_OPTION_VERIFY,
     {"dut", KEY_DUT, "FILE[,FILE...]", 0, "an array of your own instead: its SystemVerilog sources (docs/verify.md)",
      2}},
    {ERG_OPTION_VERIFY, {"top", KEY_TOP, "NAME", 0, "its top module", 2}},
    {ERG_OPTION_VERIFY,
     {"dut-template", KEY_TEMPLATE, 0, 0, "write the module to put your array into (to stdout, or FILE)", 2}},
    {ERG_OPTION_VERIFY,
     {"cycles", KEY_CYCLES, "show|strict", 0, "cycles of your array beside Ergon's formula; strict: they must be equal",
      2}},
    {ERG_OPTION_VERIFY, {"cases", KEY_CASES, "N", 0, "without WORKLOAD: random cases (default 100)", 2}},
    {ERG_OPTION_VERIFY, {"case", KEY_CASE, "I", 0, "without WORKLOAD: case I of the seed alone", 2}},
    {ERG_OPTION_VERIFY, {"layer", KEY_LAYER, "NAME", 0, "this layer of WORKLOAD alone", 2}},
    {ERG_OPTION_VERIFY, {"tile", KEY_TILE, "I", 0, "tile I of that layer alone, on the array without the machine", 2}},
    {ERG_OPTION_VERIFY,
     {"waves", KEY_WAVES, "FILE.fst", 0, "write a waveform around the first difference (default with --out)", 2}},
    {ERG_OPTION_VERIFY, {"input", KEY_INPUT, "X.npy", 0, "without WORKLOAD: your own product: codes (M, K)", 2}},
    {ERG_OPTION_VERIFY, {"weight", KEY_WEIGHT, "W.npy", 0, "its weights (N, K), a row a channel", 2}},
    {ERG_OPTION_VERIFY,
     {"coverage", KEY_COVERAGE, "FILE", 0, "counts line and toggle coverage of the array into FILE (much slower)", 2}},
    {ERG_OPTION_VERIFY, {"bias", KEY_BIAS, "B.npy", 0, "its bias (N,) (default: zeros)", 2}},
    {ERG_OPTION_VECTORS, {"layer", KEY_LAYER, "NAME", 0, "the layer whose vectors are written", 2}},
    {ERG_OPTION_VECTORS, {"random", KEY_RANDOM, 0, 0, "a random convolution drawn from --seed, no workload", 2}},
    {ERG_OPTION_VECTORS | ERG_OPTION_VERIFY, {"rule", KEY_RULE, "S|D|F|A", 0, "requantization rule (default S)", 2}},
    {ERG_OPTION_FIT, {"terms", KEY_TERMS, "T[,T...]", 0, "of a, b, d, p0 (default: a, b, p0 as there are columns)", 2}},
    {ERG_OPTION_FIT, {"rows", KEY_ROWS, "COLUMN=VALUE", 0, "only these rows", 2}},
    {ERG_OPTION_FIT, {"prior", KEY_PRIOR, "TERM=VALUE:SIGMA", 0, "a value known beforehand, as one more row", 2}},
    {ERG_OPTION_FIT,
     {"error", KEY_ERROR, "R", 0, "relative error of a measurement, to weigh priors (default 0.05)", 2}},
    {ERG_OPTION_FIT, {"layers", KEY_LAYERS, 0, 0, "the table of rows", 2}},
    {ERG_OPTION_FIT, {"name", KEY_NAME, "NAME", 0, "of the technology that --out writes (default fitted)", 2}},
    {ERG_OPTION_FIT, {"precision", KEY_PRECISION, "P", 0, "of its MAC (default int8)", 2}},
    {ERG_OPTION_FIT,
     {"tech", KEY_TECH, "NAME", 0, "technology that it extends: whatever was not fitted (default: none)", 2}},
    {ERG_OPTION_FIT, {"node", KEY_NODE, "NM", 0, "its node", 2}},
    {ERG_OPTION_FIT, {"pes", KEY_PES, "N", 0, "PEs that share P0", 2}},
    {ERG_OPTION_FIT,
     {"memory", KEY_MEMORY, "dram|sram:BYTES", 0, "the memory that b is the price of (default dram)", 2}},
    {ERG_OPTION_VALIDATE, {"markdown", KEY_MARKDOWN, 0, 0, "docs/accuracy.md on stdout", 2}},
    {ERG_OPTION_COMPARE,
     {"tolerance", KEY_TOLERANCE, "SHARE", 0, "largest relative error of a layer that is no mismatch (default 0.05)",
      2}},
    {ERG_OPTION_SWEEP, {"store", KEY_STORE, "FILE", 0, "the result store, an SQLite file", 2}},
    {ERG_OPTION_SWEEP, {"jobs", KEY_JOBS, "N", 0, "run: workers (default 1); submit: workers a task", 2}},
    {ERG_OPTION_SWEEP, {"chunk", KEY_CHUNK, "I/N", 0, "run: only part I (0 to N-1) of N, for farms", 2}},
    {ERG_OPTION_SWEEP,
     {"points", KEY_POINTS, "FILE", 0, "run: with --chunk I/N, the points of line I of FILE (N lines: 0-99 103 ...)",
      2}},
    {ERG_OPTION_SWEEP,
     {"retry-failed", KEY_RETRY_FAILED, 0, 0, "run, submit: points that are stored as failed are computed again", 2}},
    {ERG_OPTION_SWEEP,
     {"trail", KEY_TRAIL, "FILE", OPTION_HIDDEN, "run: FILE names the points under evaluation while it runs", 2}},
    {ERG_OPTION_SWEEP, {"engine", KEY_ENGINE, "NAME", 0, "submit: the farm's queue (default slurm)", 2}},
    {ERG_OPTION_SWEEP,
     {"chunk-points", KEY_CHUNK_POINTS, "N", 0, "submit: points a task (default 1000; simulated models: 20)", 2}},
    {ERG_OPTION_SWEEP,
     {"rounds", KEY_ROUNDS, "N", 0, "submit: arrays before what is missing is given up (default 3)", 2}},
    {ERG_OPTION_SWEEP, {"partition", KEY_PARTITION, "P", 0, "submit: of the farm", 2}},
    {ERG_OPTION_SWEEP, {"time", KEY_TIME, "T", 0, "submit: limit of a task, as the queue writes it (2:00:00)", 2}},
    {ERG_OPTION_SWEEP,
     {"sbatch-option", KEY_EXTRA, "--OPTION=VALUE", 0, "submit: one more option for sbatch; may be given again", 2}},
    {ERG_OPTION_SWEEP, {"dry-run", KEY_DRY_RUN, 0, 0, "submit: write the scripts, print the commands", 2}},
    {ERG_OPTION_SWEEP | ERG_OPTION_WHERE,
     {"where", KEY_WHERE, "COLUMN=VALUE", 0, "only such rows of a store; may be given again", 2}},
    {ERG_OPTION_SWEEP, {"sort", KEY_SORT, "COLUMN", 0, "ascending; -COLUMN: descending", 2}},
    {ERG_OPTION_SWEEP, {"limit", KEY_LIMIT, "N", 0, "the first N rows", 2}},
    {ERG_OPTION_SWEEP,
     {"front", KEY_FRONT, "AXIS", OPTION_ARG_OPTIONAL,
      "query: the Pareto front of energy against latency, or --front=accuracy", 2}},
    {ERG_OPTION_SWEEP,
     {"interval", KEY_INTERVAL, 0, 0, "query, export: 5 and 95 % limits of each energy, computed now", 2}},
    {ERG_OPTION_SWEEP,
     {"kill-at", KEY_KILL_AT, "I", OPTION_HIDDEN, "tests: a worker kills itself at point I (mod 1000)", 2}},
    {ERG_OPTION_SWEEP,
     {"kill-pool-at", KEY_KILL_POOL_AT, "I", OPTION_HIDDEN, "tests: the same, and its pool with it", 2}},
    {ERG_OPTION_EVAL, {"weights", KEY_WEIGHTS, "FILE", 0, "trained weights, a safetensors file", 1}},
    {ERG_OPTION_EVAL, {"data", KEY_DATA, "NAME|DIR", 0, "data set: built in, or a folder of .npy files", 1}},
    {ERG_OPTION_EVAL,
     {"precision", KEY_PRECISION, "P[,P...]", 0, "int8, w4a8, w4a8p24o8, ..., or precision plans (default int8)", 1}},
    {ERG_OPTION_EVAL, {"examples", KEY_EXAMPLES, "N", 0, "test examples (default: all, or the data set's usual)", 1}},
    {ERG_OPTION_EVAL, {"seed", KEY_SEED, "N", 0, "seed of a built-in data set (default 1)", 1}},
    {ERG_OPTION_EVAL,
     {"calibration", KEY_CALIBRATION, "METHOD", 0, "ranges of activations: min-max, percentile (99.9) or mse (default)",
      2}},
    {ERG_OPTION_EVAL, {"per-tensor", KEY_PER_TENSOR, 0, 0, "one weight scale a layer instead of one a channel", 2}},
    {ERG_OPTION_EVAL, {"equalize", KEY_EQUALIZE, 0, 0, "balance channels across layers before quantizing", 2}},
    {ERG_OPTION_EVAL,
     {"model", KEY_KERNELS, "MODEL", 0,
      "golden (default: by the fast path, bit for bit the same), plain (its loops), rtl: the Verilated array", 2}},
    {ERG_OPTION_EVAL, {"arch", KEY_ARCH, "NAME|FILE", 0, "model rtl: architecture (default edge)", 2}},
    {ERG_OPTION_EVAL, {"dataflow", KEY_DATAFLOW, "ws|os|is", 0, "model rtl: dataflow (default ws)", 2}},
    {ERG_OPTION_EVAL, {"set", KEY_SET, "KEY=VALUE", 0, "overrides a field: arch.rows=32, workload.KEY=VALUE", 2}},
    {ERG_OPTION_STUDY, {"seeds", KEY_SEEDS, "N", 0, "how many (default: enough for the study's sign tests)", 1}},
    {ERG_OPTION_STUDY, {"seed", KEY_SEED, "N", 0, "the first one (default 1)", 1}},
    {ERG_OPTION_STUDY,
     {"for", KEY_FOR, "CASE", 0, "what you have, where the answer turns on it: confidence --for fixed", 1}},
    {ERG_OPTION_STUDY, {"csv", KEY_CSV, 0, 0, "CSV on stdout, a row a point", 3}},
    {ERG_OPTION_STUDY, {"markdown", KEY_MARKDOWN, 0, 0, "a page from FILE.json of earlier runs", 3}},
    {ERG_OPTION_TRAIN, {"data", KEY_DATA, "NAME|DIR", 0, "data set: built in, or a folder of .npy files", 1}},
    {ERG_OPTION_TRAIN, {"out", KEY_OUT, "FILE", 0, "where the weights go, a safetensors file", 1}},
    {ERG_OPTION_TRAIN,
     {"from", KEY_FROM, "FILE", 0, "start from these weights; with --qat: train them in integers alone", 1}},
    {ERG_OPTION_TRAIN, {"epochs", KEY_EPOCHS, "N", 0, "passes over the examples (default 12)", 1}},
    {ERG_OPTION_TRAIN, {"batch", KEY_TRAIN_BATCH, "N", 0, "examples a step (default 32)", 1}},
    {ERG_OPTION_TRAIN,
     {"learning-rate", KEY_RATE, "R", 0, "of the first step; a cosine takes it to 0 (default 0.003)", 1}},
    {ERG_OPTION_TRAIN, {"optimizer", KEY_OPTIMIZER, "NAME", 0, "adam (default) or sgd, with momentum 0.9", 1}},
    {ERG_OPTION_TRAIN,
     {"label-smoothing", KEY_SMOOTHING, "E", 0, "share of the target spread over all classes (default 0)", 1}},
    {ERG_OPTION_TRAIN,
     {"patience", KEY_PATIENCE, "N", 0,
      "hold out a tenth of the examples; stop N epochs after its loss was least, keep those weights (default: no)", 1}},
    {ERG_OPTION_TRAIN, {"examples", KEY_EXAMPLES, "N", 0, "training examples (default: all, or the usual number)", 1}},
    {ERG_OPTION_TRAIN, {"seed", KEY_SEED, "N", 0, "of data, first weights and order, a stream each (default 1)", 1}},
    {ERG_OPTION_TRAIN,
     {"qat", KEY_QAT, "RULE", 0, "train on in integers: ste, identity or zero is what roundings pass backwards", 2}},
    {ERG_OPTION_TRAIN,
     {"precision", KEY_PRECISION, "P", 0, "with --qat: of the integers, or a precision plan (default int8)", 2}},
    {ERG_OPTION_TRAIN, {"qat-epochs", KEY_QAT_EPOCHS, "N", 0, "with --qat: epochs (default: as many as --epochs)", 2}},
    {ERG_OPTION_TRAIN,
     {"calibration", KEY_CALIBRATION, "METHOD", 0, "with --qat: as `ergon eval` has it (default mse)", 2}},
    {ERG_OPTION_TRAIN, {"set", KEY_SET, "KEY=VALUE", 0, "overrides a field: workload.KEY=VALUE", 1}},
    {ERG_OPTION_SENS, {"weights", KEY_WEIGHTS, "FILE", 0, "trained weights, a safetensors file", 1}},
    {ERG_OPTION_SENS, {"data", KEY_DATA, "NAME|DIR", 0, "data set: built in, or a folder of .npy files", 1}},
    {ERG_OPTION_SENS, {"bits", KEY_BITS, "B[,B...]", 0, "weight widths to choose from (default 3,4,5,6,8)", 1}},
    {ERG_OPTION_SENS, {"precision", KEY_PRECISION, "P", 0, "of all else, activations above all (default int8)", 1}},
    {ERG_OPTION_SENS, {"examples", KEY_EXAMPLES, "N", 0, "training examples to measure on (default 400)", 1}},
    {ERG_OPTION_SENS, {"seed", KEY_SEED, "N", 0, "of data, probes and drawn labels (default 1)", 1}},
    {ERG_OPTION_SENS, {"probes", KEY_PROBES, "N", 0, "of Hutchinson's estimator (default 12)", 2}},
    {ERG_OPTION_SENS, {"calibration", KEY_CALIBRATION, "METHOD", 0, "as `ergon eval` has it (default mse)", 2}},
    {ERG_OPTION_SENS, {"arch", KEY_ARCH, "NAME|FILE", 0, "architecture (default edge)", 1}},
    {ERG_OPTION_SENS, {"tech", KEY_TECH, "NAME|FILE", 0, "technology (default horowitz-45nm)", 1}},
    {ERG_OPTION_SENS, {"fusion", KEY_FUSION, "F", 0, "wide, none, fold, epilogue (default)", 2}},
    {ERG_OPTION_SENS, {"dataflow", KEY_DATAFLOW, "ws|os|is", 0, "dataflow (default ws)", 2}},
    {ERG_OPTION_SENS, {"set", KEY_SET, "KEY=VALUE", 0, "overrides a field: arch.mac=scalable, tech.node_nm=40", 2}},
    {ERG_OPTION_ASSIGN,
     {"estimator", KEY_ESTIMATOR, "NAME", 0, "quad (default), hutchinson, trace, fisher, norm, scan", 1}},
    {ERG_OPTION_ASSIGN,
     {"energy-budget", KEY_ENERGY_BUDGET, "E", 0, "pJ, or a share of the energy at the widest width: 80%", 1}},
    {ERG_OPTION_ASSIGN, {"loss-budget", KEY_LOSS_BUDGET, "X", 0, "predicted increase of the loss, nat", 1}},
    {ERG_OPTION_ASSIGN, {"out", KEY_OUT, "FILE", 0, "the precision plan", 1}},
    {ERG_OPTION_ASSIGN, {"name", KEY_NAME, "NAME", 0, "of the plan (default assigned)", 2}},
    {ERG_OPTION_MEMORY,
     {"precision", KEY_PRECISION, "P", 0, "a floating format in which the step is computed (default fp32)", 1}},
    {ERG_OPTION_MEMORY,
     {"activation-bits", KEY_ACTIVATION_BITS, "B[,B...]", 0,
      "widths of the activations that are kept for backward (default: the precision's, 16, 8, 4)", 1}},
    {ERG_OPTION_MEMORY,
     {"budget", KEY_BUDGET, "BYTES", 0,
      "of activations and their gradients: 64MiB, 200MB, 1000000 (default: all that pay)", 1}},
    {ERG_OPTION_REPORT | ERG_OPTION_JSON, {"json", KEY_JSON, 0, 0, "JSON on stdout", 3}},
    {ERG_OPTION_RUN, {"csv", KEY_CSV, 0, 0, "CSV on stdout, a row a layer", 3}},
    {ERG_OPTION_SWEEP, {"csv", KEY_CSV, 0, 0, "export: CSV on stdout, a row a point", 3}},
    {ERG_OPTION_REPORT | ERG_OPTION_PLOT, {"out", KEY_OUT, "DIR", 0, "also write files into DIR", 3}},
    {~0u, {"quiet", KEY_QUIET, 0, 0, "no progress", 3}},
};

typedef struct {
  const erg_command *command;
  erg_cli *cli;
  int least, most;
} parse;

static error_t on_option(int key, char *text, struct argp_state *state) {
  parse *p = state->input;
  erg_cli *cli = p->cli;
  switch (key) {
  case KEY_ARCH:
    cli->arch = text;
    break;
  case KEY_TECH:
    cli->tech_given = true;
    cli->tech = text;
    break;
  case KEY_PRECISION:
    erg_option_take_precisions(state, cli, text);
    cli->precision_given = true;
    break;
  case KEY_FUSION:
    erg_option_take_fusions(state, cli, text);
    cli->fusion_given = true;
    break;
  case KEY_DATAFLOW:
    cli->dataflow = (erg_dataflow)erg_option_pick(state, "dataflow", text, erg_dataflow_names);
    break;
  case KEY_MODEL:
    cli->model_given = true;
    cli->model = (erg_model)erg_option_pick(state, "model", text, erg_model_names);
    break;
  case KEY_BATCH:
    cli->batch = (int)erg_option_whole(state, "batch", text, 1, 65536);
    break;
  case KEY_SEED:
    cli->seed = (uint64_t)erg_option_whole(state, "seed", text, 0, INT64_MAX);
    break;
  case KEY_JOBS:
    cli->jobs = (int)erg_option_whole(state, "jobs", text, 1, 4096);
    break;
  case KEY_SET:
    erg_option_take_set(state, cli, text);
    break;
  case KEY_JSON:
    cli->json = true;
    break;
  case KEY_CSV:
    cli->csv = true;
    break;
  case KEY_OUT:
    cli->out = text;
    break;
  case KEY_QUIET:
    cli->quiet = true;
    break;
  case KEY_LAYERS:
    cli->layers = true;
    break;
  case KEY_COVERAGE:
    cli->coverage = text;
    break;
  case KEY_ACTIVITY:
    cli->activity = true;
    break;
  case KEY_EXPLAIN:
    cli->explain_fusion = true;
    break;
  case KEY_CERTIFY:
    cli->certify = true;
    break;
  case KEY_MUTANT:
    cli->mutant = text;
    break;
  case KEY_LAYER:
    cli->layer = text;
    break;
  case KEY_RANDOM:
    cli->random = true;
    break;
  case KEY_RULE: {
    const char *const rules[] = {erg_rule_names[ERG_RULE_S], erg_rule_names[ERG_RULE_D], erg_rule_names[ERG_RULE_F],
                                 erg_rule_names[ERG_RULE_A], NULL};
    cli->rule = (erg_rule)erg_option_pick(state, "rule", text, rules);
    break;
  }
  case KEY_DUT:
    cli->dut = text;
    break;
  case KEY_TOP:
    cli->dut_top = text;
    break;
  case KEY_TEMPLATE:
    cli->dut_template = true;
    break;
  case KEY_CYCLES:
    cli->strict_cycles = erg_option_pick(state, "cycles", text, (const char *const[]){"show", "strict", NULL}) == 1;
    break;
  case KEY_CASES:
    cli->cases = (int)erg_option_whole(state, "cases", text, 1, 1000000);
    break;
  case KEY_CASE:
    cli->only_case = (int)erg_option_whole(state, "case", text, 0, 999999);
    break;
  case KEY_TILE:
    cli->tile = (int)erg_option_whole(state, "tile", text, 0, INT_MAX);
    cli->tile_given = true;
    break;
  case KEY_INPUT:
    cli->input = text;
    break;
  case KEY_WEIGHT:
    cli->weight = text;
    break;
  case KEY_BIAS:
    cli->bias = text;
    break;
  case KEY_WAVES:
    cli->waves = text;
    break;
  case KEY_TERMS:
    cli->terms = text;
    break;
  case KEY_ROWS:
    cli->rows = text;
    break;
  case KEY_PRIOR:
    if (cli->prior_count == MOST_LIST) argp_error(state, "--prior: more than %d", MOST_LIST);
    cli->priors[cli->prior_count++] = text;
    break;
  case KEY_ERROR:
    cli->relative_error = erg_option_real(state, "error", text, 1e-6, 1);
    break;
  case KEY_PES:
    cli->pes = erg_option_whole(state, "pes", text, 1, 1 << 30);
    break;
  case KEY_NAME:
    if (!*text || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != strlen(text))
      argp_error(state, "--name: found '%s'; allowed: letters, digits, - _ .", text);
    cli->name = text;
    break;
  case KEY_NODE:
    cli->node_nm = erg_option_real(state, "node", text, 1, 1000);
    break;
  case KEY_MEMORY:
    cli->memory = "dram";
    if (strncmp(text, "sram:", 5) == 0) {
      cli->memory = "sram";
      cli->bank_bytes = erg_option_real(state, "memory", text + 5, 1, 1e12);
    } else if (strcmp(text, "dram") != 0) {
      argp_error(state, "--memory: found '%s'; allowed: dram, sram:BYTES", text);
    }
    break;
  case KEY_MARKDOWN:
    cli->markdown = true;
    break;
  case KEY_STORE:
    cli->store = text;
    break;
  case KEY_CHUNK: {
    char *rest = erg_arena_strdup(&cli->arena, text), *part = strsep(&rest, "/");
    cli->chunk_count = rest ? erg_option_whole(state, "chunk", rest, 1, 1000000) : 0;
    if (cli->chunk_count == 0) argp_error(state, "--chunk: found '%s'; allowed: I/N, such as 0/8", text);
    cli->chunk = erg_option_whole(state, "chunk", part, 0, cli->chunk_count - 1);
    break;
  }
  case KEY_WHERE:
    if (cli->where_count == MOST_LIST) argp_error(state, "--where: more than %d", MOST_LIST);
    cli->wheres[cli->where_count++] = text;
    break;
  case KEY_SORT:
    cli->sort = text;
    break;
  case KEY_LIMIT:
    cli->limit = erg_option_whole(state, "limit", text, 1, INT64_MAX);
    break;
  case KEY_FRONT:
    cli->front = true;
    if (text) cli->front_axis = erg_option_pick(state, "front", text, erg_front_axes);
    break;
  case KEY_KILL_AT:
  case KEY_KILL_POOL_AT:
    cli->kill_at = (int)erg_option_whole(state, "kill-at", text, 1, 1000);
    cli->kill_pool = key == KEY_KILL_POOL_AT;
    break;
  case KEY_RETRY_FAILED:
    cli->retry_failed = true;
    break;
  case KEY_POINTS:
    cli->points = text;
    break;
  case KEY_TRAIL:
    cli->trail = text;
    break;
  case KEY_ENGINE:
    cli->engine = text;
    break;
  case KEY_CHUNK_POINTS:
    cli->chunk_points = erg_option_whole(state, "chunk-points", text, 1, 100000000);
    break;
  case KEY_ROUNDS:
    cli->rounds = (int)erg_option_whole(state, "rounds", text, 1, 100);
    break;
  case KEY_PARTITION:
    cli->partition = text;
    break;
  case KEY_TIME:
    cli->time = text;
    break;
  case KEY_EXTRA:
    if (cli->extra_count == MOST_LIST) argp_error(state, "--sbatch-option: more than %d", MOST_LIST);
    cli->extra[cli->extra_count++] = text;
    break;
  case KEY_INTERVAL:
    cli->interval = true;
    break;
  case KEY_DRY_RUN:
    cli->dry_run = true;
    break;
  case KEY_WEIGHTS:
    cli->weights = text;
    break;
  case KEY_DATA:
    cli->data = text;
    break;
  case KEY_CALIBRATION:
    cli->calibration = erg_option_pick(state, "calibration", text, erg_calibration_names);
    break;
  case KEY_PER_TENSOR:
    cli->per_tensor = true;
    break;
  case KEY_EQUALIZE:
    cli->equalize = true;
    break;
  case KEY_KERNELS: /* in the order of erg_integer_model */
    cli->integer_model = erg_option_pick(state, "model", text, (const char *const[]){"golden", "plain", "rtl", NULL});
    break;
  case KEY_EPOCHS:
    cli->epochs = (int)erg_option_whole(state, "epochs", text, 1, 100000);
    break;
  case KEY_TRAIN_BATCH:
    cli->train_batch = (int)erg_option_whole(state, "batch", text, 1, 65536);
    break;
  case KEY_RATE:
    cli->learning_rate = erg_option_real(state, "learning-rate", text, 1e-12, 1e12);
    break;
  case KEY_OPTIMIZER:
    cli->optimizer = text;
    break;
  case KEY_SMOOTHING:
    cli->label_smoothing = erg_option_real(state, "label-smoothing", text, 0, 1);
    break;
  case KEY_PATIENCE:
    cli->patience = (int)erg_option_whole(state, "patience", text, 0, 100000);
    break;
  case KEY_FROM:
    cli->from = text;
    break;
  case KEY_QAT:
    cli->qat = true;
    cli->qat_rule = erg_option_pick(state, "qat", text, erg_qat_names);
    break;
  case KEY_QAT_EPOCHS:
    cli->qat_epochs = (int)erg_option_whole(state, "qat-epochs", text, 1, 100000);
    break;
  case KEY_BITS:
    erg_option_take_bits(state, cli, text);
    break;
  case KEY_PROBES:
    cli->probes = (int)erg_option_whole(state, "probes", text, 1, 100000);
    break;
  case KEY_ESTIMATOR:
    cli->estimator = erg_option_pick(state, "estimator", text, erg_sens_names);
    break;
  case KEY_ENERGY_BUDGET:
    erg_option_take_energy(state, cli, text);
    break;
  case KEY_LOSS_BUDGET:
    cli->loss_given = true;
    cli->loss_budget = erg_option_real(state, "loss-budget", text, -1e6, 1e6);
    break;
  case KEY_ACTIVATION_BITS:
    erg_option_take_activation_bits(state, cli, text);
    cli->bits_given = true;
    break;
  case KEY_TRAINING:
    cli->training = true;
    break;
  case KEY_BUDGET:
    erg_option_take_budget(state, cli, text);
    break;
  case KEY_EXAMPLES:
    cli->examples = (int)erg_option_whole(state, "examples", text, 1, 1000000);
    break;
  case KEY_FOR:
    cli->study_case = text;
    break;
  case KEY_SEEDS:
    cli->seeds = (int)erg_option_whole(state, "seeds", text, 1, 1000);
    break;
  case KEY_TOLERANCE:
    cli->tolerance = erg_option_real(state, "tolerance", text, 0, 1e6);
    break;
  case KEY_ZEROS:
    if (!erg_parse_real(text, &cli->zero_share) || cli->zero_share < 0 || cli->zero_share > 1)
      argp_error(state, "--zeros: found '%s'; allowed: a number from 0 to 1", text);
    break;
  case KEY_GAPS:
    if (!erg_parse_real(text, &cli->gap_probability) || cli->gap_probability < 0 || cli->gap_probability > 0.9)
      argp_error(state, "--gaps: found '%s'; allowed: a number from 0 to 0.9", text);
    break;
  case ARGP_KEY_ARG:
    if (cli->argument_count >= p->most) argp_error(state, "found '%s'; too many arguments", text);
    cli->arguments[cli->argument_count++] = text;
    break;
  case ARGP_KEY_END:
    if (cli->argument_count < p->least)
      argp_error(state, "an argument is missing: %s %s", p->command->name, p->command->arguments);
    if (cli->json && cli->csv) argp_error(state, "--json and --csv cannot both go to stdout");
    if ((cli->json || cli->csv) && cli->certify)
      argp_error(state, "--certify prints a table: it cannot go to stdout with --json or --csv");
    if (cli->certify && (cli->json || cli->csv)) argp_error(state, "--certify prints a table, not --json or --csv");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

/* As it can be pasted into a shell. */
static void join_line(int argc, char **argv, char *line, size_t bytes) {
  snprintf(line, bytes, "ergon");
  for (int i = 0; i < argc; i++) {
    bool plain =
        *argv[i] &&
        strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.,/:+@%") == strlen(argv[i]);
    bool quote = !plain && !strchr(argv[i], '\'');
    snprintf(line + strlen(line), bytes - strlen(line), quote ? " '%s'" : " %s", argv[i]);
  }
}

void erg_cli_parse(const erg_command *command, unsigned groups, int least, int most, int argc, char **argv,
                   erg_cli *out) {
  struct argp_option options[ERG_COUNT_OF(all_options) + 1] = {0};
  size_t count = 0;
  for (size_t i = 0; i < ERG_COUNT_OF(all_options); i++)
    if (all_options[i].groups & groups) options[count++] = all_options[i].option;
  char name[64];
  snprintf(name, sizeof name, "ergon %s", command->name);
  *out = (erg_cli){.arch = "edge",
                   .tech = "horowitz-45nm",
                   .precision_count = 1,
                   .fusion_count = 1,
                   .fusions = {ERG_FUSION_EPILOGUE},
                   .batch = 1,
                   .jobs = 1,
                   .seed = 1,
                   .cases = 100,
                   .only_case = -1,
                   .name = "fitted",
                   .memory = "dram",
                   .node_nm = 45,
                   .bits = {3, 4, 5, 6, 8},
                   .bit_count = 5,
                   .probes = 12,
                   .tolerance = 0.05,
                   .engine = "slurm",
                   .rounds = 3,
                   .calibration = ERG_CALIBRATE_MSE,
                   .epochs = 12,
                   .train_batch = 32,
                   .learning_rate = 3e-3,
                   .optimizer = "adam"};
  erg_precision_parse("int8", &out->precisions[0], NULL);
  join_line(argc, argv, out->command_line, sizeof out->command_line);
  parse p = {command, out, least, most};
  struct argp argp = {.options = options, .parser = on_option, .args_doc = command->arguments, .doc = command->help};
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &p);
}

void erg_cli_free(erg_cli *cli) {
  erg_arena_free(&cli->arena);
}
