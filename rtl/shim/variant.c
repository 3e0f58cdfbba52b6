/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a variant: from the cache when sources, configuration and tools are those it was built from. */
#include "variant.h"
#include "build.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct erg_rtl {
  void *library, *model;
  const ergon_variant_api *api;
};
struct erg_rtl_norm {
  void *library, *model;
  const ergon_norm_api *api;
};

const char *const erg_rtl_mutants[] = {"ROUNDING",       "SKEW",   "CLAMP", "WEIGHT_ORDER",
                                       "EXTRA_REGISTER", "FREEZE", "SIGN",  NULL};

/* A name that no `ifdef knows would build the true array, and the fault would seem to go unnoticed. */
static erg_status check_mutant(const erg_rtl_config *c, erg_error *error) {
  const char *mutant = c->mutant;
  char list[256] = "";
  if (mutant && strcmp(mutant, "SIGN") == 0 && !(c->top && strcmp(c->top, "ergon_top_scalable") == 0))
    return erg_fail(error, ERG_ERR_USAGE, "rtl: mutant: found SIGN, a fault of the scalable array alone");
  for (int i = 0; erg_rtl_mutants[i]; i++) {
    if (!mutant || strcmp(erg_rtl_mutants[i], mutant) == 0) return ERG_OK;
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", erg_rtl_mutants[i]);
  }
  return erg_fail(error, ERG_ERR_USAGE, "rtl: mutant: found %s; allowed: %s", mutant, list);
}

static erg_status check(const erg_rtl_config *c, erg_error *error) {
  const struct {
    const char *name;
    int value, low, high;
  } fields[] = {
      {"rows", c->rows, 2, 64},
      {"cols", c->cols, 2, 64},
      {"weight_bits", c->weight_bits, 2, 16},
      {"activation_bits", c->activation_bits, 2, 16},
      {"accumulator_bits", c->accumulator_bits, 16, 48},
      {"output_bits", c->output_bits ? c->output_bits : c->activation_bits, 2, 16},
      {"accumulator_depth", c->accumulator_depth, 2, 65536},
  };
  erg_status status = check_mutant(c, error);
  if (c->rule < 0 || c->rule == 2 || c->rule > 3)
    status = erg_fail(error, ERG_ERR_CONFIG, "rtl: rule: found %d; allowed: 0 (S), 1 (D), 3 (A)", c->rule);
  for (size_t i = 0; i < ERG_COUNT_OF(fields); i++)
    if (fields[i].value < fields[i].low || fields[i].value > fields[i].high)
      status = erg_fail(error, ERG_ERR_CONFIG, "rtl: %s: found %d; allowed: %d to %d", fields[i].name, fields[i].value,
                        fields[i].low, fields[i].high);
  return status;
}

/* The built object and the symbol it exports; *api stays NULL on any error. */
static erg_status load(const erg_rtl_config *config, const char *symbol, FILE *log, void **library, const void **api,
                       erg_error *error) {
  erg_arena arena = {0};
  char *path;
  erg_status status = check(config, error);
  if (status == ERG_OK) status = erg_rtl_build(&arena, config, log, &path, error);
  if (status == ERG_OK) {
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *api = *library ? dlsym(*library, symbol) : NULL;
    if (!*api) {
      status = erg_fail(error, ERG_ERR_INTERNAL, "%s: %s; remove the file to build it again", path, dlerror());
      if (*library) dlclose(*library);
    }
  }
  erg_arena_free(&arena);
  return status;
}

erg_status erg_rtl_open(const erg_rtl_config *config, FILE *log, erg_rtl **out, erg_error *error) {
  void *library;
  const void *api = NULL;
  erg_status status = load(config, "ergon_variant", log, &library, &api, error);
  if (!api) return status;
  erg_rtl *rtl = malloc(sizeof *rtl);
  if (!rtl) {
    dlclose(library);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  *rtl = (erg_rtl){library, NULL, api};
  rtl->model = rtl->api->create(config->seed);
  *out = rtl;
  return ERG_OK;
}

erg_status erg_rtl_norm_open(int cols, int bits, int depth, const char *mutant, FILE *log, erg_rtl_norm **out,
                             erg_error *error) {
  const erg_rtl_config config = {.rows = cols, /* as those of a square array: only columns count */
                                 .cols = cols,
                                 .weight_bits = bits,
                                 .activation_bits = bits,
                                 .accumulator_bits = 32,
                                 .accumulator_depth = depth > cols ? depth : cols,
                                 .mutant = mutant,
                                 .top = "ergon_norm_unit"};
  void *library;
  const void *api = NULL;
  erg_status status = load(&config, "ergon_norm_variant", log, &library, &api, error);
  if (!api) return status;
  erg_rtl_norm *unit = malloc(sizeof *unit);
  if (!unit) {
    dlclose(library);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  *unit = (erg_rtl_norm){library, NULL, api};
  unit->model = unit->api->create();
  *out = unit;
  return ERG_OK;
}

void erg_rtl_norm_close(erg_rtl_norm *unit) {
  if (!unit) return;
  unit->api->destroy(unit->model);
  dlclose(unit->library);
  free(unit);
}

erg_status erg_rtl_norm_run(erg_rtl_norm *unit, const erg_rtl_norm_job *job, uint64_t *cycles, erg_error *error) {
  if (unit->api->run(unit->model, job, cycles)) return ERG_OK;
  return erg_fail(error, ERG_ERR_MISMATCH, "the unit behind the epilogue stands still: a root or a row did not come");
}

void erg_rtl_close(erg_rtl *rtl) {
  if (!rtl) return;
  rtl->api->destroy(rtl->model);
  dlclose(rtl->library);
  free(rtl);
}

void erg_rtl_start(erg_rtl *rtl, const erg_rtl_layer *layer) {
  rtl->api->start(rtl->model, layer);
}
const erg_rtl_request *erg_rtl_requests(const erg_rtl *rtl) {
  return rtl->api->requests(rtl->model);
}
const int32_t *erg_rtl_clock(erg_rtl *rtl, const erg_rtl_supply *supply) {
  return rtl->api->clock(rtl->model, supply);
}
bool erg_rtl_done(const erg_rtl *rtl) {
  return rtl->api->done(rtl->model);
}
uint64_t erg_rtl_cycles(const erg_rtl *rtl) {
  return rtl->api->cycles(rtl->model);
}
uint64_t erg_rtl_gap_cycles(const erg_rtl *rtl) {
  return rtl->api->gap_cycles(rtl->model);
}
int erg_rtl_epilogue_depth(const erg_rtl *rtl) {
  return rtl->api->epilogue_depth(rtl->model);
}
const char *erg_rtl_fault(const erg_rtl *rtl) {
  return rtl->api->fault ? rtl->api->fault(rtl->model) : NULL;
}
void erg_rtl_gaps(erg_rtl *rtl, double probability, uint64_t seed) {
  if (rtl->api->gaps) rtl->api->gaps(rtl->model, probability, seed);
}
bool erg_rtl_foreign(const erg_rtl *rtl) {
  return rtl->api->gaps != NULL;
}
const int64_t *erg_rtl_sums(const erg_rtl *rtl) {
  return rtl->api->sums ? rtl->api->sums(rtl->model) : NULL;
}
const erg_rtl_toggles *erg_rtl_toggles_of(const erg_rtl *rtl) {
  return rtl->api->toggles ? rtl->api->toggles(rtl->model) : NULL;
}
void erg_rtl_waves(erg_rtl *rtl, const char *path, uint64_t first_edge, uint64_t last_edge) {
  if (rtl->api->waves) rtl->api->waves(rtl->model, path, first_edge, last_edge);
}
bool erg_rtl_coverage(erg_rtl *rtl, const char *path) {
  return rtl->api->coverage && rtl->api->coverage(rtl->model, path);
}
bool erg_rtl_waves_end(erg_rtl *rtl) {
  return rtl->api->waves_end && rtl->api->waves_end(rtl->model);
}
