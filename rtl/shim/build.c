/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a variant with Verilator and the C++ compiler into the cache, under a name that is the hash of everything it
 * depends on. Two processes may build the same one: each works in a folder of its own and the rename is atomic. */
#include "build.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The synthesis check puts a netlist in place of these by ERGON_RTL_SOURCES: a folder with one ergon_top.v. */
static const char *const modules[] = {"ergon_pkg.sv",         "ergon_sequencer.sv", "ergon_array.sv",
                                      "ergon_accumulator.sv", "ergon_epilogue.sv",  "ergon_top.sv"};

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

static erg_status cache_folder(erg_arena *arena, char **path, erg_error *error) {
  const char *own = getenv("ERGON_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (own && *own)
    *path = erg_arena_strdup(arena, own);
  else if (xdg && *xdg)
    *path = erg_arena_printf(arena, "%s/ergon", xdg);
  else if (home && *home)
    *path = erg_arena_printf(arena, "%s/.cache/ergon", home);
  else
    return erg_fail(error, ERG_ERR_CONFIG, "no folder for built arrays: set ERGON_CACHE or HOME");
  return make_folders(*path, error);
}

/* Where libergon_vlrt lies: $ERGON_LIB, else ../lib beside the program. */
static char *library_folder(erg_arena *arena) {
  const char *given = getenv("ERGON_LIB");
  if (given && *given) return erg_arena_strdup(arena, given);
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) length = 0;
  program[length] = 0;
  char *slash = strrchr(program, '/');
  if (slash) *slash = 0;
  return erg_arena_printf(arena, "%s/../" ERGON_LIBDIR, program);
}

/* Output of a command, or NULL when it cannot be run. */
static char *output_of(erg_arena *arena, const char *command) {
  FILE *pipe = popen(command, "r");
  if (!pipe) return NULL;
  char text[4096];
  size_t length = fread(text, 1, sizeof text - 1, pipe);
  text[length] = 0;
  return pclose(pipe) == 0 ? erg_arena_strdup(arena, text) : NULL;
}

static erg_status run(const char *command, const char *log_path, erg_error *error) {
  int status = system(command);
  if (status == 0) return ERG_OK;
  char tail[1500] = "";
  FILE *stream = fopen(log_path, "r");
  if (stream) {
    if (fseek(stream, -(long)sizeof tail + 1, SEEK_END) != 0) rewind(stream);
    size_t length = fread(tail, 1, sizeof tail - 1, stream);
    tail[length] = 0;
    fclose(stream);
  }
  return erg_fail(error, ERG_ERR_TOOL, "building the array failed (status %d): %s\n%s",
                  WIFEXITED(status) ? WEXITSTATUS(status) : -1, command, tail);
}

typedef struct {
  char *sources; /* folder of the modules */
  char *shim;    /* folder of variant_shim.cpp */
  char *files;   /* modules, ready for a command line */
  char *key;     /* text whose hash names the variant */
} recipe;

static erg_status describe(erg_arena *arena, const erg_rtl_config *c, const char *compiler, recipe *r,
                           erg_error *error) {
  char *data, *text;
  const char *netlist = getenv("ERGON_RTL_SOURCES");
  erg_status status = erg_data_dir(arena, &data, error);
  if (status != ERG_OK) return status;
  char *version = output_of(arena, "verilator --version 2>/dev/null");
  if (!version)
    return erg_fail(error, ERG_ERR_TOOL,
                    "verilator is not installed: apt-get install verilator g++ (or run scripts/setup)");
  char *compiler_version = output_of(arena, erg_arena_printf(arena, "%s --version 2>/dev/null", compiler));
  if (!compiler_version)
    return erg_fail(error, ERG_ERR_TOOL, "the C++ compiler %s cannot be run: apt-get install g++, or set CXX",
                    compiler);
  char *machine = output_of(arena, "grep -m1 flags /proc/cpuinfo"); /* -march=native is part of the build */
  r->shim = erg_arena_printf(arena, "%s/rtl/shim", data);
  r->sources = netlist && *netlist ? erg_arena_strdup(arena, netlist) : erg_arena_printf(arena, "%s/rtl", data);
  /* The variant names the runtime library by its path: another tree's would be lost with that tree. */
  r->key = erg_arena_printf(arena, "%d %d %d %d %d %d %s\n%s%s%s%s", c->rows, c->cols, c->weight_bits,
                            c->activation_bits, c->accumulator_bits, c->accumulator_depth, c->mutant ? c->mutant : "",
                            version, compiler_version, machine ? machine : "", library_folder(arena));
  r->files = erg_arena_strdup(arena, "");
  for (size_t i = 0; i < ERG_COUNT_OF(modules); i++) {
    char *path = erg_arena_printf(arena, "%s/%s", r->sources, modules[i]);
    if (netlist && *netlist) {
      if (i > 0) break;
      path = erg_arena_printf(arena, "%s/ergon_top.v", r->sources);
    }
    status = erg_file_read(arena, path, &text, NULL, error);
    if (status != ERG_OK) return status;
    r->key = erg_arena_printf(arena, "%s%s", r->key, text);
    r->files = erg_arena_printf(arena, "%s '%s'", r->files, path);
  }
  status = erg_file_read(arena, erg_arena_printf(arena, "%s/variant_shim.cpp", r->shim), &text, NULL, error);
  r->key = erg_arena_printf(arena, "%s%s", r->key, text);
  return status;
}

static erg_status compile(erg_arena *arena, const erg_rtl_config *c, const recipe *r, const char *compiler,
                          const char *folder, erg_error *error) {
  bool netlist = *setting("ERGON_RTL_SOURCES", "");
  char *log_path = erg_arena_printf(arena, "%s/log", folder);
  char *parameters =
      netlist ? ""
              : erg_arena_printf(
                    arena, "-GROWS=%d -GCOLS=%d -GWEIGHT_BITS=%d -GACTIVATION_BITS=%d -GACC_BITS=%d -GACC_DEPTH=%d",
                    c->rows, c->cols, c->weight_bits, c->activation_bits, c->accumulator_bits, c->accumulator_depth);
  char *mutant = c->mutant ? erg_arena_printf(arena, "+define+ERGON_MUTANT_%s", c->mutant) : "";
  char *command = erg_arena_printf(
      arena,
      "verilator --cc -O3 --x-assign fast --x-initial fast --noassert --unroll-count 4096 --unroll-stmts 1000000 "
      "-Wno-lint -Wno-fatal --top-module ergon_top --prefix Vergon_top --Mdir '%s/cpp' %s %s "
      "'%s/../lint/waivers.vlt'%s "
      ">'%s' 2>&1",
      folder, parameters, mutant, r->shim, r->files, log_path);
  erg_status status = run(command, log_path, error);
  if (status != ERG_OK) return status;
  command = erg_arena_printf(
      arena,
      "%s -std=c++17 -O3 -march=native -fPIC -shared -w -DVERILATOR=1 -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TRACE=0 "
      "-DERGON_ROWS=%d -DERGON_COLS=%d -DERGON_WEIGHT_BITS=%d -DERGON_ACTIVATION_BITS=%d -DERGON_ACC_BITS=%d "
      "-I'%s/cpp' -I'%s' -I'%s/include' -I\"$(verilator --getenv VERILATOR_ROOT)/include\" "
      "-I\"$(verilator --getenv VERILATOR_ROOT)/include/vltstd\" '%s/cpp'/*.cpp '%s/variant_shim.cpp' "
      "-L'%s' -Wl,-rpath,'%s' -lergon_vlrt -o '%s/variant.so' >'%s' 2>&1",
      compiler, c->rows, c->cols, c->weight_bits, c->activation_bits, c->accumulator_bits, folder, r->shim, r->shim,
      folder, r->shim, library_folder(arena), library_folder(arena), folder, log_path);
  return run(command, log_path, error);
}

erg_status erg_rtl_build(erg_arena *arena, const erg_rtl_config *config, FILE *log, char **path, erg_error *error) {
  recipe r = {0};
  char *cache = NULL, hex[65];
  const char *compiler = setting("CXX", "c++");
  erg_status status = cache_folder(arena, &cache, error);
  if (status == ERG_OK) status = describe(arena, config, compiler, &r, error);
  if (status != ERG_OK) return status;
  if (!r.key || !r.files) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_sha256_hex(r.key, strlen(r.key), hex);
  char *built = erg_arena_printf(arena, "%s/array-%dx%d-%.16s.so", cache, config->rows, config->cols, hex);
  if (!built) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (access(built, R_OK) != 0) {
    char *folder = erg_arena_printf(arena, "%s/build-XXXXXX", cache);
    if (!folder || !mkdtemp(folder)) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", cache, strerror(errno));
    if (log)
      fprintf(log, "building the %d x %d array with Verilator (once; kept in %s)\n", config->rows, config->cols, cache);
    status = compile(arena, config, &r, compiler, folder, error);
    char *made = erg_arena_printf(arena, "%s/variant.so", folder);
    if (status == ERG_OK && rename(made, built) != 0)
      status = erg_fail(error, ERG_ERR_CREATE, "%s: %s", built, strerror(errno));
    if (system(erg_arena_printf(arena, "rm -rf '%s'", folder)) != 0 && log)
      fprintf(log, "could not remove %s\n", folder);
  }
  if (status == ERG_OK) *path = built;
  return status;
}
