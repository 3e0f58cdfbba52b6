/* SPDX-License-Identifier: Apache-2.0 */
/* The one symbol a variant's shared object exports, of an array or of the unit behind it. Functions that a variant was not built for are NULL. */
#ifndef ERGON_RTL_VARIANT_H
#define ERGON_RTL_VARIANT_H
#include "ergon/rtl_norm.h"
#include "ergon/rtl_types.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
  void *(*create)(int seed); /* of the state that a foreign array leaves uninitialised; else a netlist's mutation */
  void (*destroy)(void *model);
  void (*start)(void *model, const erg_rtl_layer *layer);
  const erg_rtl_request *(*requests)(const void *model);
  const int32_t *(*clock)(void *model, const erg_rtl_supply *supply);
  bool (*done)(const void *model);
  uint64_t (*cycles)(const void *model);
  uint64_t (*gap_cycles)(const void *model);
  int (*epilogue_depth)(const void *model);
  const char *(*fault)(const void *model);
  void (*gaps)(void *model, double probability, uint64_t seed);
  const int64_t *(*sums)(const void *model);
  const erg_rtl_toggles *(*toggles)(const void *model);
  void (*waves)(void *model, const char *path, uint64_t first_edge, uint64_t last_edge);
  bool (*waves_end)(void *model); /* whether the file was written */
  bool (*coverage)(void *model, const char *path); /* likewise */
} ergon_variant_api;
extern const ergon_variant_api ergon_variant;
typedef struct {
  void *(*create)(void);
  void (*destroy)(void *unit);
  bool (*run)(void *unit, const erg_rtl_norm_job *job, uint64_t *cycles); /* whether every row and root came */
} ergon_norm_api;
extern const ergon_norm_api ergon_norm_variant;
#ifdef __cplusplus
}
#endif
#endif
