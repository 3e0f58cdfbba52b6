/* SPDX-License-Identifier: Apache-2.0 */
/** \file base.h
 *  The words every room of Ergon shares: status and error text, arena, number formats and precision, random
 *  numbers, hashing, text tables, JSON and CSV helpers. The strict YAML reader is in yaml.h. */
#ifndef ERGON_BASE_H
#define ERGON_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ERG_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define ERG_PRINTF(format_index, first)
#endif

/* ---------------------------------------------------------------- status and error text (status.c) */

/** What a fallible function returns. The values of faults are the exit codes of the `ergon` program (sysexits.h),
 *  so that `cli/` never translates. */
typedef enum {
  ERG_OK = 0,
  ERG_ERR_MISMATCH = 1,    /**< a comparison failed (RTL differs from golden, counts not conserved) */
  ERG_ERR_UNSUPPORTED = 2, /**< legal but not covered; reported as *skipped, because*, never an exit code */
  ERG_ERR_USAGE = 64,      /**< the command line is wrong */
  ERG_ERR_DATA = 65,       /**< an input file is wrong (YAML, CSV, a shape that does not fit) */
  ERG_ERR_NO_INPUT = 66,   /**< an input (file, network, architecture, technology) does not exist */
  ERG_ERR_TOOL = 69,       /**< a program that is needed (gnuplot, verilator, c++) is missing or failed */
  ERG_ERR_INTERNAL = 70,   /**< a bug, or memory ran out */
  ERG_ERR_CREATE = 73,     /**< an output file cannot be created */
  ERG_ERR_IO = 74,         /**< an output file cannot be written */
  ERG_ERR_CONFIG = 78      /**< the installation or environment is wrong (data folder missing) */
} erg_status;

/** Caller-owned list of faults, one a line. Start with `{0}`; release with erg_error_clear. */
typedef struct {
  erg_status status; /**< status of the first fault, ERG_OK when there is none */
  char *text;        /**< all faults, one a line, no trailing newline; NULL when there is none */
  int count;         /**< number of faults */
} erg_error;

/** Appends one fault (printf style, no newline) and returns `status`, so that `return erg_fail(...)` reads well.
 *  `error` may be NULL: then only the status survives. */
erg_status erg_fail(erg_error *error, erg_status status, const char *format, ...) ERG_PRINTF(3, 4);
void erg_error_clear(erg_error *error);
/** The legal name nearest to `word` (Levenshtein distance at most a third of its length, at least 1), or NULL.
 *  `names` ends with NULL. For "did you mean". */
const char *erg_nearest(const char *word, const char *const *names);

/* ---------------------------------------------------------------- arena (arena.c) */

/** Memory that lives and dies together. Start with `{0}`. Allocations are zeroed and aligned for any type. */
typedef struct {
  struct erg_arena_block *head;
} erg_arena;

void *erg_arena_alloc(erg_arena *arena, size_t bytes); /**< NULL only when memory ran out; bytes 0 is legal */
char *erg_arena_strdup(erg_arena *arena, const char *text);
char *erg_arena_printf(erg_arena *arena, const char *format, ...) ERG_PRINTF(2, 3);
void erg_arena_free(erg_arena *arena);

/* ---------------------------------------------------------------- number formats and precision (precision.c) */

typedef enum { ERG_FORMAT_INT, ERG_FORMAT_FP32, ERG_FORMAT_FP16, ERG_FORMAT_BF16, ERG_FORMAT_FP8E4M3,
               ERG_FORMAT_FP8E5M2, ERG_FORMAT_COUNT } erg_format;

/** Widths of one layer, set apart (docs/model.md). For a floating format all but the accumulator are the storage width
 *  and the accumulator is 32 (fp32). */
typedef struct {
  erg_format format;
  int weight_bits;      /**< 2..16 for integers */
  int activation_bits;  /**< 2..16 for integers */
  int accumulator_bits; /**< 8..48; default 32 where weight + activation <= 16, else 48 */
  int output_bits;      /**< 2..16; default = activation_bits */
} erg_precision;

const char *erg_format_name(erg_format format); /**< "int", "fp32", "fp16", "bf16", "fp8e4m3", "fp8e5m2" */
int erg_format_bits(erg_format format);         /**< storage bits of a floating format; 0 for ERG_FORMAT_INT */
/** Grammar: `intN` (= wNaN), `wNaM`, `wNaMpAoO` (p accumulator, o output; either may be absent), or a floating
 *  format's name. Legal: N, M, O in 2..16, A in 8..48. ERG_ERR_USAGE with what is allowed otherwise. */
erg_status erg_precision_parse(const char *text, erg_precision *out, erg_error *error);
/** Shortest text that parses back to `precision`; returns `buffer`. */
char *erg_precision_name(const erg_precision *precision, char buffer[32]);
bool erg_precision_is_int(const erg_precision *precision);
int erg_default_accumulator_bits(int weight_bits, int activation_bits); /**< 32 where both together are up to 16, else 48 */

/* ---------------------------------------------------------------- random numbers (random.c) */

/** xoshiro256** seeded by splitmix64 (Blackman & Vigna 2018). Same seed, same stream, on every machine. */
typedef struct {
  uint64_t state[4];
} erg_random;

void erg_random_seed(erg_random *random, uint64_t seed);
/** A stream of its own for (seed, purpose): different `purpose` texts give independent streams. */
void erg_random_stream(erg_random *random, uint64_t seed, const char *purpose);
uint64_t erg_random_u64(erg_random *random);
/** Uniform integer in [low, high], both inclusive, without modulo bias. */
int64_t erg_random_range(erg_random *random, int64_t low, int64_t high);
double erg_random_unit(erg_random *random);   /**< uniform in [0, 1) */
double erg_random_normal(erg_random *random); /**< mean 0, variance 1 */

/* ---------------------------------------------------------------- hash (hash.c) */

/** SHA-256 (FIPS 180-4) of `bytes` bytes as 64 lower-case hex digits plus NUL. */
void erg_sha256_hex(const void *data, size_t bytes, char hex[65]);

/* ---------------------------------------------------------------- files (file.c) */

/** Whole file into arena memory, NUL appended. ERG_ERR_NO_INPUT when it cannot be opened, ERG_ERR_DATA when it is
 *  larger than 64 MiB or holds a NUL byte. `bytes` may be NULL. */
erg_status erg_file_read(erg_arena *arena, const char *path, char **text, size_t *bytes, erg_error *error);
/** Resolves `name` as users give it. A name that contains '/' or ends in `suffix` is a path; else
 *  `<data>/<kind>/<name><suffix>` when there is one, where <data> is $ERGON_DATA, or `../share/ergon` beside the
 *  program; else an existing path.
 *  kind: "nets", "archs", "tech". ERG_ERR_NO_INPUT lists the names that exist, with a did-you-mean. */
erg_status erg_data_find(erg_arena *arena, const char *kind, const char *name, const char *suffix, char **path,
                         erg_error *error);
/** Names (without suffix) in `<data>/<kind>`, sorted, NULL-terminated. */
erg_status erg_data_list(erg_arena *arena, const char *kind, const char *suffix, char ***names, int *count,
                         erg_error *error);
/** `<data>` itself, for other files there (rtl sources). ERG_ERR_CONFIG when there is none. */
erg_status erg_data_dir(erg_arena *arena, char **path, erg_error *error);

/* ---------------------------------------------------------------- text tables (table.c) */

/** Aligned table for people: collect cells, print once. Numeric columns align right. */
typedef struct erg_table erg_table;
erg_table *erg_table_new(void);
/** `heading` may hold a newline-free unit, e.g. "energy [uJ]". `right` aligns right. */
void erg_table_column(erg_table *table, const char *heading, bool right);
/** Adds the next cell of the present row (printf style); a row is full after as many cells as columns. */
void erg_table_cell(erg_table *table, const char *format, ...) ERG_PRINTF(2, 3);
void erg_table_rule(erg_table *table); /**< a separating line before the next row */
void erg_table_print(const erg_table *table, FILE *stream);
void erg_table_free(erg_table *table);

/* ---------------------------------------------------------------- progress (progress.c) */

/** Progress on stderr: a bar with rate and time left on a terminal (at most 10 a second), a line every 10 %
 *  otherwise. Honours NO_COLOR; silent when `quiet`. */
typedef struct {
  const char *label;
  const char *unit; /**< e.g. "MAC" */
  double total, done, started_s, last_s;
  double wait_s; /**< nothing is shown in the first wait_s seconds; may be set after the start */
  int last_decile;
  bool terminal, quiet;
} erg_progress;
void erg_progress_start(erg_progress *progress, const char *label, const char *unit, double total, bool quiet);
void erg_progress_update(erg_progress *progress, double done, const char *detail);
void erg_progress_end(erg_progress *progress);

/* ---------------------------------------------------------------- CSV output (csv.c) */

/** Writes one CSV field with quoting where RFC 4180 asks for it; `first` suppresses the comma. */
void erg_csv_text(FILE *stream, const char *text, bool first);

#define ERG_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#ifdef __cplusplus
}
#endif
#endif
