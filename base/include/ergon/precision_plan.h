/* SPDX-License-Identifier: Apache-2.0 */
/** \file precision_plan.h
 *  A precision of its own for each layer, as a file (docs/precision.md):
 *
 *      name: shapes-cnn-80pc
 *      default: int8
 *      layers:
 *        conv1: w4a8
 *
 *  In an entry `w` is the width of the layer's weights and `a` that of the tensor it *writes*: a tensor has one width,
 *  whoever reads it. `default` holds for layers without an entry; its `a` is also the width of the network's inputs. */
#ifndef ERGON_PRECISION_PLAN_H
#define ERGON_PRECISION_PLAN_H

#include "ergon/yaml.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char *layer;       /**< NULL: the default */
  erg_precision precision; /**< integers; output_bits = activation_bits = `a` */
  bool accumulator_stated; /**< `pN` was given; else the accumulator follows from what the layer reads */
  erg_position position;   /**< of the value in the file */
} erg_precision_entry;

typedef struct {
  erg_arena arena;
  const char *name, *help, *file; /**< help may be NULL */
  char sha256[65];                /**< of the file */
  erg_precision_entry fallback;   /**< `default` */
  erg_precision_entry *entries;   /**< in the order of the file */
  int count;
} erg_precision_plan;

/** Whether a word of `--precision` names a file: it ends in .yaml or .yml. */
bool erg_precision_is_plan(const char *word);
/** Reads a plan. `layers` (NULL at the end) are the names that may have entries. All faults at once, each with
 *  file:line:column: unknown and repeated layers, what is no precision, floating formats, an `o` other than `a`.
 *  ERG_ERR_DATA; `out` is untouched then. */
erg_status erg_precision_plan_parse(const char *file, const char *text, const char *const *layers,
                                    erg_precision_plan *out, erg_error *error);
void erg_precision_plan_free(erg_precision_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
