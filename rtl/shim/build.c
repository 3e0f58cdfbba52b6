/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a variant with Verilator and the C++ compiler into the cache, under a name that is the hash of everything it
 * depends on. Two processes may build the same one: each works in a folder of its own and the rename is atomic. */
#include "build.h"
#include "dut.h"
#include "tool.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The sources of each top module, one dataflow each; the first is what is meant where none is named. The synthesis
 * check puts a netlist in place of these by ERGON_RTL_SOURCES: a folder with one file, TOP.v. */
#define MOST_MODULES 8
static const struct {
  const char *top, *files[MOST_MODULES];
  bool shadow_sums; /* the cells' second register holds a sum, not a weight */
  int word_bits;    /* of an operand at a port, where it is not one code */
  bool unit;        /* no array, but the unit behind its epilogue */
} tops[] = {{"ergon_top",
             {"ergon_pkg.sv", "ergon_sequencer.sv", "ergon_array.sv", "ergon_accumulator.sv", "ergon_epilogue.sv",
              "ergon_top.sv"}},
            {"ergon_top_os",
             {"ergon_pkg.sv", "ergon_sequencer_os.sv", "ergon_array_os.sv", "ergon_epilogue.sv", "ergon_top_os.sv"},
             true,
             0},
            {"ergon_top_scalable",
             {"ergon_pkg.sv", "ergon_sequencer.sv", "ergon_array_scalable.sv", "ergon_accumulator.sv",
              "ergon_epilogue.sv", "ergon_top_scalable.sv"},
             false,
             32},
            {"ergon_norm_unit",
             {"ergon_pkg.sv", "ergon_norm_gather.sv", "ergon_norm_scale.sv", "ergon_norm.sv", "ergon_gate.sv",
              "ergon_norm_unit.sv"},
             .unit = true}};
#define NORM_COUNT_BITS 20 /* groups of up to 2^20 elements, as the golden kernel's */
static const char *const shim_sources[] = {
    "variant_shim.cpp",        "dut_shim.cpp", "norm_shim.cpp", "pack.hpp",     "variant.h",
    "norm_drive.hpp",          "observe.hpp",  "observe.vlt",   "waveform.hpp", "include/ergon/rtl_types.h",
    "include/ergon/rtl_norm.h"};

typedef struct {
  erg_arena *arena;
  const erg_rtl_config *config;
  bool netlist;
  const char *compiler; /* may be several words */
  char *cache;          /* folder of built variants */
  char *shim;           /* folder of the shims */
  char *library;        /* folder of libergon_vlrt */
  char *root;           /* of Verilator */
  char **sources;       /* NULL at the end */
  char *key;            /* text whose hash names the variant */
  char *folder;         /* scratch folder of this build */
} recipe;

static bool foreign(const recipe *r) {
  return r->config->dut_top != NULL;
}

static size_t top_of(const erg_rtl_config *c) {
  size_t index = 0;
  while (c->top && index + 1 < ERG_COUNT_OF(tops) && strcmp(tops[index].top, c->top) != 0) index++;
  return index;
}

static bool is_unit(const recipe *r) {
  return !foreign(r) && tops[top_of(r->config)].unit;
}

static int output_bits(const recipe *r) {
  return r->config->output_bits ? r->config->output_bits : r->config->activation_bits;
}

/* An environment variable, or what stands in when it is unset or empty. */
static const char *setting(const char *name, const char *fallback) {
  const char *value = getenv(name);
  return value && *value ? value : fallback;
}

static erg_status make_folders(const char *path, erg_error *error) {
  char partial[4096];
  snprintf(partial, sizeof partial, "%s", path);
  for (char *slash = partial + 1;; slash++) {
    slash = strchr(slash, '/');
    if (slash) *slash = 0;
    if (mkdir(partial, 0777) != 0 && errno != EEXIST)
      return erg_fail(error, ERG_ERR_CREATE, "%s: %s; set ERGON_CACHE to a folder that can be written", partial,
                      strerror(errno));
    if (!slash) return ERG_OK;
    *slash = '/';
  }
}

static erg_status cache_folder(recipe *r, erg_error *error) {
  const char *own = setting("ERGON_CACHE", NULL), *xdg = setting("XDG_CACHE_HOME", NULL), *home = setting("HOME", NULL);
  if (own)
    r->cache = erg_arena_strdup(r->arena, own);
  else if (xdg)
    r->cache = erg_arena_printf(r->arena, "%s/ergon", xdg);
  else if (home)
    r->cache = erg_arena_printf(r->arena, "%s/.cache/ergon", home);
  else
    return erg_fail(error, ERG_ERR_CONFIG, "no folder for built arrays: set ERGON_CACHE or HOME");
  return make_folders(r->cache, error);
}

/* Where libergon_vlrt lies: $ERGON_LIB, else ../lib beside the program. */
static char *library_folder(erg_arena *arena) {
  const char *given = setting("ERGON_LIB", NULL);
  if (given) return erg_arena_strdup(arena, given);
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) length = 0;
  program[length] = 0;
  char *slash = strrchr(program, '/');
  if (slash) *slash = 0;
  return erg_arena_printf(arena, "%s/../" ERGON_LIBDIR, program);
}

/* The machine's instructions: -march=native is part of the build. */
static char *machine_flags(erg_arena *arena) {
  char *line = NULL, *found = NULL;
  size_t room = 0;
  FILE *stream = fopen("/proc/cpuinfo", "r");
  while (stream && !found && getline(&line, &room, stream) > 0)
    if (strncmp(line, "flags", 5) == 0) found = erg_arena_strdup(arena, line);
  if (stream) fclose(stream);
  free(line);
  return found ? found : "";
}

static erg_status find_tools(recipe *r, erg_error *error) {
  erg_arguments version = {.arena = r->arena}, root = {.arena = r->arena}, compiler = {.arena = r->arena};
  erg_argument_words(&version, "verilator --version");
  erg_argument_words(&root, "verilator --getenv VERILATOR_ROOT");
  erg_argument_words(&compiler, r->compiler);
  erg_argument(&compiler, "--version");
  char *verilator_version = erg_tool_output(&version), *compiler_version = erg_tool_output(&compiler);
  r->root = erg_tool_output(&root);
  if (!verilator_version || !r->root)
    return erg_fail(error, ERG_ERR_TOOL,
                    "verilator is not installed: apt-get install verilator g++ (or run scripts/setup)");
  if (!compiler_version)
    return erg_fail(error, ERG_ERR_TOOL, "the C++ compiler %s cannot be run: apt-get install g++, or set CXX",
                    r->compiler);
  r->root[strcspn(r->root, "\n")] = 0;
  r->key = erg_arena_printf(r->arena, "%s%s%s", verilator_version, compiler_version, machine_flags(r->arena));
  return ERG_OK;
}

static erg_status add_to_key(recipe *r, const char *path, erg_error *error) {
  char *text;
  erg_status status = erg_file_read(r->arena, path, &text, NULL, error);
  if (status == ERG_OK) r->key = erg_arena_printf(r->arena, "%s%s", r->key, text);
  return status;
}

/* The sources, and (of the house's own array, whose sources include nothing) their text in the key. */
static erg_status take_sources(recipe *r, const char *data, erg_error *error) {
  const char *netlist = setting("ERGON_RTL_SOURCES", NULL);
  erg_status status = ERG_OK;
  int count = 0;
  r->netlist = netlist && !foreign(r);
  while (foreign(r) && r->config->dut_files[count]) count++;
  r->sources = erg_arena_alloc(r->arena, sizeof *r->sources * ((size_t)count + MOST_MODULES + 1));
  if (!r->sources) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < count; i++) {
    r->sources[i] = erg_arena_strdup(r->arena, r->config->dut_files[i]);
    if (access(r->sources[i], R_OK) != 0)
      status = erg_fail(error, ERG_ERR_NO_INPUT, "--dut: %s: %s", r->sources[i], strerror(errno));
  }
  if (foreign(r)) return status;
  const char *top = tops[top_of(r->config)].top, *const *files = tops[top_of(r->config)].files;
  for (size_t i = 0; i < MOST_MODULES && files[i] && status == ERG_OK; i++) {
    if (r->netlist && i > 0) break;
    r->sources[i] = r->netlist ? erg_arena_printf(r->arena, "%s/%s.v", netlist, top)
                               : erg_arena_printf(r->arena, "%s/rtl/%s", data, files[i]);
    status = add_to_key(r, r->sources[i], error);
  }
  return status;
}

static erg_status describe(recipe *r, erg_error *error) {
  char *data;
  const erg_rtl_config *c = r->config;
  erg_status status = erg_data_dir(r->arena, &data, error);
  if (status == ERG_OK) status = find_tools(r, error);
  if (status != ERG_OK) return status;
  r->shim = erg_arena_printf(r->arena, "%s/rtl/shim", data);
  r->library = library_folder(r->arena);
  /* The variant names the runtime library by its path: another tree's would be lost with that tree. */
  r->key = erg_arena_printf(r->arena, "%d %d %d %d %d %d %d %d %s %s %d %s\n%s%s", c->rows, c->cols, c->weight_bits,
                            c->activation_bits, c->accumulator_bits, c->accumulator_depth, output_bits(r), c->rule,
                            c->mutant ? c->mutant : "", foreign(r) ? "foreign" : "", (int)c->look + 10 * c->coverage,
                            tops[top_of(c)].top, r->key, r->library);
  for (size_t i = 0; i < ERG_COUNT_OF(shim_sources) && status == ERG_OK; i++)
    status = add_to_key(r, erg_arena_printf(r->arena, "%s/%s", r->shim, shim_sources[i]), error);
  if (status == ERG_OK) status = take_sources(r, data, error);
  return status;
}

/* The last lines of a log: what a tool says first are often warnings, its errors come at the end. */
static char *tail_of(erg_arena *arena, const char *path) {
  char tail[1500] = "";
  FILE *stream = fopen(path, "r");
  if (!stream) return "";
  if (fseek(stream, -(long)sizeof tail + 1, SEEK_END) != 0) rewind(stream);
  size_t length = fread(tail, 1, sizeof tail - 1, stream);
  while (length > 0 && tail[length - 1] == '\n') length--;
  tail[length] = 0;
  fclose(stream);
  return erg_arena_strdup(arena, tail);
}

static erg_status verilate(const recipe *r, erg_error *error) {
  const erg_rtl_config *c = r->config;
  erg_arguments a = {.arena = r->arena};
  char *log_path = erg_arena_printf(r->arena, "%s/log", r->folder);
  erg_argument_words(&a, "verilator --cc -O3 --unroll-count 4096 --unroll-stmts 1000000 -Wno-lint -Wno-fatal");
  /* What a foreign array does not initialise gets random bits, which two seeds tell apart. */
  erg_argument_words(&a, foreign(r) ? "--x-assign unique --x-initial unique --assert --no-timing --prefix Vdut"
                                    : "--x-assign fast --x-initial fast --noassert --prefix Vergon_top");
  erg_argument_words(&a, "--top-module");
  erg_argument(&a, "%s", foreign(r) ? c->dut_top : tops[top_of(c)].top);
  erg_argument_words(&a, "--Mdir");
  erg_argument(&a, "%s/cpp", r->folder);
  if (is_unit(r) && !r->netlist) {
    erg_argument(&a, "-GCOLS=%d", c->cols);
    erg_argument(&a, "-GCODE_BITS=%d", c->activation_bits);
    erg_argument(&a, "-GCOUNT_BITS=%d", NORM_COUNT_BITS);
    erg_argument(&a, "-GDEPTH=%d", c->accumulator_depth);
  } else if (!r->netlist) {
    erg_argument(&a, "-GROWS=%d", c->rows);
    erg_argument(&a, "-GCOLS=%d", c->cols);
    erg_argument(&a, "-GWEIGHT_BITS=%d", c->weight_bits);
    erg_argument(&a, "-GACTIVATION_BITS=%d", c->activation_bits);
    erg_argument(&a, "-GACC_BITS=%d", c->accumulator_bits);
    erg_argument(&a, "-GACC_DEPTH=%d", c->accumulator_depth);
    if (!foreign(r)) erg_argument(&a, "-GOUTPUT_BITS=%d", output_bits(r));
    if (!foreign(r)) erg_argument(&a, "-GRULE=%d", c->rule);
  }
  if (c->mutant) erg_argument(&a, "+define+ERGON_MUTANT_%s", c->mutant);
  if (c->coverage) erg_argument_words(&a, "--coverage-line --coverage-toggle --coverage-max-width 512");
  if (c->look == ERG_LOOK_WAVES) erg_argument_words(&a, "--trace-fst --trace-max-array 4096 --trace-structs");
  if (!foreign(r) && c->look) erg_argument(&a, "%s/observe.vlt", r->shim);
  if (!foreign(r)) erg_argument(&a, "%s/../lint/waivers.vlt", r->shim);
  for (int i = 0; foreign(r) && r->sources[i]; i++) { /* `include "x.svh" beside the file that names it */
    const char *slash = strrchr(r->sources[i], '/');
    erg_argument(&a, "-I%.*s", slash ? (int)(slash - r->sources[i]) : 1, slash ? r->sources[i] : ".");
  }
  for (int i = 0; r->sources[i]; i++) erg_argument(&a, "%s", r->sources[i]);
  int failed = erg_tool_run(&a, log_path);
  if (failed == 0) return ERG_OK;
  if (foreign(r)) return erg_dut_explain(tail_of(r->arena, log_path), c, error);
  return erg_fail(error, ERG_ERR_TOOL, "building the array failed (status %d): %s\n%s", failed, erg_tool_line(&a),
                  tail_of(r->arena, log_path));
}

/* Calls `use` for each generated file that ends in `ending`, in the order of their names. */
static void each_generated(const recipe *r, const char *ending, void (*use)(void *context, const char *path),
                           void *context) {
  struct dirent **entries = NULL;
  char *folder = erg_arena_printf(r->arena, "%s/cpp", r->folder);
  int count = scandir(folder, &entries, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    size_t length = strlen(entries[i]->d_name), end = strlen(ending);
    if (length > end && strcmp(entries[i]->d_name + length - end, ending) == 0)
      use(context, erg_arena_printf(r->arena, "%s/%s", folder, entries[i]->d_name));
    free(entries[i]);
  }
  free(entries);
}

/* By its name alone: the folder is on the path, and may be called anything. */
static void include(void *context, const char *path) {
  fprintf(context, "#include \"%s\"\n", strrchr(path, '/') + 1);
}

/* One source that includes all: the runtime's headers cost more time than what Verilator writes, and are read once. */
static erg_status write_whole(const recipe *r, const char *path, erg_error *error) {
  FILE *stream = fopen(path, "w");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  each_generated(r, ".cpp", include, stream);
  const char *shim = foreign(r) ? "dut_shim.cpp" : is_unit(r) ? "norm_shim.cpp" : "variant_shim.cpp";
  include(stream, erg_arena_printf(r->arena, "%s/%s", r->shim, shim));
  return fclose(stream) == 0 ? ERG_OK : erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
}

static void add_generated(void *context, const char *path) {
  add_to_key(context, path, NULL);
}

static erg_status compile(const recipe *r, bool shows_sums, erg_error *error) {
  const erg_rtl_config *c = r->config;
  erg_arguments a = {.arena = r->arena};
  char *log_path = erg_arena_printf(r->arena, "%s/log", r->folder);
  char *whole = erg_arena_printf(r->arena, "%s/whole.cpp", r->folder);
  erg_status status = write_whole(r, whole, error);
  if (status != ERG_OK) return status;
  erg_argument_words(&a, r->compiler);
  /* A foreign array may change with every call, the house's own is built once for whole networks. Of a large array's
   * straight code -O3 makes a minute's work (32 x 32: 67 s of CPU, -O1: 5 s). */
  bool large = c->rows * c->cols >= 1024;
  erg_argument_words(&a, foreign(r) ? "-O2" : c->coverage ? "-O0" : large ? "-O1 -march=native" : "-O3 -march=native");
  erg_argument_words(&a, "-std=c++17 -fPIC -shared -w -DVERILATOR=1 -DVM_SC=0");
  erg_argument(&a, "-DVM_COVERAGE=%d", c->coverage);
  erg_argument(&a, "-DVM_TRACE=%d", c->look == ERG_LOOK_WAVES);
  erg_argument(&a, "-DVM_TRACE_FST=%d", c->look == ERG_LOOK_WAVES);
  erg_argument(&a, "-DERGON_LOOK=%d", c->look != ERG_LOOK_NONE);
  if (!foreign(r)) erg_argument(&a, "-DERGON_TOP=%s", tops[top_of(c)].top);
  int word_bits = foreign(r) ? 0 : tops[top_of(c)].word_bits, weight_word_bits = word_bits ? word_bits : c->weight_bits;
  erg_argument(&a, "-DERGON_WEIGHT_WORD_BITS=%d", weight_word_bits);
  erg_argument(&a, "-DERGON_ACTIVATION_WORD_BITS=%d", word_bits ? word_bits : c->activation_bits);
  erg_argument(&a, "-DERGON_SHADOW_BITS=%d", tops[top_of(c)].shadow_sums ? c->accumulator_bits : weight_word_bits);
  erg_argument(&a, "-DERGON_ROWS=%d", c->rows);
  erg_argument(&a, "-DERGON_COLS=%d", c->cols);
  erg_argument(&a, "-DERGON_WEIGHT_BITS=%d", c->weight_bits);
  erg_argument(&a, "-DERGON_ACTIVATION_BITS=%d", c->activation_bits);
  erg_argument(&a, "-DERGON_ACC_BITS=%d", c->accumulator_bits);
  erg_argument(&a, "-DERGON_OUTPUT_BITS=%d", output_bits(r));
  erg_argument(&a, "-DERGON_COUNT_BITS=%d", NORM_COUNT_BITS);
  erg_argument(&a, "-DERGON_DEPTH=%d", c->accumulator_depth);
  if (shows_sums) erg_argument(&a, "-DERGON_DUT_SUMS");
  erg_argument(&a, "-I%s/cpp", r->folder);
  erg_argument(&a, "-I%s", r->shim);
  erg_argument(&a, "-I%s/include", r->shim);
  erg_argument(&a, "-I%s/include", r->root);
  erg_argument(&a, "-I%s/include/vltstd", r->root);
  erg_argument(&a, "%s", whole);
  erg_argument(&a, "-L%s", r->library);
  erg_argument(&a, "-Wl,-rpath,%s", r->library);
  if (c->coverage) erg_argument_words(&a, "-lergon_vlcov");
  erg_argument_words(&a, c->look == ERG_LOOK_WAVES ? "-lergon_vlfst -lergon_vlrt -o" : "-lergon_vlrt -o");
  erg_argument(&a, "%s/variant.so", r->folder);
  int failed = erg_tool_run(&a, log_path);
  if (failed == 0) return ERG_OK;
  return erg_fail(error, ERG_ERR_TOOL, "building the array failed (status %d): %s\n%s", failed, erg_tool_line(&a),
                  tail_of(r->arena, log_path));
}

static char *built_name(const recipe *r) {
  char hex[65];
  erg_sha256_hex(r->key, strlen(r->key), hex);
  return erg_arena_printf(r->arena, "%s/%s-%dx%d-%.16s.so", r->cache, is_unit(r) ? "unit" : "array", r->config->rows,
                          r->config->cols, hex);
}

/* A foreign array is Verilated each time (half a second), for only then all it includes is known; what was made of it
 * decides whether the compiler has to run. */
static erg_status build_in(recipe *r, FILE *log, char **built, erg_error *error) {
  bool shows_sums = false;
  erg_status status = verilate(r, error);
  if (status == ERG_OK && foreign(r)) {
    status = erg_dut_check_ports(r->arena, r->folder, r->config, &shows_sums, error);
    each_generated(r, ".cpp", add_generated, r);
    each_generated(r, ".h", add_generated, r);
    *built = built_name(r);
    if (status == ERG_OK && access(*built, R_OK) == 0) return ERG_OK;
  }
  if (status == ERG_OK && log)
    fprintf(log, "building the %d x %d array%s%s with Verilator (once; kept in %s)\n", r->config->rows, r->config->cols,
            is_unit(r)   ? "'s unit of norms and tables"
            : foreign(r) ? " "
                         : "",
            foreign(r) ? r->config->dut_top : "", r->cache);
  if (status == ERG_OK) status = compile(r, shows_sums, error);
  char *made = erg_arena_printf(r->arena, "%s/variant.so", r->folder);
  if (status == ERG_OK && rename(made, *built) != 0)
    status = erg_fail(error, ERG_ERR_CREATE, "%s: %s", *built, strerror(errno));
  return status;
}

static bool on_path(erg_arena *arena, const char *program) {
  char *path = erg_arena_strdup(arena, setting("PATH", "")), *rest = path;
  for (char *folder; rest && (folder = strsep(&rest, ":"));)
    if (*folder && access(erg_arena_printf(arena, "%s/%s", folder, program), X_OK) == 0) return true;
  return false;
}

/* $CXX; else Clang, which finds the vectors in an array's straight code: 1.5 times as fast as GCC's (tests/bench). */
static const char *compiler_of(erg_arena *arena) {
  return setting("CXX", on_path(arena, "clang++") ? "clang++" : "c++");
}

erg_status erg_rtl_build(erg_arena *arena, const erg_rtl_config *config, FILE *log, char **path, erg_error *error) {
  recipe r = {.arena = arena, .config = config, .compiler = compiler_of(arena)};
  erg_status status = cache_folder(&r, error);
  if (status == ERG_OK) status = describe(&r, error);
  if (status != ERG_OK) return status;
  if (!r.key) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  char *built = built_name(&r);
  if (!built) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (foreign(&r) || access(built, R_OK) != 0) {
    r.folder = erg_arena_printf(arena, "%s/build-XXXXXX", r.cache);
    if (!r.folder || !mkdtemp(r.folder)) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", r.cache, strerror(errno));
    status = build_in(&r, log, &built, error);
    erg_arguments remove = {.arena = arena};
    erg_argument_words(&remove, "rm -rf --");
    erg_argument(&remove, "%s", r.folder);
    if (erg_tool_run(&remove, NULL) != 0 && log) fprintf(log, "could not remove %s\n", r.folder);
  }
  if (status == ERG_OK) *path = built;
  return status;
}
